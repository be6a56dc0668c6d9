//! Every example loads; every broken file is told what is wrong with it, word by word;
//! what a file says is what the agent gets.

use std::path::{Path, PathBuf};

use kernel::agent::{Agent, END_TASK, Effect, EffectRule, MORE, ToolSpec};
use kernel::units::Money;
use kernel::verdict::Trust;
use serde_json::json;

use super::{
    AllowedTools, Chosen, Config, ConfigError, Kind, Look, Provider, SearchEngine, agent,
    default_agent, kind_of, load, load_installation, load_prices, parse,
};

mod files;

/// Set to rewrite the expected messages beside the broken files.
const BLESS: &str = "BLESS";

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    paths.sort();
    paths
}

fn world(name: &str) -> Option<String> {
    match name {
        "CITY" => Some("Oslo".to_owned()),
        "TURNS" => Some("7".to_owned()),
        "SECRET" => Some("hunter2".to_owned()),
        _ => None,
    }
}

fn specs() -> Vec<ToolSpec> {
    let spec = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: name.to_owned(),
        input_schema: json!({"type": "object", "properties": {"result": {}}}),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 1000,
        output_bytes_max: 1000,
        untrusted: false,
        sensitive: name == "bash",
    };
    let names = [
        "calculator",
        "notes",
        "weather",
        "web_search",
        "web_fetch",
        "read",
        "write",
        "edit",
        "glob",
        "grep",
        "bash",
        END_TASK,
        MORE,
    ];
    names.map(spec).to_vec()
}

/// The built-in tools and those that the file brings; of its servers those that it allows.
fn specs_of(config: &Config) -> Vec<ToolSpec> {
    let mut specs = specs();
    specs.extend(config.http_tools.iter().map(tools::HttpTool::spec));
    let databases = &config.tools.databases;
    specs.extend((!databases.is_empty()).then(|| tools::sql_query_spec(databases)));
    if let AllowedTools::Named(allowed) = &config.allowed_tools {
        let served = allowed.iter().filter_map(|(name, _)| {
            let (server, _) = name.split_once("__")?;
            config.mcp.servers.0.contains_key(server).then_some(name)
        });
        let like = specs[0].clone();
        specs.extend(served.map(|name| ToolSpec { name: name.clone(), ..like.clone() }));
    }
    specs
}

fn read(text: &str) -> Result<(Config, Agent), ConfigError> {
    let config = parse("agent.yaml", Path::new("there"), text.into(), &world)?;
    let agent = agent(&config, &specs_of(&config))?;
    Ok((config, agent))
}

/// The four keys that every file has, and more.
fn with(more: &str) -> String {
    format!("agent_id: a\nmodel: planner\nsystem_prompt: p\nallowed_tools: []\n{more}")
}

#[test]
fn every_example_loads() {
    let paths = files(&folder("../../examples"));
    assert!(paths.len() >= 3, "the examples are gone");
    for path in paths {
        match kind_of(&path).unwrap() {
            Kind::Agent => {
                let config = load(&path, &world).unwrap_or_else(|error| panic!("{error}"));
                let agent =
                    agent(&config, &specs_of(&config)).unwrap_or_else(|error| panic!("{error}"));
                assert!(agent.can_end_task(), "{}", path.display());
                assert!(agent.task_cap.is_some(), "{}", path.display());
            }
            Kind::Prices => {
                let prices = load_prices(&path, &world).unwrap_or_else(|error| panic!("{error}"));
                assert!(!prices.rows.is_empty());
            }
            Kind::Installation => {
                let file = load_installation(&path, &world);
                let file = file.unwrap_or_else(|error| panic!("{error}"));
                file.permits.policies.load().unwrap_or_else(|error| panic!("{error}"));
            }
            Kind::Policy | Kind::Question => {
                let set = Chosen::File(path).read_as(policy::PolicySet::load);
                let set = set.unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(set.warnings(), []);
            }
        }
    }
}

#[test]
fn every_broken_file_is_told_what_is_wrong() {
    check_broken("tests/config/broken", 25, |name, bytes| {
        let config = parse(name, Path::new(""), bytes, &world)?;
        agent(&config, &specs()).map(drop)
    });
}

