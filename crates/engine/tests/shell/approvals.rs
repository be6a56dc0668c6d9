//! Verdicts and approvals on the stage: who is asked, who may answer, and what goes on then.

use std::sync::Arc;

use engine::audit::ChainHead;
use engine::door::{Asked, Task};
use engine::driver::{Rest, Stop};
use engine::error::EngineError;
use engine::ports::{Action, Policy, Principal, Question, Status};
use kernel::agent::{Agent, DELEGATE, Effect, Limits};
use kernel::event::{Fact, Outcome};
use kernel::run::{Given, Refusal};
use kernel::units::{SessionId, Tenant};
use kernel::verdict::{Judgement, Verdict};

use crate::stage::{Stage, agent, calls, says, sleep, tool, with};

/// Asks about `pay`, crashes about `crash`, and lets nobody but `boss` answer.
struct House;

impl Policy for House {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        match &question.action {
            Action::ToolCall(call) if call.tool == "pay" => {
                Judgement::new(Verdict::Ask, "house/money", "it moves money")
            }
            Action::ToolCall(call) if call.tool == "crash" => {
                std::panic::resume_unwind(Box::new("a bug in a policy"))
            }
            Action::ApprovalDecide { .. } if question.who.user != "boss" => {
                Judgement::new(Verdict::Deny, "house/boss", "only the boss answers")
            }
            Action::ToolCall(_)
            | Action::ApprovalDecide { .. }
            | Action::RunStart { .. }
            | Action::ModelCall { .. }
            | Action::CapRaise { .. }
            | Action::Administer { .. } => Judgement::allow(),
        }
    }
}

fn stage(lines: impl IntoIterator<Item = crate::stage::Line>) -> Stage {
    let mut stage = Stage::new(lines);
    stage.engine.policy = Arc::new(House);
    stage
}

fn somebody(stage: &Stage, user: &str) -> Principal {
    Principal { user: user.to_owned(), ..stage.owner().principal() }
}

fn yes(asked: &Asked, by: &str) -> Given {
    Given {
        call: asked.call.clone(),
        arguments: asked.ask.arguments,
        approve: true,
        by: by.to_owned(),
        words: String::new(),
    }
}

