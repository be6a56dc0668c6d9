//! Conversations: every line is a run of one session.

use std::io::Write;

use rustix::process::Signal;

use crate::place::{FINISHED, PARKED, Place, Running, USAGE};

#[test]
fn a_piped_talk_remembers_what_was_said() {
    let place = Place::new();
    let lines = "What is 2+3?\n\n/session\n/nonsense\nand times 4?\n/exit\nnever read\n";
    let ended = place.feed(&["chat"], lines).code(FINISHED);
    let answers: Vec<String> = ended.out.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), 3, "{ended}");
    assert_eq!((&*answers[0], &*answers[2]), ("2 + 3 = 5", "5 * 4 = 20"), "{ended}");
    let ended = ended.says("there is no command `/nonsense`; there are: /session /exit");
    let again = format!("windlass chat --session {}", answers[1]);
    let ended = ended.says(&format!("go on later with: {again}"));

    let words: Vec<&str> = again.split(' ').skip(1).collect();
    let later = place.feed(&words, "plus 1\n").code(FINISHED);
    assert_eq!(later.out, "20 + 1 = 21\n", "{ended}{later}");
    place.run(&["sessions", "list"]).says("finished").does_not_say("idle");
}

#[test]
fn a_talk_says_how_to_come_back_to_another_store() {
    let place = Place::new();
    let ended = place.feed(&["--store", "my store", "chat"], "What is 2+3?\n").code(FINISHED);
    ended.says("windlass --store 'my store' chat --session ");
    place.feed(&["chat", "--session", "last"], "").code(USAGE).says("there is no store");
}

#[test]
fn a_talk_that_waits_for_words_ends_at_a_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let mut command = place.command(&["chat"]);
        command.stdin(reader);
        let mut running = Running::of(command, Vec::new());
        writeln!(writer, "What is 2+3?").expect("it listens");
        running.until("finished");
        running.strike(signal);
        running.end().code(FINISHED).says("go on later with: windlass chat --session");
    }
}

#[test]
fn an_interrupted_answer_parks_and_ends_the_talk() {
    let place = Place::new();
    let provider = place.provider(&["--latency-ms", "700"]);
    place.agent("openai", &provider.address, "");
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let mut command = place.command(&["chat", "--agent", "agent.yaml"]);
    command.stdin(reader);
    let mut running = Running::of(command, Vec::new());
    writeln!(writer, "What is 2+3?").expect("it listens");
    let mut follower = place.start_when_there(&["log", "last", "--follow"]);
    follower.until("model_begun");
    running.strike(Signal::INT);
    running.until("finishing this step");
    let parked = running.end().code(PARKED);
    place.type_in(&parked.resume_command()).code(FINISHED).answers("2 + 3 = 5");
}