/// Every file of a folder is refused with the words beside it.
fn check_broken(
    of: &str,
    count_min: usize,
    read: impl Fn(&str, Vec<u8>) -> Result<(), ConfigError>,
) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in files(&folder(of)) {
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let told = match read(&name, std::fs::read(&path).unwrap()) {
            Ok(()) => panic!("{name} was accepted"),
            Err(broken) => broken.show(Look::Plain),
        };
        let expected_path = path.with_extension("txt");
        if std::env::var_os(BLESS).is_some() {
            std::fs::write(&expected_path, &told).unwrap();
        }
        if std::fs::read_to_string(&expected_path).unwrap_or_default() != told {
            wrong.push(told);
        }
    }
    assert!(count >= count_min, "only {count} broken files");
    assert!(wrong.is_empty(), "run again with {BLESS}=1 if these are right:\n{}", wrong.join("\n"));
}

#[test]
fn defaults_are_the_documented_ones() {
    let (config, agent) = read(&with("")).unwrap();
    assert_eq!(config.provider, Provider::Planner);
    assert_eq!(agent.task_cap, Some(Money(Money::PER_USD)));
    assert_eq!(agent.max_tokens, 8192);
    assert_eq!(agent.temperature, None);
    assert_eq!(agent.limits, kernel::agent::Limits::default());
    assert_eq!(agent.limits.turns_max, 25);
    assert_eq!((config.trust, config.task_type), (Trust::Standard, None));
    let names: Vec<_> = agent.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, [MORE]);
}

#[test]
fn what_the_file_says_is_what_the_agent_gets() {
    let (config, agent) = read(
        "agent_id: ops.bot-1\nmodel: qwen3\nsystem_prompt: In ${CITY} a $${CITY} is ${X:-fine}\n\
         allowed_tools: [weather, calculator]\nmax_tokens: 100\ntemperature: 0.25\n\
         max_turns: ${TURNS}\nmax_tool_calls_per_turn: 2\nmax_retries: 0\ntimeout_seconds: 9\n\
         budget_usd: 0.000000001\nmcp_servers: []\n\
         provider: {base_url: \"http://localhost:1/v1/\", key_env: K}\n\
         price: {usd_per_million: {input: 0.001, output: 2.5, cache_read: 0}}\n\
         context: {window_tokens: 20000, compaction: off, compact_at_percent: 70, keep_turns: 0,\n\
         \x20 clear_percent_min: 5, summary_tokens: 999}\n\
         tools: {notes: {dir: ./n}, web_search: {engine: brave}}\n",
    )
    .unwrap();
    assert_eq!(agent.agent_id, "ops.bot-1");
    assert_eq!(agent.system_prompt, "In Oslo a ${CITY} is fine");
    let names: Vec<_> = agent.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["calculator", "weather", MORE], "in the toolbox's order");
    assert_eq!((agent.max_tokens, agent.temperature), (100, Some(0.25)));
    assert_eq!(agent.limits.turns_max, 7);
    assert_eq!(agent.limits.calls_per_turn_max, 2);
    assert_eq!(agent.limits.model_tries_max, 1);
    assert_eq!(agent.limits.model_deadline_ms, 9000);
    let window = kernel::agent::Window {
        tokens_max: Some(20_000),
        compact: false,
        trigger_percent: 70,
        keep_turns: 0,
        clear_percent_min: 5,
        summary_tokens_max: 999,
    };
    assert_eq!(agent.limits.window, window);
    assert_eq!(agent.task_cap, Some(Money(1)));
    let server = Provider::OpenAi {
        base_url: "http://localhost:1/v1".to_owned(),
        key_env: Some("K".to_owned()),
    };
    assert_eq!(config.provider, server);
    let rates = config.price.unwrap().tiers[0].rates;
    assert_eq!((rates.input, rates.output, rates.cache_read), (1, 2500, 0));
    assert_eq!(rates.cache_write_1h, 1, "an unnamed rate is the input's");
    assert_eq!(config.tools.notes_dir, Some(PathBuf::from("./n")));
    let search = config.tools.web_search.unwrap();
    assert_eq!(search.engine, SearchEngine::Brave);
    assert_eq!(search.key_env.as_deref(), Some("BRAVE_API_KEY"));
}

