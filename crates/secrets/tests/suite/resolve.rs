//! From handles to values: whose they are, how long they are kept, who is asked.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{file_in, handle, name, secret, tenant, text, write};
use async_trait::async_trait;
use kernel::units::UnixMs;
use secrets::{
    Files, Granted, Grants, Kind, Limits, Owner, Permissions, SecretError, Secrets, Shelf, Source,
    Version, Versioned, Wanted,
};
use tokio::sync::Notify;

/// What a scripted source answers.
#[derive(Clone, Debug)]
enum Answer {
    Value(&'static str, &'static str),
    Leased(&'static str, u64),
    Out,
    Refused,
}

/// A source that says what it is told to, and counts.
#[derive(Debug)]
struct Scripted {
    kind: Kind,
    answers: Mutex<BTreeMap<(Owner, String), Answer>>,
    reads: AtomicUsize,
    /// Waited for in each reading, where it is there.
    gate: Option<Notify>,
}

impl Scripted {
    fn new(kind: Kind) -> Arc<Self> {
        Arc::new(Scripted {
            kind,
            answers: Mutex::default(),
            reads: AtomicUsize::new(0),
            gate: None,
        })
    }

    fn gated() -> Arc<Self> {
        let gate = Some(Notify::new());
        let answers = Mutex::default();
        Arc::new(Scripted { kind: Kind::Vault, answers, reads: AtomicUsize::new(0), gate })
    }

