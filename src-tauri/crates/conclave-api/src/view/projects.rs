//! Projects, and the scans that came into them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ProjectView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its folder.
    pub root: String,
    /// Whether changes in it are followed.
    pub watched: bool,
    /// Whether the folder is there.
    pub present: bool,
    /// Findings that are not fixed or suppressed.
    pub open: u32,
    /// Its last scans, newest first, one a tool.
    pub scans: Vec<ScanView>,
}

/// All projects.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ProjectList {
    /// By name.
    pub items: Vec<ProjectView>,
}

/// Adds a folder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct AddProject {
    /// The folder.
    pub path: String,
    /// Whether to follow changes in it.
    pub watch: bool,
}

/// Names a project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct NamedProject {
    /// Its id.
    pub project: String,
}

/// Imports a SARIF file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ImportSarif {
    /// Into this project.
    pub project: String,
    /// The file, anywhere; the person chose it.
    pub path: String,
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// It read what it should.
    Complete,
    /// It failed, or read none of the files that it should: its silence proves nothing.
    Failed,
}

/// One scan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ScanView {
    /// The tool.
    pub tool: String,
    /// How it ended.
    pub state: ScanState,
    /// Why it failed.
    pub reason: Option<String>,
    /// Results read.
    pub results: u32,
    /// Findings that were not there before.
    pub new_findings: u32,
    /// What could not be used, in words; at most 20.
    pub complaints: Vec<String>,
    /// How many complaints there were.
    pub complaint_count: u32,
    /// When.
    #[specta(type = Number)]
    pub at: i64,
}

/// What an import or a scan brought.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ImportView {
    /// The project.
    pub project: String,
    /// One a SARIF run.
    pub scans: Vec<ScanView>,
}
