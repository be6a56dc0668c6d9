//! Leave for calls: what the tool found out about a call, and what policies say of who
//! asks. The stricter of both stands.
//!
//! Tools look before a step, and may wait for that; policies are asked in its middle and do
//! not. Who panics or is late has not said yes.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use kernel::agent::{DELEGATE, Frozen};
use kernel::event::SessionScope;
use kernel::run::{Call, State};
use kernel::verdict::{Examined, Judgement, Verdict};

use crate::Engine;
use crate::door::Owner;
use crate::error::EngineError;
use crate::perform::tool_call;
use crate::ports::{Action, Principal, Question, ToolQuestion};

/// Time in which a tool must have read a call, in milliseconds. A server may have to be
/// started for it.
const EXAMINE_MS_MAX: u64 = 10_000;

/// What tools found out about the calls that a step is going to judge, by the calls' ids.
pub(crate) type Examinations = BTreeMap<String, Examined>;

/// Lets tools read calls, all at the same time.
pub(crate) async fn examine(engine: &Engine, state: &State, calls: &[Call]) -> Examinations {
    let each =
        calls.iter().map(async |call| (call.id.clone(), examined(engine, state, call).await));
    futures::future::join_all(each).await.into_iter().collect()
}

async fn examined(engine: &Engine, state: &State, call: &Call) -> Examined {
    let denied = |why: &str| Examined::judged(Judgement::new(Verdict::Deny, "session", why));
    let Some(opening) = &state.opening else { return denied("the session is not open") };
    let Some(asked) = tool_call(&opening.tenant, state, call) else {
        return denied("the call has no tool or arguments");
    };
    if call.name == DELEGATE {
        return Examined::nothing();
    }
    let look = AssertUnwindSafe(engine.toolbox.examine(&asked)).catch_unwind();
    match tokio::time::timeout(Duration::from_millis(EXAMINE_MS_MAX), look).await {
        Ok(Ok(examined)) => examined,
        Ok(Err(_panic)) => denied("the check of this call crashed"),
        Err(_late) => denied("the tool did not say in time what this call would do"),
    }
}

/// The verdict on a call of a session.
pub(crate) fn judge(
    engine: &Engine,
    state: &State,
    examinations: &Examinations,
    call: &Call,
) -> Judgement {
    let Some(examined) = examinations.get(&call.id) else {
        return Judgement::new(Verdict::Deny, "session", "nobody looked what this call would do");
    };
    let asked = AssertUnwindSafe(|| by_policy(engine, state, examined, call));
    let judgement = std::panic::catch_unwind(asked).unwrap_or_else(|_panic| {
        Judgement::new(Verdict::Deny, "policy", "the check of this call crashed")
    });
    in_log(examined.judgement.clone().and(judgement))
}

fn by_policy(engine: &Engine, state: &State, examined: &Examined, call: &Call) -> Judgement {
    let opening = state.opening.as_ref();
    let scope = opening.and_then(|opening| opening.scope.clone()).unwrap_or_default();
    let who = principal(state, &scope);
    let spec = state.agent.tool(&call.name);
    engine.policy.judge(&Question {
        who: &who,
        session: Some(state.session),
        action: Action::ToolCall(ToolQuestion {
            tool: &call.name,
            effect: call.effect,
            sensitive: spec.is_some_and(|spec| spec.sensitive),
            examined,
        }),
        environment: &scope.environment,
        trust: scope.trust,
        tainted: state.tainted,
    })
}

/// Who asks where a session's agent does.
fn principal(state: &State, scope: &SessionScope) -> Principal {
    let opening = state.opening.as_ref();
    Principal {
        tenant: opening.map(|opening| opening.tenant.clone()).unwrap_or_default(),
        user: opening.map(|opening| opening.user.clone()).unwrap_or_default(),
        role: scope.role.clone(),
        labels: opening.map(|opening| opening.labels.clone()).unwrap_or_default(),
        agent: Some(state.agent.agent_id.clone()),
    }
}

impl Engine {
    /// Whether somebody may do something beside any session, and by which policies.
    ///
    /// # Errors
    /// [`EngineError::Denied`].
    pub fn may(
        &self,
        who: &Principal,
        scope: &SessionScope,
        action: Action<'_>,
    ) -> Result<Judgement, EngineError> {
        allowed(self.judge(who, scope, action))
    }

    /// The verdict of policies on what somebody wants to do beside a session.
    fn judge(&self, who: &Principal, scope: &SessionScope, action: Action<'_>) -> Judgement {
        self.policy.judge(&Question {
            who,
            session: None,
            action,
            environment: &scope.environment,
            trust: scope.trust,
            tainted: false,
        })
    }

    /// Whether somebody may do something to a session.
    ///
    /// # Errors
    /// [`EngineError::Denied`].
    pub(crate) fn permit(
        &self,
        who: &Principal,
        state: &State,
        action: Action<'_>,
    ) -> Result<(), EngineError> {
        let opening = state.opening.as_ref();
        let scope = opening.and_then(|opening| opening.scope.clone()).unwrap_or_default();
        allowed(self.policy.judge(&Question {
            who,
            session: Some(state.session),
            action,
            environment: &scope.environment,
            trust: scope.trust,
            tainted: state.tainted,
        }))
        .map(drop)
    }

    /// Whether an owner may begin a session with an agent, and the agent use its models.
    pub(crate) fn permit_start(&self, owner: &Owner, agent: &Frozen) -> Result<(), EngineError> {
        let who = owner.principal();
        let task_type = owner.scope.task_type.as_deref();
        let start = Action::RunStart { agent: &agent.agent.agent_id, task_type };
        self.may(&who, &owner.scope, start)?;
        let model = Action::ModelCall { model: &agent.agent.model };
        self.may(&who, &owner.scope, model).map(drop)
    }
}

/// What must be allowed here and now: there is nobody to be asked.
fn allowed(judgement: Judgement) -> Result<Judgement, EngineError> {
    match judgement.verdict {
        Verdict::Allow => Ok(judgement),
        Verdict::Ask | Verdict::Deny => Err(EngineError::Denied(judgement)),
    }
}

/// A verdict as the log keeps it: why something was allowed is said by who allowed it.
fn in_log(judgement: Judgement) -> Judgement {
    match judgement.verdict {
        Verdict::Allow => Judgement { reasons: Vec::new(), ..judgement },
        Verdict::Ask | Verdict::Deny => judgement,
    }
}
