//! The audit, and erasing what people wrote.

use std::sync::Arc;

use bytes::Bytes;
use kernel::units::{Epoch, Tenant, UnixMs};

use super::alerts::alert;
use super::sample::{Pen, brief, dollars, grant, hold, payload, scope, session};
use super::{Broken, Kept, broken, fails, is_missing, same, works};
use crate::alerts::{Alert, ERASED};
use crate::audit::{ChainHead, Entry, Record};
use crate::ports::{Commit, Content, Doomed, Payload, Status, Store, StoreError};

/// A record of this instant and environment, with or without content.
#[must_use]
pub fn record(at: u64, environment: &str, content: Option<&'static str>) -> Record {
    let entry = Entry::of(UnixMs(at), "tool.call", "read", "ada", environment);
    Record { entry, content: content.map(|text| Bytes::from_static(text.as_bytes())) }
}

/// A user's content, sealed or not.
#[must_use]
pub fn content(user: &str, environment: &str, made: u64, sealed: bool) -> Content {
    let (user, environment) = (user.to_owned(), environment.to_owned());
    let key = sealed.then(|| Bytes::from_static(b"wrapped"));
    Content { user, environment, made: UnixMs(made), key }
}

/// Follows a tenant's chain from its beginning to its end, and brings what is in it.
///
/// # Errors
/// It is not whole, or does not end where it should.
pub async fn verified(store: &dyn Store, tenant: &Tenant) -> Result<Vec<Entry>, Broken> {
    let (first, last) = works("the ends of a chain read", store.audit().ends(tenant).await)?;
    let (mut head, mut entries) = (first, Vec::new());
    loop {
        let links = works("a chain reads", store.audit().links(tenant, head.seq, 2).await)?;
        if links.is_empty() {
            break;
        }
        for link in links {
            let followed = head.follow(&link);
            entries.push(followed.map_err(|why| broken("a chain is whole", why.to_string()))?);
        }
    }
    same("a chain ends where it should", head, last)?;
    Ok(entries)
}

/// Entries come with their commits and by themselves, into the chain of their tenant alone;
/// a commit that is refused brings none.
pub async fn chained_with_their_facts(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let both = vec![record(1, "production", Some("{}")), record(2, "production", None)];
    let commit = Commit { audit: both, ..pen.notes(1) };
    pen.write(&**store, commit).await?;
    let alone = store.audit().append(&pen.tenant, vec![record(3, "production", None)]).await;
    works("an entry is added by itself", alone)?;
    let beyond = hold(&scope(1), 2);
    let fenced = Commit { epoch: Some(Epoch(9)), ..pen.notes(1) };
    let full = Commit { moves: vec![grant(&scope(1), 1), beyond], ..pen.notes(1) };
    for refused in [fenced, full] {
        let refused = Commit { audit: vec![record(5, "p", None)], ..refused };
        fails("a refusal brings no entry", store.commit(refused).await, |error| {
            !matches!(error, StoreError::Unavailable(_))
        })?;
    }
    let times = |entries: Vec<Entry>| entries.iter().map(|one| one.at.0).collect::<Vec<_>>();
    same(
        "entries stand in their order",
        times(verified(&**store, &pen.tenant).await?),
        vec![1, 2, 3],
    )?;
    let other = Tenant("other".to_owned());
    same("L27: a chain is its tenant's", verified(&**store, &other).await?.len(), 0)?;
    let ends = works("the ends of a chain read", store.audit().ends(&other).await)?;
    same("an empty chain ends at its root", ends.1, ChainHead::empty(&other))
}

