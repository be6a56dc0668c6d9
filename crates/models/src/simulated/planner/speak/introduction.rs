//! What the planner says about itself.

use kernel::message::Request;

use crate::simulated::planner::progress::offers;

/// What it is.
pub(super) const SELF: &str =
    "I am the planner: a small set of rules that plays a model, not a language model.";

/// What it understands with each tool.
const SKILLS: &[(&str, &str)] = &[
    ("calculator", "calculate: `what is 17.5% of 2340?`, `convert 5 miles to km`"),
    (
        "notes",
        "keep notes: `save the result as a note called tip`, `list my notes`, `read the note tip`",
    ),
    ("weather", "look up the weather: `weather in Lisbon tomorrow`"),
    ("web_search", "search the web: `search the web for rust async`"),
    ("glob", "find files: `which files end in .md?`"),
    ("grep", "find words in files: `find the word budget in src`"),
    ("read", "read files: `show me README.md`"),
    ("write", "write files: `create a file hello.txt with the text hi`"),
    ("edit", "edit files: `replace foo with bar in a.txt`"),
    ("delegate", "let children work: `delegate: compute 2+2 and 3+3 to two helpers`"),
];

/// Who it is and what it can do with the tools of this request.
pub(super) fn words(request: &Request) -> String {
    let skills: Vec<&str> =
        SKILLS.iter().filter(|(tool, _)| offers(request, tool)).map(|(_, skill)| *skill).collect();
    if skills.is_empty() {
        return format!("{SELF} This agent has none of the tools that I know how to use.");
    }
    format!(
        "{SELF} With the tools of this agent I can:\n- {}\nSeveral wishes may be joined by `and` or `then`.",
        skills.join("\n- ")
    )
}
