//! Each lint with what it sees and what it leaves alone.

use conclave_core::finding::{Detection, FlowStep, Location, Region, Rule, Severity, Tool};
use conclave_core::smell::SmellKind::{self, *};

use super::*;

fn finding(path: &RelPath, line: u32, cwe: u32) -> Detection {
    Detection {
        tool: Tool { name: "Bandit".to_owned(), version: None },
        rule: Rule { id: "r".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: vec![cwe] },
        message: String::new(),
        severity: Severity::High,
        location: Some(Location { path: path.clone(), region: Some(Region::line(line)) }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    }
}

fn kinds(smells: &[Smell]) -> Vec<SmellKind> {
    let mut kinds: Vec<SmellKind> = smells.iter().map(|smell| smell.kind).collect();
    kinds.dedup();
    kinds
}

/// A change of a line in a file of its own, reported on its line 2.
fn check(name: &str, before: &str, after: &str, expect: &[SmellKind]) {
    let path = RelPath::new(name).expect("a path");
    let knows = |_: &RelPath, module: &str| module == "known";
    let mut smells = lint(&[Change { path: &path, before, after }], &finding(&path, 2, 78), &knows);
    // The examples are short, and most of their names stand nowhere.
    smells.retain(|smell| smell.kind != UnknownName || expect.contains(&UnknownName));
    assert_eq!(kinds(&smells), expect, "--- before\n{before}--- after\n{after}{smells:#?}");
}

#[test]
fn a_call_that_no_longer_works_is_seen() {
    let head = "import subprocess\n";
    for (after, broken) in [
        ("subprocess.run('ls -l', shell=False)", true),
        ("subprocess.run(f'ls {a}')", true),
        ("subprocess.run(['ls -l'])", true),
        ("command = 'ls -l'\nsubprocess.run(command)", true),
        ("subprocess.run(['ls', '-l'])", false),
        ("subprocess.run('ls')", false),
        ("subprocess.run(command)", false),
    ] {
        let expect: &[SmellKind] = if broken { &[BrokenCall] } else { &[] };
        let before = format!("{head}subprocess.run('ls -l', shell=True)\n");
        check("a.py", &before, &format!("{head}{after}\n"), expect);
    }
    let node = "const { exec, execFile } = require('child_process');\n";
    check(
        "a.js",
        &format!("{node}exec('ls -l', done);\n"),
        &format!("{node}execFile('ls -l', done);\n"),
        &[BrokenCall],
    );
    check("a.js", &format!("{node}exec('ls -l', done);\n"), &format!("{node}execFile('ls', ['-l'], done);\n"), &[]);
}

#[test]
fn placeholders_have_to_fit() {
    let before = "import sqlite3\ncur.execute('SELECT a FROM t WHERE b = ' + c)\n";
    for (after, expect) in [
        ("cur.execute('SELECT a FROM t WHERE b = ?', (c,))", &[][..]),
        ("cur.execute('SELECT a FROM t WHERE b = ? AND d = ?', (c,))", &[BadPlaceholder]),
        ("cur.execute(\"SELECT a FROM t WHERE b = '?'\", (c,))", &[BadPlaceholder]),
        ("cur.execute('SELECT a FROM t WHERE b = %s', (c,))", &[BadPlaceholder]),
        ("cur.execute('SELECT a FROM t WHERE b = :b', {'b': c})", &[]),
    ] {
        check("a.py", before, &format!("import sqlite3\n{after}\n"), expect);
    }
}

#[test]
fn a_fast_hash_is_seen_beside_a_password() {
    let before = "import hashlib\ndigest = hashlib.md5(password).hexdigest()\n";
    check("a.py", before, "import hashlib\ndigest = hashlib.sha256(password).hexdigest()\n", &[FastHash]);
    check("a.py", before, "import hashlib\ndigest = hashlib.scrypt(password, salt=salt, n=16384, r=8, p=1)\n", &[]);
    let plain = before.replace("password", "content");
    check("a.py", &plain, &plain.replace("md5", "sha256"), &[]);
}

#[test]
fn a_hidden_call_is_seen() {
    let before = "import os, subprocess\nos.system(command)\n";
    for after in [
        "getattr(os, 'system')(command)",
        "run = os.system\nrun(command)",
        "__import__('os').system(command)",
        "def go(c):\n    return os.system(c)\ngo(command)",
        "(lambda c: os.system(c))(command)",
    ] {
        let path = RelPath::new("a.py").expect("a path");
        let after = format!("import os, subprocess\n{after}\n");
        let found = lint(&[Change { path: &path, before, after: &after }], &finding(&path, 2, 78), &|_, _| true);
        assert!(kinds(&found).contains(&HiddenSink), "{after} {found:?}");
    }
    check("a.py", before, "import os, subprocess\nsubprocess.run(['sh', '-c', command])\n", &[HiddenSink]);
    check("a.py", before, "import os, subprocess\nsubprocess.run(shlex_split(command))\n", &[UnknownName]);
    check("a.py", before, "import os, subprocess\nsubprocess.run([command])\n", &[]);
}

#[test]
fn what_the_code_did_may_not_go() {
    let before = "def f(a):\n    b = check_out(a)\n    return b.total\n";
    check("a.py", before, "def f(a):\n    return None\n", &[FeatureRemoved, WeakenedCheck]);
    check("a.py", before, "def f(a):\n    return 0\n    b = check_out(a)\n    return b.total\n", &[FeatureRemoved]);
    check("a.py", before, "def f(a):\n    b = check_out(a)\n    return 1\n", &[FeatureRemoved]);
    check("a.py", before, "def f(a):\n    b = check_out(int(a))\n    return b.total\n", &[]);
    let script = "function f(a) {\n  return g(a);\n}\n";
    check("a.js", script, "function f(a) {\n  // return g(a);\n  h = 1;\n}\n", &[FeatureRemoved]);
    check(
        "A.java",
        "class A {\n  int f(int a) { return g(a); }\n}\n",
        "class A {\n  int f(int a) { return 0; }\n}\n",
        &[FeatureRemoved],
    );
}

#[test]
fn a_check_may_not_go_or_let_more_through() {
    let with = |guard: &str| format!("def f(user, a):\n{guard}    return g(user, a)\n");
    let before = with("    if not user.active or a.size > 10:\n        raise ValueError(a)\n");
    for (guard, weak) in [
        ("", true),
        ("    if not user.active:\n        raise ValueError(a)\n", true),
        ("    if (not user.active or a.size > 10) and not user.friend:\n        raise ValueError(a)\n", true),
        ("    if not user.active or a.size > 10 or a.kind != 'x':\n        raise ValueError(a)\n", false),
        ("    if False:\n        raise ValueError(a)\n", true),
        ("    if not user.active or a.size > 10:\n        print(a)\n", true),
        ("    if a.kind != 'x':\n        raise ValueError(a)\n", true),
        ("    if not user.active or a.size > 1000:\n        raise ValueError(a)\n", true),
        ("    if not user.active or a.size > 5:\n        raise ValueError(a)\n", false),
        ("    if a.strict:\n        if not user.active or a.size > 10:\n            raise ValueError(a)\n", true),
        (
            "    if a.kind != 'x':\n        raise KeyError(a)\n    if not user.active or a.size > 10:\n        raise ValueError(a)\n",
            false,
        ),
    ] {
        let expect: &[SmellKind] = if weak { &[WeakenedCheck] } else { &[] };
        check("a.py", &before, &with(guard), expect);
    }
    check(
        "a.py",
        "from flask import abort\ndef f(user, name):\n    if not user.known:\n        abort(401)\n    return send(name)\n",
        "from flask import abort\ndef f(user, name):\n    target = full(name)\n    if common(target) != ROOT:\n        abort(404)\n    return send(target)\n",
        &[WeakenedCheck],
    );
    for (before, after, weak) in [
        ("ALLOWED = {'a'}\nf(x in ALLOWED)\n", "ALLOWED = {'a', '*'}\nf(x in ALLOWED)\n", true),
        ("@login_required\ndef f(a):\n    g(a)\n", "def f(a):\n    g(a)\n", true),
        ("import html\nf('<b>' + html.escape(a))\n", "import html\nf('<b>' + a)\n", true),
        ("import re\nf(re.match('^[a-z]+$', a))\n", "import re\nf(re.match('.*', a))\n", true),
        ("x = 1\nf(a, verify=True)\n", "x = 1\nf(a, verify=False)\n", true),
        ("x = 1\nf(a, verify=False)\n", "x = 1\nf(a, verify=True)\n", false),
        ("x = 1\nf(a, httponly=True)\n", "x = 1\nf(a)\n", true),
    ] {
        let expect: &[SmellKind] = if weak { &[WeakenedCheck] } else { &[] };
        check("a.py", before, after, expect);
    }
}

#[test]
fn an_error_may_not_be_swallowed() {
    let before = "def f(a):\n    return g(a)\n";
    check(
        "a.py",
        before,
        "def f(a):\n    try:\n        return g(a)\n    except Exception:\n        pass\n",
        &[SwallowedError],
    );
    check(
        "a.py",
        before,
        "def f(a):\n    try:\n        return g(a)\n    except Exception:\n        return None\n",
        &[SwallowedError],
    );
    check(
        "a.py",
        before,
        "def f(a):\n    try:\n        b = int(a)\n    except ValueError:\n        raise KeyError(a)\n    return g(b)\n",
        &[],
    );
    let script = "function f(a) {\n  return g(a);\n}\n";
    check("a.js", script, "function f(a) {\n  try { return g(a); } catch (e) { }\n}\n", &[SwallowedError]);
    check(
        "a.js",
        script,
        "function f(a) {\n  try { new URL(a); } catch (e) { return null; }\n  return g(a);\n}\n",
        &[],
    );
}

#[test]
fn a_list_of_what_is_forbidden_is_seen() {
    let before = "def f(a):\n    return g(a)\n";
    check("a.py", before, "def f(a):\n    return g(a.replace(\"'\", ''))\n", &[DenyList]);
    check("a.py", before, "def f(a):\n    if '..' in a:\n        raise ValueError(a)\n    return g(a)\n", &[DenyList]);
    check(
        "a.py",
        before,
        "def f(a):\n    if a not in NAMES:\n        raise ValueError(a)\n    return g(a)\nNAMES = ('b',)\n",
        &[],
    );
    check(
        "a.js",
        "function f(a) {\n  return g(a);\n}\n",
        "function f(a) {\n  if (/[;|&]/.test(a)) { throw new Error('no'); }\n  return g(a);\n}\n",
        &[DenyList],
    );
    check(
        "a.js",
        "function f(a) {\n  return g(a);\n}\n",
        "function f(a) {\n  if (!/^[a-z]+$/.test(a)) { throw new Error('no'); }\n  return g(a);\n}\n",
        &[],
    );
}

#[test]
fn a_new_power_is_seen() {
    let before = "import os, requests\nreturned = g(a)\n";
    for line in
        ["requests.post('http://x', data=a)", "os.system(a)", "eval(a)", "os.remove(a)", "h(os.environ['HOME'])"]
    {
        check("a.py", before, &format!("{before}{line}\n"), &[NewPower]);
    }
    check("a.py", "import os, subprocess\nos.system('ls')\n", "import os, subprocess\nsubprocess.run(['ls'])\n", &[]);
}

#[test]
fn signatures_names_and_modules_are_compared() {
    let before = "import os\ndef f(a, b=1):\n    return g(a)\n";
    for (after, expect) in [
        ("import os\ndef f(a):\n    return g(a)\n", &[SignatureChanged][..]),
        ("import os\ndef f(a, b=1, c=2):\n    return g(a)\n", &[]),
        ("import os\nasync def f(a, b=1):\n    return g(a)\n", &[SignatureChanged]),
        ("import os\ndef f(a, b=1):\n    return g(quoted(a))\n", &[UnknownName]),
        ("import os, known\ndef f(a, b=1):\n    return g(known.quoted(a))\n", &[]),
        ("import os, foreign\ndef f(a, b=1):\n    return g(foreign.quoted(a))\n", &[NewDependency]),
        ("import os, html\ndef f(a, b=1):\n    return g(html.escape(a))\n", &[]),
        ("def f(a, b=1):\n    return g(os.path.basename(a))\n", &[UnknownName]),
    ] {
        check("a.py", before, after, expect);
    }
    check(
        "a.js",
        "function f(a) {\n  return g(a);\n}\n",
        "function f(a) {\n  return g(quoted(a));\n}\n",
        &[UnknownName],
    );
    check(
        "A.java",
        "class A {\n  int f(int a) { return g(a); }\n}\n",
        "class A {\n  int f(int a) { return g(new SecureRandom().nextInt()); }\n}\n",
        &[UnknownName],
    );
}

#[test]
fn other_places_are_seen() {
    let before = "def f(a):\n    return g(a)\n\ndef h(b):\n    return b\n";
    check("a.py", before, &before.replace("return b\n", "return b + 1\n"), &[UnrelatedChange]);
    let path = RelPath::new("a.py").expect("a path");
    let here = finding(&path, 2, 78);
    for (name, expect) in [
        ("b.py", &[OtherFile][..]),
        ("tests/a.py", &[TestEdit, OtherFile]),
        ("package.json", &[NewDependency, OtherFile]),
    ] {
        let path = RelPath::new(name).expect("a path");
        let smells = lint(&[Change { path: &path, before: "a = 1\n", after: "a = 2\n" }], &here, &|_, _| true);
        assert_eq!(kinds(&smells), expect, "{name}");
    }
}

#[test]
fn a_patch_around_the_symptom_is_seen_only_where_the_input_comes_from_elsewhere() {
    let before = "import os\n\n\n\n\n\n\n\n\ndef f(a):\n    os.system(a)\n";
    let after = before.replace("    os.system(a)\n", "    if a:\n        os.system(a)\n");
    let path = RelPath::new("a.py").expect("a path");
    for (source, expect) in [(1, &[SymptomOnly][..]), (10, &[])] {
        let mut finding = finding(&path, 11, 78);
        let step = |line| FlowStep {
            location: Location { path: path.clone(), region: Some(Region::line(line)) },
            message: None,
        };
        finding.flow = vec![step(source), step(11)];
        let smells = lint(&[Change { path: &path, before, after: &after }], &finding, &|_, _| true);
        assert_eq!(kinds(&smells), expect, "{smells:?}");
    }
}

#[test]
fn code_of_its_own_in_place_of_a_library_is_seen() {
    let before = "def f(a):\n    return g(a)\n";
    let after = "def escape_it(s):\n    return s.replace('x', 'y')\n\ndef f(a):\n    return g(escape_it(a))\n";
    check("a.py", before, after, &[HomeMade]);
}

#[test]
fn odd_code_is_survived() {
    for text in ["", "def f(:\n", "if (", "\u{0}", "class A {", &"(".repeat(5_000)] {
        for name in ["a.py", "a.js", "a.ts", "A.java", "a.txt"] {
            let path = RelPath::new(name).expect("a path");
            for (before, after) in [(text, "x = 1\n"), ("x = 1\n", text)] {
                lint(&[Change { path: &path, before, after }], &finding(&path, 1, 78), &|_, _| false);
            }
        }
    }
}
