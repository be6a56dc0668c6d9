//! Who may come in: members, keys, and requests that are sent again.

use std::sync::Arc;

use bytes::Bytes;
use kernel::units::{ContentHash, Tenant, UnixMs};

use super::audit::record;
use super::{Kept, fails, same, works};
use crate::audit::Record;
use crate::ports::{Answer, Asked, Asking, Grants, Key, Member, Store, StoreError};

fn tenant(name: &str) -> Tenant {
    Tenant(name.to_owned())
}

fn told() -> Record {
    record(1, "production", None)
}

fn member(of: &str, user: &str, role: &str) -> Member {
    let team = Some("blue".to_owned());
    Member {
        tenant: tenant(of),
        user: user.to_owned(),
        role: role.to_owned(),
        team,
        made: UnixMs(5),
    }
}

fn key(of: &str, user: &str, id: &str) -> Key {
    let actions = Some([String::from("run.*")].into());
    Key {
        id: id.to_owned(),
        hash: ContentHash::of(id.as_bytes()),
        tenant: tenant(of),
        user: user.to_owned(),
        name: "for the tests".to_owned(),
        grants: Grants { actions, ..Grants::default() },
        made: UnixMs(7),
        ends: None,
    }
}

/// Members are kept by tenant and name, changed and removed, each with a word to the audit.
pub async fn members_come_and_go(store: &Arc<dyn Store>) -> Kept {
    let (people, acme) = (store.directory(), tenant("acme"));
    for (of, user) in [("acme", "bob"), ("acme", "ada"), ("other", "ada")] {
        works("a member is set", people.set_member(member(of, user, "member"), told()).await)?;
    }
    let changed = Member { made: UnixMs(99), team: None, ..member("acme", "ada", "admin") };
    works("a member is changed", people.set_member(changed, told()).await)?;
    let expected = Member { team: None, ..member("acme", "ada", "admin") };
    let found = works("a member is found", people.member(&acme, "ada").await)?;
    same("a change keeps since when", found, Some(expected.clone()))?;
    let all = works("members list", people.members(&acme, "", 9).await)?;
    same("in the order of names", all, vec![expected, member("acme", "bob", "member")])?;
    let page = works("members list", people.members(&acme, "ada", 1).await)?;
    same("behind a name", page, vec![member("acme", "bob", "member")])?;
    works("a member is removed", people.remove_member(&acme, "ada", told()).await)?;
    same("who was removed is gone", works("find", people.member(&acme, "ada").await)?, None)?;
    let left = works("find", people.member(&tenant("other"), "ada").await)?;
    same("L27: another tenant's stays", left, Some(member("other", "ada", "member")))?;
    let missing = |error: &StoreError| matches!(error, StoreError::Missing(_));
    fails("nobody is removed twice", people.remove_member(&acme, "ada", told()).await, missing)?;
    let (_, last) = works("the audit ends", store.audit().ends(&acme).await)?;
    same("each change of the tenant's is told once, a refusal is not", last.seq, 4)
}

