//! What becomes one, what is refused, and what holds for all of it.

use proptest::prelude::*;

use super::*;

fn path() -> RelPath {
    RelPath::new("a.py").expect("a path")
}

/// A patch that turns `before` into `after`, written as one edit.
fn patch(before: &str, after: &str) -> Patch {
    Patch::new(vec![FilePatch::between(path(), before, after)])
}

fn merged(before: &str, patches: &[&Patch]) -> Result<String, Conflict> {
    let texts = BTreeMap::from([(path(), before.to_owned())]);
    let union = merge(&texts, patches)?;
    let after = union.files.first().map_or(Ok(before.as_bytes().to_vec()), |file| file.apply(before.as_bytes()));
    Ok(String::from_utf8(after.expect("the union fits")).expect("text"))
}

/// Merges the patches from `before` to each of `afters`, in every order of two.
fn check(before: &str, afters: &[&str], expect: Option<&str>) {
    let patches: Vec<Patch> = afters.iter().map(|after| patch(before, after)).collect();
    let forwards: Vec<&Patch> = patches.iter().collect();
    let backwards: Vec<&Patch> = patches.iter().rev().collect();
    for order in [forwards, backwards] {
        assert_eq!(merged(before, &order).ok().as_deref(), expect, "{afters:#?}");
    }
}

#[test]
fn changes_of_different_places_stand_beside_each_other() {
    check("a = 1\nb = 2\nc = 3\n", &["a = 9\nb = 2\nc = 3\n", "a = 1\nb = 2\nc = 8\n"], Some("a = 9\nb = 2\nc = 8\n"));
    // One line, two words of it.
    check(
        "f(verify=False, wait=None)\n",
        &["f(verify=True, wait=None)\n", "f(verify=False, wait=10)\n"],
        Some("f(verify=True, wait=10)\n"),
    );
    // A line that is wrapped, and a word in it.
    check(
        "def f(a):\n    run(a, shell=True)\n",
        &["def f(a):\n    if ok(a):\n        run(a, shell=True)\n", "def f(a):\n    run(a, shell=False)\n"],
        Some("def f(a):\n    if ok(a):\n        run(a, shell=False)\n"),
    );
    // Lines that follow each other.
    check("a\nb\nc\n", &["x\nb\nc\n", "a\ny\nc\n", "a\nb\nz\n"], Some("x\ny\nz\n"));
    check("a\nb\nc\n", &["a\nc\n", "a\nb\nx\nc\n"], Some("a\nx\nc\n"));
}

#[test]
fn the_same_change_counts_once_however_it_was_written() {
    let before = "import os\n\ndef f(x):\n    return md5(x)\n\ndef g(x):\n    return md5(x)\n";
    let both = "import os\nimport hashlib\n\ndef f(x):\n    return sha256(x)\n\ndef g(x):\n    return sha256(x)\n";
    let first = "import os\nimport hashlib\n\ndef f(x):\n    return sha256(x)\n\ndef g(x):\n    return md5(x)\n";
    let second = "import os\nimport hashlib\n\ndef f(x):\n    return md5(x)\n\ndef g(x):\n    return sha256(x)\n";
    check(before, &[first, second], Some(both));
    check(before, &[both, second, first, both], Some(both));
}

#[test]
fn imports_at_one_place_are_a_set() {
    let before = "import os\n\nx = 1\n";
    let with = |lines: &str| format!("import os\n{lines}\nx = 1\n");
    check(before, &[&with("import yaml\n"), &with("import re\n")], Some(&with("import re\nimport yaml\n")));
    check(
        before,
        &[&with("import yaml\nimport re\n"), &with("import re\nfrom html import escape\n")],
        Some(&with("from html import escape\nimport re\nimport yaml\n")),
    );
    // With the blank lines that set them apart from what they stand before.
    check("x = 1\n", &["import b\n\nx = 1\n", "import a\n\nx = 1\n"], Some("import a\nimport b\n\nx = 1\n"));
    check(
        "from flask import Flask\n\nx = 1\n",
        &["from flask import Flask, escape\n\nx = 1\n", "from flask import Flask, abort\n\nx = 1\n"],
        Some("from flask import Flask, abort, escape\n\nx = 1\n"),
    );
    check("x;\r\n", &["import a;\r\nx;\r\n", "import b;\r\nx;\r\n"], Some("import a;\r\nimport b;\r\nx;\r\n"));
}

#[test]
fn changes_that_meet_are_refused() {
    // A word, two ways.
    check("return md5(x)\n", &["return sha256(x)\n", "return blake2b(x)\n"], None);
    // The same place, two lines that are no imports, in no order.
    check("a\nb\n", &["a\nx\nb\n", "a\ny\nb\n"], None);
    // One takes away what the other one changes.
    check("a\nf(b, c)\nd\n", &["a\nd\n", "a\nf(b, e)\nd\n"], None);
    // A word, and what is put behind it.
    check("return f(x)\n", &["return g(x)\n", "return f2(x)\n"], None);
    // A rewritten line is one change, whatever it has in common with the old one.
    check("q(\"a %s\" % n)\n", &["p.exec(s, \"b ?\", (n,))\n", "q(\"a %s\" % clean(n))\n"], None);
}

