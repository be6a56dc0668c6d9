//! Price files and the installation's file: what they say is what holds, and every
//! mistake is told word by word.

use std::collections::BTreeMap;
use std::path::Path;

use engine::alerts::{Kind, Subscriber};
use kernel::ledger::{Allowance, Budget, Per, Plans, Window};
use kernel::price::{Rates, Rule, Tier};
use kernel::units::{ContentHash, Money, Tenant, UnixMs};
use kernel::verdict::Trust;
use webhooks::Shape;

use super::super::{
    ConfigError, Kind as FileKind, installation, kind_of, load_installation, load_prices,
    price_file, text,
};
use super::{check_broken, folder, world};
use crate::config::{Chosen, Keeping, PriceFile, Webhook};

fn prices(text: &str) -> PriceFile {
    price_file::read(&text::of_bytes("prices.yaml", text.into()).unwrap(), &world).unwrap()
}

#[test]
fn every_broken_price_file_is_told_what_is_wrong() {
    check_broken("tests/config/broken_prices", 8, |name, bytes| {
        let source = text::of_bytes(name, bytes)?;
        price_file::read(&source, &world).map(drop).map_err(ConfigError::from)
    });
}

#[test]
fn every_broken_installation_is_told_what_is_wrong() {
    check_broken("tests/config/broken_installation", 17, |name, bytes| {
        let source = text::of_bytes(name, bytes)?;
        installation::read(&source, Path::new(""), &world).map(drop).map_err(ConfigError::from)
    });
}

#[test]
fn keys_of_content_and_times_are_read() {
    let file = "encryption: {key: \"env:content-key\", former: [enc:old]}\n\
                secrets: {sources: [{file: {dir: /run/secrets}}]}\n\
                retention: {production: {content_days: 90, audit_days: 400}, staging: {}}\n";
    let source = text::of_bytes("windlass.yaml", file.into()).unwrap();
    let read = installation::read(&source, Path::new(""), &world).unwrap();
    let encryption = read.encryption.unwrap();
    assert_eq!(encryption.key.to_string(), "env:content-key");
    assert_eq!(encryption.former.len(), 1);
    assert_eq!(read.permits.secrets.sources.len(), 1);
    let keeping = Keeping { content_days: Some(90), audit_days: Some(400) };
    assert_eq!(read.retention["production"], keeping);
    assert_eq!(read.retention["staging"], Keeping::default());
    let none = text::of_bytes("windlass.yaml", "prices: p.yaml\n".into()).unwrap();
    let none = installation::read(&none, Path::new(""), &world).unwrap();
    assert_eq!((none.encryption, none.retention.len()), (None, 0), "off where nobody says");
}

#[test]
fn what_the_installations_file_says_is_what_holds() {
    let file = load_installation(&folder("../../examples/windlass.yaml"), &world).unwrap();
    assert_eq!(file.prices, Some(folder("../../examples/prices.yaml")));
    assert_eq!(file.caps.warn_at_permille, [800, 950]);
    let plans = &file.caps.plans;
    assert_eq!((plans.offset_minutes, plans.usual.as_deref()), (60, Some("free")));
    let usd = |money: &str| Allowance::of(Some(money.parse().unwrap()));
    let budget = |name: &str, per, window, allowance| Budget {
        name: name.to_owned(),
        per,
        window,
        allowance,
    };
    let tokens = Some(500_000_000);
    let pro = [
        budget("user-day", Per::User, Window::Day, usd("10")),
        budget("tenant-month", Per::Tenant, Window::Month, Allowance { tokens, ..usd("2000") }),
        budget("team-week", Per::Label("team".to_owned()), Window::Week, usd("250")),
        budget(
            "burst",
            Per::User,
            Window::Hour,
            Allowance { money: None, tokens: Some(5_000_000), requests: Some(600) },
        ),
    ];
    assert_eq!(plans.plans["pro"], pro);
    let opening = |tenant: &str, user: &str| kernel::event::Opening {
        tenant: Tenant(tenant.to_owned()),
        user: user.to_owned(),
        labels: BTreeMap::default(),
        agent: ContentHash::of(b"a"),
        agent_id: "a".to_owned(),
        workdir: None,
        scope: None,
        forked_from: None,
        parent: None,
    };
    for (tenant, user, plan) in [
        ("acme", "anybody", "pro"),
        ("acme", "trainee", "free"),
        ("acme", "alice", "pro"),
        ("local", "alice", "pro"),
        ("local", "bob", "free"),
        ("other", "alice", "free"),
    ] {
        assert_eq!(plans.plan_of(&opening(tenant, user)), Some(plan), "{user} of {tenant}");
    }
}

