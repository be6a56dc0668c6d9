//! Wishes → steps, each with the input of its tool.

use super::step::{Deed, Piece, Step, Touch, Value};
use super::{Part, Plan};
use crate::simulated::planner::arithmetic::{Expression, Written};
use crate::simulated::planner::conversation::Conversation;
use crate::simulated::planner::intent::{Intent, Said, Task};
use crate::simulated::planner::reference::Earlier;
use crate::simulated::planner::understand::Heard;

/// Most steps of one plan.
const STEPS_MAX: usize = 24;

/// Why a wish cannot become a step, for the person.
pub(super) type Lack = String;

/// The plan for what was heard.
pub(in crate::simulated::planner) fn draft(
    heard: Vec<Heard>,
    conversation: &Conversation<'_>,
) -> Plan {
    let mut drafting = Drafting { conversation, plan: Plan::default(), weather: None };
    let mut left = 0;
    for one in heard {
        match one {
            Heard::Wish(_) | Heard::Mended(..) if drafting.plan.steps.len() >= STEPS_MAX => {
                left += 1
            }
            Heard::Wish(intent) => drafting.wish(intent),
            Heard::Mended(intent, slips) => {
                if !slips.is_empty() {
                    drafting.plan.parts.push(Part::Mended(slips));
                }
                drafting.wish(intent);
            }
            Heard::Strange(words) => drafting.plan.parts.push(Part::Strange(words)),
            Heard::TooMany(more) => left += more,
        }
    }
    if left > 0 {
        drafting.plan.parts.push(Part::TooMany(left));
    }
    drafting.plan
}

pub(super) struct Drafting<'c, 'r> {
    pub(super) conversation: &'c Conversation<'r>,
    pub(super) plan: Plan,
    /// Place and day of the last report in this plan.
    pub(super) weather: Option<(String, Option<String>)>,
}

/// A tool's input: names and values.
pub(super) type Input = Vec<(&'static str, Value)>;

impl Drafting<'_, '_> {
    fn wish(&mut self, intent: Intent) {
        let part = match intent {
            Intent::Say(remark) => Part::Say(remark),
            Intent::Unclear(what) => Part::Unclear(what.to_owned()),
            Intent::Do(task) => self.step(task).map_or_else(Part::Unclear, Part::Step),
        };
        self.plan.parts.push(part);
    }

    /// Adds the step, and those that it needs.
    fn step(&mut self, task: Task) -> Result<usize, Lack> {
        let (deed, input) = match task {
            Task::Calculate(expression) => {
                (Deed::Calculate, vec![("expression", self.expression(&expression)?)])
            }
            Task::ListNotes => (Deed::ListNotes, vec![("action", text("list"))]),
            Task::ReadNote(name) => {
                (Deed::ReadNote, vec![("action", text("read")), ("name", text(self.note(name)?))])
            }
            Task::SaveNote { name, text: said } => {
                let name = name.unwrap_or_else(|| self.name_for(&said));
                let value = Value::Text(self.said(said, "save")?);
                (
                    Deed::SaveNote,
                    vec![("action", text("save")), ("name", text(name)), ("text", value)],
                )
            }
            Task::AppendNote { name, text: said } => {
                let name = self.note(name)?;
                let value = Value::Text(self.said(said, "add")?);
                (
                    Deed::AppendNote,
                    vec![("action", text("append")), ("name", text(name)), ("text", value)],
                )
            }
            Task::Weather { place, day, again } => {
                (Deed::Weather, self.weather(place, day, again)?)
            }
            Task::SearchWeb(query) => (Deed::SearchWeb, vec![("query", text(query))]),
            Task::ReadMore => (Deed::ReadMore, self.more()?),
            Task::FindFiles { pattern, path } => {
                (Deed::FindFiles, with(vec![("pattern", text(pattern))], "path", path.map(text)))
            }
            Task::FindText { pattern, path, glob } => {
                let path = path.map(|path| self.file(path)).transpose()?;
                let input = with(vec![("pattern", text(pattern))], "path", path.map(text));
                (Deed::FindText, with(input, "glob", glob.map(text)))
            }
            Task::EditFile { path, old, new, all } => {
                let path = text(self.file(path)?);
                let input =
                    vec![("path", path), ("old_string", text(old)), ("new_string", text(new))];
                (Deed::EditFile, with(input, "replace_all", all.then_some(Value::Yes)))
            }
            Task::WriteFile { path, content } => {
                let content = Value::Text(self.said(content, "write")?);
                (Deed::WriteFile, vec![("path", text(path)), ("content", content)])
            }
            Task::ReadFile { path, offset, limit } => self.read_back(path, offset, limit)?,
        };
        Ok(self.add(deed, input))
    }

    fn add(&mut self, deed: Deed, input: Input) -> usize {
        let steps = &self.plan.steps;
        let repeated = |step: &Step| {
            step.deed == deed && step.input == input && deed.touches() == Touch::Nothing
        };
        if let Some(same) = steps.iter().position(repeated) {
            return same;
        }
        let after = match deed.touches() {
            Touch::Nothing => 0,
            Touch::Reads => steps
                .iter()
                .rposition(|step| step.deed.touches() == Touch::Changes)
                .map_or(0, |last| last + 1),
            Touch::Changes => steps.len(),
        };
        self.plan.steps.push(Step { deed, input, after });
        self.plan.steps.len() - 1
    }

    fn expression(&self, expression: &Expression) -> Result<Value, Lack> {
        let mut pieces = Vec::new();
        for part in expression.written() {
            pieces.push(match part {
                Written::Text(words) => Piece::Words(words),
                Written::Earlier(earlier) => self.number(earlier)?,
            });
        }
        Ok(Value::Text(pieces))
    }

    fn said(&mut self, said: Said, verb: &str) -> Result<Vec<Piece>, Lack> {
        match said {
            Said::Text(words) => Ok(vec![Piece::Words(words)]),
            Said::Results(earlier) => self
                .results(earlier)
                .ok_or_else(|| format!("There is no earlier result to {verb}.")),
            Said::Wish(task) => Ok(vec![Piece::Answer(self.part_of_text(*task)?)]),
            Said::Several(parts) => {
                let mut pieces = Vec::new();
                for part in parts {
                    if !pieces.is_empty() {
                        pieces.push(Piece::Words("\n".to_owned()));
                    }
                    pieces.extend(self.said(part, verb)?);
                }
                Ok(pieces)
            }
        }
    }

    /// A step that is taken for the text it comes to. The answer tells of it too.
    fn part_of_text(&mut self, task: Task) -> Result<usize, Lack> {
        let step = self.step(task)?;
        self.plan.parts.push(Part::Step(step));
        Ok(step)
    }

    /// A name for a note that was given none.
    fn name_for(&self, said: &Said) -> String {
        match said {
            Said::Text(words) => {
                let words =
                    words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
                let name = words.take(3).collect::<Vec<_>>().join("-").to_lowercase();
                if name.is_empty() { "note".to_owned() } else { name }
            }
            Said::Results(Earlier::Weather) => "weather".to_owned(),
            Said::Wish(task) if matches!(task.as_ref(), Task::Weather { .. }) => {
                "weather".to_owned()
            }
            Said::Results(Earlier::Last | Earlier::All) | Said::Several(_) | Said::Wish(_) => {
                "result".to_owned()
            }
        }
    }
}

pub(super) fn text(words: impl Into<String>) -> Value {
    Value::Text(vec![Piece::Words(words.into())])
}

pub(super) fn with(mut input: Input, name: &'static str, value: Option<Value>) -> Input {
    input.extend(value.map(|value| (name, value)));
    input
}
