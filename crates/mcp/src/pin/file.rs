//! Pins in a folder: one JSON file for each tenant and server, replaced as a whole.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use kernel::units::{ContentHash, Tenant};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Pinned, Pins, PinsLost};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Pins in a folder of one's own. Several processes may read; where two write at once, one
/// of them wins as a whole.
#[derive(Debug)]
pub struct FilePins {
    folder: PathBuf,
    writing: Mutex<()>,
}

/// What a file holds. Tenant and server are there for people: the name is their hash.
#[derive(Serialize, Deserialize)]
struct Book {
    tenant: String,
    server: String,
    tools: BTreeMap<String, Pinned>,
}

impl FilePins {
    /// Pins in this folder, which is made when something is first kept.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        FilePins { folder: folder.into(), writing: Mutex::new(()) }
    }

    fn path(&self, tenant: &Tenant, server: &str) -> PathBuf {
        let whose = ContentHash::of(format!("{server}\0{}", tenant.0).as_bytes());
        self.folder.join(format!("{whose}.json"))
    }
}

#[async_trait]
impl Pins for FilePins {
    async fn load(
        &self,
        tenant: &Tenant,
        server: &str,
    ) -> Result<BTreeMap<String, Pinned>, PinsLost> {
        read(&self.path(tenant, server)).await
    }

    async fn keep(
        &self,
        tenant: &Tenant,
        server: &str,
        tools: BTreeMap<String, Pinned>,
    ) -> Result<(), PinsLost> {
        let _one_at_a_time = self.writing.lock().await;
        let path = self.path(tenant, server);
        let mut all = read(&path).await?;
        all.extend(tools);
        let book = Book { tenant: tenant.0.clone(), server: server.to_owned(), tools: all };
        let text = serde_json::to_vec_pretty(&book)
            .expect("INVARIANT: a book has string keys and always serializes");
        replace(&self.folder, &path, &text).await.map_err(|error| lost(&path, &error))
    }
}

async fn read(path: &Path) -> Result<BTreeMap<String, Pinned>, PinsLost> {
    match tokio::fs::metadata(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(lost(path, &error)),
        Ok(found) if found.len() > FILE_BYTES_MAX => {
            return Err(lost(path, &format!("it is longer than {FILE_BYTES_MAX} bytes")));
        }
        Ok(_) => {}
    }
    let text = tokio::fs::read(path).await.map_err(|error| lost(path, &error))?;
    let book: Book = serde_json::from_slice(&text).map_err(|error| lost(path, &error))?;
    Ok(book.tools)
}

/// The file is the old one or the new one, after a crash too.
async fn replace(folder: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    tokio::fs::write(&new, text).await?;
    tokio::fs::File::open(&new).await?.sync_all().await?;
    tokio::fs::rename(&new, path).await
}

fn lost(path: &Path, why: &dyn std::fmt::Display) -> PinsLost {
    PinsLost(format!("`{}`: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pin::Pin;

    fn pinned(word: &str) -> Pinned {
        Pinned { accepted: Some(Pin(ContentHash::of(word.as_bytes()))), asked: None }
    }

    #[tokio::test]
    async fn what_is_kept_is_there_for_its_tenant_and_server_only() {
        let folder = tempfile::tempdir().unwrap();
        let pins = FilePins::new(folder.path().join("pins"));
        let (ada, bob) = (Tenant("ada".into()), Tenant("bob".into()));
        assert!(pins.load(&ada, "s").await.unwrap().is_empty());
        pins.keep(&ada, "s", [("a".to_owned(), pinned("1"))].into()).await.unwrap();
        pins.keep(&ada, "s", [("b".to_owned(), pinned("2"))].into()).await.unwrap();
        pins.keep(&ada, "s", [("a".to_owned(), pinned("3"))].into()).await.unwrap();
        let again = FilePins::new(folder.path().join("pins"));
        let found = again.load(&ada, "s").await.unwrap();
        assert_eq!(found, [("a".into(), pinned("3")), ("b".into(), pinned("2"))].into());
        assert!(again.load(&bob, "s").await.unwrap().is_empty());
        assert!(again.load(&ada, "t").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_damaged_file_is_told_and_not_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let pins = FilePins::new(folder.path());
        let tenant = Tenant("t".into());
        std::fs::write(pins.path(&tenant, "s"), "{").unwrap();
        assert!(pins.load(&tenant, "s").await.is_err());
        assert!(pins.keep(&tenant, "s", BTreeMap::new()).await.is_err());
    }
}
