//! Intents on disk: one small file for each change that began, under the program's own
//! folder. A record is written whole or not at all, and durable before anything it names
//! is touched. Beside it, an empty file says that the change is known to be done.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use kernel::units::{ContentHash, SessionId};
use serde::{Deserialize, Serialize};

use super::{CallId, Composed, Target, replace};

/// The version of the records that this code writes.
const FORMAT: u8 = 1;

/// Records kept; beyond it the oldest go.
const RECORDS_MAX: usize = 4_096;

/// How long a record is kept, in milliseconds: 30 days.
const AGE_MS_MAX: u64 = 30 * 24 * 3_600 * 1_000;

/// Old records are looked for once in so many new ones.
const SWEEP_EVERY: u32 = 64;

/// The largest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 1024 * 1024;

/// An intent to change one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u8,
    asked: ContentHash,
    /// Records of older versions do not say it, and go when they are old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    root: String,
    path: PathBuf,
    /// What the file held; `None`: there was no file.
    pub(super) before: Option<ContentHash>,
    /// What it will hold.
    pub(super) after: ContentHash,
    /// The words for the model once it does.
    pub(super) output: String,
}

impl Record {
    pub(super) fn new(
        id: &CallId,
        target: &Target,
        before: Option<ContentHash>,
        composed: &Composed,
    ) -> Self {
        Record {
            format: FORMAT,
            asked: id.asked,
            session: id.session,
            root: target.folder.path().to_string_lossy().into_owned(),
            path: target.path.clone(),
            before,
            after: ContentHash::of(&composed.bytes),
            output: composed.output.clone(),
        }
    }

    /// Whether this is the record of that call on that file.
    pub(super) fn belongs(&self, id: &CallId, target: &Target) -> bool {
        self.format == FORMAT
            && self.asked == id.asked
            && self.root == target.folder.path().to_string_lossy()
            && self.path == target.path
    }
}

/// The folder of records.
#[derive(Debug)]
pub(super) struct Records {
    dir: PathBuf,
    kept: AtomicU32,
}

impl Records {
    pub(super) fn new(dir: PathBuf) -> Self {
        Records { dir, kept: AtomicU32::new(0) }
    }

    /// Makes a record durable.
    pub(super) fn keep(&self, id: &CallId, record: &Record) -> io::Result<()> {
        self.make_dir()?;
        let bytes = serde_json::to_vec(record).map_err(io::Error::other)?;
        let temp = self.file(id, "new");
        let mut file = File::create(&temp)?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = fs::remove_file(&temp);
            return Err(error);
        }
        fs::rename(&temp, self.file(id, "json"))?;
        File::open(&self.dir)?.sync_all()?;
        if self.kept.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            self.sweep(SystemTime::now());
        }
        Ok(())
    }

    pub(super) fn make_dir(&self) -> io::Result<()> {
        if self.dir.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        match self.dir.parent() {
            Some(above) => File::open(above)?.sync_all(),
            None => Ok(()),
        }
    }

    /// The record of a call.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(super) fn find(&self, id: &CallId) -> Result<Option<Record>, String> {
        let path = self.file(id, "json");
        let large = fs::metadata(&path).is_ok_and(|meta| meta.len() > RECORD_BYTES_MAX);
        if large {
            return Err("the record of this call is damaged".to_owned());
        }
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| format!("the record of this call is damaged: {error}")),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(format!("the record of this call cannot be read: {error}")),
        }
    }

    /// Says that the change is done, for whoever asks after the file has changed again.
    /// It need not be durable: without it the file itself is asked.
    pub(super) fn mark_done(&self, id: &CallId) -> io::Result<()> {
        File::create(self.file(id, "done")).map(drop)
    }

    pub(super) fn is_done(&self, id: &CallId) -> bool {
        self.file(id, "done").exists()
    }

    /// Drops the record of a change that certainly did not happen. Where this fails the
    /// record stays true: the file is as it was before.
    pub(super) fn forget(&self, id: &CallId) {
        let _ = fs::remove_file(self.file(id, "json"));
    }

    fn file(&self, id: &CallId, kind: &str) -> PathBuf {
        self.dir.join(format!("{}.{kind}", id.key))
    }

    /// Removes the records of these sessions.
    pub(super) fn forget_sessions(&self, sessions: &BTreeSet<SessionId>) -> io::Result<usize> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut forgotten = 0;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            let record: Option<Record> =
                fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let session = record.and_then(|record| record.session);
            if session.is_some_and(|session| sessions.contains(&session)) {
                remove(&path);
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }

    /// Removes records beyond the count or the age, with what they left behind.
    fn sweep(&self, now: SystemTime) {
        let mut records: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        records.sort();
        let surplus = records.len().saturating_sub(RECORDS_MAX);
        let age_max = Duration::from_millis(AGE_MS_MAX);
        for (at, (written, path)) in records.iter().enumerate() {
            let old = now.duration_since(*written).is_ok_and(|age| age > age_max);
            if at < surplus || old {
                remove(path);
            }
        }
    }
}

