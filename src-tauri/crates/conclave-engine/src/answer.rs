//! Reads what a model answered as a fix. Pure.
//!
//! Invariants: the model's text becomes search texts, replacements and sentences for the screen, nothing else. What is
//! to be removed has to stand in the file, once, in every character but blanks; a wrong place is worse than none, so
//! there is no measure of likeness.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use conclave_core::brief::{Brief, BriefFile};
use conclave_core::candidate::{Candidate, Draft, Origin, RedTest};
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::path::RelPath;
use conclave_fixers::functions;
use conclave_inference::quote;
use serde::Deserialize;
use similar::{ChangeTag, TextDiff};

use crate::prompt::Form;
use crate::source::Source;

/// Most sentences of a kind that are kept.
const MOST_SENTENCES: usize = 8;
/// The longest test of a model's own, in bytes.
const LONGEST_TEST: usize = 32 * 1024;

/// The project's files by path; why one cannot be had, in words.
pub(crate) type Files<'a> = &'a (dyn Fn(&RelPath) -> Result<Arc<Source>, String> + Sync);

/// The answer in full; see `prompt/fix.schema.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    root_cause: String,
    can_fix: bool,
    reason: String,
    title: String,
    edits: Vec<Block>,
    edge_cases: Vec<String>,
    side_effects: Vec<String>,
    disproof: String,
    red_test: String,
}

/// The short answer; see `prompt/fix_small.schema.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Small {
    explanation: String,
    edits: Vec<Block>,
}

/// A text to be replaced by another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Block {
    /// The reported file where it is missing.
    file: Option<String>,
    search: String,
    replace: String,
}

/// Reads `text`, an answer in `form` about `brief`, as a draft of `origin`.
pub(crate) fn read(text: &str, form: Form, origin: Origin, brief: &Brief, files: Files<'_>) -> Draft {
    let Some(file) = &brief.file else {
        return Draft::Failed { why: brief.unusable.clone().unwrap_or_default() };
    };
    let failed = |why: String| Draft::Failed { why };
    let other_form = || failed("the answer is not in the agreed form".to_owned());
    let opinion = |text: &str| format!("Model\u{2019}s opinion: {}", quote(text, None));
    match form {
        Form::Full => {
            let Some(reply) = parse::<Full>(text) else { return other_form() };
            if !reply.can_fix {
                return Draft::Doubted { reason: format!("model\u{2019}s opinion: {}", quote(&reply.reason, None)) };
            }
            match patch(&reply.edits, brief, file, files) {
                Ok(patch) => {
                    let rationale = opinion(&[reply.root_cause.trim(), reply.reason.trim()].join(" "));
                    let mut candidate = Candidate::new(origin, patch, quote(&reply.title, None), rationale);
                    candidate.edge_cases = sentences(&reply.edge_cases);
                    candidate.side_effects = sentences(&reply.side_effects);
                    candidate.disproof = Some(quote(&reply.disproof, None)).filter(|text| !text.is_empty());
                    let is_test = !reply.red_test.trim().is_empty() && reply.red_test.len() <= LONGEST_TEST;
                    candidate.red_test =
                        is_test.then(|| RedTest { text: reply.red_test, shows: quote(&reply.root_cause, None) });
                    Draft::Proposed { candidate: Box::new(candidate) }
                }
                Err(why) => failed(why),
            }
        }
        Form::Small => {
            let Some(reply) = parse::<Small>(text) else { return other_form() };
            if reply.edits.is_empty() {
                return Draft::Doubted {
                    reason: format!("model\u{2019}s opinion: {}", quote(&reply.explanation, None)),
                };
            }
            match patch(&reply.edits, brief, file, files) {
                Ok(patch) => {
                    let title = first_sentence(&reply.explanation);
                    Draft::Proposed {
                        candidate: Box::new(Candidate::new(origin, patch, title, opinion(&reply.explanation))),
                    }
                }
                Err(why) => failed(why),
            }
        }
        Form::Function => match function(text, file, files) {
            Ok(patch) => {
                let title = format!("Writes `{}` again", file.function.as_deref().unwrap_or_default());
                let said = text.split("```").next().unwrap_or_default();
                let rationale =
                    if said.trim().is_empty() { "The model gives no reason.".to_owned() } else { opinion(said) };
                Draft::Proposed { candidate: Box::new(Candidate::new(origin, patch, title, rationale)) }
            }
            Err(why) => failed(why),
        },
    }
}

