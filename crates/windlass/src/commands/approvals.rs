//! `windlass approvals …`: what is asked about calls, and answering it.

use anstream::{eprintln, println};
use engine::Engine;
use engine::door::Asked;
use kernel::run::Given;
use kernel::units::UnixMs;
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::session;
use crate::assemble;
use crate::cli::{AnswerArgs, ApprovalsCommand};
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::show;

pub(crate) async fn approvals(here: &Here, command: ApprovalsCommand) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    match command {
        ApprovalsCommand::List { json } => list(here, &engine, json).await,
        ApprovalsCommand::Approve(args) => answer(here, &engine, &args, true).await,
        ApprovalsCommand::Deny(args) => answer(here, &engine, &args, false).await,
    }
}

async fn list(here: &Here, engine: &Engine, json: bool) -> anyhow::Result<End> {
    let asked = engine.approvals(&here.tenant).await?;
    if json {
        asked.iter().for_each(|one| println!("{}", show::object(&object(one))));
    } else if asked.is_empty() {
        eprintln!("nothing is asked");
    } else {
        let now = engine.world.now();
        asked.iter().for_each(|one| println!("{}\n", words(here, one, now)));
    }
    Ok(End::Finished)
}

/// What is asked, whole: who answers must see what the call would do.
fn words(here: &Here, one: &Asked, now: UnixMs) -> String {
    let left_s = one.ask.expires.0.saturating_sub(now.0) / 1_000;
    let left = match left_s {
        0 => "its time is over".to_owned(),
        1..3_600 => format!("{} min left", left_s.div_ceil(60)),
        3_600.. => format!("{} h left", left_s / 3_600),
    };
    let program = here.program_words();
    format!(
        "{} asks for {}, {left}\n  why:       {}\n  arguments: {}\n  answer:    {program} approvals approve {} {}",
        format!("{} for {}", one.agent_id, show::one_line(&one.user)).bold(),
        one.tool.bold(),
        show::one_line(&one.judgement.reasons.join("; ")),
        show::harmless(&one.arguments),
        one.session,
        one.call,
    )
}

fn object(one: &Asked) -> Value {
    json!({
        "session": one.session,
        "call": one.call,
        "tool": one.tool,
        "arguments": one.arguments,
        "arguments_hash": one.ask.arguments,
        "why": one.judgement.reasons,
        "by": one.judgement.by,
        "user": one.user,
        "agent_id": one.agent_id,
        "expires": show::instant(one.ask.expires),
    })
}

async fn answer(
    here: &Here,
    engine: &Engine,
    args: &AnswerArgs,
    approve: bool,
) -> anyhow::Result<End> {
    let session = session(here, engine, &args.session).await?;
    let asked = engine.approvals_of(&here.tenant, session).await?;
    let one = chosen(&asked, args)?;
    let given = Given {
        call: one.call.clone(),
        arguments: one.ask.arguments,
        approve,
        by: here.user.clone(),
        words: args.say.clone(),
    };
    engine.answer(&here.principal(), session, given).await?;
    let word = if approve { "approved" } else { "denied" };
    println!("{word}: {} {}", one.tool, show::one_line(&one.arguments));
    match asked.len() - 1 {
        0 => eprintln!("the run goes on with: {}", here.resume_words(session)),
        1 => eprintln!("one more call of this session waits for an answer"),
        more => eprintln!("{more} more calls of this session wait for an answer"),
    }
    Ok(End::Finished)
}

/// The call that is meant: the one that is named, or the only one.
fn chosen<'a>(asked: &'a [Asked], args: &AnswerArgs) -> anyhow::Result<&'a Asked> {
    let calls = || asked.iter().map(|one| one.call.as_str()).collect::<Vec<_>>().join(", ");
    let words = match (&args.call, asked) {
        (_, []) => {
            "nothing is asked in this session\n`windlass approvals list` shows what is".to_owned()
        }
        (None, [only]) => return Ok(only),
        (None, _) => format!("{} calls wait for an answer\nname one: {}", asked.len(), calls()),
        (Some(call), _) => match asked.iter().find(|one| one.call == *call) {
            Some(one) => return Ok(one),
            None => format!("nothing is asked about a call `{call}`\nthere are: {}", calls()),
        },
    };
    Err(BadUsage(words).into())
}
