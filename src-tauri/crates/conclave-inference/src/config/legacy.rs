//! The older block `ai_sampling`, which asked the APIs of Claude and OpenAI.

use conclave_core::settings::ModelSetting;
use conclave_policy::suggest;

use super::Parts;
use super::tree::{Fields, Node, Reader};
use crate::catalogue;

const KEYS: &[&str] = &[
    "enabled",
    "primary_provider",
    "fallback_provider",
    "timeout_seconds",
    "cache_ttl_seconds",
    "max_concurrent_requests",
    "claude_model",
    "openai_model",
    "temperature",
];

/// Its two providers: what it calls them, the key of their model, their host.
const PROVIDERS: &[(&str, &str, &str)] =
    &[("claude", "claude_model", "anthropic"), ("openai", "openai_model", "openai")];

/// Takes the block over into `parts`; gives the names of its models in its own order.
pub(super) fn read(reader: &mut Reader, parts: &mut Parts, place: &str, node: &Node) -> Vec<String> {
    let Some(block) = reader.fields(node, &format!("`{place}`"), KEYS, |_| None) else { return Vec::new() };
    let enabled = reader.flag(&block, "enabled").unwrap_or(true);
    let concurrent = reader.whole(&block, "max_concurrent_requests", 1..=1000);
    parts.answer_timeout_s = parts.answer_timeout_s.or(reader.whole(&block, "timeout_seconds", 1..=3600));
    parts.cache_keep_s = reader.whole(&block, "cache_ttl_seconds", 0..=31_536_000);
    if let Some(temperature) = block.get("temperature") {
        reader.note(temperature.line, "`temperature` is never sent: newer models refuse it");
    }
    let wanted = wanted(reader, &block);
    for (key, chosen) in [("claude_model", "claude"), ("openai_model", "openai")] {
        if block.get(key).is_some() && !wanted.contains(&chosen) {
            reader.note(block.line_of(key), format!("`{key}` is not used: `{chosen}` is not asked"));
        }
    }
    let mut names = Vec::new();
    for (called, key, host) in PROVIDERS.iter().filter(|(called, ..)| wanted.contains(called)) {
        // INVARIANT: both hosts are in the list of models, with their usual ones, which a test reads.
        let Some(host) = catalogue::host(host) else { continue };
        let model = reader.text(&block, key);
        if let Some(model) = &model {
            reader.models.push((block.line_of(key), model.clone()));
        }
        let Some(model) = model.or_else(|| host.usual.clone()) else { continue };
        let name = free(parts, called);
        let setting = ModelSetting {
            key_env: Some(host.key_env.clone()),
            dialect: Some(host.dialect),
            enabled,
            max_concurrent: concurrent.and_then(|most| u32::try_from(most).ok()),
            ..ModelSetting::new(&name, &host.base_url, &model)
        };
        let off = if enabled { "" } else { ", not enabled" };
        reader.note(
            block.line,
            format!(
                "`{place}` is the older form: its `{called}` is now the model `{name}`, `{model}` at {} with the key \
                 in `{}`{off}",
                host.title, host.key_env
            ),
        );
        parts.models.push(setting);
        names.push(name);
    }
    // The order is that of the words, not that of the list above.
    if wanted.first() == Some(&"openai") {
        names.reverse();
    }
    if !names.is_empty() {
        reader.warn(block.line, "no code is sent to these models until you set `may_send_code` for them".to_owned());
    }
    names
}

/// Which of its providers it asks, in order.
fn wanted(reader: &mut Reader, block: &Fields<'_>) -> Vec<&'static str> {
    let mut wanted = Vec::new();
    for key in ["primary_provider", "fallback_provider"] {
        let Some(name) = reader.text(block, key) else { continue };
        match PROVIDERS.iter().find(|(called, ..)| *called == name) {
            Some((called, ..)) if !wanted.contains(called) => wanted.push(*called),
            Some(_) => {}
            None => {
                let known: Vec<&str> = PROVIDERS.iter().map(|(called, ..)| *called).collect();
                reader.problem(block.line_of(key), suggest::unknown("provider", &name, &known));
            }
        }
    }
    if wanted.is_empty() && block.get("primary_provider").is_none() && block.get("fallback_provider").is_none() {
        // What it asks where it names none.
        wanted.push("claude");
    }
    wanted
}

/// A name that no other provider has.
fn free(parts: &Parts, called: &str) -> String {
    if parts.names().contains(&called) { format!("{called}_api") } else { called.to_owned() }
}
