//! What can be done with the hooks of agents.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use conclave_api::advise::client::{Client, Version};

#[derive(Debug, Subcommand)]
pub enum Hook {
    /// Answer Claude Code on standard input; its settings start this before and after each tool call.
    ClaudeCode(Answering),
    /// Answer Codex.
    Codex(Answering),
    /// Answer Gemini CLI.
    Gemini(Answering),
    /// Put the hook into a client’s settings, and test it.
    ///
    /// Everything else in the file stays as it is, to the byte, and a copy of the file is left beside it.
    Add {
        #[command(flatten)]
        place: HookPlace,
        /// Approve what the policy allows, so that the client does not ask you about it again.
        #[arg(long)]
        approve: bool,
        /// The client’s version, such as `2.1.317`, where it cannot be found out.
        #[arg(long, value_name = "VERSION")]
        client_version: Option<Version>,
    },
    /// Show the hooks in the settings of all clients, and whether they are started.
    ///
    /// The status is 2 when one of them will not run, and 3 when settings cannot be understood.
    List {
        /// Also look into the settings of this project.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
    },
    /// Take the hook out of a client’s settings.
    ///
    /// Where nothing else in the file changed, it is as it was before, to the byte; a copy of the file is left beside it.
    Remove {
        #[command(flatten)]
        place: HookPlace,
    },
}

#[derive(Debug, Args)]
pub struct Answering {
    /// Approve what the policy allows, so that the client does not ask again.
    #[arg(long)]
    pub approve: bool,
}

#[derive(Debug, Args)]
pub struct HookPlace {
    /// `claude-code`, `codex` or `gemini`.
    pub client: Client,
    /// Your own settings, for all projects; this is meant when nothing is said.
    #[arg(long, conflicts_with = "project")]
    pub user: bool,
    /// The settings of this project, for you alone where the client knows such.
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
}
