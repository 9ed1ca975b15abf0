//! Every short history of a fix has the label that the table of strengths gives it.

use super::*;

fn rated(thumb: Thumb, reasons: &[Reason]) -> Event {
    Event::Rated { thumb, reasons: reasons.to_vec() }
}

/// Everything that can happen.
fn alphabet() -> Vec<Event> {
    vec![
        Event::Applied { tests: false, head: None },
        Event::Applied { tests: true, head: None },
        Event::Edited,
        Event::Kept,
        Event::Reverted,
        Event::Merged,
        Event::TestsAfter { passed: true },
        Event::TestsAfter { passed: false },
        rated(Thumb::Up, &[]),
        rated(Thumb::Down, &[]),
        rated(Thumb::Down, &[Reason::NotFixed, Reason::BadStyle]),
        rated(Thumb::Down, &[Reason::BadStyle]),
    ]
}

#[test]
fn each_history_has_the_strength_of_the_table() {
    let (applied, tested) = (Event::Applied { tests: false, head: None }, Event::Applied { tests: true, head: None });
    let wrong = rated(Thumb::Down, &[Reason::BreaksBuild]);
    let style = rated(Thumb::Down, &[Reason::BadStyle]);
    let (up, down) = (rated(Thumb::Up, &[]), rated(Thumb::Down, &[]));
    let (pass, fail) = (Event::TestsAfter { passed: true }, Event::TestsAfter { passed: false });
    let none: Option<(bool, f64)> = None;
    for (events, expect) in [
        (vec![], none),
        (vec![applied.clone()], Some((true, 0.5))),
        (vec![tested.clone()], Some((true, 0.7))),
        (vec![applied.clone(), pass.clone()], Some((true, 0.7))),
        (vec![tested.clone(), fail.clone()], None),
        (vec![applied.clone(), Event::Kept], Some((true, 1.0))),
        (vec![applied.clone(), Event::Merged], Some((true, 1.0))),
        (vec![applied.clone(), Event::Merged, fail], Some((true, 1.0))),
        (vec![applied.clone(), Event::Merged, Event::Edited], Some((true, 1.0))),
        (vec![applied.clone(), Event::Reverted], Some((false, 1.0))),
        (vec![applied.clone(), Event::Merged, Event::Reverted], Some((false, 1.0))),
        (vec![applied.clone(), Event::Kept, Event::Reverted, Event::Merged], Some((false, 1.0))),
        (vec![applied.clone(), Event::Reverted, applied.clone()], Some((true, 0.5))),
        (vec![applied.clone(), Event::Edited], None),
        (vec![applied.clone(), Event::Edited, Event::Kept], None),
        (vec![applied.clone(), Event::Edited, Event::Reverted], Some((false, 1.0))),
        (vec![applied.clone(), Event::Reverted, Event::Edited], None),
        (vec![applied.clone(), Event::Reverted, Event::Edited, Event::Reverted], None),
        (vec![applied.clone(), Event::Reverted, wrong.clone(), Event::Edited], Some((false, 1.0))),
        (vec![wrong.clone()], Some((false, 1.0))),
        (vec![applied.clone(), Event::Merged, wrong.clone()], Some((false, 1.0))),
        (vec![wrong, up.clone()], Some((true, 0.5))),
        (vec![style.clone()], None),
        (vec![applied.clone(), style.clone()], None),
        (vec![applied.clone(), Event::Reverted, style.clone()], None),
        (vec![applied.clone(), style, Event::Merged], Some((true, 1.0))),
        (vec![down.clone()], None),
        (vec![applied.clone(), down.clone(), Event::Reverted], Some((false, 1.0))),
        (vec![up], Some((true, 0.5))),
        // What a check says by itself is no outcome.
        (vec![pass], None),
        (vec![Event::Kept, Event::Merged, Event::Edited, Event::Reverted], None),
    ] {
        let label = Standing::of(&events).label().map(|label| (label.right, label.weight));
        assert_eq!(label, expect, "{events:?}");
    }
}

#[test]
fn no_history_of_five_events_breaks_a_rule() {
    let alphabet = alphabet();
    let mut histories: Vec<(Vec<usize>, Standing)> = vec![(Vec::new(), Standing::default())];
    let mut seen = 0_u32;
    for _ in 0..5 {
        let mut longer = Vec::new();
        for (history, before) in &histories {
            for (index, event) in alphabet.iter().enumerate() {
                let after = before.after(event);
                let mut history = history.clone();
                history.push(index);
                check(*before, event, after, &history, &alphabet);
                seen += 1;
                longer.push((history, after));
            }
        }
        histories = longer;
    }
    assert_eq!(seen, 12 + 144 + 1728 + 20736 + 248_832);
}

fn check(before: Standing, event: &Event, after: Standing, history: &[usize], alphabet: &[Event]) {
    let events: Vec<&Event> = history.iter().map(|index| &alphabet[*index]).collect();
    let label = after.label();
    // Strengths are those of the table; what is wrong is wrong in full.
    if let Some(Label { right, weight }) = label {
        assert!([0.5, 0.7, 1.0].contains(&weight) && (right || weight == 1.0), "{events:?}");
    }
    // Taken back after whatever else: never right.
    if *event == Event::Reverted && matches!(before.place, Place::Applied | Place::Edited) {
        assert!(label.is_none_or(|label| !label.right), "{events:?}");
    }
    // Full strength for being right needs time or the default branch, and being there.
    if label == Some(Label { right: true, weight: 1.0 }) {
        assert!((after.kept || after.merged) && after.place == Place::Applied, "{events:?}");
    }
    // Checks alone, without a person, say nothing.
    let person = |event: &&Event| matches!(event, Event::Applied { .. } | Event::Rated { .. });
    if !events.iter().any(person) {
        assert_eq!(label, None, "{events:?}");
    }
    // A test that passes never turns anything against a fix.
    if *event == (Event::TestsAfter { passed: true }) {
        let sign = |label: Option<Label>| label.map_or(0.0, |l| if l.right { l.weight } else { -l.weight });
        assert!(sign(label) >= sign(before.label()), "{events:?}");
    }
    // The same once more is the same.
    if matches!(event, Event::Kept | Event::Merged | Event::Reverted | Event::Rated { .. }) {
        assert_eq!(after.after(event), after, "{events:?}");
    }
}

#[test]
fn a_fix_is_followed_by_its_lines() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let one = (lines("a = load(x)"), lines("a = safe_load(x)"));
    let two = (lines("b = md5(y)"), lines("b = sha256(y)"));
    let out = (lines("debug()"), Vec::new());
    for (hunks, now, expect) in [
        (vec![one.clone()], "import y\na = safe_load(x)  \r\nz\n", None),
        (vec![one.clone()], "a = load(x)\n", Some(Event::Reverted)),
        (vec![one.clone()], "a = other(x)\n", Some(Event::Edited)),
        (vec![one.clone(), two.clone()], "a = safe_load(x)\nb = sha256(y)\n", None),
        (vec![one.clone(), two.clone()], "a = safe_load(x)\nb = md5(y)\n", Some(Event::Edited)),
        (vec![one, two], "a = load(x)\nb = md5(y)\n", Some(Event::Reverted)),
        (vec![out.clone()], "go()\n", None),
        (vec![out], "debug()\ngo()\n", Some(Event::Reverted)),
    ] {
        assert_eq!(fate(&hunks, now), expect, "{hunks:?} {now:?}");
    }
}
