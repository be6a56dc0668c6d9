//! `windlass chat`: a conversation; every line is a run of one session.

use std::io::{BufRead, ErrorKind, IsTerminal};

use anstream::{eprintln, println};
use anyhow::Context as _;
use engine::Engine;
use engine::door::{Owner, Task};
use engine::driver::Stop;
use engine::error::EngineError;
use kernel::event::Done;
use kernel::units::SessionId;
use owo_colors::OwoColorize;
use reedline::{DefaultPrompt, DefaultPromptSegment, Reedline, Signal};

use super::{session, workdir};
use crate::alerts::Sending;
use crate::assemble::{self, Assembled};
use crate::cli::ChatArgs;
use crate::drive::Drive;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::report::report;
use crate::signals;
use crate::watch::Watcher;

/// Where the next line comes from: a person at a terminal, or a pipe.
enum Source {
    Typed(Box<Reedline>, DefaultPrompt),
    Piped(std::io::Lines<std::io::StdinLock<'static>>),
}

/// Lines read on a thread of their own, one for each that is asked for, so that a signal
/// is heard while nobody types.
struct Lines {
    ask: std::sync::mpsc::Sender<()>,
    read: tokio::sync::mpsc::UnboundedReceiver<anyhow::Result<Option<String>>>,
}

pub(crate) async fn chat(here: &Here, args: ChatArgs) -> anyhow::Result<End> {
    let courier = assemble::webhooks(here)?;
    let mut chat = Chat::open(here, &args).await?;
    let sending = Sending::begin(&chat.engine, courier);
    let end = chat.talk().await;
    sending.end().await;
    end
}

struct Chat<'a> {
    here: &'a Here,
    engine: Engine,
    /// What its session is begun with.
    begin: Option<(kernel::agent::Frozen, Owner)>,
    session: Option<SessionId>,
}

impl<'a> Chat<'a> {
    async fn open(here: &'a Here, args: &ChatArgs) -> anyhow::Result<Self> {
        if let Some(named) = &args.session {
            let session = session(here, &assemble::reader(here).await?, named).await?;
            let engine = assemble::for_session(here, session, &args.agent).await?;
            return Ok(Chat { here, engine, begin: None, session: Some(session) });
        }
        let folder = workdir(here, args.agent.workdir.as_deref())?;
        let assembled = assemble::agent(here, &args.agent, &args.scope).await?;
        let Assembled { engine, agent, scope, words } = assembled;
        let owner = here.owner(&args.labels, folder, scope);
        words.iter().for_each(|line| eprintln!("{line}"));
        eprintln!("{}", "say what is to be done; /exit or Ctrl-D ends".dimmed());
        Ok(Chat { here, engine, begin: Some((agent, owner)), session: None })
    }

    /// One line after the other, until there are no more.
    async fn talk(&mut self) -> anyhow::Result<End> {
        let mut lines = Lines::open()?;
        // It hears what comes during a run as well: a talk whose run was parked is over.
        let listening = signals::listen(|| {})?;
        let mut end = End::Finished;
        while let Some(line) = lines.next(&listening.stop).await? {
            match line.trim() {
                "" => {}
                "/exit" | "/quit" => break,
                "/session" => println!("{}", self.session_words()),
                words if words.starts_with('/') => {
                    eprintln!("there is no command `{words}`; there are: /session /exit");
                }
                words => end = self.turn(words).await?,
            }
        }
        if let Some(session) = self.session {
            let words = format!("go on later with: {}", self.here.chat_words(session));
            eprintln!("{}", words.dimmed());
        }
        Ok(end)
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
        let (mut watcher, mut seen) = (Watcher::new(false), self.engine.tap.watch());
        let listening = signals::listen(watcher.voice(signals::STOPPING))?;
        let (tenant, stop) = (&self.here.tenant, listening.stop.clone());
        let drive = Drive { engine: &self.engine, tenant, session, stop, takeover: false };
        let state = drive.to_rest(&mut watcher, &mut seen).await?;
        Ok(report(self.here, &state, false))
    }

    async fn give(&self, task: Task) -> Result<SessionId, EngineError> {
        match (self.session, &self.begin) {
            (None, Some((agent, owner))) => self.engine.start(owner, agent, task).await,
            (session, _) => {
                let session =
                    session.expect("INVARIANT: a chat without an agent was opened on a session");
                self.engine.say(&self.here.tenant, session, task).await?;
                Ok(session)
            }
        }
    }

    fn session_words(&self) -> String {
        self.session.map_or_else(|| "no session yet".to_owned(), |session| session.to_string())
    }
}

impl Lines {
    fn open() -> std::io::Result<Self> {
        let (ask, asked) = std::sync::mpsc::channel();
        let (tell, read) = tokio::sync::mpsc::unbounded_channel();
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
            let mut source = Source::open();
            while asked.recv().is_ok() && tell.send(source.next()).is_ok() {}
        })?;
        Ok(Lines { ask, read })
    }

    /// The next line, or `None` at the end or when the stop is asked.
    async fn next(&mut self, stop: &Stop) -> anyhow::Result<Option<String>> {
        self.ask.send(()).context("the reader of lines has died")?;
        tokio::select! {
            biased;
            () = stop.soon.cancelled() => Ok(None),
            line = self.read.recv() => line.context("the reader of lines has died")?,
        }
    }
}

impl Source {
    fn open() -> Self {
        if std::io::stdin().is_terminal() {
            let prompt = DefaultPrompt::new(
                DefaultPromptSegment::Basic("you".to_owned()),
                DefaultPromptSegment::Empty,
            );
            return Source::Typed(Box::new(Reedline::create()), prompt);
        }
        Source::Piped(std::io::stdin().lock().lines())
    }

    /// The next line, or `None` at the end.
    fn next(&mut self) -> anyhow::Result<Option<String>> {
        match self {
            Source::Piped(lines) => match lines.next().transpose() {
                Err(why) if why.kind() == ErrorKind::InvalidData => {
                    Err(BadUsage("a line is not UTF-8 text".to_owned()).into())
                }
                next => Ok(next?),
            },
            Source::Typed(editor, prompt) => {
                let typed = editor.read_line(prompt)?;
                // Anything else is the end of the input, or an interrupt.
                Ok(if let Signal::Success(line) = typed { Some(line) } else { None })
            }
        }
    }
}
