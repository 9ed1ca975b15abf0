//! *Always for this*: one narrow rule more in the person's own file, whose other bytes stay as they are.

use std::fmt::Write as _;

use conclave_policy::{Layer, Policy, ToolRequest, digest, keys};
use conclave_store::Ask;
use serde_json::{Map, Value, json};

use super::edit::{PolicyError, Saved, save_user_policy, user_policy};
use crate::ctx::Ctx;

/// The place of a rule that has to come before none of the person's own.
const LAST: u32 = 999;

/// The rule that *always* would add for `ask`, as it would stand in the file; `None` where no rule of the person's can
/// change the answer.
pub fn always_rule(cx: &Ctx, ask: &Ask) -> Option<String> {
    let policy = cx.gate.policies().current();
    let asking = policy.rules().find(|rule| Some(rule.layer()) == ask.ask.layer && rule.id() == ask.ask.rule)?;
    if asking.layer() != Layer::User {
        return None;
    }
    // Before the rule that asks; the shipped ones come after all of the person's own anyway.
    let priority = if asking.is_shipped() { LAST } else { asking.priority().checked_sub(1)? };
    let conditions = conditions(&ask.ask.request)?;
    let id = format!("always-{}", &ask.digest[..12.min(ask.digest.len())]);
    let mut rule = format!("- id: {id}\n");
    let _ = writeln!(rule, "  priority: {priority}");
    rule.push_str("  action: allow\n  reason: you allowed this for always\n  conditions:\n");
    for (key, value) in conditions {
        let _ = writeln!(rule, "    {key}: {value}");
    }
    Some(rule)
}

/// Adds the rule of [`always_rule`] to the person's own file and puts it in force; gives its id.
///
/// # Errors
/// See [`PolicyError`]; then the file is as it was.
pub fn always_allow(cx: &Ctx, ask: &Ask) -> Result<(String, Saved), PolicyError> {
    let no_rule = || PolicyError::NoRule("no rule of yours can allow this; only whoever set the rule can".to_owned());
    let rule = always_rule(cx, ask).ok_or_else(no_rule)?;
    let id = rule.lines().next().and_then(|line| line.strip_prefix("- id: ")).unwrap_or_default().to_owned();
    let before = user_policy(cx)?;
    let by_hand =
        || PolicyError::NoRule(format!("the rule cannot be added without changing the rest; add it:\n{rule}"));
    let after = with_rule(before.as_deref(), &rule).ok_or_else(by_hand)?;
    // An answer that the new rule would not give is no answer for always.
    let loaded = Policy::load(&after, Layer::User)?;
    let decided = loaded.policy.evaluate(&ask.ask.request, cx.now_ms());
    if decided.rule != id {
        return Err(PolicyError::NoRule(format!("`{}` decides before it; change that rule instead", decided.rule)));
    }
    let expected = before.map(|text| digest(text.as_bytes()));
    Ok((id, save_user_policy(cx, &after, expected.as_deref())?))
}

/// The ids of a file's own rules, in its order.
fn ids(text: &str) -> Option<Vec<String>> {
    let file: Value = serde_saphyr::from_str(text).ok()?;
    let rules = file.get("rules")?.as_array()?;
    rules.iter().map(|rule| Some(rule.get("id")?.as_str()?.to_owned())).collect()
}

/// `text` with `rule` behind its last rule; `None` where that is not all that would change.
pub(super) fn with_rule(text: Option<&str>, rule: &str) -> Option<String> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Some(format!("version: 1\nrules:\n{}", indented(rule, "  ")));
    };
    let before = ids(text)?;
    let mut after = text.to_owned();
    if before.is_empty() {
        let at = after.find("rules: []")?;
        after.replace_range(at..at + "rules: []".len(), "rules:");
    }
    if !after.ends_with('\n') {
        after.push('\n');
    }
    after.push_str(&indented(rule, indentation(text)));
    let id = rule.lines().next()?.strip_prefix("- id: ")?.to_owned();
    let expect: Vec<String> = before.into_iter().chain([id]).collect();
    (ids(&after)? == expect).then_some(after)
}

/// The white space before the rules of `text`.
fn indentation(text: &str) -> &str {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("rules:")).skip(1);
    let first = lines.find(|line| line.trim_start().starts_with("- "));
    first.map_or("  ", |line| &line[..line.len() - line.trim_start().len()])
}

fn indented(rule: &str, by: &str) -> String {
    rule.lines().map(|line| format!("{by}{line}\n")).collect()
}

/// What must hold for a request to be the one that was shown; `None` when it cannot be told from others.
fn conditions(request: &ToolRequest) -> Option<Map<String, Value>> {
    let mut all = Map::new();
    let mut is = |key: &str, value: Value| all.insert(key.to_owned(), value);
    is("actor", json!(request.actor));
    is("action", json!(request.action));
    match &request.call {
        None => {
            is("resource", json!({ "eq": request.resource }));
        }
        Some(call) => {
            is("tool", json!({ "eq": call.tool }));
            if let Some(server) = &call.server {
                is("server", json!({ "eq": server }));
            }
            if let Some(cwd) = &call.cwd {
                is("cwd", json!({ "eq": cwd }));
            }
            let parameters = call.parameters.as_object()?;
            let equal = |(name, value): (&String, &Value)| (name.clone(), json!({ "eq": value }));
            is("parameters", Value::Object(parameters.iter().map(equal).collect()));
        }
    }
    if !request.paths.is_empty() {
        let real: Option<Vec<&String>> = request.paths.iter().map(|path| path.real.as_ref()).collect();
        is("path", json!(real?));
    }
    if let Some(host) = request.context.get(keys::HOST) {
        is("host", json!({ "eq": host }));
    }
    Some(all)
}
