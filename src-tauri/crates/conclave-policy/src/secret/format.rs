//! The known formats, read from `secrets/formats.yaml`, and the search for them in one text.
//!
//! Keywords come first: one pass finds them all, and only where one stands is the pattern of its format tried, from
//! there on. Patterns are therefore written to begin at their keyword.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::Regex;
use serde::Deserialize;

use super::value;
use super::view::Trace;

/// How far behind its keyword a pattern may read, in bytes. What goes on beyond is taken in without the pattern.
const REACH: usize = 512;

/// What `%=` in a pattern stands for: what lies between the name of a thing and its value.
const ASSIGNED: &str = r#"[A-Za-z0-9_. -]{0,32}\\*["'`]?\]?[ \t]*(?:=>|:=|=|:|,)[ \t]*\\*["'`]?"#;

/// One known format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Format {
    /// What a hit is called.
    pub(super) id: String,
    /// What it is, in words.
    pub(super) title: String,
    /// Texts of which one stands in every such secret or right before it, in any case.
    keywords: Vec<String>,
    /// The secret, or its surroundings with the secret as the first group. It begins at the keyword.
    regex: String,
    /// How many bytes before its keyword the pattern may begin.
    #[serde(default)]
    before: usize,
    /// Whether it may begin in the middle of a word.
    #[serde(default)]
    inside_word: bool,
    /// How far behind the keyword it may read, where the usual is too little.
    reach: Option<usize>,
    /// What else must be true of the secret.
    #[serde(default)]
    check: Check,
    /// A pattern of which samples are made, where the pattern itself says too little.
    #[cfg_attr(not(any(test, feature = "samples")), allow(dead_code, reason = "samples are made for tests alone"))]
    sample: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Regex>,
}

/// What else must be true of a secret besides its pattern.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Check {
    #[default]
    None,
    /// It is not a stand-in such as `changeme`, and not code.
    Plausible,
    /// It is no blank to fill in.
    Given,
    /// It looks drawn at random.
    Random,
    /// It is the base64 of a name, a colon and a password.
    Credentials,
}

/// All known formats.
pub(super) static FORMATS: LazyLock<Formats> = LazyLock::new(Formats::shipped);

/// Known formats and the automaton of their keywords.
pub(super) struct Formats {
    pub(super) list: Vec<Format>,
    keywords: AhoCorasick,
    /// The format of each keyword, in the automaton's order.
    owners: Vec<usize>,
}

impl Formats {
    #[expect(clippy::expect_used, reason = "the formats are a part of the program")]
    fn shipped() -> Self {
        let text = include_str!("../../secrets/formats.yaml");
        // INVARIANT: the shipped file is well-formed; a test reads it.
        let list: Vec<Format> = serde_saphyr::from_str(text).expect("the shipped formats are well-formed");
        let pairs =
            || list.iter().enumerate().flat_map(|(at, format)| format.keywords.iter().map(move |word| (at, word)));
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(pairs().map(|(_, word)| word))
            // INVARIANT: a few hundred short words are far below the limits of the automaton.
            .expect("the keywords fit an automaton");
        let owners = pairs().map(|(at, _)| at).collect();
        Self { list, keywords, owners }
    }
}

/// A text and what is known of where it comes from.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) text: &'a [u8],
    pub(super) trace: Option<&'a Trace<'a>>,
    /// Whether it was decoded from a run. What comes right before a secret in it may be noise then.
    pub(super) decoded: bool,
    /// Whether it was joined. What looks like one word may be two then.
    pub(super) joined: bool,
}

impl Place<'_> {
    /// Whether a secret may begin at `at`: not in the middle of a word.
    fn may_begin(&self, at: usize) -> bool {
        let joins = at > 0 && self.text[at].is_ascii_alphanumeric() && self.text[at - 1].is_ascii_alphanumeric();
        !joins || self.decoded || self.trace.is_some_and(|trace| trace.is_seam(at))
    }
}

/// Where a format stands in a text.
struct Match {
    /// With its surroundings.
    whole: Range<usize>,
    /// What is to be taken out.
    secret: Range<usize>,
}

