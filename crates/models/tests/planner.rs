//! The planner against a small world: whole conversations, read as prose.
//!
//! Each case in `tests/planner/*.case` is a transcript. Lines that begin with `user:`,
//! `harness:` and `with:` are given; everything else is what the planner and the world's
//! tools make of it. Run with `BLESS=1` to write transcripts anew, then read them.

#[path = "planner/talk.rs"]
mod talk;
#[path = "planner/world.rs"]
mod world;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::message::{Message, Request, Role, ToolChoice};
use models::simulated::Brain;
use models::simulated::planner::Planner;

use talk::{Case, Given, Talk};

#[test]
fn conversations_go_as_written() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in case_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let cases = Case::read(&text);
        count += cases.len();
        let played: Vec<String> = cases.iter().map(Case::play).collect();
        let played = played.join("\n");
        if played != text && std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &played).unwrap();
        } else if played != text {
            wrong.push(first_difference(&file, &text, &played));
        }
    }
    assert!(wrong.is_empty(), "{}\n\nBLESS=1 writes the transcripts anew", wrong.join("\n\n"));
    assert!(count >= 60, "only {count} cases were found");
}

fn case_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planner");
    let files = std::fs::read_dir(folder)
        .expect("the cases lie beside this test")
        .map(|entry| entry.expect("the folder can be read").path());
    let mut cases: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "case")).collect();
    cases.sort();
    cases
}

fn first_difference(file: &Path, expected: &str, found: &str) -> String {
    let mut title = "";
    for (expected, found) in expected.lines().zip(found.lines()) {
        if let Some(name) = expected.strip_prefix("== ") {
            title = name;
        }
        if expected != found {
            return format!(
                "{}: {title}\n  expected {expected}\n  found    {found}",
                file.display()
            );
        }
    }
    format!("{}: {title}\n  one transcript ends before the other", file.display())
}

/// A history cut after any message gets the same next answer: nothing is remembered
/// outside of the messages.
#[test]
fn the_same_history_gets_the_same_answer() {
    let case = Case {
        title: String::new(),
        given: vec![Given::User(
            "What is 3*4? Save it as a note called a. Then list my notes.".to_owned(),
        )],
    };
    let mut talk = Talk::new(&case);
    talk.run();
    for end in 1..talk.messages.len() {
        if talk.messages[end].role == Role::Assistant {
            let request = Request { messages: talk.messages[..end].to_vec(), ..talk.request() };
            let (first, second) = (Planner.reply(&request), Planner.reply(&request));
            assert_eq!(first, second);
            assert_eq!(first.content, talk.messages[end].content, "cut before message {end}");
        }
    }
}

/// L4: every call is answered exactly once, so its ids must differ in a whole session.
#[test]
fn ids_of_calls_never_repeat_in_a_conversation() {
    let asks = ["What is 3*4?", "and times 3?", "list my notes", "What is 3*4?"];
    let given = asks.iter().map(|text| Given::User((*text).to_owned())).collect();
    let case = Case { title: String::new(), given };
    let mut talk = Talk::new(&case);
    talk.run();
    let uses = talk.messages.iter().flat_map(|message| talk::uses(&message.content));
    let mut ids: Vec<&str> = uses.map(|call| call.id.as_str()).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(count >= 8);
}

fn ask(text: &str, choice: ToolChoice) -> kernel::message::Reply {
    let case = Case { title: String::new(), given: Vec::new() };
    let mut request = Talk::new(&case).request();
    request.messages = vec![Arc::new(Message::user(text))];
    request.tool_choice = choice;
    Planner.reply(&request)
}

/// The time is measured only to tell it; a search that were not linear would hang here.
#[test]
fn huge_inputs_are_read_in_linear_time() {
    let bytes = 100_000;
    let times = |piece: &str| piece.repeat(bytes / piece.len());
    let inputs = [
        ("letters", times("a")),
        ("words", times("save the ")),
        ("sentences", times("what is 1 + 1? ")),
        ("strange sentences", times("lorem ipsum dolor. ")),
        ("commas", times(",")),
        ("commas and words", times("a, ")),
        ("polite", times("please , ")),
        ("ands", times("and then ")),
        ("parentheses", times("(")),
        ("minus", times("- ")),
        ("halves", times("half of ")),
        ("half the half", times("half the ")),
        ("numbers", times("7 ")),
        ("digits", times("7")),
        ("grouped digits", times("7,777")),
        ("sums", times("1 + ")),
        ("feet", times("5 feet ")),
        ("double quotes", times("\"a ")),
        ("single quotes", times("'a ")),
        ("curly quotes", times("“")),
        ("fences", times("``` ")),
        ("lines", times("\n")),
        ("list", times("- a\n")),
        ("colons", times("save note: ")),
        ("grep", format!("search for {} in src", times("in "))),
        ("replace", format!("replace {} with b in a.txt", times("with "))),
        ("letters of other alphabets", times("天气怎么样 ")),
        ("a letter", format!("create a file big.txt: {}", times("some text. "))),
        ("braces", times("*.{a,")),
    ];
    let mut told = String::new();
    for (name, text) in inputs {
        let begun = std::time::Instant::now();
        let reply = ask(&text, ToolChoice::Auto);
        assert!(!reply.content.is_empty(), "{name}");
        let _ = writeln!(told, "{name}: {} ms", begun.elapsed().as_millis());
        let said = kernel::message::text_of(&reply.content).len();
        assert!(said < 4_000, "{name}: the answer has {said} bytes");
    }
    println!("{told}");
}
