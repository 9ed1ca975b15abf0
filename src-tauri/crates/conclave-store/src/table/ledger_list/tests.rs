//! Pages and counts of the ledger, over old entries, new ones and broken ones.

use conclave_policy::{Actor, Ledger, ToolCall, entry_hash};
use serde_json::json;

use super::*;
use crate::tests::{NOW, decision, fresh, outcome};

/// An entry as it was written before there were layers, reviews, touched paths and calls.
const OLD: &str = concat!(
    r#"{"at_ms":1700000000000,"kind":"decision","request":{"actor":"engine","action":"send_http","#,
    r#""resource":"http://127.0.0.1:8080/v1","context":{"place":"loopback","bytes":"7"}},"#,
    r#""decision":{"effect":"allow","rule":"configured-model","reason":"you named it"}}"#
);

fn send(at_ms: i64, host: &str, effect: Effective, rule: &str) -> NewEntry {
    let place = if host == "127.0.0.1" { "loopback" } else { "remote" };
    let request = ToolRequest::new(Actor::Analyst("security".into()), Action::SendHttp, format!("https://{host}/v1"))
        .with("place", place)
        .with("bytes", "100")
        .with("model", "Qwen3");
    judged(at_ms, request, effect, rule)
}

fn call(at_ms: i64, command: &str, effect: Effective) -> NewEntry {
    let call = ToolCall {
        tool: "Bash".into(),
        server: None,
        session: Some("s".into()),
        cwd: Some("/srv/shop".into()),
        parameters: json!({ "command": command }),
    };
    let mut request = ToolRequest::new(Actor::Agent("claude-code".into()), Action::CallTool, "Bash");
    request.call = Some(Box::new(call));
    judged(at_ms, request, effect, "shell")
}

fn judged(at_ms: i64, request: ToolRequest, effect: Effective, rule: &str) -> NewEntry {
    let layer = Some(Layer::User);
    let decision = Decision { effect, rule: rule.into(), reason: "so it is".into(), layer, review: None };
    NewEntry { at_ms, kind: EntryKind::Decision { request, decision } }
}

