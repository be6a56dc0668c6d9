//! Which agents there are, and what their sessions work with.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::agent::Frozen;
use kernel::event::SessionScope;
use kernel::run::State;
use kernel::verdict::Trust;

use super::{Model, Principal, Toolbox};
use crate::Engine;

/// What a session's agent works with.
#[derive(Clone)]
pub struct Outfit {
    /// Who answers its requests.
    pub model: Arc<dyn Model>,
    /// Who runs its tools.
    pub toolbox: Arc<dyn Toolbox>,
}

/// An agent that sessions can be begun with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its name.
    pub agent: String,
    /// The model that it asks first.
    pub model: String,
    /// The names of its tools, before a session takes some away.
    pub tools: Vec<String>,
    /// How far they reach at most.
    pub trust: Trust,
}

/// A wish to begin a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The agent's name.
    pub agent: String,
    /// The folder of its file tools; one of its own where absent.
    pub workdir: Option<String>,
    /// Less trust than the agent has.
    pub trust: Option<Trust>,
    /// The kind of task.
    pub task_type: Option<String>,
}

/// All that a session begins with.
#[derive(Clone)]
pub struct Cast {
    /// The agent, with the tools that the session gets.
    pub agent: Frozen,
    /// What it is composed for.
    pub scope: SessionScope,
    /// The folder of its file tools.
    pub workdir: String,
    /// What it works with.
    pub outfit: Outfit,
}

/// Why there is no outfit, named for what the caller does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no such agent: name another.
    #[error("{0}")]
    Unknown(String),
    /// A lawful no.
    #[error("{0}")]
    Refused(String),
    /// Something does not work here; it may later.
    #[error("{0}")]
    Broken(String),
}

/// Who brings what a session works with.
#[async_trait]
pub trait Outfitter: Send + Sync {
    /// The outfit of a session that is there.
    ///
    /// # Errors
    /// [`Unfit`].
    async fn outfit(&self, state: &State) -> Result<Outfit, Unfit>;
}

/// The agents of an installation.
#[async_trait]
pub trait Roster: Outfitter {
    /// The agents, by name.
    fn cards(&self) -> Vec<Card>;

    /// Composes a session for somebody. Nothing is stored yet.
    ///
    /// # Errors
    /// [`Unfit`].
    async fn cast(&self, who: &Principal, wish: &Wish) -> Result<Cast, Unfit>;
}

/// Where there is one agent, its sessions work with what the engine has.
#[async_trait]
impl Outfitter for Engine {
    async fn outfit(&self, _: &State) -> Result<Outfit, Unfit> {
        Ok(Outfit { model: Arc::clone(&self.model), toolbox: Arc::clone(&self.toolbox) })
    }
}

impl Engine {
    /// The same engine with another outfit.
    #[must_use]
    pub fn with(&self, outfit: Outfit) -> Engine {
        Engine { model: outfit.model, toolbox: outfit.toolbox, ..self.clone() }
    }
}