/// A key is found by its id with its member as they are now, and only while they are one.
pub async fn keys_are_found_and_end(store: &Arc<dyn Store>) -> Kept {
    let (people, acme) = (store.directory(), tenant("acme"));
    works("a member is set", people.set_member(member("acme", "ada", "member"), told()).await)?;
    for (of, user, id) in [("acme", "ada", "k2"), ("acme", "ada", "k1"), ("other", "eve", "k3")] {
        works("a key is added", people.add_key(key(of, user, id), told()).await)?;
    }
    let misused = |error: &StoreError| matches!(error, StoreError::Misused(_));
    let doubled = people.add_key(key("other", "eve", "k1"), told()).await;
    fails("an id is one key's", doubled, misused)?;
    let found = works("a key is found", people.find_key("k1").await)?;
    let (ada, own) = (member("acme", "ada", "member"), key("acme", "ada", "k1"));
    same("with its member", found, Some((own.clone(), ada)))?;
    same("no such key", works("find", people.find_key("k' OR 1=1 --").await)?, None)?;
    same("a key without a member", works("find", people.find_key("k3").await)?, None)?;
    works("the role is changed", people.set_member(member("acme", "ada", "admin"), told()).await)?;
    let found = works("a key is found", people.find_key("k1").await)?;
    same("as they are now", found.map(|(_, member)| member.role), Some("admin".to_owned()))?;
    let all = works("keys list", people.keys(&acme, "", 9).await)?;
    let ids: Vec<String> = all.into_iter().map(|key| key.id).collect();
    same("a tenant's own, in the order of ids", ids, vec!["k1".to_owned(), "k2".to_owned()])?;
    let page = works("keys list", people.keys(&acme, "k1", 9).await)?;
    same("behind an id", page, vec![key("acme", "ada", "k2")])?;

    let missing = |error: &StoreError| matches!(error, StoreError::Missing(_));
    let foreign = people.end_key(&tenant("other"), "k1", UnixMs(50), told()).await;
    fails("L27: a foreign key is missing", foreign, missing)?;
    for (at, ends) in [(80, 80), (50, 50), (90, 50)] {
        works("a key ends", people.end_key(&acme, "k1", UnixMs(at), told()).await)?;
        let found = works("a key is found", people.find_key("k1").await)?;
        same("an end only moves nearer", found.and_then(|(key, _)| key.ends), Some(UnixMs(ends)))?;
    }
    works("the member is removed", people.remove_member(&acme, "ada", told()).await)?;
    same("and their keys work no more", works("find", people.find_key("k2").await)?, None)?;
    works("the name is taken", people.set_member(member("acme", "ada", "member"), told()).await)?;
    let found = works("a key is found", people.find_key("k2").await)?;
    let ends = found.and_then(|(key, _)| key.ends);
    same("who has the name later has no keys of before", ends, Some(told().entry.at))
}

/// A request under a key is done once, its first answer stays, and after a crash the next
/// one finds what the first was going to do.
pub async fn requests_are_done_once(store: &Arc<dyn Store>) -> Kept {
    let (answers, acme) = (store.answers(), tenant("acme"));
    let asking = |now: u64, request: &str, memo: &str| Asking {
        tenant: tenant("acme"),
        key: "ada/1".to_owned(),
        request: ContentHash::of(request.as_bytes()),
        memo: memo.to_owned(),
        now: UnixMs(now),
        until: UnixMs(now + 100),
    };
    let yours = |memo: &str, begun| Asked::Yours { memo: memo.to_owned(), begun };
    let ask = async |asking| works("a request is asked for", answers.ask(asking).await);
    same("the first one does it", ask(asking(10, "a", "m1")).await?, yours("m1", false))?;
    same("meanwhile it is busy", ask(asking(109, "a", "m2")).await?, Asked::Busy)?;
    same("a key is for one request", ask(asking(50, "b", "m2")).await?, Asked::Other)?;
    let theirs = Asking { tenant: tenant("other"), ..asking(50, "b", "m3") };
    same("L27: and one tenant's", ask(theirs).await?, yours("m3", false))?;
    let next = ask(asking(110, "a", "m2")).await?;
    same("after a crash the next finds the memo", next, yours("m1", true))?;
    same("and has it for itself", ask(asking(111, "a", "m2")).await?, Asked::Busy)?;
    let answer = |body: &'static str| Answer { status: 201, body: Bytes::from(body) };
    works("it is answered", answers.answered(&acme, "ada/1", answer("one")).await)?;
    works("it is answered", answers.answered(&acme, "ada/1", answer("two")).await)?;
    let done = ask(asking(999, "a", "m2")).await?;
    same("the first answer stays", done, Asked::Done(answer("one")))?;
    works("it is given back", answers.give_back(&acme, "ada/1").await)?;
    let done = ask(asking(999, "a", "m2")).await?;
    same("what has an answer is not given back", done, Asked::Done(answer("one")))?;

    let other = |now| Asking { key: "ada/2".to_owned(), ..asking(now, "c", "m4") };
    same("another key", ask(other(20)).await?, yours("m4", false))?;
    works("it is given back", answers.give_back(&acme, "ada/2").await)?;
    same("what came to nothing is new", ask(other(300)).await?, yours("m4", false))?;
    let gone = works("old ones are forgotten", answers.forget_answers(UnixMs(300), 9).await)?;
    same("by when they were first sent", gone, 2)?;
    same("what was forgotten is new", ask(asking(999, "b", "m5")).await?, yours("m5", false))
}
