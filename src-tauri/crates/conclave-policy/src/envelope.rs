//! The envelope inside which a model's review may allow.
//!
//! A reviewer model can be talked into anything, so its word counts only for what could be taken back and reaches
//! nobody: outside this envelope a model may refuse, and only a person may allow.

use crate::request::keys;
use crate::{Access, Action, ToolRequest};

/// Whether `request`, even if it were a mistake to allow it, would do nothing that leaves this machine or cannot be
/// undone.
///
/// Inside are: reading what the policy lets be sampled, copies of our own, and programs in the sandbox. Everything that
/// writes, sends, takes a key or runs somebody else's tool with unknown consequences is outside.
pub fn inside_envelope(request: &ToolRequest) -> bool {
    match request.action {
        Action::ReadProject | Action::WatchProject | Action::CopyToScratch => true,
        Action::RunCommand => request.context.get(keys::SANDBOX).is_some_and(|value| value == "yes"),
        // A call is known only by its parameters: it is inside when it names what it touches and only reads it.
        Action::CallTool => {
            let reads = request.paths.iter().all(|path| path.real.is_some() && path.access == Access::Read);
            let sends = request.context.contains_key(keys::HOST) || request.context.contains_key(keys::DATA);
            !request.paths.is_empty() && reads && !sends
        }
        Action::ReadFile
        | Action::WriteProject
        | Action::WriteFile
        | Action::SendHttp
        | Action::ReadKey
        | Action::WriteKey => false,
    }
}
