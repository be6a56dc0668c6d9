//! Files inside one folder, reached through directory descriptors only.
//!
//! Nothing is checked by name and opened afterwards: a path is resolved by the kernel
//! beneath an open folder (`cap-std`), the last name is opened without following links
//! and without blocking, and what was opened is asked what it is. So `..`, absolute
//! paths, links, pipes, sockets and devices can neither leave the folder nor hang a call,
//! even while somebody renames things underneath. Links to places inside are followed
//! when reading, never when writing.

mod content;
mod folder;
mod path;
mod protected;
mod text;
mod walk;

pub(crate) use content::Content;
pub(crate) use folder::{Folder, Identity, TEMP_PREFIX, open_last, sync_folder};
pub(crate) use path::{inside, shown};
pub(crate) use protected::never_written;
pub(crate) use text::{decode, is_binary};
pub(crate) use walk::walk;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::ports::{ToolError, ToolOutput};
use rustix::io::Errno;

use crate::failure::{Failure, answer};

/// The largest file that is read as a whole, changed or written, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Says to work on another thread that nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Sets the stop when the future that waits is dropped.
struct SetOnDrop(Stop);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Does blocking work on a thread made for it. When the returned future is dropped the
/// work is told to stop; it looks before it begins and between its steps.
pub(crate) async fn blocking(
    work: impl FnOnce(&Stop) -> Result<String, Failure> + Send + 'static,
) -> Result<ToolOutput, ToolError> {
    let stop = Stop::default();
    let _guard = SetOnDrop(stop.clone());
    match tokio::task::spawn_blocking(move || work(&stop)).await {
        Ok(end) => answer(end),
        Err(error) => match error.try_into_panic() {
            // The engine catches it, and looks into what became of an effect.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ToolError::OutcomeUnknown("the program is stopping".to_owned())),
        },
    }
}

/// An operating system's error about the file `name`, in words for a model.
pub(crate) fn worded(name: &str, error: &io::Error) -> Failure {
    let words = match (error.raw_os_error().map(Errno::from_raw_os_error), error.kind()) {
        (_, io::ErrorKind::NotFound) => {
            format!("`{name}` does not exist\nuse `glob` to find files")
        }
        // `cap-std` refuses to leave the folder with an error of its own.
        (None, io::ErrorKind::PermissionDenied) | (Some(Errno::XDEV), _) => {
            format!("`{name}` leads outside of the working directory")
        }
        (_, io::ErrorKind::PermissionDenied) => format!("`{name}` may not be accessed"),
        (_, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            format!("there is no room to write `{name}`: the disk is full; nothing was changed")
        }
        (Some(Errno::NAMETOOLONG), _) => {
            format!("a name in `{name}` is too long; most systems allow 255 bytes")
        }
        (Some(Errno::LOOP), _) => format!("`{name}` is a link that cannot be followed"),
        (Some(Errno::NXIO), _) => format!("`{name}` is not a regular file"),
        (_, io::ErrorKind::NotADirectory) => {
            format!("a part of `{name}` is a file and not a folder")
        }
        (_, io::ErrorKind::IsADirectory) => format!("`{name}` is a folder"),
        _ => format!("`{name}` cannot be used: {error}"),
    };
    Failure::Told(words)
}