fn sentences(texts: &[String]) -> Vec<String> {
    texts.iter().take(MOST_SENTENCES).map(|text| quote(text, None)).filter(|text| !text.is_empty()).collect()
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    quote(&text[..end], None)
}

/// The reply of one form in `text`: the whole of it, or the one fenced block in it.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    let text = text.trim();
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(block(text)?.trim()).ok())
}

/// The content of the only fenced block in `text`, without the word after the fence.
fn block(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("```")?;
    let (block, after) = rest.split_once("```")?;
    let (word, body) = block.split_once('\n')?;
    let is_word = word.trim().chars().all(|c| c.is_alphanumeric() || matches!(c, '+' | '#' | '-' | '.'));
    (!after.contains("```")).then_some(if is_word { body } else { block })
}

/// `text` with the line ends of the file whose text is `file`: a model writes plain ones.
fn native(text: &str, file: &str) -> String {
    match file.contains("\r\n") {
        true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => text.to_owned(),
    }
}

/// The patch that `blocks` describe: each text stands once in a file that `brief` shows.
///
/// # Errors
/// In words: one does not fit, or nothing changes.
pub(crate) fn patch(blocks: &[Block], brief: &Brief, reported: &BriefFile, files: Files<'_>) -> Result<Patch, String> {
    let mut patched: BTreeMap<RelPath, (Arc<Source>, Vec<Edit>)> = BTreeMap::new();
    for block in blocks {
        let path = match block.file.as_deref() {
            None => reported.path.clone(),
            Some(name) => shown(name, brief, reported)?,
        };
        let source = files(&path)?;
        let text = source.text().ok_or_else(|| format!("`{path}` is not UTF-8 text"))?;
        let (place, replace) = place(text, &block.search, &block.replace)?;
        let edit = least(text, place, native(&replace, text));
        patched.entry(path).or_insert_with(|| (Arc::clone(&source), Vec::new())).1.extend(edit);
    }
    let patched =
        patched.into_iter().map(|(path, (source, edits))| FilePatch { path, base: source.digest.clone(), edits });
    let patch = Patch::new(patched.collect());
    if patch.is_empty() { Err("the answer changes nothing".to_owned()) } else { Ok(patch) }
}

/// The edit that puts `replace` at `place`, without what is the same at both ends; `None` where all of it is.
fn least(text: &str, place: Range<usize>, replace: String) -> Option<Edit> {
    let FilePatch { edits, .. } = FilePatch::between(RelPath::new("part").ok()?, &text[place.clone()], &replace);
    let edit = edits.into_iter().next()?;
    Some(Edit { start: place.start + edit.start, end: place.start + edit.end, text: edit.text })
}

/// The file of the brief that the model calls `name`: what it was not shown, it cannot change.
fn shown(name: &str, brief: &Brief, reported: &BriefFile) -> Result<RelPath, String> {
    let name = name.trim().trim_matches('`').trim_start_matches("./");
    let parts = brief.parts.iter().filter_map(|part| part.path.as_ref());
    let path = std::iter::once(&reported.path).chain(parts).find(|path| path.as_str() == name);
    path.cloned().ok_or_else(|| format!("the answer changes `{}`, which it was not shown", quote(name, None)))
}

/// Where `search` stands in `text`, and what `replace` is there, indented as the place is.
///
/// The text as it is comes first, then the same without regard to blanks, then the lines alone that `replace` removes.
///
/// # Errors
/// In words: it stands nowhere or more than once.
fn place(text: &str, search: &str, replace: &str) -> Result<(Range<usize>, String), String> {
    if search.trim().is_empty() {
        return Err("the answer replaces nothing".to_owned());
    }
    let exact = native(search, text);
    match only(text.match_indices(&exact).map(|(at, found)| at..at + found.len())) {
        Found::Once(range) => return Ok((range, replace.to_owned())),
        Found::More => return Err("the answer replaces text that stands in the file more than once".to_owned()),
        Found::No => {}
    }
    match without_blanks(text, search) {
        Found::Once(range) => {
            let replace = shifted(replace.trim(), indent_before(text, range.start), indent_of(search));
            return Ok((range, replace));
        }
        Found::More => return Err("the answer replaces text that stands in the file more than once".to_owned()),
        Found::No => {}
    }
    let nowhere = || "the answer replaces text that is not in the file".to_owned();
    let (removed, added) = one_change(search, replace).ok_or_else(nowhere)?;
    match without_blanks(text, &removed) {
        Found::Once(range) => {
            let replace = shifted(added.trim(), indent_before(text, range.start), indent_of(&removed));
            Ok((range, replace))
        }
        Found::More | Found::No => Err(nowhere()),
    }
}

