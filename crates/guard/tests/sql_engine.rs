//! What this guard allows, asked of the real SQLite: each allowed statement only reads, and
//! nothing but listed relations. Statements of the corpus, and thousands that are spliced out
//! of them.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use guard::sql::{Dialect, Input, examine};
use kernel::verdict::Verdict;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Tables that functions make, and what the engine calls a query's own parts.
const MADE: [&str; 3] = ["json_each", "json_tree", "generate_series"];

/// The functions that the guard lists, and those that the engine calls for operators.
const LISTED: &str = include_str!("../src/sql/functions/sqlite.txt");
const OPERATORS: [&str; 4] = ["->", "->>", "match", "regexp"];

/// Of what it reads no column, the engine does not say where it lies, nor whether it is a
/// table or a name that the query made.
const NOWHERE: &str = "?";

/// Splices that are tried, and how many of them the engine must understand.
const SPLICES: u64 = 30_000;
const UNDERSTOOD_MIN: usize = 300;

/// What the engine did in preparing a statement, besides reading listed relations.
struct Engine {
    db: Connection,
    deeds: Arc<Mutex<BTreeSet<String>>>,
}

impl Engine {
    fn new() -> Self {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "attach ':memory:' as other; attach ':memory:' as x;
             create table users (id, name, tags, data, created_at, email, parent_id, active);
             create table orders (id, user_id, customer_id, name, day, total, created_at, status);
             create table secrets (id, password, data);
             create table customers (id, name, email, nickname, city, note, active, a);
             create table products (id, name, category, price, cost, stock, hidden, discontinued,
                 [group], [order]);
             create table order_items (id, order_id, product_id, quantity, unit_price);
             create table employees (id, name, manager_id);
             create table accounts (id, email, tags, meta, balance);
             create table payments (id, account_id, amount, status, memo, created_at);
             create table events (id, kind, payload, created_at);
             create table y (id);
             create table other.users (id, name, password);
             create table other.y (id); create table x.y (id); create table x.secrets (id);
             create temp table only_temp (id);",
        )
        .unwrap();
        let deeds = Arc::new(Mutex::new(BTreeSet::new()));
        let seen = deeds.clone();
        db.authorizer(Some(move |context: AuthContext<'_>| {
            if let Some(deed) = deed(&context) {
                seen.lock().unwrap().insert(deed);
            }
            Authorization::Allow
        }))
        .unwrap();
        Engine { db, deeds }
    }

    /// Whether the engine understood it, and what it would do.
    fn prepare(&self, sql: &str) -> (bool, BTreeSet<String>) {
        self.deeds.lock().unwrap().clear();
        let statement = self.db.prepare(sql);
        let mut deeds = std::mem::take(&mut *self.deeds.lock().unwrap());
        let understood = statement.is_ok();
        if let Ok(statement) = statement {
            if !statement.readonly() {
                deeds.insert("not read-only".into());
            }
        } else {
            // What was not prepared cannot run: it does nothing.
            deeds.clear();
        }
        (understood, deeds)
    }
}

fn deed(context: &AuthContext<'_>) -> Option<String> {
    if let AuthAction::Select | AuthAction::Recursive = context.action {
        return None;
    }
    if let AuthAction::Read { table_name, .. } = context.action {
        let database = context.database_name.unwrap_or(NOWHERE);
        return (!MADE.contains(&table_name)).then(|| format!("{database}.{table_name}"));
    }
    if let AuthAction::Function { function_name } = context.action {
        let listed = LISTED.split_whitespace().any(|listed| listed == function_name);
        let known = listed || OPERATORS.contains(&function_name);
        return (!known).then(|| format!("function {function_name}"));
    }
    Some(format!("{:?}", context.action))
}

fn allowed(sql: &str, tables: &[String]) -> bool {
    examine(sql, Dialect::Sqlite, tables).judgement.verdict == Verdict::Allow
}

