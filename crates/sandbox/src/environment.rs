//! The environment of a caged program: made from nothing, never inherited.

use std::collections::BTreeMap;

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Always set, and the same everywhere.
const PLAIN: [(&str, &str); 6] = [
    ("PATH", PATH),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TERM", "dumb"),
    ("PAGER", "cat"),
    ("USER", "agent"),
];

/// What keeps `git` from running anything by itself or asking anybody.
const GIT: [(&str, &str); 11] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_ASKPASS", "true"),
    ("SSH_ASKPASS", "true"),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_EDITOR", "true"),
    ("GIT_SEQUENCE_EDITOR", "true"),
    ("GIT_ALLOW_PROTOCOL", "file:http:https"),
];

/// Settings that win over what a repository says about itself.
const GIT_SETTINGS: [(&str, &str); 11] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.pager", "cat"),
    ("core.sshCommand", "false"),
    ("credential.helper", ""),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("safe.bareRepository", "explicit"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
];

/// All variables of a program: the plain ones, then what was granted, then what must hold
/// whatever was granted. `proxy`: where the cage's proxy listens.
pub(crate) fn environment(
    home: &str,
    temp: &str,
    proxy: Option<&str>,
    granted: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
    for (name, value) in PLAIN {
        set(name, value);
    }
    set("HOME", home);
    set("TMPDIR", temp);
    for (name, value) in granted {
        set(name, value);
    }
    if let Some(proxy) = proxy {
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            set(name, proxy);
        }
        for name in ["no_proxy", "NO_PROXY"] {
            set(name, "localhost,127.0.0.1,::1");
        }
        set("NODE_USE_ENV_PROXY", "1");
    }
    for (name, value) in GIT {
        set(name, value);
    }
    set("GIT_CONFIG_COUNT", &GIT_SETTINGS.len().to_string());
    for (at, (key, value)) in GIT_SETTINGS.iter().enumerate() {
        set(&format!("GIT_CONFIG_KEY_{at}"), key);
        set(&format!("GIT_CONFIG_VALUE_{at}"), value);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_wins_over_the_plain_and_not_over_the_guards() {
        let granted = [("PATH", "/opt/bin"), ("TOKEN", "t"), ("GIT_CONFIG_COUNT", "0")];
        let granted = granted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let all = environment("/h", "/t", None, &BTreeMap::from(granted));
        assert_eq!(all["PATH"], "/opt/bin");
        assert_eq!(all["TOKEN"], "t");
        assert_eq!(all["GIT_CONFIG_COUNT"], GIT_SETTINGS.len().to_string());
        assert!(!all.contains_key("http_proxy"));
    }
}
