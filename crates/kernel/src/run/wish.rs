//! What a model asks for its child, held against what there is to give.
//!
//! Whatever does not fit comes back in words that the model can work with; nothing is
//! begun then. What it does not say is an even share of what is left.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::{Agent, DELEGATE, END_TASK, Limits, MORE};
use crate::message::Arguments;
use crate::units::Money;
use crate::verdict::Trust;

/// The fewest turns that a child can work with: one with tools, one to answer.
const TURNS_MIN: u32 = 2;

/// The input of `delegate`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    pub(super) task: String,
    tools: Option<Vec<String>>,
    budget_usd: Option<Value>,
    turns: Option<u32>,
    children: Option<u32>,
    trust: Option<Trust>,
}

impl Wish {
    pub(super) fn read(arguments: &Arguments) -> Result<Self, String> {
        let raw = match arguments {
            Arguments::Json(raw) => raw,
            Arguments::Malformed(_) => return Err("the arguments are not JSON".to_owned()),
        };
        let wish: Wish = raw.read().map_err(|why| format!("the input does not fit: {why}"))?;
        if wish.task.trim().is_empty() {
            return Err("the task is empty; say in words what the child is to do".to_owned());
        }
        Ok(wish)
    }

    pub(super) fn children(&self) -> u32 {
        self.children.unwrap_or(0)
    }

    /// Whether the child gets the tool of that name.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.iter().any(|tool| tool == name))
    }

    /// A child has no tool that its parent does not have.
    pub(super) fn check_tools(&self, agent: &Agent) -> Result<(), String> {
        let tools = self.tools.as_deref().unwrap_or_default();
        if let Some(foreign) = tools.iter().find(|name| agent.tool(name).is_none()) {
            let to_give = |name: &&str| ![DELEGATE, END_TASK, MORE].contains(name);
            let own: Vec<&str> = agent.tools.iter().map(|tool| tool.name.as_str()).collect();
            let own: Vec<&str> = own.into_iter().filter(to_give).collect();
            let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
            return Err(format!("you have no tool `{foreign}` to give; you have: {own}"));
        }
        if tools.iter().any(|name| name == DELEGATE) && self.children() == 0 {
            let words = "a child that gets `delegate` also needs `children`: how many it may begin";
            return Err(words.to_owned());
        }
        Ok(())
    }

    fn budget(&self) -> Result<Option<Money>, String> {
        let text = match &self.budget_usd {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                return Err("`budget_usd` is an amount in dollars like `0.25`".to_owned());
            }
        };
        text.parse().map(Some).map_err(|why| format!("`budget_usd`: {why}"))
    }
}

/// The child's cap: what was asked for, or an even share of what is free among the
/// `sharing` that will need it. `free` is `None` where the parent has no cap.
pub(super) fn cap(
    wish: &Wish,
    free: Option<Money>,
    sharing: u32,
    priced: bool,
) -> Result<Option<Money>, String> {
    match (wish.budget()?, free) {
        (Some(asked), Some(free)) if asked > free => Err(format!(
            "a budget of {asked} is more than there is: {free} of this task's budget is free"
        )),
        (Some(_), _) if !priced => {
            Err("this model has no price, so no budget can be kept; leave `budget_usd` out".into())
        }
        (Some(asked), _) => Ok(Some(asked)),
        (None, Some(free)) => Ok(Some(Money(free.0 / u64::from(sharing)))),
        (None, None) => Ok(None),
    }
}

/// The child's trust, where it is to have less than its parent.
pub(super) fn trust(wish: &Wish, own: Trust) -> Result<Option<Trust>, String> {
    match wish.trust {
        Some(asked) if asked > own => Err(format!(
            "a trust of `{}` is more than there is: yours is `{}`",
            asked.name(),
            own.name()
        )),
        asked => Ok(asked.filter(|asked| *asked < own)),
    }
}

/// The child's turns. The parent keeps one, for its last answer.
pub(super) fn turns(wish: &Wish, left: u32, sharing: u32) -> Result<u32, String> {
    let most = left.saturating_sub(1);
    if most < TURNS_MIN {
        return Err("there are too few turns left to give a child any; do it yourself".to_owned());
    }
    match wish.turns {
        Some(asked) if asked < TURNS_MIN => {
            Err(format!("a child needs at least {TURNS_MIN} turns: one to work and one to answer"))
        }
        Some(asked) if asked > most => {
            Err(format!("{asked} turns are more than there are: at most {most} can be given"))
        }
        Some(asked) => Ok(asked),
        None => Ok((left / sharing).clamp(TURNS_MIN, most)),
    }
}

/// The children that the child may begin. It counts as one itself.
pub(super) fn children(wish: &Wish, limits: &Limits, left: u32) -> Result<u32, String> {
    let asked = wish.children();
    if limits.child_depth_max == 0 {
        return Err("children may not go deeper than this; do it yourself".to_owned());
    }
    let Some(most) = left.checked_sub(1) else {
        let all = limits.children_max;
        return Err(format!("all children of this task are begun ({all}); do it yourself"));
    };
    if asked > 0 && limits.child_depth_max < 2 {
        return Err("children of this child would be too deep; leave `children` out".to_owned());
    }
    if asked > 0 && limits.children_at_once_max < 2 {
        let words = "only one child may live at a time, so this one can have none of its own";
        return Err(words.to_owned());
    }
    if asked > most {
        return Err(format!(
            "{asked} children of its own are more than there are: at most {most} can be given"
        ));
    }
    Ok(asked)
}
