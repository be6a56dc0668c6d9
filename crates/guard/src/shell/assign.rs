//! Variables that a command sets: which names are harmless, and for whom.
//!
//! A variable is configuration for some program. Reading tools listen to few of them, and
//! all of those are caught here by name or by the form of the name; tools that run code hand
//! everything on, so they may be given only what is known to be harmless everywhere.

/// Harmless for every program.
const HARMLESS: [&str; 31] = [
    "CARGO_TERM_COLOR",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "DEBUG",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "LINES",
    "LOG_LEVEL",
    "NODE_ENV",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONUNBUFFERED",
    "RAILS_ENV",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "RUST_TEST_THREADS",
    "TERM_PROGRAM",
    "TEST",
    "TZ",
    "VERBOSE",
    "GOMAXPROCS",
];

/// Never: what a program runs, loads, or takes configuration from begins like this.
const PREFIXES: [&str; 62] = [
    "_", "ALL_", "ANT_", "AR", "AWK", "AWS", "AZURE", "BASH", "BROWSER", "BUNDLE", "BZIP", "CARGO",
    "CC", "CDPATH", "COMP_", "CONDA", "CURL", "CXX", "DEB", "DOCKER", "DYLD_", "EDITOR", "ENV",
    "EXEC", "GCC", "GCONV", "GEM", "GIT", "GLIBC", "GOOGLE", "GO", "GPG", "GRADLE", "GREP", "GZIP",
    "HTTP", "IFS", "JAVA", "JDK", "KUBE", "LD", "LESS", "LIB", "LOC", "MAKE", "MALLOC", "MAN",
    "MAVEN", "NODE", "NPM", "PERL", "PIP", "PS", "PYTHON", "RIPGREP", "RSYNC", "RUBY", "RUST",
    "SSH", "SSL", "TAR", "XDG",
];

/// Never: names that hold one of these.
const PARTS: [&str; 24] = [
    "ALIAS", "ARGS", "CMD", "COMMAND", "CONF", "FLAGS", "GLOB", "HIST", "HOME", "HOOK", "INIT",
    "INPUTRC", "OPT", "PAGER", "PATH", "PREFIX", "PRELOAD", "PROFILE", "PROMPT", "PROXY", "SHELL",
    "TERM", "TMP", "TOOL",
];

/// Never: neither prefix nor part says it.
const NAMES: [&str; 34] = [
    "BLOCKSIZE",
    "COLORTERM",
    "COPROC",
    "CURLRC",
    "NETRC",
    "SCREENRC",
    "WGETRC",
    "DIRSTACK",
    "DISPLAY",
    "EUID",
    "FCEDIT",
    "FIGNORE",
    "FPATH",
    "FUNCNAME",
    "GROUPS",
    "HOSTALIASES",
    "LINENO",
    "MAGIC",
    "TZDIR",
    "LOGNAME",
    "LS_COLORS",
    "MAIL",
    "MAPFILE",
    "NLSPATH",
    "OLDPWD",
    "POSIXLY_CORRECT",
    "PPID",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "UID",
    "USER",
    "VISUAL",
];

/// Why a variable may not be set, if so. `for_code`: it would reach a tool that runs code.
pub(super) fn refused(name: &str, for_code: bool) -> Option<String> {
    if HARMLESS.contains(&name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let listed = PREFIXES.iter().any(|prefix| upper.starts_with(prefix) && !is_word(name, prefix))
        || PARTS.iter().any(|part| upper.contains(part) && !is_word(name, part))
        || NAMES.contains(&upper.as_str());
    if listed {
        return Some(format!("the variable `{name}` configures programs"));
    }
    for_code.then(|| format!("nobody knows what the variable `{name}` does to code that runs"))
}

/// A short name in small letters that only begins like a dangerous one: `lib` or `out`
/// of a script are nobody's configuration, `http_proxy` is.
fn is_word(name: &str, dangerous: &str) -> bool {
    let small = name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit());
    small && dangerous != "PATH" && dangerous != "IFS" && name != "ld"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_is_told_from_values() {
        for free in ["x", "file", "FOO", "count", "LC_ALL", "dir", "lib", "i", "COUNT"] {
            assert_eq!(refused(free, false), None, "{free}");
        }
        let kept = [
            "PATH",
            "path",
            "LD_PRELOAD",
            "GIT_PAGER",
            "BASH_ENV",
            "ENV",
            "IFS",
            "EDITOR",
            "VISUAL",
            "RUSTC_WRAPPER",
            "http_proxy",
            "npm_config_x",
            "PS4",
            "PROMPT_COMMAND",
            "HOME",
            "TAR_OPTIONS",
            "NODE_OPTIONS",
            "GREP_OPTIONS",
            "LESSOPEN",
            "MANPAGER",
            "SHELLOPTS",
            "TMPDIR",
            "PYTHONPATH",
        ];
        for kept in kept {
            assert!(refused(kept, false).is_some(), "{kept}");
        }
        assert!(refused("FOO", true).is_some());
        assert_eq!(refused("RUST_BACKTRACE", true), None);
    }
}
