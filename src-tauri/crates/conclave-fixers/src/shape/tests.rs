//! What comes to the same, and what does not.

use conclave_core::cluster::Mitigation;
use conclave_core::path::RelPath;

use super::*;

fn of(path: &str, before: &str, after: &str) -> Shape {
    let path = RelPath::new(path).expect("a path");
    shape(&[Change { path: &path, before, after }])
}

const PYTHON: &str = "import os\n\n\ndef f(a):\n    return os.system('ls ' + a)\n\n\ndef g():\n    return 1\n";

/// `f` of [`PYTHON`] with another body, and what stands before it.
fn python(imports: &str, body: &str) -> Shape {
    let after = format!("{imports}\n\n\ndef f(a):\n{body}\n\n\ndef g():\n    return 1\n");
    of("a.py", PYTHON, &after)
}

#[test]
fn layout_comments_quotes_and_made_up_names_change_nothing() {
    let imports = "import os\nimport subprocess";
    let plain = python(imports, "    x = subprocess.run(['ls', a])\n    return x");
    for body in [
        "    y = subprocess.run([\"ls\", a])\n    return y",
        "    # a list\n    done = subprocess.run(\n        ['ls', a]  # no shell\n    )\n\n    return done",
        "    x = subprocess.run(['ls', a]);\n    return x",
    ] {
        assert!(plain.is_like(&python(imports, body)), "{body}");
        assert_eq!(plain.body, python(imports, body).body, "{body}");
    }
    assert_eq!(plain.symbols, ["a.py:f"]);
    assert_eq!(plain.imports, ["import subprocess"]);
}

#[test]
fn other_code_other_members_and_other_imports_are_another_shape() {
    let imports = "import os\nimport subprocess";
    let plain = python(imports, "    return subprocess.run(['ls', a])");
    for (imports, body) in [
        (imports, "    return os.popen(['ls', a]).read()"),
        (imports, "    return subprocess.run(['ls', '--', a])"),
        (imports, "    return subprocess.run(['ls', a], check=True)"),
        (imports, "    if a:\n        return subprocess.run(['ls', a])"),
        ("import os\nimport shlex", "    return os.system('ls ' + shlex.quote(a))"),
        ("import os\nimport subprocess, shlex", "    return subprocess.run(['ls', a])"),
    ] {
        assert_ne!(plain.body, Digest::of(b""));
        assert!(!plain.is_like(&python(imports, body)), "{body}");
    }
    // One token of a dozen is near, and no other.
    let near = python(imports, "    return subprocess.call(['ls', a])");
    assert!(plain.body != near.body && plain.is_like(&near));
    // Blocks are told apart although Python has no braces.
    let inside = python("import os", "    if a:\n        b()\n        c()\n    return 1");
    let outside = python("import os", "    if a:\n        b()\n    c()\n    return 1");
    assert_ne!(inside.body, outside.body);
}

#[test]
fn javascript_and_java_are_read_the_same_way() {
    let before = "const cp = require('child_process');\nfunction f(a) {\n  cp.exec('ls ' + a);\n}\n";
    let one = of("a.js", before, &before.replace("cp.exec('ls ' + a);", "const r = cp.execFile('ls', [a]); return r;"));
    let other = of(
        "a.js",
        before,
        &before.replace("cp.exec('ls ' + a);", "// no shell\n  const out = cp.execFile(\"ls\", [a])\n  return out"),
    );
    assert_eq!(one.body, other.body);
    assert_eq!(
        (one.symbols.as_slice(), one.mitigation),
        (["a.js:f".to_owned()].as_slice(), Some(Mitigation::Parameterise))
    );
    let java = "class A {\n  void f(String a) {\n    run(\"ls \" + a);\n  }\n  void g() {}\n}\n";
    let one = of("A.java", java, &java.replace("run(\"ls \" + a);", "String[] x = {\"ls\", a};\n    run(x);"));
    let other = of("A.java", java, &java.replace("run(\"ls \" + a);", "String[] cmd = {\"ls\", a};\n    run(cmd);"));
    assert_eq!((&one.body, &one.symbols), (&other.body, &vec!["A.java:f".to_owned()]));
}

#[test]
fn what_stands_in_no_function_and_what_cannot_be_parsed_has_a_shape_too() {
    let module = of("a.py", "import os\nDEBUG = True\n", "import os\nDEBUG = False\n");
    assert_eq!(
        (module.symbols.as_slice(), module.mitigation),
        (["a.py:".to_owned()].as_slice(), Some(Mitigation::Configure))
    );
    let text = of("a.conf", "debug on\n", "debug   off\n");
    assert_eq!(text.body, of("a.conf", "debug on\n", "debug off\n").body);
    assert_ne!(text.body, of("a.conf", "debug on\n", "debug maybe\n").body);
}

#[test]
fn the_means_are_told_by_what_goes_and_what_comes() {
    let sql = "def f(c, a):\n    c.execute('SELECT * FROM t WHERE a = ' + a)\n";
    for (before, after, means) in [
        (sql, "def f(c, a):\n    c.execute('SELECT * FROM t WHERE a = ?', (a,))\n", Mitigation::Parameterise),
        (sql, "def f(c, a):\n    c.execute('SELECT * FROM t WHERE a = ' + escape(a))\n", Mitigation::Encode),
        (
            sql,
            "def f(c, a):\n    if a not in KNOWN:\n        raise ValueError\n    c.execute('SELECT * FROM t WHERE a = ' + a)\n",
            Mitigation::Validate,
        ),
        (sql, "def f(c, a):\n    pass\n", Mitigation::Remove),
        ("def f(a):\n    get(a, verify=False)\n", "def f(a):\n    get(a, verify=True)\n", Mitigation::Configure),
        ("def f(a):\n    get(a)\n", "def f(a):\n    get(a, timeout=10)\n", Mitigation::Bound),
        ("def f(a):\n    md5(a)\n", "def f(a):\n    sha256(a)\n", Mitigation::ReplaceApi),
        ("def f(a):\n    drop(a)\n", "def f(a):\n    check_permission(a)\n    drop(a)\n", Mitigation::Authorise),
    ] {
        assert_eq!(of("a.py", before, after).mitigation, Some(means), "{after}");
    }
}
