//! Whether a value looks like a secret, by what it is made of.
//!
//! A question of degree: the lines are drawn so that ordinary source code stays readable to a model, and the numbers
//! behind them stand at each.

/// Words of which each marks a value as a stand-in or as the name of a thing.
const STAND_INS: &[&str] = &[
    "example",
    "placeholder",
    "change",
    "your",
    "dummy",
    "sample",
    "redacted",
    "replace",
    "insert",
    "xxxx",
    "****",
    "....",
    "secret",
    "password",
    "passwd",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "undefined",
    "default",
    "process.env",
    "environ",
    "getenv",
    "127.0.0.1",
    "localhost",
    "1234567",
    "abcdef",
    "lorem",
    "foobar",
    "string",
    "http:",
    "https:",
    "sha256",
    "utf-8",
    "utf8",
];

/// Whether `value`, given to something that is called a password or a key, is likely one: no stand-in, no code, and not
/// words alone.
pub(super) fn is_plausible(value: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(value) else { return false };
    let lower = text.to_ascii_lowercase();
    if STAND_INS.iter().any(|word| lower.contains(word)) || text.bytes().any(|byte| b"<>{}()[]$\\ ".contains(&byte)) {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let signs = text.bytes().filter(|byte| byte.is_ascii_punctuation() && !b"_-./:,".contains(byte)).count();
    letters > 0 && distinct(value) >= 6 && (digits + signs >= 2) && !is_words(value)
}

/// Whether `value`, of the length and the letters of a format, was filled by chance and not by hand: no stand-in, not
/// one letter over and over, and with digits or letters of both cases.
pub(super) fn is_random(value: &[u8]) -> bool {
    let stand_in = STAND_INS.iter().any(|word| contains_word(value, word));
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    let mixed = has(u8::is_ascii_digit) || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    !stand_in && mixed && evenness(value) >= 0.6
}

fn contains_word(value: &[u8], word: &str) -> bool {
    value.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// The Shannon entropy of `value` by the entropy that its length or its alphabet allows at most; 0 to 1. Text drawn at
/// random of 64 letters comes to 0.9 and more, names in code to 0.8 and less.
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
