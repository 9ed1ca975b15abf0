//! The tools of one deliberation, as a model uses them.
//!
//! Invariants: at most so many uses as the settings allow; each of them stands in the list of uses, in the order in which
//! they began, also one that was given up; each begins in the box that is in force then, and ends in that one.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use conclave_core::synthesis::ToolUse;
use conclave_inference::tools::{ToolHost, ToolOffer, ToolResult};
use serde_json::Value;
use tokio::time::Instant;

use crate::call::begun;
use crate::{Caller, Toolbox};

/// Carries out what one model wants of the tools.
pub struct Host {
    current: Box<dyn Fn() -> Toolbox + Send + Sync>,
    caller: Caller,
    until: Instant,
    most_calls: u32,
    uses: Mutex<Vec<ToolUse>>,
}

impl Host {
    /// A host for `caller`, whose answers are of use until `until`, and who may use tools `most_calls` times; `current`
    /// gives the box that is in force.
    pub fn new(
        current: impl Fn() -> Toolbox + Send + Sync + 'static,
        caller: Caller,
        until: Instant,
        most_calls: u32,
    ) -> Self {
        Self { current: Box::new(current), caller, until, most_calls, uses: Mutex::new(Vec::new()) }
    }

    /// The uses so far, in the order in which they began.
    pub fn uses(&self) -> Vec<ToolUse> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of the next use, with a record that stands for it until it is over; `None` when there were enough.
    fn begin(&self, toolbox: &Toolbox, name: &str, arguments: &Value) -> Option<usize> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() >= usize::try_from(self.most_calls).unwrap_or(usize::MAX) {
            return None;
        }
        let server = toolbox.find(&self.caller, name).map_or("", |tool| tool.server());
        uses.push(begun(server, name, arguments));
        Some(uses.len() - 1)
    }
}

impl ToolHost for Host {
    fn offers(&self) -> Vec<ToolOffer> {
        (self.current)().offers(&self.caller)
    }

    fn call<'a>(&'a self, name: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>> {
        Box::pin(async move {
            let toolbox = (self.current)();
            let Some(number) = self.begin(&toolbox, name, &arguments) else {
                let text = "no more tools can be used for this answer; finish it with what you have".to_owned();
                return ToolResult { text, is_error: true };
            };
            let used = toolbox.call(&self.caller, name, arguments, self.until).await;
            if let Some(slot) = self.uses.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
                *slot = used.record;
            }
            used.result
        })
    }
}
