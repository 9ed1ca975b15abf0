//! Characters that make a person read something else than the machine does.

use conclave_core::language::Language;

use super::{Added, short};

/// A character that reorders, joins or hides text and that the file did not use before.
pub(super) fn hidden(added: &Added<'_>) -> Option<String> {
    let new = |c: &char| is_hidden(*c) && !added.change.before.contains(*c);
    let c = added.lines.iter().flat_map(|line| line.chars()).find(new)?;
    Some(format!("adds the hidden character {}", c.escape_unicode()))
}

/// Unicode's bidirectional controls, invisible and filling characters, tags, variation selectors, control characters.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A word that looks like another: letters of several scripts in one, or of another script throughout.
pub(super) fn look_alike(added: &Added<'_>) -> Option<String> {
    if added.lines.iter().all(|line| line.is_ascii()) {
        return None;
    }
    let before = added.change.before;
    let known = |script: Script| before.chars().any(|c| Script::of(c) == Some(script));
    for line in &added.lines {
        let code = code_of(added.change.path, line);
        for word in line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_ascii()) {
            let foreign = word.chars().find_map(Script::of);
            let latin = word.chars().any(|c| c.is_ascii_alphabetic());
            let misleads = match foreign {
                None => false,
                Some(Script::Disguised) => true,
                Some(_) if latin => true,
                Some(script) if known(script) => false,
                // A remark in another language is no disguise, a name of the program in it is.
                Some(_) => code.contains(word) && (is_name(line, word) || word.chars().all(imitates)),
            };
            if misleads && !before.contains(word) {
                return Some(format!(
                    "adds `{}`, which is not spelt with the letters that it seems to be,",
                    short(word)
                ));
            }
        }
    }
    None
}

/// The part of a line that is no remark, as far as one line shows.
fn code_of<'l>(path: &conclave_core::path::RelPath, line: &'l str) -> &'l str {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['*', '#']) || trimmed.starts_with("//") || trimmed.starts_with("/*") {
        return "";
    }
    let mark = if Language::of_path(path) == Some(Language::Python) { "# " } else { "// " };
    line.split(mark).next().unwrap_or(line)
}

/// Whether `word` stands outside of quotation marks.
fn is_name(line: &str, word: &str) -> bool {
    line.find(word).is_some_and(|at| line[..at].chars().filter(|c| matches!(c, '"' | '\'' | '`')).count() % 2 == 0)
}

/// Scripts whose letters are taken for Latin ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
    Other,
    /// Letters that only differ from plain ones in their dress: full width, mathematical, in a circle.
    Disguised,
}

impl Script {
    fn of(c: char) -> Option<Self> {
        match c {
            // `µ`, `Ω` and letters with accents are written in many languages.
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Self::Greek),
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' => {
                Some(Self::Cyrillic)
            }
            '\u{531}'..='\u{587}' => Some(Self::Armenian),
            '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Self::Cherokee),
            '\u{1d00}'..='\u{1d7f}' | '\u{2c60}'..='\u{2c7f}' | '\u{a4d0}'..='\u{a4ff}' | '\u{10280}'..='\u{1031f}' => {
                Some(Self::Other)
            }
            '\u{ff21}'..='\u{ff3a}'
            | '\u{ff41}'..='\u{ff5a}'
            | '\u{ff10}'..='\u{ff19}'
            | '\u{1d400}'..='\u{1d7ff}'
            | '\u{2460}'..='\u{24ff}'
            | '\u{2102}'..='\u{2134}'
            | '\u{2160}'..='\u{217f}'
            | '\u{1f110}'..='\u{1f189}'
            | '\u{17f}' => Some(Self::Disguised),
            _ => None,
        }
    }
}

/// Whether a letter of another script is hard to tell from a Latin one.
fn imitates(c: char) -> bool {
    "аАВеЕІіЈјКкМНоОрРсСТтуУхХѕЅԁԛԜԝһҺӀёЁЗзЬьабг".contains(c)
        || "αΑΒΕεΖΗΙικΚΜΝνοΟρΡΤτυΥΧχγσω".contains(c)
        || "օՕսՍոՈհցզԼլ".contains(c)
        || c == '_'
        || c.is_ascii_digit()
}
