//! What the tests share: short ways to say things.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kernel::units::{Tenant, UnixMs};
use secrets::{
    EncryptedFile, Handle, Key, KeySource, Name, Owner, Secret, SecretError, Source, Versioned,
    Wanted,
};

pub(crate) fn tenant(id: &str) -> Tenant {
    Tenant(id.to_owned())
}

pub(crate) fn of(id: &str) -> Owner {
    Owner::Tenant(tenant(id))
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::of_text(text.to_owned()).unwrap()
}

pub(crate) fn text(secret: &Secret) -> String {
    secret.expose_text().unwrap().to_owned()
}

pub(crate) fn nothing_set(_: &str) -> Option<OsString> {
    None
}

pub(crate) fn write(path: &Path, content: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// An encrypted file in a folder, with a key file beside it.
pub(crate) fn file_in(folder: &Path) -> EncryptedFile {
    let key = KeySource::File(folder.join("key"));
    EncryptedFile::new(folder.join("secrets.enc"), key, nothing_set)
}

pub(crate) fn write_key(path: &Path) -> Key {
    let key = Key::generate().unwrap();
    write(path, &key.written(), 0o600);
    key
}

pub(crate) fn read(
    file: &EncryptedFile,
    owner: &Owner,
    named: &str,
    now: u64,
) -> Result<Option<Versioned>, SecretError> {
    file.read(&Wanted { owner, name: &name(named), field: None, now: UnixMs(now) })
}

pub(crate) async fn ask(
    source: &dyn Source,
    owner: &Owner,
    wanted: &str,
    now: u64,
) -> Result<Option<Versioned>, SecretError> {
    let handle = handle(&format!("secret://{wanted}"));
    let (name, field) = (&handle.name, handle.field.as_deref());
    source.read(&Wanted { owner, name, field, now: UnixMs(now) }).await
}

/// The value as text, or nothing.
pub(crate) fn shown(
    found: Result<Option<Versioned>, SecretError>,
) -> Result<Option<String>, SecretError> {
    found.map(|found| found.map(|versioned| text(&versioned.value)))
}
