//! Limits hold whatever comes in between, and totals are the sums of their rows.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;

use proptest::prelude::*;

use super::*;
use crate::table::spend_list::LIMITED;
use crate::tests::{NOW, again, fresh};
use crate::{SpendBy, SpendOf, SpendTotal};

const DAY: i64 = 20_454;

fn dollars(n: u64) -> Money {
    Money::from_micros(n * 1_000_000)
}

fn spend(most: Option<u64>) -> NewSpend {
    NewSpend {
        at_ms: NOW,
        day: DAY,
        project: Some(ProjectId::new("p")),
        finding: Some(FindingId::new("f")),
        run: Some(RunId::new("f-1")),
        provider: "Local Qwen".into(),
        model: "qwen".into(),
        purpose: "propose".into(),
        most: most.map(dollars),
        price_date: Some("2026-11-01".into()),
    }
}

fn reserve_now(store: &Store, spend: NewSpend, caps: Caps) -> Result<Reserving> {
    let (done, told) = channel();
    store.reserve(spend, caps, move |result| done.send(result).unwrap());
    told.recv().unwrap()
}

fn held(store: &Store, spend: NewSpend, caps: Caps) -> Reservation {
    match reserve_now(store, spend, caps).unwrap() {
        Reserving::Held(reservation) => reservation,
        other => panic!("{other:?}"),
    }
}

fn settle_now(store: &Store, reservation: Reservation, settlement: Settlement) -> Result<()> {
    let (done, told) = channel();
    store.settle(reservation, settlement, move |result| done.send(result).unwrap());
    told.recv().unwrap()
}

fn came_to(actual: Option<u64>) -> Settlement {
    Settlement { actual: actual.map(dollars), tokens: None, outcome: "answered".into() }
}

/// Calls, open, unknown; estimated, reserved, spent, assumed in dollars.
fn figures(total: SpendTotal) -> ([u64; 3], [u64; 4]) {
    let whole = |money: Money| money.micros() / 1_000_000;
    (
        [total.calls, total.open, total.unknown],
        [whole(total.estimated), whole(total.reserved), whole(total.spent), whole(total.assumed)],
    )
}

fn all(store: &Store) -> ([u64; 3], [u64; 4]) {
    figures(store.spend_total(&SpendOf::All).unwrap())
}

#[test]
fn what_is_given_back_was_no_call() {
    let (_folder, store) = fresh();
    let give_back = |reservation| {
        let (done, told) = channel();
        store.give_back(reservation, move |result| done.send(result).unwrap());
        told.recv().unwrap()
    };
    let (known, unknown) = (spend(Some(3)), spend(None));
    let (known, unknown) = (held(&store, known, Caps::default()), held(&store, unknown, Caps::default()));
    let kept = held(&store, spend(Some(4)), Caps::default());
    give_back(known).unwrap();
    give_back(unknown).unwrap();
    assert_eq!(all(&store), ([1, 1, 0], [4, 4, 0, 0]));
    assert_eq!(store.spends(&SpendOf::All, None, 10).unwrap().rows.len(), 1);
    give_back(kept).unwrap();
    assert_eq!(all(&store), ([0, 0, 0], [0, 0, 0, 0]));
    for by in [SpendBy::Day, SpendBy::Project, SpendBy::Provider] {
        assert_eq!(store.spend_totals(by, 10).unwrap(), [], "nothing was ever asked");
    }
}

#[test]
fn money_is_set_aside_and_then_spent() {
    let (_folder, store) = fresh();
    let first = held(&store, spend(Some(3)), Caps::default());
    let second = held(&store, spend(Some(4)), Caps::default());
    assert_eq!(all(&store), ([2, 2, 0], [7, 7, 0, 0]));
    let counted = Tokens { input: 100, cached: 40, output: 7, reasoning: 2 };
    let tokens = Some(counted);
    settle_now(&store, first, Settlement { tokens, ..came_to(Some(1)) }).unwrap();
    assert_eq!(all(&store), ([2, 1, 0], [7, 4, 1, 0]));
    settle_now(&store, second, Settlement { outcome: "timeout".into(), ..came_to(None) }).unwrap();
    assert_eq!(all(&store), ([2, 0, 0], [7, 0, 5, 4]), "a cost that nobody knows is what was set aside");

    let page = store.spends(&SpendOf::Run(RunId::new("f-1")), None, 10).unwrap();
    let rows: Vec<_> =
        page.rows.iter().map(|row| (row.reserved, row.actual, row.tokens, row.outcome.as_deref())).collect();
    assert_eq!(
        rows,
        [
            (Some(dollars(4)), None, None, Some("timeout")),
            (Some(dollars(3)), Some(dollars(1)), tokens, Some("answered"))
        ]
    );
    assert_eq!(page.next, None);
    assert_eq!(store.spend_total(&SpendOf::All).unwrap().tokens, counted);
}

