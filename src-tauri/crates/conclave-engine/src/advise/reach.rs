//! Adds to a request what a call reaches without naming it.
//!
//! A search over a folder reads whatever protected file lies there. Which files are protected is for the policy to say,
//! so it is asked about each as if the agent read it by name; those that it does not allow are touched by the request.
//! Invariants: a request only gets longer here; a look that takes too long is one without an end.

use std::time::{Duration, Instant};

use conclave_effects::{Reached, reached};
use conclave_policy::{Access, Action, Effective, Policy, ToolCall, ToolRequest, TouchedPath, keys};
use serde_json::json;

use super::call::AgentCall;

/// The most protected files of which a request tells.
const MOST_TOLD: usize = 8;

/// How long a call's files are looked at. Whoever asked waits little longer.
const LONGEST_LOOK: Duration = Duration::from_millis(1200);

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
    let (mut denied, mut sampled): (Vec<TouchedPath>, Vec<TouchedPath>) = Default::default();
    let mut unbounded = None;
    let sweeps = call.sweeps();
    let started = Instant::now();
    for (at, (here, sweep)) in sweeps.iter().enumerate() {
        // What a text sweeps twice is looked at once.
        if sweeps[..at].iter().any(|(place, other)| (place, other) == (here, sweep)) {
            continue;
        }
        let files = match reached(sweep, here) {
            Reached::Files(files) => files,
            Reached::TooMany => {
                unbounded.get_or_insert(&sweep.folder);
                continue;
            }
        };
        for file in files {
            if denied.len() >= MOST_TOLD {
                break;
            }
            if started.elapsed() > LONGEST_LOOK {
                unbounded.get_or_insert(&sweep.folder);
                break;
            }
            // A name that is not UTF-8 is nothing that a rule can be sure of.
            let real = file.to_str().map(str::to_owned);
            let effect = real.as_ref().map_or(Effective::Deny, |file| policy.evaluate(&reads(file), at_ms).effect);
            let found = match effect {
                Effective::Allow => continue,
                Effective::Sample => &mut sampled,
                Effective::Deny => &mut denied,
            };
            if found.len() < MOST_TOLD && !found.iter().any(|path| path.real == real) {
                let given = file.strip_prefix(here).unwrap_or(&file).to_string_lossy().into_owned();
                found.push(TouchedPath { given, real, access: Access::Read });
            }
        }
    }
    let found: Vec<TouchedPath> = denied.into_iter().chain(sampled).take(MOST_TOLD).collect();
    for request in requests {
        request.paths.extend(found.iter().cloned());
        if let Some(folder) = &unbounded {
            request.context.insert(keys::UNBOUNDED.to_owned(), (*folder).clone());
        }
        if let Some(file) = found.first() {
            request.context.insert(keys::REACHES.to_owned(), file.given.clone());
        }
    }
}