/// Deeds that the list does not cover.
fn unlisted(sql: &str, deeds: &BTreeSet<String>, tables: &[String]) -> Vec<String> {
    let makes_names = sql.to_ascii_lowercase().contains("with");
    let covers = |deed: &str| match deed.split_once('.') {
        Some((NOWHERE, _)) if makes_names => true,
        Some((NOWHERE, table)) => tables.iter().any(|listed| listed.ends_with(table)),
        _ => tables.iter().map(|table| table.to_ascii_lowercase()).any(|table| {
            let table = if table.contains('.') { table } else { format!("main.{table}") };
            table == deed
        }),
    };
    deeds.iter().filter(|deed| !covers(&deed.to_ascii_lowercase())).cloned().collect()
}

fn sqlite_cases() -> Vec<Input> {
    let lines = include_str!("corpus/sql.jsonl").lines();
    let cases = lines.map(|line| serde_json::from_str::<Input>(line).unwrap());
    cases.filter(|case| case.dialect == Dialect::Sqlite).collect()
}

#[test]
fn the_engine_reads_only_what_is_listed() {
    let engine = Engine::new();
    let (mut asked, mut understood) = (0, 0);
    for case in sqlite_cases().iter().filter(|case| allowed(&case.sql, &case.tables)) {
        let (known, deeds) = engine.prepare(&case.sql);
        asked += 1;
        understood += usize::from(known);
        if !known {
            println!("not understood: {}", case.sql.get(..80).unwrap_or(&case.sql));
        }
        let unlisted = unlisted(&case.sql, &deeds, &case.tables);
        assert!(unlisted.is_empty(), "{unlisted:?}: {}", case.sql);
    }
    println!("{asked} allowed statements, {understood} of them understood by the engine");
    assert!(understood * 100 >= asked * 80, "{understood} of {asked}");
}

#[test]
fn the_engine_reads_only_what_is_listed_however_statements_are_spliced() {
    let engine = Engine::new();
    let tables = ["users".to_owned(), "orders".to_owned()];
    let cases = sqlite_cases();
    let texts = cases.iter().map(|case| case.sql.as_str()).filter(|sql| sql.len() < 300);
    let pieces = texts.map(pieces).collect::<Vec<_>>();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut passed, mut understood) = (0, 0);
    for _ in 0..SPLICES {
        let sql = splice(&pieces, &mut dice);
        if !allowed(&sql, &tables) {
            continue;
        }
        passed += 1;
        let (known, deeds) = engine.prepare(&sql);
        understood += usize::from(known);
        let unlisted = unlisted(&sql, &deeds, &tables);
        assert!(unlisted.is_empty(), "{unlisted:?}: {sql}");
    }
    println!("{SPLICES} splices, {passed} allowed, {understood} understood by the engine");
    assert!(understood >= UNDERSTOOD_MIN, "the splices say nothing: {understood}");
}

/// A text cut where words, spaces and signs meet.
fn pieces(text: &str) -> Vec<String> {
    let mut all = Vec::<String>::new();
    for c in text.chars() {
        let goes_on = c.is_alphanumeric() || c == '_';
        match all.last_mut() {
            Some(last) if goes_on && last.ends_with(|l: char| l.is_alphanumeric() || l == '_') => {
                last.push(c);
            }
            _ => all.push(c.to_string()),
        }
    }
    all
}

/// The beginning of one statement, the middle of a second, the end of a third.
fn splice(texts: &[Vec<String>], dice: &mut u64) -> String {
    let mut parts = Vec::new();
    let (a, b, c) = (pick(texts, dice), pick(texts, dice), pick(texts, dice));
    parts.extend_from_slice(&a[..throw(dice, a.len() + 1)]);
    let from = throw(dice, b.len() + 1);
    let to = (from + throw(dice, 6)).min(b.len());
    parts.extend_from_slice(&b[from..to]);
    let rest = if throw(dice, 2) == 0 { a } else { c };
    parts.extend_from_slice(&rest[throw(dice, rest.len() + 1)..]);
    parts.concat()
}

fn pick<'a>(texts: &'a [Vec<String>], dice: &mut u64) -> &'a [String] {
    &texts[throw(dice, texts.len())]
}

fn throw(dice: &mut u64, sides: usize) -> usize {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    usize::try_from(*dice % sides as u64).unwrap()
}
