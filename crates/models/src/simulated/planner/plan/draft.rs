//! Wishes → steps, with what "it" means settled on the way.

use super::step::{Deed, Piece, Step, Touch, Value, operand};
use super::{Part, Plan};
use crate::simulated::planner::arithmetic::{Expression, Written};
use crate::simulated::planner::conversation::{Asked, Conversation};
use crate::simulated::planner::intent::{Intent, Named, Said};
use crate::simulated::planner::reference::Earlier;
use crate::simulated::planner::understand::Heard;

/// Most steps of one plan.
const STEPS_MAX: usize = 24;

/// Why a wish cannot become a step, for the person.
type Lack = String;

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

struct Drafting<'c, 'r> {
    conversation: &'c Conversation<'r>,
    plan: Plan,
    /// Place and day of the last report in this plan.
    weather: Option<(String, Option<String>)>,
}

impl Drafting<'_, '_> {
    fn wish(&mut self, intent: Intent) {
        let part = match intent {
            Intent::Greet => Part::Greet,
            Intent::Thank => Part::Thank,
            Intent::Introduce => Part::Introduce,
            Intent::Unclear(what) => Part::Unclear(what.to_owned()),
            intent => match self.step(intent) {
                Ok(step) => Part::Step(step),
                Err(lack) => Part::Unclear(lack),
            },
        };
        self.plan.parts.push(part);
    }

    /// Adds the step, and those that it needs.
    fn step(&mut self, intent: Intent) -> Result<usize, Lack> {
        let (deed, input) = match intent {
            Intent::Calculate(expression) => {
                (Deed::Calculate, vec![("expression", self.expression(&expression)?)])
            }
            Intent::ListNotes => (Deed::ListNotes, vec![("action", text("list"))]),
            Intent::ReadNote(name) => {
                (Deed::ReadNote, vec![("action", text("read")), ("name", text(self.note(name)?))])
            }
            Intent::SaveNote { name, text: said } => {
                let name = name.unwrap_or_else(|| self.name_for(&said));
                let value = Value::Text(self.said(said, "save")?);
                (
                    Deed::SaveNote,
                    vec![("action", text("save")), ("name", text(name)), ("text", value)],
                )
            }
            Intent::AppendNote { name, text: said } => {
                let name = self.note(name)?;
                let value = Value::Text(self.said(said, "add")?);
                (
                    Deed::AppendNote,
                    vec![("action", text("append")), ("name", text(name)), ("text", value)],
                )
            }
            Intent::Weather { place, day, again } => {
                (Deed::Weather, self.weather(place, day, again)?)
            }
            Intent::SearchWeb(query) => (Deed::SearchWeb, vec![("query", text(query))]),
            Intent::ReadMore => (Deed::ReadMore, self.more()?),
            Intent::FindFiles { pattern, path } => {
                (Deed::FindFiles, with(vec![("pattern", text(pattern))], "path", path.map(text)))
            }
            Intent::FindText { pattern, path, glob } => {
                let path = path.map(|path| self.file(path)).transpose()?;
                let input = with(vec![("pattern", text(pattern))], "path", path.map(text));
                (Deed::FindText, with(input, "glob", glob.map(text)))
            }
            Intent::EditFile { path, old, new, all } => {
                let path = text(self.file(path)?);
                let input =
                    vec![("path", path), ("old_string", text(old)), ("new_string", text(new))];
                (Deed::EditFile, with(input, "replace_all", all.then_some(Value::Yes)))
            }
            Intent::WriteFile { path, content } => {
                let content = Value::Text(self.said(content, "write")?);
                (Deed::WriteFile, vec![("path", text(path)), ("content", content)])
            }
            Intent::ReadFile { path, offset, limit } => self.read_back(path, offset, limit)?,
            Intent::Greet | Intent::Thank | Intent::Introduce | Intent::Unclear(_) => {
                return Err("That is nothing to do.".to_owned());
            }
        };
        Ok(self.add(deed, input))
    }

