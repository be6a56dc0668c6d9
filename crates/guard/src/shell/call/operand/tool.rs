//! Words of tools that have a small language of their own: only what is certain.

use crate::shell::examine::Examiner;
use crate::shell::table::Class;
use crate::shell::value::Value;

impl Examiner<'_> {
    /// A word that must be known and one of those that its class allows.
    pub(super) fn certain(&mut self, title: &str, class: Class, value: &Value) {
        let Some(text) = value.exact() else {
            return self.deny(format!("nobody knows what `{}` would mean to `{title}`", value.shown()));
        };
        if class == Class::Dd {
            return self.dd(text);
        }
        if !fits(class, text) {
            self.deny(format!("`{title} {text}` does more than reading, or is not known"));
        }
    }

    /// `if=file of=file bs=1M`.
    fn dd(&mut self, text: &str) {
        match text.split_once('=') {
            Some(("if", path)) => self.reads(&Value::text(path)),
            Some(("of", path)) => self.writes(&Value::text(path)),
            Some(("bs" | "ibs" | "obs" | "count" | "skip" | "seek" | "conv" | "status" | "iflag" | "oflag", _)) => {}
            Some(_) | None => self.deny(format!("`dd {text}` is not understood")),
        }
    }
}

fn fits(class: Class, text: &str) -> bool {
    let plain = |more: &str| {
        text.starts_with(|one: char| one.is_ascii_alphanumeric())
            && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
    };
    match class {
        Class::Script => plain(":_-.") ,
        // A name with a version or a range; not a path, an address or an alias of one.
        Class::Package => {
            let name = text.strip_prefix('@').unwrap_or(text);
            let named = |one: char| one.is_ascii_alphanumeric() || "._-/@=<>~^,[]+*".contains(one);
            let scoped = text.starts_with('@') && text.matches('/').count() == 1;
            name.starts_with(|one: char| one.is_ascii_alphanumeric())
                && name.chars().all(named)
                && (scoped || !text.contains('/'))
                && ![".tgz", ".tar.gz", ".whl", ".zip"].iter().any(|end| text.ends_with(end))
        }
        Class::Remote => match text.strip_prefix("https://") {
            Some(rest) => !rest.contains(['@', '\\', ' ']) && !rest.contains(".."),
            None => plain("_-.") ,
        },
        Class::Stash => matches!(text, "list" | "show" | "push" | "save" | "apply" | "pop") || text.starts_with("stash@{"),
        Class::Remotes => matches!(text, "show" | "get-url"),
        Class::Notes => matches!(text, "list" | "show"),
        Class::Worktrees => text == "list",
        Class::Submodules => matches!(text, "status" | "summary"),
        Class::Configs => matches!(text, "list" | "get") || text.contains('.') && plain(".-_"),
        Class::Bisects => matches!(text, "start" | "good" | "bad" | "reset" | "log" | "skip" | "old" | "new") || plain("._-~^"),
        Class::Reflog => !matches!(text, "expire" | "delete" | "drop" | "write") && plain("._-/@{}~^"),
        Class::Nextest => matches!(text, "run" | "list"),
        Class::GoMod => matches!(text, "tidy" | "download" | "verify" | "graph" | "why"),
        Class::KubeConfigs => matches!(text, "view" | "current-context" | "get-contexts" | "get-clusters"),
        Class::KubeOut => {
            matches!(text, "json" | "yaml" | "wide" | "name")
                || ["jsonpath=", "custom-columns=", "go-template="].iter().any(|begin| text.starts_with(begin))
        }
        Class::DateFormat => text.starts_with('+'),
        Class::Number => plain("."),
        Class::Process => !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || one == '%'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_remotes_are_names() {
        for good in ["left-pad", "@types/node", "requests==2.1", "react@^18.0.0", "uvicorn[standard]"] {
            assert!(fits(Class::Package, good), "{good}");
        }
        for bad in ["./x", "a/b", "git+https://x/y", "https://x/y.tgz", "x.whl", "x@https://y", "a@npm:b", "file:x"] {
            assert!(!fits(Class::Package, bad), "{bad}");
        }
        for bad in ["ext::sh -c x", "../x", "ssh://h/x", "h:x", "https://u@h/x", "-x"] {
            assert!(!fits(Class::Remote, bad), "{bad}");
        }
        assert!(fits(Class::Remote, "origin") && fits(Class::Remote, "https://example.com/a.git"));
    }
}
