//! `windlass secrets …`: the encrypted file of secrets. No value is ever an argument.

use clap::{Args, Subcommand};
use secrets::Name;

/// `windlass secrets …`
#[derive(Subcommand, Debug)]
pub(crate) enum SecretsCommand {
    /// Set a secret; its value is typed unseen, or read from standard input
    #[command(after_help = "\
The secret belongs to the tenant (`--tenant`), and tools speak of it as `secret://NAME`. With
`--installation` it belongs to all of them, and tenants get it where `grants` says so.

Example:  windlass secrets set stripe-key
          windlass secrets set stripe-key --tenant acme < key.txt")]
    Set {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Name,
        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// List the secrets that are there, without a value
    #[command(after_help = "Example:  windlass secrets list")]
    List {
        /// Every tenant's
        #[arg(long, conflicts_with = "installation")]
        all: bool,
        #[command(flatten)]
        whose: WhoseArgs,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Give a secret a new value while the former stays good, or the whole file a new key
    #[command(after_help = "\
With a name: a new value, read as by `set`. Without one: every value is encrypted anew under a
new data key; no value changes.

Example:  windlass secrets rotate stripe-key --overlap 1h
          windlass secrets rotate")]
    Rotate {
        /// Its name; the file's key where absent
        #[arg(value_name = "NAME")]
        name: Option<Name>,
        #[command(flatten)]
        whose: WhoseArgs,
        /// How long the former value stays good, like `30s`, `15m`, `1h` or `2d`
        #[arg(long, value_name = "TIME", value_parser = overlap_ms, requires = "name")]
        overlap: Option<u64>,
    },
    /// Take a secret out
    #[command(after_help = "Example:  windlass secrets remove stripe-key")]
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Name,
        #[command(flatten)]
        whose: WhoseArgs,
    },
}

/// Whose part is meant.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WhoseArgs {
    /// The installation's own part instead of the tenant's
    #[arg(long)]
    pub(crate) installation: bool,
}

/// A time in words, in milliseconds.
pub(super) fn overlap_ms(text: &str) -> Result<u64, String> {
    let wrong = || "write it like `30s`, `15m`, `1h` or `2d`".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).ok_or_else(wrong)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return Err(wrong()),
    };
    let count = number.parse::<u64>().ok().filter(|_| digits).ok_or_else(wrong)?;
    count.checked_mul(ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::overlap_ms;

    #[test]
    fn times_have_a_number_and_a_unit() {
        for (text, ms) in [("30s", 30_000), ("15m", 900_000), ("1h", 3_600_000), ("0s", 0)] {
            assert_eq!(overlap_ms(text), Ok(ms), "{text}");
        }
        for wrong in
            ["", "h", "1", "-1h", "+1h", "1 h", "1w", "1.5h", "99999999999999999999d", "1é"]
        {
            assert!(overlap_ms(wrong).is_err(), "{wrong}");
        }
    }
}
