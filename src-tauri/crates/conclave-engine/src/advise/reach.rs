//! Adds to a request what a call reaches without naming it.
//!
//! A search over a folder reads whatever protected file lies there. Which files are protected is for the policy to say,
//! so it is asked about each as if the agent read it by name; those that it denies are touched by the request.
//! Invariant: a request only gets longer here.

use conclave_effects::{Reached, reached};
use conclave_policy::{Access, Action, Effective, Policy, ToolCall, ToolRequest, TouchedPath, keys};
use serde_json::json;

use super::call::AgentCall;

/// The most protected files of which a request tells.
const MOST_TOLD: usize = 8;

/// Adds to `requests`, which are those of `call`, the protected files that it reaches.
pub(super) fn add(call: &AgentCall, policy: &Policy, at_ms: i64, requests: &mut [&mut ToolRequest]) {
    let Some(first) = requests.first() else { return };
    let reads = |file: &str| {
        let mut request = ToolRequest::new(first.actor.clone(), Action::CallTool, "Read");
        request.context.clone_from(&first.context);
        request.call = Some(Box::new(ToolCall {
            tool: "Read".to_owned(),
            server: None,
            session: call.session.clone(),
            cwd: call.cwd.clone(),
            parameters: json!({ "file_path": file }),
        }));
        request.touching(TouchedPath { given: file.to_owned(), real: Some(file.to_owned()), access: Access::Read })
    };
    let mut found: Vec<TouchedPath> = Vec::new();
    let mut unbounded = None;
    for (here, sweep) in call.sweeps() {
        let files = match reached(&sweep, &here) {
            Reached::Files(files) => files,
            Reached::TooMany => {
                unbounded.get_or_insert(sweep.folder);
                continue;
            }
        };
        for file in files {
            if found.len() >= MOST_TOLD {
                break;
            }
            // A name that is not UTF-8 is nothing that a rule can be sure of.
            let real = file.to_str().map(str::to_owned);
            let is_denied = |file: &String| policy.evaluate(&reads(file), at_ms).effect == Effective::Deny;
            if real.as_ref().is_none_or(is_denied) && !found.iter().any(|path| path.real == real) {
                let given = file.strip_prefix(&here).unwrap_or(&file).to_string_lossy().into_owned();
                found.push(TouchedPath { given, real, access: Access::Read });
            }
        }
    }
    for request in requests {
        request.paths.extend(found.iter().cloned());
        if let Some(folder) = &unbounded {
            request.context.insert(keys::UNBOUNDED.to_owned(), folder.clone());
        }
        if let Some(file) = found.first() {
            request.context.insert(keys::REACHES.to_owned(), file.given.clone());
        }
    }
}
