//! What "it", "the note" and "the rest" mean: looked up in the plan so far, then in the
//! conversation before.

use super::draft::{Drafting, Input, Lack, text, with};
use super::step::{Deed, Piece, Step, Touch, Value, operand};
use crate::simulated::planner::conversation::Asked;
use crate::simulated::planner::intent::Named;
use crate::simulated::planner::reference::Earlier;

impl Drafting<'_, '_> {
    /// What "it" is in a calculation: the last thing that can be a number.
    pub(super) fn number(&self, _: Earlier) -> Result<Piece, Lack> {
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

    pub(super) fn results(&self, earlier: Earlier) -> Option<Vec<Piece>> {
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
    pub(super) fn note(&self, name: Named) -> Result<String, Lack> {
        let spoken = || self.spoken("name", &[Deed::SaveNote.tool()]);
        match name {
            Named::Given(name) => Ok(name),
            Named::Last => spoken().ok_or_else(|| "Which note? Please say its name.".to_owned()),
        }
    }

    pub(super) fn file(&self, path: Named) -> Result<String, Lack> {
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
        let mut planned =
            self.plan.steps.iter().rev().filter(|step| tools.contains(&step.deed.tool()));
        let fields = |step: &Step| {
            step.input.iter().find(|(name, _)| *name == field).and_then(|(_, value)| words(value))
        };
        let past = || {
            self.conversation
                .calls_before()
                .filter(|asked| tools.contains(&asked.call.name.as_str()))
        };
        planned.find_map(fields).or_else(|| past().find_map(|asked| asked.field(field)))
    }

    /// "read it back": whatever was written last, a file or a note.
    pub(super) fn read_back(
        &self,
        path: Named,
        offset: Option<u64>,
        limit: Option<u64>,
    ) -> Result<(Deed, Input), Lack> {
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

    pub(super) fn weather(
        &mut self,
        place: Option<String>,
        day: Option<String>,
        again: bool,
    ) -> Result<Input, Lack> {
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
    pub(super) fn more(&self) -> Result<Input, Lack> {
        let cut = self.conversation.calls_before().filter_map(Asked::answer).find_map(handle);
        let (handle, offset) = cut.ok_or("There is no cut result to read on in.")?;
        Ok(vec![("handle", text(handle)), ("offset", Value::Number(offset))])
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
