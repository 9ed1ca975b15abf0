//! The agents' clients that can ask before a tool is used, and what each of them does with an answer.
//!
//! Facts about other people's programs, in one place. Seen in Claude Code 2.1.332, Codex CLI 0.171.0 and Gemini CLI
//! 0.61.0:
//! - Exit status 2 blocks the call, and what the hook wrote to standard error is the reason. Codex and Gemini CLI run the
//!   call when nothing was written there.
//! - Status 0 with something else than the client's JSON is no decision, whatever the settings say.
//! - A hook that is killed, or ends with 1, does not block. One that cannot be started blocks in Gemini CLI alone, and
//!   only because the shell's message counts as a reason. So the command line of the hook turns all of these into 2.
//! - A hook that hangs does not block, but in Claude Code with `onFailure: block`.
//! - Codex skips a hook that the person has not trusted, and a changed one again, without a word in `codex exec`.
//! - Codex calls every shell tool `Bash`, with the folder of the command as the folder of the call.
//! - Claude Code and Gemini CLI let a project set variables of the hook's environment, but not `HOME`.
//! - Each lets a project that the person trusts turn all hooks off: `disableAllHooks`, `features.hooks`,
//!   `hooksConfig.enabled`. Claude Code asks for no trust where it is started with `-p`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A program that runs an agent and asks a hook before each tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// Claude Code.
    ClaudeCode,
    /// Codex CLI, from 0.124.
    Codex,
    /// Gemini CLI.
    Gemini,
}

/// Whose settings a hook stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// The user's, for all projects; the folder is their home.
    User(&'a Path),
    /// One project's.
    Project(&'a Path),
}

/// A text that names no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a client; clients are `claude-code`, `codex` and `gemini`")]
pub struct UnknownClient(String);

impl Client {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ClaudeCode, Self::Codex, Self::Gemini];

    /// Its name on the command line and as an actor.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
            Self::Gemini => "Gemini CLI",
        }
    }

    /// The event before a tool is used.
    pub fn before(self) -> &'static str {
        match self {
            Self::ClaudeCode | Self::Codex => "PreToolUse",
            Self::Gemini => "BeforeTool",
        }
    }

    /// The event after a tool was used.
    pub fn after(self) -> &'static str {
        match self {
            Self::ClaudeCode | Self::Codex => "PostToolUse",
            Self::Gemini => "AfterTool",
        }
    }

    /// Whether a hook can pass the question on to the person at the client. The others run the call when they are
    /// answered with a question.
    pub fn can_ask(self) -> bool {
        self == Self::ClaudeCode
    }

    /// How long it waits for a hook, in the unit of its settings: 15 seconds.
    pub(super) fn timeout(self) -> u32 {
        match self {
            Self::ClaudeCode | Self::Codex => 15,
            Self::Gemini => 15_000,
        }
    }

    /// The first version with a setting to block a call whose hook fails in any way, hanging too; `None` when none has.
    pub fn blocks_on_failure_from(self) -> Option<Version> {
        (self == Self::ClaudeCode).then_some(Version(2, 1, 295))
    }

    /// The settings file that holds its hooks.
    pub fn settings_file(self, scope: Scope<'_>) -> PathBuf {
        match (self, scope) {
            (Self::ClaudeCode, Scope::User(home)) => home.join(".claude/settings.json"),
            (Self::ClaudeCode, Scope::Project(root)) => root.join(".claude/settings.local.json"),
            (Self::Codex, Scope::User(base) | Scope::Project(base)) => base.join(".codex/hooks.json"),
            (Self::Gemini, Scope::User(base) | Scope::Project(base)) => base.join(".gemini/settings.json"),
        }
    }

    /// Where whoever runs the machine keeps settings that count before everybody's own.
    pub(super) fn managed(self) -> Option<&'static str> {
        match self {
            Self::ClaudeCode => Some("/etc/claude-code/managed-settings.json"),
            Self::Gemini => Some("/etc/gemini-cli/settings.json"),
            Self::Codex => None,
        }
    }

    /// The settings files that can turn the hooks of a person with these settings off, the strongest first.
    pub(super) fn switches(self, scopes: &[Scope<'_>]) -> Vec<PathBuf> {
        let of_projects = scopes.iter().filter_map(|scope| match scope {
            Scope::Project(root) => Some(*root),
            Scope::User(_) => None,
        });
        let of_users = scopes.iter().filter_map(|scope| match scope {
            Scope::User(home) => Some(*home),
            Scope::Project(_) => None,
        });
        let (in_project, in_home): (&[_], _) = match self {
            Self::ClaudeCode => (&[".claude/settings.local.json", ".claude/settings.json"], ".claude/settings.json"),
            Self::Codex => (&[".codex/config.toml"], ".codex/config.toml"),
            Self::Gemini => (&[".gemini/settings.json"], ".gemini/settings.json"),
        };
        let of_projects = of_projects.flat_map(|root| in_project.iter().map(|file| root.join(file)));
        self.managed()
            .map(PathBuf::from)
            .into_iter()
            .chain(of_projects)
            .chain(of_users.map(|home| home.join(in_home)))
            .collect()
    }

    /// The name of its package.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::ClaudeCode => "@anthropic-ai/claude-code",
            Self::Codex => "@openai/codex",
            Self::Gemini => "@google/gemini-cli",
        }
    }

    /// The program's name on the search path.
    pub fn program(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Client {
    type Err = UnknownClient;

    fn from_str(text: &str) -> Result<Self, UnknownClient> {
        Self::ALL.into_iter().find(|client| client.name() == text).ok_or_else(|| UnknownClient(text.to_owned()))
    }
}

/// A version of a client, as three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version such as `2.1.295`")]
pub struct NotVersion(String);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Version {
    type Err = NotVersion;

    /// Three numbers; a pre-release counts as older than its release and is refused.
    fn from_str(text: &str) -> Result<Self, NotVersion> {
        let mut parts = text.trim().trim_start_matches('v').split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(a)), Some(Ok(b)), Some(Ok(c)), None) => Ok(Self(a, b, c)),
            _ => Err(NotVersion(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let oldest = Client::ClaudeCode.blocks_on_failure_from().expect("a version");
        for (text, expect) in
            [("2.1.295", true), ("2.1.1000", true), ("v3.0.0\n", true), ("2.1.99", false), ("2.0.300", false)]
        {
            let version: Version = text.parse().expect("a version");
            assert_eq!(version >= oldest, expect, "{text}");
        }
        for text in ["", "2.1", "2.1.295-beta", "2.1.295.1", "latest", "2.-1.3"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_projects_settings_count_before_the_persons_and_the_machines_before_both() {
        let scopes = [Scope::User(Path::new("/home/ada")), Scope::Project(Path::new("/shop"))];
        let files = Client::ClaudeCode.switches(&scopes);
        let expect = [
            "/etc/claude-code/managed-settings.json",
            "/shop/.claude/settings.local.json",
            "/shop/.claude/settings.json",
            "/home/ada/.claude/settings.json",
        ];
        assert_eq!(files, expect.map(PathBuf::from));
        let expect = ["/shop/.codex/config.toml", "/home/ada/.codex/config.toml"];
        assert_eq!(Client::Codex.switches(&scopes), expect.map(PathBuf::from));
    }

    #[test]
    fn clients_are_known_by_their_names() {
        for client in Client::ALL {
            assert_eq!(client.name().parse(), Ok(client));
        }
        assert!("Claude-Code".parse::<Client>().is_err());
    }
}
