//! Settings from a YAML file of the form that Superego's servers read: its `inference` block, or the whole file.
//!
//! What the file says about models becomes [`Parts`] of the settings; what it says about a server that Conclave is not
//! is named and not used. A file is taken whole or not at all, and every error has its line.
//!
//! Deliberately absent: keys, which a file never holds, and any look at the environment.

mod legacy;
mod providers;
mod tree;

use conclave_core::settings::{CliSetting, ModelSetting, SAMPLING, SamplingSetting, Settings};

use crate::catalogue::{self, Date};
use tree::{Node, Reader};

/// The most bytes of a file.
const LARGEST: usize = 1024 * 1024;

/// The keys of the file that say something about models.
const OWN: &[&str] = &["inference", "ai_sampling"];

/// The keys of a server's file that say nothing to Conclave.
const SERVER: &[(&str, &str)] = &[
    ("host", "Conclave opens no port"),
    ("port", "Conclave opens no port"),
    ("transport", "Conclave speaks MCP on standard input and output"),
    ("debug", "set `CONCLAVE_LOG=debug` to see more"),
    ("log_level", "set `CONCLAVE_LOG` to see more"),
    ("rules_file", "your rules are in `policy.yaml`; `conclave policy check FILE` reads a file of rules in this form"),
    ("hot_reload", "the policy\u{2019}s files are always followed"),
    ("performance", "there is nothing to tune"),
];

/// Beginnings of further such keys.
const SERVER_FAMILIES: &[(&str, &str)] = &[
    ("health_check_", "when a model counts as degraded or down is in the setting `health`"),
    ("rate_limit_", "how many questions a model gets at a time is its `max_concurrent`"),
];

/// The keys of the `inference` block.
const INFERENCE: &[&str] = &["timeout_seconds", "provider_preference", "cli_providers", "api_providers", "ai_sampling"];

/// Something that is to be said about a place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line, from 1; 0 where it is about the whole file.
    pub line: u64,
    /// In a sentence without a full stop.
    pub text: String,
    /// Whether the person should act on it.
    pub loud: bool,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// For the settings.
    pub parts: Parts,
    /// What the person should know, in the order of the file.
    pub notes: Vec<Remark>,
}

/// Parts of the settings. What is `None` or empty is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Models behind APIs.
    pub models: Vec<ModelSetting>,
    /// Models behind programs.
    pub cli_models: Vec<CliSetting>,
    /// Whether the client's model is asked.
    pub sampling: Option<bool>,
    /// The order.
    pub preference: Option<Vec<String>>,
    /// Time for one answer, in seconds.
    pub answer_timeout_s: Option<u64>,
    /// How long answers are kept, in seconds.
    pub cache_keep_s: Option<u64>,
}

impl Parts {
    /// Puts the parts into `settings`. A model takes the place of one of its kind with its name; others stay.
    pub fn put_into(self, settings: &mut Settings) {
        let Self { models, cli_models, sampling, preference, answer_timeout_s, cache_keep_s } = self;
        for model in models {
            put(&mut settings.models, model, |model| &model.name);
        }
        for model in cli_models {
            put(&mut settings.cli_models, model, |model| &model.name);
        }
        if let Some(enabled) = sampling {
            settings.sampling = SamplingSetting { enabled, ..settings.sampling.clone() };
        }
        settings.preference = preference.unwrap_or_else(|| std::mem::take(&mut settings.preference));
        settings.answer_timeout_s = answer_timeout_s.unwrap_or(settings.answer_timeout_s);
        settings.answer_cache.keep_s = cache_keep_s.unwrap_or(settings.answer_cache.keep_s);
    }

    /// Names of all models, in the order in which they are asked where nobody prefers any.
    fn names(&self) -> Vec<&str> {
        let clis = self.cli_models.iter().map(|model| model.name.as_str());
        clis.chain(self.models.iter().map(|model| model.name.as_str())).collect()
    }

    fn is_enabled(&self, name: &str) -> bool {
        self.models.iter().any(|model| model.name == name && model.enabled)
            || self.cli_models.iter().any(|model| model.name == name && model.enabled)
    }
}

fn put<T>(list: &mut Vec<T>, new: T, name: impl Fn(&T) -> &String) {
    match list.iter_mut().find(|old| name(old) == name(&new)) {
        Some(old) => *old = new,
        None => list.push(new),
    }
}

