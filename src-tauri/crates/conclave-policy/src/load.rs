//! From a policy file to rules: the serialised form and every way it can be wrong.
//!
//! A file is taken whole or not at all. Its examples are part of it: a file whose examples come out differently is
//! refused, so that a slip in a rule shows when it is written and not when it matters.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::condition::read::{Dialect, Reader};
use crate::digest::digest_parts;
use crate::facts::Facts;
use crate::predicate::Reach;
use crate::request::short;
use crate::rule::Rule;
use crate::suggest::unknown;
use crate::{Action, Effective, Layer, Policy, shipped};

/// The largest priority number.
const LAST_PRIORITY: u32 = 999;
/// The most bytes of a policy file.
const LARGEST_FILE: usize = 4 << 20;

const FILE_KEYS: &[&str] = &["version", "extends", "rules"];
const RULE_KEYS: &[&str] = &[
    "id",
    "priority",
    "action",
    "reason",
    "sampling_guidance",
    "inference_provider",
    "enabled",
    "conditions",
    "match",
    "no_match",
];

/// A policy that was read from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub policy: Policy,
    /// What its author may want to know: rules that never match, parts without effect. In words, each with its rule.
    pub warnings: Vec<String>,
}

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The text is not YAML of the expected form; unknown and doubled keys included.
    #[error("{0}")]
    Form(String),
    /// A newer or unknown format.
    #[error(
        "it is written in version {0}, and this program reads `version: 1`; update Conclave, or write it as version 1"
    )]
    Version(u64),
    /// Two rules share an id.
    #[error("two rules are called `{0}`; give one of them another id")]
    Duplicate(String),
    /// A rule that means nothing: an empty list, a bad pattern, an unknown key.
    #[error("rule `{rule}`: {problem}")]
    Rule {
        /// The rule's id.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An example that comes out differently.
    #[error("rule `{rule}`, example {number} of `{list}`: {problem}")]
    Example {
        /// The rule that carries the example.
        rule: String,
        /// `match` or `no_match`.
        list: &'static str,
        /// The example's place in its list, from 1.
        number: usize,
        /// How it comes out.
        problem: String,
    },
}

/// Rules as one file gives them.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) extends: Option<Base>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) warnings: Vec<String>,
}

/// What a file extends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Default,
    Strict,
    Offline,
    None,
}

/// What a file can extend, by name.
const BASES: [(&str, Base); 4] =
    [("default", Base::Default), ("strict", Base::Strict), ("offline", Base::Offline), ("none", Base::None)];

/// What a rule can do, by name.
const ACTIONS: [(&str, Effective); 3] =
    [("allow", Effective::Allow), ("sample", Effective::Sample), ("deny", Effective::Deny)];

impl Policy {
    /// Reads a policy file as one layer and checks its examples. A file without `version` is in Superego's format.
    ///
    /// The user's file extends the shipped policy that it names, `default` unless it says otherwise; a rule with the id of
    /// a shipped one takes its place.
    ///
    /// # Errors
    /// [`LoadError`] names the first thing that is wrong; nothing of such a file is used.
    pub fn load(yaml: &str, layer: Layer) -> Result<Loaded, LoadError> {
        let file = read(yaml)?;
        file.rules.iter().try_for_each(check_examples)?;
        let mut warnings = file.warnings;
        let base = match (layer, file.extends) {
            (Layer::User, base) => base.unwrap_or(Base::Default),
            (_, None) => Base::None,
            (_, Some(_)) => {
                return Err(LoadError::Form(
                    "`extends` belongs to your own policy file alone; take it out here".to_owned(),
                ));
            }
        };
        if layer == Layer::Project {
            let allows = file.rules.iter().filter(|rule| rule.effect == Effective::Allow);
            warnings.extend(allows.map(|rule| format!("rule `{}`: a project cannot allow anything", rule.id)));
        }
        let mut extended = shipped::rules(base);
        extended.retain(|rule| file.rules.iter().all(|own| own.id != rule.id));
        Ok(Loaded { policy: Self::layer(layer, file.rules, extended), warnings })
    }
}

/// Reads YAML without the spellings that mean something else to other programs.
pub(crate) fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.to_string();
        // The first line says what and where; the rest draws it.
        let line = error.lines().next().unwrap_or_default().trim_start_matches("error: ");
        match line.split_once(DOUBLED) {
            Some((place, key)) => {
                let key = key.split(',').next().unwrap_or_default();
                format!("{place}the key `{key}` stands there twice; keep one of them")
            }
            None => format!("this is not YAML: {line}"),
        }
    })
}

