//! The canonical form of entries and the chain over them.

use super::request;
use crate::{Action, Decision, Effective, EntryKind, GENESIS, NewEntry, digest, entry_hash};

fn entries() -> [NewEntry; 2] {
    let request = request("engine", Action::ReadProject, "/home/ada/shop", &[]);
    let decision = Decision {
        effect: Effective::Allow,
        rule: "read-project".to_owned(),
        reason: "it was opened".to_owned(),
        layer: None,
        review: None,
    };
    let outcome = EntryKind::Outcome { refers_to: 1, outcome: "read 12 files".to_owned() };
    [
        NewEntry { at_ms: 1_700_000_000_000, kind: EntryKind::Decision { request, decision } },
        NewEntry { at_ms: 1_700_000_000_007, kind: outcome },
    ]
}

#[test]
fn the_canonical_form_of_an_entry_is_fixed_and_can_be_read_back() {
    let expect = [
        r#"{"at_ms":1700000000000,"kind":"decision","request":{"actor":"engine","action":"read_project","resource":"/home/ada/shop","context":{}},"decision":{"effect":"allow","rule":"read-project","reason":"it was opened"}}"#,
        r#"{"at_ms":1700000000007,"kind":"outcome","refers_to":1,"outcome":"read 12 files"}"#,
    ];
    for (entry, expect) in entries().into_iter().zip(expect) {
        assert_eq!(entry.canonical(), expect);
        assert_eq!(serde_json::from_str::<NewEntry>(expect).ok(), Some(entry));
    }
}

#[test]
fn the_hash_is_sha256_over_length_prefixed_parts() {
    let mut bytes = Vec::new();
    for part in ["conclave-ledger-1", GENESIS, "1", "{}"] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    assert_eq!(entry_hash(GENESIS, 1, "{}"), digest(&bytes));
    // FIPS 180-4, the message "abc".
    assert_eq!(digest(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn any_changed_byte_changes_the_hash() {
    let canonical = entries()[0].canonical();
    let (previous, seq) = (digest(b"previous"), 7);
    let hash = entry_hash(&previous, seq, &canonical);
    for at in 0..canonical.len() {
        let mut bytes = canonical.clone().into_bytes();
        bytes[at] ^= 1;
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert_ne!(entry_hash(&previous, seq, &changed), hash, "byte {at}");
    }
    assert_ne!(entry_hash(GENESIS, seq, &canonical), hash);
    assert_ne!(entry_hash(&previous, 8, &canonical), hash);
    assert_ne!(entry_hash(&previous, 77, "x"), entry_hash(&previous, 7, "7x"), "parts do not run together");
}