enum Found {
    No,
    Once(Range<usize>),
    More,
}

fn only(mut places: impl Iterator<Item = Range<usize>>) -> Found {
    match (places.next(), places.next()) {
        (None, _) => Found::No,
        (Some(place), None) => Found::Once(place),
        (Some(_), Some(_)) => Found::More,
    }
}

/// Where `search` stands in `text` when blanks and line ends are left out of both.
fn without_blanks(text: &str, search: &str) -> Found {
    let is_seen = |c: &char| !c.is_whitespace();
    let wanted: String = search.chars().filter(is_seen).collect();
    let seen: String = text.chars().filter(is_seen).collect();
    if wanted.is_empty() {
        return Found::No;
    }
    // Where each byte of what is seen stands in the text.
    let places: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| is_seen(c))
        .flat_map(|(at, c)| (0..c.len_utf8()).map(move |n| at + n))
        .collect();
    only(seen.match_indices(&wanted).map(|(at, found)| places[at]..places[at + found.len() - 1] + 1))
}

/// The lines that `replace` removes from `search` and those that it puts there, where both are in one piece.
fn one_change(search: &str, replace: &str) -> Option<(String, String)> {
    let diff = TextDiff::from_lines(search, replace);
    let tags: Vec<ChangeTag> = diff.iter_all_changes().map(|change| change.tag()).collect();
    let first = tags.iter().position(|tag| *tag != ChangeTag::Equal)?;
    let last = tags.iter().rposition(|tag| *tag != ChangeTag::Equal)?;
    if tags[first..=last].contains(&ChangeTag::Equal) {
        return None;
    }
    let of =
        |wanted| diff.iter_all_changes().filter(|change| change.tag() == wanted).map(|c| c.value()).collect::<String>();
    let removed = of(ChangeTag::Delete);
    (!removed.trim().is_empty()).then(|| (removed, of(ChangeTag::Insert)))
}

/// The blanks before the first character of `text` that is seen, on its line.
fn indent_of(text: &str) -> &str {
    let start = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
    &text[text[..start].rfind('\n').map_or(0, |at| at + 1)..start]
}

/// The blanks at the start of the line in which `at` stands.
fn indent_before(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind('\n').map_or(0, |at| at + 1)..at];
    &line[..line.len() - line.trim_start().len()]
}

/// `text`, whose lines after the first begin with `from` or deeper, with `to` in its place.
fn shifted(text: &str, to: &str, from: &str) -> String {
    let mut shifted = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index > 0 && !line.trim().is_empty() {
            match line.strip_prefix(from) {
                Some(rest) => shifted.extend([to, rest]),
                None => shifted.extend([to, line.trim_start()]),
            }
        } else {
            shifted.push_str(line);
        }
    }
    shifted
}

/// The whole function in `text` in place of the reported one.
fn function(text: &str, file: &BriefFile, files: Files<'_>) -> Result<Patch, String> {
    let other_form = || "the answer is not in the agreed form".to_owned();
    let (name, language) = file.function.as_deref().zip(file.language).ok_or_else(other_form)?;
    let source = files(&file.path)?;
    let whole = source.text().ok_or_else(|| format!("`{}` is not UTF-8 text", file.path))?;
    let body = block(text).ok_or_else(other_form)?;
    let piece = functions(language, body).into_iter().find(|piece| piece.name == name);
    let piece = piece.ok_or_else(|| format!("the answer does not define `{name}`"))?;
    let kept: Vec<&str> =
        body.lines().skip(piece.first as usize - 1).take((piece.last - piece.first + 1) as usize).collect();
    let kept = kept.join("\n");
    let Found::Once(place) = only(whole.match_indices(&file.excerpt).map(|(at, found)| at..at + found.len())) else {
        return Err("the function stands in the file more than once".to_owned());
    };
    let indent = indent_of(&file.excerpt);
    let replace = format!("{indent}{}", shifted(kept.trim(), indent, indent_of(&kept)));
    let edits = least(whole, place, native(&replace, whole)).into_iter().collect();
    let patch = Patch::new(vec![FilePatch { path: file.path.clone(), base: source.digest.clone(), edits }]);
    if patch.is_empty() { Err("the answer changes nothing".to_owned()) } else { Ok(patch) }
}

#[cfg(test)]
mod tests;
