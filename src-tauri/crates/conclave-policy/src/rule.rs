//! A rule in executable form.

use std::collections::BTreeMap;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::{Action, Actor, Decision, Effective, ToolRequest};

/// Longest resource, in bytes, that is matched against a pattern; a longer one cannot be judged.
const LONGEST_RESOURCE: usize = 16 * 1024;

/// Where rules come from, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Shipped with Conclave.
    Floor,
    /// Set by whoever runs the machine.
    Admin,
    /// Set by the person.
    User,
    /// Found in a project: may only make the policy stricter.
    Project,
}

/// One rule, ready to be matched.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) layer: Layer,
    pub(crate) priority: u32,
    pub(crate) effect: Effective,
    pub(crate) reason: String,
    pub(crate) guidance: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) digest: String,
    /// Any of these; `None` is anybody.
    pub(crate) actors: Option<Vec<ActorPattern>>,
    /// Any of these; `None` is anything.
    pub(crate) actions: Option<Vec<Action>>,
    pub(crate) resource: Option<Pattern>,
    /// All of these.
    pub(crate) context: BTreeMap<String, Condition>,
}

/// What a rule's resource looks like.
#[derive(Clone)]
pub(crate) struct Pattern(GlobMatcher);

/// Who a rule is about.
#[derive(Clone, Debug)]
pub(crate) enum ActorPattern {
    Exactly(Actor),
    AnyAnalyst,
}

/// What a rule wants of one context value.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// The value is there and is this.
    Is(String),
    /// The value is something else, or absent.
    IsNot(String),
}

/// Why a rule could not be matched, in words.
pub(crate) struct Unjudgeable(pub String);

impl Rule {
    /// Its name, unique within its layer's file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it stands.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// Its place within its layer: the lowest number comes first.
    pub fn priority(&self) -> u32 {
        self.priority
    }

    /// What becomes of what it matches.
    pub fn action(&self) -> Effective {
        self.effect
    }

    /// Why, in words for people.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What a reviewer should look at.
    pub fn guidance(&self) -> Option<&str> {
        self.guidance.as_deref()
    }

    /// Who should review: an endpoint of the settings, or `person`.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// Changes whenever anything about the rule changes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn matches(&self, request: &ToolRequest) -> Result<bool, Unjudgeable> {
        let actor = self.actors.as_ref().is_none_or(|actors| actors.iter().any(|a| a.matches(&request.actor)));
        let action = self.actions.as_ref().is_none_or(|actions| actions.contains(&request.action));
        let context = self.context.iter().all(|(key, condition)| condition.holds(request.context.get(key)));
        if !(actor && action && context) {
            return Ok(false);
        }
        match &self.resource {
            None => Ok(true),
            Some(_) if request.resource.len() > LONGEST_RESOURCE => {
                Err(Unjudgeable(format!("the resource is longer than {LONGEST_RESOURCE} bytes")))
            }
            Some(pattern) => Ok(pattern.0.is_match(&request.resource)),
        }
    }

    pub(crate) fn decision(&self) -> Decision {
        Decision {
            effect: self.effect,
            rule: self.id.clone(),
            reason: self.reason.clone(),
            layer: Some(self.layer),
            review: None,
        }
    }
}

impl Pattern {
    /// `*` stays within a component, `**` does not; `\\` takes a special character literally.
    pub(crate) fn new(text: &str) -> Result<Self, globset::Error> {
        let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build()?;
        Ok(Self(glob.compile_matcher()))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.glob().glob())
    }
}

impl ActorPattern {
    fn matches(&self, actor: &Actor) -> bool {
        match self {
            Self::Exactly(one) => one == actor,
            Self::AnyAnalyst => matches!(actor, Actor::Analyst(_)),
        }
    }
}

impl Condition {
    fn holds(&self, value: Option<&String>) -> bool {
        match self {
            Self::Is(wanted) => value == Some(wanted),
            Self::IsNot(unwanted) => value != Some(unwanted),
        }
    }
}
