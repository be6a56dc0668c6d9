//! Alerts from a trip to whoever subscribed, whatever happens on the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::alerts::sender::{Settings, run};
use engine::alerts::{Alert, Kind, Subscriber, Subscriptions};
use engine::circuits::Dependency;
use engine::conformance::alerts::alert;
use engine::driver::Stop;
use engine::ports::{CopyStanding, Courier, ModelError, Undelivered};
use engine::tap::Seen;
use kernel::event::FaultClass;
use kernel::units::{Tenant, UnixMs};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, fails, sleep};

/// Hours in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// A courier that notes what it was given, after a while, and answers as it is told.
#[derive(Default)]
struct Notes {
    /// Subscriber and key of everything that arrived.
    arrived: Mutex<Vec<(String, String)>>,
    /// What subscribers answer who do not take everything.
    answers: Mutex<BTreeMap<String, Undelivered>>,
    /// How long subscribers take, in milliseconds.
    slow: BTreeMap<String, u64>,
}

impl Notes {
    fn arrived(&self) -> Vec<(String, String)> {
        self.arrived.lock().expect("nobody panics here").clone()
    }

    fn answer(&self, to: &str, answer: Option<Undelivered>) {
        let mut answers = self.answers.lock().expect("nobody panics here");
        answers.remove(to);
        answers.extend(answer.map(|answer| (to.to_owned(), answer)));
    }
}

#[async_trait]
impl Courier for Notes {
    async fn bring(&self, to: &str, alert: &Alert, _now: UnixMs) -> Result<(), Undelivered> {
        sleep(self.slow.get(to).copied().unwrap_or(1)).await;
        self.arrived.lock().expect("nobody panics here").push((to.to_owned(), alert.key.clone()));
        self.answers.lock().expect("nobody panics here").get(to).cloned().map_or(Ok(()), Err)
    }
}

fn stage(names: &[&str]) -> Stage {
    let mut stage = Stage::new([fails(FaultClass::Auth)]);
    let all = |name: &&str| Subscriber { name: (*name).to_owned(), kinds: None };
    let subscribers = names.iter().map(all).collect();
    let wanted = Subscriptions { warn_at_permille: vec![800], subscribers };
    stage.engine.subscriptions = Arc::new(wanted);
    stage
}

fn send(stage: &Stage, notes: &Arc<Notes>) -> (JoinHandle<()>, CancellationToken) {
    send_with(stage, notes, Settings::default())
}

fn send_with(
    stage: &Stage,
    notes: &Arc<Notes>,
    settings: Settings,
) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let courier = Arc::clone(notes) as Arc<dyn Courier>;
    let sending = run(stage.engine.clone(), courier, settings, stop.clone());
    (tokio::spawn(sending), stop)
}

async fn raise(stage: &Stage, key: &str) {
    let raised = Alert { at: stage.engine.world.now(), ..alert("t", key, 0) };
    let to = stage.engine.subscriptions.to(raised.kind);
    assert!(stage.engine.store.outbox().raise(raised, to).await.expect("it is kept"));
}

async fn standings(stage: &Stage) -> Vec<CopyStanding> {
    let listed = stage.engine.store.outbox().alerts(None, 99).await.expect("they list");
    listed.into_iter().flat_map(|one| one.copies).map(|copy| copy.standing).collect()
}

fn unreachable() -> Option<Undelivered> {
    Some(Undelivered::Unreachable { why: "no".to_owned(), retry_after_ms: None })
}

#[tokio::test(start_paused = true)]
async fn a_trip_is_told_once_although_its_process_died_before_telling() {
    let stage = stage(&["ops"]);
    let session = stage.open().await;
    stage.driver(session, &Stop::default()).await.run().await.expect("it parks");
    // The process is gone. The next one finds what was committed.
    let notes = Arc::new(Notes::default());
    for _ in 0..3 {
        let (sending, stop) = send(&stage, &notes);
        sleep(2_000).await;
        stop.cancel();
        sending.await.unwrap();
    }
    let seq = stage.state(session).await.seq;
    assert_eq!(notes.arrived(), [("ops".to_owned(), format!("park/{session}/{seq}"))]);
    let told = stage.engine.store.outbox().alerts(None, 9).await.unwrap().remove(0).alert;
    assert_eq!(
        (told.kind, told.session, told.run),
        (Kind::ProviderNeedsMending, Some(session), Some(1))
    );
}