#[test]
fn each_limit_is_named_with_what_is_under_it() {
    let other = |change: fn(&mut NewSpend)| {
        let mut spend = spend(Some(2));
        change(&mut spend);
        spend
    };
    let everything = [
        (
            Caps { run: Some(dollars(4)), ..Caps::default() },
            Cap::Run,
            other(|spend| spend.run = Some(RunId::new("f-2"))),
        ),
        (
            Caps { finding: Some(dollars(4)), ..Caps::default() },
            Cap::Finding,
            other(|spend| spend.finding = Some(FindingId::new("g"))),
        ),
        (Caps { day: Some(dollars(4)), ..Caps::default() }, Cap::Day, other(|spend| spend.day += 1)),
        (Caps { project: Some(dollars(4)), ..Caps::default() }, Cap::Project, other(|spend| spend.project = None)),
    ];
    for (caps, cap, elsewhere) in everything {
        let (_folder, store) = fresh();
        let first = held(&store, spend(Some(2)), caps);
        settle_now(&store, first, came_to(Some(1))).unwrap();
        held(&store, spend(Some(2)), caps);
        let refused = reserve_now(&store, spend(Some(2)), caps).unwrap();
        let over = OverCap { cap, limit: dollars(4), spent: dollars(1), reserved: dollars(2), wanted: dollars(2) };
        assert_eq!(refused, Reserving::Over(over));
        assert_eq!(all(&store), ([2, 1, 0], [4, 2, 1, 0]), "{cap}: a refusal leaves nothing behind");
        held(&store, elsewhere, caps);
        held(&store, spend(Some(1)), caps);
    }
    let (_folder, store) = fresh();
    let caps = Caps { call: Some(dollars(2)), all: Some(dollars(5)), ..Caps::default() };
    let nothing =
        OverCap { cap: Cap::Call, limit: dollars(2), spent: dollars(0), reserved: dollars(0), wanted: dollars(3) };
    assert_eq!(reserve_now(&store, spend(Some(3)), caps).unwrap(), Reserving::Over(nothing));
    held(&store, spend(Some(2)), caps);
    held(&store, other(|spend| (spend.project, spend.finding, spend.run) = (None, None, None)), caps);
    let Reserving::Over(over) = reserve_now(&store, spend(Some(2)), caps).unwrap() else { panic!("not refused") };
    assert_eq!(
        over.to_string(),
        "$2.00 more would pass the limit of $5.00 for everything: $0.00 is spent and $4.00 is set aside"
    );
}

#[test]
fn what_costs_nobody_knows_is_held_only_where_nothing_is_limited() {
    let (_folder, store) = fresh();
    for caps in [
        Caps { call: Some(dollars(9)), ..Caps::default() },
        Caps { all: Some(dollars(9)), ..Caps::default() },
        Caps { run: Some(dollars(9)), ..Caps::default() },
    ] {
        assert_eq!(reserve_now(&store, spend(None), caps).unwrap(), Reserving::Unpriced);
    }
    let unknown = held(&store, spend(None), Caps::default());
    let known = held(&store, spend(None), Caps::default());
    assert_eq!(all(&store), ([2, 2, 2], [0, 0, 0, 0]));
    settle_now(&store, unknown, came_to(None)).unwrap();
    settle_now(&store, known, came_to(Some(3))).unwrap();
    assert_eq!(all(&store), ([2, 0, 1], [0, 0, 3, 0]), "unknown is not nothing");
    let rows = store.spends(&SpendOf::All, None, 10).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.actual).collect::<Vec<_>>(), [Some(dollars(3)), None]);
}

#[test]
fn a_charge_above_what_was_set_aside_is_believed_and_ends_the_calls() {
    let (_folder, store) = fresh();
    let caps = Caps { day: Some(dollars(4)), ..Caps::default() };
    let call = held(&store, spend(Some(1)), caps);
    settle_now(&store, call, came_to(Some(6))).unwrap();
    let over =
        OverCap { cap: Cap::Day, limit: dollars(4), spent: dollars(6), reserved: dollars(0), wanted: dollars(0) };
    assert_eq!(reserve_now(&store, spend(Some(0)), caps).unwrap(), Reserving::Over(over));
}

