//! A command's end, in words for a model.

use std::path::PathBuf;

use engine::ports::ToolOutput;
use sandbox::{Ended, Stopped};

/// How many new repositories are named.
const REPOSITORIES_MAX: usize = 10;

/// Exit code first, so that a long output cannot hide it; then output, then errors.
pub(super) fn told(ended: &Ended, seconds: u64) -> ToolOutput {
    let mut text = format!("[exit code {}]", ended.code);
    if let Some(stopped) = ended.stopped {
        text.push_str(&format!("\n[it was killed: {}]", why(stopped, seconds)));
    }
    if !ended.repositories.is_empty() {
        text.push_str(&format!("\n[new repositories: {}]", named(&ended.repositories)));
    }
    push(&mut text, &ended.stdout);
    if !ended.stderr.is_empty() {
        text.push_str("\n[errors]");
        push(&mut text, &ended.stderr);
    }
    if ended.code == 0 && ended.stopped.is_none() {
        ToolOutput::ok(text)
    } else {
        ToolOutput::error(text)
    }
}

fn push(text: &mut String, bytes: &[u8]) {
    if !bytes.is_empty() {
        text.push('\n');
        text.push_str(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
    }
}

fn why(stopped: Stopped, seconds: u64) -> String {
    match stopped {
        Stopped::Deadline => format!("it ran for more than {seconds} s"),
        Stopped::Output => "it wrote more output than it may".to_owned(),
        Stopped::Tasks => "it started more processes than it may".to_owned(),
        Stopped::Memory => "it took more memory than it may".to_owned(),
        Stopped::Disk => "the disk was about to be full".to_owned(),
        Stopped::Request => "somebody asked for it".to_owned(),
    }
}

fn named(repositories: &[PathBuf]) -> String {
    let shown: Vec<String> =
        repositories.iter().take(REPOSITORIES_MAX).map(|one| crate::files::shown(one)).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_comes_before_what_it_wrote() {
        let ended = Ended {
            code: 137,
            stopped: Some(Stopped::Deadline),
            stdout: b"one\ntwo\n".to_vec(),
            stderr: b"\xffthree".to_vec(),
            repositories: vec!["a/b".into()],
            searched_all: true,
        };
        let output = told(&ended, 5);
        assert!(output.is_error);
        assert_eq!(
            output.content,
            "[exit code 137]\n[it was killed: it ran for more than 5 s]\n[new repositories: a/b]\n\
             one\ntwo\n[errors]\n\u{fffd}three"
        );
        let quiet = Ended {
            code: 0,
            stopped: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            repositories: Vec::new(),
            searched_all: true,
        };
        assert_eq!(told(&quiet, 5), ToolOutput::ok("[exit code 0]"));
    }
}
