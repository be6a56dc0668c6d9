//! What every command may be told: where it works, for whom, and by which rules.

use std::path::PathBuf;

use clap::Args;
use secrets::Secret;

use crate::config;
use crate::here::LOCAL;

/// Where, for whom and by which rules: what every command may be told.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Installation")]
pub(crate) struct HereArgs {
    /// Where state is kept: a folder
    #[arg(
        long,
        global = true,
        display_order = 900,
        env = "WINDLASS_STORE",
        default_value = ".windlass",
        value_name = "DIR"
    )]
    pub(crate) store: PathBuf,
    /// A PostgreSQL database that sessions are kept in instead of the store's own file. It
    /// holds a password: give it in the environment
    #[arg(
        long,
        global = true,
        display_order = 900,
        env = "WINDLASS_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        value_parser = database
    )]
    pub(crate) database: Option<Secret>,
    /// The authorities that are trusted to name that server, in PEM; the public ones where absent
    #[arg(
        long,
        global = true,
        display_order = 900,
        env = "WINDLASS_DATABASE_CA",
        value_name = "FILE"
    )]
    pub(crate) database_ca: Option<PathBuf>,
    /// The installation's file: plans, caps, prices [default: `windlass.yaml` beside the store]
    #[arg(long, global = true, display_order = 901, env = "WINDLASS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Prices that are laid over the built-in ones: a YAML or JSON file
    #[arg(long, global = true, display_order = 902, env = "WINDLASS_PRICES", value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Who owns the sessions and pays for them
    #[arg(
        long,
        global = true,
        display_order = 903,
        env = "WINDLASS_TENANT",
        default_value = LOCAL,
        value_name = "NAME",
        value_parser = name
    )]
    pub(crate) tenant: String,
    /// Who acts, within the tenant
    #[arg(
        long,
        global = true,
        display_order = 904,
        env = "WINDLASS_USER",
        default_value = LOCAL,
        value_name = "NAME",
        value_parser = name
    )]
    pub(crate) user: String,
}

/// The address of a database. It is looked at when it is used, because what is wrong here
/// would be repeated in the message, password and all.
fn database(text: &str) -> Result<Secret, String> {
    Secret::of_text(text.to_owned()).map_err(|why| why.to_string())
}

/// Longest name of a tenant or a user, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// The name of a tenant or a user: any words of one line.
fn name(text: &str) -> Result<String, String> {
    let fits = text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
    if fits && !text.trim().is_empty() && text.trim() == text {
        return Ok(text.to_owned());
    }
    Err(format!("a name is one line of 1 to {NAME_BYTES_MAX} bytes without spaces around it"))
}

/// A label as `name=value`. The name is spelled as in plans, with hyphens.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (label, value) = text.split_once('=').ok_or("write it like `team=red`")?;
    let label = config::label_name(label)?;
    Ok((label, name(value)?))
}
