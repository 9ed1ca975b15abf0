//! The shape of the house, held by tests: which crate may lean on which, where each kind of thing lives, and what stands
//! nowhere.
//!
//! A rule that proves wrong is changed here on purpose, with the reason in the commit; it is never worked around.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use crate::tree::{File, files, none, root};

/// What one crate may lean on.
struct Allowed {
    name: &'static str,
    /// Crates of this workspace.
    ours: &'static [&'static str],
    outside: Outside,
}

enum Outside {
    /// A pure crate: these and nothing else, so that no door to the outside comes in unseen.
    Only(&'static [&'static str]),
    /// Anything that is not kept for another crate.
    Free,
}

use Outside::{Free, Only};

const CRATES: &[Allowed] = &[
    Allowed {
        name: "conclave-core",
        ours: &[],
        outside: Only(&["schemars", "serde", "serde_json", "sha2", "similar", "specta", "thiserror"]),
    },
    Allowed {
        name: "conclave-sarif",
        ours: &["conclave-core"],
        outside: Only(&["memchr", "percent-encoding", "serde", "serde_json", "sha2", "thiserror"]),
    },
    Allowed {
        name: "conclave-fixers",
        ours: &["conclave-core"],
        outside: Only(&[
            "ast-grep-config",
            "ast-grep-core",
            "ast-grep-language",
            "globset",
            "regex",
            "serde",
            "serde-saphyr",
            "serde_json",
            "similar",
            "thiserror",
            "unicode-normalization",
        ]),
    },
    Allowed {
        name: "conclave-policy",
        ours: &[],
        outside: Only(&[
            "aho-corasick",
            "globset",
            "jiff",
            "memchr",
            "regex",
            "regex-syntax",
            "serde",
            "serde-saphyr",
            "serde_json",
            "serde_json_path",
            "sha2",
            "thiserror",
            "unicode-normalization",
        ]),
    },
    Allowed { name: "conclave-effects", ours: &["conclave-policy"], outside: Free },
    Allowed {
        name: "conclave-inference",
        ours: &["conclave-core", "conclave-policy", "conclave-effects"],
        outside: Free,
    },
    Allowed { name: "conclave-store", ours: &["conclave-core", "conclave-policy"], outside: Free },
    Allowed {
        name: "conclave-toolbox",
        ours: &["conclave-core", "conclave-policy", "conclave-effects", "conclave-inference", "conclave-store"],
        outside: Free,
    },
    Allowed {
        name: "conclave-engine",
        ours: &[
            "conclave-core",
            "conclave-sarif",
            "conclave-fixers",
            "conclave-policy",
            "conclave-effects",
            "conclave-inference",
            "conclave-store",
            "conclave-toolbox",
        ],
        outside: Free,
    },
    Allowed {
        name: "conclave-api",
        ours: &["conclave-core", "conclave-engine", "conclave-policy", "conclave-store"],
        outside: Free,
    },
    Allowed { name: "conclave-cli", ours: &["conclave-api"], outside: Free },
    Allowed { name: "conclave-app", ours: &["conclave-api"], outside: Free },
    // A process of its own: nothing may link it, and what it shares with us are the words on its lines.
    Allowed { name: "conclave-local", ours: &["conclave-core"], outside: Free },
    Allowed { name: "conclave-tests", ours: &[], outside: Free },
    // It measures the very functions that the product uses.
    Allowed { name: "xtask", ours: &["conclave-core"], outside: Free },
];

