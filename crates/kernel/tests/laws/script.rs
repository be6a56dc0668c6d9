//! The tiny language of the transcripts: what a line asks for.
//!
//! A line is words; `"…"` is a text, `name(id)` or `name(id, {json})` a call (`9*name(id)`
//! nine of them), `key=value` an option. What is not understood fails the test.
//!
//! To the kernel: `start "…" done= cap= turns=`, `advance`, `replied … stop= usage=in/out`,
//! `failed CLASS retry_after= spent=`, `lost`, `returned ID ok|error|unknown "…" long= signs=`,
//! `approve|deny ID "…" by= other` (somebody answers what was asked about a call),
//! `not_done ID`, `park`, `wake [due] turns= cap=`, `cancel`, and about children `child ID
//! ok|error "…" spent= turns= children=` (it is over), `await ID until=` (it sleeps), `over
//! ID` (it ended while its parent slept); with `aside`, by somebody who holds no lease. To
//! the world: `agent turns= calls= patience= children= at_once= depth= window= keep=
//! trigger= worth= summary= compact=off loops=off untrusted=TOOL approval_ms=`, `crash` (the next
//! owner comes), `former` (the one before), `clock MS`, `chance N`, `price input= output=`
//! or `price none`, `barrier interrupted|handed_over|none`, `broken TOOL|none`,
//! `judge TOOL allow|ask|deny "…"` (from now on),
//! `share KEY usd= tokens= requests= turns=` or `share none` (the shared budgets that the session draws on),
//! `others KEY usd= held= tokens= requests=` (what others used and hold there), `fork at N`,
//! `fork everywhere`. To be shown something: `history`, `told`.

use kernel::event::{ChildEnd, Done, FaultClass, ModelFault, Outcome, Returned, Signs};
use kernel::json::RawJson;
use kernel::ledger::{Allowance, Amount, Share};
use kernel::message::{Arguments, Block, Reply, Stop, ToolUse, Usage};
use kernel::price::Spent;
use kernel::run::{Command, Given, Phase, Run, State, Wake, arguments_hash};
use kernel::units::{ContentHash, Money, UnixMs};
use kernel::verdict::{Judgement, Verdict};

use crate::world::{World, dollars};

/// One line, cut into words.
pub(crate) struct Line {
    words: Vec<String>,
}

impl Line {
    pub(crate) fn new(text: &str) -> Self {
        Line { words: cut(text) }
    }

    pub(crate) fn verb(&self) -> &str {
        &self.words[0]
    }

    pub(crate) fn word(&self, place: usize) -> &str {
        self.words.get(place).unwrap_or_else(|| panic!("`{}` needs more words", self.verb()))
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|one| one == word)
    }

    /// The value of `key=…`.
    pub(crate) fn option(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.option(key).map(number)
    }

    fn text(&self) -> String {
        self.words.iter().find_map(|word| quoted(word)).unwrap_or_default()
    }
}

pub(crate) fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a whole number"))
}

/// A shared budget, with its cap by configuration.
pub(crate) fn share(line: &Line) -> Share {
    let scope = line.word(1).parse().unwrap_or_else(|why| panic!("{why}"));
    let allowance = Allowance {
        money: line.option("usd").map(dollars),
        tokens: line.number("tokens"),
        requests: line.number("requests"),
    };
    Share { scope, allowance, turns: line.number("turns").map(UnixMs) }
}

/// What others used and hold in a scope.
pub(crate) fn others(line: &Line, world: &mut World) {
    let scope = line.word(1).parse().unwrap_or_else(|why| panic!("{why}"));
    let balance = world.balances.entry(scope).or_default();
    let money = |key| line.option(key).map(dollars).unwrap_or_default();
    let (tokens, requests) =
        (line.number("tokens").unwrap_or(0), line.number("requests").unwrap_or(0));
    balance.settled = Amount { money: money("usd"), tokens, requests };
    balance.held = Amount::of(money("held"));
}

