//! `windlass caps list`: every shared cap with what is settled, held and free, and when
//! its window turns.

use anstream::{eprintln, println};
use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use engine::Engine;
use kernel::ledger::{Balance, Measure, Scope, Window};
use kernel::units::{Money, UnixMs};
use serde_json::{Map, Value, json};

use super::{balances, budget, cap_object, own_shares};
use crate::exit::End;
use crate::here::Here;
use crate::{bar, show};

/// Behind a cap that is nearly reached.
const NEARLY: &str = "!";

const HEADER: [&str; 8] = ["SCOPE", "CAP", "SETTLED", "HELD", "FREE", "USED", "TURNS", "BY"];

/// One scope as it stands.
struct Standing {
    scope: Scope,
    balance: Balance,
    kind: Kind,
}

/// What a scope's row counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The window that runs now, and when it turns.
    Current(UnixMs),
    /// What never turns.
    Ever,
    /// The cap of windows to come: never charged itself.
    Lasting,
    /// A window that is over.
    Past,
}

pub(super) async fn list(
    here: &Here,
    engine: &Engine,
    all: bool,
    json: bool,
) -> anyhow::Result<End> {
    let standings = standings(here, engine).await?;
    let past = standings.iter().filter(|one| one.kind == Kind::Past).count();
    let shown: Vec<&Standing> =
        standings.iter().filter(|one| all || one.kind != Kind::Past).collect();
    if json {
        for one in shown {
            println!("{}", show::object(&object(one)));
        }
        return Ok(End::Finished);
    }
    if shown.is_empty() {
        eprintln!(
            "no caps are shared here: nothing was counted, and no plan has a budget for \
             `{}`\nplans stand under `limits` in the installation's file",
            here.user
        );
    } else {
        println!("{}", table(here, &shown));
    }
    if past > 0 && !all {
        let plural = if past == 1 { "window is" } else { "windows are" };
        eprintln!("{past} past {plural} not shown; `--all` shows them");
    }
    Ok(End::Finished)
}

/// What was charged or set, and what the present user would draw on.
async fn standings(here: &Here, engine: &Engine) -> anyhow::Result<Vec<Standing>> {
    let now = engine.world.now();
    let mut rows = balances(here, engine).await?;
    for share in own_shares(here, now) {
        if !rows.iter().any(|(scope, _)| *scope == share.scope) {
            let pinned = rows.iter().find(|(scope, row)| {
                row.pinned && *scope == share.scope.lasting() && *scope != share.scope
            });
            let unused = Balance::with_cap(share.allowance);
            let balance = pinned
                .map_or(unused, |(_, row)| Balance { pinned: true, ..Balance::with_cap(row.cap) });
            rows.push((share.scope, balance));
        }
    }
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let standing = |(scope, balance)| {
        let kind = kind(here, &scope, now);
        Standing { scope, balance, kind }
    };
    Ok(rows.into_iter().map(standing).collect())
}

fn kind(here: &Here, scope: &Scope, now: UnixMs) -> Kind {
    let plans = &here.caps.plans;
    match scope {
        Scope::Task { .. } => Kind::Ever,
        Scope::Shared { name, window: None, .. } => {
            let windowed = budget(plans, name).is_some_and(|budget| budget.window != Window::Ever);
            if windowed { Kind::Lasting } else { Kind::Ever }
        }
        Scope::Shared { window: Some(window), .. } => {
            let kinds = [Window::Hour, Window::Day, Window::Week, Window::Month];
            let spans = kinds.into_iter().filter_map(|kind| kind.at(now, plans.offset_minutes));
            let mut current = spans.filter(|span| span.name == *window);
            current.next().map_or(Kind::Past, |span| Kind::Current(span.ends))
        }
    }
}

fn table(here: &Here, shown: &[&Standing]) -> Table {
    let plain = drawn(here, shown, 0);
    match bar::room_beside(&plain) {
        0 => plain,
        width => drawn(here, shown, width),
    }
}

fn drawn(here: &Here, shown: &[&Standing], bar_width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADER);
    for one in shown {
        let capped: Vec<Measure> =
            Measure::ALL.into_iter().filter(|of| one.balance.cap.get(*of).is_some()).collect();
        if capped.is_empty() {
            table.add_row(row(here, one, Measure::Money, bar_width));
        }
        for (place, measure) in capped.into_iter().enumerate() {
            let mut cells = row(here, one, measure, bar_width);
            if place > 0 {
                cells[0] = Cell::new("");
            }
            table.add_row(cells);
        }
    }
    for column in 1..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// One line: a scope in one measure. A cap for windows to come has nothing used.