/// Crates from outside that open a door or carry a face, and the only crates of ours that may have them.
const KEPT: &[(&str, &[&str])] = &[
    ("tauri", &["conclave-app"]),
    ("tauri-build", &["conclave-app"]),
    ("reqwest", &["conclave-effects"]),
    ("notify", &["conclave-effects"]),
    ("notify-debouncer-full", &["conclave-effects"]),
    ("keyring", &["conclave-effects"]),
    ("landlock", &["conclave-effects"]),
    ("rustix", &["conclave-effects", "conclave-tests", "xtask"]),
    ("rusqlite", &["conclave-store"]),
    ("rmcp", &["conclave-effects", "conclave-cli"]),
    ("clap", &["conclave-cli"]),
    ("llama-cpp-2", &["conclave-local"]),
    ("llguidance", &["conclave-local"]),
    ("anyhow", &["conclave-cli", "conclave-app", "conclave-tests", "xtask"]),
    (
        "tokio",
        &[
            "conclave-effects",
            "conclave-inference",
            "conclave-toolbox",
            "conclave-engine",
            "conclave-api",
            "conclave-cli",
            "conclave-app",
        ],
    ),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None`, `dev` or `build`.
    kind: Option<String>,
    /// Set for a crate of this workspace.
    path: Option<String>,
}

fn packages() -> &'static [Package] {
    static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
    });
    &METADATA.packages
}

fn edges() -> impl Iterator<Item = (&'static Package, &'static Dependency)> {
    packages().iter().flat_map(|package| package.dependencies.iter().map(move |dependency| (package, dependency)))
}

fn allowed(name: &str) -> Option<&'static Allowed> {
    CRATES.iter().find(|allowed| allowed.name == name)
}

fn rust() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.is_rust())
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file")
}

/// `path:line: text` for every line of `lines` that `pattern` finds something in.
fn hits<'a>(file: &'a File, lines: impl Iterator<Item = (usize, &'a str)>, pattern: &Regex) -> Vec<String> {
    lines
        .filter(|(_, line)| pattern.is_match(line))
        .map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim()))
        .collect()
}

#[test]
fn every_crate_has_a_row_in_the_table() {
    none(
        packages().iter().filter(|package| allowed(&package.name).is_none()).map(|package| package.name.clone()),
        "a new crate needs a row in CRATES that says what it may lean on",
    );
    let members: BTreeSet<&str> = packages().iter().map(|package| package.name.as_str()).collect();
    none(
        CRATES.iter().filter(|row| !members.contains(row.name)).map(|row| row.name.to_owned()),
        "rows of CRATES without a crate",
    );
}

#[test]
fn crates_lean_only_on_the_crates_below_them() {
    // The end-to-end tests may use any part but the window, which would link WebKit into them.
    let may = |package: &str, dependency: &str| match package {
        "conclave-tests" => dependency != "conclave-app",
        _ => allowed(package).is_some_and(|row| row.ours.contains(&dependency)),
    };
    none(
        edges()
            .filter(|(_, dependency)| dependency.path.is_some())
            .filter(|(package, dependency)| !may(&package.name, &dependency.name))
            .map(|(package, dependency)| format!("{} -> {}", package.name, dependency.name)),
        "edges that the table does not allow; move the code down, or pass it in",
    );
}

#[test]
fn pure_crates_open_no_door_to_the_outside() {
    none(
        edges()
            .filter(|(_, dependency)| dependency.path.is_none() && dependency.kind.as_deref() != Some("dev"))
            .filter(|(package, dependency)| {
                allowed(&package.name).is_some_and(|row| match row.outside {
                    Only(list) => !list.contains(&dependency.name.as_str()),
                    Free => false,
                })
            })
            .map(|(package, dependency)| format!("{} -> {}", package.name, dependency.name)),
        "a pure crate reads no file, clock or random number; add a pure library to its list here if it needs one",
    );
}

#[test]
fn pure_crates_name_no_effect() {
    let effect = regex(concat!(
        r"\bstd::(fs|net|process|env|os)\b|\b(SystemTime|Instant|UNIX_EPOCH)\b",
        r"|\be?print(ln)?!|\bstd::io::(stdin|stdout|stderr)\b|\bstd::thread\b"
    ));
    let pure: Vec<String> = CRATES
        .iter()
        .filter(|row| matches!(row.outside, Only(_)))
        .map(|row| format!("src-tauri/crates/{}/src/", row.name))
        .collect();
    none(
        rust()
            .filter(|file| pure.iter().any(|folder| file.path.starts_with(folder)) && !is_test(&file.path))
            .flat_map(|file| hits(file, file.product_code(), &effect)),
        "pure crates take bytes, times and ids as arguments",
    );
}

#[test]
fn doors_and_faces_stay_with_the_crates_that_own_them() {
    none(
        edges()
            .filter(|(package, dependency)| {
                dependency.kind.as_deref() != Some("dev") || package.name == "conclave-tests"
            })
            .filter(|(package, dependency)| {
                let tauri = dependency.name.starts_with("tauri") && package.name != "conclave-app";
                tauri
                    || KEPT
                        .iter()
                        .any(|(name, owners)| *name == dependency.name && !owners.contains(&package.name.as_str()))
            })
            .map(|(package, dependency)| format!("{} -> {}", package.name, dependency.name)),
        "these libraries belong to other crates (KEPT); call the crate that owns the door",
    );
}

#[test]
fn nothing_listens_on_a_port() {
    let listener = regex(r"\b(TcpListener|UdpSocket)\b");
    // In the sandbox, where nothing but the one program can reach it; it does nothing elsewhere.
    let guest = "src-tauri/crates/conclave-effects/src/agent/guest.rs";
    none(
        rust()
            .filter(|file| !is_test(&file.path) && file.path != guest)
            .flat_map(|file| hits(file, file.product_code(), &listener)),
        "Conclave is spoken to over its own window and standard input; a port would need a token and an origin check",
    );
}

#[test]
fn only_the_window_names_tauri() {
    let tauri = regex(r"\btauri(_build|_plugin_\w+)?::|\bextern crate tauri");
    none(
        rust()
            .filter(|file| !file.path.starts_with("src-tauri/src/") && file.path != "src-tauri/build.rs")
            .flat_map(|file| hits(file, file.product_code(), &tauri)),
        "Tauri lives in src-tauri/src only",
    );
}

#[test]
fn only_one_script_talks_to_tauri() {
    let import = regex(r#"['"]@tauri-apps/"#);
    none(
        files()
            .iter()
            .filter(|file| file.is_script() && file.path != "ui/src/backend/tauri.ts")
            .flat_map(|file| hits(file, file.lines(), &import)),
        "the screens know the backend interface; only ui/src/backend/tauri.ts imports from Tauri",
    );
}

#[test]
fn commands_are_declared_in_one_list() {
    let attribute = regex(r"#\[(\w+::)?command\b");
    none(
        rust()
            .filter(|file| file.path.starts_with("src-tauri/src/") && file.path != "src-tauri/src/rpc.rs")
            .flat_map(|file| hits(file, file.product_code(), &attribute)),
        "a command is one line in conclave-api/src/commands.rs; the window exposes only rpc.rs",
    );
    let list = regex(r"^commands! \{");
    let lists: Vec<String> = rust().flat_map(|file| hits(file, file.product_code(), &list)).collect();
    assert_eq!(lists.len(), 1, "one list of commands, not {lists:?}");
    assert!(lists[0].starts_with("src-tauri/crates/conclave-api/src/commands.rs:"), "{lists:?}");
}

#[test]
fn files_stay_readable_in_one_sitting() {
    const LIMIT: usize = 800;
    none(
        files()
            .iter()
            .filter(|file| (file.is_rust() || file.is_script() || file.path.ends_with(".css")) && !is_test(&file.path))
            .filter(|file| !file.path.contains("/generated"))
            .map(|file| (file, file.text().lines().count()))
            .filter(|(_, lines)| *lines > LIMIT)
            .map(|(file, lines)| format!("{}: {lines} lines", file.path)),
        "split these along a boundary that has a name",
    );
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    none(
        rust().filter(|file| !file.text().starts_with("//! ")).map(|file| file.path.clone()),
        "begin with a `//!` header: what it is for, and what it is deliberately not",
    );
}

