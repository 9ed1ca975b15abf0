//! Globs and regular expressions that cost nothing until a text might match them.
//!
//! A policy is loaded by every process that asks it, and most of its patterns are about other things than the one
//! request of that process. So a pattern is checked when it is read, compiled when it is first needed, and not needed
//! where the text lacks the longest piece of plain text that the pattern insists on.
//!
//! Matching takes linear time whatever the pattern; there is no look-around and no back-reference.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ast::ErrorKind;
use regex_syntax::hir::{Hir, HirKind, Look};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Longest pattern in bytes.
const LONGEST_PATTERN: usize = 1000;
/// Most memory that a compiled pattern may take, in bytes.
const LARGEST_PROGRAM: usize = 1 << 20;
/// Longest text, in bytes, that is matched against patterns; a longer one cannot be judged.
pub(crate) const LONGEST_TEXT: usize = 1 << 20;

/// Why a condition could not be judged, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unjudgeable(pub String);

/// A text with its folded form, made when first asked for.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    raw: Cow<'a, str>,
    folded: OnceCell<Folded>,
}

#[derive(Debug)]
struct Folded {
    /// `None` where the text already is in that form.
    text: Option<String>,
    is_ascii: bool,
}

/// A glob or a regular expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    expression: String,
    folds: bool,
    needle: Option<Needle>,
    compiled: OnceLock<Result<Regex, String>>,
}

/// Plain text without which nothing matches.
#[derive(Debug)]
enum Needle {
    /// At the beginning.
    Prefix(Box<[u8]>),
    /// Anywhere.
    Within(Box<Finder<'static>>),
}

impl Needle {
    fn within(needle: &[u8]) -> Self {
        Self::Within(Box::new(Finder::new(needle).into_owned()))
    }

    fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Within(finder) => finder.find(text).is_some(),
        }
    }
}

impl<'a> Text<'a> {
    pub(crate) fn new(raw: impl Into<Cow<'a, str>>) -> Self {
        Self { raw: raw.into(), folded: OnceCell::new() }
    }

    /// The text, folded where `folded` says so.
    pub(crate) fn get(&self, folded: bool) -> &str {
        if !folded {
            return &self.raw;
        }
        self.fold().text.as_deref().unwrap_or(&self.raw)
    }

    fn fold(&self) -> &Folded {
        self.folded.get_or_init(|| Folded { text: fold(&self.raw), is_ascii: self.raw.is_ascii() })
    }
}

impl Pattern {
    /// A glob: `?`, `*`, `**`, `[…]`, `{…,…}` and `\` before a special character. `*` stays between two `/` unless it
    /// `crosses`.
    pub(crate) fn glob(text: &str, crosses: bool, folds: bool) -> Result<Self, String> {
        short_enough(text)?;
        let text = if folds { folded(text) } else { Cow::Borrowed(text) };
        let built = globset::GlobBuilder::new(&text)
            .literal_separator(!crosses)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()
            .map_err(|error| format!("the glob `{text}` cannot be read: {}", error.kind()))?;
        Ok(Self { expression: built.regex().to_owned(), folds, needle: glob_needle(&text), compiled: OnceLock::new() })
    }

    /// A regular expression that matches anywhere in the text unless it is anchored.
    pub(crate) fn regex(text: &str, folds: bool) -> Result<Self, String> {
        short_enough(text)?;
        let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(text).map_err(|error| {
            let why = match &error {
                regex_syntax::Error::Parse(error) if *error.kind() == ErrorKind::UnsupportedLookAround => {
                    "look-around is not supported; put what must not match under `not:`".to_owned()
                }
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "unknown syntax".to_owned(),
            };
            format!("the regular expression `{text}` cannot be read: {why}")
        })?;
        Ok(Self { expression: text.to_owned(), folds, needle: regex_needle(&hir, folds), compiled: OnceLock::new() })
    }