/// Appends `text` as it is, with the hash that follows.
fn append_text(store: &Store, text: &str) {
    store
        .write(|transaction| {
            let (entries, head): (i64, String) =
                transaction
                    .query_row("SELECT entries, hash FROM ledger_head", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let hash = entry_hash(&head, entries.unsigned_abs() + 1, text);
            transaction.execute(
                "INSERT INTO ledger (seq, entry, hash) VALUES (?1, ?2, ?3)",
                params![entries + 1, text, hash],
            )?;
            transaction.execute("UPDATE ledger_head SET entries = ?1, hash = ?2", params![entries + 1, hash])?;
            Ok(())
        })
        .unwrap();
}

/// Entries 1 to 9: an old one, then sends, calls, and what came of two of them.
fn mixed() -> (tempfile::TempDir, Store) {
    let (folder, store) = fresh();
    append_text(&store, OLD);
    for entry in [
        send(NOW, "models.example", Effective::Allow, "asked"),
        outcome(NOW, 2),
        call(NOW + 1, "git push -f", Effective::Deny),
        send(NOW + 2, "127.0.0.1", Effective::Allow, "asked"),
        send(NOW + 3, "evil.example", Effective::Deny, "unknown-host"),
        call(NOW + 4, "ls", Effective::Allow),
        outcome(NOW + 5, 2),
        send(NOW + 6, "models.example", Effective::Allow, "asked"),
    ] {
        store.append(&entry).unwrap();
    }
    (folder, store)
}

fn query(action: Option<Action>, only: Only) -> DecisionQuery {
    DecisionQuery { action, only, limit: 100, ..DecisionQuery::default() }
}

fn seqs(page: &DecisionPage) -> Vec<u64> {
    page.rows.iter().map(|row| row.seq).collect()
}

#[test]
fn decisions_are_listed_newest_first_by_action_and_answer() {
    let (_folder, store) = mixed();
    let (http, tool) = (Some(Action::SendHttp), Some(Action::CallTool));
    for (action, only, expected) in [
        (None, Only::All, &[9, 7, 6, 5, 4, 2, 1][..]),
        (None, Only::Allowed, &[9, 7, 5, 2, 1]),
        (None, Only::Denied, &[6, 4]),
        (http, Only::All, &[9, 6, 5, 2, 1]),
        (http, Only::Allowed, &[9, 5, 2, 1]),
        (http, Only::Denied, &[6]),
        (tool, Only::All, &[7, 4]),
        (tool, Only::Denied, &[4]),
        (Some(Action::WriteKey), Only::All, &[]),
    ] {
        let page = store.decisions(&query(action, only)).unwrap();
        assert_eq!(seqs(&page), expected, "{action:?} {only:?}");
        assert_eq!((page.next, page.unreadable), (None, vec![]));
    }
}

#[test]
fn a_row_is_the_whole_entry_with_the_last_word_on_what_came_of_it() {
    let (_folder, store) = fresh();
    let entry = call(NOW, "git push -f", Effective::Deny);
    let seq = store.append(&entry).unwrap();
    store.append(&outcome(NOW, seq)).unwrap();
    let last = EntryKind::Outcome { refers_to: seq, outcome: "stopped".into() };
    store.append(&NewEntry { at_ms: NOW, kind: last }).unwrap();
    let EntryKind::Decision { request, decision } = entry.kind.clone() else { panic!() };
    let hash = entry_hash(conclave_policy::GENESIS, 1, &entry.canonical());
    let row = LedgerRow { seq, at_ms: NOW, request, decision, outcome: Some("stopped".into()), hash };
    assert_eq!(store.decisions(&query(None, Only::All)).unwrap().rows, [row]);
}

#[test]
fn an_entry_of_an_older_form_is_read_and_verified() {
    let (_folder, store) = fresh();
    append_text(&store, OLD);
    store.append(&send(NOW, "models.example", Effective::Allow, "asked")).unwrap();
    let verdict = store.verify_ledger().unwrap();
    assert_eq!((verdict.rows, verdict.fault), (2, None));
    let row = store.decisions(&query(Some(Action::SendHttp), Only::All)).unwrap().rows.pop().unwrap();
    assert_eq!((row.seq, row.decision.rule.as_str(), row.decision.layer), (1, "configured-model", None));
    assert_eq!((row.request.paths.len(), row.request.call), (0, None));
}

#[test]
fn words_are_looked_for_in_all_that_is_seen() {
    let (_folder, store) = mixed();
    for (words, expected) in [
        (vec!["EVIL"], &[6][..]),
        (vec!["qwen3", "models.example"], &[9, 2]),
        (vec!["push -f"], &[4]),
        (vec!["claude-code", "ls"], &[7]),
        (vec!["/srv/shop", "\"ls\""], &[7]),
        (vec!["so it is", "unknown-host"], &[6]),
        (vec!["decision"], &[]),
    ] {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let found = store.decisions(&DecisionQuery { words: words.clone(), ..query(None, Only::All) }).unwrap();
        assert_eq!(seqs(&found), expected, "{words:?}");
    }
}

#[test]
fn pages_fit_together_whatever_is_appended_between_them() {
    let (_folder, store) = mixed();
    for action in [None, Some(Action::SendHttp)] {
        let whole = seqs(&store.decisions(&query(action, Only::All)).unwrap());
        for limit in 1..=4 {
            let (mut together, mut before) = (Vec::new(), None);
            loop {
                let page = store.decisions(&DecisionQuery { limit, before, ..query(action, Only::All) }).unwrap();
                assert!(page.rows.len() <= limit as usize && !page.rows.is_empty());
                together.extend(seqs(&page));
                let entry = decision(NOW, "remote", Effective::Allow);
                store.append(&entry).unwrap();
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            let newer = together.iter().take_while(|seq| !whole.contains(seq)).count();
            assert_eq!(together[newer..], whole, "{action:?} {limit}");
        }
    }
}

#[test]
fn a_page_ends_after_so_many_looks_and_says_where_to_go_on() {
    let (_folder, store) = fresh();
    let wanted = store.append(&send(NOW, "needle.example", Effective::Allow, "asked")).unwrap();
    store
        .write(|transaction| {
            for n in 0..LOOKED_AT as i64 + 5 {
                crate::table::ledger::append(transaction, &decision(NOW + n, "remote", Effective::Allow))?;
            }
            Ok(())
        })
        .unwrap();
    for action in [None, Some(Action::SendHttp)] {
        let needle = DecisionQuery { words: vec!["needle".into()], ..query(action, Only::All) };
        let first = store.decisions(&needle).unwrap();
        assert_eq!((seqs(&first), first.next), (vec![], Some(7)), "{action:?}");
        let second = store.decisions(&DecisionQuery { before: first.next, ..needle }).unwrap();
        assert_eq!((seqs(&second), second.next), (vec![wanted], None), "{action:?}");
    }
}

#[test]
fn what_leaves_is_counted_from_a_time_on() {
    let (_folder, store) = mixed();
    let totals = |requests, denied, bytes_out, local| EgressTotals { requests, denied, bytes_out, local };
    for (since, expected) in [
        (i64::MIN, totals(3, 1, 200, 2)),
        (NOW, totals(3, 1, 200, 1)),
        (NOW + 3, totals(2, 1, 100, 0)),
        (NOW + 7, totals(0, 0, 0, 0)),
    ] {
        assert_eq!(store.egress_totals(since).unwrap(), expected, "{since}");
    }
}

#[test]
fn a_hosted_model_behind_this_machine_counts_as_leaving_it() {
    let (_folder, store) = fresh();
    let cases = [
        ("loopback", Some("local"), false),
        ("loopback", Some("hosted"), true),
        // A look at a server before it is known what it runs.
        ("loopback", None, false),
        ("remote", Some("hosted"), true),
        ("remote", None, true),
        ("elsewhere", None, true),
    ];
    let (mut left, mut passed_on) = (0, 0);
    for (n, (place, class, leaves)) in (1..).zip(cases) {
        let request = ToolRequest::new(Actor::Engine, Action::SendHttp, "http://127.0.0.1:4000/v1")
            .with("place", place)
            .with("bytes", "100");
        let request = match class {
            Some(class) => request.with(keys::MODEL_CLASS, class),
            None => request,
        };
        assert_eq!(leaves_machine(&request), leaves, "{place} {class:?}");
        store.append(&judged(NOW, request, Effective::Allow, "asked")).unwrap();
        left += u64::from(leaves);
        passed_on += u64::from(leaves && place == "loopback");
        let totals = EgressTotals { requests: left, denied: 0, bytes_out: 100 * left, local: n - left };
        assert_eq!(store.egress_totals(NOW).unwrap(), totals, "{place} {class:?}");
        assert_eq!(store.egress_count().unwrap(), left, "{place} {class:?}");
        assert_eq!(store.passed_on_count().unwrap(), passed_on, "{place} {class:?}");
    }
}

#[test]
fn rules_are_counted_from_a_time_on() {
    let (_folder, store) = mixed();
    let hits = |since| {
        let hits = store.rule_hits(since).unwrap();
        hits.into_iter().map(|hit| (hit.rule, hit.layer, hit.count)).collect::<Vec<_>>()
    };
    let user = Some(Layer::User);
    let (asked, shell) = (("asked".to_owned(), user, 3), ("shell".to_owned(), user, 2));
    let unknown = ("unknown-host".to_owned(), user, 1);
    let old = ("configured-model".to_owned(), None, 1);
    assert_eq!(hits(i64::MIN), [asked, shell, old, unknown.clone()]);
    assert_eq!(hits(NOW + 5), [("asked".to_owned(), user, 1)]);
    assert!(hits(NOW + 3).contains(&unknown));
}

#[test]
fn entries_that_somebody_broke_are_named_and_hide_no_other() {
    let (_folder, store) = mixed();
    store
        .write(|transaction| {
            transaction.execute_batch("DROP TRIGGER ledger_is_not_changed")?;
            transaction.execute("UPDATE ledger SET entry = '{' WHERE seq = 5", [])?;
            let odd = OLD.replace("\"rule\":\"configured-model\"", "\"rule\":[1]");
            transaction.execute("UPDATE ledger SET entry = ?1 WHERE seq = 9", [odd])?;
            transaction.execute("UPDATE ledger SET entry = CAST(x'ff' AS TEXT) WHERE seq = 7", [])?;
            Ok(())
        })
        .unwrap();
    let all = store.decisions(&query(None, Only::All)).unwrap();
    assert_eq!((seqs(&all), all.unreadable), (vec![6, 4, 2, 1], vec![9, 7, 5]));
    let http = store.decisions(&query(Some(Action::SendHttp), Only::All)).unwrap();
    assert_eq!((seqs(&http), http.unreadable), (vec![6, 2, 1], vec![9]));
    assert_eq!(store.egress_totals(i64::MIN).unwrap().requests, 2);
    store.rule_hits(i64::MIN).unwrap();
    let exported = export(&store);
    assert_eq!(exported.len(), 9);
    assert_eq!(exported[4]["entry"], json!("{"));
}

fn export(store: &Store) -> Vec<serde_json::Value> {
    let mut lines = Vec::new();
    let done: std::result::Result<(), StoreError> = store.export_ledger(|line| {
        assert!(!line.contains('\n'));
        lines.push(serde_json::from_str(line)?);
        Ok(())
    });
    done.unwrap();
    lines
}

#[test]
fn an_export_holds_every_entry_with_the_very_text_of_the_chain() {
    let (_folder, store) = mixed();
    for n in 0..EXPORTED_AT_ONCE {
        store.append(&outcome(NOW + n, 2)).unwrap();
    }
    #[derive(serde::Deserialize)]
    struct Read<'a> {
        seq: u64,
        hash: String,
        #[serde(borrow)]
        entry: &'a RawValue,
    }
    let (mut head, mut rows) = (conclave_policy::GENESIS.to_owned(), 0);
    let done: std::result::Result<(), StoreError> = store.export_ledger(|line| {
        let read: Read<'_> = serde_json::from_str(line)?;
        head = entry_hash(&head, read.seq, read.entry.get());
        assert_eq!(head, read.hash);
        rows += 1;
        Ok(())
    });
    done.unwrap();
    assert_eq!((rows, head), (9 + EXPORTED_AT_ONCE, store.verify_ledger().unwrap().head));
}

#[test]
fn an_export_ends_with_the_first_refusal_of_a_line() {
    let (_folder, store) = mixed();
    let mut taken = 0;
    let done: std::result::Result<(), StoreError> = store.export_ledger(|_| {
        taken += 1;
        if taken == 3 { Err(StoreError::Cursor("full".into())) } else { Ok(()) }
    });
    assert!(matches!(done, Err(StoreError::Cursor(_))));
    assert_eq!(taken, 3);
}

#[test]
fn no_question_reads_more_than_its_index() {
    let (_folder, store) = mixed();
    let plan = |sql: &str| {
        store
            .read(|transaction| {
                let mut statement = transaction.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let steps = statement.query_map([0], |row| row.get::<_, String>(3))?;
                Ok(steps.collect::<rusqlite::Result<Vec<_>>>()?.join("; "))
            })
            .unwrap()
    };
    let page = plan(&sql_of(&query(Some(Action::SendHttp), Only::All)).unwrap());
    assert_eq!(page.matches("SEARCH ledger USING INDEX ledger_decision").count(), 3, "{page}");
    assert!(!page.contains("TEMP B-TREE"), "{page}");
    let all = plan(&sql_of(&query(None, Only::All)).unwrap());
    assert!(all.contains("SEARCH ledger USING INTEGER PRIMARY KEY") && !all.contains("TEMP B-TREE"), "{all}");
    for sql in [EGRESS_TOTALS, RULE_HITS] {
        assert!(plan(sql).contains("SEARCH ledger USING INDEX ledger_time"), "{}", plan(sql));
        assert_eq!(columns_read(&store, sql), 0, "{sql}");
    }
    assert_ne!(columns_read(&store, "SELECT entry FROM ledger WHERE seq > ?1"), 0, "it would be seen");
}

/// How many instructions of `sql` read a column of an entry itself.
fn columns_read(store: &Store, sql: &str) -> usize {
    let table = "SELECT rootpage FROM sqlite_schema WHERE name = 'ledger'";
    let read = store.read(|transaction| {
        let root: i64 = transaction.query_row(table, [], |row| row.get(0))?;
        let mut statement = transaction.prepare(&format!("EXPLAIN {sql}"))?;
        let steps = statement.query_map([0], |row| Ok((row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let steps: Vec<(String, i64, i64)> = steps.collect::<rusqlite::Result<_>>()?;
        let cursor = steps.iter().find(|(step, _, page)| step == "OpenRead" && *page == root).map(|step| step.1);
        Ok(steps.iter().filter(|(step, of, _)| step == "Column" && Some(*of) == cursor).count())
    });
    read.unwrap()
}