#[test]
fn sums_that_do_not_fit_are_refused_and_leave_no_trace() {
    let (_folder, store) = fresh();
    let much = |micros| NewSpend { most: Some(Money::from_micros(micros)), ..spend(None) };
    reserve_now(&store, much(u64::MAX), Caps::default()).unwrap_err();
    held(&store, much(i64::MAX as u64), Caps::default());
    reserve_now(&store, much(1), Caps::default()).unwrap_err();
    let total = store.spend_total(&SpendOf::All).unwrap();
    assert_eq!((total.calls, total.reserved.micros()), (1, i64::MAX as u64));
    assert_eq!(store.spends(&SpendOf::All, None, 10).unwrap().rows.len(), 1);
    let caps = Caps { all: Some(Money::from_micros(u64::MAX)), ..Caps::default() };
    assert!(matches!(reserve_now(&store, much(u64::MAX), caps).unwrap(), Reserving::Over(_)));
}

#[test]
fn a_call_is_settled_once() {
    let (_folder, store) = fresh();
    let Reservation { id } = held(&store, spend(Some(1)), Caps::default());
    settle_now(&store, Reservation { id }, came_to(Some(1))).unwrap();
    assert!(matches!(settle_now(&store, Reservation { id }, came_to(Some(1))), Err(StoreError::Missing { .. })));
    assert_eq!(all(&store), ([1, 0, 0], [1, 0, 1, 0]));
}

#[test]
fn what_a_dead_process_set_aside_is_spent_and_said_to_be_not_settled() {
    let (folder, store) = fresh();
    let other = again(&folder);
    held(&store, spend(Some(1)), Caps::default());
    held(&other, spend(Some(2)), Caps::default());
    assert_eq!(store.settle_lost().unwrap(), 0, "both live");
    drop(other);
    assert_eq!(all(&store), ([2, 2, 0], [3, 3, 0, 0]), "it counts all the time");
    assert_eq!(store.settle_lost().unwrap(), 1);
    assert_eq!(all(&store), ([2, 1, 0], [3, 1, 2, 2]));
    let rows = store.spends(&SpendOf::All, None, 10).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.outcome.as_deref()).collect::<Vec<_>>(), [Some(NOT_SETTLED), None]);
}

#[test]
fn totals_are_told_apart_and_lists_have_pages() {
    let (_folder, store) = fresh();
    for n in 0..5_u64 {
        let project = (n != 4).then(|| ProjectId::new(["a", "b"][n as usize % 2]));
        let spend = NewSpend { day: 9 + (n / 2) as i64, project, provider: format!("m{}", n % 3), ..spend(Some(n)) };
        held(&store, spend, Caps::default());
    }
    let ids = |by, limit| -> Vec<(String, u64)> {
        let totals = store.spend_totals(by, limit).unwrap();
        totals.into_iter().map(|(id, total)| (id, total.estimated.micros() / 1_000_000)).collect()
    };
    let expected = |pairs: &[(&str, u64)]| pairs.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(ids(SpendBy::Day, 9), expected(&[("11", 4), ("10", 5), ("9", 1)]));
    assert_eq!(ids(SpendBy::Day, 1), expected(&[("11", 4)]));
    assert_eq!(ids(SpendBy::Project, 9), expected(&[("a", 2), ("b", 4)]));
    assert_eq!(ids(SpendBy::Provider, 9), expected(&[("m0", 3), ("m1", 5), ("m2", 2)]));
    let since = store.spend_since(10).unwrap().into_iter().map(|(id, total)| (id, total.calls)).collect::<Vec<_>>();
    assert_eq!(since, expected(&[("m0", 1), ("m1", 1), ("m2", 1)]));
    assert_eq!(store.spend_since(12).unwrap(), []);
    for (of, count) in [
        (SpendOf::All, 5),
        (SpendOf::Day(10), 2),
        (SpendOf::Project(ProjectId::new("a")), 2),
        (SpendOf::Finding(FindingId::new("f")), 5),
        (SpendOf::Run(RunId::new("g-1")), 0),
        (SpendOf::Provider("m0".into()), 2),
    ] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = store.spends(&of, before, 2).unwrap();
            assert!(page.rows.len() <= 2);
            seen.extend(page.rows.iter().map(|row| row.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), count, "{of:?}");
        assert!(seen.is_sorted_by(|a, b| a > b), "{of:?}: {seen:?}");
        assert_eq!(store.spend_total(&of).unwrap().calls, count as u64);
    }
}

