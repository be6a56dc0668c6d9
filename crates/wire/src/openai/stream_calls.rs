//! Tool calls while they grow, each found again by what its server gives: an index, an
//! id, or nothing but the order.

use kernel::json::Extra;
use kernel::message::{Block, Delta, ToolUse};
use serde_json::Value;

use super::calls::{arguments_text, read_arguments};
use crate::json::{Fields, Wrong, grow};
use crate::vendor::Vendor;

/// The calls of one answer, in the order they began.
#[derive(Debug, Default)]
pub(super) struct GrowingCalls(Vec<Call>);

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    rest: Extra,
}

impl GrowingCalls {
    /// Takes a piece of a call in. Gives the size of its arguments in bytes.
    pub(super) fn take(&mut self, mut piece: Fields, seen: &mut Vec<Delta>) -> Result<u64, Wrong> {
        let index: Option<u64> = piece.take_as("index")?;
        let id: String = piece.take_as("id")?.unwrap_or_default();
        let _ = piece.take("type");
        let function: Option<Fields> = piece.take_as("function")?;
        let (mut name, mut arguments, mut rest) = (String::new(), String::new(), piece.rest());
        if let Some(mut function) = function {
            name = function.take_as("name")?.unwrap_or_default();
            arguments = arguments_text(function.take("arguments"));
            let inner = function.rest();
            if !inner.is_empty() {
                rest.insert("function".to_owned(), Value::Object(inner));
            }
        }
        let call = self.find(index, &id, &name);
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name.is_empty() && !name.is_empty() {
            seen.push(Delta::ToolUse(name.clone()));
            call.name = name;
        }
        call.arguments.push_str(&arguments);
        for (name, piece) in rest {
            grow(&mut call.rest, name, piece);
        }
        Ok(arguments.len() as u64)
    }

    /// The call that a piece belongs to, or a new one.
    fn find(&mut self, index: Option<u64>, id: &str, name: &str) -> &mut Call {
        let found = match index {
            Some(_) => self.0.iter().rposition(|call| call.index == index),
            None if !id.is_empty() => self.0.iter().rposition(|call| call.id == id),
            None => self.0.len().checked_sub(1),
        };
        let same = found.filter(|at| self.0[*at].goes_on_with(index, id, name));
        let at = same.unwrap_or_else(|| {
            self.0.push(Call { index, ..Call::default() });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// The calls as blocks.
    pub(super) fn into_blocks(self) -> impl Iterator<Item = Block> {
        self.0.into_iter().map(|call| {
            Block::ToolUse(ToolUse {
                id: call.id,
                name: call.name,
                arguments: read_arguments(&call.arguments),
                extra: Vendor::OpenAi.keep(call.rest),
            })
        })
    }
}

impl Call {
    /// Whether the piece is more of this call. Some servers give each call the same
    /// index, and some give neither index nor id: then another id, or a name where one
    /// is already known, begins another call.
    fn goes_on_with(&self, index: Option<u64>, id: &str, name: &str) -> bool {
        let other_id = !id.is_empty() && !self.id.is_empty() && self.id != id;
        let unnumbered = index.is_none() && id.is_empty();
        let other_name = unnumbered && !name.is_empty() && !self.name.is_empty();
        !other_id && !other_name
    }
}
