//! Notes: Markdown files in one folder, one for each title.

mod title;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use engine::ports::{ToolCall, ToolError, ToolOutput};
use kernel::agent::{EffectRule, ToolSpec};
use kernel::verdict::Examined;
use serde::Deserialize;
use serde_json::json;

use super::Parts;
use crate::effects::{CallId, Composed, Target};
use crate::failure::{Failure, told};
use crate::files::{Content, Folder, blocking, decode, shown};

/// Notes named in one list.
const NOTES_MAX: usize = 1_000;

/// Entries looked at for one list.
const ENTRIES_MAX: usize = 100_000;

/// How alike a name must be to one that there is to be taken for a slip.
const LIKENESS_MIN: f64 = 0.8;

/// Where notes are unless the settings say otherwise, in the working directory.
const FOLDER: &str = "notes";

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    action: Action,
    name: Option<String>,
    text: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Save,
    Append,
    List,
    Read,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "notes".to_owned(),
        description:
            "Keeps notes for the person as Markdown files. `save` writes a note, in place \
                      of one of the same name; `append` adds lines to it; `read` shows it; `list` \
                      shows the names of all."
                .to_owned(),
        input_schema: super::object(
            &["action"],
            json!({
                "action": {
                    "type": "string",
                    "enum": ["save", "append", "list", "read"],
                    "description": "What to do.",
                },
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 500,
                    "description": "The note's title. For save, append and read.",
                },
                "text": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What to keep, in Markdown. For save and append.",
                },
            }),
        ),
        effect: EffectRule::ByField {
            field: "action".to_owned(),
            reads: vec!["list".to_owned(), "read".to_owned()],
        },
        deadline_ms: 30_000,
        output_bytes_max: 32_768,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) async fn run(
    parts: &Arc<Parts>,
    call: &ToolCall,
    input: Input,
) -> Result<ToolOutput, ToolError> {
    let id = CallId::of(call);
    let parts = parts.clone();
    let workdir = call.workdir.clone();
    blocking(move |stop| match input.action {
        Action::List => list(&place(&parts, workdir)?),
        Action::Read => {
            read(&place(&parts, workdir)?, needed("name", input.name.as_deref(), "read")?)
        }
        Action::Save | Action::Append => {
            let (name, text) = given(&input)?;
            parts.effects.prepare()?;
            prepare(&parts, workdir.as_deref())?;
            let Some(target) = target(&parts, workdir, &input)? else {
                return told("this action changes nothing");
            };
            let path = shown(&target.path);
            parts.effects.perform(&id, &target, stop, |before| {
                Ok(composed(input.action, name, &path, text, before))
            })
        }
    })
    .await
}

/// The note that a call names, as a path. The folder is the operator's choice.
pub(crate) fn examine(parts: &Parts, call: &ToolCall, input: &serde_json::Value) -> Examined {
    let Some(name) = input["name"].as_str() else {
        return Examined::nothing();
    };
    let folder = outside(parts, call.workdir.as_deref())
        .or_else(|| parts.settings.notes_dir.clone())
        .unwrap_or_else(|| FOLDER.into());
    let path = shown(&folder.join(title::file_name(name)));
    Examined { paths: BTreeSet::from([path]), ..Examined::nothing() }
}

/// The file that a call changes; `None` where it changes nothing.
pub(crate) fn target(
    parts: &Parts,
    workdir: Option<PathBuf>,
    input: &Input,
) -> Result<Option<Target>, Failure> {
    match input.action {
        Action::List | Action::Read => Ok(None),
        Action::Save | Action::Append => {
            let (name, _) = given(input)?;
            let Place { folder, under } = place(parts, workdir)?;
            let path = file(&folder, &under, name);
            Ok(Some(Target { folder, path }))
        }
    }
}

/// The file of a note: the one named for its title, or where there is none, a file that
/// somebody else made and that `list` shows by this very name, safe or not.
fn file(folder: &Folder, under: &Path, name: &str) -> PathBuf {
    let ours = under.join(title::file_name(name));
    let theirs = under.join(format!("{name}.md"));
    let plain = !name.contains(['/', '\0']);
    if plain && !folder.has_file(&ours) && folder.has_file(&theirs) { theirs } else { ours }
}

fn given(input: &Input) -> Result<(&str, &str), Failure> {
    let action = if input.action == Action::Save { "save" } else { "append" };
    let name = needed("name", input.name.as_deref(), action)?;
    Ok((name, needed("text", input.text.as_deref(), action)?))
}

fn needed<'i>(field: &str, value: Option<&'i str>, action: &str) -> Result<&'i str, Failure> {
    match value {
        Some(value) if !value.trim().is_empty() => Ok(value),
        Some(_) | None => told(format!("`{field}` is missing: `{action}` needs it")),
    }
}

