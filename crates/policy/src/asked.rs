//! A question as people write it, in YAML or JSON: for examples, and to have a verdict
//! explained.
//!
//! What is left out is the usual: a member of the tenant `local`, in development, on
//! standard trust, untainted. The effect class of a tool is taken for the strictest.

use std::collections::{BTreeMap, BTreeSet};

use engine::ports::{Action, Principal, Question, ToolQuestion};
use kernel::agent::Effect;
use kernel::units::Tenant;
use kernel::verdict::{Examined, Judgement, Trust, Verdict};
use serde::{Deserialize, Serialize};

use crate::kind::{KINDS, Kind};
use crate::problem::{Problem, Problems, nearest};
use crate::yaml;

/// A question as written. Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    /// `tool.call`, `model.call`, `run.start`, `approval.decide`, `cap.raise`, or what an
    /// operator does: `audit.read`, `key.create`, ….
    pub action: String,
    /// The tenant.
    pub tenant: String,
    /// The user, by their name within the tenant.
    pub user: String,
    /// The user's role.
    pub role: String,
    /// The user's team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The key that they came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Further labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The agent: of `run.start` the one to begin, otherwise the one that speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The tool of a call or an ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The model of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The scope of a cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What an operator's action is done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The kind of task of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// Who asked for what is to be approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// What running the call twice would mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Whether the tool is marked sensitive.
    pub sensitive: bool,
    /// Paths that the call names.
    pub paths: BTreeSet<String>,
    /// Hosts that it would connect to.
    pub hosts: BTreeSet<String>,
    /// Programs that it would run.
    pub commands: BTreeSet<String>,
    /// The kind of its database statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// The verdict of the tool's own guards.
    pub guard: Verdict,
    /// Where.
    pub environment: String,
    /// How far the session's tools may reach.
    pub trust: Trust,
    /// Whether untrusted content came into the session.
    pub tainted: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            action: Kind::ToolCall.name().to_owned(),
            tenant: "local".to_owned(),
            user: "local".to_owned(),
            role: "member".to_owned(),
            team: None,
            key: None,
            labels: BTreeMap::new(),
            agent: None,
            tool: None,
            model: None,
            scope: None,
            resource: None,
            task_type: None,
            asked_by: None,
            effect: None,
            sensitive: false,
            paths: BTreeSet::new(),
            hosts: BTreeSet::new(),
            commands: BTreeSet::new(),
            statement: None,
            guard: Verdict::Allow,
            environment: "development".to_owned(),
            trust: Trust::Standard,
            tainted: false,
        }
    }
}

/// Why a question that can be read still is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoQuestion {
    /// What is wrong.
    pub words: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// A question with all that it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Posed {
    asked: Asked,
    kind: Kind,
    who: Principal,
    examined: Examined,
}

impl Asked {
    /// Reads a question from YAML or JSON.
    ///
    /// # Errors
    /// What is wrong with the text, at its line.
    pub fn read(text: &str, name: &str) -> Result<Asked, Vec<Problem>> {
        let mut problems = Problems::new(name);
        yaml::read(text, &mut problems).ok_or_else(|| problems.sorted())
    }

    /// The question, if it is one: known action, and what that action is about.
    ///
    /// # Errors
    /// What is missing, unknown or out of place.
    pub fn pose(self) -> Result<Posed, NoQuestion> {
        let kind = kind(&self.action)?;
        self.fits(kind)?;
        let mut labels = self.labels.clone();
        labels.extend(self.team.iter().map(|team| ("team".to_owned(), team.clone())));
        labels.extend(self.key.iter().map(|key| ("key".to_owned(), key.clone())));
        let who = Principal {
            tenant: Tenant(self.tenant.clone()),
            user: self.user.clone(),
            role: self.role.clone(),
            labels,
            agent: self.agent.clone().filter(|_| kind != Kind::RunStart),
        };
        let judgement = match self.guard {
            Verdict::Allow => Judgement::allow(),
            verdict @ (Verdict::Ask | Verdict::Deny) => {
                Judgement::new(verdict, "guard", "as the question says")
            }
        };
        let examined = Examined {
            paths: self.paths.clone(),
            hosts: self.hosts.clone(),
            commands: self.commands.clone(),
            statement: self.statement.clone(),
            ..Examined::judged(judgement)
        };
        Ok(Posed { kind, who, examined, asked: self })
    }

