//! Plays every file of `tests/transcripts` and compares what the kernel answers with
//! what the file says. `BLESS=1` rewrites the files instead.
//!
//! Lines with `#` are prose and lines with `>` are commands: those are kept. All other
//! lines are the kernel's answers: those are regenerated.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use kernel::agent::{Limits, Window};
use kernel::breaker::loops::Settings;
use kernel::event::Parked;
use kernel::run::{OutOfOrder, Owed};
use kernel::units::{Money, UnixMs};

use crate::render;
use crate::script::{self, Line};
use crate::world::{By, World, agent, delegate, quote};

/// Fewer files than this mean that the folder was lost.
const TRANSCRIPTS_MIN: usize = 80;

#[test]
fn transcripts_say_what_the_kernel_does() {
    let bless = std::env::var_os("BLESS").is_some();
    let files = files(&folder("transcripts"), "txt");
    assert!(files.len() >= TRANSCRIPTS_MIN, "only {} transcripts found", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let told = fs::read_to_string(&file).unwrap();
        let Ok((played, _)) = catch_unwind(|| play(&told)) else {
            wrong.push(format!("{}: breaks a law, see above", file.display()));
            continue;
        };
        if played != told && bless {
            fs::write(&file, &played).unwrap();
        } else if played != told {
            wrong.push(difference(&file, &told, &played));
        }
    }
    assert!(wrong.is_empty(), "{}\nif this is right: BLESS=1", wrong.join("\n"));
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    files.sort();
    files
}

fn difference(file: &Path, told: &str, played: &str) -> String {
    let first = told.lines().zip(played.lines()).position(|(one, other)| one != other);
    let place = first.unwrap_or(told.lines().count().min(played.lines().count()));
    format!(
        "{}:{}\n  the file says: {}\n  the kernel says: {}",
        file.display(),
        place + 1,
        told.lines().nth(place).unwrap_or("(nothing more)"),
        played.lines().nth(place).unwrap_or("(nothing more)"),
    )
}

/// Plays a transcript: the text as it should be, and the world at its end.
pub(crate) fn play(text: &str) -> (String, World) {
    let mut out = String::new();
    let mut world: Option<World> = None;
    for line in text.lines() {
        if line.starts_with('#') {
            out.push_str(&format!("{line}\n"));
        } else if let Some(asked) = line.strip_prefix("> ") {
            out.push_str(&format!("\n{line}\n"));
            let line = Line::new(asked);
            if line.verb() == "agent" {
                world = Some(opened(&line));
                continue;
            }
            let world = world.get_or_insert_with(|| opened(&Line::new("agent")));
            out.push_str(&answer(world, &line));
            world.check_log();
        }
    }
    (out, world.expect("a transcript has commands"))
}

/// The agent that a transcript wants; the usual one where it says nothing.
fn opened(line: &Line) -> World {
    let usual = Limits::default();
    let limits = Limits {
        turns_max: line.number("turns").map_or(usual.turns_max, |n| n as u32),
        calls_per_turn_max: line.number("calls").map_or(usual.calls_per_turn_max, |n| n as u32),
        outage_parks_max: line.number("patience").map_or(usual.outage_parks_max, |n| n as u32),
        window: window(line),
        loops: Settings { enabled: line.option("loops") != Some("off"), ..usual.loops },
        children_max: line.number("children").map_or(usual.children_max, |n| n as u32),
        children_at_once_max: line
            .number("at_once")
            .map_or(usual.children_at_once_max, |n| n as u32),
        child_depth_max: line.number("depth").map_or(usual.child_depth_max, |n| n as u32),
        ..usual
    };
    let mut agent = agent(limits);
    if line.number("children").is_some() {
        agent.tools.push(delegate());
    }
    for tool in &mut agent.tools {
        tool.untrusted = line.option("untrusted") == Some(&tool.name);
    }
    agent.limits.approval_ms = line.number("approval_ms").unwrap_or(usual.approval_ms);
    let mut world = World::new(agent, Some(quote(0, 10_000)));
    world.open();
    world
}