/// Words are parted by spaces outside of quotes and brackets.
fn cut(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut depth, mut inside) = (0_u32, false);
    for letter in text.chars() {
        match letter {
            '"' => inside = !inside,
            '(' if !inside => depth += 1,
            ')' if !inside => depth -= 1,
            _ => {}
        }
        if letter == ' ' && !inside && depth == 0 {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(letter);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn quoted(word: &str) -> Option<String> {
    Some(word.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// The command of a line, if its verb names one.
pub(crate) fn command(line: &Line, state: &State) -> Option<Command> {
    Some(match line.verb() {
        "start" => Command::Start {
            input: vec![Block::text(line.text())],
            done: done(line.option("done").unwrap_or("answer")),
            cap: line.option("cap").map(dollars),
            turns_max: line.number("turns").map(|turns| turns as u32),
        },
        "advance" => Command::Advance,
        "replied" => Command::Replied(reply(line)),
        "failed" => failed(line),
        "lost" => Command::Lost,
        "returned" => {
            let long = "x".repeat(line.number("long").unwrap_or(0) as usize);
            let content = format!("{}{long}", line.text());
            let plain = Returned::plain(line.word(1), outcome(line.word(2)), content);
            let sign = |permille| Signs { score_permille: permille as u16, spans: Vec::new() };
            Command::Returned(Returned { signs: line.number("signs").map(sign), ..plain })
        }
        "approve" | "deny" => Command::Answer(Given {
            call: line.word(1).to_owned(),
            arguments: asked_hash(line, state),
            approve: line.verb() == "approve",
            by: line.option("by").unwrap_or("ben").to_owned(),
            words: line.text(),
        }),
        "not_done" => Command::NotDone { call: line.word(1).to_owned() },
        "park" => Command::Park,
        "wake" if line.has("due") => Command::Wake(Wake::Due),
        "wake" if line.has("room") => Command::Wake(Wake::Room),
        "wake" => Command::Wake(Wake::Person {
            by: "ann".to_owned(),
            turns_more: line.number("turns").map(|turns| turns as u32),
            cap: line.option("cap").map(dollars),
        }),
        "cancel" => Command::Cancel { by: "ann".to_owned() },
        _ => return None,
    })
}

/// The hash of the arguments that a person answers about: those of the call, or with
/// `other` those of another one.
fn asked_hash(line: &Line, state: &State) -> ContentHash {
    let calls = state.run.as_ref().map_or(&[][..], Run::calls);
    let call = calls.iter().find(|call| call.id == line.word(1) && !line.has("other"));
    call.map_or(ContentHash::of(b"other"), |call| arguments_hash(&call.arguments))
}

/// The command of a line about a child that lives: `child ID ok|error "…" spent= turns=
/// children=`, `await ID until=`, `over ID`.
pub(crate) fn child_command(line: &Line, state: &State) -> Option<Command> {
    let session = || {
        let calls = match state.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Tooling(calls)) => calls.as_slice(),
            Some(Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_)) | None => {
                &[]
            }
        };
        let call = calls.iter().find(|call| call.id == line.word(1));
        call.and_then(|call| call.child()).map_or(state.session, |child| child.session)
    };
    let count = |key| line.number(key).map_or(0, |number| number as u32);
    Some(match line.verb() {
        "child" => Command::Returned(Returned {
            child: Some(ChildEnd {
                session: session(),
                spent: line.option("spent").map_or(Money::ZERO, dollars),
                turns: count("turns"),
                children: count("children"),
                tainted: line.has("tainted"),
            }),
            ..Returned::plain(line.word(1), outcome(line.word(2)), line.text())
        }),
        "await" => Command::AwaitChild {
            child: session(),
            until: UnixMs(line.number("until").expect("a time")),
        },
        "over" => Command::Wake(Wake::Child(session())),
        _ => return None,
    })
}

/// The verdict that a line gives, by a policy named `house`.
pub(crate) fn judgement(line: &Line) -> Judgement {
    let verdict = match line.word(2) {
        "allow" => Verdict::Allow,
        "ask" => Verdict::Ask,
        "deny" => Verdict::Deny,
        other => panic!("`{other}` is no verdict"),
    };
    Judgement::new(verdict, "house", line.text())
}

fn done(word: &str) -> Done {
    match word {
        "answer" => Done::Answer,
        "end_task" => Done::EndTask,
        other => panic!("`{other}` does not end a run"),
    }
}

fn outcome(word: &str) -> Outcome {
    match word {
        "ok" => Outcome::Ok,
        "error" => Outcome::Error,
        "unknown" => Outcome::OutcomeUnknown,
        other => panic!("`{other}` is no outcome"),
    }
}

fn reply(line: &Line) -> Reply {
    let content: Vec<Block> = line.words[1..].iter().flat_map(|word| said(word)).collect();
    let calls = content.iter().any(|block| matches!(block, Block::ToolUse(_)));
    let usual = if calls { Stop::ToolUse } else { Stop::EndTurn };
    Reply {
        content,
        stop: line.option("stop").map_or(usual, stop),
        usage: match line.option("usage") {
            Some("none") => None,
            told => Some(usage(told.unwrap_or("100/20"))),
        },
        model: None,
        fallback: None,
        id: None,
        extra: Default::default(),
    }
}

/// The blocks that a word stands for.
fn said(word: &str) -> Vec<Block> {
    if let Some(text) = quoted(word) {
        return vec![Block::text(text)];
    }
    if word == "thinking" {
        let raw = RawJson::of(&serde_json::json!({"type": "thinking", "signature": "c2ln"}));
        return vec![Block::Thinking { raw }];
    }
    let Some((name, rest)) = word.split_once('(') else {
        return Vec::new();
    };
    let rest = rest.strip_suffix(')').expect("a call ends with a bracket");
    let (id, arguments) = rest.split_once(", ").unwrap_or((rest, "{}"));
    match name.split_once('*') {
        None => vec![call(name, id.to_owned(), arguments)],
        Some((times, name)) => {
            (0..number(times)).map(|place| call(name, format!("{id}{place}"), arguments)).collect()
        }
    }
}

fn call(name: &str, id: String, arguments: &str) -> Block {
    Block::ToolUse(ToolUse {
        id,
        name: name.to_owned(),
        arguments: Arguments::from_text(arguments),
        extra: Default::default(),
    })
}

fn stop(word: &str) -> Stop {
    match word {
        "end_turn" => Stop::EndTurn,
        "max_tokens" => Stop::MaxTokens,
        "tool_use" => Stop::ToolUse,
        "pause_turn" => Stop::PauseTurn,
        "refusal" => Stop::Refusal,
        "context_window" => Stop::ContextWindow,
        other => Stop::Other(other.to_owned()),
    }
}

/// `input/output` tokens.
fn usage(text: &str) -> Usage {
    let (input, output) = text.split_once('/').expect("usage is input/output");
    Usage { input: number(input), output: number(output), ..Usage::default() }
}

fn failed(line: &Line) -> Command {
    let fault = ModelFault {
        class: class(line.word(1)),
        message: "the provider said no".to_owned(),
        retry_after_ms: line.number("retry_after"),
        request_id: None,
    };
    let spent = match line.option("spent") {
        None | Some("nothing") => Spent::Nothing,
        Some("unknown") => Spent::Unknown,
        Some(told) => match told.strip_prefix('~') {
            Some(guess) => Spent::Estimated(usage(guess)),
            None => Spent::Told(usage(told)),
        },
    };
    Command::Failed { fault, spent, fallback: None }
}

/// Every class of failure.
pub(crate) const CLASSES: [FaultClass; 13] = [
    FaultClass::RateLimited,
    FaultClass::Overloaded,
    FaultClass::Server,
    FaultClass::Network,
    FaultClass::Timeout,
    FaultClass::Cut,
    FaultClass::Malformed,
    FaultClass::Auth,
    FaultClass::Billing,
    FaultClass::UnknownModel,
    FaultClass::InvalidRequest,
    FaultClass::TooLarge,
    FaultClass::Interrupted,
];

fn class(word: &str) -> FaultClass {
    let found = CLASSES.into_iter().find(|class| class.code() == word);
    found.unwrap_or_else(|| panic!("`{word}` is no class of failure"))
}