/// What people wrote can be erased by environment and age; the chain still verifies.
pub async fn content_is_erased(store: &Arc<dyn Store>) -> Kept {
    let tenant = Tenant("t".to_owned());
    let records = vec![
        record(1, "production", Some("a")),
        record(2, "development", Some("b")),
        record(3, "production", Some("c")),
        record(9, "production", Some("d")),
    ];
    works("entries are added", store.audit().append(&tenant, records).await)?;
    let erase = async |rows_max| {
        store.audit().forget_content(&tenant, "production", UnixMs(9), rows_max).await
    };
    same("at most so many are erased", works("content is erased", erase(1).await)?, 1)?;
    same("the others are erased then", works("content is erased", erase(9).await)?, 1)?;
    same("what is erased stays so", works("content is erased", erase(9).await)?, 0)?;
    let links = works("a chain reads", store.audit().links(&tenant, 0, 9).await)?;
    let left: Vec<u64> =
        links.iter().filter(|link| link.content.is_some()).map(|link| link.seq).collect();
    same("what is newer or elsewhere stays", left, vec![2, 4])?;
    same("the chain still verifies", verified(&**store, &tenant).await?.len(), 4)
}

/// First entries are removed by age, never the last one, and the rest still verifies.
pub async fn pruned_from_the_beginning(store: &Arc<dyn Store>) -> Kept {
    let tenant = Tenant("t".to_owned());
    let records = (1..=5).map(|at| record(at, "production", Some("x"))).collect();
    works("entries are added", store.audit().append(&tenant, records).await)?;
    let prune = async |before| store.audit().prune(&tenant, UnixMs(before), 2).await;
    same("at most so many are removed", works("entries are removed", prune(4).await)?, 2)?;
    same("the others are removed then", works("entries are removed", prune(4).await)?, 1)?;
    same("what is newer stays", works("entries are removed", prune(4).await)?, 0)?;
    same("the rest verifies", verified(&**store, &tenant).await?.len(), 2)?;
    same("the last one stays", works("entries are removed", prune(99).await)?, 1)?;
    let more = store.audit().append(&tenant, vec![record(6, "production", None)]).await;
    works("the chain goes on", more)?;
    same("the whole verifies", verified(&**store, &tenant).await?.len(), 2)
}

/// Whose content a session is comes with its first facts, once, and is erased by session,
/// user, or environment and age; the log then says that it was erased.
pub async fn content_comes_and_is_erased(store: &Arc<dyn Store>) -> Kept {
    let tenant = Tenant("t".to_owned());
    let owners = [
        (1, content("ada", "production", 10, true)),
        (2, content("ada", "development", 20, false)),
        (3, content("bob", "production", 30, false)),
        (4, content("bob", "production", 40, true)),
    ];
    for (number, content) in &owners {
        let mut pen = Pen::new("t", *number);
        let secret = Payload { owner: Some(session(*number)), ..payload(b"theirs") };
        let opening =
            Commit { content: Some(content.clone()), payloads: vec![secret], ..pen.opening() };
        pen.write(&**store, opening).await?;
    }
    let contents = store.contents();
    let first = works("a content reads", contents.content(&tenant, session(1)).await)?;
    same("it comes back as it came", first, Some(content("ada", "production", 10, true)))?;
    let foreign = Tenant("other".to_owned());
    let theirs = works("a content reads", contents.content(&foreign, session(1)).await)?;
    same("L27: it is its tenant's", theirs, None)?;
    let ours = works("nothing is erased", contents.erase(&foreign, &session_of(1)).await)?;
    same("L27: nobody erases a foreign content", ours, vec![])?;
    let old = Doomed::Environment { name: "production".to_owned(), before: UnixMs(40) };
    for (which, sessions) in [
        (session_of(2), vec![session(2)]),
        (session_of(2), vec![]),
        (old, vec![session(1), session(3)]),
        (Doomed::User("bob".to_owned()), vec![session(4)]),
    ] {
        let told = contents.erasable(&tenant, &which, None, 9).await;
        same("what would be erased is told", works("it is told", told)?, sessions.clone())?;
        let mut gone = works("content is erased", contents.erase(&tenant, &which).await)?;
        gone.sort();
        same("the content that is meant is erased", gone, sessions)?;
    }
    works("traces are overwritten", contents.scrub().await)?;
    for (number, _) in &owners {
        let id = session(*number);
        fails("an erased content says so", contents.content(&tenant, id).await, is_erased)?;
        let secret = store.payload(&tenant, Some(id), payload(b"theirs").hash).await;
        fails("its payloads are gone", secret, is_missing)?;
        let listed = works("a session can be looked at", store.look(&tenant, id).await)?;
        same("its title is blank", listed.brief.title, String::new())?;
        fails("an erased log says so", store.read(&tenant, id, 0, 9).await, is_erased)?;
    }
    Ok(())
}

