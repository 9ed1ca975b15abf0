//! No place that a log can name leads out of the project.

use super::*;

const ROOT: &str = "/home/dev/shop";

fn bases(list: &[(&str, Option<&str>, Option<&str>)]) -> HashMap<String, Base> {
    let owned = |text: &Option<&str>| text.map(str::to_owned);
    list.iter().map(|(id, uri, parent)| ((*id).to_owned(), Base { uri: owned(uri), parent: owned(parent) })).collect()
}

fn check(roots: &[&str], bases: &HashMap<String, Base>, (uri, base): (&str, Option<&str>), expect: &str) {
    let roots: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
    let seen = Resolver::new(&roots, bases).resolve(uri, base);
    let seen = seen.map_or_else(|reason| format!("! {reason}"), |path| path.to_string());
    assert_eq!(seen, expect, "{uri:?} under {base:?}");
}

#[test]
fn places_without_a_base() {
    let rows = [
        ("src/app.py", "src/app.py"),
        ("./src//app.py", "src/app.py"),
        ("src/../lib/a.c", "lib/a.c"),
        ("sp%C3%A4ce%20dir/a.py", "späce dir/a.py"),
        ("späce dir/a.py", "späce dir/a.py"),
        ("src/C#/a.cs", "src/C#/a.cs"),
        ("100%/a.py", "100%/a.py"),
        ("src\\app.py", "src/app.py"),
        ("src/win\\app.py", "src/win/app.py"),
        ("/home/dev/shop/src/app.py", "src/app.py"),
        ("/home/dev/shop/../shop/src/app.py", "src/app.py"),
        ("file:///home/dev/shop/src/app.py", "src/app.py"),
        ("file:/home/dev/shop/src/app.py", "src/app.py"),
        ("FILE://LocalHost/home/dev/shop/src/app.py", "src/app.py"),
        ("file:///home/dev/shop/a%20b.py", "a b.py"),
        ("", "! it names no file"),
        (".", "! it names the project itself"),
        ("file:///home/dev/shop/", "! it names the project itself"),
        ("../app.py", "! it leaves the project"),
        ("src/../../app.py", "! it leaves the project"),
        ("..\\app.py", "! it leaves the project"),
        ("/etc/passwd", "! it is outside the project"),
        ("/home/dev/shop2/a.py", "! it is outside the project"),
        ("/home/dev/Shop/a.py", "! it is outside the project"),
        ("/home/dev/shop/../../../etc/passwd", "! it is outside the project"),
        ("/../../etc/passwd", "! it is outside the project"),
        ("file:///etc/passwd", "! it is outside the project"),
        ("file://attacker/share/x", "! it names the machine `attacker`"),
        ("file://c:/test/x", "! it names the machine `c:`"),
        ("file:////attacker/share/x", "! it names a share on a network"),
        ("file:src/app.py", "! it is a `file:` address, not a file"),
        ("//attacker/share/x", "! it names a share on a network"),
        ("\\\\attacker\\share\\x", "! it names a share on a network"),
        ("\\\\?\\C:\\x", "! it names a share on a network"),
        ("\\/attacker/x", "! it names a share on a network"),
        ("\\src\\app.py", "! it is an absolute path without its drive"),
        ("C:\\x", "! it is outside the project"),
        ("C:/x", "! it is outside the project"),
        ("c:x", "! it is an absolute path without its drive"),
        ("http://127.0.0.1:80/x", "! it is a `http:` address, not a file"),
        ("javascript:alert(1)", "! it is a `javascript:` address, not a file"),
        ("src/%2e%2e/%2e%2e/x", "! it hides a separator or dots behind escapes"),
        ("src%2F..%2F..%2Fx", "! it hides a separator or dots behind escapes"),
        ("src%5Cx", "! it hides a separator or dots behind escapes"),
        ("a%00.py", "! it hides a separator or dots behind escapes"),
        ("%252e%252e/x", "! it is escaped twice"),
        ("a%2500.py", "! it is escaped twice"),
        ("..%5cx\\y", "! it is escaped twice"),
        ("%c0%ae%c0%ae/x", "! its escapes are not UTF-8"),
        ("a\0b", "! it holds a control character"),
        ("a\nb", "! it holds a control character"),
        ("file:///home/dev/shop\\x", "! it mixes a URI with backslashes"),
        ("src/nul.txt", "! the path has a component that cannot be a file name everywhere"),
        ("src/a.py.", "! the path has a component that cannot be a file name everywhere"),
        ("src/a:b", "! the path has a component that cannot be a file name everywhere"),
        ("src/.../x", "! the path leaves the project"),
        ("src/.. /x", "! the path leaves the project"),
    ];
    for (uri, expect) in rows {
        check(&[ROOT, "/private/shop"], &HashMap::new(), (uri, None), expect);
    }
    check(&[ROOT, "/private/shop"], &HashMap::new(), ("file:///private/shop/a.py", None), "a.py");
    check(&[], &HashMap::new(), ("/home/dev/shop/a.py", None), "! it is outside the project");
    check(&["/"], &HashMap::new(), ("/etc/a.py", None), "etc/a.py");
    check(&["relative"], &HashMap::new(), ("/relative/a.py", None), "! it is outside the project");
    let long = "x/".repeat(5_000);
    check(&[ROOT], &HashMap::new(), (&long, None), "! it is too long");
}