    fn say(&self, owner: Owner, named: &str, answer: Answer) {
        self.answers.lock().unwrap().insert((owner, named.to_owned()), answer);
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Source for Scripted {
    fn kind(&self) -> Kind {
        self.kind
    }

    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let at = (wanted.owner.clone(), wanted.name.to_string());
        let (what, why) = (at.1.clone(), "scripted".to_owned());
        match self.answers.lock().unwrap().get(&at).cloned() {
            None => Ok(None),
            Some(Answer::Value(value, version)) => {
                Ok(Some(Versioned::new(secret(value), Version(version.to_owned()))))
            }
            Some(Answer::Leased(value, ms)) => {
                let leased = Versioned::new(secret(value), Version("1".to_owned()));
                Ok(Some(Versioned { fresh_ms: Some(ms), ..leased }))
            }
            Some(Answer::Out) => Err(SecretError::Unavailable { what, why, retry_after_ms: None }),
            Some(Answer::Refused) => Err(SecretError::Denied { what, why }),
        }
    }
}

fn shelf(source: &Arc<Scripted>) -> Shelf {
    Shelf { source: source.clone(), tenant: None }
}

fn over(sources: &[&Arc<Scripted>]) -> Secrets {
    let shelves = sources.iter().map(|source| shelf(source)).collect();
    Secrets::new(shelves, Grants::default(), Limits::default())
}

fn acme() -> Owner {
    crate::support::of("acme")
}

/// What acme gets: the value, or the error's code.
async fn get(secrets: &Secrets, wanted: &str, now: u64) -> String {
    of_tenant(secrets, "acme", wanted, now).await
}

async fn of_tenant(secrets: &Secrets, id: &str, wanted: &str, now: u64) -> String {
    match secrets.resolve(&tenant(id), &handle(wanted), UnixMs(now)).await {
        Ok(found) => text(&found.value),
        Err(error) => error.code().to_owned(),
    }
}

const MISSING: &str = "secret_missing";
const OUT: &str = "secret_source_unavailable";
const REFUSED: &str = "secret_denied";

#[tokio::test]
async fn a_tenant_gets_its_own_and_what_is_granted_to_it() {
    let (env, vault, bolts) =
        (Scripted::new(Kind::Env), Scripted::new(Kind::Vault), Scripted::new(Kind::Vault));
    env.say(Owner::Installation, "smtp", Answer::Value("everybody's", "1"));
    env.say(Owner::Installation, "brave", Answer::Value("granted", "1"));
    env.say(Owner::Installation, "stripe", Answer::Value("granted stripe", "1"));
    env.say(Owner::Installation, "root", Answer::Value("nobody's", "1"));
    vault.say(acme(), "stripe", Answer::Value("acme's", "1"));
    vault.say(crate::support::of("bolt"), "only-bolt", Answer::Value("bolt's", "1"));
    bolts.say(Owner::Installation, "crm", Answer::Value("bolt's own Vault", "1"));
    let to = |ids: &[&str]| Granted::To(ids.iter().map(|id| tenant(id)).collect());
    let grants = Grants(BTreeMap::from([
        (name("smtp"), Granted::All),
        (name("brave"), to(&["acme"])),
        (name("stripe"), to(&["acme", "bolt"])),
        (name("crm"), Granted::All),
    ]));
    let own = Shelf { source: bolts.clone(), tenant: Some(tenant("bolt")) };
    let secrets = Secrets::new(vec![shelf(&env), shelf(&vault), own], grants, Limits::default());
    let cases = [
        ("acme", "secret://smtp", "everybody's"),
        ("acme", "secret://brave", "granted"),
        ("bolt", "secret://brave", MISSING),
        ("acme", "secret://stripe", "acme's"),
        ("bolt", "secret://stripe", "granted stripe"),
        ("acme", "env:stripe", "granted stripe"),
        ("acme", "vault:smtp", MISSING),
        ("acme", "secret://root", MISSING),
        ("bolt", "secret://only-bolt", "bolt's"),
        ("acme", "secret://only-bolt", MISSING),
        ("bolt", "secret://crm", "bolt's own Vault"),
        ("acme", "secret://crm", MISSING),
        ("", "secret://stripe", MISSING),
    ];
    // Twice, so that the second answer comes from the cache, and the other way round.
    for now in [0, 1] {
        for (id, wanted, expected) in cases {
            assert_eq!(of_tenant(&secrets, id, wanted, now).await, expected, "{wanted} of {id}");
        }
    }
    for (id, wanted, expected) in cases.iter().rev() {
        assert_eq!(of_tenant(&secrets, id, wanted, 2).await, *expected, "{wanted} of {id}");
    }
}

#[tokio::test]
async fn nobody_learns_what_another_tenant_has() {
    let source = Scripted::new(Kind::Vault);
    source.say(crate::support::of("bolt"), "theirs", Answer::Value("x", "1"));
    source.say(Owner::Installation, "ours", Answer::Value("x", "1"));
    let secrets = over(&[&source]);
    let mut words = Vec::new();
    for wanted in ["theirs", "ours", "none"] {
        let asked = handle(&format!("secret://{wanted}"));
        let error = secrets.resolve(&tenant("acme"), &asked, UnixMs(0)).await.unwrap_err();
        words.push(error.to_string().replace(wanted, "NAME"));
    }
    assert!(words[0].contains("windlass secrets set"), "{}", words[0]);
    assert!(words.iter().all(|each| *each == words[0]), "{words:?}");
}

#[tokio::test]
async fn a_source_that_cannot_answer_hides_the_ones_after_it() {
    let (first, second) = (Scripted::new(Kind::Vault), Scripted::new(Kind::Aws));
    second.say(acme(), "key", Answer::Value("second", "1"));
    let secrets = over(&[&first, &second]);
    assert_eq!(get(&secrets, "secret://key", 0).await, "second");
    secrets.forget();
    first.say(acme(), "key", Answer::Out);
    assert_eq!(get(&secrets, "secret://key", 0).await, OUT);
    first.say(acme(), "key", Answer::Refused);
    assert_eq!(get(&secrets, "secret://key", 0).await, REFUSED);
    assert_eq!(get(&secrets, "aws:key", 0).await, "second");
}

#[tokio::test]
async fn a_value_is_kept_for_its_time_and_not_longer() {
    let source = Scripted::new(Kind::Vault);
    source.say(acme(), "key", Answer::Value("one", "1"));
    source.say(acme(), "short", Answer::Leased("leased", 1_000));
    let secrets = over(&[&source]);
    let start = 1_000_000;
    assert_eq!(get(&secrets, "secret://key", start).await, "one");
    source.say(acme(), "key", Answer::Value("two", "2"));
    assert_eq!(get(&secrets, "secret://key", start + 59_999).await, "one");
    assert_eq!(source.reads(), 1);
    assert_eq!(get(&secrets, "secret://key", start + 60_000).await, "two");
    assert_eq!(source.reads(), 2);
    // A clock that was set back makes nothing young.
    assert_eq!(get(&secrets, "secret://key", start).await, "two");
    assert_eq!(source.reads(), 3);
    assert_eq!(get(&secrets, "secret://short", start).await, "leased");
    assert_eq!(get(&secrets, "secret://short", start + 999).await, "leased");
    assert_eq!(source.reads(), 4);
    assert_eq!(get(&secrets, "secret://short", start + 1_000).await, "leased");
    assert_eq!(source.reads(), 5);
}

#[tokio::test]
async fn a_replaced_value_stays_good_for_a_while() {
    let source = Scripted::new(Kind::Vault);
    source.say(acme(), "key", Answer::Value("one", "1"));
    let secrets = over(&[&source]);
    let good = async |now: u64| {
        let found = secrets.resolve(&tenant("acme"), &handle("secret://key"), UnixMs(now)).await;
        let found = found.unwrap();
        found.good(UnixMs(now)).map(|(_, value)| text(value)).collect::<Vec<_>>()
    };
    assert_eq!(good(0).await, ["one"]);
    source.say(acme(), "key", Answer::Value("two", "2"));
    assert_eq!(good(60_000).await, ["two", "one"]);
    assert_eq!(good(120_000).await, ["two", "one"], "reading the same again ended the overlap");
    assert_eq!(good(359_999).await, ["two", "one"]);
    assert_eq!(good(360_000).await, ["two"]);

    // A value that comes from elsewhere now has not replaced the other one.
    let (first, second) = (Scripted::new(Kind::Env), Scripted::new(Kind::Vault));
    second.say(acme(), "key", Answer::Value("second's", "1"));
    let secrets = over(&[&first, &second]);
    assert_eq!(get(&secrets, "secret://key", 0).await, "second's");
    first.say(acme(), "key", Answer::Value("first's", "9"));
    let found = secrets.resolve(&tenant("acme"), &handle("secret://key"), UnixMs(60_000)).await;
    assert_eq!(found.unwrap().former, None);
}

#[tokio::test]
async fn a_rejected_value_is_read_again_but_not_again_and_again() {
    let source = Scripted::new(Kind::Vault);
    source.say(acme(), "key", Answer::Value("one", "1"));
    let secrets = over(&[&source]);
    let refresh = async |rejected: &str, now: u64| {
        let rejected = Version(rejected.to_owned());
        let (whose, asked) = (tenant("acme"), handle("secret://key"));
        text(&secrets.refresh(&whose, &asked, &rejected, UnixMs(now)).await.unwrap().value)
    };
    assert_eq!(get(&secrets, "secret://key", 0).await, "one");
    source.say(acme(), "key", Answer::Value("two", "2"));
    assert_eq!(refresh("1", 999).await, "one", "it was just read");
    assert_eq!(refresh("1", 1_000).await, "two");
    assert_eq!(source.reads(), 2);
    for _ in 0..10 {
        assert_eq!(refresh("1", 1_500).await, "two", "somebody has refreshed it already");
        assert_eq!(refresh("2", 1_500).await, "two");
    }
    assert_eq!(source.reads(), 2);
    assert_eq!(refresh("2", 2_000).await, "two");
    assert_eq!(source.reads(), 3);
}

#[tokio::test]
async fn an_outage_is_bridged_for_a_while_and_a_refusal_is_not() {
    let source = Scripted::new(Kind::Vault);
    source.say(acme(), "key", Answer::Value("one", "1"));
    let secrets = over(&[&source]);
    assert_eq!(get(&secrets, "secret://key", 0).await, "one");
    source.say(acme(), "key", Answer::Out);
    assert_eq!(get(&secrets, "secret://key", 60_000).await, "one");
    assert_eq!(get(&secrets, "secret://key", 64_999).await, "one");
    let (whose, asked, seen) = (tenant("acme"), handle("secret://key"), Version("1".to_owned()));
    let refreshed = secrets.refresh(&whose, &asked, &seen, UnixMs(64_999)).await.unwrap();
    assert_eq!(refreshed.version, seen);
    assert_eq!(source.reads(), 2, "a source that is out is not left alone");
    assert_eq!(get(&secrets, "secret://key", 65_000).await, "one");
    assert_eq!(source.reads(), 3);
    assert_eq!(get(&secrets, "secret://key", 359_999).await, "one");
    assert_eq!(get(&secrets, "secret://key", 360_000).await, OUT);
    source.say(acme(), "key", Answer::Value("two", "2"));
    assert_eq!(get(&secrets, "secret://key", 360_001).await, "two");
    source.say(acme(), "key", Answer::Refused);
    assert_eq!(get(&secrets, "secret://key", 420_001).await, REFUSED);
    source.say(acme(), "key", Answer::Out);
    assert_eq!(get(&secrets, "secret://key", 420_002).await, OUT, "a refused value came back");
}

#[tokio::test]
async fn many_who_ask_at_once_cause_one_reading() {
    let source = Scripted::gated();
    source.say(acme(), "key", Answer::Value("one", "1"));
    let secrets = over(&[&source]);
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let secrets = secrets.clone();
            tokio::spawn(async move { get(&secrets, "secret://key", 0).await })
        })
        .collect();
    while source.reads() == 0 {
        tokio::task::yield_now().await;
    }
    // The one who came first goes; the others still get their answer.
    asking[0].abort();
    tokio::task::yield_now().await;
    let gate = source.gate.as_ref().unwrap();
    gate.notify_one();
    for (at, asked) in asking.into_iter().enumerate() {
        match asked.await {
            Ok(value) => assert_eq!(value, "one"),
            Err(error) => assert!(at == 0 && error.is_cancelled()),
        }
    }
    assert_eq!(source.reads(), 1);

