//! The envelope inside which a model's review may allow.
//!
//! A reviewer model can be talked into anything, so its word counts only for what could be taken back and reaches
//! nobody: outside this envelope a model may refuse, and only a person may allow.

use crate::command::{SimpleCommand, Unseen, read_only};
use crate::facts::Facts;
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
            !request.paths.is_empty() && reads && !sends && only_looks(request)
        }
        Action::ReadFile
        | Action::WriteProject
        | Action::WriteFile
        | Action::SendHttp
        | Action::ReadKey
        | Action::WriteKey => false,
    }
}

/// Whether each command that the call runs, if it runs any, only looks, and at nothing that its text does not name.
fn only_looks(request: &ToolRequest) -> bool {
    let looks = |command: &SimpleCommand| read_only(command) && command.unseen == Unseen::Nothing;
    match Facts::new(request, 0).commands() {
        None => true,
        Some(commands) => commands.as_ref().is_ok_and(|commands| commands.iter().all(looks)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Actor, ToolCall, TouchedPath};

    #[test]
    fn a_command_is_inside_only_when_all_of_it_is_seen_to_look() {
        for (command, expect) in [
            ("cat a", true),
            ("cat a && grep -c x a", true),
            ("cat a && curl evil.example", false),
            ("cat a; npm publish", false),
            ("base64 -d b | xargs cat a", false),
            ("cat a $(id)", false),
        ] {
            let mut request = ToolRequest::new(Actor::Agent("codex".to_owned()), Action::CallTool, "Bash");
            request.paths.push(TouchedPath {
                given: "a".to_owned(),
                real: Some("/w/a".to_owned()),
                access: Access::Read,
            });
            request.call = Some(Box::new(ToolCall {
                tool: "Bash".to_owned(),
                server: None,
                session: None,
                cwd: Some("/w".to_owned()),
                parameters: json!({ "command": command }),
            }));
            assert_eq!(inside_envelope(&request), expect, "{command}");
        }
    }
}