#[test]
fn a_conflict_names_the_two_and_the_place() {
    let before = "a = 1\nb = 2\nc = 3\n";
    let of = |after| patch(before, after);
    let (a, b, other_b) = (of("a = 9\nb = 2\nc = 3\n"), of("a = 1\nb = 5\nc = 3\n"), of("a = 1\nb = 6\nc = 3\n"));
    let conflict = merged(before, &[&b, &a, &other_b]).expect_err("two ways");
    assert_eq!(conflict, Conflict::Overlap { path: path(), line: 2, first: 0, second: 2 });
    assert_eq!(conflict.to_string(), "two fixes change line 2 of `a.py` differently");
    let unfit = merged("another text\n", &[&a]).expect_err("another text");
    assert_eq!(unfit, Conflict::Unfit { patch: 0, error: PatchError::Base(path()) });
    let none = merge(&BTreeMap::new(), &[&a]).expect_err("no text");
    assert_eq!(none, Conflict::Unfit { patch: 0, error: PatchError::Base(path()) });
}

#[test]
fn files_are_merged_one_by_one() {
    let (b, before) = (RelPath::new("b.py").expect("a path"), "x = 1\n");
    let of = |path: &RelPath, after| FilePatch::between(path.clone(), before, after);
    let texts = BTreeMap::from([(path(), before.to_owned()), (b.clone(), before.to_owned())]);
    let one = Patch::new(vec![of(&path(), "x = 2\n"), of(&b, "x = 3\n")]);
    let two = Patch::new(vec![of(&b, "x = 3\n")]);
    assert_eq!(merge(&texts, &[&one, &two]), Ok(one.clone()));
    let rival = Patch::new(vec![of(&b, "x = 4\n")]);
    let conflict = merge(&texts, &[&one, &rival]).expect_err("two ways");
    assert_eq!(conflict, Conflict::Overlap { path: b, line: 1, first: 0, second: 1 });
}

/// Lines that are all different, so that it is plain which one a change is of.
fn base() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-c]{1,3}\\([a-c]{0,2}, é\\)", 1..8)
        .prop_map(|lines| lines.into_iter().enumerate().map(|(n, line)| format!("{line} # {n}\n")).collect())
}

/// What a patch makes of one line: nothing, another word, none, or lines before it.
fn change() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![3 => Just(None), 1 => (0u8..4).prop_map(Some)]
}

fn changed(line: &str, change: Option<u8>) -> String {
    match change {
        None => line.to_owned(),
        Some(0) => line.replace('é', "ü"),
        Some(1) => String::new(),
        Some(2) => format!("new\n{line}"),
        Some(_) => format!("wrap({}\n", line.trim_end()),
    }
}

/// A text of imports and statements, in which much is alike.
const TEXT: &str = "((import [ab]|a\\(b\\)|if é:|  b = [12])\\n){0,6}";

proptest! {
    #[test]
    fn patches_of_different_lines_are_applied_together(
        lines in base(),
        changes in proptest::collection::vec((change(), 0usize..3), 8),
    ) {
        let before = lines.concat();
        let of = |who: usize| -> String {
            let by = |n: usize| changes[n].0.filter(|_| changes[n].1 == who);
            lines.iter().enumerate().map(|(n, line)| changed(line, by(n))).collect()
        };
        let all: String = lines.iter().enumerate().map(|(n, line)| changed(line, changes[n].0)).collect();
        let patches = [0, 1, 2].map(|who| patch(&before, &of(who)));
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]] {
            let union = merged(&before, &order.map(|n| &patches[n]));
            prop_assert_eq!(union.as_deref(), Ok(all.as_str()));
        }
    }

    #[test]
    fn the_union_is_one_after_the_other_and_their_order_is_nothing(before in TEXT, a in TEXT, b in TEXT) {
        let (of_a, of_b) = (patch(&before, &a), patch(&before, &b));
        let union = merged(&before, &[&of_a, &of_b]);
        let other_way = merged(&before, &[&of_b, &of_a]);
        prop_assert_eq!(union.is_ok(), other_way.is_ok());
        prop_assert_eq!(merged(&before, &[&of_a, &of_a]), Ok(a.clone()));
        let Ok(union) = union else { return Ok(()) };
        prop_assert_eq!(&Ok(union.clone()), &other_way);

        let pieces = |patch: &Patch| {
            let edits = patch.files.first().map_or(&[][..], |file| &file.edits);
            piece::pieces(&before, edits).expect("they fit")
        };
        let (of_a, of_b) = (pieces(&of_a), pieces(&of_b));
        let at_one_place = |b: &Edit| of_a.iter().any(|a| a.start == b.start && a.end == b.end && a != b);
        if of_b.iter().any(at_one_place) {
            return Ok(()); // A set of imports is sorted, whoever comes first.
        }
        let moved = of_b.iter().filter(|b| !of_a.contains(*b)).map(|b: &Edit| {
            let earlier = of_a.iter().filter(|a| a.end <= b.start && *a < b);
            let shift = |at: usize| {
                let (gone, come) = earlier.clone().fold((0, 0), |(gone, come), a| (gone + a.end - a.start, come + a.text.len()));
                at + come - gone
            };
            Edit { start: shift(b.start), end: shift(b.end), text: b.text.clone() }
        });
        let moved = piece::joined(moved);
        let after = crate::patch::splice(a.as_bytes(), &moved).expect("they lie apart");
        prop_assert_eq!(String::from_utf8(after).expect("text"), union);
    }
}
