//! All that was learned of one client: written out, or erased without a trace.
//!
//! Invariant: a table whose rows belong to clients has a column `client` and is in [`TABLES`]; a test asks the database.

use rusqlite::types::ValueRef;
use rusqlite::{Row, Transaction};
use serde_json::{Map, Value};

use crate::db::Store;
use crate::error::Result;

/// The tables whose rows belong to clients.
pub(crate) const TABLES: &[&str] = &[
    "model_performance",
    "fix_event",
    "rating",
    "successful_patterns",
    "dropped_pattern",
    "edge_case",
    "memory_observation",
    "memory_entity",
    "memory_relation",
    "comparison_pair",
    "comparison",
];

impl Store {
    /// Everything that was learned of `client`, as JSON Lines: the rows as they stand, each with the name of its `table`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn export_client(&self, client: &str) -> Result<String> {
        self.read(|transaction| {
            let mut lines = String::new();
            for table in TABLES {
                for row in rows(transaction, table, client)? {
                    lines.push_str(&Value::Object(row).to_string());
                    lines.push('\n');
                }
            }
            Ok(lines)
        })
    }

    /// Erases everything that was learned of `client`; returns how many rows that were.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn erase_client(&self, client: &str) -> Result<u32> {
        self.write(|transaction| {
            let mut erased = 0;
            for table in TABLES {
                erased += transaction.execute(&format!("DELETE FROM {table} WHERE client = ?1"), [client])?;
            }
            Ok(u32::try_from(erased).unwrap_or(u32::MAX))
        })
    }

    /// Erases everything that was learned, of all clients and of nobody's; returns how many rows that were.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn erase_learning(&self) -> Result<u32> {
        self.write(|transaction| {
            let mut erased = 0;
            for table in TABLES {
                erased += transaction.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(u32::try_from(erased).unwrap_or(u32::MAX))
        })
    }
}

fn rows(transaction: &Transaction<'_>, table: &str, client: &str) -> Result<Vec<Map<String, Value>>> {
    let mut statement = transaction.prepare(&format!("SELECT * FROM {table} WHERE client = ?1"))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([client])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut object = Map::from_iter([("table".to_owned(), Value::from(table))]);
        for (index, name) in names.iter().enumerate() {
            object.insert(name.clone(), value(row, index)?);
        }
        found.push(object);
    }
    Ok(found)
}

fn value(row: &Row<'_>, index: usize) -> Result<Value> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::comparison::tests::new_comparison;
    use crate::table::model_performance::tests::new_fix;
    use crate::tests::{NOW, finding, fresh, fresh_with_project, scan};
    use crate::{EdgeCaseOf, MemoryOrigin, MemoryRelation, MemoryWriter, NewMemory, Rating, ScanState};
    use conclave_core::id::{CandidateId, FindingId};
    use conclave_core::label::{Event, Thumb};
    use conclave_core::weakness::Family;

    /// One row and more in every table for `client`.
    fn fill(store: &Store, client: &str, found: &FindingId) {
        let (finding, fix) = (FindingId::new("f"), CandidateId::new("one"));
        store.know_fix(&new_fix(client, "one"), NOW).unwrap();
        store.add_fix_event(client, &finding, &fix, &Event::Applied { tests: true, head: None }, NOW).unwrap();
        let rating = Rating { thumb: Thumb::Up, reasons: Vec::new(), note: "good".into() };
        store.add_rating(client, &finding, &fix, &rating, NOW).unwrap();
        let of = EdgeCaseOf {
            client: client.into(),
            cwe: Some(78),
            family: Family::Injection,
            framework: None,
            language: None,
            finding,
        };
        store.keep_edge_cases(&of, &[("empty".into(), "Recipes".into())], NOW).unwrap();
        store.drop_pattern(client, "p", NOW).unwrap();
        let by = MemoryWriter { client, origin: MemoryOrigin::Model, now_ms: NOW };
        let new = |name: &str| NewMemory { name: name.into(), kind: "k".into(), observations: vec!["o".into()] };
        store.create_memories(by, &[new("a"), new("b")]).unwrap();
        let relation = MemoryRelation { from: "a".into(), to: "b".into(), kind: "k".into() };
        store.create_relations(by, &[relation]).unwrap();
        store.add_comparison(&new_comparison(client), std::slice::from_ref(found), NOW).unwrap();
    }

    #[test]
    fn what_was_learned_of_a_client_is_exported_whole_and_erased_without_a_trace() {
        let (_folder, store, project) = fresh_with_project();
        let found = finding(&project, "a.py", 1);
        store.save_scan(&scan(&project, "s", ScanState::Complete), std::slice::from_ref(&found), NOW).unwrap();
        for client in ["acme", "other", ""] {
            fill(&store, client, &found.id);
        }
        let export = store.export_client("acme").unwrap();
        let lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["client"] == "acme"), "{export}");
        for table in TABLES {
            assert!(lines.iter().any(|line| line["table"] == *table), "{table}");
        }

        let rows = u32::try_from(lines.len()).unwrap();
        assert_eq!((store.erase_client("acme").unwrap(), store.erase_client("acme").unwrap()), (rows, 0));
        assert_eq!(store.export_client("acme").unwrap(), "");
        for client in ["other", ""] {
            assert_eq!(store.export_client(client).unwrap().lines().count(), lines.len(), "{client}");
        }
        assert_eq!((store.erase_learning().unwrap(), store.export_client("other").unwrap()), (2 * rows, String::new()));
    }

    #[test]
    fn every_table_with_rows_of_clients_is_erased_with_them() {
        let (_folder, store) = fresh();
        // The client of a hook's call is a program.
        let sql = "SELECT DISTINCT name FROM sqlite_schema s WHERE type = 'table' AND name <> 'hook_call'
                   AND EXISTS (SELECT 1 FROM pragma_table_info(s.name) WHERE name = 'client')";
        let named: Vec<String> = store
            .read(|t| Ok(t.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?))
            .unwrap();
        let mut expect: Vec<&str> = TABLES.to_vec();
        expect.sort_unstable();
        let mut named: Vec<&str> = named.iter().map(String::as_str).collect();
        named.sort_unstable();
        assert_eq!(named, expect);
    }
}
