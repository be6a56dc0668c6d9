//! A program runs in the cage while the process above it is struck: the program ends with
//! it, and is not run again.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::LIVES_MAX;
use crate::place::{Place, Story, Strike};
use crate::trace::Trace;

/// The longest wait for a program to begin or to be gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A shell command and a server of tools, both in the cage, and a call that is asked about
/// once the command is over.
const CAGED: Story = Story {
    files: &[
        ("caged.yaml", SCRIPT),
        ("agent.yaml", AGENT),
        ("work.sh", WORK),
        ("server.sh", SERVER),
        ("asking.yaml", crate::ASKING),
        ("windlass.yaml", "policy: ./asking.yaml\n"),
    ],
    commands: &[&["run", "--agent", "agent.yaml", "work"]],
};

const WORK: &str = "echo began >> began.txt
sleep $(cat nap) & sleep $(cat nap)
echo done >> done.txt
";

const SCRIPT: &str = r#"turns:
  - tools: [{name: bash, input: {command: "bash work.sh", timeout_seconds: 100}}]
  - expect: outcome unknown
    tools: [{name: write, input: {path: out.txt, content: "written\n"}}]
  - tools: [{name: end_task, input: {result: told}}]
"#;

const AGENT: &str = "agent_id: caged
model: script:caged.yaml
system_prompt: You work.
allowed_tools: [bash, write, \"srv__*\", end_task]
trust: elevated
tools: {bash: {allow: [bash work.sh]}}
mcp_servers:
  srv: {command: /bin/bash, args: [server.sh]}
";

/// A server that also has a program beneath it.
const SERVER: &str = r#"
sleep $(cat nap) &
while IFS= read -r line; do
  [[ $line =~ \"id\":([0-9]+|\"[^\"]*\") ]] || continue
  case $line in
    *'"initialize"'*)
      result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}' ;;
    *'"tools/list"'*)
      result='{"tools":[{"name":"look","description":"Looks.","inputSchema":{"type":"object","properties":{}}}]}' ;;
    *) result='{}' ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "${BASH_REMATCH[1]}" "$result"
done
"#;

#[test]
fn killed_while_a_caged_program_runs_it_ends_and_is_not_run_again() {
    strike_while_it_runs(Strike::Kill);
}

#[test]
fn terminated_while_a_caged_program_runs_it_ends_and_is_not_run_again() {
    strike_while_it_runs(Strike::Terminate);
}

fn strike_while_it_runs(strike: Strike) {
    let place = Place::new(&CAGED);
    // A nap that no other program of this machine takes.
    let nap = format!("61.{}", std::process::id());
    place.write("nap", &nap);
    let napping = || programs(&format!("sleep {nap}"));
    let running = place.start(0);
    wait_until("the command and the server have their programs", || napping() == 3);
    assert_eq!(place.file("began.txt"), "began\n");
    running.strike(strike);
    wait_until("no program is left", || napping() == 0);
    place.finish(LIVES_MAX);
    assert_eq!(place.file("began.txt"), "began\n", "it was run again");
    assert_eq!(place.file("done.txt"), "", "it went on");
    assert_eq!(place.file("out.txt"), "written\n");
    assert_eq!(Trace::of(&place).outcomes("outcome_unknown"), 1);
    assert_eq!(napping(), 0);
}

fn wait_until(what: &str, there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(20));
    }
}

/// How many programs of this machine were started with these words.
fn programs(words: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("a /proc").flatten();
    let line = |process: fs::DirEntry| fs::read(process.path().join("cmdline")).ok();
    let ours = |line: &Vec<u8>| String::from_utf8_lossy(line).replace('\0', " ").trim() == words;
    processes.filter_map(line).filter(ours).count()
}
