//! One function a command, a few lines each: ask the store or the engine, show the answer.

mod asks;
mod commands;
mod compare;
mod config;
mod decisions;
mod edit;
mod egress;
mod exchange;
mod findings;
mod health;
mod keys;
mod known;
mod learning;
mod machine;
mod memory;
mod models;
mod patterns;
mod plan;
mod policy;
mod preview;
mod projects;
mod runs;
mod servers;
mod spending;
mod tiers;
mod tools;
mod training;

pub(crate) use asks::{answer_ask, list_asks};
pub(crate) use commands::{get_commands, save_commands};
pub(crate) use compare::{
    choose_fix, get_comparison, get_next_pair, list_comparisons, plan_comparison, run_comparison, start_comparison,
};
pub(crate) use config::{check_config, check_config_file, import_config};
pub(crate) use decisions::{apply_fix, apply_fixes, dismiss_findings, reopen_findings, undo_fix};
pub(crate) use edit::{edit_fix, get_texts};
pub(crate) use egress::{export_ledger, list_egress};
pub(crate) use exchange::{erase_exchanges, get_exchange, list_exchanges};
pub(crate) use findings::{get_finding, list_findings};
pub(crate) use health::{check_model, check_models, get_metrics, save_thresholds, start_model, stop_model};
pub(crate) use keys::{erase_key, list_keys, set_key};
pub(crate) use known::list_known_models;
pub(crate) use learning::{get_insights, list_ratings, rate_fix, reset_learning};
pub(crate) use machine::{get_doctor, get_status, verify_ledger};
pub(crate) use memory::{export_memory, import_memory};
pub(crate) use models::{list_models, order_models, remove_model, save_model};
pub(crate) use patterns::{drop_pattern, find_elsewhere, list_patterns};
pub(crate) use plan::plan_runs;
pub(crate) use policy::{check_policy, explain_request, get_policy, policy_in, save_policy, simulate_policy};
pub(crate) use preview::preview_request;
pub(crate) use projects::{add_project, import_sarif, list_projects, open_demo, scan_project};
pub(crate) use runs::{
    cancel_run, cancel_runs, chosen, export_fix, get_timeline, pause_runs, replay_run, resume_runs, run_fix,
};
pub(crate) use servers::{discover_servers, inspect_file};
pub(crate) use spending::{get_spending, save_budget};
pub(crate) use tiers::{get_tiers, reset_tiers, save_tier};
pub(crate) use tools::{
    add_tool_server, approve_tool_server, check_tool_server, import_tool_servers, list_tools, remove_tool_server,
};
pub(crate) use training::export_training;

#[cfg(test)]
mod tests;