#[test]
fn projects_on_a_drive() {
    let rows = [
        ("C:\\Code\\Shop\\src\\app.cs", "src/app.cs"),
        ("c:/code/shop/src/app.cs", "src/app.cs"),
        ("file:///C:/code/shop/src/a%20b.cs", "src/a b.cs"),
        ("file:///C:\\code\\shop\\app.cs", "app.cs"),
        ("file:///C%3A/code/shop/app.cs", "! it is outside the project"),
        ("D:\\code\\shop\\app.cs", "! it is outside the project"),
        ("C:\\code\\shop\\..\\..\\secret", "! it is outside the project"),
        ("/code/shop/app.cs", "! it is outside the project"),
    ];
    for (uri, expect) in rows {
        check(&["C:\\code\\shop"], &HashMap::new(), (uri, None), expect);
    }
}

#[test]
fn bases_are_followed_and_the_source_root_stands_for_the_project() {
    let ci = bases(&[
        ("%SRCROOT%", Some("file:///D:/a/1/s/"), None),
        ("LIB", Some("lib/"), Some("%SRCROOT%")),
        ("BIN", Some("file:///C:/bin/"), None),
    ]);
    check(&[ROOT], &ci, ("src/a.c", Some("%SRCROOT%")), "src/a.c");
    check(&[ROOT], &ci, ("a.c", Some("LIB")), "lib/a.c");
    check(&[ROOT], &ci, ("../a.c", Some("LIB")), "a.c");
    check(&[ROOT], &ci, ("../../a.c", Some("LIB")), "! it leaves the project");
    check(&[ROOT], &ci, ("file:///D:/a/1/s/src/a.c", None), "src/a.c");
    check(&[ROOT], &ci, ("file:///D:/a/1/other/a.c", None), "! it is outside the project");
    check(&[ROOT], &ci, ("a.dll", Some("BIN")), "! it is outside the project");
    check(&[ROOT], &ci, ("a.c", Some("NOWHERE")), "a.c");

    let here = bases(&[("SRCROOT", Some("file:///home/dev/shop/src"), None)]);
    check(&[ROOT], &here, ("a.py", Some("SRCROOT")), "src/a.py");
    check(&[ROOT], &here, ("../a.py", Some("SRCROOT")), "a.py");
    check(&[ROOT], &here, ("../../other/a.py", Some("SRCROOT")), "! it leaves the project");

    let above = bases(&[("SRCROOT", Some("file:///home/dev/"), None)]);
    check(&[ROOT], &above, ("shop/a.py", Some("SRCROOT")), "a.py");
    check(&[ROOT], &above, ("other/a.py", Some("SRCROOT")), "! it is outside the project");

    let whole_disk = bases(&[("ROOTPATH", Some("file:///"), None)]);
    check(&[ROOT], &whole_disk, ("main.tf", Some("ROOTPATH")), "main.tf");
    check(&[ROOT], &whole_disk, ("../etc/passwd", Some("ROOTPATH")), "! it leaves the project");

    let remote = bases(&[("SRCROOT", Some("https://example.invalid/repo/"), None), ("X", Some("http://x/"), None)]);
    check(&[ROOT], &remote, ("a.py", Some("SRCROOT")), "a.py");
    check(&[ROOT], &remote, ("a.py", Some("X")), "! it is a `http:` address, not a file");

    let open = bases(&[("REPO", None, None), ("SRC", Some(" src/"), Some("REPO")), ("UP", Some("../"), None)]);
    check(&[ROOT], &open, ("a.py", Some("SRC")), "src/a.py");
    check(&[ROOT], &open, ("a.py", Some("UP")), "! it leaves the project");
}

#[test]
fn cycles_and_long_chains_of_bases_end() {
    let cycle = bases(&[("A", Some("a/"), Some("B")), ("B", Some("b/"), Some("A")), ("C", Some("c/"), Some("C"))]);
    for id in ["A", "B", "C"] {
        check(&[ROOT], &cycle, ("x", Some(id)), &format!("! its base `{id}` builds on itself"));
    }
    let chain: HashMap<String, Base> = (0..10_000)
        .map(|n| (format!("B{n}"), Base { uri: Some("d/".to_owned()), parent: Some(format!("B{}", n + 1)) }))
        .collect();
    check(&[ROOT], &chain, ("x", Some("B0")), "! its base `B0` builds on too many others");
    let last = format!("B{}", 10_000 - 2);
    check(&[ROOT], &chain, ("x", Some(&last)), "d/d/x");
}

