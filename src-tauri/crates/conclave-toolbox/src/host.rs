//! The tools of one deliberation, as a model uses them.
//!
//! Invariants: at most so many uses as the settings allow; each of them stands in the list of uses, in the order in which
//! they began, also one that was given up; each begins in the box that is in force then, and ends in that one; a name means
//! the tool that was offered under it, or none.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use conclave_core::synthesis::ToolUse;
use conclave_inference::tools::{ToolHost, ToolOffer, ToolResult};
use serde_json::Value;
use tokio::time::Instant;

use crate::call::{begun, gone};
use crate::{Caller, Named, Toolbox};

/// Carries out what one model wants of the tools.
pub struct Host {
    current: Box<dyn Fn() -> Toolbox + Send + Sync>,
    caller: Caller,
    until: Instant,
    most_calls: u32,
    uses: Mutex<Vec<ToolUse>>,
    /// What each name stood for when the tools were offered last.
    offered: Mutex<BTreeMap<String, Meant>>,
}

/// Whose tool a name stands for, and its own name there.
type Meant = (String, String);

fn meant(named: &Named) -> Meant {
    (named.tool.server().to_owned(), named.tool.offer().name.clone())
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
        let (uses, offered) = (Mutex::default(), Mutex::default());
        Self { current: Box::new(current), caller, until, most_calls, uses, offered }
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

    /// Whether `toolbox` has another tool under `name` than the one that was offered.
    fn is_another(&self, toolbox: &Toolbox, name: &str) -> bool {
        let Some(found) = toolbox.named(&self.caller, name) else { return false };
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered.get(name).or_else(|| offered.get(&found.name)).is_some_and(|offered| *offered != meant(found))
    }
}

impl ToolHost for Host {
    fn offers(&self) -> Vec<ToolOffer> {
        let toolbox = (self.current)();
        let offered = toolbox.offered(&self.caller).map(|named| (named.name.clone(), meant(named))).collect();
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) = offered;
        toolbox.offers(&self.caller)
    }

    fn call<'a>(&'a self, name: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>> {
        Box::pin(async move {
            let toolbox = (self.current)();
            let Some(number) = self.begin(&toolbox, name, &arguments) else {
                let text = "no more tools can be used for this answer; finish it with what you have".to_owned();
                return ToolResult { text, is_error: true };
            };
            let used = if self.is_another(&toolbox, name) {
                gone(name, &arguments)
            } else {
                toolbox.call(&self.caller, name, arguments, self.until).await
            };
            if let Some(slot) = self.uses.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
                *slot = used.record;
            }
            used.result
        })
    }
}
