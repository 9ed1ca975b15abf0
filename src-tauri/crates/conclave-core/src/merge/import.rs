//! Imports that several patches put at the same place: a set, whose order means nothing.

use std::collections::BTreeSet;

use crate::patch::Edit;

/// What stands at the place of the insertions `a` and `b` when both are made; `None` where not both are imports.
pub(super) fn set(text: &str, a: &Edit, b: &Edit) -> Option<String> {
    let line = text[..a.start].rsplit('\n').next().unwrap_or_default();
    if line.is_empty() { lines(&a.text, &b.text) } else { names(line, &a.text, &b.text) }
}

/// Whole lines, each an import, with the blank lines that one of the two wants around them.
fn lines(a: &str, b: &str) -> Option<String> {
    let (a, b) = (Block::read(a)?, Block::read(b)?);
    let longer = |a: &'_ str, b: &'_ str| if a.len() >= b.len() { a.to_owned() } else { b.to_owned() };
    let all: BTreeSet<_> =
        a.imports.iter().chain(&b.imports).map(|line| (!line.contains("__future__"), *line)).collect();
    let imports: String = all.into_iter().map(|(_, line)| line).collect();
    Some(longer(a.above, b.above) + &imports + &longer(a.below, b.below))
}

/// Lines of imports, with nothing but blank lines around them.
struct Block<'t> {
    above: &'t str,
    imports: Vec<&'t str>,
    below: &'t str,
}

impl<'t> Block<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let is_blank = |line: &&str| line.trim().is_empty();
        let first = lines.iter().position(|line| !is_blank(line))?;
        let last = lines.iter().rposition(|line| !is_blank(line))?;
        let length = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
        let imports = lines[first..=last].to_vec();
        let whole = text.ends_with('\n') && imports.iter().all(|line| is_import(line));
        whole.then(|| Self {
            above: &text[..length(&lines[..first])],
            imports,
            below: &text[length(&lines[..=last])..],
        })
    }
}

/// Further names at the end of a line of imports.
fn names(line: &str, a: &str, b: &str) -> Option<String> {
    let is_name = |name: &str| {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ');
        !name.trim().is_empty() && name.chars().all(allowed)
    };
    let read = |text: &'_ str| -> Option<Vec<String>> {
        let names: Vec<String> = text.strip_prefix(',')?.split(',').map(|name| name.trim().to_owned()).collect();
        names.iter().all(|name| is_name(name)).then_some(names)
    };
    if !is_import(line) {
        return None;
    }
    let all: BTreeSet<String> = read(a)?.into_iter().chain(read(b)?).collect();
    Some(all.into_iter().map(|name| format!(", {name}")).collect())
}

/// Whether a line is, or begins, an import in one of the languages that people write.
fn is_import(line: &str) -> bool {
    let line = line.trim();
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    let required = begins(&["const ", "let ", "var "]) && line.contains("= require(");
    let from = line.starts_with("from ") && line.contains(" import ");
    let goes_on = line.ends_with(['(', '{', ',', '\\']);
    !goes_on
        && (required || from || begins(&["import ", "use ", "using ", "#include ", "require ", "require_relative "]))
}
