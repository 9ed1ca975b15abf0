//! Test scripts of npm, pnpm and yarn: the script is read, and the runner that it starts is started by us.

use serde::Deserialize;

use super::{Folder, Runner, Step, jest, mocha, node, starts, vitest, words};

/// Extensions of scripts.
pub(super) const SCRIPTS: &[&str] = &["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];

pub(super) const NPM: Runner = Runner {
    name: "npm",
    extensions: SCRIPTS,
    markers: &["package.json"],
    outermost: false,
    recognise: |folder| {
        script(folder, "test")?;
        let lock = [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn")];
        let program = lock.iter().find(|(lock, _)| folder.has(lock)).map_or("npm", |(_, program)| program);
        Some(words(&[program, "test"]))
    },
    step: |folder, words| {
        let (name, rest) = match words {
            [program, run, name, rest @ ..] if is_package_runner(program) && run == "run" => (name.as_str(), rest),
            [program, name, rest @ ..] if is_package_runner(program) => (if name == "t" { "test" } else { name }, rest),
            _ => return None,
        };
        let Some(text) = script(folder, name) else {
            return Some(Err(format!("`package.json` has no script `{name}`")));
        };
        let rest: Vec<String> = rest.iter().filter(|word| *word != "--").cloned().collect();
        Some(known(folder, &text, &rest))
    },
    build,
};

#[derive(Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    scripts: std::collections::BTreeMap<String, String>,
}

/// The script `name`; the one that `npm init` writes, which only fails, is none.
fn script(folder: &Folder<'_>, name: &str) -> Option<String> {
    let manifest: Manifest = serde_json::from_str(&folder.text("package.json")?).ok()?;
    manifest.scripts.get(name).filter(|text| !text.contains("no test specified")).cloned()
}

fn is_package_runner(word: &str) -> bool {
    matches!(word, "npm" | "pnpm" | "yarn")
}

/// The step of the runner in a script of several commands.
fn known(folder: &Folder<'_>, text: &str, rest: &[String]) -> Result<Step, String> {
    let runners = [&node::NODE, &jest::JEST, &vitest::VITEST, &mocha::MOCHA];
    for command in text.split("&&") {
        let Some(mut all) = shlex::split(command) else { continue };
        // What a shell would do with these is nothing that we do.
        if command.contains(['|', ';', '`', '$', '<', '>']) {
            continue;
        }
        let env = take_variables(&mut all);
        all.extend(rest.iter().cloned());
        if let Some(step) = runners.iter().find_map(|runner| (runner.step)(folder, &all)) {
            return step.map(|mut step| {
                step.env.extend(env);
                step
            });
        }
    }
    Err(format!("the test script `{text}` starts no runner whose report can be read"))
}

/// Takes away what stands before the runner: variables, and programs that only start another.
fn take_variables(all: &mut Vec<String>) -> Vec<(String, String)> {
    let mut env = Vec::new();
    while let Some(first) = all.first() {
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match first.split_once('=') {
            // How Node itself is started is ours to say.
            Some(("NODE_OPTIONS", _)) => {}
            Some((name, value)) if is_name(name) => env.push((name.to_owned(), value.to_owned())),
            _ if ["cross-env", "npx", "c8", "nyc", "env"].contains(&first.as_str()) => {}
            _ => break,
        }
        all.remove(0);
    }
    env
}

/// The program of a package that is installed, run by Node.
pub(super) fn installed(folder: &Folder<'_>, package: &str, files: &[&str]) -> Result<Vec<String>, String> {
    let found = files.iter().find_map(|file| folder.find_installed(&format!("node_modules/{package}/{file}")));
    match found {
        Some(path) => Ok(vec!["node".to_owned(), path]),
        None => Err(format!("{package} is not installed in `node_modules`; install the project\u{2019}s packages")),
    }
}

/// What follows the words that start the package’s program.
pub(super) fn after<'w>(words: &'w [String], program: &str) -> Option<&'w [String]> {
    match words {
        [first, rest @ ..] if starts(Some(first), program) => Some(rest),
        _ => None,
    }
}

const CHECK: &str = "const { spawnSync } = require('node:child_process');
const failed = process.argv.slice(1).filter((file) => spawnSync(process.execPath, ['--check', file], { stdio: 'inherit' }).status !== 0);
process.exit(failed.length ? 1 : 0);";

/// The type check of a project with a compiler; without one, Node reads every touched file that is no TypeScript.
pub(super) fn build(folder: &Folder<'_>, files: &[String]) -> Option<Step> {
    let compiler = folder.find_installed("node_modules/typescript/bin/tsc");
    if let (true, Some(compiler)) = (folder.has("tsconfig.json"), compiler) {
        return Some(Step::new(["node", &compiler, "--noEmit", "-p", "tsconfig.json"]).roomy());
    }
    let reads = |file: &&String| [".js", ".mjs", ".cjs"].iter().any(|end| file.ends_with(end));
    let read: Vec<&String> = files.iter().filter(reads).collect();
    let all = read.len() == files.len() && !files.is_empty();
    let argv = ["node", "-e", CHECK, "--"].map(str::to_owned).into_iter();
    all.then(|| Step::new(argv.chain(read.into_iter().map(|file| format!("./{file}")))).roomy())
}
