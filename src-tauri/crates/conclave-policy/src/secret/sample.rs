//! Samples of every known format, drawn from a seed, for tests that send secrets and look whether they arrive.
//!
//! None of them was ever given to anyone.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::format::{FORMATS, Format};

/// The ids of all known formats.
pub fn formats() -> impl Iterator<Item = &'static str> {
    FORMATS.list.iter().map(|format| format.id.as_str())
}

/// A secret of a format with what surrounds it; the same for the same seed. None if there is no such format.
pub fn generate(format_id: &str, seed: u64) -> Option<String> {
    let pattern = regex_syntax::parse(format(format_id)?.sample()).ok()?;
    let mut sample = String::new();
    let mut chance = Chance(seed ^ format_id.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte)));
    chance.draw(&pattern, &mut sample);
    Some(sample)
}

/// The secret itself in a sample of a format, without what surrounds it.
pub fn secret_of<'a>(format_id: &str, sample: &'a str) -> Option<&'a str> {
    format(format_id)?.secret_in(sample)
}

fn format(id: &str) -> Option<&'static Format> {
    FORMATS.list.iter().find(|format| format.id == id)
}

/// A source of numbers, not secret at all: SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    /// Adds a text that `pattern` matches. What repeats without end does so up to 16 times more than it must.
    fn draw(&mut self, pattern: &Hir, into: &mut String) {
        match pattern.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => into.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => {
                let letters: Vec<char> = match class {
                    Class::Unicode(class) => class.iter().flat_map(|range| range.start()..=range.end()).collect(),
                    Class::Bytes(class) => {
                        class.iter().flat_map(|range| range.start()..=range.end()).map(char::from).collect()
                    }
                };
                let chosen = self.below(letters.len());
                into.extend(letters.get(chosen));
            }
            HirKind::Repetition(repeated) => {
                let most = repeated.max.unwrap_or(repeated.min + 16);
                let times = repeated.min as usize + self.below((most - repeated.min) as usize + 1);
                (0..times).for_each(|_| self.draw(&repeated.sub, into));
            }
            HirKind::Capture(group) => self.draw(&group.sub, into),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.draw(part, into)),
            HirKind::Alternation(choices) => {
                let chosen = self.below(choices.len());
                self.draw(&choices[chosen], into);
            }
        }
    }
}