/// What would be erased is told page by page, in the order of ids.
pub async fn erasable_by_page(store: &Arc<dyn Store>) -> Kept {
    let tenant = Tenant("t".to_owned());
    for number in [5, 1, 4, 2, 3] {
        let mut pen = Pen::new("t", number);
        let content = Some(content("ada", "production", 10, false));
        let opening = Commit { content, ..pen.opening() };
        pen.write(&**store, opening).await?;
    }
    let which = Doomed::User("ada".to_owned());
    let page = async |after: Option<u128>| {
        store.contents().erasable(&tenant, &which, after.map(session), 2).await
    };
    for (after, sessions) in [(None, vec![1, 2]), (Some(2), vec![3, 4]), (Some(4), vec![5])] {
        let sessions: Vec<_> = sessions.into_iter().map(session).collect();
        let told = works("what would be erased is told", page(after).await)?;
        same("in the order of ids", told, sessions)?;
    }
    let foreign = Tenant("other".to_owned());
    let theirs = store.contents().erasable(&foreign, &which, None, 9).await;
    same("L27: a foreign content is not told", works("it is told", theirs)?, vec![])
}

/// Nothing can be written to a session whose content was erased, and no worker is sent to
/// it. The audit loses what people wrote there and still verifies; balances stay.
pub async fn erased_for_good(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::new("t", 1);
    pen.brief = brief(Status::Parked, Some(5));
    let tenant = pen.tenant.clone();
    let about = |number: Option<u128>| {
        let mut record = record(7, "production", Some("said"));
        record.entry.session = number.map(session);
        record
    };
    let opening = Commit {
        content: Some(content("ada", "production", 10, false)),
        audit: vec![about(Some(1)), about(Some(2)), about(None)],
        moves: vec![grant(&scope(1), 9)],
        alerts: vec![Alert { session: Some(session(1)), ..alert("t", "a", 5) }],
        ..pen.opening()
    };
    pen.write(&**store, opening).await?;
    works("content is erased", store.contents().erase(&tenant, &session_of(1)).await)?;

    let listed = works("a session can be looked at", store.look(&tenant, pen.session).await)?;
    let seen = (listed.brief.status, listed.brief.due, listed.brief.user);
    same("its run counts as cancelled", seen, (Status::Cancelled, None, "ada".to_owned()))?;
    same("its place stays", (listed.head.seq, listed.head.hash), (pen.seq, pen.head))?;
    let due = works("due sessions list", store.due(UnixMs(9_000), 9).await)?;
    same("nothing is due there", due, vec![])?;
    fails("nothing is added", store.commit(pen.notes(1)).await, is_erased)?;
    let own = Payload { owner: Some(pen.session), ..payload(b"late") };
    fails("nothing is kept", store.keep(&tenant, own).await, is_erased)?;
    let links = works("a chain reads", store.audit().links(&tenant, 0, 9).await)?;
    let left: Vec<u64> =
        links.iter().filter(|link| link.content.is_some()).map(|link| link.seq).collect();
    same("the audit loses what was written there", left, vec![2, 3])?;
    same("and verifies", verified(&**store, &tenant).await?.len(), 3)?;
    let balance = works("a balance reads", store.balance(&tenant, &scope(1)).await)?;
    same("balances stay", balance.map(|balance| balance.cap), Some(dollars(9)))?;
    let alerts = works("alerts list", store.outbox().alerts(Some(&tenant), 9).await)?;
    let words: Vec<String> = alerts.into_iter().map(|listed| listed.alert.text).collect();
    same("alerts lose their words", words, vec![ERASED.to_owned()])
}

fn session_of(number: u128) -> Doomed {
    Doomed::Session(session(number))
}

fn is_erased(error: &StoreError) -> bool {
    matches!(error, StoreError::Erased(_))
}