    // A failure is shared as well, and not kept.
    source.say(acme(), "key", Answer::Refused);
    secrets.forget();
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let secrets = secrets.clone();
            tokio::spawn(async move { get(&secrets, "secret://key", 0).await })
        })
        .collect();
    while source.reads() == 1 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    gate.notify_one();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), REFUSED);
    }
    assert_eq!(source.reads(), 2);
    source.say(acme(), "key", Answer::Value("two", "2"));
    gate.notify_one();
    assert_eq!(get(&secrets, "secret://key", 0).await, "two");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up() {
    let source = Scripted::gated();
    let secrets = over(&[&source]);
    assert_eq!(get(&secrets, "secret://key", 0).await, OUT);
}

#[tokio::test]
async fn a_changed_file_is_seen_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("files/@acme/key");
    write(&path, "one", 0o600);
    let encrypted = file_in(dir.path());
    let at = (&acme(), &name("sealed"));
    encrypted.set(at.0, at.1, &secret("first"), 0, UnixMs(0)).unwrap();
    let files = Files::new(dir.path().join("files"), Permissions::Refuse);
    let shelves = vec![
        Shelf { source: Arc::new(files), tenant: None },
        Shelf { source: Arc::new(encrypted.clone()), tenant: None },
    ];
    let secrets = Secrets::new(shelves, Grants::default(), Limits::default());
    assert_eq!(get(&secrets, "secret://key", 0).await, "one");
    assert_eq!(get(&secrets, "secret://sealed", 0).await, "first");

    write(&path, "three", 0o600);
    assert_eq!(get(&secrets, "secret://key", 1).await, "three");
    encrypted.set(at.0, at.1, &secret("second"), 1_000, UnixMs(1)).unwrap();
    let found = secrets.resolve(&tenant("acme"), &handle("enc:sealed"), UnixMs(2)).await.unwrap();
    let good: Vec<_> = found.good(UnixMs(2)).map(|(_, value)| text(value)).collect();
    assert_eq!(good, ["second", "first"]);
    // The file says how long a former value is good; nothing is added to it.
    encrypted.set(at.0, at.1, &secret("third"), 0, UnixMs(3)).unwrap();
    let found = secrets.resolve(&tenant("acme"), &handle("enc:sealed"), UnixMs(4)).await.unwrap();
    assert_eq!((text(&found.value).as_str(), found.former), ("third", None));
    encrypted.remove(at.0, at.1, UnixMs(5)).unwrap();
    assert_eq!(get(&secrets, "secret://sealed", 6).await, MISSING);
}
