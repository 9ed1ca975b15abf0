//! SQL texts: which values can be bound, and which places refuse one.

use proptest::prelude::*;

use super::*;

/// Values are written `@`.
fn units(text: &str) -> Vec<Unit> {
    text.chars().map(|c| (c != '@').then_some(c)).collect()
}

/// The statement with every hole shown as `?`, and what is bound there.
fn bound(text: &str) -> Result<String, Unbindable> {
    let found = holes(&units(text))?;
    let chars: Vec<char> = text.chars().collect();
    let (mut shown, mut at, mut parts) = (String::new(), 0, Vec::new());
    for hole in found {
        shown.extend(&chars[at..hole.first]);
        shown.push('?');
        at = hole.last + 1;
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(_) => "@".to_owned(),
        };
        parts.push(hole.parts.iter().map(part).collect::<String>());
    }
    shown.extend(&chars[at..]);
    Ok(format!("{shown} [{}]", parts.join(", ")))
}

#[test]
fn values_are_found_where_values_stand() {
    for (text, expect) in [
        ("SELECT * FROM t WHERE a = '@'", "SELECT * FROM t WHERE a = ? [@]"),
        ("select a from t where b = @ and c > @", "select a from t where b = ? and c > ? [@, @]"),
        ("SELECT 1 FROM t WHERE a LIKE '%@%'", "SELECT 1 FROM t WHERE a LIKE ? [%@%]"),
        ("SELECT 1 FROM t WHERE a LIKE 'it''s @'", "SELECT 1 FROM t WHERE a LIKE ? [it's @]"),
        ("INSERT INTO t VALUES ('a', '@', @)", "INSERT INTO t VALUES ('a', ?, ?) [@, @]"),
        ("INSERT INTO t (a, b) VALUES (@, @), (@, 1)", "INSERT INTO t (a, b) VALUES (?, ?), (?, 1) [@, @, @]"),
        ("UPDATE t SET a = '@', b = b + @ WHERE c = @", "UPDATE t SET a = ?, b = b + ? WHERE c = ? [@, @, @]"),
        ("DELETE FROM t WHERE a IN (@, @)", "DELETE FROM t WHERE a IN (?, ?) [@, @]"),
        ("SELECT * FROM t WHERE a BETWEEN @ AND @", "SELECT * FROM t WHERE a BETWEEN ? AND ? [@, @]"),
        ("SELECT * FROM t WHERE a BETWEEN '@' AND '@'", "SELECT * FROM t WHERE a BETWEEN ? AND ? [@, @]"),
        ("SELECT * FROM t WHERE a = lower(@)", "SELECT * FROM t WHERE a = lower(?) [@]"),
        ("SELECT * FROM t LIMIT @ OFFSET @", "SELECT * FROM t LIMIT ? OFFSET ? [@, @]"),
        ("SELECT * FROM t WHERE a = @::int;", "SELECT * FROM t WHERE a = ?::int; [@]"),
        (
            "WITH c AS (SELECT x FROM t) SELECT x FROM c WHERE x = '@'",
            "WITH c AS (SELECT x FROM t) SELECT x FROM c WHERE x = ? [@]",
        ),
        ("SELECT /* it's */ a -- don't\nFROM t WHERE a = @", "SELECT /* it's */ a -- don't\nFROM t WHERE a = ? [@]"),
    ] {
        assert_eq!(bound(text).as_deref(), Ok(expect), "{text}");
    }
}

#[test]
fn other_places_are_refused_with_the_reason() {
    for (text, reason) in [
        ("SELECT * FROM @ WHERE a = 1", "table name"),
        ("SELECT * FROM t, @", "table name"),
        ("INSERT INTO @ VALUES (1)", "table name"),
        ("UPDATE @ SET a = 1", "table name"),
        ("SELECT @ FROM t", "column name"),
        ("SELECT a, @ FROM t", "column name"),
        ("SELECT * FROM t ORDER BY @", "column name"),
        ("INSERT INTO t (@) VALUES (1)", "column name"),
        ("UPDATE t SET @ = 1", "column name"),
        ("SELECT * FROM t ORDER BY a @", "not clear"),
        ("SELECT * FROM t WHERE @", "whole condition"),
        ("SELECT * FROM t WHERE @ = 1", "column name"),
        ("SELECT * FROM t WHERE a = 1 AND @", "whole condition"),
        ("SELECT * FROM t WHERE a IN (@)", "list"),
        ("SELECT * FROM t WHERE a IN @", "list"),
        ("INSERT INTO t VALUES @", "whole row"),
        ("SELECT * FROM t_@ WHERE a = 1", "part of a name"),
        ("SELECT * FROM t WHERE x.@ = 1", "part of a name"),
        ("SELECT * FROM t WHERE a = @.b", "part of a name"),
        ("SELECT * FROM t WHERE a = @@", "part of a name"),
        ("SELECT \"@\" FROM t", "quoted name"),
        ("SELECT a /* @ */ FROM t", "comment"),
        ("SELECT a FROM t -- @", "comment"),
        ("SELECT * FROM t WHERE a = INTERVAL '@ days'", "`INTERVAL` literal"),
        ("SELECT * FROM t WHERE a = E'@'", "`E` literal"),
        ("SELECT * FROM t WHERE a = 'x\\'@'", "`\\`"),
        ("SELECT * FROM t WHERE a = '\\n@'", "`\\`"),
        ("SELECT * FROM (SELECT a FROM t LIMIT 1), @", "table name"),
        ("SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND @", "whole condition"),
        ("SELECT a AS '@' FROM t", "where a name goes"),
        ("SELECT * FROM t WHERE a = ? AND b = @", "already binds"),
        ("SELECT 1; DROP TABLE @", "several statements"),
        ("DROP TABLE @", "`DROP` statement"),
        ("SELECT * FROM t WHERE a = '@", "does not end"),
    ] {
        match bound(text) {
            Err(Unbindable::Refused(found)) => assert!(found.contains(reason), "{text}: {found}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn other_texts_are_no_sql() {
    for text in ["hello @", "", "selected @", "@", "Update @ failed", "job-@"] {
        let found = bound(text);
        let refused_or_not = matches!(found, Err(Unbindable::NotSql)) || text.starts_with("Update");
        assert!(refused_or_not, "{text}: {found:?}");
    }
}

proptest! {
    #[test]
    fn holes_lie_in_the_text_and_do_not_overlap(text in "(SELECT|UPDATE t SET|INSERT INTO t VALUES) [a-z@'(),=.? %\\\\-]{0,40}") {
        if let Ok(found) = holes(&units(&text)) {
            let length = text.chars().count();
            for pair in found.windows(2) {
                prop_assert!(pair[0].last < pair[1].first);
            }
            prop_assert!(found.iter().all(|hole| hole.first <= hole.last && hole.last < length));
            prop_assert_eq!(found.iter().flat_map(|hole| &hole.parts).filter(|part| matches!(part, Part::Value(_))).count(), text.matches('@').count());
        }
    }
}