#[test]
fn webhooks_are_named_and_their_secrets_stay_outside() {
    let text = "alerts:\n  webhooks:\n    ops: {url: 'https://h/x?key=1', secret_env: HOOK}\n    \
                chat: {url: 'http://10.0.0.1/${SECRET}', format: slack, kinds: [faulted, faulted]}\n    \
                quiet: {url: 'http://h', kinds: []}\n";
    let source = text::of_bytes("windlass.yaml", text.into()).unwrap();
    let file = installation::read(&source, Path::new(""), &world).unwrap();
    let told = |name: &str, url: &str, kinds: Option<&[Kind]>| Webhook {
        subscriber: Subscriber {
            name: name.to_owned(),
            kinds: kinds.map(|kinds| kinds.iter().copied().collect()),
        },
        url: url.to_owned(),
        secret_env: None,
        shape: Shape::Full,
    };
    let secret_env = Some("HOOK".to_owned());
    let faulted = Some(&[Kind::Faulted][..]);
    let expected = [
        Webhook { secret_env, ..told("ops", "https://h/x?key=1", None) },
        Webhook { shape: Shape::Slack, ..told("chat", "http://10.0.0.1/hunter2", faulted) },
        told("quiet", "http://h", Some(&[])),
    ];
    assert_eq!(file.webhooks, expected);
}

#[test]
fn without_limits_nothing_is_shared() {
    for text in ["", "limits:\n", "prices: p.yaml\n", "limits: {warn_at: [0.5]}\n"] {
        let source = text::of_bytes("windlass.yaml", text.into()).unwrap();
        let file = installation::read(&source, Path::new(""), &world).unwrap();
        assert_eq!(file.caps.plans, Plans::default(), "{text}");
    }
}

#[test]
fn what_a_price_file_says_is_what_holds() {
    let file = load_prices(&folder("../../examples/prices.yaml"), &world).unwrap();
    assert_eq!(file.version, "example-1");
    let names: Vec<&str> = file.rows.iter().map(|row| row.model.as_str()).collect();
    assert_eq!(names, ["qwen3-coder", "acme-large", "acme-large"]);
    let large = &file.rows[1];
    let tier = |prompt_tokens_over, [input, output, write_5m, write_1h, cache_read]: [u64; 5]| {
        let (cache_write_5m, cache_write_1h) = (write_5m, write_1h);
        let rates = Rates { input, output, cache_write_5m, cache_write_1h, cache_read };
        Tier { prompt_tokens_over, rates }
    };
    let rule = Rule {
        tiers: vec![
            tier(0, [3_000, 12_000, 3_750, 6_000, 300]),
            tier(200_000, [6_000, 18_000, 7_500, 12_000, 600]),
        ],
        per_request: Money(500_000),
        per_web_search: Money::ZERO,
        percent_off: 0,
        batch_percent_off: 25,
    };
    assert_eq!(large.rule, rule);
    assert_eq!((large.from, large.context_tokens), (None, Some(1_000_000)));
    assert_eq!(large.verify, ["cache_read"]);
    let new_year: jiff::Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(file.rows[2].from, Some(UnixMs(new_year.as_millisecond().cast_unsigned())));
}

#[test]
fn json_is_read_as_well_and_the_built_in_list_is_a_price_file() {
    let text = std::fs::read_to_string(folder("../models/data/prices.json")).unwrap();
    let file = prices(&text);
    let builtin = models::catalog::Catalog::builtin();
    let rows: usize = builtin.names().iter().map(|name| builtin.rows_of(name).len()).sum();
    assert_eq!(file.rows.len(), rows);
    for row in &file.rows {
        assert!(builtin.rows_of(&row.model).contains(row), "{row:?}");
    }
}

#[test]
fn a_price_file_without_a_version_is_told_apart_by_its_bytes() {
    let version = |price| {
        let rows = format!("[{{models: [m], input: {price}, output: 1}}]");
        prices(&format!("vendors: [{{name: a, rows: {rows}}}]")).version
    };
    assert_eq!(version("1").len(), 8);
    assert_eq!(version("1"), version("1"));
    assert_ne!(version("1"), version("2"));
}

#[test]
fn a_file_tells_its_kind() {
    let place = tempfile::tempdir().unwrap();
    let kind = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        kind_of(&path).unwrap()
    };
    for (name, text, expected) in [
        ("a.yaml", "agent_id: x\nmodel: planner\n", FileKind::Agent),
        ("a.yaml", "version: 1\nvendors: []\n", FileKind::Prices),
        ("a.json", "{\"vendors\": []}", FileKind::Prices),
        ("a.yaml", "prices: mine.yaml\n", FileKind::Installation),
        ("a.yaml", "limits: {}\n", FileKind::Installation),
        ("a.yaml", "alerts: {}\n", FileKind::Installation),
        ("a.yaml", "people: {}\n", FileKind::Installation),
        ("a.yaml", "policies: |\n  \n", FileKind::Policy),
        ("windlass.yaml", "", FileKind::Installation),
        ("windlass.yaml", "prise: mine.yaml\n", FileKind::Installation),
        ("a.yaml", "", FileKind::Agent),
        ("a.yaml", "vendors: [", FileKind::Agent),
    ] {
        assert_eq!(kind(name, text), expected, "{name}: {text}");
    }
    assert!(kind_of(Path::new("no/such.yaml")).is_err());
}

