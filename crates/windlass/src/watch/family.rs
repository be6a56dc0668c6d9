//! Which sessions are watched together: the one that was asked for, and the children that
//! come forth from it, each under a label of its own.

use std::collections::BTreeMap;

use kernel::event::{Carve, Fact, Returned, Sealed};
use kernel::message::{Block, ToolUse};
use kernel::run::Run;
use kernel::units::SessionId;

/// Sessions by id. Those that nobody asked about are not in it.
#[derive(Default)]
pub(crate) struct Family {
    members: BTreeMap<SessionId, Member>,
}

/// One session that is watched.
#[derive(Default)]
pub(super) struct Member {
    /// `1`, `2`, and `1.1` for a child of the first; nothing for the one asked for.
    pub(super) label: String,
    /// What its last answer asked for.
    pub(super) calls: Vec<ToolUse>,
    children: u32,
}

impl Family {
    /// The member, if it is one; the session asked for always is.
    pub(super) fn member(&mut self, asked_for: SessionId, of: SessionId) -> Option<&mut Member> {
        if of == asked_for {
            return Some(self.members.entry(of).or_default());
        }
        self.members.get_mut(&of)
    }

    /// Learns from a fact of a member: its calls, and its children.
    pub(super) fn learn(&mut self, of: SessionId, sealed: &Sealed) {
        let Some(member) = self.members.get_mut(&of) else { return };
        if let Fact::ModelReplied { reply, .. } = &sealed.event.fact {
            member.calls = reply.content.iter().filter_map(tool_use).cloned().collect();
        }
        if let Fact::ChildBegun { child, .. } = &sealed.event.fact {
            member.children += 1;
            let dot = if member.label.is_empty() { "" } else { "." };
            let label = format!("{}{dot}{}", member.label, member.children);
            self.members.insert(*child, Member { label, ..Member::default() });
        }
    }

    /// Gets to know the children that lived before anybody watched.
    pub(super) fn meet(&mut self, session: SessionId, run: &Run) {
        let member = self.members.entry(session).or_default();
        member.children = run.children;
        let living: Vec<SessionId> = run.living().map(|child| child.session).collect();
        for child in living {
            let member = self.members.entry(session).or_default();
            member.children += 1;
            let label = member.children.to_string();
            self.members.insert(child, Member { label, ..Member::default() });
        }
    }

    /// The label of a child.
    pub(super) fn label(&self, child: SessionId) -> &str {
        self.members.get(&child).map_or("", |member| &member.label)
    }
}

impl Member {
    /// What begins its lines: nothing for the session asked for, room and its label else.
    pub(super) fn margin(&self) -> String {
        match self.label.split('.').count() {
            _ if self.label.is_empty() => String::new(),
            depth => format!("{}{}│ ", "  ".repeat(depth), self.label),
        }
    }

    /// The call that came to this end.
    pub(super) fn call_of(&self, returned: &Returned) -> Option<&ToolUse> {
        self.calls.iter().find(|call| call.id == returned.call)
    }

    /// The task that a call gives to its child.
    pub(super) fn task_of(&self, call: &str) -> String {
        let call = self.calls.iter().find(|one| one.id == call);
        let input = call.map(|call| call.arguments.text());
        let input: Option<serde_json::Value> =
            input.and_then(|text| serde_json::from_str(text).ok());
        let task = input.and_then(|input| Some(input.get("task")?.as_str()?.to_owned()));
        task.unwrap_or_default()
    }
}

/// A child's beginning, for people.
pub(super) fn begun(label: &str, task: &str, carve: &Carve) -> String {
    format!("child {label}: {} ({})", crate::show::one_line(task), crate::show::carved(carve))
}

fn tool_use(block: &Block) -> Option<&ToolUse> {
    if let Block::ToolUse(call) = block { Some(call) } else { None }
}
