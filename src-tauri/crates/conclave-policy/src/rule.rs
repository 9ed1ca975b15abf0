//! A rule in executable form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::facts::Facts;
use crate::predicate::Truth;
use crate::request::short;
use crate::{Decision, Effective, ToolRequest};

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

impl Layer {
    /// The layer's name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Admin => "admin",
            Self::User => "user",
            Self::Project => "project",
        }
    }
}

/// One rule, ready to be matched.
#[derive(Debug)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) layer: Layer,
    /// Whether it ships with Conclave.
    pub(crate) shipped: bool,
    pub(crate) priority: u32,
    pub(crate) effect: Effective,
    pub(crate) reason: String,
    pub(crate) guidance: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) condition: Condition,
    /// The conditions as they are written.
    pub(crate) written: Value,
    /// The examples as they are written, and whether the rule matches them.
    pub(crate) examples: Vec<(Value, bool)>,
    pub(crate) digest: String,
}

/// A request with which a rule's author shows what the rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The request.
    pub request: ToolRequest,
    /// Whether the rule matches it.
    pub matches: bool,
}

impl Rule {
    /// Its name, unique within its layer's file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it stands.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// Whether it ships with Conclave.
    pub fn is_shipped(&self) -> bool {
        self.shipped
    }

    /// Its place within its file: the lowest number comes first.
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

    /// Whether it counts; a rule may be switched off.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The requests with which its author shows what it is about, in the order in which they are written.
    pub fn examples(&self) -> Vec<Example> {
        // Whoever loaded the rule has read them already; one that cannot be read would have refused the file.
        let read = |(value, matches): &(Value, bool)| Some((short::read(value).ok()?, *matches));
        self.examples.iter().filter_map(read).map(|((request, _), matches)| Example { request, matches }).collect()
    }

    /// Changes whenever anything about the rule changes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Its conditions in one line, as they are written; empty for a rule about everything.
    pub fn describes(&self) -> String {
        match &self.written {
            Value::Object(object) => {
                object.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        }
        .join(", ")
    }

    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Truth {
        self.condition.judge(facts)
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

/// A value in YAML's one-line form.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let parts: Vec<String> = object.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a text needs no quotes in that form.
fn is_plain(text: &str) -> bool {
    let safe = |character: char| character.is_alphanumeric() || "/._-~ @+".contains(character);
    text.starts_with(|first: char| first.is_alphabetic() || first == '/')
        && !text.ends_with(' ')
        && text.chars().all(safe)
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text)
}
