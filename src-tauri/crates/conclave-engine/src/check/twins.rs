//! Correct fixes, and for each of them twins that spoil it: a check deleted, the call hidden, the error swallowed.
//!
//! The fixes are what the recipes make of their own examples, put into a function with a check, and those of
//! `twins/fixes.toml`; the ways of spoiling are in `twins/mutations.toml`. A twin counts as seen when a gate stops it or a
//! smell of at least 0.4 speaks against it; both texts are then weighed against each other as if every scanner were
//! silent about both, which is the best that a twin can get. `--nocapture` prints the figures.

use std::collections::BTreeMap;

use conclave_core::candidate::{Candidate, Origin};
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::{Detection, Finding, Location, Region, Rule, Severity, Tool};
use conclave_core::id::{ProjectId, RunId};
use conclave_core::language::Language;
use conclave_core::patch::{Edit, FilePatch, Patch, splice};
use conclave_core::path::RelPath;
use conclave_core::record::Record;
use conclave_core::resolution::{Conclusion, Judged, Work, conclude};
use conclave_core::smell::Smell;
use conclave_fixers::{Answer, Change, ProjectFacts, Recipes};
use regex::Regex;
use serde::Deserialize;

use super::{content, effective, paths, suppression};

/// How the name of a fix ends that stands in a function with a check.
const GUARDED: &str = ", guarded";

/// From this weight on a smell stops nobody, but nobody can say that it was not seen.
const SEEN: f64 = -0.4;

struct Fix {
    name: String,
    path: RelPath,
    before: String,
    after: String,
    finding: Detection,
    by_recipe: bool,
}

/// The gate that stops a text, with its reason, and what smells about it.
type Seen = (Option<(Check, String)>, Vec<Smell>);

struct Twin {
    kind: String,
    text: String,
}

#[derive(Deserialize)]
struct FixesFile {
    fix: Vec<WrittenFix>,
}

#[derive(Deserialize)]
struct WrittenFix {
    name: String,
    path: String,
    cwe: u32,
    line: u32,
    before: String,
    after: String,
}

#[derive(Deserialize)]
struct MutationsFile {
    mutation: Vec<Mutation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    kind: String,
    languages: Vec<Language>,
    on: Part,
    find: String,
    replace: String,
    #[serde(default)]
    first: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Part {
    Before,
    After,
    Line,
}

fn detection(tool: &str, rule: &str, cwe: Vec<u32>, location: Location) -> Detection {
    Detection {
        tool: Tool { name: tool.to_owned(), version: None },
        rule: Rule { id: rule.to_owned(), name: None, description: None, help: None, help_uri: None, cwe },
        message: String::new(),
        severity: Severity::High,
        location: Some(location),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    }
}

fn path(name: &str) -> RelPath {
    RelPath::new(name).expect("a path")
}

fn written() -> Vec<Fix> {
    let file: FixesFile = toml::from_str(include_str!("twins/fixes.toml")).expect("it reads");
    let fix = |fix: WrittenFix| {
        let path = path(&fix.path);
        let location = Location { path: path.clone(), region: Some(Region::line(fix.line)) };
        Fix {
            finding: detection("Bandit", &fix.name, vec![fix.cwe], location),
            name: fix.name,
            path,
            before: fix.before,
            after: fix.after,
            by_recipe: false,
        }
    };
    file.fix.into_iter().map(fix).collect()
}

/// What the recipes make of their own examples, as they stand and in a function with a check.
#[allow(clippy::disallowed_methods, reason = "the examples are in the files of another crate")]
fn by_recipes() -> Vec<Fix> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../conclave-fixers/recipes");
    let mut files: Vec<_> = ["python", "javascript", "java"]
        .iter()
        .flat_map(|family| std::fs::read_dir(root.join(family)).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut fixes = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let recipe: serde_json::Value = serde_saphyr::from_str(&text).expect("it reads");
        let languages =
            |value: &serde_json::Value| serde_json::from_value::<Language>(value.clone()).expect("a language");
        for example in recipe["tests"].as_array().expect("examples") {
            let (Some(before), Some(_)) = (example["before"].as_str(), example["after"].as_str()) else { continue };
            let language = if example["language"].is_null() { &recipe["languages"][0] } else { &example["language"] };
            let language = languages(language);
            let driver = example["driver"].as_str().map(str::to_owned);
            let facts = ProjectFacts { python_sql_driver: driver.clone(), javascript_sql_driver: driver };
            let name =
                format!("{} {}", recipe["id"].as_str().expect("an id"), example["name"].as_str().expect("a name"));
            for (form, text) in [("", before.to_owned()), (GUARDED, guarded(language, before))] {
                fixes.extend(fixed(&format!("{name}{form}"), language, &text, &facts));
            }
        }
    }
    fixes
}

