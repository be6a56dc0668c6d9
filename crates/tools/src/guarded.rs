//! One toolbox in front of several: one list, one place where results are looked at.
//!
//! What a tool brings from outside is marked as data, in a frame that its own text cannot
//! close, and searched for orders to the agent. Nothing is blocked or left out here: what
//! was found is told with the result, and a policy may ask because of it.

mod scan;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox};
use kernel::agent::ToolSpec;
use kernel::frame;
use kernel::verdict::Examined;

/// Several toolboxes as one.
pub struct Guarded {
    boxes: Vec<Arc<dyn Toolbox>>,
    /// Which box has a tool.
    places: BTreeMap<String, usize>,
}

/// Two toolboxes have a tool of the same name, so nobody could tell which is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two tools with the name `{0}`\ngive one of them another name")]
pub struct Doubled(pub String);

impl Guarded {
    /// The toolboxes in this order.
    ///
    /// # Errors
    /// Two of their tools have one name.
    pub fn new(boxes: Vec<Arc<dyn Toolbox>>) -> Result<Self, Doubled> {
        let mut places = BTreeMap::new();
        for (place, toolbox) in boxes.iter().enumerate() {
            for spec in toolbox.specs() {
                if places.insert(spec.name.clone(), place).is_some() {
                    return Err(Doubled(spec.name));
                }
            }
        }
        Ok(Guarded { boxes, places })
    }

    /// The box that has a tool. A box may have come to know more tools since it was made.
    fn with(&self, name: &str) -> Option<&Arc<dyn Toolbox>> {
        let known = self.places.get(name).map(|place| &self.boxes[*place]);
        known.or_else(|| {
            self.boxes.iter().find(|one| one.specs().iter().any(|spec| spec.name == name))
        })
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("places", &self.places).finish_non_exhaustive()
    }
}

#[async_trait]
impl Toolbox for Guarded {
    fn specs(&self) -> Vec<ToolSpec> {
        self.boxes.iter().flat_map(|one| one.specs()).collect()
    }

    async fn examine(&self, call: &ToolCall) -> Examined {
        match self.with(&call.spec.name) {
            Some(toolbox) => toolbox.examine(call).await,
            None => Examined::nothing(),
        }
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        let Some(toolbox) = self.with(&call.spec.name) else {
            return Err(ToolError::Gone(call.spec.name.clone()));
        };
        Ok(looked_at(&call.spec, toolbox.run(call).await?).await)
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        let Some(toolbox) = self.with(&call.spec.name) else {
            return Reconciled::Unknown(format!("there is no tool `{}` here", call.spec.name));
        };
        match toolbox.reconcile(call).await {
            Reconciled::Done(output) => Reconciled::Done(looked_at(&call.spec, output).await),
            other @ (Reconciled::NotDone | Reconciled::Unknown(_)) => other,
        }
    }
}

/// A result, marked and searched as its tool asks for it. Failures are treated alike:
/// their words may be a stranger's too.
async fn looked_at(spec: &ToolSpec, output: ToolOutput) -> ToolOutput {
    if !spec.untrusted {
        return match scan::is_searched(&spec.name) {
            true => searched(output, 0).await,
            false => output,
        };
    }
    // What is searched is the stranger's text: our own marks are no sign of anything.
    let marked = ToolOutput { content: frame::defused(&output.content), ..output };
    let found = searched(marked, frame::opening(&spec.name).len()).await;
    ToolOutput { content: frame::around(&spec.name, &found.content), ..found }
}

/// The same result, with the signs in it. `shift`: bytes that will stand before it.
async fn searched(output: ToolOutput, shift: usize) -> ToolOutput {
    let (content, signs) = scan::search(output.content, shift).await;
    ToolOutput { content, signs: signs.or(output.signs), ..output }
}

#[cfg(test)]
mod tests;
