//! A world small enough to read: a real calculator, notes and files in memory, weather
//! that never changes.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

pub(crate) struct World {
    notes: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    /// Tools that the agent does not have.
    pub(crate) without: Vec<String>,
    /// Answers that take the place of a tool's own.
    pub(crate) canned: HashMap<String, String>,
    /// Whether the network is gone.
    pub(crate) offline: bool,
    /// Whether `end_task` refuses every result.
    pub(crate) refuses_ends: bool,
}

const TOOLS: [&str; 10] = [
    "calculator",
    "notes",
    "weather",
    "web_search",
    "read",
    "write",
    "edit",
    "glob",
    "grep",
    "more",
];

impl World {
    pub(crate) fn new() -> Self {
        let files = [
            ("README.md", "# A house\nIt has a door.\n"),
            ("a.txt", "foo and foo\n"),
            ("notes.txt", "a needle in hay\n"),
            ("src/main.rs", "fn main() {} // TODO\n"),
        ];
        World {
            notes: BTreeMap::new(),
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
            without: Vec::new(),
            canned: HashMap::new(),
            offline: false,
            refuses_ends: false,
        }
    }

    /// The tools that the agent has.
    pub(crate) fn tools(&self) -> Vec<&'static str> {
        TOOLS.into_iter().filter(|tool| !self.without.iter().any(|gone| gone == tool)).collect()
    }

    pub(crate) fn call(&mut self, tool: &str, input: &Value) -> Result<String, String> {
        assert!(self.tools().contains(&tool), "`{tool}` was called and is not offered");
        if let Some(text) = self.canned.get(tool) {
            return Ok(text.clone());
        }
        let text = |name: &str| input[name].as_str().map(str::to_owned);
        let needed =
            |name: &str| text(name).unwrap_or_else(|| panic!("`{tool}` needs `{name}`: {input}"));
        match tool {
            "calculator" => calculate(&needed("expression")),
            "notes" => self.note(&needed("action"), text("name"), text("text")),
            "weather" => self.weather(&needed("place"), &text("day").unwrap_or("today".to_owned())),
            "web_search" => {
                Err(format!("web search is not configured; `{}` was not searched", needed("query")))
            }
            "read" => self.file(&needed("path")).cloned(),
            "write" => {
                self.files.insert(needed("path"), needed("content"));
                Ok(format!("wrote {} bytes", needed("content").len()))
            }
            "edit" => self.edit(
                &needed("path"),
                &needed("old_string"),
                &needed("new_string"),
                input["replace_all"] == true,
            ),
            "glob" => Ok(self.glob(&needed("pattern"), text("path"))),
            "grep" => Ok(self.grep(&needed("pattern"), text("path"), text("glob"))),
            "more" => Ok(format!("the rest from byte {} of {}", input["offset"], needed("handle"))),
            other => panic!("no tool `{other}`"),
        }
    }

    fn note(
        &mut self,
        action: &str,
        name: Option<String>,
        text: Option<String>,
    ) -> Result<String, String> {
        match (action, name) {
            ("list", _) if self.notes.is_empty() => Ok("there are no notes".to_owned()),
            ("list", _) => Ok(self.notes.keys().cloned().collect::<Vec<_>>().join("\n")),
            ("save", Some(name)) => {
                self.notes.insert(name, text.expect("a text to save"));
                Ok("saved".to_owned())
            }
            ("append", Some(name)) => {
                let note = self.notes.entry(name).or_default();
                note.push('\n');
                note.push_str(&text.expect("a text to append"));
                Ok("appended".to_owned())
            }
            ("read", Some(name)) => {
                self.notes.get(&name).cloned().ok_or(format!("there is no note `{name}`"))
            }
            (action, name) => panic!("no action `{action}` on {name:?}"),
        }
    }

    fn weather(&self, place: &str, day: &str) -> Result<String, String> {
        if self.offline {
            return Err("the weather service cannot be reached".to_owned());
        }
        Ok(format!("{place}, {day}: 4 to 9 °C, light rain"))
    }

    fn file(&self, path: &str) -> Result<&String, String> {
        self.files.get(path).ok_or(format!("there is no file `{path}`"))
    }

    fn edit(&mut self, path: &str, old: &str, new: &str, all: bool) -> Result<String, String> {
        let text = self.file(path)?;
        let count = text.matches(old).count();
        if count != 1 && !all {
            return Err(format!("`{old}` stands {count} times in `{path}`; it must stand once"));
        }
        let text = text.replace(old, new);
        self.files.insert(path.to_owned(), text);
        Ok(format!("replaced {count}"))
    }

    fn glob(&self, pattern: &str, path: Option<String>) -> String {
        let ending = pattern.rsplit('*').next().unwrap_or_default().trim_start_matches('/');
        let within =
            |file: &&String| path.as_ref().is_none_or(|path| file.starts_with(path.as_str()));
        let found: Vec<&str> = self
            .files
            .keys()
            .filter(within)
            .filter(|file| file.ends_with(ending))
            .map(String::as_str)
            .collect();
        found.join("\n")
    }

    fn grep(&self, pattern: &str, path: Option<String>, glob: Option<String>) -> String {
        let pattern =
            regex::Regex::new(pattern).expect("the planner writes patterns that are right");
        let ending = glob
            .map(|glob| glob.rsplit('*').next().unwrap_or_default().to_owned())
            .unwrap_or_default();
        let mut found = Vec::new();
        for (file, text) in &self.files {
            let within = path.as_ref().is_none_or(|path| file.starts_with(path.as_str()))
                && file.ends_with(&ending);
            let lines =
                text.lines().enumerate().filter(|(_, line)| within && pattern.is_match(line));
            found.extend(lines.map(|(number, line)| format!("{file}:{}: {line}", number + 1)));
        }
        if found.is_empty() { "no matches".to_owned() } else { found.join("\n") }
    }
}

/// The calculator that the real tool has too, so that what the planner writes is proven
/// to be what it reads.
fn calculate(expression: &str) -> Result<String, String> {
    let mut context = fend_core::Context::new();
    fend_core::evaluate(expression, &mut context).map(|result| result.get_main_result().to_owned())
}