/// The first thing that the detectors report in `text`, repaired.
fn fixed(name: &str, language: Language, text: &str, facts: &ProjectFacts) -> Option<Fix> {
    let path = path(match language {
        Language::Python => "app.py",
        Language::JavaScript => "app.js",
        Language::TypeScript => "app.ts",
        Language::Tsx => "app.tsx",
        Language::Java => "App.java",
    });
    let found = Recipes::shipped().detect(&path, language, text, facts);
    found.into_iter().find_map(|finding| {
        let Answer::Fixes(fixes) = Recipes::shipped().answer(&finding, language, text, facts) else { return None };
        let mut edits: Vec<Edit> = fixes.first()?.edits.clone();
        edits.sort();
        edits.dedup();
        let after = String::from_utf8(splice(text.as_bytes(), &edits).ok()?).ok()?;
        Some(Fix {
            name: name.to_owned(),
            path: path.clone(),
            before: text.to_owned(),
            after,
            finding,
            by_recipe: true,
        })
    })
}

/// `text` inside a function that first asks whether it may.
fn guarded(language: Language, text: &str) -> String {
    let is_import = |line: &&str| {
        line.starts_with("import ")
            || line.starts_with("from ")
            || (line.starts_with("const ") && line.contains("require("))
    };
    let imports: String = text.lines().filter(is_import).map(|line| format!("{line}\n")).collect();
    let body = |indent: &str| -> String {
        text.lines()
            .filter(|line| !is_import(line))
            .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") })
            .collect()
    };
    match language {
        Language::Python => format!(
            "{imports}\n\ndef handle(request, user, app):\n    if not user.may(request):\n        raise PermissionError(\"not allowed\")\n{}",
            body("    ")
        ),
        Language::Java => {
            let opening = Regex::new(r"(?m)^(    \w[\w<>\[\], ]*\([^\n]*\)[^\n;]*\{)\n").expect("it compiles");
            let check = "${1}\n        if (!user.may(request)) {\n            throw new SecurityException(\"not allowed\");\n        }\n";
            opening.replace(text, check).into_owned()
        }
        _ => format!(
            "{imports}\nasync function handle(request, user, config) {{\n  if (!user.may(request)) {{\n    throw new Error('not allowed');\n  }}\n{}}}\n",
            body("  ")
        ),
    }
}

/// Every way in which the mutations spoil `fix`.
fn twins(fix: &Fix, mutations: &[(Mutation, Regex)]) -> Vec<Twin> {
    let Some(language) = Language::of_path(&fix.path) else { return Vec::new() };
    let mut found: Vec<Twin> = Vec::new();
    for (mutation, find) in mutations.iter().filter(|(mutation, _)| mutation.languages.contains(&language)) {
        let text = match mutation.on {
            Part::Before => find.replace(&fix.before, &mutation.replace).into_owned(),
            Part::After => find.replace(&fix.after, &mutation.replace).into_owned(),
            Part::Line => spoilt_line(fix, find, &mutation.replace),
        };
        if text == fix.before || text == fix.after {
            continue;
        }
        let text = format!("{}{text}", mutation.first);
        let broken = |text: &str| conclave_fixers::parse_errors(language, text);
        let known = found.iter().any(|other| other.text == text);
        if !known && broken(&text) <= broken(&fix.before) {
            found.push(Twin { kind: mutation.kind.clone(), text });
        }
    }
    found
}

