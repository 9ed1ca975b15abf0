//! Whether executed tests are known to reach a change; without coverage that is told by names.
//!
//! Only a reason to believe less: tests that reach the change in a way that no name tells count as if they did not.

use std::collections::BTreeMap;

use conclave_core::path::RelPath;
use conclave_fixers::Place;

use super::report::{Ending, Test};

/// Files whose name says nothing; the folder’s does.
const NAMELESS: [&str; 5] = ["__init__", "index", "mod", "lib", "main"];

/// Whether a test that passed is known to reach each of the `changed` files: it lies in it, names it by its id as a
/// module, or its file names it. `files` are those of the project, and `text` gives their texts.
pub(crate) fn reaches<'c>(
    changed: impl Iterator<Item = &'c RelPath>,
    tests: &BTreeMap<String, Test>,
    files: &[String],
    text: &dyn Fn(&str) -> Option<String>,
) -> bool {
    let passed = || tests.values().filter(|test| test.ending == Ending::Passed);
    let mut told: Vec<&str> = passed().filter_map(|test| test.file.as_deref()).collect();
    told.sort_unstable();
    told.dedup();
    // Where no file is told, the test's own name stands in the file that holds it.
    let titles: Vec<&str> = passed().filter(|test| test.file.is_none()).filter_map(|test| title(&test.id)).collect();
    let executed = |file: &String| {
        let is_told = told.iter().any(|told| is_end(file, told));
        let text = if is_told || (!titles.is_empty() && is_test(file)) { text(file) } else { None };
        text.filter(|text| is_told || titles.iter().any(|title| text.contains(title)))
    };
    let texts: Vec<(&String, String)> = files.iter().filter_map(|file| Some((file, executed(file)?))).collect();
    let mut changed = changed.peekable();
    changed.peek().is_some()
        && changed.all(|path| {
            let name = name(path);
            let in_id = |test: &Test| test.file.is_none() && words(&test.id).any(|word| word == name);
            let in_file = |(file, text): &(&String, String)| {
                *file == path.as_str()
                    || names(text, name)
                    || (is_seen_in_its_package(path) && words(text).any(|word| word == name))
            };
            texts.iter().any(in_file) || passed().any(in_id)
        })
}

fn is_test(file: &str) -> bool {
    RelPath::new(file).is_ok_and(|path| Place::of(&path) == Some(Place::Test))
}

/// What a test is called in its file, as far as an id tells.
fn title(id: &str) -> Option<&str> {
    let name = id.rsplit(" > ").next()?;
    let name = name.rsplit("::").next()?.split(['[', '(', '/', '#']).next()?.trim();
    (name.len() > 2).then_some(name)
}

/// The name by which other files call the file at `path`.
fn name(path: &RelPath) -> &str {
    let stem = path.file_name().split('.').next().unwrap_or_default();
    let folder = path.parent().rsplit('/').next().filter(|folder| !folder.is_empty());
    // A package of Go is its folder.
    let nameless = NAMELESS.contains(&stem) || path.as_str().ends_with(".go");
    if nameless { folder.unwrap_or(stem) } else { stem }
}

/// Whether tests of the same package need not take it in.
fn is_seen_in_its_package(path: &RelPath) -> bool {
    [".java", ".kt", ".scala", ".groovy", ".cs", ".fs", ".vb", ".php", ".rb"]
        .iter()
        .any(|end| path.as_str().ends_with(end))
}

/// Whether `file` ends with the path `end`.
fn is_end(file: &str, end: &str) -> bool {
    let end = end.trim_start_matches("/scratch/").trim_start_matches("./");
    file == end || file.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'))
}

/// Whether a line of `text` that takes something in from elsewhere has the word `name`.
fn names(text: &str, name: &str) -> bool {
    let takes = |line: &&str| {
        let line = line.trim_start();
        ["import", "from ", "use "].iter().any(|start| line.starts_with(start))
            || ["import(", "from '", "from \"", "require"].iter().any(|sign| line.contains(sign))
    };
    // What one file takes in may be named over several lines.
    text.lines().filter(takes).any(|line| words(line).any(|word| word == name)) || in_brackets(text, name)
}

/// Python’s and JavaScript’s lists of names over several lines.
fn in_brackets(text: &str, name: &str) -> bool {
    let starts = ["import (", "import {"];
    starts.iter().flat_map(|start| text.match_indices(start)).any(|(at, start)| {
        let rest = &text[at + start.len()..];
        let end = rest.find([')', '}']).unwrap_or(0);
        words(&rest[..end]).any(|word| word == name)
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_reaches_what_it_takes_in_by_name() {
        let files = [
            "web/test/web.test.js",
            "tests/test_shop.py",
            "shop/orders.py",
            "shop/__init__.py",
            "src/cart.rs",
            "spec/a_spec.rb",
        ];
        let files = files.map(str::to_owned);
        let cases = [
            ("shop/orders.py", "from shop import catalog, orders", true),
            ("shop/orders.py", "from shop import (\n    catalog,\n    orders,\n)\n", true),
            ("shop/orders.py", "import shop.orders", true),
            ("shop/orders.py", "from shop import reorders", false),
            ("shop/orders.py", "orders = 3\n", false),
            ("shop/__init__.py", "import shop", true),
            ("web/sessions.js", "import { customerOf } from '../sessions.js';", true),
            ("web/sessions.js", "const { customerOf } = require('../sessions');", true),
            ("web/sessions.js", "import { x } from '../sessions-old.js';", false),
            ("tests/test_shop.py", "", true),
            ("src/main/java/shop/Cart.java", "class CartTest { Cart cart = new Cart(); }", true),
            ("src/main/java/shop/Cart.java", "class CartTest {}", false),
        ];
        for (changed, text, expect) in cases {
            let path = RelPath::new(changed).expect("a path");
            let executed = |ending| {
                let test = Test { file: Some("./tests/test_shop.py".to_owned()), ..Test::new("a", ending) };
                BTreeMap::from([("a".to_owned(), test)])
            };
            let look = |ending| reaches([&path].into_iter(), &executed(ending), &files, &|_| Some(text.to_owned()));
            assert_eq!(look(Ending::Passed), expect, "{changed} by {text}");
            assert!(!look(Ending::Failed), "{changed}: a test that fails shows nothing");
        }
    }

    #[test]
    fn a_test_without_a_file_is_found_by_its_title() {
        let files = ["web/sessions.js", "web/test/web.test.js"].map(str::to_owned);
        let path = RelPath::new("web/sessions.js").expect("a path");
        let text = "import { end } from '../sessions.js';\ntest('a session ends', () => {});\n";
        for (id, expect) in [("group > a session ends", true), ("group > a cart is empty", false)] {
            let tests = BTreeMap::from([(id.to_owned(), Test::new(id, Ending::Passed))]);
            let look = |file: &str| file.contains("test").then(|| text.to_owned());
            assert_eq!(reaches([&path].into_iter(), &tests, &files, &look), expect, "{id}");
        }
    }

    #[test]
    fn an_id_tells_the_module_where_no_file_is_told() {
        let test = Test::new("shop > cart::tests::adds", Ending::Passed);
        let tests = BTreeMap::from([(test.id.clone(), test)]);
        for (changed, expect) in
            [("src/cart.rs", true), ("src/till.rs", false), ("src/cart/mod.rs", true), ("cart/add.go", true)]
        {
            let path = RelPath::new(changed).expect("a path");
            assert_eq!(reaches([&path].into_iter(), &tests, &[], &|_| None), expect, "{changed}");
        }
        assert!(!reaches(std::iter::empty(), &tests, &[], &|_| None), "nothing changed");
    }
}
