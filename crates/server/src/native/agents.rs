//! The agents that sessions can be begun with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use engine::ports::Card;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Service;
use crate::caller::Caller;
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// An agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Agent {
    /// Its name.
    agent: String,
    /// The model that it asks first.
    model: String,
    /// Its tools, before a session takes some away.
    tools: Vec<String>,
    /// How far they reach at most.
    #[schema(value_type = String)]
    trust: kernel::verdict::Trust,
}

impl Agent {
    fn of(card: Card) -> Self {
        let Card { agent, model, tools, trust } = card;
        Agent { agent, model, tools, trust }
    }
}

/// List the agents that this key is good for
#[utoipa::path(get, path = "/v1/agents", operation_id = "list_agents", tag = "agents", responses(
    (status = 200, description = "as it is now", body = view::Page<Agent>),
    (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
) -> Result<Json<view::Page<Agent>>, Problem> {
    caller.granted("agent.read")?;
    let cards = service.roster.cards().into_iter();
    let good = cards.filter(|card| {
        caller.grants.allow_agent(&card.agent) && caller.grants.allow_model(&card.model)
    });
    Ok(Json(view::Page { data: good.map(Agent::of).collect(), next: None }))
}