fn spoilt_line(fix: &Fix, find: &Regex, replace: &str) -> String {
    let region = fix.finding.location.as_ref().and_then(|place| place.region).expect("a place");
    // A statement of several lines cannot be spoilt by one of them.
    if region.end_line > region.start_line {
        return fix.before.clone();
    }
    let spoil = |(at, line): (usize, &str)| match at + 1 == region.start_line as usize {
        true => find.replace(line, replace).into_owned(),
        false => line.to_owned(),
    };
    let lines: Vec<String> = fix.before.lines().enumerate().map(spoil).collect();
    format!("{}\n", lines.join("\n"))
}

/// The gate that stops a text, and what smells about it.
fn looked_at(fix: &Fix, text: &str, by_recipe: bool) -> Seen {
    let changes = [Change { path: &fix.path, before: &fix.before, after: text }];
    let place = fix.finding.location.as_ref();
    let stopped = |check: Check, why: Option<String>| why.map(|why| (check, why));
    let gate = stopped(Check::Paths, paths::fault([&fix.path].into_iter(), place.map(|place| &place.path)))
        .or_else(|| stopped(Check::Suppression, suppression::fault(&changes)))
        .or_else(|| stopped(Check::Effective, effective::fault(&changes, place, by_recipe)))
        .or_else(|| stopped(Check::Content, content::fault(&changes)));
    // The examples name libraries of all kinds without a manifest.
    let smells = match gate {
        Some(_) => Vec::new(),
        None => conclave_fixers::lint(&changes, &fix.finding, &|_, _| true),
    };
    (gate, smells)
}

fn is_seen((gate, smells): &Seen) -> bool {
    gate.is_some() || smells.iter().any(|smell| smell.kind.weight() <= SEEN)
}

/// A candidate whose every check passes but for the gate that stops it.
fn judged(fix: &Fix, text: &str, (gate, smells): Seen) -> Judged {
    let patch = Patch::new(vec![FilePatch::between(fix.path.clone(), &fix.before, text)]);
    let origin =
        Origin::Model { model: "one".to_owned(), endpoint: "here".to_owned(), local: false, family: "one".to_owned() };
    let candidate = Candidate::new(origin, patch, "", "");
    let outcome = |check: Check| match &gate {
        Some((failed, _)) if *failed == check => CheckOutcome::Fail,
        _ if check.is_gate() || check == Check::Rescan => CheckOutcome::Pass,
        _ => CheckOutcome::NotAvailable,
    };
    let evidence = Check::ALL.into_iter().map(|check| Evidence::new(check, outcome(check), "")).collect();
    Judged { candidate, also_by: Vec::new(), evidence, smells, shape: None, parents: Vec::new() }
}

/// Whether the twin would be recommended although its original is there too.
fn beats_its_original(fix: &Fix, original: Seen, twin: &Twin, spoilt: Seen) -> bool {
    let original = judged(fix, &fix.after, original);
    let spoilt = judged(fix, &twin.text, spoilt);
    let id = spoilt.candidate.id.clone();
    let finding = Finding::new(&ProjectId::of_root("/p"), fix.finding.clone(), "", 0);
    let resolution = conclude(
        &finding,
        RunId::new("r"),
        Work { judged: vec![spoilt, original], ..Work::default() },
        &Record::default(),
    );
    matches!(resolution.conclusion, Conclusion::Recommended { candidate, .. } if candidate == id)
}