/// Reads a file; `today` decides which models are retired.
///
/// # Errors
/// Everything that is wrong with it, in the order of the lines; nothing of such a file is used.
pub fn read(yaml: &str, today: Date) -> Result<Loaded, Vec<Remark>> {
    if yaml.len() > LARGEST {
        let text = format!("it has more than {LARGEST} bytes; a configuration takes a few thousand");
        return Err(vec![Remark { line: 0, text, loud: true }]);
    }
    let root = tree::parse(yaml).map_err(|wrong| vec![wrong])?;
    let mut reader = Reader::default();
    let parts = parts(&mut reader, &root);
    for (line, model) in &reader.models {
        retired(&mut reader.notes, *line, model, today);
    }
    let Reader { mut problems, mut notes, .. } = reader;
    if problems.is_empty() {
        notes.sort_by_key(|note| note.line);
        Ok(Loaded { parts, notes })
    } else {
        problems.sort_by_key(|problem| problem.line);
        Err(problems)
    }
}

/// Says that a model is retired, or will be; of one that is not known nothing is said here, because a program may have
/// names of its own for models.
fn retired(notes: &mut Vec<Remark>, line: u64, model: &str, today: Date) {
    let state = catalogue::state(model, today);
    if !matches!(state, catalogue::State::Unknown { .. })
        && let Some(text) = state.words(model)
    {
        notes.push(Remark { line, text, loud: true });
    }
}

fn parts(reader: &mut Reader, root: &Node) -> Parts {
    let mut parts = Parts::default();
    let known: Vec<&str> = OWN.iter().copied().chain(SERVER.iter().map(|(key, _)| *key)).collect();
    let Some(file) = reader.fields(root, "a configuration", &known, server_key) else { return parts };
    for (key, line, why) in file.unused() {
        reader.note(line, format!("`{key}` is not used: {why}"));
    }
    let inference = file.get("inference").and_then(|node| reader.fields(node, "`inference`", INFERENCE, |_| None));
    let mut legacy = file.get("ai_sampling").map(|node| ("ai_sampling", node));
    let mut preference = None;
    if let Some(block) = &inference {
        parts.answer_timeout_s = reader.whole(block, "timeout_seconds", 1..=3600);
        preference = reader.texts(block, "provider_preference");
        parts.cli_models = providers::clis(reader, block.get("cli_providers"));
        parts.models = providers::apis(reader, block.get("api_providers"));
        if let Some(node) = block.get("ai_sampling") {
            if legacy.is_some() {
                reader.problem(node.line, "`ai_sampling` stands there twice; keep one of them");
            }
            legacy = Some(("inference.ai_sampling", node));
        }
    }
    if inference.is_none() && legacy.is_none() && reader.problems.is_empty() {
        reader.problem(root.line, "it says nothing about models: there is neither `inference` nor `ai_sampling`");
    }
    unique(reader, &parts);
    let order = legacy.map(|(place, node)| legacy::read(reader, &mut parts, place, node)).unwrap_or_default();
    preferred(reader, &mut parts, preference, &order);
    parts
}

/// What to say of a key that is a server's and not a model's.
fn server_key(key: &str) -> Option<&'static str> {
    let named = SERVER.iter().find(|(known, _)| *known == key);
    named.or_else(|| SERVER_FAMILIES.iter().find(|(start, _)| key.starts_with(start))).map(|(_, why)| *why)
}

/// No name stands for two.
fn unique(reader: &mut Reader, parts: &Parts) {
    let names = parts.names();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            let line = reader.line_of(name);
            reader.problem(line, format!("two providers are called `{name}`; give one of them another name"));
        }
    }
}

/// Takes over the order: what the file prefers, then what the older form asked for.
fn preferred(reader: &mut Reader, parts: &mut Parts, preference: Option<Vec<(u64, String)>>, order: &[String]) {
    let mut names: Vec<String> = Vec::new();
    for (line, name) in preference.iter().flatten() {
        if name == SAMPLING {
            parts.sampling = Some(true);
        } else if !parts.names().contains(&name.as_str()) {
            let known: Vec<&str> = parts.names().into_iter().chain([SAMPLING]).collect();
            let text = conclave_policy::suggest::unknown("provider", name, &known);
            reader.problem(*line, format!("`provider_preference`: {text}"));
        } else if !parts.is_enabled(name) {
            reader.note(*line, format!("`{name}` is preferred and not enabled, so it is not asked"));
        }
        if names.contains(name) {
            reader.problem(*line, format!("`provider_preference` names `{name}` twice; keep one of them"));
        }
        names.push(name.clone());
    }
    if parts.sampling == Some(true) {
        let line = preference.iter().flatten().find(|(_, name)| name == SAMPLING).map_or(0, |(line, _)| *line);
        reader.note(
            line,
            "`mcp_sampling` asks the model of the client that is connected to Conclave\u{2019}s MCP server, where it \
             offers that; few clients do, and no model of `ai_sampling` hides behind it",
        );
    }
    for name in order {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if preference.is_some() || !order.is_empty() {
        parts.preference = Some(names);
    }
}

#[cfg(test)]
mod tests;
