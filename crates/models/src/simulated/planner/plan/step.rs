//! One step of a plan: one call of one tool.

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulated::planner) enum Deed {
    Calculate,
    ListNotes,
    ReadNote,
    SaveNote,
    AppendNote,
    Weather,
    SearchWeb,
    ReadMore,
    FindFiles,
    FindText,
    EditFile,
    WriteFile,
    ReadFile,
    Delegate,
}

/// What a step reads or changes beside its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulated::planner) enum Touch {
    /// Nothing that another step could change.
    Nothing,
    /// Reads notes or files.
    Reads,
    /// Changes notes or files.
    Changes,
}

impl Deed {
    /// The tool that does it.
    pub(in crate::simulated::planner) fn tool(self) -> &'static str {
        match self {
            Deed::Calculate => "calculator",
            Deed::ListNotes | Deed::ReadNote | Deed::SaveNote | Deed::AppendNote => "notes",
            Deed::Weather => "weather",
            Deed::SearchWeb => "web_search",
            Deed::ReadMore => kernel::agent::MORE,
            Deed::FindFiles => "glob",
            Deed::FindText => "grep",
            Deed::EditFile => "edit",
            Deed::WriteFile => "write",
            Deed::ReadFile => "read",
            Deed::Delegate => kernel::agent::DELEGATE,
        }
    }

    pub(in crate::simulated::planner) fn touches(self) -> Touch {
        match self {
            Deed::Calculate | Deed::Weather | Deed::SearchWeb | Deed::ReadMore | Deed::Delegate => {
                Touch::Nothing
            }
            Deed::ListNotes
            | Deed::ReadNote
            | Deed::FindFiles
            | Deed::FindText
            | Deed::ReadFile => Touch::Reads,
            Deed::SaveNote | Deed::AppendNote | Deed::EditFile | Deed::WriteFile => Touch::Changes,
        }
    }
}

/// A call that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulated::planner) struct Step {
    /// What it does.
    pub(in crate::simulated::planner) deed: Deed,
    /// The tool's input.
    pub(in crate::simulated::planner) input: Vec<(&'static str, Value)>,
    /// All steps before this one must have come to an end: a step that changes something
    /// keeps its place among those that read and change.
    pub(in crate::simulated::planner) after: usize,
}

/// A value in a tool's input.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulated::planner) enum Value {
    /// Pieces of text, put together.
    Text(Vec<Piece>),
    /// A number.
    Number(u64),
    /// Yes.
    Yes,
}

/// A piece of text, now or when a step has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::simulated::planner) enum Piece {
    /// These words.
    Words(String),
    /// The answer of a step.
    Answer(usize),
    /// The answer of a step as a part of a calculation.
    Operand(usize),
    /// The answer of a step with what was asked, for lists of answers.
    Told(usize),
}

impl Piece {
    /// The step that must have answered first.
    pub(in crate::simulated::planner) fn needs(&self) -> Option<usize> {
        match self {
            Piece::Words(_) => None,
            Piece::Answer(step) | Piece::Operand(step) | Piece::Told(step) => Some(*step),
        }
    }
}

impl Step {
    /// The steps whose answers this one uses.
    pub(in crate::simulated::planner) fn needs(&self) -> impl Iterator<Item = usize> {
        self.input
            .iter()
            .flat_map(|(_, value)| match value {
                Value::Text(pieces) => pieces.as_slice(),
                Value::Number(_) | Value::Yes => &[],
            })
            .filter_map(Piece::needs)
    }

    /// Whether its answer is something that "it" can mean.
    pub(in crate::simulated::planner) fn is_telling(&self) -> bool {
        self.deed.touches() != Touch::Changes
    }
}

/// An answer as a part of a calculation: in parentheses, unless it is a plain number.
pub(in crate::simulated::planner) fn operand(answer: &str) -> String {
    let value = answer.trim();
    let value = value.strip_prefix("approx. ").unwrap_or(value);
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { value.to_owned() } else { format!("({value})") }
}