#[test]
fn types_are_named_by_what_they_are() {
    let doer = regex(r"\b(struct|enum|trait|type|class|interface)\s+\w*(Manager|Service|Helper|Utils?|Processor)\b");
    none(
        files()
            .iter()
            .filter(|file| file.is_rust() || file.is_script())
            .flat_map(|file| hits(file, file.product_code(), &doer)),
        "find the noun of the domain, or make it a function",
    );
}

#[test]
fn nothing_is_unsafe() {
    let block = regex(r"\bunsafe\s*(\{|fn\b|impl\b|trait\b|extern\b)");
    none(rust().flat_map(|file| hits(file, file.lines(), &block)), "no unsafe code");
    let manifests = packages().iter().filter_map(|package| {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest that cargo has read");
        let manifest: toml::Table = manifest.parse().expect("a manifest that cargo has read");
        let inherits = manifest["lints"].get("workspace").and_then(toml::Value::as_bool) == Some(true);
        (!inherits).then(|| package.name.clone())
    });
    none(manifests, "`[lints] workspace = true` is missing, and with it the ban on unsafe code");
    let workspace: toml::Table = root_file("Cargo.toml").text().parse().expect("the root manifest");
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

#[test]
fn recipe_files_are_listed_and_named_by_their_id() {
    const FOLDER: &str = "src-tauri/crates/conclave-fixers/recipes/";
    let source: String = rust()
        .filter(|file| file.path.starts_with("src-tauri/crates/conclave-fixers/src/"))
        .flat_map(|file| file.product_code().map(|(_, line)| line))
        .collect();
    let recipes: Vec<&File> = files().iter().filter(|file| file.path.starts_with(FOLDER)).collect();
    assert!(recipes.len() >= 15, "{} recipes under {FOLDER}", recipes.len());
    none(
        recipes.into_iter().filter_map(|file| {
            let place = file.path.trim_start_matches(FOLDER);
            let id = place.rsplit('/').next()?.strip_suffix(".yml")?;
            let listed = source.contains(place);
            let named = file.lines().any(|(_, line)| line == format!("id: {id}"));
            (!listed || !named).then(|| format!("{place}: listed {listed}, id as the file name {named}"))
        }),
        "a recipe is one file, named by its id, and one line in the list of conclave-fixers",
    );
}

#[test]
fn the_wire_is_declared_at_the_boundary() {
    // Leaf types that views show as they are.
    const LEAVES: &[&str] = &[
        "candidate.rs FixClass",
        "comparison.rs Preference",
        "evidence.rs Check",
        "evidence.rs CheckOutcome",
        "finding.rs DismissReason",
        "finding.rs Severity",
        "finding.rs Status",
        "judgement.rs Choice",
        "label.rs Reason",
        "label.rs Thumb",
        "money.rs Money",
        "settings.rs ToolKind",
        "smell.rs SmellKind",
        "synthesis.rs ToolOutcome",
        "tier.rs Effort",
        "tier.rs Mode",
        "tier.rs Role",
        "weakness.rs Family",
    ];
    let derive = regex(r"derive\([^)]*\b(specta::)?Type\b[^)]*\)");
    let item = regex(r"^pub (?:enum|struct) (\w+)");
    let mut found = BTreeSet::new();
    for file in rust().filter(|file| !file.path.starts_with("src-tauri/crates/conclave-api/src/")) {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let mut pending = false;
        for (_, line) in file.product_code() {
            pending |= derive.is_match(line);
            if let (true, Some(captures)) = (pending, item.captures(line)) {
                found.insert(format!("{name} {}", &captures[1]));
                pending = false;
            }
        }
    }
    let leaves: BTreeSet<String> = LEAVES.iter().map(ToString::to_string).collect();
    assert_eq!(found, leaves, "domain types do not cross the wire: add a view in conclave-api/src/view.rs");
    none(
        rust()
            .filter(|file| file.path.starts_with("src-tauri/crates/conclave-api/src/"))
            .filter(|file| !file.path.ends_with("/view.rs") && !file.path.contains("/view/"))
            .filter(|file| !file.path.ends_with("/error.rs"))
            .flat_map(|file| hits(file, file.product_code(), &derive)),
        "wire types stand in view.rs, view/ and error.rs",
    );
}

#[test]
fn nothing_names_a_place_outside_the_repository() {
    // Written in pieces, so that this file does not find itself.
    let place = regex(concat!(
        r"/wor",
        r"k/(main|shared)|/roo",
        r"t/\.(cache|cargo|config|local|npm|rustup)|\.\./share",
        r"d\b|pypi\.",
        r"org|registry\.npmjs\.",
        r"org|(index|static)\.crates\.",
        r"io|files\.python",
        r"hosted"
    ));
    // Where the tree lies now, and whose home it is. Probes of the sandbox name root's home on purpose.
    let here: Vec<String> = std::env::var("HOME")
        .into_iter()
        .filter(|home| home.len() > 1 && home != "/root")
        .chain([root().display().to_string()])
        .map(|place| format!("{place}/"))
        .collect();
    none(
        files().iter().filter(|file| file.path != "Cargo.lock" && !NPM_LOCKS.contains(&file.path.as_str())).flat_map(
            |file| {
                let by_machine = file.lines().filter(|(_, line)| here.iter().any(|place| line.contains(place)));
                let by_machine = by_machine.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim()));
                hits(file, file.lines(), &place).into_iter().chain(by_machine).collect::<Vec<_>>()
            },
        ),
        "paths of one machine and hosts of registries do not belong in the product",
    );
}