#[tokio::test(start_paused = true)]
async fn what_must_not_leave_the_house_is_blanked_in_the_words_of_alerts() {
    let words = "the key of ann@example.org is over its limit";
    let mut stage = Stage::new([(0, Err(ModelError::free(FaultClass::Auth, words)))]);
    stage.engine.redact = Arc::new(|_, _, text| text.replace("ann@example.org", "[blank]"));
    let session = stage.open().await;
    stage.driver(session, &Stop::default()).await.run().await.expect("it parks");
    let of = Dependency::Tool { tenant: Tenant("t".to_owned()), tool: "mail".to_owned() };
    let (sending, stop) = send(&stage, &Arc::default());
    sleep(10).await;
    let why = "no answer for ann@example.org".to_owned();
    stage.engine.tap.show(|| Seen::CircuitOpened { of, for_ms: 1_000, openings: 1, why });
    sleep(10).await;
    stop.cancel();
    sending.await.unwrap();
    let told = stage.engine.store.outbox().alerts(None, 9).await.unwrap();
    let blanks = |text: &str| text.matches("[blank]").count();
    let seen: Vec<_> = told.iter().map(|one| (one.alert.kind, blanks(&one.alert.text))).collect();
    assert_eq!(seen, [(Kind::CircuitOpened, 1), (Kind::ProviderNeedsMending, 1)]);
    assert!(told.iter().all(|one| !one.alert.text.contains("ann@")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn two_senders_tell_each_alert_once() {
    let stage = stage(&["ops", "chat"]);
    let notes = Arc::new(Notes::default());
    let senders = [send(&stage, &notes), send(&stage, &notes)];
    for number in 0..20 {
        raise(&stage, &number.to_string()).await;
        sleep(300).await;
    }
    for (sending, stop) in senders {
        stop.cancel();
        sending.await.unwrap();
    }
    let mut arrived = notes.arrived();
    arrived.sort_unstable();
    let all = arrived.len();
    arrived.dedup();
    assert_eq!((all, arrived.len()), (40, 40));
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_died_in_the_middle_leaves_its_alert_to_the_next() {
    let stage = stage(&["ops"]);
    raise(&stage, "a").await;
    let slow = Arc::new(Notes { slow: [("ops".to_owned(), 9_000)].into(), ..Notes::default() });
    let (dying, _) = send(&stage, &slow);
    sleep(500).await;
    dying.abort();
    let notes = Arc::new(Notes::default());
    let (sending, stop) = send(&stage, &notes);
    sleep(Settings::default().taken_ms - 1_000).await;
    assert_eq!(notes.arrived(), [], "its time is not over");
    sleep(2_000).await;
    assert_eq!((notes.arrived().len(), slow.arrived().len()), (1, 0));
    stop.cancel();
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_down_for_hours_has_it_when_it_is_back() {
    let stage = stage(&["ops"]);
    let notes = Arc::new(Notes::default());
    notes.answer("ops", unreachable());
    let (sending, stop) = send(&stage, &notes);
    raise(&stage, "a").await;
    sleep(HOUR_MS).await;
    let tries = notes.arrived().len();
    assert!((5..20).contains(&tries), "tries become rare: {tries}");
    notes.answer("ops", None);
    sleep(5 * HOUR_MS).await;
    assert_eq!(notes.arrived().len(), tries + 1);
    assert_eq!(standings(&stage).await, [CopyStanding::Delivered]);
    stop.cancel();
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_is_given_up_and_can_be_tried_again() {
    let stage = stage(&["ops"]);
    let notes = Arc::new(Notes::default());
    // Days pass here; looking once a minute is enough.
    let settings = Settings { look_every_ms: 60_000, ..Settings::default() };
    let (sending, stop) = send_with(&stage, &notes, settings);
    let rejected = Undelivered::Rejected { why: "it answered 401".to_owned() };
    for (answer, tries) in [(unreachable(), 20), (Some(rejected), 3)] {
        let before = notes.arrived().len();
        notes.answer("ops", answer);
        raise(&stage, &tries.to_string()).await;
        sleep(100 * HOUR_MS).await;
        assert_eq!(notes.arrived().len() - before, tries);
        assert_eq!(standings(&stage).await[0], CopyStanding::Dead);
    }
    notes.answer("ops", None);
    let outbox = stage.engine.store.outbox();
    assert_eq!(outbox.again(None, stage.engine.world.now()).await.unwrap(), 2);
    sleep(61_000).await;
    assert_eq!(standings(&stage).await, [CopyStanding::Delivered; 2]);
    stop.cancel();
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_is_gone_is_asked_no_more() {
    let stage = stage(&["gone"]);
    let notes = Arc::new(Notes::default());
    notes.answer("gone", Some(Undelivered::Gone { why: "it answered 410".to_owned() }));
    let (sending, stop) = send(&stage, &notes);
    raise(&stage, "a").await;
    sleep(5_000).await;
    raise(&stage, "b").await;
    sleep(HOUR_MS).await;
    assert_eq!(notes.arrived().len(), 1);
    let standings = standings(&stage).await;
    assert!(matches!(standings[..], [CopyStanding::Waiting(_), CopyStanding::Dead]));
    stop.cancel();
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_holds_up_nobody_else_and_no_end() {
    let stage = stage(&["slow", "quick"]);
    let slow = [("slow".to_owned(), 9_000)].into();
    let notes = Arc::new(Notes { slow, ..Notes::default() });
    let (sending, stop) = send(&stage, &notes);
    for key in ["a", "b"] {
        raise(&stage, key).await;
    }
    sleep(1_500).await;
    let quick = |key: &str| ("quick".to_owned(), key.to_owned());
    assert_eq!(notes.arrived(), [quick("a"), quick("b")]);
    let asked = tokio::time::Instant::now();
    stop.cancel();
    sending.await.unwrap();
    let took = u64::try_from(asked.elapsed().as_millis()).unwrap();
    assert!(took <= Settings::default().farewell_ms + 100, "{took} ms");
}

#[tokio::test(start_paused = true)]
async fn an_opened_circuit_is_told_also_where_the_program_ends_at_once() {
    use engine::circuits::Dependency;
    use kernel::breaker::circuit::{End, Settings as Circuit};
    let stage = stage(&["ops"]);
    let notes = Arc::new(Notes::default());
    let (sending, stop) = send(&stage, &notes);
    sleep(10).await;
    let tool = Dependency::Tool { tenant: Tenant("t".to_owned()), tool: "weather".to_owned() };
    for _ in 0..5 {
        let leave = stage.engine.circuits.enter(&tool, &Circuit::default()).expect("closed");
        leave.end(End::Ill { retry_after_ms: None }, "it crashed");
    }
    stop.cancel();
    sending.await.unwrap();
    let arrived = notes.arrived();
    assert_eq!(arrived.len(), 1);
    assert!(arrived[0].1.starts_with("circuit/tool `weather` of `t`/"), "{arrived:?}");
}
