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
use regex_syntax::hir::{Hir, HirKind};
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
    folded: OnceCell<Option<String>>,
}

/// A glob or a regular expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    expression: String,
    folds: bool,
    /// Plain text without which nothing matches.
    needle: Option<Finder<'static>>,
    compiled: OnceLock<Result<Regex, String>>,
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
        self.folded.get_or_init(|| fold(&self.raw)).as_deref().unwrap_or(&self.raw)
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
        Ok(Self {
            expression: built.regex().to_owned(),
            folds,
            needle: glob_needle(&text).map(|needle| Finder::new(needle).into_owned()),
            compiled: OnceLock::new(),
        })
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
        let needle = regex_needle(&hir).map(|needle| if folds { needle.to_ascii_lowercase() } else { needle.to_vec() });
        Ok(Self {
            expression: text.to_owned(),
            folds,
            needle: needle.map(|needle| Finder::new(&needle).into_owned()),
            compiled: OnceLock::new(),
        })
    }

    /// Whether the pattern is found in `text`.
    pub(crate) fn is_match(&self, text: &Text<'_>) -> Result<bool, Unjudgeable> {
        let (raw, shown) = (text.get(false), text.get(self.folds));
        if raw.len() > LONGEST_TEXT {
            return Err(Unjudgeable(format!("a text is longer than {LONGEST_TEXT} bytes")));
        }
        // Folding makes letters equal that a search for plain text holds apart, unless all of them are ASCII.
        let may_search = !self.folds || raw.is_ascii();
        if may_search && self.needle.as_ref().is_some_and(|needle| needle.find(shown.as_bytes()).is_none()) {
            return Ok(false);
        }
        match self.compiled.get_or_init(|| self.compile()) {
            Ok(regex) => Ok(regex.is_match(shown.as_bytes()) || self.folds && regex.is_match(raw.as_bytes())),
            Err(why) => Err(Unjudgeable(why.clone())),
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

/// The longest run without special characters outside of braces.
fn glob_needle(glob: &str) -> Option<&[u8]> {
    // An escape or a group would have to be understood to be cut right; such globs are simply compiled.
    if glob.contains(['\\', '{', '[']) || !glob.is_ascii() {
        return None;
    }
    // `/` beside `**` may stand for nothing.
    let runs = glob.split(['*', '?']).map(|run| run.trim_matches('/')).filter(|run| !run.is_empty());
    runs.max_by_key(|run| run.len()).map(str::as_bytes)
}

/// The longest literal among the pieces that follow each other in every match.
fn regex_needle(hir: &Hir) -> Option<&[u8]> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(&literal.0).filter(|bytes| bytes.is_ascii()).map(|bytes| &**bytes),
        HirKind::Concat(pieces) => pieces.iter().filter_map(regex_needle).max_by_key(|needle| needle.len()),
        HirKind::Capture(group) => regex_needle(&group.sub),
        _ => None,
    }
}
