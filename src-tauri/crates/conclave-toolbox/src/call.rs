//! One use of a tool, from the wish to the answer: judged, carried out within its time, and put on record.
//!
//! Deliberately absent: what a tool does. Invariants: no tool is called before the gate has let it; whatever goes wrong is
//! a value with words, never an error of the run; what is kept of a use is short and without secrets.

use conclave_core::synthesis::{ToolOutcome, ToolUse};
use conclave_effects::{Body, DataClass, Facts, UseTool, use_tool};
use conclave_inference::tools::ToolResult;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::{Caller, Given, Tool, Used};

/// Most bytes that the arguments of a call may have.
pub const MOST_ARGUMENTS: usize = 64 * 1024;

/// Most bytes of an answer that are handed on.
pub const MOST_ANSWER: usize = 64 * 1024;

/// How many characters of a question or an answer stand on record.
const SHORT: usize = 200;

/// Why something that would leave this machine was left out.
pub(crate) const OFFLINE: &str = "skipped: offline";

/// Uses `tool` with `arguments`, in which there is `data`.
pub(crate) async fn used(
    caller: &Caller,
    tool: &dyn Tool,
    data: &[DataClass],
    arguments: Value,
    until: Instant,
) -> Used {
    let mut record = begun(tool.server(), &tool.offer().name, &arguments);
    let effect = match effect(caller, tool, data, &arguments) {
        Ok(effect) => effect,
        Err(why) => return not(record, ToolOutcome::Failed, why),
    };
    let leaves = effect.place.reaches().is_some();
    let permit = match timeout_at(until, caller.gate.authorize(caller.actor.clone(), effect)).await {
        Err(_) => return not(record, ToolOutcome::Failed, "leave to use it did not come in time".to_owned()),
        Ok(Err(_)) if caller.offline && leaves => return not(record, ToolOutcome::Failed, OFFLINE.to_owned()),
        Ok(Err(denied)) => return not(record, ToolOutcome::Denied, denied.reason),
        Ok(Ok(permit)) => permit,
    };
    let (started, entry) = (Instant::now(), permit.seq());
    record.entry = Some(entry);
    // Whatever the policy says: offline is offline.
    let answer = if caller.offline && leaves {
        Err(OFFLINE.to_owned())
    } else {
        match use_tool(permit) {
            Err(stale) => Err(stale.to_string()),
            Ok(arguments) => {
                match timeout_at(until, tool.call(caller, Given { arguments, data: data.to_vec() }, until)).await {
                    Err(_) => Err("it did not answer in time".to_owned()),
                    Ok(answer) => answer,
                }
            }
        }
    };
    record.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let used = match answer {
        Err(why) => not(record, ToolOutcome::Failed, why),
        Ok(result) => answered(record, result),
    };
    caller.gate.note_outcome(entry, outcome_word(used.record.outcome));
    used
}

/// A use of a tool that there is none of.
pub(crate) fn unknown(name: &str, arguments: &Value) -> Used {
    not(begun("", name, arguments), ToolOutcome::Failed, "there is no such tool".to_owned())
}

/// A use of a tool that was offered and whose name is another one's by now.
pub(crate) fn gone(name: &str, arguments: &Value) -> Used {
    not(begun("", name, arguments), ToolOutcome::Failed, "this tool is gone".to_owned())
}

/// The record of a use that has begun.
pub(crate) fn begun(server: &str, tool: &str, arguments: &Value) -> ToolUse {
    ToolUse {
        server: server.to_owned(),
        tool: short(tool),
        asked: short(&told(arguments)),
        outcome: ToolOutcome::Failed,
        said: "it was given up before it answered".to_owned(),
        entry: None,
        took_ms: 0,
    }
}

fn effect(caller: &Caller, tool: &dyn Tool, data: &[DataClass], arguments: &Value) -> Result<UseTool, String> {
    let text = match arguments {
        Value::Null => "{}".to_owned(),
        Value::Object(_) => arguments.to_string(),
        _ => return Err("its arguments are no object".to_owned()),
    };
    if text.len() > MOST_ARGUMENTS {
        return Err(format!("its arguments are larger than {} KiB", MOST_ARGUMENTS / 1024));
    }
    let project = (!caller.project.is_empty()).then(|| caller.project.clone());
    Ok(UseTool {
        server: tool.server().to_owned(),
        tool: tool.offer().name.clone(),
        place: tool.place(),
        destructive: tool.annotations().destructive,
        run: caller.run.as_str().to_owned(),
        finding: caller.finding.as_str().to_owned(),
        arguments: Body::redacted(text.into_bytes(), &[]).map_err(|error| error.to_string())?,
        facts: Facts { data: data.to_vec(), project, ..Facts::default() },
    })
}

fn answered(mut record: ToolUse, mut result: ToolResult) -> Used {
    if result.text.len() > MOST_ANSWER {
        let mut end = MOST_ANSWER;
        while !result.text.is_char_boundary(end) {
            end -= 1;
        }
        result.text.truncate(end);
        result.text.push_str("\n(the rest is left out)");
    }
    record.outcome = if result.is_error { ToolOutcome::Error } else { ToolOutcome::Answered };
    record.said = short(&result.text);
    Used { record, result }
}

/// A use that came to nothing; whoever asked is told why.
fn not(mut record: ToolUse, outcome: ToolOutcome, why: String) -> Used {
    let text = match outcome {
        ToolOutcome::Denied => format!("this tool may not be used for that: {why}"),
        _ => format!("the tool gave no answer: {why}"),
    };
    record.outcome = outcome;
    record.said = short(&why);
    Used { record, result: ToolResult { text, is_error: true } }
}

fn outcome_word(outcome: ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Answered => "answered",
        ToolOutcome::Error => "answered with an error",
        ToolOutcome::Denied => "denied",
        ToolOutcome::Failed => "failed",
    }
}

/// Arguments as people read them: `thought: look at the query; thoughtNumber: 1`.
fn told(arguments: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match arguments {
        Value::Object(object) => {
            let parts: Vec<String> = object.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect();
            parts.join("; ")
        }
        other => plain(other),
    }
}

/// `text` on one short line without secrets.
pub(crate) fn short(text: &str) -> String {
    // What lies behind the cut is not shown, and what lies across it is found with room to spare.
    let head: String = text.chars().take(16 * SHORT).collect();
    let Ok(clean) = Body::redacted(head.into_bytes(), &[]) else { return "(cannot be shown)".to_owned() };
    let clean = String::from_utf8_lossy(clean.bytes()).into_owned();
    let seen = clean.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}\u{2026}", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests;
