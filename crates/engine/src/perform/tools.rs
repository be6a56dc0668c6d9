//! Leaving a tool alone that does not work: a circuit for each tool name of a tenant.
//!
//! A failure is a crash, a missed deadline, or a dependency that is out. A result that
//! says "no such file" is none: the tool did its work. While a circuit is open the tool
//! is out of order, and the kernel withdraws it from the model's next turn; calls that
//! come nevertheless are answered at once.

use kernel::agent::END_TASK;
use kernel::backoff::Backoff;
use kernel::breaker::circuit::{End, Settings, Standing};
use kernel::event::Outcome;
use kernel::run::OutOfOrder;
use kernel::units::Tenant;

use super::run_in_limits;
use crate::Engine;
use crate::circuits::{Circuits, Dependency};
use crate::ports::{ToolCall, ToolOutput};

/// Half of at least three calls within ten minutes: tools are called seldom.
const CIRCUIT: Settings = Settings {
    window_ms: 600_000,
    calls_min: 3,
    failures_percent: 50,
    open: Backoff { base_ms: 30_000, window_ms_max: 600_000 },
    probes_at_once_max: 1,
    probes_well_min: 1,
    probe_ms_max: 600_000,
};

/// How a call of a tool ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) output: ToolOutput,
    pub(super) sign: Sign,
}

/// What a call's end says about the tool's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works.
    Well,
    /// Nothing: the model's arguments may be to blame.
    Silent,
    /// It does not work, for this reason in our own words.
    Ill(&'static str),
}

/// Runs a call within its limits, unless its tool is out of order.
pub(super) async fn run(engine: &Engine, call: &ToolCall) -> (Outcome, ToolOutput) {
    // Its failure would leave a run without an end.
    if call.spec.name == END_TASK {
        let ended = run_in_limits(&*engine.toolbox, call).await;
        return (ended.outcome, ended.output);
    }
    let (tenant, tool) = (call.tenant.clone(), call.spec.name.clone());
    let of = Dependency::Tool { tenant, tool };
    let leave = match engine.circuits.enter(&of, &CIRCUIT) {
        Ok(leave) => leave,
        Err(refused) => {
            let wait_s = refused.retry_after_ms.div_ceil(1_000);
            let words = format!(
                "the tool `{}` failed too often and was not run; it is tried again in {wait_s} s\n\
                 go on without it",
                call.spec.name
            );
            return (Outcome::Error, ToolOutput::error(words));
        }
    };
    let ended = run_in_limits(&*engine.toolbox, call).await;
    match ended.sign {
        Sign::Well => leave.end(End::Well, ""),
        Sign::Silent => leave.end(End::Silent, ""),
        Sign::Ill(why) => leave.end(End::Ill { retry_after_ms: None }, why),
    }
    (ended.outcome, ended.output)
}

/// The tools of a tenant whose circuits are open. One that is being probed is no longer out.
pub(crate) fn out_of_order(circuits: &Circuits, of: &Tenant) -> Vec<OutOfOrder> {
    let troubles = circuits.troubles().into_iter();
    let out = troubles.filter_map(|trouble| match (trouble.of, trouble.standing) {
        (Dependency::Tool { tenant, tool }, Standing::Open { .. }) if tenant == *of => {
            Some(OutOfOrder { tool, why: trouble.why })
        }
        (Dependency::Tool { .. }, _) | (Dependency::Provider(_) | Dependency::Model { .. }, _) => {
            None
        }
    });
    out.collect()
}
