//! Whether a request's history is one that a vendor accepts.
//!
//! Knows what the vendors answer with HTTP 400, as their documentation and their error
//! messages tell it: one pass over the tree of a request, every broken rule with its
//! place. A request without a finding may still be refused for what only the vendor can
//! know (a model's name, a signature, the length).

mod anthropic;
mod openai;

use std::fmt;

pub use anthropic::check_anthropic;
pub use openai::check_openai;

/// What a vendor demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A required field is there and of its type.
    FieldPresent,
    /// A number lies in its range.
    NumberInRange,
    /// A message's role is one of the vendor's.
    RoleKnown,
    /// The first message is the user's.
    FirstIsUser,
    /// Speakers alternate.
    RolesAlternate,
    /// A message has content.
    ContentPresent,
    /// A text block has more than white space.
    TextNotEmpty,
    /// A block stands in a message of the speaker that may say it.
    BlockOfSpeaker,
    /// A call's id fits the vendor's pattern and was not used before.
    CallIdUnique,
    /// A tool's name fits the vendor's pattern.
    ToolName,
    /// Two tools have two names, and a chosen tool is declared.
    ToolDeclared,
    /// A call's arguments are a JSON object, or the text of a JSON value.
    Arguments,
    /// Every call is answered in the very next message.
    CallAnswered,
    /// Every result answers a call of the message before, and only once.
    ResultHasCall,
    /// Results come before any other block.
    ResultsFirst,
    /// A result that is an error has words.
    ErrorHasWords,
    /// Thinking is signed, and never the end of an answer.
    Thinking,
    /// At most four cache marks, none on thinking.
    CacheMarks,
}

impl Rule {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Rule::FieldPresent => "field_present",
            Rule::NumberInRange => "number_in_range",
            Rule::RoleKnown => "role_known",
            Rule::FirstIsUser => "first_is_user",
            Rule::RolesAlternate => "roles_alternate",
            Rule::ContentPresent => "content_present",
            Rule::TextNotEmpty => "text_not_empty",
            Rule::BlockOfSpeaker => "block_of_speaker",
            Rule::CallIdUnique => "call_id_unique",
            Rule::ToolName => "tool_name",
            Rule::ToolDeclared => "tool_declared",
            Rule::Arguments => "arguments",
            Rule::CallAnswered => "call_answered",
            Rule::ResultHasCall => "result_has_call",
            Rule::ResultsFirst => "results_first",
            Rule::ErrorHasWords => "error_has_words",
            Rule::Thinking => "thinking",
            Rule::CacheMarks => "cache_marks",
        }
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Where: `messages[3].content[0]`.
    pub place: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule.code())
    }
}

/// The findings of one check.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    /// Notes the rule as broken at this place unless it is kept.
    fn demand(&mut self, kept: bool, rule: Rule, place: fmt::Arguments<'_>) {
        if !kept {
            let place = place.to_string();
            self.0.push(Violation { rule, place });
        }
    }
}

/// Whether a text is one to `chars_max` of `[a-zA-Z0-9_-]`.
fn is_word(text: &str, chars_max: usize) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.len() <= chars_max && text.bytes().all(fits)
}
