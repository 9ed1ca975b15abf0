//! Reads what a model answered that thought a run over. Pure.
//!
//! Invariants: the answer becomes sentences for the screen and, at most, one fix to be checked; a claim of a verdict or of
//! a confidence has no place to go. What it names that is not there is left out.

use std::collections::BTreeMap;

use conclave_core::brief::Brief;
use conclave_core::candidate::{Candidate, Origin};
use conclave_core::evidence::Check;
use conclave_core::id::CandidateId;
use conclave_core::merge::merge;
use conclave_core::patch::Patch;
use conclave_core::path::RelPath;
use conclave_core::resolution::{Resolution, Verdict};
use conclave_core::synthesis::{EdgeCase, PullRequest, Source, Synthesis, Thought, TradeOff};
use serde::Deserialize;

use super::Made;
use crate::answer::{self, Block, Files};

/// The longest paragraph that is kept, in characters.
pub(super) const LONGEST: usize = 1200;
/// The longest sentence of a list.
const SENTENCE: usize = 400;
/// The longest text of a pull request.
const LONGEST_BODY: usize = 8000;
/// Most items of a list.
const MOST: usize = 12;

/// The answer; see `prompt/synthesis.schema.json`. A model that is held to no form may leave out what it has nothing for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reply {
    thoughts: Vec<Step>,
    root_cause: String,
    change: String,
    why_safe: String,
    not_covered: Vec<String>,
    trade_offs: Vec<Against>,
    edge_cases: Vec<Case>,
    prefers: String,
    pub(super) new_fix: NewFix,
    pull_request: Request,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Step {
    text: String,
    revises: i64,
    sources: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Against {
    fix: String,
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Case {
    text: String,
    sources: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewFix {
    kind: Kind,
    from: Vec<String>,
    title: String,
    why: String,
    edits: Vec<Block>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    None,
    Merge,
    Repair,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    title: String,
    body: String,
}

/// What the letters and names of an answer stand for.
pub(super) struct Named<'a> {
    /// The fixes that the model was shown, by letter.
    pub fixes: &'a [(char, &'a Verdict)],
    /// The names of all seats.
    pub seats: Vec<&'a str>,
    /// The names of what is remembered and was told.
    pub memories: Vec<&'a str>,
}

impl<'a> Named<'a> {
    pub(super) fn new(concluded: &'a Resolution, fixes: &'a [(char, &'a Verdict)], memories: Vec<&'a str>) -> Self {
        let mut seats: Vec<&str> = concluded.seats.iter().map(|seat| seat.name.as_str()).collect();
        seats.dedup();
        Self { fixes, seats, memories }
    }

    /// The fix that is called `letter`, perhaps as `fix A`.
    fn fix(&self, letter: &str) -> Option<&'a Verdict> {
        let letter = letter.trim().trim_start_matches("fix").trim_start_matches("Fix").trim();
        let mut chars = letter.chars();
        let (one, None) = (chars.next()?.to_ascii_uppercase(), chars.next()) else { return None };
        self.fixes.iter().find(|(known, _)| *known == one).map(|(_, verdict)| *verdict)
    }

    /// The seat, the check or the memory of this name.
    fn source(&self, name: &str) -> Option<Source> {
        let name = name.trim();
        let seat = self.seats.iter().find(|seat| seat.eq_ignore_ascii_case(name));
        let memory = self.memories.iter().find(|memory| **memory == name);
        let check = || Check::ALL.into_iter().find(|check| check.label().eq_ignore_ascii_case(name));
        seat.map(|seat| Source::Seat { name: (*seat).to_owned() })
            .or_else(|| check().map(|check| Source::Check { name: check.label().to_owned() }))
            .or_else(|| memory.map(|name| Source::Memory { name: (*name).to_owned() }))
    }

    /// What `names` name and what `text` does, each once.
    pub(super) fn sources(&self, text: &str, names: &[String]) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::new();
        let spoken = self.seats.iter().filter(|seat| mentions(text, seat)).map(|seat| (*seat).to_owned());
        for source in names.iter().cloned().chain(spoken).filter_map(|name| self.source(&name)) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }
}

/// Whether `name` stands in `text` as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let ends = |at: usize| !is_word(text[..at].chars().next_back()) && !is_word(text[at + name.len()..].chars().next());
    !name.is_empty() && text.match_indices(name).any(|(at, _)| ends(at))
}

/// What `text` says, as far as it is in the agreed form.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn read(text: &str) -> Result<Reply, String> {
    let reply: Reply = answer::parse(text).ok_or("it is not one JSON object of the agreed form")?;
    if reply.root_cause.trim().is_empty() {
        return Err("it names no root cause".to_owned());
    }
    Ok(reply)
}

