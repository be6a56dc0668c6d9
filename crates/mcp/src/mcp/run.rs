//! One call: what is found out about it before it is decided, running it, and what its end
//! means.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput};
use kernel::agent::Effect;
use kernel::verdict::{Examined, Judgement, Verdict};
use serde_json::Map;

use super::{Mcp, class, host};
use crate::client::Unanswered;
use crate::content;
use crate::examined::Decision;
use crate::link::{Link, Wanted};
use crate::listing::{Listed, standing};
use crate::pin::{Pinned, PinsLost};
use crate::tool::Standing;

/// The name under which this crate decides.
const BY: &str = "mcp.pin";

impl Mcp {
    /// What can be found out about a call before it runs. A tool that says something else
    /// than what was accepted asks. A server that is down says nothing: [`Mcp::run`] will
    /// look again.
    pub async fn examine(&self, call: &ToolCall) -> Examined {
        let Ok(link) = self.link(&call.tenant, &call.spec.name) else {
            return Examined::nothing();
        };
        let judgement = match link.ready().await {
            Err(_down) => Judgement::allow(),
            Ok(ready) => match ready.listing.tools.get(&call.spec.name) {
                None => Judgement::allow(),
                Some(listed) => self.judge(&link, call, listed).await,
            },
        };
        let mut examined = Examined::judged(judgement);
        examined.hosts.extend(host(&link.server));
        examined
    }

    fn remember(&self, call: &ToolCall, listed: &Listed, judgement: &Judgement) {
        let asked = judgement.verdict == Verdict::Ask;
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.remember(&call.key, Decision { pin: listed.tool.pin, asked });
    }

    async fn judge(&self, link: &Link, call: &ToolCall, listed: &Listed) -> Judgement {
        let judged = match self.known(link, call, listed).await {
            Ok((Standing::Accepted, _)) => Ok(Judgement::allow()),
            Ok((standing, known)) => {
                let asked = Pinned { asked: Some(listed.tool.pin), ..known };
                let tools = [(listed.tool.name.clone(), asked)].into();
                let kept = self.outside.pins.keep(&call.tenant, &link.server.name, tools).await;
                kept.map(|()| Judgement::new(Verdict::Ask, BY, reason(listed, standing)))
            }
            Err(lost) => Err(lost),
        };
        match judged {
            Ok(judgement) => {
                self.remember(call, listed, &judgement);
                judgement
            }
            Err(lost) => Judgement::new(Verdict::Deny, BY, lost.to_string()),
        }
    }

    /// How a listed tool stands now. What is not accepted is looked up again, because another
    /// process may have accepted it since.
    async fn known(
        &self,
        link: &Link,
        call: &ToolCall,
        listed: &Listed,
    ) -> Result<(Standing, Pinned), PinsLost> {
        if listed.standing == Standing::Accepted {
            let known = Pinned { accepted: Some(listed.tool.pin), asked: None };
            return Ok((Standing::Accepted, known));
        }
        let known = self.outside.pins.load(&call.tenant, &link.server.name).await?;
        let known = known.get(&listed.tool.name).copied().unwrap_or_default();
        Ok((standing(listed.tool.pin, Some(&known)), known))
    }

