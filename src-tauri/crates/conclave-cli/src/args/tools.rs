//! `conclave tools`: servers of tools that deliberation may use.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use conclave_api::ToolKind;

#[derive(Debug, Subcommand)]
pub enum Tools {
    /// List them, with what they are approved for.
    List,
    /// Add one to the settings, or change the one of this name; nothing is started.
    ///
    /// Everything after `--` is the command and its arguments. It has to be an installed program: one that fetches another
    /// at each start, as `npx` does, is refused with what to install instead. A key is never an argument or a variable
    /// here: `conclave keys set` keeps it.
    Add(AddTool),
    /// Take over the servers of another client’s configuration: `mcpServers` as Claude, Cursor and others have it, or
    /// OpenCode’s, VS Code’s or Codex’s form.
    Import {
        /// The file.
        file: PathBuf,
        /// Only say what would be added.
        #[arg(long)]
        dry_run: bool,
    },
    /// Let one be used as it is now: you are shown what that is, and asked.
    Approve {
        /// Its name.
        name: String,
        /// The digest of what you have seen, in place of being asked.
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
    },
    /// Take one out of the settings, and forget its approval.
    Remove {
        /// Its name.
        name: String,
    },
    /// What is remembered for deliberation, as the memory server’s own file: one entity or relation a line.
    Memory {
        #[command(subcommand)]
        command: Memory,
    },
    /// Start one for a look, and show what it says of itself and what differs from what you approved.
    Test {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Memory {
    /// Write it to a file.
    Export {
        /// The file, which is replaced when it exists.
        file: PathBuf,
        /// What is remembered for this client of the settings.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        client: String,
    },
    /// Take a file in, beside what is there. One line that cannot be remembered, or may hold a secret, keeps all of it out.
    Import {
        /// The file.
        file: PathBuf,
        /// To be remembered for this client of the settings.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        client: String,
    },
}

#[derive(Debug, Args)]
pub struct AddTool {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// The address of a server elsewhere.
    #[arg(long, conflicts_with_all = ["command", "reaches", "env"], required_unless_present = "command")]
    pub url: Option<String>,
    /// A variable of its environment, as `NAME=VALUE`; no secrets.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// The one address that it can reach, for example `https://kagi.com`; with none it has no network.
    #[arg(long, value_name = "URL")]
    pub reaches: Option<String>,
    /// The variable that gets the key of that host from the keychain; for an address, any word.
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// What of Conclave’s own it stands in for.
    #[arg(long, value_enum)]
    pub serves: Option<Serves>,
    /// Time for one call, in milliseconds.
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u32>,
    /// The program, by name or path, and its arguments.
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// What a server stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Serves {
    /// Thinking step by step.
    Thinking,
    /// What is remembered of earlier findings.
    Memory,
    /// What is published about weaknesses.
    Intelligence,
}

impl From<Serves> for ToolKind {
    fn from(serves: Serves) -> Self {
        match serves {
            Serves::Thinking => Self::Thinking,
            Serves::Memory => Self::Memory,
            Serves::Intelligence => Self::Intelligence,
        }
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is `NAME=VALUE`")?;
    Ok((name.to_owned(), value.to_owned()))
}