/// The words of `reply` for people. `thoughts` are those that it had with a tool, and count before those of the answer.
pub(super) fn words(reply: &Reply, named: &Named<'_>, thoughts: Vec<Thought>) -> Synthesis {
    let not_covered = reply.not_covered.iter().take(MOST).map(|text| plain(text, SENTENCE));
    let trade_offs = reply.trade_offs.iter().filter_map(|against| {
        let candidate = named.fix(&against.fix)?.judged.candidate.id.clone();
        Some(TradeOff { candidate, text: plain(&against.text, SENTENCE) })
    });
    let edge_cases = reply.edge_cases.iter().take(MOST).map(|case| {
        let mut sources = named.sources("", &case.sources);
        if sources.is_empty() {
            sources.push(Source::Synthesiser);
        }
        EdgeCase { text: plain(&case.text, SENTENCE), sources }
    });
    let title = plain(&reply.pull_request.title, SENTENCE);
    Synthesis {
        root_cause: plain(&reply.root_cause, LONGEST),
        change: plain(&reply.change, LONGEST),
        why_safe: plain(&reply.why_safe, LONGEST),
        not_covered: not_covered.filter(|text| !text.is_empty()).collect(),
        prefers: named.fix(&reply.prefers).map(|verdict| verdict.judged.candidate.id.clone()),
        trade_offs: trade_offs.filter(|trade_off| !trade_off.text.is_empty()).collect(),
        thoughts: if thoughts.is_empty() { steps(reply, named) } else { thoughts },
        edge_cases: edge_cases.filter(|case| !case.text.is_empty()).collect(),
        pull_request: (!title.is_empty())
            .then(|| PullRequest { title, body: paragraphs(&reply.pull_request.body, LONGEST_BODY) }),
        ..Synthesis::default()
    }
}

/// The thoughts of the answer itself, numbered; a step can only revise one before it.
fn steps(reply: &Reply, named: &Named<'_>) -> Vec<Thought> {
    let thought = |(step, number): (&Step, u32)| Thought {
        number,
        total: 0,
        text: plain(&step.text, LONGEST),
        revises: u32::try_from(step.revises).ok().filter(|revised| (1..number).contains(revised)),
        branch: None,
        sources: named.sources(&step.text, &step.sources),
    };
    let mut steps: Vec<Thought> = reply.thoughts.iter().take(MOST).zip(1..).map(thought).collect();
    steps.retain(|step| !step.text.is_empty());
    let total = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    steps.iter_mut().for_each(|step| step.total = total);
    steps
}

/// The fix that `new` describes, written by `origin`; `None` where it makes none, or one that is there already.
///
/// # Errors
/// Why it cannot be made, in words.
pub(super) fn made(
    new: &NewFix,
    origin: Origin,
    named: &Named<'_>,
    brief: &Brief,
    files: Files<'_>,
) -> Result<Option<Made>, String> {
    let mut parents: Vec<&Verdict> = Vec::new();
    for parent in new.from.iter().filter_map(|letter| named.fix(letter)) {
        if !parents.iter().any(|known| known.judged.candidate.id == parent.judged.candidate.id) {
            parents.push(parent);
        }
    }
    let least = match new.kind {
        Kind::None => return Ok(None),
        Kind::Merge => 2,
        Kind::Repair => 1,
    };
    if parents.len() < least {
        return Err("it does not say which fixes it is made from".to_owned());
    }
    let patch = match new.kind {
        Kind::Merge => union(&parents, files)?,
        Kind::Repair | Kind::None => {
            let file = brief.file.as_ref().ok_or_else(|| brief.unusable.clone().unwrap_or_default())?;
            answer::patch(&new.edits, brief, file, files)?
        }
    };
    if named.fixes.iter().any(|(_, verdict)| verdict.judged.candidate.patch == patch) {
        return Ok(None);
    }
    let title = plain(&new.title, SENTENCE);
    let title = if title.is_empty() { "Several fixes in one".to_owned() } else { title };
    let mut candidate =
        Candidate::new(origin, patch, title, format!("Model\u{2019}s opinion: {}", plain(&new.why, SENTENCE)));
    for parent in parents.iter().map(|parent| &parent.judged.candidate) {
        extend(&mut candidate.edge_cases, &parent.edge_cases);
        extend(&mut candidate.side_effects, &parent.side_effects);
        extend(&mut candidate.successors, &parent.successors);
        candidate.red_test = candidate.red_test.or_else(|| parent.red_test.clone());
    }
    let parents: Vec<CandidateId> = parents.iter().map(|parent| parent.judged.candidate.id.clone()).collect();
    Ok(Some(Made { candidate, parents }))
}

fn extend(all: &mut Vec<String>, more: &[String]) {
    for text in more {
        if !all.contains(text) {
            all.push(text.clone());
        }
    }
}

/// All changes of `parents` in one patch.
fn union(parents: &[&Verdict], files: Files<'_>) -> Result<Patch, String> {
    let patches: Vec<&Patch> = parents.iter().map(|parent| &parent.judged.candidate.patch).collect();
    let mut texts: BTreeMap<RelPath, String> = BTreeMap::new();
    for path in patches.iter().flat_map(|patch| &patch.files).map(|file| &file.path) {
        let source = files(path)?;
        let text = source.text().ok_or_else(|| format!("`{path}` is not UTF-8 text"))?;
        texts.insert(path.clone(), text.to_owned());
    }
    merge(&texts, &patches).map_err(|conflict| conflict.to_string())
}

/// `text` on one line of at most `most` characters, without what is not seen.
pub(super) fn plain(text: &str, most: usize) -> String {
    let line = text.split_whitespace().map(shown).collect::<Vec<_>>().join(" ");
    cut(line, most)
}

/// The same, line by line.
fn paragraphs(text: &str, most: usize) -> String {
    cut(text.lines().map(|line| shown(line.trim_end())).collect::<Vec<_>>().join("\n").trim().to_owned(), most)
}

/// `text` without control characters and without those that hide or turn it.
fn shown(text: &str) -> String {
    let is_shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(is_shown).collect()
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('\u{2026}');
    }
    text
}
