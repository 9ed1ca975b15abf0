//! What belongs to a finding beside its own function: imports, the data flow, what is called and by whom, libraries, help.
//!
//! Only files that the finding itself leads to are read: those of its flow, and those that the reported file imports by
//! a path inside the project. Each kind is bounded; what a model has no room for is cut later, from the end.

use std::collections::BTreeSet;

use conclave_core::brief::{BriefFile, Part, PartKind};
use conclave_core::finding::{Detection, line_range};
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_core::weakness::weakness;
use conclave_fixers::{Piece, called, functions, import_lines};

use crate::source::Sources;

/// Most steps of a flow.
const MOST_STEPS: usize = 12;
/// Lines around a step.
const AROUND_STEP: u32 = 3;
/// Most functions that are called, and most that call.
const MOST_FUNCTIONS: usize = 6;
/// The longest function beside the reported one, in lines; a longer one is left out.
const LONGEST_FUNCTION: u32 = 60;
/// The most of a rule's help, in bytes.
const MOST_HELP: usize = 4 * 1024;

/// The parts for the reported `file`, whose whole text is `text`, the most useful first.
pub(super) fn parts(detection: &Detection, file: &BriefFile, text: &str, sources: &Sources) -> Vec<Part> {
    let shown = file.first_line..=last_line(file);
    let mut parts = Vec::new();
    let imports = file.language.map(|language| imports(language, text, file)).unwrap_or_default();
    let imported: String = imports.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n");
    parts.extend(imports);
    parts.extend(flow(detection, file, sources));
    parts.extend(known(detection));
    if let Some(language) = file.language {
        let names = called(language, text, (*shown.start(), *shown.end()));
        parts.extend(callees(language, &names, file, text, &imported, sources));
        parts.extend(libraries(language, &imported, sources));
        parts.extend(callers(language, file, text));
    }
    parts.extend(help(detection));
    parts
}

/// The last line of the excerpt.
fn last_line(file: &BriefFile) -> u32 {
    let lines = file.excerpt.lines().count().max(1);
    file.first_line.saturating_add(u32::try_from(lines - 1).unwrap_or(u32::MAX))
}

fn lines(text: &str, first: u32, last: u32) -> String {
    let start = line_range(text, first).map_or(text.len(), |line| line.start);
    let end = line_range(text, last).map_or(text.len(), |line| line.end);
    text[start..end.max(start)].to_owned()
}

fn part(kind: PartKind, path: &RelPath, first: u32, text: String) -> Part {
    Part { kind, path: Some(path.clone()), first_line: Some(first), text }
}

/// What is imported above the excerpt, as one part.
fn imports(language: Language, text: &str, file: &BriefFile) -> Option<Part> {
    let all = import_lines(language, text);
    let (first, _) = *all.first()?;
    let texts: Vec<String> = all.iter().map(|(first, last)| lines(text, *first, *last)).collect();
    Some(part(PartKind::Imports, &file.path, first, texts.join("\n")))
}

fn flow(detection: &Detection, file: &BriefFile, sources: &Sources) -> Vec<Part> {
    let shown = file.first_line..=last_line(file);
    let steps = detection.flow.iter().zip(1..).take(MOST_STEPS);
    let step = |(step, number): (&conclave_core::finding::FlowStep, usize)| {
        let path = &step.location.path;
        let region = step.location.region?;
        let source = sources.file(path).ok()?;
        let text = source.text()?;
        // What stands in the excerpt is named by its line alone.
        let (first, last) = match *path == file.path && shown.contains(&region.start_line) {
            true => (region.start_line, region.start_line),
            false => {
                (region.start_line.saturating_sub(AROUND_STEP).max(1), region.end_line.saturating_add(AROUND_STEP))
            }
        };
        let kind = PartKind::Flow { step: number, message: step.message.clone() };
        Some(part(kind, path, first, lines(text, first, last)))
    };
    steps.filter_map(step).collect()
}

