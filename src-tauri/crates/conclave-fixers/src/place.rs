//! What kind of file a path names, as far as a fix of something else should keep away from it.
//!
//! Names are compared as careless file systems do: without case, without characters that some of them ignore, and in one
//! form of Unicode. Deliberately absent: the file's content, and a verdict; the caller decides what may be touched.

use conclave_core::path::RelPath;
use unicode_normalization::UnicodeNormalization;

/// A kind of file that a fix of something else has no business with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Version control's own files.
    VersionControl,
    /// Tests and what they compare with.
    Test,
    /// What runs on a build server, and who has to look at changes.
    Ci,
    /// The exact versions of dependencies.
    Lock,
    /// The list of dependencies.
    Manifest,
    /// Hooks and the configuration of scanners.
    Scanner,
    /// The configuration of editors and agents.
    Editor,
    /// What is run when the project is built.
    Build,
    /// What is run when a shell or an interpreter starts.
    Startup,
}

impl Place {
    /// What it is, in words that follow "it changes".
    pub fn label(self) -> &'static str {
        match self {
            Self::VersionControl => "version control\u{2019}s own files",
            Self::Test => "a test",
            Self::Ci => "a CI file",
            Self::Lock => "a lock file",
            Self::Manifest => "the list of dependencies",
            Self::Scanner => "a hook or scanner configuration",
            Self::Editor => "an editor or agent configuration",
            Self::Build => "a build script",
            Self::Startup => "a file that runs at the start of a shell or interpreter",
        }
    }

    /// The kind of the file at `path`; `None` for an ordinary one.
    pub fn of(path: &RelPath) -> Option<Self> {
        let plain = plain(path.as_str());
        let parts: Vec<&str> = plain.split('/').collect();
        let name = parts.last().copied().unwrap_or_default();
        let folder = |names: &[&str]| parts[..parts.len() - 1].iter().any(|part| names.contains(part));
        // `git~1` is the short name that Windows gives to `.git`.
        if parts.iter().any(|part| [".git", "git~1", ".gitmodules"].contains(part)) || folder(&[".hg", ".svn", ".jj"]) {
            return Some(Self::VersionControl);
        }
        if folder(&TEST_FOLDERS) || is_test_name(name) {
            return Some(Self::Test);
        }
        if folder(&CI_FOLDERS) || CI.contains(&name) {
            return Some(Self::Ci);
        }
        if LOCKS.contains(&name) || name.ends_with(".lock") {
            return Some(Self::Lock);
        }
        if MANIFESTS.contains(&name) || is_manifest_name(name) {
            return Some(Self::Manifest);
        }
        if folder(&SCANNER_FOLDERS) || SCANNERS.contains(&name) || is_linter_config(name) {
            return Some(Self::Scanner);
        }
        if folder(&EDITOR_FOLDERS) || EDITORS.contains(&name) {
            return Some(Self::Editor);
        }
        if BUILDS.contains(&name) || name.ends_with(".mk") || name.ends_with(".cmake") {
            return Some(Self::Build);
        }
        STARTUPS.contains(&name).then_some(Self::Startup)
    }
}

/// `path` as the most careless file system compares it.
fn plain(path: &str) -> String {
    // Compatibility forms first: a full-width letter has a case too. `ſ` and `K` become plain letters here.
    let composed: String = path.nfkc().filter(|c| !is_ignored(*c)).collect();
    composed.to_lowercase().nfkc().collect()
}

/// Characters that some file systems leave out when they compare names.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

fn is_test_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    matches!(stem, "test" | "tests")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.ends_with(".snap")
        || ["conftest.py", "pytest.ini", "tox.ini", "phpunit.xml", ".rspec"].contains(&name)
        || is_runner_config(name)
        || ((name.ends_with(".java") || name.ends_with(".kt") || name.ends_with(".cs"))
            && (stem.ends_with("test") || stem.ends_with("tests")))
}

/// The configuration of a test runner, in whatever form.
fn is_runner_config(name: &str) -> bool {
    ["jest.config.", "vitest.config.", "karma.conf.", ".mocharc", "playwright.config.", "cypress.config."]
        .iter()
        .any(|start| name.starts_with(start))
}

