//! Protected paths in every spelling that a file system may read as the same.

use unicode_normalization::UnicodeNormalization;

use super::*;

fn of(path: &str) -> Option<Place> {
    Place::of(&RelPath::new(path).expect("a path"))
}

#[test]
fn each_kind_of_file_is_known() {
    use Place::{Build, Ci, Editor, Lock, Manifest, Scanner, Startup, Test, VersionControl};
    for (path, place) in [
        ("src/app.py", None),
        ("src/contest.py", None),
        ("src/hookshot.py", None),
        ("web/attest.js", None),
        ("web/eslint.configs.js", None),
        ("src/builder.py", None),
        ("docs/requirements.md", None),
        ("tests/app.py", Some(Test)),
        ("src/Test_App.py", Some(Test)),
        ("shop/tests.py", Some(Test)),
        ("web/test.js", Some(Test)),
        ("web/cart.test.js", Some(Test)),
        ("web/__snapshots__/cart.js.snap", Some(Test)),
        ("src/CartTest.java", Some(Test)),
        ("jest.config.mjs", Some(Test)),
        (".GITHUB/workflows/ci.yml", Some(Ci)),
        ("docs/CODEOWNERS", Some(Ci)),
        ("Cargo.lock", Some(Lock)),
        ("web/package-lock.json", Some(Lock)),
        ("web/eslint.config.mjs", Some(Scanner)),
        (".eslintrc.json", Some(Scanner)),
        (".eslintrc", Some(Scanner)),
        (".husky/pre-commit", Some(Scanner)),
        (".bandit", Some(Scanner)),
        (".gitattributes", Some(Scanner)),
        ("sub/.Git/hooks/pre-commit", Some(VersionControl)),
        (".git/config", Some(VersionControl)),
        (".gitmodules", Some(VersionControl)),
        ("GIT~1/config", Some(VersionControl)),
        (".vscode/tasks.json", Some(Editor)),
        ("Makefile", Some(Build)),
        ("app/Dockerfile", Some(Build)),
        (".bashrc", Some(Startup)),
        ("package.json", Some(Manifest)),
    ] {
        assert_eq!(of(path), place, "{path}");
    }
}

/// One file for each ecosystem that lists dependencies, and its lock file.
#[test]
fn the_lists_of_dependencies_of_twelve_ecosystems_are_known() {
    let ecosystems: [(&str, &[&str]); 12] = [
        ("Python", &["requirements.txt", "requirements-dev.in", "pyproject.toml", "setup.py", "Pipfile", "uv.lock"]),
        ("npm", &["package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", ".npmrc"]),
        ("Maven", &["pom.xml"]),
        ("Gradle", &["build.gradle", "app/build.gradle.kts", "gradle/libs.versions.toml", "gradle.lockfile"]),
        ("Rust", &["Cargo.toml", "Cargo.lock"]),
        ("Go", &["go.mod", "go.sum"]),
        ("Ruby", &["Gemfile", "Gemfile.lock", "a.gemspec"]),
        ("PHP", &["composer.json", "composer.lock"]),
        (".NET", &["App.csproj", "packages.config", "Directory.Packages.props", "packages.lock.json"]),
        ("Swift", &["Package.swift", "Package.resolved", "Podfile"]),
        ("Dart", &["pubspec.yaml", "pubspec.lock"]),
        ("Elixir", &["mix.exs", "mix.lock"]),
    ];
    for (ecosystem, files) in ecosystems {
        for file in files {
            let place = of(file);
            assert!(matches!(place, Some(Place::Manifest | Place::Lock)), "{ecosystem}: {file} is {place:?}");
        }
    }
}

#[test]
fn no_spelling_of_a_protected_path_is_missed() {
    let protected = [
        ".git/config",
        ".github/workflows/release.yml",
        ".husky/pre-commit",
        ".vscode/settings.json",
        ".claude/settings.json",
        "package.json",
        "Makefile",
        ".bashrc",
        "tests/app.py",
        ".gitattributes",
        "docs/CODEOWNERS",
        ".pre-commit-config.yaml",
    ];
    type Spelling = fn(&str) -> String;
    let spellings: [(&str, Spelling); 7] = [
        ("upper case", |path| path.to_uppercase()),
        ("one capital", |path| path.replacen('g', "G", 1)),
        ("ignored characters", |path| path.replacen('i', "i\u{200c}", 1)),
        ("soft hyphen", |path| path.replacen('t', "\u{ad}t", 1)),
        ("full width", |path| path.replacen('c', "\u{ff43}", 1)),
        ("long s", |path| path.replacen('s', "\u{17f}", 1)),
        ("Kelvin sign", |path| path.replacen('k', "\u{212a}", 1)),
    ];
    for path in protected {
        let place = of(path);
        assert!(place.is_some(), "{path}");
        for (what, spelling) in spellings {
            assert_eq!(of(&spelling(path)), place, "{path}, {what}");
        }
    }
}

#[test]
fn decomposed_letters_are_the_composed_ones() {
    let path = "tests/r\u{e9}sum\u{e9}.py";
    let decomposed: String = path.nfd().collect();
    assert_ne!(path, decomposed);
    assert_eq!(plain(path), plain(&decomposed));
    assert_eq!(of(&decomposed), Some(Place::Test));
}
