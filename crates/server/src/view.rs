//! How things look to programs: money as exact dollars in a string, instants as RFC 3339 in
//! UTC, names of the log.

use engine::door::Asked;
use engine::ports::{Key, Listed, Member, SpendRow, Status};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::event::{Parked, Stored};
use kernel::ledger::{Allowance, Balance, CapReached, Measure, Scope};
use kernel::run::{Ended, Phase, Run, State};
use kernel::units::{Money, UnixMs};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub(crate) data: Vec<T>,
    /// What to ask with for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// A page of rows of which one more was asked for than is shown, so that it is known
    /// whether there is a next page.
    pub(crate) fn of<R>(
        mut rows: Vec<R>,
        rows_max: usize,
        cursor: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> Self {
        let more = rows.len() > rows_max;
        rows.truncate(rows_max);
        let next = if more { rows.last().map(cursor) } else { None };
        Page { data: rows.into_iter().map(view).collect(), next }
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// Its id.
    id: String,
    /// `idle`, `running`, `parked`, `finished`, `failed` or `cancelled`.
    status: &'static str,
    /// The agent's name.
    agent: String,
    /// Whose it is.
    user: String,
    /// The last task's first words.
    title: String,
    /// Model responses in the whole session.
    turns: u32,
    /// Spent in the whole session, in dollars.
    spent_usd: String,
    /// The number of its last event.
    events: u64,
    /// When its last event was committed.
    updated: String,
    /// Its present or last run; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunView>,
}

/// A run.
#[derive(Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunView {
    /// Its number in the session.
    number: u32,
    /// `running`, `parked`, `finished`, `failed` or `cancelled`.
    status: &'static str,
    /// Model responses that it took.
    turns: u32,
    /// Model responses that it may take.
    turns_max: u32,
    /// What it cost, in dollars.
    spent_usd: String,
    /// The most that it may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    cap_usd: Option<String>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Why it waits or could not go on: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The same for people, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When a parked run wakes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    wakes: Option<String>,
    /// The cap that it waits at.
    #[serde(skip_serializing_if = "Option::is_none")]
    cap: Option<Cap>,
}

/// A cap that was reached. Amounts are dollars in a string, or whole numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cap {
    /// The scope, as in `/v1/caps`.
    scope: String,
    /// `money`, `tokens` or `requests`.
    measure: &'static str,
    /// The cap.
    #[schema(value_type = Object)]
    cap: Value,
    /// Used.
    #[schema(value_type = Object)]
    settled: Value,
    /// Held by calls under way.
    #[schema(value_type = Object)]
    held: Value,
    /// What was asked for.
    #[schema(value_type = Object)]
    needed: Value,
    /// When the window turns and counting begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    turns: Option<String>,
}

impl Session {
    /// As lists show it.
    pub(crate) fn row(listed: &Listed) -> Self {
        let brief = &listed.brief;
        Session {
            id: listed.session.to_string(),
            status: word(brief.status),
            agent: brief.agent_id.clone(),
            user: brief.user.clone(),
            title: brief.title.clone(),
            turns: brief.turns,
            spent_usd: usd(brief.spent),
            events: listed.head.seq,
            updated: instant(listed.updated),
            run: None,
        }
    }

    /// With its run.
    pub(crate) fn whole(listed: &Listed, state: &State) -> Self {
        let run = state.run.as_ref().map(run);
        Session { run, ..Session::row(listed) }
    }
}

fn run(run: &Run) -> RunView {
    let (status, code, reason) = standing(run);
    let result = match &run.phase {
        Phase::Over(Ended::Finished(result)) => Some(result.value()),
        Phase::Over(Ended::Failed(..) | Ended::Cancelled)
        | Phase::Ready
        | Phase::Calling(_)
        | Phase::Tooling(_)
        | Phase::Closing(_) => None,
    };
    let parked = run.parked.as_ref();
    let cap = match parked {
        Some((Parked::CostCapExceeded(reached), _)) => Some(Cap::of(reached)),
        Some(_) | None => None,
    };
    RunView {
        number: run.number,
        status,
        turns: run.turns,
        turns_max: run.turns_max,
        spent_usd: usd(run.settled),
        cap_usd: run.cap.map(usd),
        result,
        code,
        reason,
        wakes: parked.and_then(|(_, wakes)| *wakes).map(instant),
        cap,
    }
}

fn standing(run: &Run) -> (&'static str, Option<&'static str>, Option<String>) {
    if let Some((why, _)) = &run.parked {
        return ("parked", Some(why.code()), None);
    }
    match &run.phase {
        Phase::Over(Ended::Finished(_)) => ("finished", None, None),
        Phase::Over(Ended::Failed(code, words)) => {
            ("failed", Some(code.code()), Some(words.clone()))
        }
        Phase::Over(Ended::Cancelled) => ("cancelled", None, None),
        Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_) => {
            ("running", None, None)
        }
    }
}

impl Cap {
    pub(crate) fn of(reached: &CapReached) -> Self {
        let count = |count| quantity(reached.measure, count);
        Cap {
            scope: reached.scope.to_string(),
            measure: reached.measure.code(),
            cap: count(reached.cap),
            settled: count(reached.settled),
            held: count(reached.held),
            needed: count(reached.needed),
            turns: reached.turns.map(instant),
        }
    }
}