/// Whether `path` leads out of the folder it is joined to, for a reader that decodes it up to `times` times and takes a
/// backslash for a separator. Written without the code under test.
fn leaves(path: &str, times: usize) -> bool {
    let mut text = path.to_owned();
    for _ in 0..=times {
        let unix = text.replace('\\', "/");
        if unix.starts_with('/') || unix.contains(':') || unix.contains('\0') {
            return true;
        }
        let mut depth = 0_i32;
        for part in unix.split('/') {
            match part.trim_end_matches(' ') {
                "" | "." => {}
                dots if dots.len() > 1 && dots.chars().all(|c| c == '.') => depth -= 1,
                _ => depth += 1,
            }
            if depth < 0 {
                return true;
            }
        }
        for (escape, plain) in [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%00", "\0"), ("%3a", ":"), ("%25", "%")] {
            text = text.replace(escape, plain).replace(&escape.to_ascii_uppercase(), plain);
        }
    }
    false
}

#[test]
fn the_judge_of_escapes_knows_them() {
    for path in [
        "../x",
        "a/../../x",
        "/x",
        "\\\\h\\s",
        "C:/x",
        "%2e%2e/x",
        "a/%252e%252e/%252e%252e/x",
        "a\0",
        ".. /x",
        "a/..\\..\\x",
    ] {
        assert!(leaves(path, 3), "{path}");
    }
    for path in ["x", "a/b", "a/../b", "..a/b", "a%20b"] {
        assert!(!leaves(path, 3), "{path}");
    }
}

#[test]
fn no_vector_leaves_the_project() {
    let dots = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "%252e%252e",
        "%25252e%25252e",
        "..%00",
        ".. ",
        "...",
        "%c0%ae%c0%ae",
        "．．",
        "..;",
    ];
    let separators = ["/", "\\", "%2f", "%5c", "%252f", "%255c", "//", "\\\\", "/./", "%c0%af", "／", "\\/"];
    let targets = [
        "etc/passwd",
        "windows\\win.ini",
        ".ssh/id_rsa",
        "nul",
        "x%00.py",
        "con.txt",
        "x.py.",
        "x.py ",
        ".git/hooks/pre-commit",
    ];
    let prefixes = [
        "",
        "/",
        "\\",
        "//",
        "\\\\",
        "./",
        "src/",
        "src\\",
        "C:",
        "C:\\",
        "C:/",
        "\\\\?\\C:\\",
        "\\\\.\\pipe\\",
        "//host/share/",
        "file:",
        "file:/",
        "file://",
        "file:///",
        "file:////",
        "file://host/",
        "file:///C:/",
        "file:///home/dev/shop/",
        "/home/dev/shop/",
        "http://host/",
        "smb://host/",
        "jar:file:///",
        "%2f",
        "file:%2f%2f/",
        "FILE:///",
    ];
    let contexts: [HashMap<String, Base>; 4] = [
        HashMap::new(),
        bases(&[("B", Some("src/"), Some("%SRCROOT%")), ("%SRCROOT%", Some("file:///home/dev/shop/"), None)]),
        bases(&[("B", Some("file:///"), None)]),
        bases(&[("B", Some("../../"), None)]),
    ];
    let (mut vectors, mut resolved, mut escapes) = (0_usize, 0_usize, Vec::new());
    let mut judge = |seen: Result<RelPath, Unresolved>, vector: &str| {
        vectors += 1;
        if let Ok(path) = seen {
            resolved += 1;
            if leaves(path.as_str(), 3) {
                escapes.push(format!("{vector} -> {path}"));
            }
        }
    };
    for root in [ROOT, "C:\\code\\shop"] {
        let roots = [root.to_owned()];
        for context in &contexts {
            let resolver = Resolver::new(&roots, context);
            for prefix in prefixes {
                for dot in dots {
                    for separator in separators {
                        for depth in [1, 3, 8] {
                            for target in targets {
                                let vector = format!("{prefix}{}{target}", format!("{dot}{separator}").repeat(depth));
                                judge(resolver.resolve(&vector, None), &vector);
                                judge(resolver.resolve(&vector, Some("B")), &vector);
                            }
                        }
                    }
                }
            }
        }
        // The same vectors as the base of an innocent place.
        for prefix in prefixes {
            for dot in dots {
                for separator in separators {
                    let vector = format!("{prefix}{}", format!("{dot}{separator}").repeat(4));
                    for id in ["B", "%SRCROOT%"] {
                        let resolver = Resolver::new(&roots, &bases(&[(id, Some(&vector), None)]));
                        judge(resolver.resolve("etc/passwd", Some(id)), &vector);
                    }
                }
            }
        }
    }
    assert_eq!(escapes, Vec::<String>::new());
    assert!(vectors > 100_000 && resolved > 0, "{vectors} vectors, {resolved} resolved");
}

proptest::proptest! {
    #[test]
    fn no_text_leaves_the_project(uri in "[a./\\\\%2ef5c: ?é#\u{0}-]{0,24}", base in "[a./\\\\%2ef5c:]{0,12}", root in "[a./\\\\C:]{0,6}") {
        let resolver = Resolver::new(&[root], &bases(&[("B", Some(&base), None)]));
        for base in [None, Some("B")] {
            if let Ok(path) = resolver.resolve(&uri, base) {
                proptest::prop_assert!(!leaves(path.as_str(), 3), "{} -> {}", uri, path);
            }
        }
    }
}
