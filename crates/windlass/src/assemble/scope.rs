//! What a new session gets, and whether an old one may still work where it works.
//!
//! Composed once, before the first call, and then frozen in the session's log. Whatever
//! is asked for here can only take away.

use std::path::{Path, PathBuf};

use kernel::agent::Agent;
use kernel::event::{Dropped, SessionScope};
use kernel::verdict::Trust;
use owo_colors::OwoColorize;
use policy::roots;
use policy::scope::{Composed, Wanted, compose};

use crate::cli::ScopeArgs;
use crate::config::Config;
use crate::exit::{BadUsage, NotNow};
use crate::here::Here;
use crate::show;

/// The scope of a session with an agent, which loses the tools that the session does not
/// get; and what a person should know about it, a line each.
pub(super) fn narrow(
    here: &Here,
    config: &Config,
    agent: Agent,
    asked: &ScopeArgs,
) -> anyhow::Result<(Agent, SessionScope, Vec<String>)> {
    let trust = trust(config.trust, asked.trust)?;
    let task_type = task_type(config.task_type.as_deref(), asked.task_type.as_deref())?;
    let who = here.principal();
    let marked = agent.tools.iter().filter(|tool| tool.sensitive).map(|tool| tool.name.clone());
    let wanted = Wanted {
        who: &who,
        environment: &here.scope.environment,
        tools: &agent.tools,
        sensitive: &marked.collect(),
        trust,
        task_type,
    };
    let composed = compose(&wanted, &here.permits.scopes, &here.policies).map_err(|unknown| {
        let words = format!("no kind of task is named `{}`", unknown.name);
        let hint = unknown.hint.unwrap_or_else(|| {
            "`task_types` in the installation's file says which there are".to_owned()
        });
        BadUsage(format!("{words}\n{hint}"))
    })?;
    let lines = words(&composed, trust);
    let dropped = composed.dropped.into_iter();
    let dropped = dropped.map(|one| Dropped { tool: one.tool, why: why(&one.by, &one.reason) });
    let scope = SessionScope {
        trust: composed.trust,
        task_type: task_type.map(str::to_owned),
        dropped: dropped.collect(),
        ..here.scope.clone()
    };
    Ok((Agent { tools: composed.tools, ..agent }, scope, lines))
}

/// The agent's trust, or less where that is asked for.
fn trust(own: Trust, asked: Option<Trust>) -> Result<Trust, BadUsage> {
    match asked {
        Some(asked) if asked > own => Err(BadUsage(format!(
            "the agent has the trust `{}`, and `--trust` only lowers it\n\
             more is said in the agent's file: `trust: {}`",
            show::trust(own),
            show::trust(asked)
        ))),
        Some(asked) => Ok(asked),
        None => Ok(own),
    }
}

/// The agent's kind of task, or one where it has none.
fn task_type<'a>(
    own: Option<&'a str>,
    asked: Option<&'a str>,
) -> Result<Option<&'a str>, BadUsage> {
    match (own, asked) {
        (Some(own), Some(asked)) if own != asked => Err(BadUsage(format!(
            "the agent is for tasks of the kind `{own}`\nleave out `--task-type`"
        ))),
        (own, asked) => Ok(own.or(asked)),
    }
}

/// Why a tool is missing, and who says so.
fn why(by: &[String], reason: &str) -> String {
    format!("{reason} ({})", by.join(", "))
}

/// What a person should know of the scope.
fn words(composed: &Composed, wanted: Trust) -> Vec<String> {
    let mut lines = Vec::new();
    if composed.trust < wanted {
        let (is, was) = (show::trust(composed.trust), show::trust(wanted));
        lines.push(format!("trust {is} instead of {was}: the task, role or tenant has no more"));
    }
    if !composed.dropped.is_empty() {
        let dropped = composed.dropped.iter();
        let dropped: Vec<String> =
            dropped.map(|one| format!("{}: {}", one.tool, why(&one.by, &one.reason))).collect();
        lines.push(format!("without {}", dropped.join(" · ")));
    }
    let mut lines: Vec<String> = lines.iter().map(|line| line.dimmed().to_string()).collect();
    if composed.trust == Trust::Elevated {
        let words = "elevated: tools reach as far as policies allow; the audit keeps a note";
        lines.push(words.yellow().to_string());
    }
    lines
}

/// Whether a session may work in a folder, as far as roots are configured.
pub(crate) fn admit(here: &Here, workdir: &str) -> anyhow::Result<()> {
    let roots = &here.permits.scopes.roots;
    if roots.is_empty() {
        return Ok(());
    }
    let refused = |words: String| {
        let hint =
            "`--workdir` names another folder; `roots` in the installation's file allows more";
        NotNow(format!("{words}\n{hint}"))
    };
    // It may have become a link since the session was opened.
    let folder = Path::new(workdir).canonicalize();
    let folder = folder.map_err(|why| refused(format!("cannot work in `{workdir}`: {why}")))?;
    // A root that is not there admits nothing, and keeps its name for the message.
    let there = |root: &PathBuf| root.canonicalize().or_else(|_| std::path::absolute(root));
    let roots = roots.iter().map(there).collect::<Result<Vec<_>, _>>()?;
    roots::admits(&folder, &roots).map_err(|words| refused(words).into())
}