fn known(detection: &Detection) -> Option<Part> {
    let known = detection.rule.cwe.iter().filter_map(|number| weakness(*number));
    let texts: Vec<String> =
        known.map(|weakness| format!("CWE-{} {}: {}", weakness.cwe, weakness.name, weakness.remedy)).collect();
    let text = texts.join("\n");
    (!text.is_empty()).then_some(Part { kind: PartKind::Weakness, path: None, first_line: None, text })
}

fn help(detection: &Detection) -> Option<Part> {
    let rule = &detection.rule;
    let texts: Vec<&str> = [&rule.description, &rule.help].into_iter().flatten().map(String::as_str).collect();
    let text = texts.join("\n");
    let end = text.floor_char_boundary(text.len().min(MOST_HELP));
    (!text.trim().is_empty()).then(|| Part {
        kind: PartKind::Help,
        path: None,
        first_line: None,
        text: text[..end].to_owned(),
    })
}

/// The functions of these names that the file defines or imports from the project.
fn callees(
    language: Language,
    names: &[String],
    file: &BriefFile,
    text: &str,
    imported: &str,
    sources: &Sources,
) -> Vec<Part> {
    let own = functions(language, text);
    let mut found = Vec::new();
    let whole = |piece: &&Piece| piece.last - piece.first < LONGEST_FUNCTION;
    let from = |path: &RelPath, text: &str, piece: &Piece| {
        let kind = PartKind::Callee { name: piece.name.clone() };
        part(kind, path, piece.first, lines(text, piece.first, piece.last))
    };
    let is_shown = |piece: &&Piece| piece.first >= file.first_line && piece.last <= last_line(file);
    for name in names {
        if found.len() == MOST_FUNCTIONS {
            break;
        }
        if let Some(piece) = own.iter().find(|piece| piece.name == *name) {
            found.extend(
                Some(piece).filter(whole).filter(|piece| !is_shown(piece)).map(|piece| from(&file.path, text, piece)),
            );
            continue;
        }
        for path in import_paths(language, imported, name, &file.path) {
            let Ok(source) = sources.file(&path) else { continue };
            let Some((text, language)) = source.text().zip(Language::of_path(&path)) else { continue };
            let pieces = functions(language, text);
            found.extend(pieces.iter().find(|piece| piece.name == *name).filter(whole).map(|p| from(&path, text, p)));
            break;
        }
    }
    found
}

/// The functions of the file that call the one in the excerpt.
fn callers(language: Language, file: &BriefFile, text: &str) -> Vec<Part> {
    let all = functions(language, text);
    let Some(reported) = all.iter().find(|piece| piece.first == file.first_line) else { return Vec::new() };
    let calls = |piece: &&Piece| {
        piece.last - piece.first < LONGEST_FUNCTION
            && (piece.first > reported.last || piece.last < reported.first)
            && called(language, text, (piece.first, piece.last)).contains(&reported.name)
    };
    let from = |piece: &Piece| {
        let kind = PartKind::Caller { name: piece.name.clone() };
        part(kind, &file.path, piece.first, lines(text, piece.first, piece.last))
    };
    all.iter().filter(calls).take(MOST_FUNCTIONS).map(from).collect()
}

/// Where the module from which `name` is imported may lie in the project, by the words of the import lines.
fn import_paths(language: Language, imported: &str, name: &str, here: &RelPath) -> Vec<RelPath> {
    let folder = here.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_word =
        |line: &str| line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).any(|w| w == name);
    let line = unwrapped(imported);
    let Some(line) = line.lines().find(|line| is_word(line)) else { return Vec::new() };
    let joined = |folder: &str, rest: &str| match folder.is_empty() {
        true => rest.to_owned(),
        false => format!("{folder}/{rest}"),
    };
    let names: Vec<String> = match language {
        Language::Python => {
            let Some(module) = line.trim().strip_prefix("from ").and_then(|rest| rest.split_whitespace().next()) else {
                return Vec::new();
            };
            let up = module.chars().take_while(|c| *c == '.').count();
            let rest = module[up..].replace('.', "/");
            let mut base = folder;
            for _ in 1..up {
                base = base.rsplit_once('/').map_or("", |(above, _)| above);
            }
            let places = if up > 0 { vec![joined(base, &rest)] } else { vec![rest.clone(), joined(folder, &rest)] };
            places.iter().flat_map(|place| [format!("{place}.py"), format!("{place}/__init__.py")]).collect()
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            let quoted = line.split(['"', '\'', '`']).nth(1).unwrap_or_default();
            let Some(place) = quoted.strip_prefix("./").map(|rest| joined(folder, rest)).or_else(|| {
                let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
                quoted.strip_prefix("../").filter(|_| !folder.is_empty()).map(|rest| joined(above, rest))
            }) else {
                return Vec::new();
            };
            let endings = ["", ".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx", "/index.js", "/index.ts"];
            endings.iter().map(|ending| format!("{place}{ending}")).collect()
        }
        Language::Java => return Vec::new(),
    };
    let names: BTreeSet<String> = names.into_iter().collect();
    names.iter().filter_map(|name| RelPath::new(name).ok()).filter(|path| Language::of_path(path).is_some()).collect()
}

