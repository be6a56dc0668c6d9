//! Logs that were once written must fold for ever, to the same end.
//!
//! `tests/logs/v1` holds whole sessions as the first version wrote them. A file there is
//! never written again once it was released: `WRITE_LOGS=1` only adds what is missing.

use std::fs;
use std::path::Path;

use kernel::agent::Frozen;
use kernel::event::Stored;
use kernel::run::{Ended, Phase, State, fold};
use kernel::units::{ContentHash, SessionId, UnixMs};
use serde::{Deserialize, Serialize};

use crate::transcripts::{files, folder, play};
use crate::world::{World, stored};

/// Sessions that are kept, by the transcript that they come from.
const KEPT: [&str; 16] = [
    "plain_answer",
    "end_task_runs_last",
    "turn_cap",
    "effect_lost_and_unknown",
    "idempotent_after_a_crash",
    "malformed_arguments",
    "model_lost",
    "patience_ends",
    "cost_cap_parks",
    "cancel_parked_between_tools",
    "fork_of_a_fork",
    "second_run",
    "tool_withdrawn",
    "long_talk_is_summarised",
    "summary_refused",
    "one_giant_result",
];

/// The first line of a file: what its rows are read with, and what they come to.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Head {
    session: SessionId,
    agent: String,
    head: ContentHash,
    ends: Ends,
}

/// What a session came to.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Ends {
    stands: String,
    turns: u32,
    settled_nano_usd: u64,
    history: ContentHash,
}

#[derive(Serialize, Deserialize)]
struct Row {
    seq: u64,
    at: UnixMs,
    format: u8,
    prev: ContentHash,
    body: String,
}

#[test]
fn old_logs_fold_to_the_same_end() {
    if std::env::var_os("WRITE_LOGS").is_some() {
        KEPT.iter().for_each(|name| keep(name));
    }
    let files = files(&folder("logs/v1"), "jsonl");
    assert!(files.len() >= KEPT.len(), "only {} old logs found", files.len());
    for file in files {
        let (head, rows) = read(&file);
        let agent = head.agent.clone().into_bytes();
        let hash = ContentHash::of(&agent);
        let frozen = Frozen::thaw(agent, hash).expect("old definitions read");
        let mut state = State::new(head.session, &frozen);
        fold(&mut state, rows).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        assert_eq!(state.head, head.head, "{}: the last hash", file.display());
        assert_eq!(ends(&state), head.ends, "{}: what it came to", file.display());
    }
}

fn keep(name: &str) {
    let file = folder("logs/v1").join(format!("{name}.jsonl"));
    if file.exists() {
        return;
    }
    let transcript = folder("transcripts").join(format!("{name}.txt"));
    let (_, world) = play(&fs::read_to_string(transcript).unwrap());
    fs::write(file, written(&world)).unwrap();
}

fn written(world: &World) -> String {
    let head = Head {
        session: world.state.session,
        agent: String::from_utf8(world.frozen.bytes.clone()).unwrap(),
        head: world.state.head,
        ends: ends(&world.state),
    };
    let mut text = serde_json::to_string(&head).unwrap() + "\n";
    for sealed in &world.log {
        let Stored { seq, at, format, prev, body } = stored(sealed);
        text += &serde_json::to_string(&Row { seq, at, format, prev, body }).unwrap();
        text.push('\n');
    }
    text
}

fn read(file: &Path) -> (Head, Vec<Stored>) {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let head = serde_json::from_str(lines.next().expect("a first line")).unwrap();
    let row = |line| {
        let Row { seq, at, format, prev, body } = serde_json::from_str(line).unwrap();
        Stored { seq, at, format, prev, body }
    };
    (head, lines.map(row).collect())
}

fn ends(state: &State) -> Ends {
    let run = state.run.as_ref().expect("every kept session has a run");
    let stands = match (&run.phase, &run.parked) {
        (_, Some((why, _))) => why.code(),
        (Phase::Ready, None) => "ready",
        (Phase::Calling(_), None) => "calling",
        (Phase::Tooling(_), None) => "tooling",
        (Phase::Closing(_), None) => "closing",
        (Phase::Over(Ended::Finished(_)), None) => "finished",
        (Phase::Over(Ended::Failed(..)), None) => "failed",
        (Phase::Over(Ended::Cancelled), None) => "cancelled",
    };
    Ends {
        stands: stands.to_owned(),
        turns: run.turns,
        settled_nano_usd: run.settled.0,
        history: ContentHash::of(&serde_json::to_vec(&state.history()).unwrap()),
    }
}
