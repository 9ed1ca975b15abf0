//! One flipped byte anywhere in the file: seen, or without consequence, and never a panic.

use std::fs;

use conclave_core::finding::Status;
use conclave_core::id::CandidateId;
use conclave_core::record::Record;
use conclave_core::resolution::{Work, conclude};
use conclave_policy::{Action, Actor, Effective, Ledger, ToolRequest};
use tempfile::TempDir;

use super::{NOW, database, decision, finding, fresh_with_project, outcome, scan};
use crate::{
    DecisionQuery, FindingQuery, Fix, HookCall, IntentFile, IntentKind, IntentState, NewAsk, NewExchange, NewIntent,
    ScanState, Store, StoreError,
};

/// A closed database with rows in every table.
fn filled() -> TempDir {
    let (folder, store, project) = fresh_with_project();
    let found: Vec<_> = (1..=12).map(|line| finding(&project, "src/a.py", line)).collect();
    store.save_scan(&scan(&project, "s", ScanState::Complete), &found, NOW).unwrap();
    for (n, found) in found.iter().enumerate().take(6) {
        let run = store.begin_run(&found.id, true, NOW).unwrap().run;
        store.save_stage(&run, "gather", "{\"brief\":[]}").unwrap();
        let resolution = conclude(found, run, Work { analysis_ms: n as u64, ..Work::default() }, &Record::default());
        store.save_resolution(&resolution, Status::NoSafeFix, "no seat", None, NOW).unwrap();
        let seq = store.append(&decision(NOW, "remote", Effective::Allow)).unwrap();
        store.append(&outcome(NOW, seq)).unwrap();
    }
    let files = vec![IntentFile { path: "src/a.py".into(), before: "00".into(), after: "11".into() }];
    let new = NewIntent {
        fixes: vec![Fix { finding: found[0].id.clone(), candidate: CandidateId::new("c1") }],
        kind: IntentKind::Apply,
        root: "/srv/shop".into(),
        files,
        permit: 1,
    };
    let intent = store.open_intent(&new, NOW).unwrap();
    store.close_intent(intent, IntentState::Applied, "applied", NOW).unwrap();
    store.open_intent(&new, NOW).unwrap();
    for n in 0..4 {
        let request = ToolRequest::new(Actor::Person, Action::CallTool, "shell");
        let (rule, reason) = ("look".to_owned(), "it leaves the project".to_owned());
        let ask = NewAsk { at_ms: NOW, expires_at_ms: NOW + n, request, rule, layer: None, reason, guidance: None };
        store.put_ask(&ask).unwrap();
        store.put_key(&format!("host-{n}.example"), NOW).unwrap();
        let exchange = NewExchange {
            seq: n.unsigned_abs() + 1,
            at_ms: NOW,
            project: Some("/srv/shop".into()),
            endpoint: "Local".into(),
            model: "qwen3".into(),
            request: "{}".repeat(900),
            response: "{}".into(),
            status: Some(200),
        };
        store.put_exchange(&exchange).unwrap();
        let call = HookCall {
            client: "codex".into(),
            session: "s".into(),
            call_id: n.to_string(),
            request_digest: "d".into(),
            parameters_digest: "p".into(),
            seq: 1,
            at_ms: NOW,
        };
        store.put_hook_call(&call).unwrap();
    }
    folder
}

/// Everything that the store says about itself, as text; the ledger's verdict beside it.
fn tell(store: &Store) -> Result<(String, String), StoreError> {
    let list = store.list_findings(&FindingQuery::default())?;
    let mut told = format!("{:?}{:?}{:?}", store.projects()?, list, store.status_counts(None)?);
    for item in &list.items {
        let id = &item.finding.id;
        told += &format!("{:?}{:?}", store.resolution(id)?, store.neighbours(id)?);
        told +=
            &format!("{:?}{:?}{:?}", store.applied(id)?, store.outcomes(id)?, store.finding_by_prefix(id.as_str())?);
        told += &format!("{:?}", store.last_scans(&item.finding.project)?);
    }
    told += &format!("{:?}{:?}", store.open_intents()?, store.open_jobs()?);
    for (job, _) in store.open_jobs()? {
        told += &format!("{:?}", store.stage(&job.run, "gather")?);
    }
    told += &format!("{:?}{:?}{:?}", store.asks(9)?, store.keys()?, store.exchanges(None, None, 9)?);
    for n in 0..4 {
        told += &format!("{:?}{:?}", store.exchange(n)?, store.hook_call("codex", "s", &n.to_string())?);
    }
    let query = DecisionQuery { limit: 100, ..DecisionQuery::default() };
    told += &format!("{:?}{:?}{:?}", store.decisions(&query)?, store.egress_totals(0)?, store.rule_hits(0)?);
    Ok((told, format!("{:?}{}", store.verify_ledger()?, store.egress_count()?)))
}

#[test]
fn a_flipped_byte_never_passes_for_another_ledger_and_never_panics() {
    let folder = filled();
    let path = database(&folder);
    let whole = fs::read(&path).unwrap();
    let (told, ledger) = tell(&Store::open(&path, NOW).unwrap().store).unwrap();
    let (mut seen, mut harmless, mut other_text) = (0, 0, 0);
    let flips = if std::env::var_os("CONCLAVE_DEEP").is_some_and(|deep| deep == "1") { 2000 } else { 200 };
    for n in 0..flips {
        // Spread over the whole file, at no fixed place within a page.
        let offset = (n * whole.len() / flips + n * 37) % whole.len();
        let mut bytes = whole.clone();
        bytes[offset] ^= 1 << (n % 8);
        let folder = tempfile::tempdir().unwrap();
        fs::write(database(&folder), &bytes).unwrap();
        let opened = match Store::open(&database(&folder), NOW) {
            Ok(opened) => opened,
            Err(_) => {
                seen += 1;
                continue;
            }
        };
        match tell(&opened.store) {
            _ if opened.notice.is_some() => seen += 1,
            Err(_) => seen += 1,
            Ok((_, verdict)) if verdict != ledger => {
                assert!(verdict.contains("fault: Some"), "byte {offset}: {verdict}");
                seen += 1;
            }
            Ok((now, _)) if now == told => harmless += 1,
            // A letter of a finding's text. Scanning again writes it anew.
            Ok(_) => other_text += 1,
        }
    }
    println!("{flips} flipped bytes: {seen} seen, {harmless} without consequence, {other_text} in a text");
    assert!(seen > 0 && harmless > 0);
}
