//! Facts, what is owed, and balances, each on one short line.

use kernel::event::{Fact, ModelFault, Notice, Parked, Purpose, Ruling, Sealed};
use kernel::ledger::{Balance, CapReached, Measure};
use kernel::message::{Block, Message, Reply, Role};
use kernel::run::{Call, Owed};
use kernel::units::{Money, UnixMs};
use kernel::verdict::Judgement;

use crate::world::World;

/// Facts of one step that are shown; of more, the middle is left out.
const FACTS_SHOWN_MAX: usize = 12;

/// A step's facts, one line each.
pub(crate) fn facts(events: &[Sealed]) -> String {
    let lines: Vec<String> = events.iter().map(line).collect();
    if lines.is_empty() {
        return "  (no new fact)\n".to_owned();
    }
    if lines.len() <= FACTS_SHOWN_MAX {
        return lines.concat();
    }
    let (first, last) = (&lines[..4], &lines[lines.len() - 4..]);
    format!("{}      … {} more …\n{}", first.concat(), lines.len() - 8, last.concat())
}

fn ruling(ruling: &Ruling) -> String {
    let Judgement { verdict, reasons, .. } = &ruling.judgement;
    let until = ruling.ask.map_or(String::new(), |ask| format!(" until {}", ask.expires.0));
    format!(" {}:{}{}{until}", ruling.call, verdict.name(), quoted(&reasons.join("; ")))
}

fn quoted(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" {words:?}") }
}

fn line(sealed: &Sealed) -> String {
    let event = &sealed.event;
    let words = details(&event.fact);
    format!("{:>4} {}{words}\n", event.seq, event.fact.name())
}

fn details(fact: &Fact) -> String {
    match fact {
        Fact::SessionOpened(opening) => match &opening.forked_from {
            Some(point) => format!(" as a fork at {}", point.seq),
            None => String::new(),
        },
        Fact::RunStarted { run, input, done, cap, turns_max } => format!(
            " run={run} {} done={done:?} turns={turns_max}{}",
            blocks(input),
            optional(" cap=", *cap)
        ),
        Fact::Notified(notice) => format!(" {}", notice_name(notice)),
        Fact::Budgeted { to } => {
            let scopes: Vec<String> = to.iter().map(ToString::to_string).collect();
            format!(" to {}", if scopes.is_empty() { "none".to_owned() } else { scopes.join(" ") })
        }
        Fact::ModelBegun { epoch, turn, max_tokens, clamped, hold, tools_off, purpose, .. } => {
            format!(
                " turn={turn} epoch={} max_tokens={max_tokens}{} hold={hold}{}{}",
                epoch.0,
                flag(*clamped, " clamped"),
                flag(*tools_off, " tools_off"),
                flag(*purpose == Purpose::Summary, " for a summary"),
            )
        }
        Fact::ModelReplied { reply, cost, estimated } => {
            format!(" {} cost={cost}{}", reply_line(reply), flag(*estimated, " estimated"))
        }
        Fact::ModelFailed { fault, cost, estimated, .. } => {
            format!(" {} cost={cost}{}", fault_line(fault), flag(*estimated, " estimated"))
        }
        Fact::ModelLost { cost } => format!(" cost={cost}"),
        Fact::ResultsCleared(cleared) => format!(
            " of turns up to {}, longer than {} bytes, but for {} bytes",
            cleared.upto_turn, cleared.bytes_over, cleared.bytes_kept
        ),
        Fact::Summarised { turns_kept } | Fact::TurnsDropped { turns_kept } => {
            format!(" but for the last {turns_kept}")
        }
        Fact::ToolsJudged { rulings } => rulings.iter().map(ruling).collect(),
        Fact::ApprovalDecided { call, answer, by, words } => {
            format!(" {call} {} by {by}{}", answer.name(), quoted(words))
        }
        Fact::ToolBegun { epoch, call } => format!(" {call} epoch={}", epoch.0),
        Fact::ChildBegun { epoch, call, carve, .. } => format!(
            " {call} epoch={} turns={}{}{}{}{}",
            epoch.0,
            carve.turns,
            optional(" cap=", carve.cap),
            carve.trust.map_or(String::new(), |trust| format!(" trust={}", trust.name())),
            flag(carve.tainted, " tainted"),
            if carve.children > 0 {
                format!(" children={} at_once={}", carve.children, carve.at_once)
            } else {
                String::new()
            }
        ),
        Fact::ToolReturned(returned) => {
            let used = returned.child.map_or_else(String::new, |end| {
                let tainted = flag(end.tainted, " tainted");
                format!(
                    " spent={} turns={} children={}{tainted}",
                    end.spent, end.turns, end.children
                )
            });
            let said = short(&returned.content);
            format!(" {} {:?} \"{said}\"{used}", returned.call, returned.outcome)
        }
        Fact::CancelAsked { by } => format!(" by {by}"),
        Fact::RunParked { why, wake } => format!(" {}{}", parked(why), optional_time(*wake)),
        Fact::RunWoken { by, turns_more, cap } => format!(
            " by {by}{}{}",
            if *turns_more > 0 { format!(" turns+{turns_more}") } else { String::new() },
            optional(" cap=", *cap)
        ),
        Fact::RunFinished { result } => format!(" {}", short(result.text())),
        Fact::RunFailed { code, message } => format!(" {}: {message}", code.code()),
        Fact::RunCancelled {} => String::new(),
    }
}

fn flag(set: bool, word: &str) -> &str {
    if set { word } else { "" }
}

