//! Thinking step by step: the tool `sequentialthinking`, as the server of that name offers it.
//!
//! The tool thinks nothing: it keeps the steps and answers with counts. Unlike that server, which keeps one history for
//! everybody, each run has its own here, it can be read back, and a step that takes back another one names one that is
//! there. Invariant: what is kept is bounded, and no run sees the thoughts of another.

mod history;
mod step;

use conclave_core::settings::ToolKind;
use conclave_effects::ToolPlace;
use conclave_inference::tools::{ToolOffer, ToolResult};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{Annotations, Caller, Calling, Given, Tool};

pub use history::Thoughts;

/// The tool's name.
pub(crate) const NAME: &str = "sequentialthinking";

/// How some models write it.
pub(crate) const OTHER_SPELLING: &str = "sequential_thinking";

/// The built-in tool.
pub(crate) struct Thinking {
    offer: ToolOffer,
    thoughts: Thoughts,
}

impl Thinking {
    /// The tool, which keeps its steps in `thoughts`.
    pub(crate) fn new(thoughts: Thoughts) -> Self {
        let description = "Think step by step. Give one thought at a time with its number and how many you expect; the \
                           number expected may change. Take back or mend an earlier thought with `isRevision` and \
                           `revisesThought`, follow an alternative with `branchFromThought` and `branchId`, and say \
                           with `nextThoughtNeeded` whether you go on. In a thought, name whose proposal or which check \
                           it rests on.";
        Self {
            offer: ToolOffer { name: NAME.to_owned(), description: description.to_owned(), schema: schema() },
            thoughts,
        }
    }
}

impl Tool for Thinking {
    fn server(&self) -> &str {
        "thinking"
    }

    fn kind(&self) -> Option<ToolKind> {
        Some(ToolKind::Thinking)
    }

    fn place(&self) -> ToolPlace {
        ToolPlace::Builtin
    }

    fn offer(&self) -> &ToolOffer {
        &self.offer
    }

    fn annotations(&self) -> Annotations {
        Annotations { read_only: true, destructive: false, idempotent: true, open_world: false }
    }

    fn call<'a>(&'a self, caller: &'a Caller, given: Given, _: Instant) -> Calling<'a> {
        Box::pin(async move {
            Ok(match self.thoughts.add(&caller.run, &given.arguments) {
                Ok(counts) => ToolResult { text: counts.to_string(), is_error: false },
                Err(why) => ToolResult { text: why, is_error: true },
            })
        })
    }
}

/// A server's tool that does the same, with its steps also kept here, because no server gives them back.
pub(crate) struct AtServer {
    inner: Box<dyn Tool>,
    thoughts: Thoughts,
}

impl AtServer {
    /// `inner`, whose steps are kept in `thoughts`.
    pub(crate) fn new(inner: Box<dyn Tool>, thoughts: Thoughts) -> Self {
        Self { inner, thoughts }
    }
}

impl Tool for AtServer {
    fn server(&self) -> &str {
        self.inner.server()
    }

    fn kind(&self) -> Option<ToolKind> {
        self.inner.kind()
    }

    fn place(&self) -> ToolPlace {
        self.inner.place()
    }

    fn offer(&self) -> &ToolOffer {
        self.inner.offer()
    }

    fn annotations(&self) -> Annotations {
        self.inner.annotations()
    }

    fn call<'a>(&'a self, caller: &'a Caller, given: Given, until: Instant) -> Calling<'a> {
        Box::pin(async move {
            let arguments = given.arguments.clone();
            let answer = self.inner.call(caller, given, until).await?;
            // What the server took and we do not, such as the revision of a step that never was, is not in our chain.
            if !answer.is_error && is_thinking(&self.offer().name) {
                let _ = self.thoughts.add(&caller.run, &arguments);
            }
            Ok(answer)
        })
    }
}

/// Whether a tool of this name is the one that thinks.
pub(crate) fn is_thinking(name: &str) -> bool {
    name == NAME || name == OTHER_SPELLING
}

/// The schema of the arguments: that of the server, with descriptions of our own.
fn schema() -> Value {
    let flag = |description: &str| json!({ "anyOf": [{ "type": "boolean" }, { "type": "string" }], "description": description });
    let number = |description: &str| json!({ "type": "integer", "minimum": 1, "description": description });
    json!({
        "type": "object",
        "properties": {
            "thought": { "type": "string", "description": "This step." },
            "nextThoughtNeeded": flag("Whether another step follows."),
            "thoughtNumber": number("The number of this step, from 1."),
            "totalThoughts": number("How many steps there will be, as far as can be told."),
            "isRevision": flag("Whether this step takes back or mends an earlier one."),
            "revisesThought": number("Which one."),
            "branchFromThought": number("The step from which an alternative is followed."),
            "branchId": { "type": "string", "description": "The name of that alternative." },
            "needsMoreThoughts": flag("Whether more steps are needed than were expected."),
        },
        "required": ["thought", "nextThoughtNeeded", "thoughtNumber", "totalThoughts"],
    })
}

#[cfg(test)]
mod tests;
