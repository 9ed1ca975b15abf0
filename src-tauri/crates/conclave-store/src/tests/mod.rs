//! What the tests of all tables share, and the tests of the file itself.

#![expect(clippy::disallowed_methods, reason = "tests look at the file from outside, break it, and start processes")]

mod damage;
mod opening;
mod processes;

use std::path::PathBuf;

use conclave_core::finding::{ColumnKind, Detection, Finding, Location, Region, Rule, Severity, Tool};
use conclave_core::id::{ProjectId, ScanId};
use conclave_core::path::RelPath;
use conclave_core::project::Project;
use conclave_policy::{Action, Actor, Decision, Effective, EntryKind, NewEntry, ToolRequest};
use tempfile::TempDir;

use crate::{ScanRecord, ScanState, Store};

/// 2026-01-02 03:04:05 UTC.
pub(crate) const NOW: i64 = 1_767_323_045_000;

pub(crate) fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("conclave.db")
}

/// An empty store in a folder of its own.
pub(crate) fn fresh() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = again(&folder);
    (folder, store)
}

/// The store of `folder`, opened as another process would.
pub(crate) fn again(folder: &TempDir) -> Store {
    let opened = Store::open(&database(folder), NOW).unwrap();
    assert_eq!(opened.notice, None);
    opened.store
}

pub(crate) fn fresh_with_project() -> (TempDir, Store, ProjectId) {
    let (folder, store) = fresh();
    let id = ProjectId::of_root("/srv/shop");
    let project =
        Project { id: id.clone(), root: "/srv/shop".into(), name: "shop".into(), watched: true, listed: true };
    store.save_project(&project, NOW).unwrap();
    (folder, store, id)
}

/// A medium finding of bandit in `path` at `line`.
pub(crate) fn finding(project: &ProjectId, path: &str, line: u32) -> Finding {
    let rule = Rule {
        id: "B602".into(),
        name: Some("subprocess_popen_with_shell_equals_true".into()),
        description: None,
        help: None,
        help_uri: None,
        cwe: vec![78],
    };
    let region = Region {
        start_line: line,
        start_column: Some(1),
        end_line: line,
        end_column: None,
        column_kind: ColumnKind::Unicode,
    };
    let detection = Detection {
        tool: Tool { name: "Bandit".into(), version: Some("1.8.0".into()) },
        rule,
        message: "subprocess call with shell=True identified".into(),
        severity: Severity::Medium,
        location: Some(Location { path: RelPath::new(path).unwrap(), region: Some(region) }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    Finding::new(project, detection, &format!("call({line})"), 0)
}

/// A scan by bandit.
pub(crate) fn scan(project: &ProjectId, id: &str, state: ScanState) -> ScanRecord {
    ScanRecord {
        id: ScanId::new(id),
        project: project.clone(),
        tool: Tool { name: "Bandit".into(), version: Some("1.8.0".into()) },
        source: "bandit.sarif".into(),
        state,
        results: 2,
        complaints: Vec::new(),
        complaint_count: 0,
    }
}

/// A decision on sending something to `place`.
pub(crate) fn decision(at_ms: i64, place: &str, effect: Effective) -> NewEntry {
    let request = ToolRequest::new(Actor::Engine, Action::SendHttp, "https://models.example/v1").with("place", place);
    let decision = Decision { effect, rule: "r".into(), reason: "because".into(), layer: None, review: None };
    NewEntry { at_ms, kind: EntryKind::Decision { request, decision } }
}

pub(crate) fn outcome(at_ms: i64, refers_to: u64) -> NewEntry {
    NewEntry { at_ms, kind: EntryKind::Outcome { refers_to, outcome: "status 200, é".into() } }
}