/// Removes a record, its mark, and the temporary file of a change that never finished.
fn remove(path: &Path) {
    let mark = path.with_extension("done");
    if !mark.exists() {
        let record = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let key = path.file_stem().and_then(|stem| ContentHash::from_hex(stem.to_str()?));
        if let (Some(record), Some(key)) = (record, key) {
            let record: Record = record;
            replace::clean_old(Path::new(&record.root), &record.path, key);
        }
    }
    let _ = fs::remove_file(path);
    let _ = fs::remove_file(mark);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> CallId {
        CallId {
            key: ContentHash::of(name.as_bytes()),
            asked: ContentHash::of(b"asked"),
            session: None,
        }
    }

    fn record(root: &Path) -> Record {
        Record {
            format: FORMAT,
            asked: ContentHash::of(b"asked"),
            session: None,
            root: root.to_string_lossy().into_owned(),
            path: PathBuf::from("a.txt"),
            before: None,
            after: ContentHash::of(b"after"),
            output: "wrote".to_owned(),
        }
    }

    #[test]
    fn old_records_go_with_their_leftovers_and_young_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let records = Records::new(dir.path().join("effects"));
        for name in ["one", "two"] {
            records.keep(&id(name), &record(&root)).unwrap();
        }
        records.mark_done(&id("two")).unwrap();
        let leftover = root.join(replace::temp_name(id("one").key));
        fs::write(&leftover, "half").unwrap();
        records.sweep(SystemTime::now());
        assert!(records.find(&id("one")).unwrap().is_some());
        assert!(leftover.exists());
        records.sweep(SystemTime::now() + Duration::from_millis(AGE_MS_MAX + 60_000));
        assert_eq!(fs::read_dir(dir.path().join("effects")).unwrap().count(), 0);
        assert!(!leftover.exists());
    }

    #[test]
    fn records_of_a_session_go_and_those_of_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::new(dir.path().join("effects"));
        let [one, two]: [SessionId; 2] = [1, 2]
            .map(|number| format!("00000000-0000-0000-0000-00000000000{number}").parse().unwrap());
        assert_eq!(records.forget_sessions(&BTreeSet::from([one])).unwrap(), 0);
        for (name, session) in [("one", Some(one)), ("two", Some(two)), ("old", None)] {
            let record = Record { session, ..record(dir.path()) };
            records.keep(&id(name), &record).unwrap();
            records.mark_done(&id(name)).unwrap();
        }
        assert_eq!(records.forget_sessions(&BTreeSet::from([one])).unwrap(), 1);
        let there =
            |name: &str| (records.find(&id(name)).unwrap().is_some(), records.is_done(&id(name)));
        assert_eq!(
            [there("one"), there("two"), there("old")],
            [(false, false), (true, true), (true, true)]
        );
    }

    #[test]
    fn beyond_the_count_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::new(dir.path().join("effects"));
        records.make_dir().unwrap();
        let bytes = serde_json::to_vec(&record(dir.path())).unwrap();
        let young = SystemTime::now();
        for n in 0..RECORDS_MAX + 3 {
            let path = records.file(&id(&n.to_string()), "json");
            fs::write(&path, &bytes).unwrap();
            let age = Duration::from_secs(if n < 3 { 60 } else { 0 });
            File::options().write(true).open(&path).unwrap().set_modified(young - age).unwrap();
        }
        records.sweep(young);
        assert_eq!(fs::read_dir(&records.dir).unwrap().count(), RECORDS_MAX);
        for n in 0..4 {
            assert_eq!(records.find(&id(&n.to_string())).unwrap().is_some(), n == 3, "{n}");
        }
    }
}
