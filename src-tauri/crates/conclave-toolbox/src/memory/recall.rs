//! What a deliberation is told of what is remembered.
//!
//! An entity fits a finding when it names one of its kinds of weakness (`CWE-89`), the same family's, or its framework.
//! What models wrote is told as what a model wrote. Deliberately absent: prompts, and numbers about models.

use conclave_core::weakness::{Family, weakness};
use conclave_store::{MemoryEntity, MemoryOrigin, Store, StoreError};

/// For what something is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The finding's CWE numbers.
    pub cwe: &'a [u32],
    /// The framework in use, lower case.
    pub framework: Option<&'a str>,
    /// Most memories of each type.
    pub limit: usize,
}

/// What is remembered, the best match first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recalled {
    /// Ways of fixing that were good.
    pub fix_patterns: Vec<Memo>,
    /// Inputs and situations that want care.
    pub edge_cases: Vec<Memo>,
    /// What the client wants.
    pub client_context: Vec<Memo>,
    /// What was noticed of models; words, not numbers.
    pub models: Vec<Memo>,
}

/// Something that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    /// Its name, by which it is cited.
    pub name: String,
    /// Who named it.
    pub origin: MemoryOrigin,
    /// What is known of it.
    pub remarks: Vec<Remark>,
}

/// One thing that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// In words, on one line.
    pub text: String,
    /// Whose words.
    pub origin: MemoryOrigin,
}

/// What is remembered for `client` that fits what is wanted.
///
/// # Errors
/// A database that cannot be read.
pub fn recall(store: &Store, client: &str, wanted: &Wanted<'_>) -> Result<Recalled, StoreError> {
    let entities = store.memory(client)?.entities;
    let best = |kind: &str, always: bool| {
        let of_kind = entities.iter().enumerate().filter(|(_, entity)| entity.kind == kind);
        let fitting = of_kind.map(|(index, entity)| (fit(entity, wanted), index, entity));
        let mut fitting: Vec<_> = fitting.filter(|(fit, _, _)| always || *fit > 0).collect();
        // The best first, of equals the newest.
        fitting.sort_by_key(|(fit, index, _)| std::cmp::Reverse((*fit, *index)));
        fitting.into_iter().take(wanted.limit).map(|(_, _, entity)| memo(entity)).collect()
    };
    Ok(Recalled {
        fix_patterns: best("fix_pattern", false),
        edge_cases: best("edge_case", false),
        client_context: best("client_context", true),
        models: best("model", false),
    })
}

/// How well `entity` fits, from 0.
fn fit(entity: &MemoryEntity, wanted: &Wanted<'_>) -> u32 {
    let texts = || std::iter::once(&entity.name).chain(entity.observations.iter().map(|seen| &seen.text));
    let named: Vec<u32> = texts().flat_map(|text| numbers(text)).collect();
    let same = named.iter().any(|number| wanted.cwe.contains(number));
    let family = wanted.cwe.iter().any(|number| weakness(*number).is_some()) && {
        let family = Family::of(wanted.cwe);
        named.iter().any(|number| weakness(*number).is_some_and(|known| known.family == family))
    };
    let framework = wanted.framework.is_some_and(|framework| texts().any(|text| names_word(text, framework)));
    match (same, family, framework) {
        (true, _, framework) => 4 + u32::from(framework),
        (false, true, framework) => 2 + u32::from(framework),
        // The framework alone fits only what is about no weakness in particular.
        (false, false, true) => u32::from(named.is_empty()),
        (false, false, false) => 0,
    }
}

/// The numbers that `text` names as `CWE-89`.
fn numbers(text: &str) -> impl Iterator<Item = u32> {
    let upper = text.to_ascii_uppercase();
    let found: Vec<u32> = upper
        .match_indices("CWE-")
        .filter_map(|(at, prefix)| {
            let digits: String = upper[at + prefix.len()..].chars().take_while(char::is_ascii_digit).take(6).collect();
            digits.parse().ok()
        })
        .collect();
    found.into_iter()
}

/// Whether `text` has `word` in it, which is in lower case, as a word.
fn names_word(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !is_part(c)).any(|found| found == word)
}

fn memo(entity: &MemoryEntity) -> Memo {
    let remarks = entity.observations.iter();
    let remarks = remarks.map(|seen| Remark { text: one_line(&seen.text), origin: seen.origin }).collect();
    Memo { name: entity.name.clone(), origin: entity.origin, remarks }
}

fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
