//! `windlass policy show`: the policies that hold here, or a template's text.

use anstream::{eprintln, println};
use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize;
use policy::{Listed, PolicySet, TEMPLATES};
use serde_json::json;

use crate::config::Chosen;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::show;

/// Prints a template as it is, to be the beginning of a file.
pub(super) fn template(name: &str) -> anyhow::Result<End> {
    let Some(template) = policy::template(name) else {
        let about = TEMPLATES.map(|one| format!("  {:<10} {}", one.name, one.about));
        let words = format!("there is no template `{name}`\nthere are:\n{}", about.join("\n"));
        return Err(BadUsage(words).into());
    };
    print!("{}", template.text);
    Ok(End::Finished)
}

pub(super) fn show(here: &Here, json: bool) -> End {
    let installation = here.policies.installation();
    let tenant = here.policies.of_tenant(&here.tenant);
    let all = || installation.listed().chain(tenant.iter().flat_map(|set| set.listed()));
    if json {
        all().for_each(|one| println!("{}", show::object(&json!(one))));
        return End::Finished;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["POLICY", "SAYS", "WHY"]);
    all().for_each(|Listed { id, verdict, reason, .. }| {
        table.add_row([id, verdict.name(), &show::one_line(reason)]);
    });
    println!("{table}");
    eprintln!("{}", standing(here, tenant).dimmed());
    End::Finished
}

/// Where the policies come from that hold here.
pub(in crate::commands) fn origin(here: &Here, tenant: Option<&PolicySet>) -> String {
    let from = match &here.permits.policies.installation {
        Chosen::Template(name) => format!("the template `{name}`"),
        Chosen::File(file) => format!("`{}`", file.display()),
    };
    let narrowed = tenant.map(|set| format!(", narrowed by `{}`", set.name())).unwrap_or_default();
    format!("from {from}{narrowed}")
}

/// Where the policies come from, and who asks.
fn standing(here: &Here, tenant: Option<&PolicySet>) -> String {
    format!(
        "{}\nyou are {} of {}, role {}, in {}\n\
         `windlass policy explain` shows which of them decide a question",
        origin(here, tenant),
        show::one_line(&here.user),
        show::one_line(&here.tenant.0),
        here.scope.role,
        here.scope.environment
    )
}
