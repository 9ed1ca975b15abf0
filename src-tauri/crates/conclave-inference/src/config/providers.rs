//! The lists `cli_providers` and `api_providers`.

use std::collections::BTreeMap;

use conclave_core::settings::{CliKind, CliSetting, DialectName, ModelSetting, PERSON, PriceSetting, SAMPLING};
use conclave_policy::suggest;

use super::tree::{Fields, Node, Reader, Value};
use crate::catalogue;

const CLI: &[&str] = &[
    "name",
    "enabled",
    "type",
    "command",
    "args",
    "model",
    "system_prompt",
    "api_key_env_var",
    "base_url",
    "max_retries",
    "retry_delay_ms",
    "may_send_code",
    "trial",
    "max_concurrent",
];

const API: &[&str] = &[
    "name",
    "enabled",
    "type",
    "base_url",
    "model",
    "api_key_env_var",
    "headers",
    "price",
    "may_send_code",
    "trial",
    "max_concurrent",
];

const PRICE: &[&str] = &["input", "output", "cached"];

const KINDS: &[(&str, CliKind)] = &[
    ("claude", CliKind::Claude),
    ("codex", CliKind::Codex),
    ("gemini", CliKind::Gemini),
    ("generic", CliKind::Generic),
];

const DIALECTS: &[(&str, DialectName)] = &[
    ("anthropic", DialectName::Anthropic),
    ("openai_chat", DialectName::OpenaiChat),
    ("openai_responses", DialectName::OpenaiResponses),
    ("gemini", DialectName::Gemini),
    ("ollama", DialectName::Ollama),
];

/// The programs of `cli_providers`.
pub(super) fn clis(reader: &mut Reader, node: Option<&Node>) -> Vec<CliSetting> {
    let blocks = blocks(reader, node, "cli_providers", CLI);
    blocks.into_iter().filter_map(|block| cli(reader, &block)).collect()
}

/// The models of `api_providers`.
pub(super) fn apis(reader: &mut Reader, node: Option<&Node>) -> Vec<ModelSetting> {
    let blocks = blocks(reader, node, "api_providers", API);
    blocks.into_iter().filter_map(|block| api(reader, &block)).collect()
}

fn blocks<'n>(reader: &mut Reader, node: Option<&'n Node>, list: &str, keys: &[&str]) -> Vec<Fields<'n>> {
    match node.map(|node| (node, &node.value)) {
        None => Vec::new(),
        Some((_, Value::List(items))) => {
            let place = |index: usize| format!("`{list}`, entry {}", index + 1);
            let items = items.iter().enumerate();
            items.filter_map(|(index, item)| reader.fields(item, &place(index), keys, |_| None)).collect()
        }
        Some((node, _)) => {
            reader.problem(node.line, format!("`{list}` is a list; each entry begins with `- name:`"));
            Vec::new()
        }
    }
}

fn cli(reader: &mut Reader, block: &Fields<'_>) -> Option<CliSetting> {
    let name = name(reader, block)?;
    let kind = named(reader, block, "type", KINDS).unwrap_or(CliKind::Claude);
    let args = reader.texts(block, "args").unwrap_or_default().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    let command = reader.text(block, "command");
    if kind == CliKind::Generic && (args.is_empty() || command.is_none()) {
        reader.problem(block.line, format!("`{name}`: a `generic` program needs its `command` and its `args`"));
    }
    if kind != CliKind::Generic && !args.is_empty() {
        let line = block.line_of("args");
        reader.problem(line, format!("`{name}`: `args` are for a `generic` program; this one\u{2019}s are known"));
    }
    let model = reader.text(block, "model");
    reader.models.extend(model.clone().map(|model| (block.line_of("model"), model)));
    Some(CliSetting {
        kind,
        command,
        args,
        model,
        system_prompt: reader.text(block, "system_prompt"),
        key_env: variable(reader, block),
        base_url: reader.text(block, "base_url"),
        max_retries: small(reader, block, "max_retries", 10).unwrap_or(2),
        retry_delay_ms: reader.whole(block, "retry_delay_ms", 0..=600_000).unwrap_or(1000),
        may_send_code: reader.flag(block, "may_send_code").unwrap_or(false),
        enabled: reader.flag(block, "enabled").unwrap_or(true),
        trial: reader.flag(block, "trial").unwrap_or(false),
        max_concurrent: small(reader, block, "max_concurrent", 1000),
        name,
    })
}