fn optional(name: &str, money: Option<Money>) -> String {
    money.map_or(String::new(), |money| format!("{name}{money}"))
}

fn optional_time(wake: Option<UnixMs>) -> String {
    wake.map_or(String::new(), |at| format!(" wakes at {}", at.0))
}

fn fault_line(fault: &ModelFault) -> String {
    let wait = fault.retry_after_ms.map_or(String::new(), |ms| format!(" retry_after={ms}ms"));
    format!("{}{wait}", fault.class.code())
}

pub(crate) fn parked(why: &Parked) -> String {
    match why {
        Parked::CostCapExceeded(reached) => format!("{} {}", why.code(), cap_reached(reached)),
        Parked::Outage(fault) | Parked::NeedsMending(fault) => {
            format!("{} ({})", why.code(), fault_line(fault))
        }
        Parked::CrashLoop { losses } => format!("{} losses={losses}", why.code()),
        Parked::LoopDetected { kind, reason } => {
            format!("{} {} ({reason})", why.code(), kind.code())
        }
        Parked::TurnCap { .. }
        | Parked::NoDoneSignal
        | Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::Faulted { .. }
        | Parked::WaitsForChild { .. }
        | Parked::AwaitsApproval { .. } => why.code().to_owned(),
    }
}

fn cap_reached(reached: &CapReached) -> String {
    let show = |count| reached.measure.show(count);
    let place = if reached.scope.is_shared() {
        let held =
            if reached.held == 0 { String::new() } else { format!(" held={}", show(reached.held)) };
        format!(" in {}{held}", reached.scope)
    } else {
        String::new()
    };
    let (cap, settled, needed) = (show(reached.cap), show(reached.settled), show(reached.needed));
    format!("cap={cap} settled={settled} needed={needed}{place}")
}

fn notice_name(notice: &Notice) -> String {
    format!("{notice:?}")
}

fn reply_line(reply: &Reply) -> String {
    format!("{} stop={:?}", blocks(&reply.content), reply.stop)
}

/// Blocks in the words of the transcripts' language.
fn blocks(content: &[Block]) -> String {
    let shown: Vec<String> = content.iter().take(6).map(block).collect();
    match content.len() {
        0 => "(nothing)".to_owned(),
        count if count > 6 => format!("{} and {} more", shown.join(" "), count - 6),
        _ => shown.join(" "),
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::Text { text, .. } => format!("\"{}\"", short(text)),
        Block::Thinking { .. } => "<thinking>".to_owned(),
        Block::Opaque { .. } => "<opaque>".to_owned(),
        Block::ToolUse(call) => format!("{}({})", call.name, call.id),
        Block::ToolResult(result) => {
            format!("{}:{}\"{}\"", result.id, flag(result.is_error, "!"), short(&result.content))
        }
    }
}

fn short(text: &str) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= 72 {
        return text;
    }
    format!("{}…", text.chars().take(71).collect::<String>())
}

/// What is owed and the balance.
pub(crate) fn standing(world: &World) -> String {
    format!("  owed: {}\n{}", owed_line(&world.owed()), balance_line(world))
}

fn owed_line(owed: &Owed) -> String {
    let names =
        |calls: &[Call]| calls.iter().map(|call| call.id.as_str()).collect::<Vec<_>>().join(", ");
    match owed {
        Owed::Nothing => "nothing".to_owned(),
        Owed::Wait(until) => format!("nothing before {}", until.0),
        Owed::Room(reached, None) => format!("nothing before room in {}", reached.scope),
        Owed::Room(reached, Some(turns)) => {
            format!("nothing before room in {} or {}", reached.scope, turns.0)
        }
        Owed::Decision => "a decision".to_owned(),
        Owed::Model(calling) => match calling.purpose {
            Purpose::Answer => format!("the model call of turn {}", calling.turn),
            Purpose::Summary => format!("a summary, before turn {}", calling.turn),
        },
        Owed::LostModel => "the end of a lost model call".to_owned(),
        Owed::Tools(calls) => format!("run {}", names(calls)),
        Owed::Children(calls) => format!("see to the children of {}", names(calls)),
        Owed::Reconcile(call) => format!("find out about {}", call.id),
    }
}

fn balance_line(world: &World) -> String {
    let own = world.balance().map(|balance| money_line("money", &balance)).unwrap_or_default();
    let shared = world.shares.iter().filter_map(|share| {
        let balance = world.balances.get(&share.scope)?;
        Some(money_line(&share.scope.to_string(), balance))
    });
    own + &shared.collect::<String>()
}

/// Money first; tokens and requests where they have a cap.
fn money_line(name: &str, balance: &Balance) -> String {
    let mut parts = Vec::new();
    for measure in Measure::ALL {
        let free = balance.free(measure);
        if measure != Measure::Money && free.is_none() {
            continue;
        }
        let show = |count| measure.show(count);
        let cap = balance.cap.get(measure).unwrap_or_default();
        let of_cap = free.map(|free| format!(", free {} of {}", show(free), show(cap)));
        let (settled, held) = (balance.settled.get(measure), balance.held.get(measure));
        parts.push(format!(
            "settled {}, held {}{}",
            show(settled),
            show(held),
            of_cap.unwrap_or_default()
        ));
    }
    format!("  {name}: {}\n", parts.join("; "))
}

/// The conversation, one message a line.
pub(crate) fn history(world: &World) -> String {
    let say = |message: &Message| {
        let who = match message.role {
            Role::User => "user",
            Role::Assistant => "model",
        };
        format!("  {who}: {}\n", blocks(&message.content))
    };
    world.state.history().iter().map(|message| say(message)).collect()
}