#[test]
fn what_is_said_of_people_and_secrets_is_what_holds() {
    let text = "environment: staging\npolicy: {use: approvals, tenants: {acme: p/acme.yaml}}\n\
                people:\n  role: guest\n  roles: {ann: operator}\n  tenants:\n    \
                acme: {role: member, roles: {bob: approver}}\n\
                task_types: {look: {tools: [read, \"git*\"], trust: read_only}}\n\
                roles: {guest: {trust: read_only}}\ntenants: {acme: {}}\nroots: [work, /srv]\n\
                secrets:\n  sources: [env: {prefix: W_}, encrypted: {path: s.enc, tenant: acme}]\n  \
                grants: {smtp: '*', key: [acme]}\n  ttl_ms: 5\n";
    let source = text::of_bytes("windlass.yaml", text.into()).unwrap();
    let permits = installation::read(&source, Path::new("/etc/w"), &world).unwrap().permits;
    assert_eq!(permits.environment, "staging");
    for (tenant, user, role) in [
        ("local", "ann", "operator"),
        ("local", "bob", "guest"),
        ("acme", "ann", "member"),
        ("acme", "bob", "approver"),
        ("other", "ann", "guest"),
    ] {
        let tenant = Tenant(tenant.to_owned());
        assert_eq!(permits.people.role(&tenant, user), role, "{user} of {}", tenant.0);
    }
    let acme = Tenant("acme".to_owned());
    assert_eq!(permits.policies.installation, Chosen::Template("approvals"));
    assert_eq!(permits.policies.tenants[&acme], Path::new("/etc/w/p/acme.yaml"));
    let scopes = &permits.scopes;
    assert_eq!(scopes.roots, [Path::new("/etc/w/work"), Path::new("/srv")]);
    assert_eq!(
        scopes.task_types["look"].tools.as_deref(),
        Some(&["read".into(), "git*".into()][..])
    );
    assert_eq!(scopes.roles["guest"].trust, Some(Trust::ReadOnly));
    assert_eq!(scopes.tenants["acme"], policy::scope::Limit::default());
    let secrets = &permits.secrets;
    assert_eq!((secrets.sources.len(), secrets.ttl_ms, secrets.stale_ms_max), (2, 5, 300_000));
    let encrypted = secrets::EncryptedConfiguration {
        path: "/etc/w/s.enc".into(),
        key: None,
        tenant: Some("acme".to_owned()),
    };
    assert_eq!(secrets.sources[1], secrets::SourceConfiguration::Encrypted(encrypted));
    let other = Tenant("other".to_owned());
    for (tenant, name, granted) in [
        (&acme, "smtp", true),
        (&other, "smtp", true),
        (&acme, "key", true),
        (&other, "key", false),
    ] {
        let name = name.parse().unwrap();
        assert_eq!(secrets.grants.allow(tenant, &name), granted, "{name} to {}", tenant.0);
    }
}

#[test]
fn without_people_whoever_is_here_is_admin_and_with_them_a_member() {
    let role = |text: &str| {
        let source = text::of_bytes("windlass.yaml", text.into()).unwrap();
        let file = installation::read(&source, Path::new(""), &world).unwrap();
        file.permits.people.role(&Tenant("local".to_owned()), "local").to_owned()
    };
    assert_eq!(role(""), "admin");
    assert_eq!(role("people: {}"), "member");
    assert_eq!(role("people: {roles: {ann: admin}}"), "member");
}

#[test]
fn every_secrets_section_that_is_shown_is_read_as_the_crate_reads_it() {
    let page = std::fs::read_to_string(folder("../../docs/secrets.md")).unwrap();
    let mut seen = 0;
    for block in page.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next()) {
        let files: Vec<String> = match block.starts_with("auth:") {
            false => vec![block.to_owned()],
            true => block.lines().map(with_auth).collect(),
        };
        for file in files {
            let source = text::of_bytes("windlass.yaml", file.clone().into()).unwrap();
            let ours = installation::read(&source, Path::new("/"), &world);
            let ours = ours.unwrap_or_else(|broken| panic!("{broken}\n{file}")).permits.secrets;
            let theirs: Section = serde_saphyr::from_str(&file).unwrap();
            assert_eq!(rooted(&format!("{ours:?}")), rooted(&format!("{:?}", theirs.secrets)));
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "the files are gone");
}

#[derive(serde::Deserialize)]
struct Section {
    secrets: secrets::Configuration,
}

/// A way into Vault, in a whole file.
fn with_auth(auth: &str) -> String {
    format!("secrets:\n  sources:\n    - vault:\n        address: https://v\n        {auth}\n")
}

/// The same with relative paths, which the crate leaves as they are, from the root.
fn rooted(shown: &str) -> String {
    shown.replace("\"secrets.enc\"", "\"/secrets.enc\"")
}
