//! What a verdict costs, over the lines of the corpora.
//!
//! `cargo bench -p guard`. A shell or SQL verdict stands beside the parser of others that it
//! rests upon, reading the same lines; a scan for injection beside turning the same text to
//! small letters. Look at the ratios: figures of one run on one machine.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use guard::{injection, shell, sql, url};
use kernel::verdict::Verdict;
use serde::de::DeserializeOwned;

/// How long each figure is measured.
const MEASURE: Duration = Duration::from_secs(1);

fn main() {
    let mut commands: Vec<shell::Input> = read(include_str!("../tests/corpus/shell.jsonl"));
    let options = brush_parser::ParserOptions::default();
    let parse = |one: &shell::Input| {
        let tokens =
            brush_parser::uncached_tokenize_str(&one.command, &options.tokenizer_options());
        tokens.ok().map(|tokens| brush_parser::parse_tokens(&tokens, &options))
    };
    // What the guard turns away before it parses would keep brush busy for minutes.
    commands.retain(|one| one.examine().judgement.verdict == Verdict::Allow);
    let parser = per_line(&commands, parse);
    told("shell, brush's parser alone", parser, parser);
    told("shell, verdict", per_line(&commands, shell::Input::examine), parser);

    let statements: Vec<sql::Input> = read(include_str!("../tests/corpus/sql.jsonl"));
    let generic = sqlparser::dialect::GenericDialect {};
    let parser =
        per_line(&statements, |one| sqlparser::parser::Parser::parse_sql(&generic, &one.sql));
    told("SQL, sqlparser alone", parser, parser);
    let verdict = per_line(&statements, |one| sql::examine(&one.sql, one.dialect, &one.tables));
    told("SQL, verdict", verdict, parser);

    let urls: Vec<url::Input> = read(include_str!("../tests/corpus/url.jsonl"));
    let parser = per_line(&urls, |one| ::url::Url::parse(&one.url));
    told("URL, parser alone", parser, parser);
    told("URL, verdict with its addresses and redirects", per_line(&urls, url::judge), parser);

    let results: Vec<injection::Input> = read(include_str!("../tests/corpus/injection.jsonl"));
    let bytes: usize = results.iter().map(|one| one.result.len()).sum();
    let mean = bytes as f64 / results.len() as f64;
    let lower = per_line(&results, |one| one.result.to_lowercase());
    let scan = per_line(&results, injection::Input::scan);
    told("injection, small letters alone", lower, lower);
    told("injection, scan", scan, lower);
    println!("{:<48} {:>8.1} MB/s, texts of {mean:.0} B", "injection, scan", mean / scan);
}

/// The lines of a corpus.
fn read<T: DeserializeOwned>(corpus: &str) -> Vec<T> {
    let line = |line| serde_json::from_str(line).expect("INVARIANT: the corpus reads");
    corpus.lines().map(line).collect()
}

/// Microseconds a line: the best of the rounds over all lines, as noise only ever adds.
fn per_line<T, R>(lines: &[T], work: impl Fn(&T) -> R) -> f64 {
    let begun = Instant::now();
    let mut best = f64::INFINITY;
    while begun.elapsed() < MEASURE {
        let round = Instant::now();
        lines.iter().for_each(|line| drop(black_box(work(black_box(line)))));
        best = best.min(round.elapsed().as_secs_f64() * 1e6 / lines.len() as f64);
    }
    best
}

fn told(what: &str, took: f64, yardstick: f64) {
    println!("{what:<48} {took:>8.2} us a line {:>8.2} x", took / yardstick);
}
