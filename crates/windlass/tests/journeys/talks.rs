//! Conversations: every line is a run of one session.

use crate::place::{FINISHED, Place, USAGE};

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
