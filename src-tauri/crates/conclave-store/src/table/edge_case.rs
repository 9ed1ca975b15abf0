//! Inputs and situations that want care, as runs named them, found again for findings that are alike.
//!
//! Invariant: a row is found only for its own client. Texts are what models and people wrote: shown, never acted on.

use conclave_core::id::FindingId;
use conclave_core::language::Language;
use conclave_core::weakness::Family;
use rusqlite::{Row, params};

use crate::db::Store;
use crate::error::Result;
use crate::table::{count, from_word, word};

pub(crate) const CREATE: &str = "
CREATE TABLE edge_case (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL,
    cwe INTEGER,
    family TEXT NOT NULL,
    framework TEXT,
    language TEXT,
    finding TEXT NOT NULL,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (client, finding, text)
) STRICT;
CREATE INDEX edge_case_of_family ON edge_case (client, family, cwe);
";

/// What an edge case belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeCaseOf {
    /// Whose; empty for nobody's.
    pub client: String,
    /// The first CWE number of the finding's rule.
    pub cwe: Option<u32>,
    /// The family of weaknesses.
    pub family: Family,
    /// The framework that the code uses, where one is known.
    pub framework: Option<String>,
    /// The language.
    pub language: Option<Language>,
    /// The finding.
    pub finding: FindingId,
}

/// One edge case that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEdgeCase {
    /// Counted by the store.
    pub id: i64,
    /// What it belongs to.
    pub of: EdgeCaseOf,
    /// In words.
    pub text: String,
    /// Who named it, in words.
    pub origin: String,
}

impl Store {
    /// Keeps `cases` (text and who named it) of one finding; those that are kept already stay as they are.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn keep_edge_cases(&self, of: &EdgeCaseOf, cases: &[(String, String)], now_ms: i64) -> Result<()> {
        if cases.is_empty() {
            return Ok(());
        }
        let (family, language) = (word(&of.family)?, of.language.as_ref().map(word).transpose()?);
        self.write(|transaction| {
            for (text, origin) in cases {
                transaction.execute(
                    "INSERT INTO edge_case (client, cwe, family, framework, language, finding, text, origin, at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
                    params![
                        of.client,
                        of.cwe,
                        family,
                        of.framework,
                        language,
                        of.finding.as_str(),
                        text,
                        origin,
                        now_ms
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// Edge cases of other findings that are like `of`, the likest first: the same CWE, then framework, then language,
    /// then the newest; only those of the same family of weaknesses, and of the same client.
    ///
    /// # Errors
    /// A database that cannot be read, or a row that makes no sense.
    pub fn similar_edge_cases(&self, of: &EdgeCaseOf, most: u32) -> Result<Vec<StoredEdgeCase>> {
        let (family, language) = (word(&of.family)?, of.language.as_ref().map(word).transpose()?);
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT * FROM edge_case WHERE client = ?1 AND family = ?2 AND finding <> ?3
                 ORDER BY cwe IS ?4 DESC, framework IS ?5 DESC, language IS ?6 DESC, id DESC LIMIT ?7",
            )?;
            let values = params![of.client, family, of.finding.as_str(), of.cwe, of.framework, language, most];
            let mut rows = statement.query(values)?;
            let mut cases = Vec::new();
            while let Some(row) = rows.next()? {
                cases.push(read(row)?);
            }
            Ok(cases)
        })
    }

    /// How many edge cases are kept for `client`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn edge_case_count(&self, client: &str) -> Result<u32> {
        let sql = "SELECT count(*) FROM edge_case WHERE client = ?1";
        self.read(|transaction| Ok(count(transaction.query_row(sql, [client], |row| row.get(0))?)))
    }
}

fn read(row: &Row<'_>) -> Result<StoredEdgeCase> {
    let (family, language): (String, Option<String>) = (row.get("family")?, row.get("language")?);
    let of = EdgeCaseOf {
        client: row.get("client")?,
        cwe: row.get("cwe")?,
        family: from_word(&family)?,
        framework: row.get("framework")?,
        language: language.as_deref().map(from_word).transpose()?,
        finding: FindingId::new(row.get::<_, String>("finding")?),
    };
    Ok(StoredEdgeCase { id: row.get("id")?, of, text: row.get("text")?, origin: row.get("origin")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, fresh};

    fn of(client: &str, finding: &str, cwe: u32, framework: Option<&str>) -> EdgeCaseOf {
        EdgeCaseOf {
            client: client.into(),
            cwe: Some(cwe),
            family: Family::Injection,
            framework: framework.map(str::to_owned),
            language: Some(Language::Python),
            finding: FindingId::new(finding),
        }
    }

    #[test]
    fn edge_cases_are_found_for_findings_that_are_alike_and_never_by_another_client() {
        let (_folder, store) = fresh();
        let keep = |of: &EdgeCaseOf, text: &str| {
            store.keep_edge_cases(of, &[(text.to_owned(), "Recipes".to_owned())], NOW).unwrap();
        };
        keep(&of("", "a", 89, Some("django")), "names with quotes");
        keep(&of("", "b", 78, None), "arguments that begin with a dash");
        keep(&of("", "c", 78, Some("django")), "empty arguments");
        keep(&of("", "c", 78, Some("django")), "empty arguments");
        keep(&of("acme", "d", 78, Some("django")), "what is acme\u{2019}s");
        keep(&EdgeCaseOf { family: Family::Page, ..of("", "e", 79, None) }, "markup");

        let texts = |of: &EdgeCaseOf, most| {
            let found = store.similar_edge_cases(of, most).unwrap();
            found.into_iter().map(|case| case.text).collect::<Vec<_>>()
        };
        let wanted = of("", "x", 78, Some("django"));
        let all = ["empty arguments", "arguments that begin with a dash", "names with quotes"];
        assert_eq!((texts(&wanted, 9), texts(&wanted, 1)), (all.map(str::to_owned).to_vec(), vec![all[0].to_owned()]));
        // The finding's own are no news to it.
        assert!(!texts(&of("", "c", 78, None), 9).contains(&"empty arguments".to_owned()));
        assert_eq!(texts(&of("acme", "x", 78, None), 9), ["what is acme\u{2019}s"]);
        assert_eq!((store.edge_case_count("").unwrap(), store.edge_case_count("acme").unwrap()), (4, 1));
    }
}