/// `.eslintrc`, `eslint.config` and their like, in whatever form.
fn is_linter_config(name: &str) -> bool {
    let named = |start: &&str| name.strip_prefix(*start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    [".eslintrc", "eslint.config", ".oxlintrc", "biome", ".semgrep", ".golangci", ".trivyignore", ".checkov"]
        .iter()
        .any(named)
}

fn is_manifest_name(name: &str) -> bool {
    (name.starts_with("requirements") && (name.ends_with(".txt") || name.ends_with(".in")))
        || [".csproj", ".fsproj", ".vbproj", ".gemspec", ".podspec", ".cabal", ".rockspec"]
            .iter()
            .any(|end| name.ends_with(end))
}

const TEST_FOLDERS: [&str; 9] =
    ["test", "tests", "__tests__", "spec", "specs", "testdata", "__snapshots__", "__mocks__", "__fixtures__"];
const CI_FOLDERS: [&str; 9] =
    [".github", ".gitlab", ".circleci", ".ci", ".buildkite", ".teamcity", ".drone", ".woodpecker", ".azure-pipelines"];
const CI: [&str; 13] = [
    "jenkinsfile",
    ".gitlab-ci.yml",
    ".travis.yml",
    "azure-pipelines.yml",
    "codeowners",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    "appveyor.yml",
    "cloudbuild.yaml",
    ".woodpecker.yml",
    "codecov.yml",
    "renovate.json",
    "dependabot.yml",
];
const LOCKS: [&str; 13] = [
    "package-lock.json",
    "pnpm-lock.yaml",
    "npm-shrinkwrap.json",
    "go.sum",
    "gradle.lockfile",
    "pipfile.lock",
    "bun.lockb",
    "package.resolved",
    "packages.lock.json",
    "pubspec.lock",
    "cpanfile.snapshot",
    "verification-metadata.xml",
    "gradle-wrapper.properties",
];
const MANIFESTS: [&str; 40] = [
    // Python, JavaScript, Java and Kotlin
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pipfile",
    "environment.yml",
    "package.json",
    "pnpm-workspace.yaml",
    "deno.json",
    "deno.jsonc",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "libs.versions.toml",
    "ivy.xml",
    "build.sbt",
    // Rust, Go, Ruby, PHP, .NET
    "cargo.toml",
    "go.mod",
    "go.work",
    "gemfile",
    "composer.json",
    "packages.config",
    "directory.packages.props",
    "paket.dependencies",
    // Swift, Dart, Elixir, Haskell, Perl, Lua, C and C++
    "package.swift",
    "podfile",
    "cartfile",
    "pubspec.yaml",
    "mix.exs",
    "rebar.config",
    "stack.yaml",
    "cpanfile",
    "conanfile.txt",
    "conanfile.py",
    "vcpkg.json",
    // Where packages come from
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "pip.conf",
];
const SCANNER_FOLDERS: [&str; 6] = [".semgrep", ".husky", ".githooks", "hooks", ".trunk", ".conclave"];
const SCANNERS: [&str; 26] = [
    ".bandit",
    "bandit.yaml",
    "bandit.yml",
    ".semgrepignore",
    "semgrep.yml",
    ".semgrep.yml",
    "ruff.toml",
    ".ruff.toml",
    ".flake8",
    ".pylintrc",
    "pylintrc",
    "mypy.ini",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    "sonar-project.properties",
    ".snyk",
    ".eslintignore",
    ".gitattributes",
    ".gitignore",
    ".gitleaks.toml",
    ".gitleaksignore",
    ".secrets.baseline",
    "spotbugs-exclude.xml",
    "findbugs-exclude.xml",
    "checkstyle.xml",
    "codeql-config.yml",
];
const EDITOR_FOLDERS: [&str; 11] = [
    ".claude",
    ".codex",
    ".cursor",
    ".vscode",
    ".idea",
    ".gemini",
    ".continue",
    ".windsurf",
    ".aider",
    ".zed",
    ".devcontainer",
];
const EDITORS: [&str; 12] = [
    "agents.md",
    "claude.md",
    "gemini.md",
    ".mcp.json",
    "mcp.json",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    "copilot-instructions.md",
    ".editorconfig",
    ".aider.conf.yml",
    ".vimrc",
];
const BUILDS: [&str; 21] = [
    "makefile",
    "gnumakefile",
    "justfile",
    "taskfile.yml",
    "rakefile",
    "cmakelists.txt",
    "meson.build",
    "build.rs",
    "build.xml",
    "build",
    "build.bazel",
    "workspace",
    "gradlew",
    "gradlew.bat",
    "mvnw",
    "mvnw.cmd",
    "dockerfile",
    "docker-compose.yml",
    "gulpfile.js",
    "gruntfile.js",
    "noxfile.py",
];
const STARTUPS: [&str; 12] = [
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".envrc",
    ".tool-versions",
    "sitecustomize.py",
    "usercustomize.py",
    ".pythonrc.py",
    ".noderc",
];

#[cfg(test)]
mod tests;
