//! The ledger: whatever is changed in it is noticed.

use super::*;
use crate::tests::{NOW, decision, fresh, outcome};
use conclave_policy::Effective;

fn small_ledger() -> (tempfile::TempDir, Store) {
    let (folder, store) = fresh();
    for n in 0..3 {
        let place = if n == 1 { "loopback" } else { "remote" };
        let seq = store.append(&decision(NOW + n, place, Effective::Allow)).unwrap();
        store.append(&outcome(NOW + n, seq)).unwrap();
    }
    store.append(&decision(NOW, "remote", Effective::Deny)).unwrap();
    (folder, store)
}

/// What is found after `sql`; the ledger is as before afterwards. Whoever edits the file is not held by triggers.
fn verdict_after(store: &Store, sql: &str, values: impl rusqlite::Params) -> LedgerVerdict {
    let mut verdict = None;
    let undone: Result<()> = store.write(|transaction| {
        transaction.execute_batch("DROP TRIGGER ledger_is_not_changed; DROP TRIGGER ledger_is_not_deleted;")?;
        match transaction.prepare(sql) {
            Ok(mut statement) => assert!(statement.execute(values)? > 0, "nothing was changed by {sql}"),
            Err(_) => transaction.execute_batch(sql)?,
        }
        verdict = Some(verify(transaction)?);
        Err(StoreError::Busy)
    });
    undone.unwrap_err();
    verdict.unwrap()
}

#[test]
fn the_chain_is_the_one_of_the_policy_crate() {
    let (_folder, store) = small_ledger();
    let entry = decision(NOW, "remote", Effective::Allow).canonical();
    let first = entry_hash(GENESIS, 1, &entry);
    let sql = "SELECT entry, hash FROM ledger WHERE seq = 1";
    let stored: (String, String) =
        store.read(|t| Ok(t.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)).unwrap();
    assert_eq!(stored, (entry, first));
    let verdict = store.verify_ledger().unwrap();
    assert_eq!((verdict.rows, verdict.fault), (7, None));
}

#[test]
fn only_allowed_requests_to_other_machines_count_as_egress() {
    let (_folder, store) = small_ledger();
    assert_eq!(store.egress_count().unwrap(), 2);
}

