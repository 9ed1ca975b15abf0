//! What a fix comes to, so that fixes can be compared: the functions that it changes as they are after it, without
//! layout, comments, styles of quotation marks and made-up names, and the imports that it adds.
//!
//! Deliberately absent: whether two shapes are one (`conclave-core`), and whether a fix is right. A plain temporary
//! against the same expression in its place stays two shapes.

mod means;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use conclave_core::cluster::Shape;
use conclave_core::digest::Digest;
use conclave_core::language::Language;
use similar::{ChangeTag, TextDiff};

use crate::lint::Change;
use crate::names::Names;
use crate::outline::{FUNCTIONS, name};
use crate::syntax::{Node, Tree};

/// Deeper files are compared as plain words.
const DEEPEST: usize = 500;

/// The shape of a fix that makes `changes`.
pub fn shape(changes: &[Change<'_>]) -> Shape {
    let mut symbols = BTreeSet::new();
    let mut imports = BTreeSet::new();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for change in changes {
        let (old, new) = changed(change.before, change.after);
        let tree = |text| {
            let tree = Tree::parse(Language::of_path(change.path)?, text);
            (!tree.deeper_than(DEEPEST)).then_some(tree)
        };
        let (Some(was), Some(is)) = (tree(change.before), tree(change.after)) else {
            symbols.insert(change.path.to_string());
            before.extend(words(change.before, &old));
            after.extend(words(change.after, &new));
            continue;
        };
        let known = imported(&was);
        imports.extend(imported(&is).difference(&known).cloned());
        before.extend(tokens(&was, &old).into_iter().flat_map(|(_, tokens)| tokens));
        for (symbol, tokens) in tokens(&is, &new) {
            symbols.insert(format!("{}:{symbol}", change.path));
            after.extend(tokens);
        }
    }
    let imports: Vec<String> = imports.into_iter().collect();
    let (removed, added) = between(&before, &after);
    let mitigation = means::of(removed, added, &imports);
    let body = Digest::of_parts(after.iter().map(String::as_str));
    Shape { symbols: symbols.into_iter().collect(), mitigation, imports, body, changed: added.to_vec() }
}

/// The bytes of whole lines that differ, before and after; an empty range where lines are only put in or taken out.
fn changed(before: &str, after: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut old, mut new): (Vec<Range<usize>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let (mut was, mut is) = (0, 0);
    let mut open = false;
    for change in TextDiff::from_lines(before, after).iter_all_changes() {
        let length = change.value().len();
        if change.tag() == ChangeTag::Equal {
            open = false;
        } else if !open {
            open = true;
            old.push(was..was);
            new.push(is..is);
        }
        let (delete, insert) = (change.tag() != ChangeTag::Insert, change.tag() != ChangeTag::Delete);
        was += if delete { length } else { 0 };
        is += if insert { length } else { 0 };
        if let (true, Some(old), Some(new)) = (open, old.last_mut(), new.last_mut()) {
            (old.end, new.end) = (was, is);
        }
    }
    (old, new)
}

/// What differs between two lists, without the common start and end.
fn between<'a>(before: &'a [String], after: &'a [String]) -> (&'a [String], &'a [String]) {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[start..], &after[start..]);
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    (&before[..before.len() - end], &after[..after.len() - end])
}

/// The words of `ranges`, for a text that cannot be parsed.
fn words(text: &str, ranges: &[Range<usize>]) -> Vec<String> {
    let pieces = ranges.iter().filter_map(|range| text.get(range.clone()));
    pieces.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// The functions, and else the statements of the file, that `ranges` touch: each with its name and its tokens.
fn tokens(tree: &Tree, ranges: &[Range<usize>]) -> Vec<(String, Vec<String>)> {
    let names = Names::of(tree);
    let mut units: Vec<Node<'_>> = Vec::new();
    for range in ranges {
        for statement in tree.root().children() {
            if !touches(&statement, range) || is_import(&statement) {
                continue;
            }
            let inner = functions(&statement, range);
            for unit in if inner.is_empty() { vec![statement] } else { inner } {
                if !units.contains(&unit) {
                    units.push(unit);
                }
            }
        }
    }
    units.sort_by_key(|unit| unit.range().start);
    units.iter().map(|unit| (name(unit).unwrap_or_default(), unit_tokens(unit, &names, tree.language()))).collect()
}

/// The innermost named functions within `node` that `range` touches.
fn functions<'t>(node: &Node<'t>, range: &Range<usize>) -> Vec<Node<'t>> {
    let mut found: Vec<Node<'t>> = Vec::new();
    for inner in node.walk().filter(|inner| inner.is(&FUNCTIONS) && touches(inner, range) && name(inner).is_some()) {
        // In the order of the text an inner function comes after the one around it.
        found.retain(|outer| !(outer.contains(&inner) && covers(&inner, range)));
        if !found.iter().any(|outer| outer.contains(&inner)) {
            found.push(inner);
        }
    }
    found
}