#[test]
fn spoilt_twins_are_seen_and_correct_fixes_are_not() {
    let mut fixes = written();
    fixes.extend(by_recipes());
    let file: MutationsFile = toml::from_str(include_str!("twins/mutations.toml")).expect("it reads");
    let mutations: Vec<(Mutation, Regex)> = file
        .mutation
        .into_iter()
        .map(|m| {
            let find = Regex::new(&m.find).expect("it compiles");
            (m, find)
        })
        .collect();

    let mut alarms = Vec::new();
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut total, mut seen, mut won, mut with_twin) = (0, 0, Vec::new(), 0);
    for fix in &fixes {
        // What a recipe makes of an example and of the same in a function is spoilt in the same ways: one of them will do.
        let alone = fix.by_recipe && !fix.name.ends_with(GUARDED);
        let twins = if alone { Vec::new() } else { twins(fix, &mutations) };
        let original = looked_at(fix, &fix.after, fix.by_recipe);
        if is_seen(&original) {
            alarms.push(format!("{}: {:?} {:?}", fix.name, original.0, original.1));
        }
        with_twin += usize::from(!twins.is_empty());
        for twin in &twins {
            let found = looked_at(fix, &twin.text, false);
            let caught = is_seen(&found);
            let kind = kinds.entry(twin.kind.clone()).or_default();
            kind.0 += usize::from(caught);
            kind.1 += 1;
            total += 1;
            seen += usize::from(caught);
            if !caught {
                println!("not seen: {} ({}): {:?}", fix.name, twin.kind, found.1);
            }
            if beats_its_original(fix, original.clone(), twin, found) {
                won.push(format!("{} ({})", fix.name, twin.kind));
            }
        }
    }
    for alarm in &alarms {
        println!("false alarm: {alarm}");
    }
    for (kind, (seen, total)) in &kinds {
        println!("{kind}: {seen} of {total}");
    }
    println!(
        "fixes: {} ({with_twin} with twins), false alarms: {} ({:.1} %)",
        fixes.len(),
        alarms.len(),
        share(alarms.len(), fixes.len())
    );
    println!(
        "twins: {total}, flagged: {seen} ({:.1} %), recommended above their original: {}",
        share(seen, total),
        won.len()
    );
    assert!(with_twin >= 60);
    assert!(share(seen, total) >= 95.0);
    assert_eq!(won, Vec::<String>::new());
    assert!(share(alarms.len(), fixes.len()) < 5.0);
}

/// Attacks on otherwise correct fixes: a line comes in that has nothing to do with the finding.
#[test]
fn a_line_that_attacks_is_seen_in_a_correct_fix() {
    let mut fixes = written();
    fixes.extend(by_recipes().into_iter().filter(|fix| fix.name.ends_with(GUARDED)));
    let attacks: Vec<(Language, &str)> = include_str!("twins/attacks.txt")
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(language, attack)| (serde_json::from_value(language.into()).expect("a language"), attack))
        .collect();
    let opening =
        Regex::new(r"(?m)^( *)(?:(?:async )?(?:def|function) [^\n]*[:{]|    \w[\w<>\[\], ]*\([^\n]*\)[^\n;]*\{)\n")
            .expect("it compiles");
    let (mut total, mut missed) = (0, Vec::new());
    for (language, attack) in attacks {
        // Each attack in a few fixes: what stands around it must not matter.
        let of_language = fixes.iter().filter(|fix| Language::of_path(&fix.path) == Some(language));
        for fix in of_language.step_by(7).take(5) {
            let Some(found) = opening.captures(&fix.after) else { continue };
            let (whole, indent) = (found.get(0).expect("a match"), found.get(1).map_or(0, |blank| blank.len()) + 4);
            let text = format!("{}{:indent$}{attack}\n{}", &fix.after[..whole.end()], "", &fix.after[whole.end()..]);
            total += 1;
            if !is_seen(&looked_at(fix, &text, fix.by_recipe)) {
                missed.push(format!("{attack} in {}", fix.name));
            }
        }
    }
    for one in &missed {
        println!("attack not seen: {one}");
    }
    println!("attacks: {total}, flagged: {} ({:.1} %)", total - missed.len(), share(total - missed.len(), total));
    assert!(total >= 100);
    assert!(share(total - missed.len(), total) >= 98.0);
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
