//! The policies that ship with Conclave, and those it makes itself.

use serde_json::{Value, json};

use crate::condition::read::Dialect;
use crate::load::{self, Base, LoadError};
use crate::rule::Rule;
use crate::{Effective, Layer, Policy};

const FLOOR: &str = include_str!("../rules/floor.yaml");
const DEFAULT: &str = include_str!("../rules/default.yaml");
const STRICT: &str = include_str!("../rules/strict.yaml");
const OFFLINE: &str = include_str!("../rules/offline.yaml");

/// How Conclave was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The shipped policy alone.
    Default,
    /// The shipped policy with no model elsewhere, nothing that held a secret, and every edit of an agent looked at.
    Strict,
    /// The shipped policy, and no connection is attempted, not even to this machine.
    Offline,
}

impl Policy {
    /// The policy that ships with Conclave: the floor and what the person's own file extends where there is none.
    pub fn shipped(mode: Mode) -> Self {
        let base = match mode {
            Mode::Strict => Base::Strict,
            Mode::Default | Mode::Offline => Base::Default,
        };
        let user = Self::layer(Layer::User, Vec::new(), rules(base));
        match mode {
            Mode::Default | Mode::Strict => Self::floor().and(user),
            Mode::Offline => Self::floor().and(Self::offline()).and(user),
        }
    }

    /// What holds whatever any other rule says.
    pub fn floor() -> Self {
        Self::layer(Layer::Floor, of(FLOOR), Vec::new())
    }

    /// The layer that lets no connection be attempted.
    pub fn offline() -> Self {
        Self::layer(Layer::Floor, of(OFFLINE), Vec::new())
    }

    /// A layer that keeps `folder`, Conclave's own data, from agents and from whoever writes to projects.
    pub fn guard(folder: &str) -> Self {
        let conditions = json!({
            "action": ["call_tool", "write_project"],
            "not": { "actor": "person" },
            "path": { "glob": format!("{}/**", literal(folder.trim_end_matches('/'))) },
        });
        let reason = "this is where Conclave keeps your policy and its records";
        made("own-data", Layer::Floor, reason, conditions)
            .unwrap_or_else(|problem| Self::refuse_all(Layer::Floor, &format!("the data folder: {problem}")))
    }

    /// A layer that refuses everything, for when its own file cannot be trusted or read.
    pub fn refuse_all(layer: Layer, reason: &str) -> Self {
        let reason = if reason.trim().is_empty() { "the policy cannot be used" } else { reason };
        // INVARIANT: a rule without conditions has nothing in it that could be wrong.
        #[expect(clippy::expect_used, reason = "see the invariant above")]
        made("policy-unusable", layer, reason, Value::Null).expect("a rule about everything loads")
    }
}

/// The rules of a shipped policy, in its place below the person's own.
pub(crate) fn rules(base: Base) -> Vec<Rule> {
    match base {
        Base::None => Vec::new(),
        Base::Default => of(DEFAULT),
        Base::Strict => over(of(STRICT), of(DEFAULT)),
        Base::Offline => over(of(OFFLINE), of(DEFAULT)),
    }
}

/// The rules of a file that is compiled in. Its examples are checked by the tests of this crate, not at every start.
fn of(yaml: &str) -> Vec<Rule> {
    // INVARIANT: the files are compiled in, and the tests of this crate load them.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    let mut rules = load::read(yaml).expect("the shipped rules load").rules;
    rules.iter_mut().for_each(|rule| rule.shipped = true);
    rules
}

/// One shipped file over another one.
fn over(mut upper: Vec<Rule>, lower: Vec<Rule>) -> Vec<Rule> {
    let lower: Vec<Rule> = lower.into_iter().filter(|rule| upper.iter().all(|other| other.id != rule.id)).collect();
    upper.extend(lower);
    upper
}

/// A layer of one rule that denies.
fn made(id: &str, layer: Layer, reason: &str, conditions: Value) -> Result<Policy, LoadError> {
    let rule =
        json!({ "id": id, "priority": 0, "action": Effective::Deny, "reason": reason, "conditions": conditions });
    let mut rule = load::rule(rule, Dialect::Native, &mut Vec::new())?;
    rule.shipped = true;
    Ok(Policy::layer(layer, vec![rule], Vec::new()))
}

/// A glob that is found in this text alone.
fn literal(text: &str) -> String {
    let special = |character: char| r"\*?[]{}!,".contains(character);
    text.chars().flat_map(|one| special(one).then_some('\\').into_iter().chain([one])).collect()
}