    /// Runs a call within the server's own time limit.
    ///
    /// # Errors
    /// [`ToolError::Unavailable`] where the call was not looked at, or only reads;
    /// [`ToolError::OutcomeUnknown`] where it was sent and no answer came;
    /// [`ToolError::Gone`] where the configuration has no such server.
    pub async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        let name = &call.spec.name;
        if !self.has(name) {
            return Err(ToolError::Gone(name.clone()));
        }
        let link = self.link(&call.tenant, name).map_err(ToolError::Unavailable)?;
        let ready = link.ready().await.map_err(ToolError::Unavailable)?;
        let Some(listed) = ready.listing.tools.get(name) else {
            return Err(ToolError::Unavailable(format!(
                "the server `{}` no longer has the tool `{name}`\ngo on without it",
                link.server.name
            )));
        };
        if let Some(words) = self.refusal(&link, call, listed).await {
            return Ok(ToolOutput::error(words));
        }
        let Ok(arguments) = call.arguments.read::<Map<_, _>>() else {
            return Ok(ToolOutput::error("the input must be one JSON object"));
        };
        let place = link.server.settings.idempotency_meta.as_deref();
        let meta = match (class(call), place) {
            (Effect::Idempotent, None) => {
                return Err(ToolError::Unavailable(format!(
                    "`{name}` was idempotent when the session began, and has no place for its key \
                     any more\ngo on without it"
                )));
            }
            (Effect::Idempotent, Some(place)) => Some((place, call.key.as_str())),
            (Effect::Read | Effect::Effect, _) => None,
        };
        let tool = listed.tool.name.clone();
        let wanted = Wanted { tool: &tool, arguments, meta };
        let limit = Duration::from_secs(link.server.settings.timeout_seconds);
        let answer = tokio::time::timeout(limit, link.call(ready, &wanted)).await;
        let late = |_| Err(Unanswered::Lost(format!("no answer within {} s", limit.as_secs())));
        ended(&link, call, answer.unwrap_or_else(late))
    }

    /// Why a call must not run now, although it was allowed when it was examined.
    async fn refusal(&self, link: &Link, call: &ToolCall, listed: &Listed) -> Option<String> {
        let decided = {
            let decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
            decided.of(&call.key)
        };
        if decided.is_some_and(|decided| decided.pin != listed.tool.pin) {
            return Some(format!(
                "the tool `{}` changed while this call was decided, and was not run\n\
                 call it again if it is still needed",
                call.spec.name
            ));
        }
        match self.known(link, call, listed).await {
            Ok((Standing::Accepted, _)) => None,
            Ok((_, known)) if known.asked == Some(listed.tool.pin) => None,
            Ok(_) if decided.is_some_and(|decided| decided.asked) => None,
            Ok((standing, _)) => {
                let words = reason(listed, standing);
                Some(format!("not run: {words}\nsomebody must accept it first; go on without it"))
            }
            Err(lost) => Some(format!("not run: {lost}")),
        }
    }

    /// What became of a call that began before a crash: a server cannot be asked.
    pub async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        match class(call) {
            Effect::Read => Reconciled::NotDone,
            Effect::Idempotent | Effect::Effect => Reconciled::Unknown(
                "the protocol has no way to ask a server what became of a call".to_owned(),
            ),
        }
    }
}

fn reason(listed: &Listed, standing: Standing) -> String {
    let (tool, pin) = (&listed.tool.name, listed.tool.pin);
    match standing {
        Standing::Changed { from } => format!(
            "the server's tool `{tool}` says something else of itself than what was accepted \
             (pin {pin}, accepted {from})"
        ),
        Standing::New | Standing::Accepted => {
            format!("nobody accepted the server's tool `{tool}` yet (pin {pin})")
        }
    }
}

/// What the end of a call means for its caller.
fn ended(
    link: &Arc<Link>,
    call: &ToolCall,
    answer: Result<serde_json::Value, Unanswered>,
) -> Result<ToolOutput, ToolError> {
    let server = &link.server.name;
    match answer {
        Ok(result) => Ok(content::output(server, &result)),
        Err(Unanswered::Refused(why)) => {
            Ok(ToolOutput::error(format!("the server `{server}` refused the call: {why}")))
        }
        Err(Unanswered::NotSent(why)) => Err(ToolError::Unavailable(format!(
            "the server `{server}` was not reached: {why}\nit may work later"
        ))),
        Err(Unanswered::Expired) => Err(ToolError::Unavailable(format!(
            "the server `{server}` forgets its sessions\nit may work later"
        ))),
        Err(Unanswered::Lost(why)) => {
            let words = format!("the server `{server}` gave no answer: {why}");
            match class(call) {
                Effect::Read => Err(ToolError::Unavailable(format!("{words}\nit may work later"))),
                Effect::Idempotent | Effect::Effect => Err(ToolError::OutcomeUnknown(words)),
            }
        }
    }
}
