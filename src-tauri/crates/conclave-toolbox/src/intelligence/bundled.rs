//! What ships with Conclave: kinds of weaknesses, what causes and removes them, and where OWASP treats them.
//!
//! Numbers and names are those of the Common Weakness Enumeration, the lists those of OWASP (Top 10 of 2021, ASVS 5.0); the
//! sentences are ours. The file says as of when it is.

use std::sync::LazyLock;

use conclave_core::synthesis::Reference;
use conclave_core::weakness::{Family, weakness};
use serde::Deserialize;
use tokio::time::Instant;

use super::{About, Found, Question, Searching, Source};
use crate::Caller;

/// How many weaknesses of the same family are told.
const ALIKE: usize = 4;

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    // INVARIANT: the file is compiled in, and a test of this module reads it.
    #[expect(clippy::expect_used, reason = "see the invariant above")]
    serde_json::from_str(include_str!("facts.json")).expect("the bundled facts can be read")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    as_of: String,
    /// Sorted by number.
    weaknesses: Vec<Fact>,
}

/// One kind of weakness. Name and remedy stand here where the list of weaknesses that Conclave fixes lacks it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    cwe: u32,
    name: Option<String>,
    cause: String,
    remedy: Option<String>,
    top10: Option<String>,
    asvs: String,
    /// The OWASP cheat sheet, as in its address.
    sheet: Option<String>,
}

impl Fact {
    fn name(&self) -> &str {
        self.name.as_deref().or_else(|| weakness(self.cwe).map(|known| known.name)).unwrap_or_default()
    }

    fn remedy(&self) -> &str {
        self.remedy.as_deref().or_else(|| weakness(self.cwe).map(|known| known.remedy)).unwrap_or_default()
    }

    /// Its page, with what is known of it.
    fn told(&self) -> Found {
        let (number, name, cause, remedy) = (self.cwe, self.name(), &self.cause, self.remedy());
        let top10 = self.top10.as_ref().map_or_else(String::new, |entry| format!("OWASP Top 10 {entry}, "));
        Found {
            source: NAME.to_owned(),
            reference: reference(
                format!("CWE-{number}: {name}"),
                format!("https://cwe.mitre.org/data/definitions/{number}.html"),
            ),
            excerpt: format!("{cause} {remedy} ({top10}OWASP ASVS 5.0 {}.)", self.asvs),
        }
    }

    fn sheet(&self) -> Option<Found> {
        let sheet = self.sheet.as_ref()?;
        let title = sheet.replace('_', " ");
        Some(Found {
            source: NAME.to_owned(),
            reference: reference(
                format!("OWASP cheat sheet: {title}"),
                format!("https://cheatsheetseries.owasp.org/cheatsheets/{sheet}_Cheat_Sheet.html"),
            ),
            excerpt: format!("How to prevent CWE-{} in practice, by language and framework.", self.cwe),
        })
    }
}

/// What people call it.
const NAME: &str = "Conclave\u{2019}s own list";

/// The name of the weakness with number `cwe`.
pub(super) fn name(cwe: u32) -> Option<&'static str> {
    fact(cwe).map(Fact::name).or_else(|| weakness(cwe).map(|known| known.name))
}

fn fact(cwe: u32) -> Option<&'static Fact> {
    let weaknesses = &FACTS.weaknesses;
    weaknesses.binary_search_by_key(&cwe, |fact| fact.cwe).ok().map(|index| &weaknesses[index])
}

fn reference(title: String, url: String) -> Reference {
    Reference { title, url, query: None, date: Some(FACTS.as_of.clone()) }
}

/// The source.
pub(super) struct Bundled;

impl Source for Bundled {
    fn name(&self) -> &str {
        NAME
    }

    fn answers(&self, question: &Question) -> bool {
        matches!(question.about, About::OwaspGuidance | About::SimilarVulnerabilities)
            && question.cwe.and_then(fact).is_some()
    }

    fn search<'a>(&'a self, _: &'a Caller, question: &'a Question, _: Instant) -> Searching<'a> {
        Box::pin(async move {
            let Some(fact) = question.cwe.and_then(fact) else { return Ok(Vec::new()) };
            Ok(match question.about {
                About::OwaspGuidance => [Some(fact.told()), fact.sheet()].into_iter().flatten().collect(),
                About::SimilarVulnerabilities => {
                    let family = |cwe: u32| weakness(cwe).map(|known| known.family).filter(|one| *one != Family::Other);
                    let own = family(fact.cwe);
                    let alike = |other: &&Fact| other.cwe != fact.cwe && own.is_some() && family(other.cwe) == own;
                    FACTS.weaknesses.iter().filter(alike).take(ALIKE).map(Fact::told).collect()
                }
                About::LatestCves | About::FrameworkUpdates => Vec::new(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Conclave's recipes fix.
    const FIXED: [u32; 20] =
        [22, 78, 79, 88, 89, 94, 295, 322, 326, 327, 328, 330, 338, 400, 489, 502, 611, 614, 776, 1004];

    /// The CWE Top 25 of 2024 and of 2025 together.
    const TOP_25: [u32; 31] = [
        20, 22, 77, 78, 79, 89, 94, 119, 120, 121, 122, 125, 190, 200, 269, 284, 287, 306, 352, 400, 416, 434, 476,
        502, 639, 770, 787, 798, 862, 863, 918,
    ];

    #[test]
    fn the_file_is_sorted_says_all_it_has_to_and_holds_what_matters() {
        let facts = &FACTS.weaknesses;
        assert!(facts.is_sorted_by(|a, b| a.cwe < b.cwe));
        for fact in facts {
            assert!(
                !fact.name().is_empty() && fact.remedy().ends_with('.') && fact.cause.ends_with('.'),
                "{}",
                fact.cwe
            );
            let mut own = weakness(fact.cwe).into_iter().map(|known| (known.name, known.remedy));
            assert!(own.all(|_| fact.name.is_none() && fact.remedy.is_none()), "{} is said twice", fact.cwe);
            assert!(fact.asvs.starts_with('V'), "{}", fact.cwe);
            assert!(fact.top10.as_ref().is_none_or(|entry| entry.starts_with('A') && entry.ends_with(":2021")));
        }
        for cwe in TOP_25.into_iter().chain(FIXED) {
            assert!(fact(cwe).is_some(), "{cwe}");
        }
        for cwe in (1..2_000).filter(|cwe| weakness(*cwe).is_some()) {
            assert!(fact(cwe).is_some(), "{cwe}");
        }
    }
}