/// How the reader of YAML begins what it says of a key that stands twice, behind the place.
const DOUBLED: &str = "duplicate mapping key: ";

/// Reads a file's own rules; its examples are not checked.
pub(crate) fn read(text: &str) -> Result<File, LoadError> {
    if text.len() > LARGEST_FILE {
        return Err(LoadError::Form(format!("it has more than {LARGEST_FILE} bytes; rules take a few hundred each")));
    }
    let mut object = match yaml(text).map_err(LoadError::Form)? {
        Value::Object(object) => object,
        Value::Null => return Err(LoadError::Form(format!("it is empty; {SMALLEST}"))),
        _ => return Err(LoadError::Form(format!("it holds no keys; {SMALLEST}"))),
    };
    known(&object, FILE_KEYS, "part of a policy file").map_err(LoadError::Form)?;
    let dialect = match object.get("version") {
        None => Dialect::Superego,
        Some(version) => match version.as_u64() {
            Some(1) => Dialect::Native,
            Some(other) => return Err(LoadError::Version(other)),
            None => return Err(LoadError::Form("`version` is not a number; write `version: 1`".to_owned())),
        },
    };
    let extends = match text_of(&object, "extends").map_err(LoadError::Form)? {
        None => None,
        Some(name) => Some(named("policy to extend", &name, &BASES).map_err(LoadError::Form)?),
    };
    let list = match object.remove("rules") {
        Some(Value::Array(list)) => list,
        Some(_) => return Err(LoadError::Form("`rules` is not a list; each rule begins with `- id:`".to_owned())),
        None => return Err(LoadError::Form("`rules` is missing; write `rules: []` where there are none".to_owned())),
    };
    let mut file = File { extends, rules: Vec::with_capacity(list.len()), warnings: Vec::new() };
    let mut ids = BTreeSet::new();
    for (index, value) in list.into_iter().enumerate() {
        let rule = rule(value, dialect, &mut file.warnings).map_err(|error| match error {
            // A rule without a name is found by its place.
            LoadError::Rule { rule, problem } if rule.trim().is_empty() => {
                LoadError::Form(format!("rule {}: {problem}", index + 1))
            }
            error => error,
        })?;
        if !ids.insert(rule.id.clone()) {
            return Err(LoadError::Duplicate(rule.id));
        }
        file.rules.push(rule);
    }
    Ok(file)
}

/// What the smallest policy file looks like, for whoever wrote something else.
const SMALLEST: &str = "a policy file has `version: 1` and a list of `rules`";

/// Reads one rule.
pub(crate) fn rule(value: Value, dialect: Dialect, warnings: &mut Vec<String>) -> Result<Rule, LoadError> {
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    read_rule(value, id.clone(), dialect, warnings).map_err(|problem| LoadError::Rule { rule: id, problem })
}

fn read_rule(value: Value, id: String, dialect: Dialect, warnings: &mut Vec<String>) -> Result<Rule, String> {
    let Value::Object(mut object) = value else {
        return Err("it holds no keys; a rule has `id`, `priority`, `action`, `reason` and `conditions`".to_owned());
    };
    known(&object, RULE_KEYS, "part of a rule")?;
    if id.trim().is_empty() || id == crate::NO_MATCH {
        return Err("a rule needs an `id` of its own, as a text".to_owned());
    }
    // What the digest covers is the rule as it is written, whatever the order of its keys.
    let digest = written_digest(&object);
    let written = object.remove("conditions").unwrap_or_default();
    let mut examples = Vec::new();
    for (list, expected) in [("match", true), ("no_match", false)] {
        match object.remove(list) {
            None => {}
            Some(Value::Array(list)) => examples.extend(list.into_iter().map(|example| (example, expected))),
            Some(_) => return Err(format!("`{list}` is not a list of requests")),
        }
    }
    let effect = match text_of(&object, "action")? {
        Some(action) => named("action", &action, &ACTIONS)?,
        None => return Err("`action` is missing: `allow`, `sample` or `deny`".to_owned()),
    };
    let reason = match (text_of(&object, "reason")?.filter(|reason| !reason.trim().is_empty()), dialect) {
        (Some(reason), _) => reason,
        (None, Dialect::Superego) => format!("rule `{id}` says so"),
        (None, Dialect::Native) => return Err("the reason is empty; say why in a few words".to_owned()),
    };
    let mut noticed = Vec::new();
    let reach = if effect == Effective::Allow { Reach::Narrow } else { Reach::Wide };
    let rule = Rule {
        layer: Layer::User,
        shipped: false,
        priority: priority(&object)?,
        effect,
        reason,
        guidance: text_of(&object, "sampling_guidance")?,
        provider: text_of(&object, "inference_provider")?,
        enabled: enabled(&object)?,
        condition: conditions(&written, dialect, reach, &mut noticed)?,
        written,
        examples,
        digest,
        id,
    };
    if effect != Effective::Sample && (rule.guidance.is_some() || rule.provider.is_some()) {
        noticed.push("only a rule that samples is reviewed".to_owned());
    }
    warnings.extend(noticed.into_iter().map(|warning| format!("rule `{}`: {warning}", rule.id)));
    Ok(rule)
}

