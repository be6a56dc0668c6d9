//! `windlass chat`: a conversation; every line is a run of one session.

use std::io::{BufRead, ErrorKind, IsTerminal};
use std::path::Path;

use anstream::{eprintln, println};
use engine::Engine;
use engine::door::{Owner, Task};
use engine::error::EngineError;
use kernel::event::Done;
use kernel::units::SessionId;
use owo_colors::OwoColorize;
use reedline::{DefaultPrompt, DefaultPromptSegment, Reedline, Signal};

use super::{LOCAL, chat_words, resume_words, session, tenant, workdir};
use crate::assemble::{self, Assembled};
use crate::cli::ChatArgs;
use crate::drive::{Drive, report};
use crate::exit::{BadUsage, End};
use crate::signals;
use crate::watch::Watcher;

/// Where the next line comes from: a person at a terminal, or a pipe.
enum Lines {
    Typed(Box<Reedline>, DefaultPrompt),
    Piped(std::io::Lines<std::io::StdinLock<'static>>),
}

pub(crate) async fn chat(store: &Path, args: ChatArgs) -> anyhow::Result<End> {
    let mut chat = Chat::open(store, &args).await?;
    let mut lines = Lines::open();
    let mut end = End::Finished;
    while let Some(line) = lines.next()? {
        match line.trim() {
            "" => {}
            "/exit" | "/quit" => break,
            "/session" => println!("{}", chat.session_words()),
            words if words.starts_with('/') => {
                eprintln!("there is no command `{words}`; there are: /session /exit");
            }
            words => end = chat.turn(words).await?,
        }
    }
    if let Some(session) = chat.session {
        let words = format!("go on later with: {}", chat_words(store, session));
        eprintln!("{}", words.dimmed());
    }
    Ok(end)
}

struct Chat {
    engine: Engine,
    agent: Option<kernel::agent::Frozen>,
    owner: Owner,
    session: Option<SessionId>,
    again: Box<dyn Fn(SessionId) -> String>,
}

impl Chat {
    async fn open(store: &Path, args: &ChatArgs) -> anyhow::Result<Self> {
        let folder = workdir(args.agent.workdir.as_deref())?;
        let owner = Owner { tenant: tenant(), user: LOCAL.to_owned(), workdir: Some(folder) };
        let path = store.to_owned();
        let again = Box::new(move |session| resume_words(&path, session));
        if let Some(named) = &args.session {
            let session = session(&assemble::reader(store)?, named).await?;
            let engine = assemble::for_session(store, session, &args.agent).await?;
            return Ok(Chat { engine, agent: None, owner, session: Some(session), again });
        }
        let Assembled { engine, agent, label } = assemble::agent(store, &args.agent)?;
        eprintln!("{label}");
        eprintln!("{}", "say what is to be done; /exit or Ctrl-D ends".dimmed());
        Ok(Chat { engine, agent: Some(agent), owner, session: None, again })
    }

    /// One line: a run that ends with the first plain answer.
    async fn turn(&mut self, words: &str) -> anyhow::Result<End> {
        let task = Task { done: Some(Done::Answer), ..Task::of(words) };
        let session = match self.give(task).await {
            Ok(session) => session,
            Err(EngineError::Refused(refusal)) => {
                eprintln!("{} {refusal}", "refused:".red());
                return Ok(End::Refused);
            }
            Err(error) => return Err(error.into()),
        };
        self.session = Some(session);
        let (tenant, stop) = (&self.owner.tenant, signals::listen(|| {})?);
        let drive = Drive { engine: &self.engine, tenant, session, stop, takeover: false };
        let (mut watcher, mut seen) = (Watcher::new(false), self.engine.tap.watch());
        let state = drive.to_rest(&mut watcher, &mut seen).await?;
        Ok(report(&state, false, &(self.again)(session)))
    }

    async fn give(&self, task: Task) -> Result<SessionId, EngineError> {
        match (self.session, &self.agent) {
            (None, Some(agent)) => self.engine.start(&self.owner, agent, task).await,
            (session, _) => {
                let session =
                    session.expect("INVARIANT: a chat without an agent was opened on a session");
                self.engine.say(&self.owner.tenant, session, task).await?;
                Ok(session)
            }
        }
    }

    fn session_words(&self) -> String {
        self.session.map_or_else(|| "no session yet".to_owned(), |session| session.to_string())
    }
}

impl Lines {
    fn open() -> Self {
        if std::io::stdin().is_terminal() {
            let prompt = DefaultPrompt::new(
                DefaultPromptSegment::Basic("you".to_owned()),
                DefaultPromptSegment::Empty,
            );
            return Lines::Typed(Box::new(Reedline::create()), prompt);
        }
        Lines::Piped(std::io::stdin().lock().lines())
    }

    /// The next line, or `None` at the end.
    fn next(&mut self) -> anyhow::Result<Option<String>> {
        match self {
            Lines::Piped(lines) => match lines.next().transpose() {
                Err(why) if why.kind() == ErrorKind::InvalidData => {
                    Err(BadUsage("a line is not UTF-8 text".to_owned()).into())
                }
                next => Ok(next?),
            },
            Lines::Typed(editor, prompt) => {
                let typed = editor.read_line(prompt)?;
                // Anything else is the end of the input, or an interrupt.
                Ok(if let Signal::Success(line) = typed { Some(line) } else { None })
            }
        }
    }
}