fn api(reader: &mut Reader, block: &Fields<'_>) -> Option<ModelSetting> {
    let name = name(reader, block);
    let model = reader.needed(block, "model");
    reader.models.extend(model.clone().map(|model| (block.line_of("model"), model)));
    let base_url = match (reader.text(block, "base_url"), &model) {
        (Some(base_url), _) => Some(base_url),
        // A model that is known says where it is asked.
        (None, Some(model)) => catalogue::model(model).map(|entry| entry.host.base_url.clone()),
        (None, None) => None,
    };
    if base_url.is_none() && model.is_some() {
        reader.problem(block.line, "`base_url` is missing: where is this model asked?");
    }
    let setting = ModelSetting {
        dialect: named(reader, block, "type", DIALECTS),
        key_env: variable(reader, block),
        headers: headers(reader, block),
        price: price(reader, block),
        may_send_code: reader.flag(block, "may_send_code").unwrap_or(false),
        enabled: reader.flag(block, "enabled").unwrap_or(true),
        trial: reader.flag(block, "trial").unwrap_or(false),
        max_concurrent: small(reader, block, "max_concurrent", 1000),
        ..ModelSetting::new(&name?, &base_url?, &model?)
    };
    Some(setting)
}

/// The name of a provider, which is nobody else's.
fn name(reader: &mut Reader, block: &Fields<'_>) -> Option<String> {
    let name = reader.needed(block, "name")?;
    let line = block.line_of("name");
    if name == SAMPLING || name == PERSON {
        reader.problem(line, format!("no provider can be called `{name}`, which is somebody else; take another name"));
        return None;
    }
    reader.names.push((line, name.clone()));
    Some(name)
}

/// The variable that holds the key. A key in its place is refused without being repeated.
fn variable(reader: &mut Reader, block: &Fields<'_>) -> Option<String> {
    let name = reader.text(block, "api_key_env_var")?;
    let is_variable = name.len() <= 100
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_variable {
        return Some(name);
    }
    let line = block.line_of("api_key_env_var");
    reader.problem(
        line,
        "`api_key_env_var` is not the name of an environment variable; keep a key in the keychain, with \
         `conclave keys set`, and never in a file",
    );
    None
}

fn small(reader: &mut Reader, block: &Fields<'_>, key: &str, most: u64) -> Option<u32> {
    let least = u64::from(key == "max_concurrent");
    reader.whole(block, key, least..=most).and_then(|number| u32::try_from(number).ok())
}

/// The value that is called what stands under `key`.
fn named<T: Copy>(reader: &mut Reader, block: &Fields<'_>, key: &str, all: &[(&str, T)]) -> Option<T> {
    let name = reader.text(block, key)?;
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        reader.problem(block.line_of(key), suggest::unknown("provider type", &name, &known));
    }
    found
}

fn headers(reader: &mut Reader, block: &Fields<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(node) = block.get("headers") else { return headers };
    let Value::Map(map) = &node.value else {
        reader.problem(node.line, "`headers` are keys with their texts");
        return headers;
    };
    for (name, line, value) in map {
        match &value.value {
            Value::Text(text) => drop(headers.insert(name.clone(), text.clone())),
            _ => reader.problem(*line, format!("the header `{name}` is not a text")),
        }
    }
    headers
}

fn price(reader: &mut Reader, block: &Fields<'_>) -> Option<PriceSetting> {
    let fields = reader.fields(block.get("price")?, "`price`", PRICE, |_| None)?;
    for key in ["input", "output"] {
        if fields.get(key).is_none() {
            reader.problem(fields.line, format!("`price`: `{key}` is missing, in dollars for a million tokens"));
        }
    }
    let (input, output) = (reader.money(&fields, "input"), reader.money(&fields, "output"));
    let cached = reader.money(&fields, "cached");
    Some(PriceSetting { input: input?, output: output?, cached })
}