fn touches(node: &Node<'_>, range: &Range<usize>) -> bool {
    let own = node.range();
    // An empty range touches what it stands in or at.
    own.start < range.end.max(range.start + 1) && range.start < own.end
}

fn covers(node: &Node<'_>, range: &Range<usize>) -> bool {
    let own = node.range();
    // Whole lines begin before the indentation of what stands in them.
    own.start <= range.end && range.end <= own.end + 1
}

fn is_import(node: &Node<'_>) -> bool {
    node.is(&["import_statement", "import_from_statement", "import_declaration"])
        || (node.is(&["lexical_declaration", "variable_declaration"])
            && node.walk().any(|part| part.is(&["call_expression"]) && part.text().starts_with("require(")))
}

fn imported(tree: &Tree) -> BTreeSet<String> {
    let text = |node: Node<'_>| {
        let text = node.text().replace('\'', "\"").replace(';', "");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    tree.root().children().into_iter().filter(is_import).map(text).collect()
}

/// The leaves of `unit`, bound names renamed by first use.
fn unit_tokens(unit: &Node<'_>, names: &Names<'_>, language: Language) -> Vec<String> {
    let whole = unit.range();
    let mut renamed: HashMap<(String, usize), String> = HashMap::new();
    let mut tokens = Vec::new();
    leaves(unit, language, &mut |node: Option<Node<'_>>, mark: &str| {
        let Some(node) = node else { return tokens.push(mark.to_owned()) };
        let text = node.text();
        let inside = |scope: &Range<usize>| whole.start <= scope.start && scope.end <= whole.end && *scope != whole;
        let scope = (node.is(&["identifier"]) && !is_member(&node))
            .then(|| names.scope(&text, node.range().start))
            .flatten()
            .filter(|scope| inside(scope) || (*scope == whole && !is_own_name(&node, unit)));
        tokens.push(match scope {
            Some(scope) => {
                let next = format!("\u{b7}{}", renamed.len());
                renamed.entry((text.into_owned(), scope.start)).or_insert(next).clone()
            }
            None => unquoted(&text),
        });
    });
    tokens
}

/// Hands every leaf that means something to `take`, in the order of the text, and a mark where a block without braces
/// begins and ends.
fn leaves<'t>(node: &Node<'t>, language: Language, take: &mut impl FnMut(Option<Node<'t>>, &str)) {
    if node.kind().contains("comment") || node.is(&["line_continuation"]) {
        return;
    }
    let children = node.children();
    if children.is_empty() {
        let text = node.text();
        // A semicolon that may be left out says nothing.
        if !text.trim().is_empty() && text != ";" {
            take(Some(node.clone()), "");
        }
        return;
    }
    let block = language == Language::Python && node.is(&["block"]);
    if block {
        take(None, "{");
    }
    for child in &children {
        leaves(child, language, take);
    }
    if block {
        take(None, "}");
    }
}

/// Whether an identifier names a member, an argument or a method, which belong to somebody else.
fn is_member(node: &Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    let field = |name: &str| parent.field(name).is_some_and(|field| field == *node);
    match parent.kind().as_ref() {
        "attribute" => field("attribute"),
        "keyword_argument" | "method_invocation" => field("name"),
        "field_access" => field("field"),
        _ => false,
    }
}

fn is_own_name<'t>(node: &Node<'t>, unit: &Node<'t>) -> bool {
    unit.field("name").is_some_and(|name| name == *node)
}

/// A quotation mark of any style as one style; everything else as it is.
fn unquoted(text: &str) -> String {
    let is_mark = |text: &str| {
        let marks = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        !marks.is_empty() && marks.chars().all(|c| matches!(c, '\'' | '"'))
    };
    if is_mark(text) { text.replace("'''", "\"\"\"").replace('\'', "\"").to_ascii_lowercase() } else { text.to_owned() }
}