#[test]
fn an_agent_says_how_far_it_reaches() {
    let (config, agent) = read(
        "agent_id: a\nmodel: planner\nsystem_prompt: p\nallowed_tools: [read, write]\n\
         trust: elevated\ntask_type: chores\nsensitive: [write]\napproval_minutes: 0.5\n",
    )
    .unwrap();
    assert_eq!((config.trust, config.task_type.as_deref()), (Trust::Elevated, Some("chores")));
    assert_eq!(agent.limits.approval_ms, 30_000);
    let marked = agent.tools.iter().filter(|tool| tool.sensitive);
    assert_eq!(marked.map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["write"]);
}

#[test]
fn money_is_read_from_its_text() {
    for (text, nanos) in [
        ("0.1", 100_000_000),
        ("0.123456789", 123_456_789),
        ("12345678.123456789", 12_345_678_123_456_789),
        ("3", 3_000_000_000),
        ("\"$2.50\"", 2_500_000_000),
        ("${NOTHING:-0.07}", 70_000_000),
        ("&b 0.3", 300_000_000),
    ] {
        let (_, agent) = read(&with(&format!("budget_usd: {text}\n"))).unwrap();
        assert_eq!(agent.task_cap, Some(Money(nanos)), "{text}");
    }
    let (_, agent) = read(&with("budget_usd: none\n")).unwrap();
    assert_eq!(agent.task_cap, None);
}

#[test]
fn a_model_tells_its_provider() {
    let of = |model: &str| Provider::of_model(model, Path::new("there"));
    let script = |path: &str| Some(Provider::Script { path: path.into() });
    assert_eq!(of("planner"), Some(Provider::Planner));
    assert_eq!(of("script:six.yaml"), script("there/six.yaml"));
    assert_eq!(of("script:"), None);
    assert_eq!(of("gpt-5.5"), None);
    assert!(matches!(
        of("claude-haiku-5-5"),
        Some(Provider::Anthropic { base_url: None, key_env }) if key_env == "ANTHROPIC_API_KEY"
    ));
}

#[test]
fn an_output_schema_makes_end_task_carry_the_result() {
    let schema = json!({"type": "object", "required": ["n"]});
    let (_, agent) = read(&with("output_schema: {type: object, required: [n]}\n")).unwrap();
    let input = &agent.tool(END_TASK).expect("end_task is given").input_schema;
    assert_eq!(input["properties"]["result"], schema);
    assert_eq!(input["required"], json!(["result"]));
    assert_eq!(agent.output_schema, Some(schema));
}

#[test]
fn without_a_file_there_is_an_agent_with_every_harmless_tool_and_a_budget() {
    let config = default_agent("planner", Provider::Planner);
    let agent = agent(&config, &specs()).unwrap();
    let harmless = specs().into_iter().filter(|spec| !spec.sensitive);
    assert_eq!(agent.tools, harmless.collect::<Vec<_>>());
    assert_eq!(agent.task_cap, Some(Money(Money::PER_USD)));
}

#[test]
fn a_file_that_is_not_there_not_text_or_too_long_is_told_so() {
    let error = load(Path::new("no/such.yaml"), &world).unwrap_err();
    assert!(error.to_string().starts_with("cannot read `no/such.yaml`: "));
    let told = |bytes: Vec<u8>| {
        let broken = parse("a.yaml", Path::new(""), bytes, &world).unwrap_err();
        broken.to_string()
    };
    let latin = told(b"agent_id: a\nmodel: caf\xe9\n".to_vec());
    assert!(latin.starts_with("a.yaml:2:11: not UTF-8"), "{latin}");
    let long = told(vec![b'#'; 1024 * 1024 + 1]);
    assert!(long.contains("longer than 1048576 bytes"), "{long}");
}

#[test]
fn a_drawing_shows_the_place_in_the_text() {
    let broken = read("agent_id: a\nsystm_prompt: p\nmodel: planner\nallowed_tools: []\n");
    let drawn = broken.unwrap_err().show(Look::Drawn);
    for piece in [
        "unknown key `systm_prompt`",
        "agent.yaml:2:1",
        "2 │ systm_prompt: p",
        "did you mean `system_prompt`?",
    ] {
        assert!(drawn.contains(piece), "{piece} is not in\n{drawn}");
    }
    assert!(!drawn.contains('\u{1b}'), "no colours were asked for");
}

