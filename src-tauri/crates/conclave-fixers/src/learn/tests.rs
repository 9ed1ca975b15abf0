//! What is learned from pairs of texts, and what is not.

use conclave_core::patch::splice;

use super::*;

/// What is learned from `pairs` of code, as people see it.
fn learned(language: Language, pairs: &[(&str, &str)]) -> Option<Learned> {
    let examples: Vec<Example<'_>> = pairs.iter().map(|(before, after)| Example { before, after }).collect();
    Learned::from(language, &examples)
}

fn applied(learned: &Learned, text: &str, line: u32) -> Result<String, String> {
    let edits = learned.fix(text, (line, line), &ProjectFacts::default())?;
    Ok(String::from_utf8(splice(text.as_bytes(), &edits).unwrap()).unwrap())
}

#[test]
fn what_differs_becomes_a_variable_and_what_is_the_same_stays() {
    type Pairs = [(&'static str, &'static str)];
    let cases: [(Language, &Pairs, &str, &str); 5] = [
        (
            Language::Python,
            &[("a = yaml.load(text)\n", "a = yaml.safe_load(text)\n")],
            "yaml.load($A)",
            "yaml.safe_load($A)",
        ),
        (
            Language::Python,
            &[
                ("h = hashlib.md5(a).hexdigest()\n", "h = hashlib.sha256(a).hexdigest()\n"),
                ("x = hashlib.md5(b + c).digest()\n", "x = hashlib.sha256(b + c).digest()\n"),
            ],
            "hashlib.md5($A)",
            "hashlib.sha256($A)",
        ),
        (
            Language::Python,
            &[
                ("r = requests.get(url, verify=False)\n", "r = requests.get(url, verify=True)\n"),
                ("r = requests.get(base + '/x', verify=False)\n", "r = requests.get(base + '/x', verify=True)\n"),
            ],
            "requests.get($A, verify=False)",
            "requests.get($A, verify=True)",
        ),
        (
            Language::JavaScript,
            &[("const h = crypto.createHash('md5', options);\n", "const h = crypto.createHash('sha256', options);\n")],
            "crypto.createHash('md5', $A)",
            "crypto.createHash('sha256', $A)",
        ),
        (
            Language::Java,
            &[
                (
                    "class A { void f() { Object d = MessageDigest.getInstance(\"MD5\", p); } }\n",
                    "class A { void f() { Object d = MessageDigest.getInstance(\"SHA-256\", p); } }\n",
                ),
                (
                    "class B { Object g() { return MessageDigest.getInstance(\"MD5\", q()); } }\n",
                    "class B { Object g() { return MessageDigest.getInstance(\"SHA-256\", q()); } }\n",
                ),
            ],
            "MessageDigest.getInstance(\"MD5\", $A)",
            "MessageDigest.getInstance(\"SHA-256\", $A)",
        ),
    ];
    for (language, pairs, before, after) in cases {
        let learned = learned(language, pairs).unwrap_or_else(|| panic!("nothing learned of {pairs:?}"));
        assert_eq!(learned.shown(), (before.to_owned(), after.to_owned()));
    }
}

#[test]
fn a_learned_rewrite_fixes_another_place_with_its_import() {
    let learned = learned(
        Language::Python,
        &[(
            "import random\n\ndef token(n):\n    return random.choice(n)\n",
            "import random\nimport secrets\n\ndef token(n):\n    return secrets.choice(n)\n",
        )],
    )
    .unwrap();
    let other =
        "import random\r\n\r\ndef code(letters):\r\n    first = random.choice(letters[1:])\r\n    return first\r\n";
    assert_eq!(
        applied(&learned, other, 4).unwrap(),
        "import random\r\nimport secrets\r\n\r\ndef code(letters):\r\n    first = secrets.choice(letters[1:])\r\n    return first\r\n"
    );
    assert_eq!(learned.elsewhere(other), [(4, 4)]);
    assert!(applied(&learned, other, 5).unwrap_err().contains("not of the learned form"));
}

#[test]
fn a_variable_that_stands_twice_holds_the_same() {
    let learned = learned(
        Language::Python,
        &[("x = join(a, a)\n", "x = safe(a)\n"), ("x = join(b.c, b.c)\n", "x = safe(b.c)\n")],
    )
    .unwrap();
    assert_eq!(learned.shown().0, "join($A, $A)");
    assert_eq!(learned.elsewhere("x = join(q, q)\ny = join(q, r)\n"), [(1, 1)]);
}

#[test]
fn what_says_nothing_is_not_learned() {
    let cases: [&[(&str, &str)]; 6] = [
        // Nothing changed.
        &[("a = f(b)\n", "a = f(b)\n")],
        // A name alone.
        &[("a = b\n", "a = c\n"), ("d = e\n", "d = g\n")],
        // The new code knows what the old one does not.
        &[("a = f(b)\n", "a = f(b, 1)\n"), ("a = f(c)\n", "a = f(c, 2)\n")],
        // Two different changes.
        &[("a = f(b)\n", "a = g(b)\n"), ("h(i, j)\n", "k(j)\n")],
        // More than one statement.
        &[("a = f(b)\nc = d\n", "a = g(b)\nc = e\n")],
        &[],
    ];
    for pairs in cases {
        assert_eq!(learned(Language::Python, pairs), None, "{pairs:?}");
    }
}

#[test]
fn two_places_on_one_line_are_left_alone() {
    let learned = learned(Language::Python, &[("a = f(b)\n", "a = g(b)\n")]).unwrap();
    assert!(applied(&learned, "x = [f(1), f(2)]\n", 1).unwrap_err().contains("more than once"));
}

#[test]
fn the_order_of_examples_does_not_change_where_it_matches() {
    let pairs = [
        ("r = get(u, verify=False)\n", "r = get(u, verify=True)\n"),
        ("r = get(v(1), verify=False)\n", "r = get(v(1), verify=True)\n"),
        ("return_ = get('x', verify=False)\n", "return_ = get('x', verify=True)\n"),
    ];
    let mut turned = pairs;
    turned.reverse();
    let (one, other) = (learned(Language::Python, &pairs).unwrap(), learned(Language::Python, &turned).unwrap());
    assert_eq!(one, other);
    let read: Learned = serde_json::from_str(&one.signature()).unwrap();
    assert_eq!(read, one);
}

#[test]
fn a_rewrite_that_would_break_the_file_is_refused() {
    let learned = learned(Language::Python, &[("a = f(b)\n", "a = g(b)\n")]).unwrap();
    let error = learned.fix("def f(:\n", (1, 1), &ProjectFacts::default()).unwrap_err();
    assert!(error.contains("not of the learned form"), "{error}");
}
