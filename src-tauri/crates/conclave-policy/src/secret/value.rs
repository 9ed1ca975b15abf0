//! Whether a value looks like a secret, by what it is made of.
//!
//! A question of degree: the lines are drawn so that ordinary source code stays readable to a model, and the numbers
//! behind them stand at each.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::decode::BASE64;

/// Words of which each marks a value as a stand-in, or as code.
const STAND_INS: &str = "example placeholder change your dummy sample redacted replace insert xxxx **** .... undefined \
    process.env environ getenv 127.0.0.1 localhost lorem foobar http: https: sha256 utf-8 utf8";

/// Words of which names of things are made, and of which passwords are too.
const NAMES: &str = "secret password passwd token apikey api_key api-key default string";

/// Values that stand for a password where one belongs.
const BLANKS: &str = "password passwd pass pwd pw secret token user username key changeme xxx *** ...";

/// Whether `value`, given to something that is called a password or a key, is likely one: no stand-in, no code, and not
/// words alone.
pub(super) fn is_plausible(value: &[u8]) -> bool {
    let is_path = [&b"./"[..], b"../", b"//"].iter().any(|start| value.starts_with(start));
    let is_call = value.windows(2).any(|pair| pair == b"()" || pair == b"$(");
    if is_path || is_call || is_template(value) || is_stand_in(value) || is_words(value) || distinct(value) < 6 {
        return false;
    }
    let strong = value.iter().filter(|byte| byte.is_ascii_digit() || is_sign(**byte)).count();
    let is_password = strong >= 2 && value.iter().any(u8::is_ascii_alphabetic) && !value.starts_with(b"/");
    is_noise(value) || is_password && (strong >= 3 || !NAMES_IN.is_match(value))
}

/// Whether `value`, given where a password is given, is one: neither a blank to fill in nor left to a template.
pub(super) fn is_given(value: &[u8]) -> bool {
    let is_blank = BLANKS.split_whitespace().any(|blank| value.eq_ignore_ascii_case(blank.as_bytes()));
    !is_blank && !is_template(value) && distinct(value) >= 3 && !value.starts_with(b"[redacted")
}

/// Whether `value` is filled in later, or is no value at all.
fn is_template(value: &[u8]) -> bool {
    value.iter().any(|byte| b"<>{}\\ ".contains(byte)) || str::from_utf8(value).is_err()
}

/// Whether this is a sign that names and paths do not have.
fn is_sign(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !b"_-./:,".contains(&byte)
}

/// Whether `value` could be nothing but letters of both cases, digits and signs drawn at random.
pub(super) fn is_noise(value: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
    let digits = count(u8::is_ascii_digit) >= 1;
    let mixed = digits && count(u8::is_ascii_lowercase) >= 2 && count(u8::is_ascii_uppercase) >= 2;
    mixed && value.len() >= 16 && evenness(value) >= EVENNESS && !is_words(value) && !is_stand_in(value)
}

/// How even noise is at least; see [`evenness`].
const EVENNESS: f64 = 0.8;

/// Whether `value`, of the length and the letters of a format, was filled by chance and not by hand: no stand-in, not
/// one letter over and over, and with digits or letters of both cases.
pub(super) fn is_random(value: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    let mixed = has(u8::is_ascii_digit) || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    !is_stand_in(value) && mixed && evenness(value) >= 0.6
}

/// Whether `value` is base64 of something with a colon in it.
pub(super) fn is_credentials(value: &[u8]) -> bool {
    let letters = value.iter().position(|byte| *byte == b'=').unwrap_or(value.len());
    let mut decoded = Vec::new();
    BASE64.decode(&value[..letters], &mut decoded);
    decoded.contains(&b':')
}

/// Whether something in `value` says that it stands for another.
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    STAND_INS_IN.is_match(value) || is_alphabet(value)
}

static STAND_INS_IN: LazyLock<AhoCorasick> = LazyLock::new(|| words(STAND_INS));
static NAMES_IN: LazyLock<AhoCorasick> = LazyLock::new(|| words(NAMES));

#[expect(clippy::expect_used, reason = "the words are a part of the program")]
fn words(list: &str) -> AhoCorasick {
    // INVARIANT: a few dozen short words are far below the limits of the automaton.
    AhoCorasick::builder().ascii_case_insensitive(true).build(list.split_whitespace()).expect("the words fit")
}

/// Whether some of an alphabet stands in `value` in its order.
fn is_alphabet(value: &[u8]) -> bool {
    value.windows(6).any(|window| window.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1])))
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// The Shannon entropy of `value` by the entropy that its length or its alphabet allows at most; 0 to 1. Text drawn at
/// random of 64 letters comes to 0.8 and more, most names in code to less.
pub(super) fn evenness(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    value.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let len = value.len() as f64;
    let share = |count: &u32| f64::from(*count) / len;
    let entropy: f64 = counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum();
    let hexadecimal = value.iter().all(u8::is_ascii_hexdigit);
    entropy / len.min(if hexadecimal { 16.0 } else { 64.0 }).log2()
}

/// The pairs of letters that English words are mostly made of.
const PAIRS: &[u8; 134] = b"thheineranreonatenndtiesorteofedisitalarstnttongsehaasouiolevecomedehiriroicneea\
      racelichllbemasiomurcaeltalansdihopeecprsstrusutotloun";

/// Whether `value` is made of words. Of the pairs of letters in words more than half are common ones, of those that
/// chance brings together a tenth; the line is at 0.36.
pub(super) fn is_words(value: &[u8]) -> bool {
    let (mut pairs, mut common) = (0, 0);
    for pair in value.windows(2).filter(|pair| pair.iter().all(u8::is_ascii_alphabetic)) {
        let lower = [pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase()];
        pairs += 1;
        common += usize::from(PAIRS.chunks_exact(2).any(|known| known == lower));
    }
    // Of digits, and of hexadecimal ones, there are too few pairs to tell.
    pairs * 5 >= value.len() * 3 && common * 100 >= pairs * 36
}