/// Which packages the page and the tests of agents' clients take.
const NPM_LOCKS: [&str; 4] = [
    "tests/clients/package-lock.json",
    "tests/clients/sdk/package-lock.json",
    "tests/servers/package-lock.json",
    "ui/package-lock.json",
];

#[test]
fn lock_files_name_the_public_registries_only() {
    let source = regex(r#"^source = "(registry\+https://github\.com/rust-lang/crates\.io-index)?"#);
    none(
        root_file("Cargo.lock")
            .lines()
            .filter(|(_, line)| line.starts_with("source = "))
            .filter(|(_, line)| source.captures(line).is_none_or(|found| found.get(1).is_none()))
            .map(|(number, line)| format!("Cargo.lock:{number}: {line}")),
        "a crate comes from somewhere else",
    );
    let resolved = regex(concat!(r#""resolved": "https://registry\.npmjs\."#, r#"org/"#));
    for lock in NPM_LOCKS {
        none(
            root_file(lock)
                .lines()
                .filter(|(_, line)| line.trim_start().starts_with("\"resolved\"") && !resolved.is_match(line))
                .map(|(number, line)| format!("{lock}:{number}: {}", line.trim())),
            "a package comes from somewhere else",
        );
    }
}

#[test]
fn the_tree_carries_no_live_agent_configuration() {
    let live = regex(concat!(
        r"(^|/)(CLAUDE|AGENTS|GEMINI)\.md$|(^|/)\.mcp\.json$|(^|/)\.(claude|codex|cursor|gemini)/",
        r"|(^|/)\.(cursorrules|windsurfrules|aider\.conf\.yml)$|(^|/)copilot-instructions\.md$|(^|/)\.(husky|githooks)/"
    ));
    none(
        files().iter().filter(|file| live.is_match(&file.path)).map(|file| file.path.clone()),
        "hostile fixtures are written into temporary folders at test time",
    );
}

#[test]
fn the_tree_carries_no_leftovers() {
    let leftover = regex(r"\.(snap\.new|orig|rej|swp|bak|pyc)$|~$|(^|/)(\.DS_Store|__pycache__/)");
    none(
        files().iter().filter(|file| leftover.is_match(&file.path)).map(|file| file.path.clone()),
        "tools left these behind; accept or remove them",
    );
}

#[test]
fn the_top_level_stays_small() {
    const TOP: &[&str] = &[
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "docs",
        "icons",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "src-tauri",
        "tauri.conf.json",
        "tests",
        "ui",
    ];
    let top: BTreeSet<&str> = files().iter().filter_map(|file| file.path.split('/').next()).collect();
    none(
        top.into_iter().filter(|name| !name.starts_with('.') && !TOP.contains(name)).map(str::to_owned),
        "nothing else stands at the top",
    );
}

fn root_file(path: &str) -> &'static File {
    files().iter().find(|file| file.path == path).unwrap_or_else(|| panic!("`{path}` is missing"))
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/benches/")
        || path.starts_with("tests/")
        || path.ends_with("/tests.rs")
        || path.contains(".test.")
}
