//! The seats' answers as patches: where they land when lines have moved, and what is refused.

use conclave_core::finding::{Detection, Finding, Location, Rule, Severity, Tool};
use conclave_core::id::ProjectId;
use conclave_core::path::RelPath;

use super::*;

fn path(name: &str) -> RelPath {
    RelPath::new(name).expect("a path")
}

fn lines(first: u32, last: u32) -> Region {
    Region { end_line: last, ..Region::line(first) }
}

/// The brief of a finding that was reported at one region of `a.py` and stands at another.
fn brief(reported: Region, now: Region) -> Brief {
    let detection = Detection {
        tool: Tool { name: "T".to_owned(), version: None },
        rule: Rule { id: "R".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: Vec::new() },
        message: String::new(),
        severity: Severity::High,
        location: Some(Location { path: path("a.py"), region: Some(now) }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    let finding = Finding::new(&ProjectId::of_root("p"), detection, "", 0);
    Brief { finding, reported: Some(reported), file: None, unusable: None, parts: Vec::new(), guidance: None }
}

#[test]
fn a_scanners_replacement_moves_with_its_finding_or_is_refused() {
    let whole_line = Region { end_column: Some(1), ..lines(5, 6) };
    for (now, file, region, expect) in [
        (lines(4, 5), "a.py", lines(4, 4), Some(lines(4, 4))),
        (lines(4, 5), "a.py", lines(1, 1), Some(lines(1, 1))),
        (lines(4, 5), "b.py", lines(9, 9), Some(lines(9, 9))),
        (lines(7, 8), "a.py", lines(4, 5), Some(lines(7, 8))),
        (lines(2, 3), "a.py", lines(5, 5), Some(lines(3, 3))),
        (lines(7, 8), "a.py", whole_line, Some(Region { end_column: Some(1), ..lines(8, 9) })),
        (lines(7, 8), "a.py", lines(1, 1), None),
        (lines(7, 8), "a.py", lines(5, 6), None),
        (lines(7, 8), "b.py", lines(4, 4), None),
    ] {
        let replacement = Replacement { path: path(file), region, text: String::new() };
        let seen = region_now(&replacement, &brief(lines(4, 5), now));
        assert_eq!(seen.clone().ok(), expect, "{now:?} {file} {region:?}: {seen:?}");
    }
}