#[test]
fn every_byte_of_every_stored_value_is_covered() {
    let (_folder, store) = small_ledger();
    let mut mutations = 0;
    let mut check = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        let verdict = verdict_after(&store, sql, values);
        assert!(verdict.fault.is_some(), "unseen: {sql}");
        mutations += 1;
    };
    let cells = [("ledger", "entry", "seq"), ("ledger", "hash", "seq"), ("ledger_head", "hash", "id")];
    for (table, column, key) in cells {
        let sql = format!("SELECT {key}, CAST({column} AS BLOB) FROM {table}");
        let rows: Vec<(i64, Vec<u8>)> = store
            .read(|t| {
                let mut statement = t.prepare(&sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap();
        let update = format!("UPDATE {table} SET {column} = CAST(?1 AS TEXT) WHERE {key} = ?2");
        for (row, bytes) in rows {
            // One bit, the case bit, and one that makes the text no text.
            for (at, flip) in (0..bytes.len()).flat_map(|at| [1, 0x20, 0x80].map(|flip| (at, flip))) {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                check(&update, &[&changed, &row]);
            }
            check(&update, &[&bytes[..bytes.len() - 1].to_vec(), &row]);
            check(&update, &[&[&bytes[..], b" "].concat(), &row]);
        }
    }
    for bit in 0..63 {
        let flip = 1_i64 << bit;
        for seq in 1..=7_i64 {
            let taken = (1..=7).contains(&(seq ^ flip));
            if !taken {
                check("UPDATE ledger SET seq = ?1 WHERE seq = ?2", &[&(seq ^ flip), &seq]);
            }
        }
        check("UPDATE ledger_head SET entries = ?1", &[&(7 ^ flip)]);
    }
    println!("{mutations} mutations, all seen");
    assert_eq!(store.verify_ledger().unwrap().fault, None);
}

#[test]
fn dropped_moved_doubled_and_added_entries_are_seen() {
    let (_folder, store) = small_ledger();
    let swap = |a: i64, b: i64, columns: &str| {
        format!(
            "UPDATE ledger SET ({columns}) = (SELECT {columns} FROM ledger o WHERE o.seq = {a} + {b} - ledger.seq)
             WHERE seq IN ({a}, {b})"
        )
    };
    let mut cases = vec![
        ("DELETE FROM ledger_head".to_owned(), "the head of the chain is missing"),
        ("DELETE FROM ledger".to_owned(), "7 entries are missing at the end"),
        ("DELETE FROM ledger WHERE seq > 5".to_owned(), "2 entries are missing at the end"),
        ("INSERT INTO ledger SELECT 8, entry, hash FROM ledger WHERE seq = 7".to_owned(), "entry 8 was changed"),
        ("INSERT INTO ledger SELECT 0, entry, hash FROM ledger WHERE seq = 7".to_owned(), "entry 0 was added"),
        ("INSERT INTO ledger SELECT 9, entry, hash FROM ledger WHERE seq = 7".to_owned(), "entry 8 is missing"),
        ("UPDATE ledger_head SET entries = 6".to_owned(), "1 entries were added at the end"),
    ];
    for a in 1..=7 {
        if a < 7 {
            cases.push((format!("DELETE FROM ledger WHERE seq = {a}"), "is missing"));
            // Closing the gap does not help.
            let closed = format!(
                "DELETE FROM ledger WHERE seq = {a};
                 UPDATE ledger SET seq = seq - 1000 WHERE seq > {a};
                 UPDATE ledger SET seq = seq + 999 WHERE seq < 0;"
            );
            cases.push((closed, "was changed"));
        }
        for b in a + 1..=7 {
            cases.push((swap(a, b, "entry"), "was changed"));
            cases.push((swap(a, b, "entry, hash"), "was changed"));
        }
    }
    for (sql, words) in cases {
        let fault = verdict_after(&store, &sql, []).fault.unwrap_or_default();
        assert!(fault.contains(words), "{sql}: {fault}");
    }
}

#[test]
fn a_chain_built_anew_shows_against_the_old_head() {
    let (_folder, store) = small_ledger();
    let before = store.verify_ledger().unwrap();
    let mut forged = None;
    let undone: Result<()> = store.write(|t| {
        t.execute_batch("DROP TRIGGER ledger_is_not_changed; DROP TRIGGER ledger_is_not_deleted; DELETE FROM ledger;")?;
        t.execute("UPDATE ledger_head SET entries = 0, hash = ?1", [GENESIS])?;
        for n in 0..7 {
            append(t, &decision(NOW + n, "loopback", Effective::Allow))?;
        }
        forged = Some(verify(t)?);
        Err(StoreError::Busy)
    });
    undone.unwrap_err();
    let forged = forged.unwrap();
    assert_eq!((forged.rows, forged.fault), (before.rows, None), "from within, it looks whole");
    assert_ne!(forged.head, before.head);
}

#[test]
fn our_own_code_cannot_rewrite_an_entry() {
    let (_folder, store) = small_ledger();
    for sql in ["UPDATE ledger SET entry = '{}' WHERE seq = 1", "DELETE FROM ledger WHERE seq = 7"] {
        let error = store.write(|transaction| Ok(transaction.execute(sql, [])?)).unwrap_err();
        assert!(error.to_string().contains("only appended to"), "{error}");
    }
}

#[test]
fn nothing_is_appended_to_a_chain_without_a_head() {
    let (_folder, store) = small_ledger();
    let error = store
        .write(|t| {
            t.execute("DELETE FROM ledger_head", [])?;
            append(t, &decision(NOW, "remote", Effective::Allow))
        })
        .unwrap_err();
    assert!(error.to_string().contains("head is missing"), "{error}");
}
