//! What holds for every text: no panic, no stack overflow, no endless work; an attack stays
//! stopped however it is wrapped; quoted text is text.

use std::fmt::Write as _;

use guard::shell::{COMMAND_BYTES_MAX, Grants, examine};
use kernel::verdict::Verdict;
use proptest::prelude::*;

/// Everything that appears in the tests below, so that what stops a command is never the
/// missing entry alone.
const ALL: [&str; 22] = [
    "echo", "ls", "cat", "git", "find", "sed", "awk", "tar", "make", "cargo", "xargs", "timeout",
    "nice", "env", "command", "sort", "grep", "python3", "printf", "test", "rm", "curl",
];

/// Commands that no entry grants.
const DENIED: [&str; 22] = [
    "cat /etc/passwd",
    "cat ../secret",
    "echo a > f",
    "find . -delete",
    "find . -exec ls {} +",
    "git -c a.b=c log",
    "git diff --output=f",
    "sed -i s/a/b/ f",
    "sed -n w\\ f a",
    "sort -o f f",
    "tar -xf a.tar",
    "make SHELL=x",
    "cargo --config x test",
    "python3 -c 1",
    "PATH=. ls",
    "ls $(id)",
    "x=..; cat $x/a",
    "eval ls",
    "rm -rf .git",
    "ls () { id; }",
    "curl -o f https://example.com",
    "grep -f /etc/passwd a",
];

fn verdict(command: &str) -> Verdict {
    examine(command, &Grants::new(ALL)).judgement.verdict
}

/// Pieces of the language's own.
const PIECES: [&str; 70] = [
    "$(",
    ")",
    "`",
    "${",
    "}",
    "((",
    "))",
    "$((",
    "[[",
    "]]",
    "'",
    "\"",
    "$'",
    "\\",
    "<<A\n",
    "\nA\n",
    "<(",
    ">(",
    "|",
    "||",
    "&&",
    "&",
    ";",
    ";;",
    "\n",
    "if ",
    "then ",
    "fi",
    "for ",
    "in ",
    "do ",
    "done",
    "case ",
    "esac",
    "while ",
    "{ ",
    "function ",
    "() ",
    "!",
    "#",
    "*",
    "?",
    "[",
    "]",
    "~",
    "{a,b}",
    "=",
    "+=",
    "x=",
    "$x",
    "$@",
    "2>&1",
    ">",
    "<<<",
    "<>",
    "&>",
    "time ",
    "coproc ",
    "@(",
    "a[",
    "--",
    "-",
    "/",
    "..",
    "=~",
    "\u{0}",
    "\r",
    "é",
    "９",
    "1",
];

/// Bits of the language, so that random texts reach deep into the grammar.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(" ".to_owned()),
        prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        prop::sample::select(ALL.to_vec()).prop_map(|name| format!("{name} ")),
        "[ -~]{0,6}",
    ]
}

/// A word in single quotes, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_a_verdict(text in ".{0,200}") {
        let found = examine(&text, &Grants::new(ALL)).judgement;
        prop_assert_eq!(found.verdict == Verdict::Allow, found.reasons.is_empty());
    }

    #[test]
    fn any_bytes_get_a_verdict(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        verdict(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces_of_the_language_get_a_verdict(parts in prop::collection::vec(fragment(), 0..40)) {
        verdict(&parts.concat());
    }

    #[test]
    fn a_denied_command_stays_stopped_in_any_wrapping(
        command in prop::sample::select(DENIED.to_vec()),
        wraps in prop::collection::vec(0_usize..18, 1..4),
    ) {
        let mut whole = command.to_owned();
        for wrap in wraps {
            whole = match wrap {
                0 => format!("echo \"$({whole})\""),
                1 => format!("({whole})"),
                2 => format!("{{ {whole}\n}}"),
                3 => format!("ls && {whole}"),
                4 => format!("{whole} || true"),
                5 => format!("if ls; then {whole}\nfi"),
                6 => format!("for i in 1 2; do {whole}\ndone"),
                7 => format!("ls | ({whole})"),
                8 => format!("! ({whole})"),
                9 => format!("case a in a) {whole}\n;; esac"),
                10 => format!("cat <<EOF\n$({whole})\nEOF"),
                11 => format!("# a comment\n{whole}"),
                12 => format!("x=$({whole})"),
                13 => format!("while ls; do {whole}\ndone"),
                14 => format!("cat < <({whole}\n)"),
                15 => format!("[[ -n $({whole}) ]]"),
                16 => format!("{whole} &"),
                _ => format!("time -p ({whole})"),
            };
        }
        prop_assert_ne!(verdict(&whole), Verdict::Allow, "{}", whole);
    }

    #[test]
    fn a_denied_program_stays_stopped_behind_launchers_and_odd_quotes(
        command in prop::sample::select(vec!["cat /etc/passwd", "find . -delete", "git -c a=b log", "id", "sed -i p f"]),
        launchers in prop::collection::vec(
            prop::sample::select(vec!["timeout 5", "nice", "nice -n 5", "env", "env LANG=C", "command", "exec", "time"]), 0..4),
        how in 0_usize..4,
    ) {
        let words = command.split(' ').map(|word| match how {
            0 => word.to_owned(),
            1 => quoted(word),
            2 => format!("\"{word}\""),
            _ => word.chars().fold(String::new(), |mut whole, one| {
                let _ = write!(whole, "\\{one}");
                whole
            }),
        });
        let words = words.collect::<Vec<_>>().join(" ");
        let whole = format!("{} {words}", launchers.join(" "));
        prop_assert_ne!(verdict(&whole), Verdict::Allow, "{}", whole);
    }

    #[test]
    fn quoted_text_is_text(words in prop::collection::vec("[ -~\n]{0,24}", 1..6)) {
        // Brackets are counted before quotes are known, so the count is kept low.
        let words = words.iter().map(|word| word.replace(['(', '{', '['], "."));
        let command = format!("echo {}", words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" "));
        let few = !["if", "for", "case", "while", "until", "!"].iter().any(|word| command.contains(word));
        prop_assume!(few);
        let found = examine(&command, &Grants::new(["echo"])).judgement;
        prop_assert_eq!(found.verdict, Verdict::Allow, "{}: {:?}", command, found.reasons);
    }
}

#[test]
fn the_longest_and_the_deepest_are_read_or_refused_in_time() {
    let deep = |open: &str, close: &str, times: usize| {
        format!("echo {}1{}", open.repeat(times), close.repeat(times))
    };
    let mut texts = Vec::new();
    for times in [1, 3, 5, 8, 10, 11, 100, 1_000] {
        for (open, close) in [
            ("$(", ")"),
            ("$((", "))"),
            ("(", ")"),
            ("${x:-", "}"),
            ("\"$(", ")\""),
            ("{ ", "; }"),
            ("((", "))"),
            ("[[ ", " ]]"),
            ("<(", ")"),
            ("a[", "]"),
            ("{a,", "}"),
            ("$(case x in x) ", ";; esac)"),
        ] {
            texts.push(deep(open, close, times));
            texts.push(deep(open, close, times).trim_start_matches("echo ").to_owned());
        }
    }
    for part in [
        "a ",
        "a;",
        "a|",
        "a&&",
        "'a' ",
        "$x ",
        "{a,b}",
        "if a; then ",
        "\\\n",
        "a=",
        "$",
        "!",
        "command ",
        "echo \"",
        "<<A\n",
    ] {
        texts.push(part.repeat(COMMAND_BYTES_MAX / part.len()));
        texts.push(part.repeat(300));
    }
    for text in texts {
        verdict(&text);
    }
}
