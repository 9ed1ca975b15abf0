//! Learned patterns that the person does not want used, by what tells a pattern from others.

use rusqlite::params;

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE dropped_pattern (
    client TEXT NOT NULL,
    pattern TEXT NOT NULL,
    dropped_at INTEGER NOT NULL,
    PRIMARY KEY (client, pattern)
) STRICT, WITHOUT ROWID;
";

impl Store {
    /// Has the pattern of this id proposed no more for `client`.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn drop_pattern(&self, client: &str, pattern: &str, now_ms: i64) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO dropped_pattern (client, pattern, dropped_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![client, pattern, now_ms],
            )?;
            Ok(())
        })
    }

    /// The ids of the patterns that are not wanted for `client`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn dropped_patterns(&self, client: &str) -> Result<Vec<String>> {
        self.read(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT pattern FROM dropped_pattern WHERE client = ?1 ORDER BY pattern")?;
            let rows = statement.query_map([client], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::{NOW, fresh};

    #[test]
    fn what_one_client_drops_stays_with_another() {
        let (_folder, store) = fresh();
        store.drop_pattern("a", "p", NOW).unwrap();
        store.drop_pattern("a", "p", NOW).unwrap();
        assert_eq!(
            (store.dropped_patterns("a").unwrap(), store.dropped_patterns("b").unwrap()),
            (vec!["p".to_owned()], vec![])
        );
    }
}
