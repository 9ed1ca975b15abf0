//! All recipes together: what they report, what they answer, what they refuse.

use conclave_core::finding::Severity;
use conclave_core::patch::splice;

use super::*;

fn finding(rule: &str, cwe: &[u32], region: Option<Region>) -> Detection {
    Detection {
        tool: Tool { name: "Scanner".to_owned(), version: None },
        rule: Rule {
            id: rule.to_owned(),
            name: None,
            description: None,
            help: None,
            help_uri: None,
            cwe: cwe.to_vec(),
        },
        message: String::new(),
        severity: Severity::Low,
        location: Some(Location { path: RelPath::new("a.py").expect("a path"), region }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    }
}

fn columns(line: u32, start: u32, end: u32) -> Region {
    Region { start_column: Some(start), end_column: Some(end), ..Region::line(line) }
}

/// The text after the only fix, or how the recipes answer otherwise.
fn answer(text: &str, finding: &Detection) -> String {
    match Recipes::shipped().answer(finding, Language::Python, text, &ProjectFacts::default()) {
        Answer::Fixes(fixes) => {
            assert_eq!(fixes.len(), 1, "{fixes:?}");
            let after = splice(text.as_bytes(), &fixes[0].edits).expect("the edits fit");
            String::from_utf8(after).expect("text")
        }
        Answer::Refused { recipe, reason } => format!("{recipe}: {reason}"),
        Answer::None => "none".to_owned(),
    }
}

#[test]
fn a_finding_is_answered_where_it_points() {
    let shell = "import subprocess\nsubprocess.run(\n    'ls -l',\n    shell=True,\n)\n";
    let fixed = "import subprocess\nsubprocess.run(\n    ['ls', '-l'],\n)\n";
    let query = "import sqlite3\ndef f(cur, a):\n    q = f\"SELECT 1 FROM t WHERE a = '{a}'\"\n    cur.execute(q)\n";
    let bound = "import sqlite3\ndef f(cur, a):\n    q = \"SELECT 1 FROM t WHERE a = ?\"\n    cur.execute(q, (a,))\n";
    let hosts = "import requests\nrequests.get(a, timeout=1, verify=False); requests.get(b, timeout=1, verify=False)\n";
    let second = "import requests\nrequests.get(a, timeout=1, verify=False); requests.get(b, timeout=1, verify=True)\n";
    for (text, rule, cwe, region, expect) in [
        // Scanners point at any line of a call, and at the text of a query as often as at its use.
        (shell, "B602", &[][..], Some(Region::line(4)), fixed),
        (shell, "B602", &[], Some(Region::line(2)), fixed),
        (query, "B608", &[], Some(Region::line(3)), bound),
        (query, "B608", &[], Some(Region::line(4)), bound),
        (hosts, "B501", &[], Some(columns(2, 43, 60)), second),
        // An unknown rule is taken by its weakness.
        (query, "acme.sql", &[89], Some(Region::line(4)), bound),
        (query, "acme.xss", &[79], Some(Region::line(4)), "none"),
        (query, "python.lang.sql-injection.x", &[], Some(Region::line(4)), bound),
        (query, "B608", &[], Some(Region::line(1)), "none"),
        (query, "B608", &[], Some(Region::line(99)), "none"),
        (query, "B608", &[], None, "none"),
    ] {
        assert_eq!(answer(text, &finding(rule, cwe, region)), expect, "{rule} {region:?}");
    }
}

#[test]
fn a_finding_of_our_own_is_answered_by_its_recipe_alone() {
    let text = "import requests\nrequests.get(a, verify=False)\n";
    let mut own = finding("py-timeout", &[295], Some(Region::line(2)));
    own.tool.name = OWN_TOOL.to_owned();
    assert_eq!(answer(text, &own), "import requests\nrequests.get(a, verify=False, timeout=10)\n");
    own.rule.id = "py-no-such-recipe".to_owned();
    assert_eq!(answer(text, &own), "none");
}

#[test]
fn what_we_detect_says_where_and_what() {
    let path = RelPath::new("src/a.py").expect("a path");
    let text = "import random, subprocess\nclass A:\n    def f(self):\n        'é𝒳'; subprocess.run('a | b', shell=True)\ncolour = random.random()\n";
    let found = Recipes::shipped().detect(&path, Language::Python, text, &ProjectFacts::default());
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.tool.name.as_str(), one.rule.id.as_str()), (OWN_TOOL, "py-shell-literal"));
    assert_eq!((one.rule.cwe.as_slice(), one.severity), (&[78][..], Severity::Low));
    assert_eq!(one.symbol.as_deref(), Some("f"));
    let location = one.location.as_ref().expect("a place");
    assert_eq!(location.path, path);
    let range = location.region.and_then(|region| region.byte_range(text)).expect("a region");
    assert_eq!(&text[range], "subprocess.run('a | b', shell=True)");
    // Reported although there is no fix, and the reason is there for the screen.
    assert_eq!(
        answer(text, one),
        "py-shell-literal: the command uses `|` (a pipe), which an argument list cannot express"
    );
    // Left to other tools, and still counted when a fix is checked.
    let left = Recipes::shipped().still_reports("py-random-other", Language::Python, text, &ProjectFacts::default());
    assert_eq!(left.len(), 1);
}

#[test]
fn a_language_without_the_recipe_is_left_alone() {
    let text = "import subprocess\nsubprocess.run('ls', shell=True)\n";
    for language in [Language::JavaScript, Language::Java] {
        let path = RelPath::new("a").expect("a path");
        assert_eq!(Recipes::shipped().detect(&path, language, text, &ProjectFacts::default()), []);
    }
}

#[test]
fn two_files_must_not_share_an_id() {
    let (_, text) = crate::shipped::FILES[0];
    let error = Recipes::load(&[("a.yml", text), ("b.yml", text)]).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("`b.yml` has an id that another file has")));
}