    fn add(&mut self, deed: Deed, input: Vec<(&'static str, Value)>) -> usize {
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

    /// What "it" is in a calculation: the last thing that can be a number.
    fn number(&self, _: Earlier) -> Result<Piece, Lack> {
        let countable =
            |deed: Deed| matches!(deed, Deed::Calculate | Deed::ReadNote | Deed::ReadFile);
        if let Some(step) = self.plan.steps.iter().rposition(|step| countable(step.deed)) {
            return Ok(Piece::Operand(step));
        }
        let past = self.conversation.calls_before().find_map(|asked| {
            let counts = asked.call.name == Deed::Calculate.tool();
            counts.then(|| asked.answer()).flatten()
        });
        let value = past.ok_or("There is no earlier result to go on calculating with.")?;
        Ok(Piece::Words(operand(value)))
    }

    fn said(&mut self, said: Said, verb: &str) -> Result<Vec<Piece>, Lack> {
        match said {
            Said::Text(words) => Ok(vec![Piece::Words(words)]),
            Said::Results(earlier) => self
                .results(earlier)
                .ok_or_else(|| format!("There is no earlier result to {verb}.")),
            Said::Wish(intent) => Ok(vec![Piece::Answer(self.part_of_text(*intent)?)]),
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
    fn part_of_text(&mut self, intent: Intent) -> Result<usize, Lack> {
        let step = self.step(intent)?;
        self.plan.parts.push(Part::Step(step));
        Ok(step)
    }

    fn results(&self, earlier: Earlier) -> Option<Vec<Piece>> {
        let telling = |step: &Step| step.is_telling();
        let steps = &self.plan.steps;
        let found = match earlier {
            Earlier::Last => steps.iter().rposition(telling).map(|step| vec![Piece::Answer(step)]),
            Earlier::Weather => steps
                .iter()
                .rposition(|step| step.deed == Deed::Weather)
                .map(|step| vec![Piece::Answer(step)]),
            Earlier::All => {
                listed((0..steps.len()).filter(|step| telling(&steps[*step])).map(Piece::Told))
            }
        };
        found.or_else(|| self.past_results(earlier))
    }

    fn past_results(&self, earlier: Earlier) -> Option<Vec<Piece>> {
        let words =
            |asked: &Asked<'_>| asked.answer().map(|answer| Piece::Words(answer.to_owned()));
        let mut before = self.conversation.calls_before().filter(|asked| is_telling_call(asked));
        match earlier {
            Earlier::Last => before.find_map(words).map(|piece| vec![piece]),
            Earlier::Weather => before
                .filter(|asked| asked.call.name == Deed::Weather.tool())
                .find_map(words)
                .map(|piece| vec![piece]),
            Earlier::All => {
                let last = self.conversation.past.last()?;
                listed(last.calls.iter().filter(|asked| is_telling_call(asked)).filter_map(words))
            }
        }
    }

    /// The name of a note: the given one, or that of the last note that was spoken of.
    fn note(&self, name: Named) -> Result<String, Lack> {
        let spoken = || self.spoken("name", &[Deed::SaveNote.tool()]);
        match name {
            Named::Given(name) => Ok(name),
            Named::Last => spoken().ok_or_else(|| "Which note? Please say its name.".to_owned()),
        }
    }

    fn file(&self, path: Named) -> Result<String, Lack> {
        let tools = [Deed::WriteFile.tool(), Deed::EditFile.tool(), Deed::ReadFile.tool()];
        match path {
            Named::Given(path) => Ok(path),
            Named::Last => self
                .spoken("path", &tools)
                .ok_or_else(|| "Which file? Please say its name.".to_owned()),
        }
    }

    /// The words of a field in the last call of one of these tools, in this plan or before.
    fn spoken(&self, field: &str, tools: &[&str]) -> Option<String> {
        let planned = self.plan.steps.iter().rev().filter(|step| tools.contains(&step.deed.tool()));
        let fields = |step: &Step| {
            step.input.iter().find(|(name, _)| *name == field).and_then(|(_, value)| words(value))
        };
        let past = || {
            self.conversation
                .calls_before()
                .filter(|asked| tools.contains(&asked.call.name.as_str()))
        };
        planned
            .filter_map(|step| fields(step))
            .next()
            .or_else(|| past().find_map(|asked| asked.field(field)))
    }

    /// "read it back": whatever was written last, a file or a note.
    fn read_back(
        &self,
        path: Named,
        offset: Option<u64>,
        limit: Option<u64>,
    ) -> Result<(Deed, Vec<(&'static str, Value)>), Lack> {
        let writes =
            |step: &&Step| step.deed.touches() != Touch::Nothing && step.deed != Deed::ListNotes;
        let on_note = self
            .plan
            .steps
            .iter()
            .rev()
            .find(writes)
            .is_some_and(|step| step.deed.tool() == Deed::SaveNote.tool());
        if path == Named::Last && on_note {
            return Ok((
                Deed::ReadNote,
                vec![("action", text("read")), ("name", text(self.note(Named::Last)?))],
            ));
        }
        let input = vec![("path", text(self.file(path)?))];
        let input = with(input, "offset", offset.map(Value::Number));
        Ok((Deed::ReadFile, with(input, "limit", limit.map(Value::Number))))
    }

    fn weather(
        &mut self,
        place: Option<String>,
        day: Option<String>,
        again: bool,
    ) -> Result<Vec<(&'static str, Value)>, Lack> {
        let before = self.weather.clone().or_else(|| self.past_weather());
        if again && before.is_none() {
            return Err("I do not know what that goes on with.".to_owned());
        }
        let before_place = before.as_ref().map(|(place, _)| place.clone());
        let day = day.or_else(|| before.filter(|_| again).and_then(|(_, day)| day));
        let place = place
            .or(before_place)
            .ok_or("For the weather I need a place, as in `weather in Lisbon`.")?;
        self.weather = Some((place.clone(), day.clone()));
        Ok(with(vec![("place", text(place))], "day", day.map(text)))
    }

    fn past_weather(&self) -> Option<(String, Option<String>)> {
        let last = self
            .conversation
            .calls_before()
            .find(|asked| asked.call.name != kernel::agent::END_TASK)?;
        let reported = last.call.name == Deed::Weather.tool();
        reported.then(|| last.field("place").map(|place| (place, last.field("day")))).flatten()
    }

    /// Where the last cut result goes on.
    fn more(&self) -> Result<Vec<(&'static str, Value)>, Lack> {
        let cut = self.conversation.calls_before().filter_map(Asked::answer).find_map(handle);
        let (handle, offset) = cut.ok_or("There is no cut result to read on in.")?;
        Ok(vec![("handle", text(handle)), ("offset", Value::Number(offset))])
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
            Said::Results(Earlier::Last | Earlier::All) | Said::Several(_) => "result".to_owned(),
            Said::Wish(intent) => match intent.as_ref() {
                Intent::Weather { .. } => "weather".to_owned(),
                _ => "result".to_owned(),
            },
        }
    }
}

fn is_telling_call(asked: &Asked<'_>) -> bool {
    let action = asked.field("action");
    let tool = asked.call.name.as_str();
    let changes = matches!(action.as_deref(), Some("save" | "append"))
        || tool == Deed::WriteFile.tool()
        || tool == Deed::EditFile.tool()
        || tool == kernel::agent::END_TASK;
    !changes
}

/// The handle and offset in the words at the end of a cut result.
fn handle(answer: &str) -> Option<(String, u64)> {
    let from = answer.rfind("{\"handle\"")?;
    let length = answer[from..].find('}')? + 1;
    let json: serde_json::Value = serde_json::from_str(&answer[from..from + length]).ok()?;
    Some((json.get("handle")?.as_str()?.to_owned(), json.get("offset")?.as_u64()?))
}

fn listed(pieces: impl Iterator<Item = Piece>) -> Option<Vec<Piece>> {
    let mut lines = Vec::new();
    for piece in pieces {
        if !lines.is_empty() {
            lines.push(Piece::Words("\n".to_owned()));
        }
        lines.push(piece);
    }
    (!lines.is_empty()).then_some(lines)
}

fn text(words: impl Into<String>) -> Value {
    Value::Text(vec![Piece::Words(words.into())])
}

fn with(
    mut input: Vec<(&'static str, Value)>,
    name: &'static str,
    value: Option<Value>,
) -> Vec<(&'static str, Value)> {
    input.extend(value.map(|value| (name, value)));
    input
}

/// The words of a value that needs no step.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Text(pieces) => match pieces.as_slice() {
            [Piece::Words(words)] => Some(words.clone()),
            _ => None,
        },
        Value::Number(_) | Value::Yes => None,
    }
}
