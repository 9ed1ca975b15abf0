//! The only door to the outside: each effect behind a permit.
//!
//! Read [`gate`] and its `permit` module for the security argument; everything else here is a door that takes a
//! [`Permit`] by value. This crate does and records; it decides nothing (the policy does) and knows nothing of findings.
//!
//! Invariants: no effect without a permit for exactly that effect; no permit without a durable ledger entry before it;
//! external programs run in the sandbox or not at all; nothing found in a project is configuration.
//!
//! Five things need no permit because they reach nothing outside: the [`Clock`], Conclave's own data folder ([`data`]),
//! the files that hold policies ([`policy_files`]), the certificates that the settings name ([`TlsRoots`]), and a scratch
//! copy that has already been made ([`Scratch`]).

pub mod agent;
pub mod clock;
pub mod data;
pub mod fs;
pub mod gate;
pub mod http;
pub mod keychain;
pub mod mcp;
pub mod policy_files;
pub mod reached;
pub mod replace;
pub mod sample;
pub mod sandbox;
pub mod scratch;
pub mod secret;
#[cfg(test)]
mod swapper;
pub mod tool;
pub mod touched;
pub mod watch;
pub mod worker;

pub use agent::{AgentError, AgentLimits, AgentReport, Connections, Installed, Lines, RunAgent, run_agent, url_inside};
pub use clock::Clock;
pub use data::{DataDir, default_data_dir};
pub use fs::{
    FileContent, FsError, ProjectTree, ReadFile, ReadProject, SkipReason, Skipped, Spool, Walk, WriteFile,
    WriteSpooled, open_file, open_project, resolve, write_file, write_spooled,
};
pub use gate::{Denied, Effect, Gate, Permit, Policies, Stale};
pub use http::{
    Body, Consent, DataClass, Facts, HttpError, HttpResponse, Method, ModelClass, SendHttp, TimeoutKind, Timeouts,
    TlsRoots, check_proxy, host_of, send,
};
pub use keychain::{EraseKey, Keychain, KeychainError, ReachKeychain, ReadKey, StoreKey, StoredKey};
pub use mcp::{CallServer, Listing, Server, ServerError, ServerFolder, StartServer, start_server};
pub use policy_files::{Following, PolicyFileError, admin_policy, follow, project_policy, user_policy};
pub use reached::{Reached, reached};
pub use sample::{AskClient, ask_client};
pub use sandbox::{CommandReport, Exit, Limits, RunCommand, SandboxError, find_program, probe, run};
pub use scratch::{CopyToScratch, Scratch, copy};
pub use secret::{Secret, forbid_core_dumps};
pub use tool::{ToolPlace, UseTool, use_tool};
pub use touched::resolve_touched;
pub use watch::{Change, Watch, WatchProject, watch};
pub use worker::{Hearing, StartWorker, TellWorker, Worker, WorkerError, find_worker, start_worker};
