//! Only files that a fix of this finding may touch are touched.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::path::RelPath;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let reported = subject.brief.finding.detection.location.as_ref().map(|location| &location.path);
    for file in &subject.candidate.patch.files {
        let protected = protected(&file.path);
        // A finding in a protected file may be fixed there; version control's own files never.
        let allowed = protected.is_none() || (Some(&file.path) == reported && protected != Some(GIT));
        if let (false, Some(kind)) = (allowed, protected) {
            return Evidence::new(Check::Paths, CheckOutcome::Fail, format!("it changes {kind}, `{}`", file.path));
        }
    }
    Evidence::new(Check::Paths, CheckOutcome::Pass, "no test, CI, lock, hook or scanner file")
}

const GIT: &str = "version control\u{2019}s own files";

/// What kind of protected file `path` is; comparison ignores case, as some file systems do.
fn protected(path: &RelPath) -> Option<&'static str> {
    let lower = path.as_str().to_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let name = parts.last().copied().unwrap_or_default();
    let folder = |names: &[&str]| parts[..parts.len() - 1].iter().any(|part| names.contains(part));
    if parts.contains(&".git") || folder(&[".hg", ".svn"]) {
        return Some(GIT);
    }
    if folder(&["test", "tests", "__tests__", "spec", "specs", "testdata", "__snapshots__"]) || is_test_name(name) {
        return Some("a test");
    }
    if folder(&[".github", ".gitlab", ".circleci", ".ci", ".buildkite"]) || CI.contains(&name) {
        return Some("a CI file");
    }
    if LOCKS.contains(&name) || name.ends_with(".lock") {
        return Some("a lock file");
    }
    if folder(&[".semgrep", ".husky", ".githooks", "hooks"]) || SCANNERS.contains(&name) || is_eslint_config(name) {
        return Some("a hook or scanner configuration");
    }
    if folder(&[".claude", ".codex", ".cursor", ".vscode", ".idea"]) || AGENTS.contains(&name) {
        return Some("an editor or agent configuration");
    }
    None
}

fn is_test_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    matches!(stem, "test" | "tests")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || name.contains(".test.")
        || name.contains(".spec.")
        || name == "conftest.py"
        || (name.ends_with(".java") && (stem.ends_with("test") || stem.ends_with("tests")))
}

/// `.eslintrc` and `eslint.config` in whatever form.
fn is_eslint_config(name: &str) -> bool {
    let named = |start: &str| name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    named(".eslintrc") || named("eslint.config")
}

const CI: [&str; 5] = ["jenkinsfile", ".gitlab-ci.yml", ".travis.yml", "azure-pipelines.yml", "codeowners"];
const LOCKS: [&str; 7] = [
    "package-lock.json",
    "pnpm-lock.yaml",
    "npm-shrinkwrap.json",
    "go.sum",
    "gradle.lockfile",
    "pipfile.lock",
    "bun.lockb",
];
const SCANNERS: [&str; 13] = [
    ".bandit",
    "bandit.yaml",
    "bandit.yml",
    ".semgrepignore",
    "semgrep.yml",
    ".semgrep.yml",
    "ruff.toml",
    ".ruff.toml",
    ".pre-commit-config.yaml",
    "sonar-project.properties",
    ".snyk",
    ".eslintignore",
    ".gitattributes",
];
const AGENTS: [&str; 4] = ["agents.md", "claude.md", ".mcp.json", ".cursorrules"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_files_are_known_whatever_their_case() {
        let cases = [
            ("src/app.py", None),
            ("src/contest.py", None),
            ("src/hookshot.py", None),
            ("tests/app.py", Some("a test")),
            ("src/Test_App.py", Some("a test")),
            ("shop/tests.py", Some("a test")),
            ("web/test.js", Some("a test")),
            ("web/attest.js", None),
            ("web/eslint.config.mjs", Some("a hook or scanner configuration")),
            (".eslintrc.json", Some("a hook or scanner configuration")),
            (".eslintrc", Some("a hook or scanner configuration")),
            ("web/eslint.configs.js", None),
            ("web/cart.test.js", Some("a test")),
            ("src/CartTest.java", Some("a test")),
            (".GITHUB/workflows/ci.yml", Some("a CI file")),
            ("Cargo.lock", Some("a lock file")),
            ("web/package-lock.json", Some("a lock file")),
            (".husky/pre-commit", Some("a hook or scanner configuration")),
            (".bandit", Some("a hook or scanner configuration")),
            ("sub/.Git/hooks/pre-commit", Some(GIT)),
            (".git/config", Some(GIT)),
            (".vscode/tasks.json", Some("an editor or agent configuration")),
        ];
        for (path, kind) in cases {
            assert_eq!(protected(&RelPath::new(path).expect("a path")), kind, "{path}");
        }
    }
}
