//! From a policy file to rules: the serialised form and every way it can be wrong.
//!
//! A file is taken whole or not at all. Its examples are part of it: a file whose examples come out differently is
//! refused, so that a slip in a rule shows when it is written and not when it matters.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::rule::{ActorPattern, Condition, Pattern, Rule};
use crate::{Action, Actor, Effective, Layer, Policy, ToolRequest};

const DEFAULT: &str = include_str!("../rules/default.yaml");
const OFFLINE: &str = include_str!("../rules/offline.yaml");

/// How Conclave was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The shipped policy alone.
    Default,
    /// The shipped policy, and no connection is attempted, not even to this machine.
    Offline,
}

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The text is not YAML of the expected form; unknown and doubled keys included.
    #[error("the policy file cannot be read: {0}")]
    Form(String),
    /// A newer or unknown format.
    #[error("the policy file has version {0}, this program reads version 1")]
    Version(u32),
    /// Two rules share an id.
    #[error("two rules are called `{0}`; ids are unique within a file")]
    Duplicate(String),
    /// A rule that means nothing: an empty list, a bad pattern, an unknown actor.
    #[error("rule `{rule}`: {problem}")]
    Rule {
        /// The rule's id.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An example that comes out differently.
    #[error("rule `{rule}`, example {number}: expected {expected}, the file decides {found}")]
    Example {
        /// The rule that carries the example.
        rule: String,
        /// The example's place in its list, from 1.
        number: usize,
        /// What the example says.
        expected: String,
        /// What the file decides.
        found: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: u32,
    rules: Vec<RuleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: String,
    priority: u32,
    effect: Effective,
    reason: String,
    actors: Option<Vec<String>>,
    actions: Option<Vec<Action>>,
    resource: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, ConditionFile>,
    #[serde(default)]
    examples: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ConditionFile {
    Is(String),
    IsNot(String),
}

/// A request, what the whole file decides, and which rule does (its own unless `by` names another).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    actor: Actor,
    action: Action,
    resource: String,
    #[serde(default)]
    context: BTreeMap<String, String>,
    expect: Effective,
    by: Option<String>,
}

impl Policy {
    /// The policy that ships with Conclave.
    pub fn shipped(mode: Mode) -> Self {
        // INVARIANT: both files are compiled in, and the tests of this crate load them.
        #[expect(clippy::expect_used, reason = "see the invariant above")]
        let load = |yaml, layer| Self::load(yaml, layer).expect("the shipped rules load");
        match mode {
            Mode::Default => load(DEFAULT, Layer::Floor),
            Mode::Offline => load(DEFAULT, Layer::Floor).and(load(OFFLINE, Layer::User)),
        }
    }

    /// Reads a policy file as one layer and checks its examples.
    ///
    /// # Errors
    /// [`LoadError`] names the first thing that is wrong; nothing of such a file is used.
    pub fn load(yaml: &str, layer: Layer) -> Result<Self, LoadError> {
        let file: PolicyFile = serde_saphyr::from_str(yaml).map_err(|error| LoadError::Form(error.to_string()))?;
        if file.version != 1 {
            return Err(LoadError::Version(file.version));
        }
        let mut ids = BTreeSet::new();
        if let Some(twin) = file.rules.iter().find(|rule| !ids.insert(&rule.id)) {
            return Err(LoadError::Duplicate(twin.id.clone()));
        }
        let rules = file.rules.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        // Examples speak of the file as written; that a project's allow rules do not count is the layer's affair.
        let as_written = Self::layer(Layer::Floor, rules.clone());
        file.rules.iter().try_for_each(|rule| check_examples(rule, &as_written))?;
        Ok(Self::layer(layer, rules))
    }
}

fn compile(file: &RuleFile) -> Result<Rule, LoadError> {
    let wrong = |problem: String| LoadError::Rule { rule: file.id.clone(), problem };
    if file.id.is_empty() || file.id == crate::NO_MATCH {
        return Err(wrong("a rule needs an id of its own".to_owned()));
    }
    if file.reason.trim().is_empty() {
        return Err(wrong("the reason is empty; say why in a few words".to_owned()));
    }
    if file.actors.as_ref().is_some_and(Vec::is_empty) || file.actions.as_ref().is_some_and(Vec::is_empty) {
        return Err(wrong("an empty list matches nothing; leave the key out to match everything".to_owned()));
    }
    let actors = file
        .actors
        .as_ref()
        .map(|actors| actors.iter().map(|text| actor_pattern(text)).collect::<Result<Vec<_>, _>>())
        .transpose()
        .map_err(wrong)?;
    let resource = file.resource.as_deref().map(Pattern::new).transpose().map_err(|error| wrong(error.to_string()))?;
    let context = file.context.iter().map(|(key, condition)| (key.clone(), condition.compile())).collect();
    Ok(Rule {
        id: file.id.clone(),
        layer: Layer::Floor,
        guidance: None,
        provider: None,
        digest: String::new(),
        priority: file.priority,
        effect: file.effect,
        reason: file.reason.clone(),
        actors,
        actions: file.actions.clone(),
        resource,
        context,
    })
}

fn actor_pattern(text: &str) -> Result<ActorPattern, String> {
    match text {
        "analyst:*" => Ok(ActorPattern::AnyAnalyst),
        _ => text.parse().map(ActorPattern::Exactly).map_err(|error: crate::request::UnknownActor| error.to_string()),
    }
}

impl ConditionFile {
    fn compile(&self) -> Condition {
        match self {
            Self::Is(value) => Condition::Is(value.clone()),
            Self::IsNot(value) => Condition::IsNot(value.clone()),
        }
    }
}

fn check_examples(rule: &RuleFile, policy: &Policy) -> Result<(), LoadError> {
    for (index, example) in rule.examples.iter().enumerate() {
        let decision = policy.evaluate(
            &ToolRequest {
                context: example.context.clone(),
                ..ToolRequest::new(example.actor.clone(), example.action, example.resource.clone())
            },
            0,
        );
        let by = example.by.as_ref().unwrap_or(&rule.id);
        if (decision.effect, &decision.rule) != (example.expect, by) {
            return Err(LoadError::Example {
                rule: rule.id.clone(),
                number: index + 1,
                expected: format!("{:?} by `{by}`", example.expect).to_lowercase(),
                found: format!("{:?} by `{}`", decision.effect, decision.rule).to_lowercase(),
            });
        }
    }
    Ok(())
}