fn composed(
    action: Action,
    name: &str,
    path: &str,
    text: &str,
    before: Option<&Content>,
) -> Composed {
    let mut bytes = match (action, before) {
        (Action::Append, Some(before)) => before.bytes.clone(),
        (Action::Append | Action::Save | Action::List | Action::Read, _) => Vec::new(),
    };
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend(text.as_bytes());
    if !text.ends_with('\n') {
        bytes.push(b'\n');
    }
    let did = match (action, before) {
        (Action::Append, Some(_)) => "added to note",
        (Action::Save, Some(_)) => "replaced note",
        (Action::Append | Action::Save | Action::List | Action::Read, _) => "saved note",
    };
    Composed { bytes, output: format!("{did} `{}` ({path})", name.trim()) }
}

/// Where notes are: in an open folder, under a path.
struct Place {
    folder: Folder,
    under: PathBuf,
}

fn place(parts: &Parts, workdir: Option<PathBuf>) -> Result<Place, Failure> {
    match outside(parts, workdir.as_deref()) {
        // The operator chose it; nothing in it is hidden from its notes.
        Some(path) => {
            let folder = Folder::open(&path, Path::new(""))?;
            Ok(Place { folder, under: PathBuf::new() })
        }
        None => {
            let under = parts.settings.notes_dir.clone().unwrap_or_else(|| FOLDER.into());
            Ok(Place { folder: super::open_workdir(parts, workdir)?, under })
        }
    }
}

/// The configured folder, where it is not simply a folder in the working directory.
fn outside(parts: &Parts, workdir: Option<&Path>) -> Option<PathBuf> {
    let dir = parts.settings.notes_dir.as_deref()?;
    let simple = dir.components().all(|part| matches!(part, Component::Normal(_)));
    if simple {
        return None;
    }
    Some(workdir.map_or_else(|| dir.to_owned(), |workdir| workdir.join(dir)))
}

/// Makes the configured folder, which is outside of what `Folder::make` may touch.
fn prepare(parts: &Parts, workdir: Option<&Path>) -> Result<(), Failure> {
    match outside(parts, workdir) {
        Some(path) => std::fs::create_dir_all(&path)
            .or_else(|error| told(format!("the notes folder cannot be made: {error}"))),
        None => Ok(()),
    }
}

fn list(place: &Place) -> Result<String, Failure> {
    let names = names(place)?;
    let count = names.len();
    let mut out = match count {
        0 => "there are no notes yet".to_owned(),
        1 => "1 note:".to_owned(),
        _ => format!("{count} notes:"),
    };
    for name in names.iter().take(NOTES_MAX) {
        out.push_str(&format!("\n- {}", shown(Path::new(name))));
    }
    if count > NOTES_MAX {
        out.push_str(&format!("\n[{} more]", count - NOTES_MAX));
    }
    Ok(out)
}

/// The names of all notes, sorted; none where there is no folder yet.
fn names(place: &Place) -> Result<Vec<OsString>, Failure> {
    let missing = !place.under.as_os_str().is_empty() && place.folder.lacks(&place.under);
    if missing {
        return Ok(Vec::new());
    }
    let dir = place.folder.folder(&place.under)?;
    let failed = |error| crate::files::worded(&shown(&place.under), &error);
    let entries = dir.entries().map_err(failed)?.take(ENTRIES_MAX).flatten();
    let notes = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_symlink()));
    let stem = |name: OsString| {
        let path = Path::new(&name);
        let note = path.extension().is_some_and(|kind| kind == "md");
        path.file_stem().filter(|_| note).map(OsString::from)
    };
    let mut names: Vec<OsString> = notes.filter_map(|entry| stem(entry.file_name())).collect();
    names.sort();
    Ok(names)
}

fn read(place: &Place, name: &str) -> Result<String, Failure> {
    let path = file(&place.folder, &place.under, name);
    if !place.folder.lacks(&path) {
        return Ok(decode(place.folder.read(&path)?.bytes).text);
    }
    let hint = nearest(name, &names(place).unwrap_or_default()).map_or_else(
        || "use `list` to see all notes".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    told(format!("there is no note `{}`\n{hint}", name.trim()))
}

/// The note whose name is most like `name`, if any is.
fn nearest(name: &str, names: &[OsString]) -> Option<String> {
    let name = name.to_lowercase();
    let rated = names.iter().map(|known| {
        let known = known.to_string_lossy().into_owned();
        (strsim::jaro_winkler(&known.to_lowercase(), &name), known)
    });
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= LIKENESS_MIN).then_some(best.1)
}
