//! Answering what was asked about calls, by somebody who is entitled to.

use kernel::event::Ask;
use kernel::message::Arguments;
use kernel::run::{Command, Given, Pending, State, Wake, pending};
use kernel::units::{SessionId, Tenant};
use kernel::verdict::Judgement;

use crate::Engine;
use crate::error::EngineError;
use crate::ports::{Action, Listing, Principal, Status, StoreError};
use crate::record::{PAGE_ROWS, load};

/// A call that waits for an answer, for people.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its session.
    pub session: SessionId,
    /// Whose session it is.
    pub user: String,
    /// The agent.
    pub agent_id: String,
    /// The id of the call.
    pub call: String,
    /// The tool.
    pub tool: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
    /// What an answer is bound to, and until when it counts.
    pub ask: Ask,
    /// Why it is asked.
    pub judgement: Judgement,
}

impl Engine {
    /// The calls of a tenant that wait for an answer, newest sessions first.
    ///
    /// # Errors
    /// The store failed, or a session is damaged.
    pub async fn approvals(&self, tenant: &Tenant) -> Result<Vec<Asked>, EngineError> {
        let mut listing =
            Listing { status: Some(Status::Parked), before: None, rows_max: PAGE_ROWS };
        let mut all = Vec::new();
        loop {
            let page = self.store.list(tenant, &listing).await?;
            // Who waits for an answer wakes when the time for it is over.
            for row in page.iter().filter(|row| row.brief.due.is_some()) {
                // One that does not load must not hide the others' asks.
                match load(self, tenant, row.session).await {
                    Ok(state) => all.extend(pending(&state).iter().map(|open| asked(&state, open))),
                    Err(error @ EngineError::Store(StoreError::Unavailable(_))) => {
                        return Err(error);
                    }
                    Err(error) => tracing::warn!(session = %row.session, %error, "skipped"),
                }
            }
            match page.last() {
                Some(last) => listing.before = Some(last.session),
                None => return Ok(all),
            }
        }
    }

    /// The calls of one session that wait for an answer.
    ///
    /// # Errors
    /// The session is missing or damaged, or the store failed.
    pub async fn approvals_of(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Vec<Asked>, EngineError> {
        let state = load(self, tenant, session).await?;
        Ok(pending(&state).iter().map(|open| asked(&state, open)).collect())
    }

    /// Answers what was asked about a call, if policies let `who` do so. A run that waits for
    /// nothing else goes on.
    ///
    /// # Errors
    /// [`EngineError::Denied`], a refusal (nothing is asked, the time is over, somebody gave
    /// another answer before), or the store.
    pub async fn answer(
        &self,
        who: &Principal,
        session: SessionId,
        given: Given,
    ) -> Result<(), EngineError> {
        let tenant = &who.tenant;
        let state = load(self, tenant, session).await?;
        let open = pending(&state);
        let tool = open.iter().find(|one| one.call.id == given.call).map(|one| &one.call.name);
        let asked_by = state.opening.as_ref().map(|one| one.user.as_str()).unwrap_or_default();
        let tool = tool.map(String::as_str).unwrap_or_default();
        self.permit(who, &state, Action::ApprovalDecide { tool, asked_by })?;
        self.command(tenant, session, |_| Command::Answer(given.clone())).await?;
        self.wake_above(tenant, state).await;
        Ok(())
    }

    /// Wakes the runs above a child that goes on, each of which waits for the one below. One
    /// that does not wait looks at its children by itself.
    async fn wake_above(&self, tenant: &Tenant, mut below: State) {
        while let Some(parent) = below.opening.take().and_then(|opening| opening.parent) {
            let wake = Command::Wake(Wake::Child(below.session));
            if self.command(tenant, parent.session, |_| wake.clone()).await.is_err() {
                return;
            }
            let Ok(above) = load(self, tenant, parent.session).await else { return };
            below = above;
        }
    }
}

fn asked(state: &State, open: &Pending<'_>) -> Asked {
    let opening = state.opening.as_ref();
    let Pending { call, ask } = open;
    Asked {
        session: state.session,
        user: opening.map(|opening| opening.user.clone()).unwrap_or_default(),
        agent_id: state.agent.agent_id.clone(),
        call: call.id.clone(),
        tool: call.name.clone(),
        arguments: match &call.arguments {
            Arguments::Json(raw) => raw.text().to_owned(),
            Arguments::Malformed(text) => text.clone(),
        },
        ask: *ask,
        judgement: call.judgement.clone().unwrap_or_else(Judgement::allow),
    }
}
