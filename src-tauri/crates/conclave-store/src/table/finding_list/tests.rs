//! Lists of findings: every order, every filter, pages without gaps.

use super::*;
use crate::ScanState;
use crate::tests::{NOW, finding, fresh, fresh_with_project, scan};
use conclave_core::finding::Finding;
use conclave_core::project::Project;

/// Sixty findings in two scans, in an order that no list has.
fn filled() -> (tempfile::TempDir, Store, ProjectId, Vec<Finding>) {
    let (folder, store, project) = fresh_with_project();
    let mut found = Vec::new();
    for n in 0..60_u32 {
        let path = ["src/app.py", "src/db/[id].js", "lib/Main.java"][(n * 7 % 3) as usize];
        let mut finding = finding(&project, path, n * 13 % 60 + 1);
        finding.detection.severity = Severity::ALL[(n * 11 % 5) as usize];
        finding.detection.rule.id = ["B602", "js/sql-injection"][(n % 2) as usize].into();
        if n == 5 {
            finding.detection.message = "Größe wird nicht geprüft".into();
        }
        found.push(finding);
    }
    store.save_scan(&scan(&project, "s1", ScanState::Complete), &found[..20], NOW).unwrap();
    store.save_scan(&scan(&project, "s2", ScanState::Complete), &found[20..], NOW + 1).unwrap();
    (folder, store, project, found)
}

fn ids(items: &[StoredFinding]) -> Vec<FindingId> {
    items.iter().map(|item| item.finding.id.clone()).collect()
}

fn place(finding: &Finding) -> (String, u32) {
    let location = finding.detection.location.as_ref().unwrap();
    (location.path.to_string(), location.region.unwrap().start_line)
}

#[test]
fn pages_put_together_are_the_whole_list_in_order() {
    let (_folder, store, project, mut found) = filled();
    let new: Vec<FindingId> = found[20..].iter().map(|f| f.id.clone()).collect();
    for sort in [FindingSort::Risk, FindingSort::Path, FindingSort::Newest] {
        found.sort_by_key(|f| {
            let (path, line) = place(f);
            let severity = rank(f.detection.severity);
            let old = !new.contains(&f.id);
            match sort {
                FindingSort::Risk => (0, severity, path, i64::from(line), 0, f.id.clone()),
                FindingSort::Path => (0, 0, path, i64::from(line), severity, f.id.clone()),
                FindingSort::Newest => (i64::from(old), severity, path, i64::from(line), 0, f.id.clone()),
            }
        });
        let expected: Vec<FindingId> = found.iter().map(|f| f.id.clone()).collect();
        for (limit, project) in [(7, Some(project.clone())), (60, None), (1, None)] {
            let mut query = FindingQuery { sort, limit, project, ..FindingQuery::default() };
            let mut seen = Vec::new();
            loop {
                let page = store.list_findings(&query).unwrap();
                assert_eq!(page.total, 60);
                assert!(page.items.len() <= limit as usize);
                seen.extend(ids(&page.items));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{sort:?}, {limit}");
        }
    }
}

#[test]
fn rows_that_come_between_two_pages_are_neither_doubled_nor_in_the_way() {
    let (_folder, store, project, _) = filled();
    let query = FindingQuery { limit: 10, ..FindingQuery::default() };
    let all = ids(&store.list_findings(&FindingQuery::default()).unwrap().items);
    let first = store.list_findings(&query).unwrap();
    let mut early = finding(&project, "a/first.py", 1);
    early.detection.severity = Severity::Critical;
    store.save_scan(&scan(&project, "s3", ScanState::Complete), &[early], NOW + 2).unwrap();
    let second = store.list_findings(&FindingQuery { after: first.next, ..query }).unwrap();
    assert_eq!((ids(&second.items), second.total), (all[10..20].to_vec(), 61));
}

#[test]
fn filters_narrow_and_the_total_counts_what_is_left() {
    let (_folder, store, project, found) = filled();
    store.set_status(&found[0].id, Status::Fixed, "", None).unwrap();
    let all = FindingQuery::default;
    let text = |text: &str| Some(text.to_owned());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let count = |keep: &dyn Fn(&Finding) -> bool| found.iter().filter(|f| keep(f)).count();
    let in_path = |part: &'static str| count(&move |f| place(f).0.contains(part));
    let cases = [
        ("severity", FindingQuery { severity_at_least: Some(Severity::High), ..all() }, 24),
        ("statuses", FindingQuery { statuses: vec![Status::Fixed, Status::Running], ..all() }, 1),
        ("rule, any case", FindingQuery { rule: text("b602"), ..all() }, 30),
        ("tool, any case", FindingQuery { tool: text("bandit"), ..all() }, 60),
        ("another tool", FindingQuery { tool: text("ruff"), ..all() }, 0),
        ("words of any case", FindingQuery { words: words(&["GRÖSSE", "geprüft"]), ..all() }, 0),
        ("words, lower case", FindingQuery { words: words(&["größe", "GEPRÜFT"]), ..all() }, 1),
        ("a word in the rule", FindingQuery { words: words(&["sql-inj"]), ..all() }, 30),
        ("part of a path", FindingQuery { path: text("db/[id]"), ..all() }, in_path("db/[id]")),
        ("a pattern", FindingQuery { path: text("src/**"), ..all() }, in_path("src/")),
        ("a pattern with a bracket", FindingQuery { path: text("*/[id].j?"), ..all() }, in_path("[id]")),
        ("a pattern from the start", FindingQuery { path: text("app*"), ..all() }, 0),
        ("no such project", FindingQuery { project: Some(ProjectId::new("x")), ..all() }, 0),
        ("the project", FindingQuery { project: Some(project), rule: text("B602"), ..all() }, 30),
    ];
    for (name, query, expected) in cases {
        let list = store.list_findings(&query).unwrap();
        assert_eq!((list.total as usize, list.items.len()), (expected, expected), "{name}");
    }
}

#[test]
fn a_cursor_that_no_list_gave_out_is_refused() {
    let (_folder, store, _, _) = filled();
    for cursor in ["", "x", "[]", "[1]", "[1,2,3,4]", "[\"0\",\"a\",1,\"b\"]", "[0,\"a\",1.5,\"b\"]", "{\"a\":1}"] {
        let query = FindingQuery { after: Some(cursor.to_owned()), ..FindingQuery::default() };
        assert!(matches!(store.list_findings(&query), Err(StoreError::Cursor(_))), "{cursor}");
    }
}

#[test]
fn neighbours_walk_the_project_by_risk() {
    let (_folder, store, project, _) = filled();
    // Another project's findings are not in between.
    let attic =
        Project { id: ProjectId::of_root("/a"), root: "/a".into(), name: "attic".into(), watched: false, listed: true };
    store.save_project(&attic, NOW).unwrap();
    let strangers: Vec<Finding> = (1..9).map(|line| finding(&attic.id, "src/app.py", line)).collect();
    store.save_scan(&scan(&attic.id, "s9", ScanState::Complete), &strangers, NOW).unwrap();

    let query = FindingQuery { project: Some(project), ..FindingQuery::default() };
    let list = ids(&store.list_findings(&query).unwrap().items);
    for (n, id) in list.iter().enumerate() {
        let previous = n.checked_sub(1).map(|n| list[n].clone());
        let expected = (previous, list.get(n + 1).cloned(), n as u32 + 1, 60);
        assert_eq!(store.neighbours(id).unwrap(), Some(expected));
    }
    let (_other, empty) = fresh();
    assert_eq!(empty.neighbours(&list[0]).unwrap(), None);
}
