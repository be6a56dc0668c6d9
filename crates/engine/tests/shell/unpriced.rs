//! L13: a model without a price counts as nothing, so under a cap on money it is refused
//! before anything is begun or called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::door::{Owner, Task};
use engine::driver::Stop;
use engine::error::EngineError;
use engine::ports::Listing;
use kernel::agent::Agent;
use kernel::event::Done;
use kernel::ledger::{Allowance, Budget, Per, Plans, Window};
use kernel::run::Refusal;
use kernel::units::Money;

use crate::stage::{Stage, agent, says};

/// A plan for everybody with one budget.
fn plans(allowance: Allowance) -> Arc<Plans> {
    let (name, per) = ("user-day".to_owned(), Per::User);
    let budget = Budget { name, per, window: Window::Day, allowance };
    Arc::new(Plans {
        plans: BTreeMap::from([("all".to_owned(), vec![budget])]),
        usual: Some("all".to_owned()),
        ..Plans::default()
    })
}

#[tokio::test(start_paused = true)]
async fn l13_a_model_without_a_price_is_called_under_no_cap_on_money() {
    let dollar = Some(Money(Money::PER_USD));
    let tokens = Allowance { tokens: Some(1_000_000), ..Allowance::NONE };
    // The run's own cap, what the shared budget caps, and whether the model is called.
    let cases = [
        (dollar, Allowance::NONE, false),
        (None, Allowance::of(dollar), false),
        (dollar, Allowance::of(dollar), false),
        (None, tokens, true),
        (None, Allowance::NONE, true),
    ];
    for (cap, allowance, called) in cases {
        let mut stage = Stage::new([says(0, "hello")]);
        stage.model.unpriced.store(true, Ordering::Relaxed);
        stage.engine.plans = plans(allowance);
        let owner = Owner {
            tenant: stage.tenant.clone(),
            user: "u".to_owned(),
            labels: BTreeMap::new(),
            workdir: None,
            scope: Default::default(),
        };
        let task = Task { done: Some(Done::Answer), cap, ..Task::of("go") };
        let uncapped = Agent { task_cap: None, ..agent() };
        match stage.engine.start(&owner, &uncapped.freeze(), task).await {
            Ok(session) => {
                stage.driver(session, &Stop::default()).await.run().await.unwrap();
            }
            Err(EngineError::Refused(Refusal::NoPrice { model })) => {
                assert_eq!(model, agent().model);
                let listing = Listing { rows_max: 9, ..Listing::default() };
                let left = stage.engine.store.list(&stage.tenant, &listing).await.unwrap();
                assert_eq!(left, [], "a refused session leaves nothing behind");
            }
            Err(other) => panic!("{other}"),
        }
        let calls = stage.model.calls.load(Ordering::Relaxed);
        assert_eq!(calls, u64::from(called), "cap {cap:?} under {allowance:?}");
    }
}
