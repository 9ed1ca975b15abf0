//! One function a command, a few lines each: ask the store or the engine, show the answer.

mod asks;
mod decisions;
mod egress;
mod findings;
mod machine;
mod projects;
mod runs;

pub(crate) use asks::{answer_ask, list_asks};
pub(crate) use decisions::{apply_fix, undo_fix};
pub(crate) use egress::list_egress;
pub(crate) use findings::{get_finding, list_findings};
pub(crate) use machine::{get_doctor, get_status, verify_ledger};
pub(crate) use projects::{add_project, import_sarif, list_projects, open_demo, scan_project};
pub(crate) use runs::{cancel_runs, chosen, run_fix};