fn window(line: &Line) -> Window {
    let usual = Window::default();
    let number = |key: &str, usual: u32| line.number(key).map_or(usual, |n| n as u32);
    Window {
        tokens_max: line.number("window"),
        compact: line.option("compact") != Some("off"),
        trigger_percent: number("trigger", usual.trigger_percent),
        keep_turns: number("keep", usual.keep_turns),
        clear_percent_min: number("worth", usual.clear_percent_min),
        summary_tokens_max: number("summary", usual.summary_tokens_max),
    }
}

fn answer(world: &mut World, line: &Line) -> String {
    let child = || script::child_command(line, &world.state);
    if let Some(command) = script::command(line, &world.state).or_else(child) {
        let by = if line.has("aside") { By::Aside } else { By::Owner };
        return match world.step(command, by) {
            Err(no) => format!("  refused: {} ({})\n", no.code(), first_line(&no.to_string())),
            Ok(stepped) => {
                format!("{}{}", render::facts(&stepped.events), render::standing(world))
            }
        };
    }
    match line.verb() {
        "crash" => world.epoch += 1,
        "former" => world.epoch -= 1,
        "clock" => world.now = UnixMs(world.now.0 + script::number(line.word(1))),
        "chance" => world.chance = script::number(line.word(1)),
        "barrier" => world.barrier = barrier(line),
        "share" if line.has("none") => world.shares.clear(),
        "share" => world.share(script::share(line)),
        "others" => script::others(line, world),
        "judge" => world.rule(line.word(1), script::judgement(line)),
        "broken" => world.out = broken(line.word(1)),
        "price" => world.quote = price(line),
        "fork" => return fork(world, line),
        "history" => return render::history(world),
        "told" => return told(world),
        other => panic!("`{other}` is no command of a transcript"),
    }
    render::standing(world)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn broken(tool: &str) -> Vec<OutOfOrder> {
    let out = OutOfOrder { tool: tool.to_owned(), why: "it crashed".to_owned() };
    if tool == "none" { Vec::new() } else { vec![out] }
}

fn barrier(line: &Line) -> Option<Parked> {
    match line.word(1) {
        "none" => None,
        "interrupted" => Some(Parked::Interrupted),
        "handed_over" => Some(Parked::HandedOver),
        other => panic!("`{other}` is no barrier"),
    }
}

fn price(line: &Line) -> Option<kernel::price::Quote> {
    (!line.has("none")).then(|| {
        quote(line.number("input").unwrap_or_default(), line.number("output").unwrap_or_default())
    })
}

/// What the model was last told, in full.
fn told(world: &World) -> String {
    let messages = match world.owed() {
        Owed::Model(calling) => world.state.request(&calling).messages,
        Owed::Nothing
        | Owed::Wait(_)
        | Owed::Room(..)
        | Owed::Decision
        | Owed::LostModel
        | Owed::Tools(_)
        | Owed::Children(_)
        | Owed::Reconcile(_) => world.state.history(),
    };
    let last = messages.last().map(|message| message.text()).unwrap_or_default();
    last.lines().map(|line| format!("  | {line}\n")).collect()
}

/// `fork at N` goes on in the fork; `fork everywhere` tries each event.
fn fork(world: &mut World, line: &Line) -> String {
    if line.has("everywhere") {
        return (1..=world.log.len()).map(|seq| fork_line(world, seq)).collect();
    }
    let seq = script::number(line.word(2)) as usize;
    *world = world.fork_at(seq);
    format!("{}{}", render::facts(&world.log), render::standing(world))
}

fn fork_line(world: &World, seq: usize) -> String {
    let forked = world.fork_at(seq);
    let run = forked.state.run.as_ref();
    let stands = run.and_then(|run| run.parked.as_ref()).map_or_else(
        || "nothing waits".to_owned(),
        |(why, wake)| format!("{}{}", why.code(), if wake.is_some() { ", wakes" } else { "" }),
    );
    let settled = run.map_or(Money::ZERO, |run| run.settled);
    let shared = forked.state.opening.as_ref().and_then(|opening| opening.forked_from.as_ref());
    format!(
        "  at {seq} ({}): shares {}, adds {}; {stands}; inherits {settled}, charges {}\n",
        world.log[seq - 1].event.fact.name(),
        shared.map_or(0, |point| point.seq),
        forked.state.seq - shared.map_or(0, |point| point.seq),
        forked.state.spent,
    )
}
