//! What servers of tools said of themselves: what the person approved, and what was seen last.
//!
//! What stands here is text that `conclave-toolbox` wrote and compares; this table knows nothing of it.
//! Invariant: only what was seen can be approved.

use rusqlite::{OptionalExtension as _, Row, params};

use crate::db::Store;
use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE TABLE server_pin (
    name TEXT PRIMARY KEY,
    approved TEXT,
    approved_at INTEGER,
    seen TEXT NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What is known of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPin {
    /// Its name in the settings.
    pub name: String,
    /// The definition that the person approved.
    pub approved: Option<String>,
    /// When, in milliseconds since 1970.
    pub approved_at_ms: Option<i64>,
    /// The definition that was seen last.
    pub seen: String,
    /// When, in milliseconds since 1970.
    pub seen_at_ms: i64,
}

impl Store {
    /// Writes down that the server `name` defines itself as `definition`.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn see_server(&self, name: &str, definition: &str, now_ms: i64) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO server_pin (name, seen, seen_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, seen_at = excluded.seen_at",
                params![name, definition, now_ms],
            )?;
            Ok(())
        })
    }

    /// Approves `definition` for the server `name`; false when that is not what was seen last.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn approve_server(&self, name: &str, definition: &str, now_ms: i64) -> Result<bool> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE server_pin SET approved = seen, approved_at = ?3 WHERE name = ?1 AND seen = ?2",
                params![name, definition, now_ms],
            )?;
            Ok(changed > 0)
        })
    }

    /// Takes all approvals back.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn unapprove_servers(&self) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("UPDATE server_pin SET approved = NULL, approved_at = NULL", [])?;
            Ok(())
        })
    }

    /// Forgets the server `name`.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn forget_server(&self, name: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM server_pin WHERE name = ?1", [name])?;
            Ok(())
        })
    }

    /// What is known of the server `name`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn server_pin(&self, name: &str) -> Result<Option<ServerPin>> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT name, approved, approved_at, seen, seen_at FROM server_pin WHERE name = ?1")?;
            Ok(statement.query_row([name], pin).optional()?)
        })
    }
}

fn pin(row: &Row<'_>) -> rusqlite::Result<ServerPin> {
    Ok(ServerPin {
        name: row.get(0)?,
        approved: row.get(1)?,
        approved_at_ms: row.get(2)?,
        seen: row.get(3)?,
        seen_at_ms: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::tests::{NOW, fresh};

    #[test]
    fn only_what_was_seen_is_approved_and_stays_so_until_it_is_approved_anew() {
        let (_folder, store) = fresh();
        assert_eq!(store.server_pin("kagi").unwrap(), None);
        assert!(!store.approve_server("kagi", "a", NOW).unwrap());
        store.see_server("kagi", "a", NOW).unwrap();
        assert!(!store.approve_server("kagi", "b", NOW).unwrap());
        assert!(store.approve_server("kagi", "a", NOW + 1).unwrap());
        store.see_server("kagi", "b", NOW + 2).unwrap();
        let pin = store.server_pin("kagi").unwrap().unwrap();
        assert_eq!((pin.approved.as_deref(), pin.approved_at_ms), (Some("a"), Some(NOW + 1)));
        assert_eq!((pin.seen.as_str(), pin.seen_at_ms), ("b", NOW + 2));
        assert!(!store.approve_server("kagi", "a", NOW + 3).unwrap(), "not what was seen last");
        store.forget_server("kagi").unwrap();
        assert_eq!(store.server_pin("kagi").unwrap(), None);
    }
}
