//! What counts as another signature, and what comes to a place.

use super::*;

#[test]
fn only_what_a_caller_meets_is_a_change() {
    use Language::{Java, JavaScript, Python, TypeScript};
    for (language, before, after, words) in [
        (Python, "def f(a, b=1):\n    pass\n", "def f(a, b = 1):\n    return a  # same\n", None),
        (Python, "def f(a: int) -> int:\n    pass\n", "def f(a: str) -> str:\n    pass\n", None),
        (Python, "def f(a):\n    pass\n", "def g():\n    pass\ndef f(a):\n    pass\n", None),
        (Python, "def f(a):\n    def g():\n        pass\n", "def f(a):\n    pass\n", None),
        (Python, "def f(a):\n    pass\n", "def f(b):\n    pass\n", Some("`f(a)` became `f(b)`")),
        (Python, "def f(a):\n    pass\n", "def f(a, b):\n    pass\n", Some("became `f(a, b)`")),
        (Python, "def f(a: int):\n    pass\n", "def f(a: int = 2):\n    pass\n", Some("became `f(a=2)`")),
        (Python, "def f(*a, **k):\n    pass\n", "def f(*a):\n    pass\n", Some("became")),
        (Python, "def f():\n    pass\n", "async def f():\n    pass\n", Some("became `async f()`")),
        (Python, "class A:\n    def f(self):\n        pass\n", "class A:\n    pass\n", Some("`A.f` is gone")),
        (JavaScript, "export const f = (a) => a;\n", "export const f = (a) => { return a; };\n", None),
        (JavaScript, "function f(a, done) {}\n", "async function f(a) {}\n", Some("became `async f(a)`")),
        (JavaScript, "class A { m({ b }) {} }\n", "class A { m({ c }) {} }\n", Some("`A.m({ b })` became")),
        (JavaScript, "function f() {}\n", "function* f() {}\n", Some("became `* f()`")),
        (TypeScript, "function f(a: string) {}\n", "function f(a?: string) {}\n", Some("became `f(a?)`")),
        (Java, "class A { int f(int a) { return 1; } }\n", "class A { int f(int a) { return 2; } }\n", None),
        (Java, "class A { void f() {} }\n", "class A { void f() throws E {} }\n", Some("throws E")),
        (
            Java,
            "class A { void f(int a) {} void f() {} }\n",
            "class A { void f() {} }\n",
            Some("`void A.f(int a)` is gone"),
        ),
    ] {
        let found = signature_change(language, before, after);
        match (words, &found) {
            (None, None) => {}
            (Some(words), Some(found)) if found.contains(words) => {}
            _ => panic!("{before:?} to {after:?}: {found:?}"),
        }
    }
}

#[test]
fn a_place_knows_its_function_and_what_comes_to_it() {
    use Language::{JavaScript, Python};
    let cases = [
        (Python, "def f(a, b: int = 1):\n    c = a.strip()\n    X(c)\n", None, Some("f"), &["a"][..]),
        (Python, "def f(a, b):\n    X()\n", None, Some("f"), &["a", "b"]),
        (Python, "class A:\n    def f(self, a):\n        def g():\n            X(a)\n", Some("A"), Some("f"), &["a"]),
        (Python, "def f(a, b):\n    with open(a) as c:\n        X(c)\n", None, Some("f"), &["a"]),
        (Python, "def f(a, b):\n    for c in b:\n        X(c)\n", None, Some("f"), &["b"]),
        (Python, "X(a)\n", None, None, &[]),
        (JavaScript, "export function f(a, { b }) {\n  const c = `${b}`;\n  X(c);\n}\n", None, Some("f"), &["b"]),
        (JavaScript, "const f = (a) => X(a);\n", None, Some("f"), &["a"]),
    ];
    for (language, text, class, function, reach) in cases {
        let tree = Tree::parse(language, text);
        let call =
            tree.root().walk().find(|node| node.text().starts_with("X(") && node.is(&["call", "call_expression"]));
        let found = callee(&call.expect("a call"));
        assert_eq!((found.class.as_deref(), found.function.as_deref()), (class, function), "{text}");
        assert_eq!(found.reach, reach, "{text}");
    }
}