async fn only(stage: &Stage) -> Asked {
    let mut asked = stage.engine.approvals(&stage.tenant).await.expect("the store works");
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

async fn rest(stage: &Stage, session: SessionId) -> Rest {
    let stop = Stop::default();
    let mut driver = stage.driver(session, &stop).await;
    let rest = driver.run().await.expect("the store works");
    driver.release().await.expect("the store works");
    rest
}

#[tokio::test(start_paused = true)]
async fn l24_only_who_is_entitled_answers_and_the_run_goes_on() {
    let stage = stage([calls(0, &["pay"])]);
    let session = stage.open().await;
    assert!(matches!(rest(&stage, session).await, Rest::Until(_)));
    let asked = only(&stage).await;
    assert_eq!((asked.tool.as_str(), &asked.judgement.reasons[0][..]), ("pay", "it moves money"));
    assert!(stage.tools.done().is_empty(), "nothing runs before the answer");

    let answer = async |user: &str| {
        stage.engine.answer(&somebody(&stage, user), session, yes(&asked, user)).await
    };
    let denied = answer("u").await.unwrap_err();
    assert!(matches!(denied, EngineError::Denied(ref why) if why.by == ["house/boss"]));
    let foreign = Principal { tenant: Tenant("other".to_owned()), ..somebody(&stage, "boss") };
    let strange = stage.engine.answer(&foreign, session, yes(&asked, "boss")).await;
    assert!(strange.is_err(), "L27: a foreign session is missing");

    answer("boss").await.unwrap();
    answer("boss").await.unwrap();
    assert_eq!(rest(&stage, session).await, Rest::Nothing);
    assert_eq!(stage.tools.done(), [1], "what was approved is done, once");
    let no = Given { approve: false, ..yes(&asked, "boss") };
    let late = stage.engine.answer(&somebody(&stage, "boss"), session, no).await.unwrap_err();
    assert!(matches!(late, EngineError::Refused(Refusal::Answered { .. })), "{late}");
}

#[tokio::test(start_paused = true)]
async fn l24_no_answer_in_time_means_no() {
    let stage = stage([calls(0, &["pay"])]);
    let session = stage.open().await;
    let Rest::Until(expires) = rest(&stage, session).await else { panic!("it waits") };
    sleep(expires.0 - stage.engine.world.now().0).await;
    assert_eq!(rest(&stage, session).await, Rest::Nothing);
    assert!(stage.tools.done().is_empty());
    let told =
        |fact: &&Fact| matches!(fact, Fact::ToolReturned(end) if end.outcome == Outcome::Error);
    assert_eq!(stage.facts(session).await.iter().filter(told).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn l28_a_policy_that_crashes_has_not_said_yes() {
    let stage = stage([calls(0, &["crash", "look"])]);
    let crashing =
        Agent { tools: vec![tool("crash", Effect::Effect), tool("look", Effect::Read)], ..agent() };
    let task = Task::of("go");
    let session = stage.engine.start(&stage.owner(), &crashing.freeze(), task).await.unwrap();
    assert_eq!(rest(&stage, session).await, Rest::Nothing);
    assert_eq!(stage.tools.done(), [1], "only what was judged ran");
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_a_child_wakes_all_who_wait_for_it() {
    let delegates = |words: &str| with(0, DELEGATE, words);
    let stage = stage([
        delegates(r#"{"task":"pay","children":1}"#),
        delegates(r#"{"task":"pay it"}"#),
        calls(0, &["pay"]),
        says(0, "paid"),
        says(0, "the child paid"),
        says(0, "all is paid"),
    ]);
    let family = Agent {
        tools: vec![tool("pay", Effect::Effect), tool(DELEGATE, Effect::Idempotent)],
        limits: Limits { child_depth_max: 2, ..agent().limits },
        ..agent()
    };
    let task = Task::of("pay");
    let root = stage.engine.start(&stage.owner(), &family.freeze(), task).await.unwrap();
    assert!(matches!(rest(&stage, root).await, Rest::Until(_)), "all three sleep");
    let asked = only(&stage).await;
    assert_ne!(asked.session, root, "the grandchild asks");
    let boss = somebody(&stage, "boss");
    stage.engine.answer(&boss, asked.session, yes(&asked, "boss")).await.unwrap();
    let look = async |session| stage.engine.store.look(&stage.tenant, session).await.unwrap();
    assert_eq!(look(root).await.brief.status, Status::Running, "the root was woken");
    assert_eq!(rest(&stage, root).await, Rest::Nothing);
    assert_eq!(look(root).await.brief.status, Status::Finished);
    assert_eq!(stage.tools.done(), [1]);
}

#[tokio::test(start_paused = true)]
async fn the_audit_tells_calls_with_their_verdicts_and_answers() {
    let stage = stage([calls(0, &["pay"])]);
    let session = stage.open().await;
    rest(&stage, session).await;
    let asked = only(&stage).await;
    let boss = somebody(&stage, "boss");
    stage.engine.answer(&boss, session, yes(&asked, "boss")).await.unwrap();
    rest(&stage, session).await;
    let audit = stage.engine.store.audit();
    let links = audit.links(&stage.tenant, 0, 1_000).await.unwrap();
    let mut head = ChainHead::empty(&stage.tenant);
    let told: Vec<String> = links
        .iter()
        .map(|link| {
            let entry = head.follow(link).unwrap();
            let outcome = entry.outcome.as_deref().unwrap_or("-");
            let verdict = entry.verdict.map_or("-", Verdict::name);
            format!("{} {} by {} {verdict} {outcome}", entry.action, entry.subject, entry.user)
        })
        .collect();
    assert_eq!(head, audit.ends(&stage.tenant).await.unwrap().1);
    let call = &asked.call;
    assert_eq!(
        told,
        [
            "session.open a by u - -",
            "run.start a by u - -",
            "model.call scripted by u - ok",
            &format!("approval.ask {call} by u - -"),
            "run.park approval by u - awaits_approval",
            "approval.decide pay by boss ask approved",
            "tool.call pay by u ask ok",
            "model.call scripted by u - ok",
            "run.end a by u - finished",
        ]
    );
}