    /// Whether what the action is about was said, and nothing that is about another one.
    fn fits(&self, kind: Kind) -> Result<(), NoQuestion> {
        let named = [&self.paths, &self.hosts, &self.commands];
        let has_found = named.iter().any(|found| !found.is_empty()) || self.statement.is_some();
        let call = self.effect.is_some() || self.sensitive || self.guard != Verdict::Allow;
        let said = [
            ("tool", self.tool.is_some()),
            ("model", self.model.is_some()),
            ("scope", self.scope.is_some()),
            ("resource", self.resource.is_some()),
            ("task_type", self.task_type.is_some()),
            ("asked_by", self.asked_by.is_some()),
            ("effect", call || has_found),
        ];
        let (needs, takes): (&[&str], &[&str]) = match kind {
            Kind::RunStart => (&[], &["task_type"]),
            Kind::ModelCall => (&["model"], &[]),
            Kind::ToolCall => (&["tool"], &["effect"]),
            Kind::ApprovalDecide => (&["tool", "asked_by"], &[]),
            Kind::CapRaise => (&["scope"], &[]),
            Kind::Administer => (&["resource"], &[]),
        };
        if kind == Kind::RunStart && self.agent.is_none() {
            return Err(missing("agent", kind));
        }
        for (field, is_said) in said {
            if needs.contains(&field) && !is_said {
                return Err(missing(field, kind));
            }
            if is_said && !needs.contains(&field) && !takes.contains(&field) {
                let words = match field {
                    "effect" => format!("`{}` is no call, and has no facts of one", self.action),
                    field => format!("`{}` is not about a `{field}`", self.action),
                };
                let hint = "remove what is about another action".to_owned();
                return Err(NoQuestion { words, hint: Some(hint) });
            }
        }
        Ok(())
    }
}

fn missing(field: &str, kind: Kind) -> NoQuestion {
    let words = format!("`{}` is about a `{field}`, and there is none", kind.name());
    NoQuestion { words, hint: Some(format!("say which: `{field}: …`")) }
}

/// Letters by which a name may miss that of an action and still be a slip, not a name of
/// what operators do.
const SLIPS_MAX: usize = 2;

/// The kind of an action by its name. What operators do is an open list of names with a
/// dot inside; a slip in one of the others is not taken for one of these.
fn kind(action: &str) -> Result<Kind, NoQuestion> {
    let known = KINDS.into_iter().filter(|kind| *kind != Kind::Administer);
    if let Some(kind) = known.clone().find(|kind| kind.name() == action) {
        return Ok(kind);
    }
    let names = known.map(Kind::name).collect::<Vec<_>>();
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let near = nearest(action, &names);
    let slip = near.is_some_and(|near| strsim::damerau_levenshtein(action, near) <= SLIPS_MAX);
    let dotted = action.split_once('.').is_some_and(|(thing, act)| plain(thing) && plain(act));
    if dotted && !slip {
        return Ok(Kind::Administer);
    }
    Err(NoQuestion {
        words: format!("`{action}` is no action"),
        hint: Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of: {}; or as in `audit.read`", names.join(", ")),
        }),
    })
}

impl Posed {
    /// The question, as the policies are asked it.
    #[must_use]
    pub fn question(&self) -> Question<'_> {
        Question {
            who: &self.who,
            session: None,
            action: self.action(),
            environment: &self.asked.environment,
            trust: self.asked.trust,
            tainted: self.asked.tainted,
        }
    }

    fn action(&self) -> Action<'_> {
        let asked = &self.asked;
        match self.kind {
            Kind::RunStart => Action::RunStart {
                agent: text(&asked.agent),
                task_type: asked.task_type.as_deref(),
            },
            Kind::ModelCall => Action::ModelCall { model: text(&asked.model) },
            Kind::ToolCall => Action::ToolCall(ToolQuestion {
                tool: text(&asked.tool),
                effect: asked.effect.unwrap_or(Effect::Effect),
                sensitive: asked.sensitive,
                examined: &self.examined,
            }),
            Kind::ApprovalDecide => {
                Action::ApprovalDecide { tool: text(&asked.tool), asked_by: text(&asked.asked_by) }
            }
            Kind::CapRaise => Action::CapRaise { scope: text(&asked.scope) },
            Kind::Administer => {
                Action::Administer { name: &asked.action, resource: text(&asked.resource) }
            }
        }
    }
}

/// A field that the question was found to have.
fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

/// An action in a few words, for reasons and reports.
pub(crate) fn words(action: &Action<'_>) -> String {
    let name = action.name();
    match action {
        Action::RunStart { agent, .. } => format!("`{name}` of `{agent}`"),
        Action::ModelCall { model } => format!("`{name}` of `{model}`"),
        Action::ToolCall(call) => format!("`{name}` of `{}`", call.tool),
        Action::ApprovalDecide { tool, asked_by } => {
            format!("`{name}` on `{tool}`, asked by `{asked_by}`,")
        }
        Action::CapRaise { scope } => format!("`{name}` of `{scope}`"),
        Action::Administer { resource, .. } => format!("`{name}` of `{resource}`"),
    }
}