/// The place of a rule.
fn priority(rule: &Map<String, Value>) -> Result<u32, String> {
    let wanted = format!("a whole number from 0 to {LAST_PRIORITY}, and the lowest is tried first");
    let Some(value) = rule.get("priority") else { return Err(format!("`priority` is missing: {wanted}")) };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number <= LAST_PRIORITY).ok_or_else(|| format!("`priority` is {value}; it is {wanted}"))
}

/// Whether a rule counts.
fn enabled(rule: &Map<String, Value>) -> Result<bool, String> {
    match rule.get("enabled") {
        None => Ok(true),
        Some(value) => value.as_bool().ok_or_else(|| "`enabled` is `true` or `false`".to_owned()),
    }
}

/// The text under a key that may be missing or empty.
fn text_of(object: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{key}` is not a text")),
    }
}

/// What is called `name`.
fn named<T: Copy>(what: &str, name: &str, all: &[(&str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, one)| *one);
    found.ok_or_else(|| unknown(what, name, &all.iter().map(|(known, _)| *known).collect::<Vec<_>>()))
}

fn conditions(value: &Value, dialect: Dialect, reach: Reach, warnings: &mut Vec<String>) -> Result<Condition, String> {
    let mut reader = Reader::new(dialect, reach, warnings);
    match (dialect, value) {
        (Dialect::Native, Value::Null) => Ok(Condition::All(Vec::new())),
        (Dialect::Native, value) => reader.conditions(value),
        (Dialect::Superego, Value::Object(object)) if !object.is_empty() => {
            // Its rules are about tool calls and know of nothing else.
            Ok(Condition::all_of(vec![Condition::Action(vec![Action::CallTool]), reader.conditions(value)?]))
        }
        (Dialect::Superego, _) => Err("`conditions` is missing".to_owned()),
    }
}

fn written_digest(object: &Map<String, Value>) -> String {
    let mut parts: Vec<(&String, String)> = object.iter().map(|(key, value)| (key, value.to_string())).collect();
    parts.sort();
    digest_parts(parts.iter().flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]))
}

/// Refuses a key that is not known.
fn known(object: &Map<String, Value>, keys: &[&str], what: &str) -> Result<(), String> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(unknown(what, key, keys)),
        None => Ok(()),
    }
}

/// Refuses a rule that matches otherwise than its examples say.
pub(crate) fn check_examples(rule: &Rule) -> Result<(), LoadError> {
    let mut numbers = [0, 0];
    for (example, expected) in &rule.examples {
        let list = if *expected { "match" } else { "no_match" };
        let number = &mut numbers[usize::from(*expected)];
        *number += 1;
        let wrong = |problem: String| LoadError::Example { rule: rule.id.clone(), list, number: *number, problem };
        let (request, at_ms) = short::read(example).map_err(wrong)?;
        match rule.judge(&Facts::new(&request, at_ms.unwrap_or(0))) {
            Ok(found) if found == *expected => {}
            Ok(true) => return Err(wrong("the rule matches it".to_owned())),
            Ok(false) => return Err(wrong("the rule does not match it".to_owned())),
            Err(why) => return Err(wrong(format!("the rule cannot be judged: {}", why.0))),
        }
    }
    Ok(())
}
