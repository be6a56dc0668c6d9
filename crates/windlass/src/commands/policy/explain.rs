//! `windlass policy explain`: a question, its verdict, and every policy that was near.

use std::io::Read;

use anstream::println;
use anyhow::Context as _;
use policy::Asked;
use serde_json::json;

use crate::cli::{ExplainArgs, QuestionArgs};
use crate::config::question;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::show;

/// The longest question, in bytes.
const QUESTION_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn explain(here: &Here, args: ExplainArgs) -> anyhow::Result<End> {
    let asked = match &args.file {
        Some(file) => read(file)?,
        None => asked(here, args.question),
    };
    let posed = asked.pose().map_err(|no| {
        let hint = no.hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
        BadUsage(format!("{}{hint}", no.words))
    })?;
    let explanation = here.policies.explain(&posed.question());
    if args.json {
        println!("{}", show::object(&json!(explanation)));
    } else {
        print!("{explanation}");
    }
    Ok(End::Finished)
}

fn read(file: &str) -> anyhow::Result<Asked> {
    if file != "-" {
        return Ok(question(file.as_ref())?);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(QUESTION_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the question from standard input")?;
    Ok(crate::config::question_in("standard input", &text)?)
}

/// The question of the flags. Who asks, and where, is as it is here.
fn asked(here: &Here, args: QuestionArgs) -> Asked {
    let usual = Asked::default();
    let set = |words: Vec<String>| words.into_iter().collect();
    Asked {
        action: args.action.unwrap_or(usual.action),
        tenant: here.tenant.0.clone(),
        user: here.user.clone(),
        role: args.as_role.unwrap_or_else(|| here.scope.role.clone()),
        team: args.team,
        key: None,
        labels: usual.labels,
        agent: args.agent,
        tool: args.tool,
        model: args.model,
        scope: args.scope,
        resource: args.resource,
        task_type: args.task_type,
        asked_by: args.asked_by,
        effect: args.effect,
        sensitive: args.sensitive,
        paths: set(args.paths),
        hosts: set(args.hosts),
        commands: set(args.commands),
        statement: args.statement,
        guard: args.guard.unwrap_or(usual.guard),
        environment: args.environment.unwrap_or_else(|| here.scope.environment.clone()),
        trust: args.trust.unwrap_or(usual.trust),
        tainted: args.tainted,
    }
}
