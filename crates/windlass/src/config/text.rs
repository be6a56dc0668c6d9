//! The text of a configuration file, whatever kind of file it is.

use std::io::Read;
use std::path::Path;

use super::mistake::{Broken, Mistake, Source};
use super::{ConfigError, FILE_BYTES_MAX, Kind};

/// Reads the file at `path`.
///
/// # Errors
/// It cannot be read, is too long, or is not UTF-8.
pub(super) fn load(path: &Path, kind: Kind) -> Result<Source, ConfigError> {
    let unreadable = |why| ConfigError::Unreadable { path: path.to_owned(), kind, why };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    Ok(of_bytes(&path.display().to_string(), bytes)?)
}

/// The text in the bytes of a file called `name`.
///
/// # Errors
/// It is too long, or not UTF-8.
pub(super) fn of_bytes(name: &str, bytes: Vec<u8>) -> Result<Source, Broken> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let mistake = Mistake::new(0..0, format!("longer than {FILE_BYTES_MAX} bytes"))
            .hint("a configuration file holds prompts, settings and prices, not data");
        return Err(Broken::new(Source::new(name, ""), vec![mistake]));
    }
    String::from_utf8(bytes).map(|text| Source::new(name, &text)).map_err(|error| {
        let upto = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let mistake =
            Mistake::new(upto..upto, "not UTF-8 from here on").hint("save the file as UTF-8 text");
        Broken::new(Source::new(name, &text), vec![mistake])
    })
}
