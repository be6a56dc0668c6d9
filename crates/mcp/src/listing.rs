//! The tools of a server, measured against their pins.

use std::collections::{BTreeMap, BTreeSet};

use kernel::units::Tenant;
use serde_json::Value;

use crate::name::exposed;
use crate::pin::{Pin, Pinned, Pins, PinsLost};
use crate::settings::{FirstUse, Server};
use crate::tool::{Standing, Tool, Unfit};

/// A tool that is not shown to models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The server.
    pub server: String,
    /// The tool's own name, as far as it can be printed.
    pub tool: String,
    /// Why, in words for a person.
    pub why: String,
    /// What to accept so that it is shown, where that would help.
    pub pin: Option<Pin>,
}

/// What a server offers at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// By the names that models use.
    pub(crate) tools: BTreeMap<String, Listed>,
    /// What cannot be shown at all.
    pub(crate) unfit: Vec<Unfit>,
}

/// A tool that could be shown.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) tool: Tool,
    pub(crate) standing: Standing,
}

impl Listing {
    /// Reads a server's list. At the very first contact its tools are pinned as they are,
    /// unless the configuration says otherwise; later ones wait for somebody.
    pub(crate) async fn take(
        entries: &[Value],
        server: &Server,
        tenant: &Tenant,
        pins: &dyn Pins,
    ) -> Result<Listing, PinsLost> {
        let (tools, unfit) = read(entries, server);
        let mut known = pins.load(tenant, &server.name).await?;
        if known.is_empty() && server.settings.first_use == FirstUse::Pin && !tools.is_empty() {
            let accepted = tools
                .values()
                .map(|tool| (tool.name.clone(), Pinned { accepted: Some(tool.pin), asked: None }));
            known = accepted.collect();
            pins.keep(tenant, &server.name, known.clone()).await?;
        }
        let listed = tools.into_iter().map(|(name, tool)| {
            let standing = standing(tool.pin, known.get(&tool.name));
            (name, Listed { tool, standing })
        });
        Ok(Listing { tools: listed.collect(), unfit })
    }

    /// What models are not shown, and why.
    pub(crate) fn held_back(&self, server: &str) -> Vec<HeldBack> {
        let unfit = self.unfit.iter().map(|unfit| HeldBack {
            server: server.to_owned(),
            tool: unfit.name.clone(),
            why: unfit.why.clone(),
            pin: None,
        });
        let waiting = self.tools.values().filter_map(|listed| {
            Some(HeldBack {
                server: server.to_owned(),
                tool: listed.tool.name.clone(),
                why: match listed.standing {
                    Standing::Accepted => return None,
                    Standing::New => "it is new, and nobody accepted it yet".to_owned(),
                    Standing::Changed { from } => {
                        format!("what it says of itself changed since {from} was accepted")
                    }
                },
                pin: Some(listed.tool.pin),
            })
        });
        unfit.chain(waiting).collect()
    }
}

impl Listing {
    /// Names that the configuration speaks of and the server does not have: a misspelt
    /// `sensitive` would protect nothing.
    pub(crate) fn unknown(&self, server: &Server) -> Vec<String> {
        let settings = &server.settings;
        let whole = settings.tools.allow.iter().filter(|name| !name.ends_with('*'));
        let named = whole.chain(settings.effect.keys()).chain(&settings.sensitive);
        let has = |name: &String| {
            self.tools.values().any(|listed| listed.tool.name == *name)
                || self.unfit.iter().any(|unfit| unfit.name == *name)
        };
        let unknown: BTreeSet<&String> = named.filter(|name| !has(name)).collect();
        unknown.into_iter().cloned().collect()
    }
}

/// How a pin stands to what is known of its tool.
pub(crate) fn standing(pin: Pin, known: Option<&Pinned>) -> Standing {
    match known.and_then(|known| known.accepted) {
        None => Standing::New,
        Some(accepted) if accepted == pin => Standing::Accepted,
        Some(from) => Standing::Changed { from },
    }
}

/// The selected tools by their names for models. Of two with one name nobody could tell
/// which is called: neither is a tool.
fn read(entries: &[Value], server: &Server) -> (BTreeMap<String, Tool>, Vec<Unfit>) {
    let (mut tools, mut unfit) = (BTreeMap::<String, Vec<Tool>>::new(), Vec::new());
    let is_wanted = |entry: &&Value| {
        let name = entry.get("name").and_then(Value::as_str);
        name.is_none_or(|name| server.settings.tools.has(name))
    };
    for entry in entries.iter().filter(is_wanted) {
        match Tool::read(entry) {
            Ok(tool) => tools.entry(exposed(&server.name, &tool.name)).or_default().push(tool),
            Err(wrong) => unfit.push(wrong),
        }
    }
    let mut single = BTreeMap::new();
    for (name, mut same) in tools {
        match (same.pop(), same.len()) {
            (Some(tool), 0) => {
                single.insert(name, tool);
            }
            (Some(tool), others) => {
                let why = format!("the server has {} tools of this name", others + 1);
                unfit.push(Unfit { name: tool.name, why });
            }
            (None, _) => {}
        }
    }
    (single, unfit)
}
