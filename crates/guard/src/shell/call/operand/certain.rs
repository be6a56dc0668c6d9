//! Words of tools that have a small language of their own: only what is certain.

use crate::shell::examine::Examiner;
use crate::shell::table::Certain;
use crate::shell::value::Value;

impl Examiner<'_> {
    /// A word that must be known and one of those that its class allows.
    pub(super) fn certain(&mut self, title: &str, certain: Certain, value: &Value) {
        let Some(text) = value.exact() else {
            return self
                .deny(format!("nobody knows what `{}` would mean to `{title}`", value.shown()));
        };
        if certain == Certain::Dd {
            return self.dd(text);
        }
        if !fits(certain, text) {
            self.deny(format!("`{title} {text}` does more than reading, or is not known"));
        }
    }

    /// `if=file of=file bs=1M`.
    fn dd(&mut self, text: &str) {
        match text.split_once('=') {
            Some(("if", path)) => self.reads(&Value::text(path)),
            Some(("of", path)) => self.writes(&Value::text(path)),
            Some((
                "bs" | "ibs" | "obs" | "count" | "skip" | "seek" | "conv" | "status" | "iflag"
                | "oflag",
                _,
            )) => {}
            Some(_) | None => self.deny(format!("`dd {text}` is not understood")),
        }
    }
}

fn fits(certain: Certain, text: &str) -> bool {
    let plain = |more: &str| {
        text.starts_with(|one: char| one.is_ascii_alphanumeric())
            && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
    };
    match certain {
        Certain::Name => plain(":_-."),
        // A name with a version or a range; not a path, an address or an alias of one.
        Certain::Package => {
            let name = text.strip_prefix('@').unwrap_or(text);
            let named = |one: char| one.is_ascii_alphanumeric() || "._-/@=<>~^,[]+*".contains(one);
            let scoped = text.starts_with('@') && text.matches('/').count() == 1;
            name.starts_with(|one: char| one.is_ascii_alphanumeric())
                && name.chars().all(named)
                && (scoped || !text.contains('/'))
                && ![".tgz", ".tar.gz", ".whl", ".zip"].iter().any(|end| text.ends_with(end))
        }
        Certain::Remote => match text.strip_prefix("https://") {
            Some(rest) => !rest.contains(['@', '\\', ' ']) && !rest.contains(".."),
            None => plain("_-."),
        },
        Certain::Stash => {
            matches!(text, "list" | "show" | "push" | "save" | "apply" | "pop")
                || text.starts_with("stash@{")
        }
        Certain::Remotes => text == "get-url",
        Certain::Notes => matches!(text, "list" | "show"),
        Certain::Worktrees => text == "list",
        Certain::Submodules => matches!(text, "status" | "summary"),
        Certain::Configs => matches!(text, "list" | "get") || text.contains('.') && plain(".-_"),
        Certain::Bisects => {
            matches!(text, "start" | "good" | "bad" | "reset" | "log" | "skip" | "old" | "new")
                || plain("._-~^")
        }
        Certain::Reflog => {
            !matches!(text, "expire" | "delete" | "drop" | "write") && plain("._-/@{}~^")
        }
        Certain::Nextest => matches!(text, "run" | "list"),
        Certain::GoMod => matches!(text, "tidy" | "download" | "verify" | "graph" | "why"),
        Certain::Listing => matches!(text, "list" | "view" | "diff" | "status" | "checks"),
        Certain::KubeConfigs => {
            matches!(text, "view" | "current-context" | "get-contexts" | "get-clusters")
        }
        Certain::KubeOut => {
            matches!(text, "json" | "yaml" | "wide" | "name")
                || ["jsonpath=", "custom-columns=", "go-template="]
                    .iter()
                    .any(|begin| text.starts_with(begin))
        }
        Certain::DateFormat => text.starts_with('+'),
        Certain::Number => plain("."),
        Certain::Process => {
            !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || one == '%')
        }
        Certain::Lint => lint(text),
        Certain::Format => matches!(text, "--check" | "-l" | "-q" | "-v" | "--quiet" | "--verbose"),
        Certain::Libtest => libtest(text),
        Certain::Dd => false,
    }
}

/// `-D warnings`, `-Dwarnings`, `clippy::pedantic`.
fn lint(text: &str) -> bool {
    let name =
        ["-D", "-W", "-A", "-F"].iter().find_map(|level| text.strip_prefix(level)).unwrap_or(text);
    name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_' || one == ':' || one == '-')
        && !name.starts_with('-')
}

/// Names of tests, and what the harness of Rust's tests only prints differently for.
fn libtest(text: &str) -> bool {
    let (name, value) = text.split_once('=').unwrap_or((text, "1"));
    let plain =
        |text: &str| text.chars().all(|one| one.is_ascii_alphanumeric() || "_:-.".contains(one));
    let known = [
        "--nocapture",
        "--no-capture",
        "--test-threads",
        "--exact",
        "--ignored",
        "--include-ignored",
        "--skip",
        "--list",
        "--quiet",
        "-q",
        "--show-output",
        "--color",
        "--format",
    ];
    plain(value) && (known.contains(&name) || plain(text) && !text.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_remotes_are_names() {
        for good in
            ["left-pad", "@types/node", "requests==2.1", "react@^18.0.0", "uvicorn[standard]"]
        {
            assert!(fits(Certain::Package, good), "{good}");
        }
        for bad in [
            "./x",
            "a/b",
            "git+https://x/y",
            "https://x/y.tgz",
            "x.whl",
            "x@https://y",
            "a@npm:b",
            "file:x",
        ] {
            assert!(!fits(Certain::Package, bad), "{bad}");
        }
        for bad in ["ext::sh -c x", "../x", "ssh://h/x", "h:x", "https://u@h/x", "-x"] {
            assert!(!fits(Certain::Remote, bad), "{bad}");
        }
        assert!(
            fits(Certain::Remote, "origin") && fits(Certain::Remote, "https://example.com/a.git")
        );
    }
}