#[test]
fn limits_are_looked_up_and_not_summed() {
    let (_folder, store) = fresh();
    let plan: Vec<String> = store
        .read(|transaction| {
            let mut statement = transaction.prepare(&format!("EXPLAIN QUERY PLAN {LIMITED}"))?;
            Ok(statement.query_map(["day", "1"], |row| row.get(3))?.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    assert_eq!(plan, ["SEARCH spend_total USING PRIMARY KEY (kind=? AND id=?)"]);
}

/// One thing that one of two processes does.
#[derive(Clone, Debug)]
enum Step {
    Reserve {
        process: bool,
        run: u8,
        day: u8,
        most: u64,
    },
    /// Settles one of the open calls, whichever process it is of, at a share of what was set aside.
    Settle {
        process: bool,
        which: usize,
        percent: Option<u64>,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let reserve = (any::<bool>(), 0..3_u8, 0..2_u8, 0..500_000_u64)
        .prop_map(|(process, run, day, most)| Step::Reserve { process, run, day, most });
    let settle = (any::<bool>(), any::<usize>(), proptest::option::of(0..=100_u64))
        .prop_map(|(process, which, percent)| Step::Settle { process, which, percent });
    proptest::collection::vec(prop_oneof![3 => reserve, 2 => settle], 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_calls_passes_a_limit_and_totals_are_sums(steps in steps()) {
        let (folder, one) = fresh();
        let two = again(&folder);
        let limit = |micros| Some(Money::from_micros(micros));
        let caps = Caps { run: limit(700_000), day: limit(900_000), all: limit(1_500_000), ..Caps::default() };
        let mut open = Vec::new();
        for step in steps {
            match step {
                Step::Reserve { process, run, day, most } => {
                    let call = NewSpend {
                        day: i64::from(day),
                        run: Some(RunId::new(run.to_string())),
                        most: limit(most),
                        ..spend(None)
                    };
                    let store = if process { &one } else { &two };
                    if let Reserving::Held(reservation) = reserve_now(store, call, caps).unwrap() {
                        open.push((reservation, most));
                    }
                }
                Step::Settle { process, which, percent } if !open.is_empty() => {
                    let (reservation, most) = open.swap_remove(which % open.len());
                    let actual = percent.map(|percent| Money::from_micros(most * percent / 100));
                    let store = if process { &one } else { &two };
                    settle_now(store, reservation, Settlement { actual, ..came_to(None) }).unwrap();
                }
                Step::Settle { .. } => {}
            }
            for (kind, limit) in [("run", 700_000), ("day", 900_000), ("all", 1_500_000)] {
                for (id, (open, reserved, spent)) in summed(&one, kind) {
                    prop_assert!(reserved + spent <= limit, "{kind} {id}");
                    let of = match kind {
                        "run" => SpendOf::Run(RunId::new(id)),
                        "day" => SpendOf::Day(id.parse().unwrap()),
                        _ => SpendOf::All,
                    };
                    let total = two.spend_total(&of).unwrap();
                    let told = (total.open, total.reserved.micros(), total.spent.micros());
                    prop_assert_eq!(told, (open, reserved, spent));
                }
            }
            prop_assert_eq!(one.spend_since(0).unwrap(), two.spend_totals(SpendBy::Provider, 9).unwrap());
        }
    }
}

/// What the rows themselves say: open calls, what is set aside, what is spent.
fn summed(store: &Store, kind: &str) -> BTreeMap<String, (u64, u64, u64)> {
    let column = if kind == "all" { "''" } else { kind };
    let sql = format!(
        "SELECT CAST({column} AS TEXT), count(*) FILTER (WHERE outcome IS NULL),
            total(reserved) FILTER (WHERE outcome IS NULL),
            total(coalesce(actual, reserved)) FILTER (WHERE outcome IS NOT NULL)
         FROM spend GROUP BY 1"
    );
    store
        .read(|transaction| {
            let mut statement = transaction.prepare(&sql)?;
            let row = |row: &rusqlite::Row<'_>| {
                let whole = |n: f64| n as u64;
                Ok((row.get(0)?, (row.get::<_, i64>(1)? as u64, whole(row.get(2)?), whole(row.get(3)?))))
            };
            Ok(statement.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap()
}