#[test]
fn a_report_has_an_end() {
    let keys: String = (0..100).map(|n| format!("key_{n}: 1\n")).collect();
    let broken = read(&with(&keys)).unwrap_err();
    for look in [Look::Plain, Look::Drawn] {
        assert!(broken.show(look).contains("and 80 more mistakes"));
    }
}

#[test]
fn the_documentation_names_every_key_and_its_files_load() {
    let page = std::fs::read_to_string(folder("../../docs/configuration.md")).unwrap();
    let agents = super::agent_file::keys()
        .chain(super::provider::keys())
        .chain(super::fallbacks::keys())
        .chain(super::tool_settings::keys())
        .chain(super::window::keys())
        .chain(super::web_settings::keys())
        .chain(super::http_tools::keys())
        .chain(super::mcp_servers::keys())
        .chain(super::databases::keys());
    for key in agents.chain(super::installation::keys()).chain(super::price_file::keys()) {
        assert!(page.contains(&format!("`{key}`")), "`{key}` is not documented");
    }
    let blocks = page.split("```yaml\n").skip(1);
    let files: Vec<_> = blocks.filter_map(|block| block.split("```").next()).collect();
    assert!(files.len() >= 3, "the files are gone");
    for file in files {
        let source = || super::text::of_bytes("doc.yaml", file.into()).unwrap();
        let (root, _) = super::yaml::parse(file);
        let root = root.expect("it is YAML");
        if super::price_file::is_told_by(&root) {
            super::price_file::read(&source(), &world)
                .unwrap_or_else(|why| panic!("{why}\n{file}"));
        } else if super::installation::is_told_by(&root) {
            super::installation::read(&source(), Path::new(""), &world)
                .unwrap_or_else(|why| panic!("{why}\n{file}"));
        } else {
            read(file).unwrap_or_else(|broken| panic!("{broken}\n{file}"));
        }
    }
}

#[test]
fn another_model_brings_its_provider_and_drops_the_price() {
    let local = "agent_id: a\nmodel: qwen3\nsystem_prompt: p\nallowed_tools: []\n\
                 provider: {base_url: \"http://localhost:1/v1\"}\n\
                 price: {usd_per_million: {input: 1, output: 1}}\n";
    let config = |text: &str| read(text).unwrap().0;
    let here = Path::new("");
    let same = config(local).with_model("qwen3", here).unwrap();
    assert!(same.price.is_some());
    let other = config(local).with_model("llama5", here).unwrap();
    assert_eq!(other.provider, same.provider);
    assert_eq!((other.model.as_str(), other.price), ("llama5", None));
    let claude = config(local).with_model("claude-haiku-5-5", here).unwrap();
    assert!(matches!(claude.provider, Provider::Anthropic { base_url: None, .. }));
    let nobody = config(&with("")).with_model("llama5", here);
    assert!(nobody.unwrap_err().to_string().contains("`llama5`"));
    let proxied = "agent_id: a\nmodel: claude-a\nsystem_prompt: p\nallowed_tools: []\n\
                   provider: {base_url: \"http://localhost:1\"}\n";
    let kept = config(proxied).with_model("claude-b", here).unwrap();
    assert!(matches!(kept.provider, Provider::Anthropic { base_url: Some(_), .. }));
}

#[test]
fn a_file_cut_anywhere_is_told_what_is_wrong() {
    let mut paths = files(&folder("../../examples"));
    paths.extend(files(&folder("tests/config/broken")));
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        // A step that meets every kind of place and the middles of characters.
        for end in (0..bytes.len()).step_by(11) {
            let cut = parse("cut.yaml", Path::new(""), bytes[..end].to_vec(), &world);
            if let Err(broken) = cut {
                assert!(broken.show(Look::Plain).starts_with("cut.yaml:"));
                assert!(broken.show(Look::Drawn).lines().count() > 1);
            }
        }
    }
}
