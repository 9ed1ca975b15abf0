//! Names: what an import, an alias or a require makes of a name.

use conclave_core::language::Language;

use super::Names;
use crate::syntax::{Node, Tree};

/// The node whose text is `text`, the last one in the file.
fn last<'t>(tree: &'t Tree, text: &str) -> Node<'t> {
    tree.root().walk().filter(|node| node.is_named() && node.text() == text).last().expect("the text is there")
}

fn check(language: Language, text: &str, node: &str, expect: &[&str]) {
    let tree = Tree::parse(language, text);
    let names = Names::of(&tree);
    assert_eq!(names.full_names(&last(&tree, node)), expect, "{text}");
}

#[test]
fn python_names_follow_imports_and_stop_at_shadows() {
    for (text, node, expect) in [
        ("import subprocess\nsubprocess.run(a)\n", "subprocess.run", &["subprocess.run"][..]),
        ("import subprocess as s\ns.run(a)\n", "s.run", &["subprocess.run"]),
        ("from subprocess import run as r\nr(a)\n", "r", &["subprocess.run"]),
        ("import os.path\nos.system(a)\n", "os.system", &["os.system"]),
        ("from subprocess import *\nrun(a)\n", "run", &["subprocess.run"]),
        ("try:\n    import yaml\nexcept ImportError:\n    yaml = None\nyaml.load(a)\n", "yaml.load", &["yaml.load"]),
        ("import subprocess\nrun = subprocess.run\nrun(a)\n", "run", &["subprocess.run"]),
        ("subprocess.run(a)\n", "subprocess.run", &[]),
        ("from subprocess import run\ndef run(x): pass\nrun(a)\n", "run", &[]),
        ("import tarfile\ndef f(tarfile):\n    tarfile.open(a)\n", "tarfile.open", &[]),
        ("import re\nclass A:\n    re = 1\n    def f(self):\n        re.match(a)\n", "re.match", &["re.match"]),
        ("from . import run\nrun(a)\n", "run", &["..run"]),
    ] {
        check(Language::Python, text, node, expect);
    }
}

#[test]
fn javascript_names_follow_imports_and_require() {
    for (text, node, expect) in [
        ("const cp = require('child_process');\ncp.exec(a);", "cp.exec", &["child_process.exec"][..]),
        ("const { exec: run } = require('node:child_process');\nrun(a);", "run", &["child_process.exec"]),
        ("const run = require('child_process').exec;\nrun(a);", "run", &["child_process.exec"]),
        ("require('child_process').exec(a);", "require('child_process').exec", &["child_process.exec"]),
        ("import { exec as run } from 'child_process';\nrun(a);", "run", &["child_process.exec"]),
        ("import * as cp from 'child_process';\ncp.exec(a);", "cp.exec", &["child_process.exec"]),
        ("import cp from 'node:child_process';\nconst { exec } = cp;\nexec(a);", "exec", &["child_process.exec"]),
        ("exec(a);", "exec", &["exec"]),
        ("import { exec } from 'child_process';\nfunction f(exec) { exec(a); }", "exec", &[]),
        ("const { exec } = require('child_process');\n{ const exec = f(); exec(a); }", "exec", &[]),
    ] {
        check(Language::JavaScript, text, node, expect);
        check(Language::TypeScript, text, node, expect);
    }
    check(
        Language::TypeScript,
        "import cp = require('child_process');\ncp.exec(a);",
        "cp.exec",
        &["child_process.exec"],
    );
}

#[test]
fn java_names_follow_imports() {
    for (text, node, expect) in [
        ("import java.util.Random;\nclass A { Object b = new Random(); }", "Random", &["java.util.Random"][..]),
        (
            "import java.util.*;\nclass A { Object b = new Random(); }",
            "Random",
            &["java.util.Random", "java.lang.Random"],
        ),
        ("class A { Object b = new java.util.Random(); }", "java.util.Random", &["java.util.Random"]),
        ("import java.util.*;\nclass Random {}\nclass A { Object b = new Random(); }", "Random", &[]),
    ] {
        check(Language::Java, text, node, expect);
    }
}

#[test]
fn a_variable_has_an_only_value_when_nothing_else_assigns_it() {
    for (language, text, expect) in [
        (Language::Python, "def f(x):\n    q = 'a' + x\n    use(q)\n", Some("'a' + x")),
        (Language::Python, "def f(x):\n    q = 'a'\n    q += x\n    use(q)\n", None),
        (Language::Python, "q = 'a'\ndef g():\n    global q\n    q = b\ndef f():\n    use(q)\n", None),
        (Language::Python, "def f(q):\n    use(q)\n", None),
        (Language::JavaScript, "let q = 'a'; function g() { q = b; } function f() { use(q); }", None),
        (Language::JavaScript, "const q = 'a'; use(q);", Some("'a'")),
        (Language::Java, "class A { void f() { String q = \"a\"; use(q); } }", Some("\"a\"")),
        (Language::Java, "class A { void f() { String q = \"a\"; q = b; use(q); } }", None),
    ] {
        let tree = Tree::parse(language, text);
        let names = Names::of(&tree);
        let value = names.only_value("q", last(&tree, "q").range().start);
        assert_eq!(value.map(|node| node.text().into_owned()).as_deref(), expect, "{text}");
    }
}