    /// Whether the pattern is found in `text`.
    pub(crate) fn is_match(&self, text: &Text<'_>) -> Result<bool, Unjudgeable> {
        let (raw, shown) = (text.get(false), text.get(self.folds));
        if raw.len() > LONGEST_TEXT {
            return Err(Unjudgeable(format!("a text is longer than {LONGEST_TEXT} bytes")));
        }
        // Folding makes letters equal that a search for plain text holds apart, unless all of them are ASCII.
        let may_search = !self.folds || text.fold().is_ascii;
        if may_search && self.needle.as_ref().is_some_and(|needle| !needle.is_in(shown.as_bytes())) {
            return Ok(false);
        }
        match self.compiled.get_or_init(|| self.compile()) {
            Ok(regex) => {
                Ok(regex.is_match(shown.as_bytes()) || self.folds && raw != shown && regex.is_match(raw.as_bytes()))
            }
            Err(why) => Err(Unjudgeable(why.clone())),
        }
    }

    /// What every text that matches begins with, if that is known.
    pub(crate) fn prefix(&self) -> Option<&str> {
        match &self.needle {
            Some(Needle::Prefix(prefix)) if !self.folds => str::from_utf8(prefix).ok(),
            _ => None,
        }
    }

    fn compile(&self) -> Result<Regex, String> {
        RegexBuilder::new(&self.expression)
            .case_insensitive(self.folds)
            .size_limit(LARGEST_PROGRAM)
            .build()
            .map_err(|_| format!("the pattern `{}` is too large", self.expression))
    }
}

/// `text` in the form in which texts are compared where case, accents written in two ways and invisible characters must
/// not make a difference: NFC, lower case, without the characters that some file systems ignore.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    fold(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// `None` where the text already is in that form.
fn fold(text: &str) -> Option<String> {
    if text.is_ascii() {
        return text.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| text.to_ascii_lowercase());
    }
    let visible: String = text.chars().filter(|character| !is_ignored(*character)).collect();
    let lower = visible.to_lowercase();
    Some(if is_nfc(&lower) { lower } else { lower.nfc().collect() })
}

/// Whether HFS+ ignores the character in names.
fn is_ignored(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn short_enough(text: &str) -> Result<(), String> {
    if text.len() > LONGEST_PATTERN {
        return Err(format!("a pattern is longer than {LONGEST_PATTERN} bytes"));
    }
    Ok(())
}

/// What stands before the first special character, or the longest run between two of them.
fn glob_needle(glob: &str) -> Option<Needle> {
    if !glob.is_ascii() {
        return None;
    }
    // `/` beside `**` may stand for nothing.
    let prefix = glob.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default().trim_end_matches('/');
    if !prefix.is_empty() {
        return Some(Needle::Prefix(prefix.as_bytes().into()));
    }
    // An escape or a group would have to be understood to be cut right; such globs are simply compiled.
    if glob.contains(['\\', '{', '[']) {
        return None;
    }
    let runs = glob.split(['*', '?']).map(|run| run.trim_matches('/')).filter(|run| !run.is_empty());
    runs.max_by_key(|run| run.len()).map(|run| Needle::within(run.as_bytes()))
}

/// The literal at the beginning, or the longest among the pieces that follow each other in every match.
fn regex_needle(hir: &Hir, folds: bool) -> Option<Needle> {
    let folded = |literal: &[u8]| if folds { literal.to_ascii_lowercase() } else { literal.to_vec() };
    if let HirKind::Concat(pieces) = hir.kind()
        && let [start, first, ..] = pieces.as_slice()
        && matches!(start.kind(), HirKind::Look(Look::Start))
        && let Some(literal) = literal(first)
    {
        return Some(Needle::Prefix(folded(literal).into()));
    }
    longest_literal(hir).map(|literal| Needle::within(&folded(literal)))
}

fn longest_literal(hir: &Hir) -> Option<&[u8]> {
    match hir.kind() {
        HirKind::Concat(pieces) => pieces.iter().filter_map(longest_literal).max_by_key(|literal| literal.len()),
        HirKind::Capture(group) => longest_literal(&group.sub),
        _ => literal(hir),
    }
}

fn literal(hir: &Hir) -> Option<&[u8]> {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.is_ascii() => Some(&literal.0),
        _ => None,
    }
}