impl Formats {
    /// Every secret of a known format in `place`, in the order in which the formats are listed.
    pub(super) fn find(&self, place: Place<'_>) -> impl Iterator<Item = (&Format, Range<usize>)> {
        let mut found = Vec::new();
        let mut done = vec![0; self.list.len()];
        for keyword in self.keywords.find_overlapping_iter(place.text) {
            let owner = self.owners[keyword.pattern().as_usize()];
            if keyword.start() < done[owner] {
                continue;
            }
            let format = &self.list[owner];
            if let Some(matched) = format.find_at(place, keyword.start(), done[owner]) {
                done[owner] = matched.whole.end;
                found.push((owner, matched.secret));
            }
        }
        found.sort_by_key(|(owner, _)| *owner);
        found.into_iter().map(|(owner, range)| (&self.list[owner], range))
    }
}

impl Format {
    /// The match that the keyword at `at` belongs to. It begins at `from` or later.
    fn find_at(&self, place: Place<'_>, at: usize, from: usize) -> Option<Match> {
        let text = place.text;
        let in_word = self.inside_word || self.before > 0;
        if !in_word && !place.may_begin(at) {
            return None;
        }
        let start = at.saturating_sub(self.before).max(from);
        let end = text.len().min(at + self.reach.unwrap_or(REACH));
        let groups = self.pattern().captures(&text[start..end])?;
        let shift = |range: Range<usize>| start + range.start..start + range.end;
        let whole = shift(groups.get(0)?.range());
        let secret = groups.get(1).map_or(whole.clone(), |group| shift(group.range()));
        let mut matched = Match { whole, secret };
        self.end_with_line(place, &mut matched);
        let begins = self.inside_word || place.may_begin(matched.secret.start) || matched.secret != matched.whole;
        if !begins || !self.holds(&text[matched.secret.clone()]) {
            return None;
        }
        if matched.secret.end == end {
            // It may be longer than the pattern could see.
            matched.secret.end += text[end..].iter().take_while(|byte| is_token(**byte)).count();
            matched.whole.end = matched.secret.end;
        }
        Some(matched)
    }

    /// Takes out of a match what the pattern took in only because the text was joined: a token at the end of its line
    /// is not to swallow the word that begins the next.
    fn end_with_line(&self, place: Place<'_>, matched: &mut Match) {
        let (true, None, Some(trace)) = (place.joined, self.reach, place.trace) else { return };
        let Match { whole, secret } = matched;
        let is_end = |at: &usize| {
            let head = &place.text[whole.start..*at];
            begins_with_word(&place.text[*at..secret.end])
                && self.pattern().find(head).is_some_and(|found| found.range() == (0..head.len()))
        };
        if let Some(end) = trace.seams(secret.clone()).find(is_end) {
            secret.end = end;
            whole.end = end;
        }
    }

    fn holds(&self, secret: &[u8]) -> bool {
        match self.check {
            Check::None => true,
            Check::Plausible => value::is_plausible(secret),
            Check::Given => value::is_given(secret),
            Check::Random => value::is_random(secret),
            Check::Credentials => value::is_credentials(secret),
        }
    }

    #[expect(clippy::expect_used, reason = "the formats are a part of the program")]
    fn pattern(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let anchor = if self.before == 0 { "^" } else { "" };
            let pattern = self.regex.replace("%=", ASSIGNED);
            // INVARIANT: the shipped patterns compile; a test compiles them all.
            Regex::new(&format!("{anchor}(?-u:{pattern})")).expect("the shipped patterns compile")
        })
    }

    /// The secret in a text that holds one.
    #[cfg(any(test, feature = "samples"))]
    pub(super) fn secret_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let place = Place { text: text.as_bytes(), trace: None, decoded: false, joined: false };
        (0..text.len()).find_map(|at| self.find_at(place, at, 0)).and_then(|found| text.get(found.secret.clone()))
    }

    /// The pattern that samples are made of.
    #[cfg(any(test, feature = "samples"))]
    pub(super) fn sample(&self) -> &str {
        self.sample.as_deref().unwrap_or(&self.regex)
    }
}

/// Whether `text` begins with an ordinary word: small letters, or one capital before them.
fn begins_with_word(text: &[u8]) -> bool {
    let len = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    len > 0 && text[0].is_ascii_alphabetic() && text[1..len].iter().all(u8::is_ascii_lowercase)
}

/// Whether keys and tokens are made of this byte.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-.".contains(&byte)
}