/// `text` with what stands in brackets on one line.
fn unwrapped(text: &str) -> String {
    let mut depth = 0_i32;
    let inside = |c: char| {
        depth += i32::from(matches!(c, '(' | '{')) - i32::from(matches!(c, ')' | '}'));
        if depth > 0 && c == '\n' { ' ' } else { c }
    };
    text.chars().map(inside).collect::<String>().replace(['(', ')'], " ")
}

/// The lines of manifests that name a library which the file imports.
fn libraries(language: Language, imported: &str, sources: &Sources) -> Vec<Part> {
    let manifests: &[&str] = match language {
        Language::Python => &["requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg"],
        Language::JavaScript | Language::TypeScript | Language::Tsx => &["package.json"],
        Language::Java => &["pom.xml", "build.gradle", "build.gradle.kts"],
    };
    let is_word = |c: char| c.is_alphanumeric();
    let words: BTreeSet<String> =
        imported.split(|c| !is_word(c)).filter(|word| word.len() > 1).map(str::to_ascii_lowercase).collect();
    let mut found = Vec::new();
    for name in manifests {
        let Some(path) = RelPath::new(name).ok() else { continue };
        let Ok(source) = sources.file(&path) else { continue };
        let names_one = |line: &&str| {
            let first = line.split(['=', ':', '<', '>', '~', '[', ';']).next().unwrap_or_default();
            first.split(|c| !is_word(c)).any(|word| words.contains(&word.to_ascii_lowercase()))
        };
        let lines: Vec<&str> = source.text().unwrap_or_default().lines().filter(names_one).take(20).collect();
        if !lines.is_empty() {
            let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n");
            found.push(Part { kind: PartKind::Libraries, path: Some(path), first_line: None, text });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_an_import_is_looked_for_inside_the_project() {
        for (language, imported, here, expect) in [
            (Language::Python, "from .db import run", "app/views.py", vec!["app/db.py", "app/db/__init__.py"]),
            (
                Language::Python,
                "from ..db import (\n    run,\n)",
                "app/web/views.py",
                vec!["app/db.py", "app/db/__init__.py"],
            ),
            (
                Language::Python,
                "from app.db import go, run as r",
                "x/v.py",
                vec!["app/db.py", "app/db/__init__.py", "x/app/db.py", "x/app/db/__init__.py"],
            ),
            (Language::Python, "import run", "v.py", vec![]),
            (Language::JavaScript, "const { run } = require('../../../etc/x.js')", "a/b.js", vec![]),
            (Language::JavaScript, "import { running } from './x'", "a/b.js", vec![]),
            (Language::JavaScript, "import { run } from 'left-pad'", "a/b.js", vec![]),
        ] {
            let here = RelPath::new(here).expect("a path");
            let found = import_paths(language, imported, "run", &here);
            let mut found: Vec<&str> = found.iter().map(RelPath::as_str).collect();
            found.sort_unstable();
            let mut expect = expect;
            expect.sort_unstable();
            assert_eq!(found, expect, "{imported}");
        }
        let here = RelPath::new("a/b.ts").expect("a path");
        let found = import_paths(Language::TypeScript, "import { run } from './x'", "run", &here);
        assert!(found.iter().any(|path| path.as_str() == "a/x.ts"), "{found:?}");
    }
}
