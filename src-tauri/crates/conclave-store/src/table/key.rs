//! For which hosts the keychain holds a key, and since when; never the key.
//!
//! A keychain cannot be listed everywhere, and asking it may show a prompt: what there is, is written down here.

use rusqlite::params;

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE key_host (
    host TEXT PRIMARY KEY,
    set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// A host with a key in the keychain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHost {
    /// The host, with its port where the address names one.
    pub host: String,
    /// When its key was set, in milliseconds since 1970.
    pub set_at_ms: i64,
}

impl Store {
    /// Writes down that the keychain holds a key for `host`, set now; an earlier one is replaced.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn put_key(&self, host: &str, now_ms: i64) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO key_host (host, set_at) VALUES (?1, ?2)
                 ON CONFLICT (host) DO UPDATE SET set_at = excluded.set_at",
                params![host, now_ms],
            )?;
            Ok(())
        })
    }

    /// Writes down that the keychain holds no key for `host` any more; false when none was known.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn erase_key(&self, host: &str) -> Result<bool> {
        self.write(|transaction| Ok(transaction.execute("DELETE FROM key_host WHERE host = ?1", [host])? > 0))
    }

    /// All hosts with a key, by name.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn keys(&self) -> Result<Vec<KeyHost>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached("SELECT host, set_at FROM key_host ORDER BY host")?;
            let rows = statement.query_map([], |row| Ok(KeyHost { host: row.get(0)?, set_at_ms: row.get(1)? }))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{NOW, fresh};

    #[test]
    fn a_key_is_known_from_setting_to_erasing_with_the_time_of_the_last_one() {
        let (_folder, store) = fresh();
        for (host, at) in [("models.example", NOW), ("127.0.0.1:8080", NOW), ("models.example", NOW + 9)] {
            store.put_key(host, at).unwrap();
        }
        let host = |host: &str, set_at_ms| KeyHost { host: host.into(), set_at_ms };
        let local = host("127.0.0.1:8080", NOW);
        assert_eq!(store.keys().unwrap(), [local.clone(), host("models.example", NOW + 9)]);
        assert!(store.erase_key("models.example").unwrap());
        assert!(!store.erase_key("models.example").unwrap());
        assert_eq!(store.keys().unwrap(), [local]);
    }
}