/// A shared scope with its balance.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
pub(crate) struct ScopeView {
    /// The scope.
    scope: String,
    /// Its cap; what is not limited is left out.
    cap: Limits,
    /// Used.
    settled: Limits,
    /// Held by calls under way.
    held: Limits,
    /// Whether somebody set the cap, so that configuration does not change it.
    set_by_hand: bool,
}

/// Amounts in what scopes count.
#[derive(Serialize, ToSchema)]
pub(crate) struct Limits {
    /// Dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    usd: Option<String>,
    /// Tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
    /// Model calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u64>,
}

impl Limits {
    pub(crate) fn of(allowance: Allowance) -> Self {
        Limits {
            usd: allowance.money.map(usd),
            tokens: allowance.tokens,
            requests: allowance.requests,
        }
    }
}

pub(crate) fn scope((scope, balance): &(Scope, Balance)) -> ScopeView {
    let all = |amount: kernel::ledger::Amount| Limits {
        usd: Some(usd(amount.money)),
        tokens: Some(amount.tokens),
        requests: Some(amount.requests),
    };
    ScopeView {
        scope: scope.to_string(),
        cap: Limits::of(balance.cap),
        settled: all(balance.settled),
        held: all(balance.held),
        set_by_hand: balance.pinned,
    }
}

/// A row of the spend table.
#[derive(Serialize, ToSchema)]
pub(crate) struct Spend {
    /// The day in UTC.
    day: String,
    user: String,
    agent: String,
    model: String,
    /// The version of the prices.
    prices: String,
    calls: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// Dollars, estimates included.
    usd: String,
    /// The part of it that is estimated.
    estimated_usd: String,
}

impl Spend {
    pub(crate) fn of(row: SpendRow) -> Self {
        Spend {
            day: date(row.day).to_string(),
            user: row.user,
            agent: row.agent_id,
            model: row.model,
            prices: row.prices,
            calls: row.calls,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            usd: usd(row.amount),
            estimated_usd: usd(row.estimated),
        }
    }
}

/// A call that waits for an answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Approval {
    session: String,
    /// Whose session it is.
    user: String,
    agent: String,
    /// The id of the call.
    call: String,
    tool: String,
    /// The arguments as the model wrote them.
    arguments: String,
    /// What an answer is bound to, beside the call.
    arguments_hash: String,
    /// Why it is asked.
    reasons: Vec<String>,
    /// The policies that ask.
    by: Vec<String>,
    /// Until when an answer counts. None until then means no.
    expires: String,
}

impl Approval {
    pub(crate) fn of(asked: Asked) -> Self {
        Approval {
            session: asked.session.to_string(),
            user: asked.user,
            agent: asked.agent_id,
            call: asked.call,
            tool: asked.tool,
            arguments: asked.arguments,
            arguments_hash: asked.ask.arguments.to_string(),
            reasons: asked.judgement.reasons,
            by: asked.judgement.by,
            expires: instant(asked.ask.expires),
        }
    }
}

/// A key, without what proves it.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyView {
    id: String,
    user: String,
    name: String,
    /// What it is good for; what is left out is not limited.
    #[schema(value_type = Object)]
    grants: Value,
    made: String,
    /// When it stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
    /// Whether it works now.
    works: bool,
    /// The whole key: told once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl KeyView {
    pub(crate) fn of(key: &Key, now: UnixMs) -> Self {
        KeyView {
            id: key.id.clone(),
            user: key.user.clone(),
            name: key.name.clone(),
            grants: serde_json::to_value(&key.grants).unwrap_or_default(),
            made: instant(key.made),
            ends: key.ends.map(instant),
            works: key.works(now),
            key: None,
        }
    }

    /// With the whole key.
    pub(crate) fn with(self, key: String) -> Self {
        KeyView { key: Some(key), ..self }
    }
}

/// A member of the tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    user: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    made: String,
}

impl User {
    pub(crate) fn of(member: Member) -> Self {
        User { user: member.user, role: member.role, team: member.team, made: instant(member.made) }
    }
}

/// A page of events, for the document; it is written by hand, so that facts keep their bytes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Events {
    data: Vec<EventView>,
    /// What to ask `after` with for the next page; absent on the last one.
    next: Option<u64>,
}

/// An event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    /// Its number in the session: 1 for the first.
    seq: u64,
    /// When it was committed.
    at: String,
    /// What happened: one member, by the name of the fact.
    #[schema(value_type = Object)]
    fact: Value,
}

/// An event for programs. The fact is spliced in as it was committed.
pub(crate) fn event(row: &Stored) -> String {
    format!(r#"{{"seq":{},"at":"{}","fact":{}}}"#, row.seq, instant(row.at), row.body)
}

pub(crate) fn word(status: Status) -> &'static str {
    match status {
        Status::Idle => "idle",
        Status::Running => "running",
        Status::Parked => "parked",
        Status::Finished => "finished",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

/// Dollars, exactly.
pub(crate) fn usd(money: Money) -> String {
    money.to_string().trim_start_matches('$').to_owned()
}

fn quantity(measure: Measure, count: u64) -> Value {
    match measure {
        Measure::Money => usd(Money(count)).into(),
        Measure::Tokens | Measure::Requests => count.into(),
    }
}

pub(crate) fn instant(at: UnixMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_string()
}

/// A day of the spend table.
fn date(day: u64) -> Date {
    let seconds = i64::try_from(day.saturating_mul(86_400)).unwrap_or(i64::MAX);
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}