fn row(here: &Here, one: &Standing, measure: Measure, bar_width: usize) -> Vec<Cell> {
    let Balance { cap, pinned, settled, held } = &one.balance;
    // The unit stands once, at the cap.
    let amount = |count| match measure {
        Measure::Money => Money(count).to_string(),
        Measure::Tokens | Measure::Requests => show::count(count),
    };
    let limit = cap.get(measure);
    let mut words = vec![show::one_line(&one.scope.to_string())];
    words.push(limit.map_or_else(|| "none".to_owned(), |limit| show::amount(measure, limit)));
    let gone = settled.get(measure).saturating_add(held.get(measure));
    let used = limit.map(|limit| permille(gone, limit));
    if one.kind == Kind::Lasting {
        words.extend(["", "", "", ""].map(str::to_owned));
    } else {
        words.push(amount(settled.get(measure)));
        let held = held.get(measure);
        words.push(if held == 0 { String::new() } else { amount(held) });
        words.push(one.balance.free(measure).map(amount).unwrap_or_default());
        words.push(used.map(|used| used_words(here, used)).unwrap_or_default());
    }
    words.push(match one.kind {
        Kind::Current(ends) => show::minute(ends),
        Kind::Ever => "never".to_owned(),
        Kind::Lasting => "every window".to_owned(),
        Kind::Past => "over".to_owned(),
    });
    words.push(if *pinned { "hand" } else { "plan" }.to_owned());
    let mut cells: Vec<Cell> = words.into_iter().map(Cell::new).collect();
    if let (true, Some(limit), Some(used)) =
        (bar_width > 0 && one.kind != Kind::Lasting, limit, used)
    {
        let drawn = if gone == 0 { String::new() } else { bar::bar(gone, limit, bar_width) };
        cells.push(bar::coloured(drawn, colour(here, used)));
    }
    cells
}

/// How much of a cap is gone, in thousandths. All of a cap of nothing is.
fn permille(gone: u64, cap: u64) -> u64 {
    let part = (u128::from(gone) * 1_000).checked_div(u128::from(cap));
    part.map_or(1_000, |part| u64::try_from(part).unwrap_or(u64::MAX))
}

fn used_words(here: &Here, used: u64) -> String {
    let mark = if warnings(here, used) > 0 { NEARLY } else { "" };
    format!("{}%{mark}", used / 10)
}

/// How many of the fractions at which warnings are wanted are reached.
fn warnings(here: &Here, used: u64) -> usize {
    here.caps.warn_at_permille.iter().filter(|at| used >= u64::from(**at)).count()
}

fn colour(here: &Here, used: u64) -> Color {
    let reached = warnings(here, used);
    match reached {
        0 => Color::Green,
        some if some < here.caps.warn_at_permille.len() => Color::Yellow,
        _ => Color::Red,
    }
}

fn object(one: &Standing) -> Value {
    let Balance { cap, pinned, settled, held } = &one.balance;
    let each = |of: &dyn Fn(Measure) -> Option<u64>| {
        let fields = Measure::ALL.into_iter().filter_map(|measure| {
            Some((show::measure(measure).to_owned(), show::quantity(measure, of(measure)?)))
        });
        Value::Object(fields.collect::<Map<String, Value>>())
    };
    let turns = match one.kind {
        Kind::Current(ends) => Some(show::instant(ends)),
        Kind::Ever | Kind::Lasting | Kind::Past => None,
    };
    json!({
        "scope": one.scope.to_string(),
        "cap": cap_object(cap),
        "settled": each(&|measure| Some(settled.get(measure))),
        "held": each(&|measure| Some(held.get(measure))),
        "free": each(&|measure| one.balance.free(measure)),
        "window": match one.kind {
            Kind::Current(_) => "current",
            Kind::Ever => "ever",
            Kind::Lasting => "lasting",
            Kind::Past => "past",
        },
        "turns": turns,
        "by_hand": pinned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_told_in_thousandths_and_never_more_than_there_is() {
        for (gone, cap, expected) in [
            (0, 100, 0),
            (799, 1_000, 799),
            (1, 3, 333),
            (100, 100, 1_000),
            (150, 100, 1_500),
            (0, 0, 1_000),
            (u64::MAX, u64::MAX, 1_000),
        ] {
            assert_eq!(permille(gone, cap), expected, "{gone} of {cap}");
        }
    }
}
