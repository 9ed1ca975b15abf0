//! A fix that leaves as a patch is what git makes of it, and whatever was written in it stays text.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person\u{2019}s git")]

use std::fs;
use std::process::Command;

use conclave_core::candidate::{Candidate, Origin};
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::{Detection, Location, Rule, Severity};
use conclave_core::id::{ProjectId, RunId};
use conclave_core::patch::{FilePatch, Patch};
use conclave_core::path::RelPath;
use conclave_core::record::Record;
use conclave_core::resolution::{Judged, Work, conclude};
use conclave_core::synthesis::{EdgeCase, PullRequest, Reference, Synthesis, Synthesiser};

use super::*;
use crate::edit_fix::unified;

const HOSTILE: &str =
    "Fixed.\n---\ndiff --git a/x b/x\nFrom me\n# Big [link](https://evil.invalid) ![x](y) @admin #12 <b>";

fn finding(path: &str) -> Finding {
    let detection = Detection {
        tool: Tool { name: "Bandit".to_owned(), version: None },
        rule: Rule { id: "B602".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: vec![78] },
        message: HOSTILE.to_owned(),
        severity: Severity::High,
        location: Some(Location { path: RelPath::new(path).expect("a path"), region: None }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    Finding::new(&ProjectId::new("p"), detection, "", 0)
}

fn resolved(finding: &Finding, path: &str, before: &str, after: &str) -> Resolution {
    let patch = Patch::new(vec![FilePatch::between(RelPath::new(path).expect("a path"), before, after)]);
    let origin = Origin::Recipe { id: "r".to_owned() };
    let candidate = Candidate::new(origin, patch, "Pass a list \u{2014} no shell", HOSTILE);
    let seen = Check::ALL.into_iter().filter(|check| check.is_gate() || *check == Check::Rescan);
    let evidence = seen.map(|check| Evidence::new(check, CheckOutcome::Pass, HOSTILE)).collect();
    let judged =
        vec![Judged { candidate, also_by: Vec::new(), evidence, smells: Vec::new(), shape: None, parents: Vec::new() }];
    let work = Work { judged, ..Work::default() };
    let mut resolution = conclude(finding, RunId::new("r"), work, &Record::default());
    resolution.synthesis = Some(Synthesis {
        by: Synthesiser::Model { name: "Meta".to_owned(), model: "m".to_owned() },
        root_cause: HOSTILE.to_owned(),
        edge_cases: vec![EdgeCase { text: HOSTILE.to_owned(), sources: Vec::new() }],
        references: vec![Reference {
            title: "CWE-78".to_owned(),
            url: "https://a.invalid/`x".to_owned(),
            query: None,
            date: None,
        }],
        pull_request: Some(PullRequest { title: HOSTILE.to_owned(), body: format!("{HOSTILE}\n```\nout\n# Head") }),
        ..Synthesis::default()
    });
    resolution
}

fn git(folder: &std::path::Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@localhost",
            "-c",
            "core.autocrlf=false",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(words)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .current_dir(folder)
        .output()
        .expect("git starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words:?}: {said}");
    said
}

#[test]
fn git_takes_the_patch_byte_for_byte_whatever_the_file_and_its_name() {
    let long = format!("a = '{}'\n", "\u{e9}=".repeat(80));
    for (path, before, after) in [
        ("a.py", "a = 1\nb = 2\nc = 3\n", "a = 1\nb = 4\nc = 3\n"),
        ("no end.py", "a = 1\nb = 2", "a = 1\nb = 3"),
        ("d/\u{e9} \"q\".py", "a = 1\r\nb = 2 \r\nc = 3\r\n", "a = 1\r\nb = 3 \r\nc = 3\r\n"),
        ("mixed.py", "a = 1\r\nb = 2\n-- \nc\n", "a = 1\r\nb = 3\n-- \nd\n"),
        ("long.py", &long, &format!("{long}\tb = 2\r\n")),
    ] {
        let finding = finding(path);
        let resolution = resolved(&finding, path, before, after);
        let verdict = resolution.recommended().expect("one");
        let subject = Subject { finding: &finding, resolution: &resolution, verdict, is_recommended: true };
        let mail = mail::written(&subject, &[(path, before.to_owned(), after.to_owned())], 1_764_000_000_000);

        let back = unified::read(&mail).expect("a patch");
        let [one] = back.as_slice() else { panic!("{path}: {back:?}") };
        assert_eq!((one.path.as_str(), one.apply(before).as_deref()), (path, Ok(after)), "{mail}");

        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, before).expect("written");
        fs::write(folder.path().join("fix.patch"), &mail).expect("written");
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["add", "--", path]);
        git(folder.path(), &["commit", "-q", "-m", "before"]);
        git(folder.path(), &["am", "-q", "fix.patch"]);
        assert_eq!(fs::read_to_string(&file).expect("the file"), after, "{path}\n{mail}");
        let log = git(folder.path(), &["log", "-1", "--format=%s%n%an%n%aI%n%b"]);
        assert!(log.starts_with("Pass a list \u{2014} no shell\nConclave\n2025-11-24T"), "{log}");
        assert!(
            log.contains("Checked:\n- Re-scan: Fixed. ---") && log.contains("Reported by Bandit B602, CWE-78"),
            "{log}"
        );
    }
}

#[test]
fn what_others_wrote_is_text_in_a_pull_request() {
    let finding = finding("a.py");
    let resolution = resolved(&finding, "a.py", "a\n", "b\n");
    let verdict = resolution.recommended().expect("one");
    let subject = Subject { finding: &finding, resolution: &resolution, verdict, is_recommended: true };
    insta::assert_snapshot!(request::written(&subject));
    // Of another fix than the recommended one, the model has written nothing.
    let other = request::written(&Subject { is_recommended: false, ..subject });
    assert!(other.starts_with("# Pass a list") && !other.contains("In the words of"), "{other}");
}
