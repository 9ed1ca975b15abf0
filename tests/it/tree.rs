//! The files of the repository, as the tests that watch over it see them: tracked ones and new ones that git does not ignore.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// One file, by its path from the root of the repository.
pub struct File {
    /// With forward slashes.
    pub path: String,
    /// `None` when it is not text.
    pub text: Option<String>,
}

impl File {
    /// The text, empty for a binary file.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text().lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The lines up to the first unit-test module, line comments blanked.
    pub fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let unit_tests = |(_, line): &(usize, &str)| *line == "#[cfg(test)]";
        let tests = self.lines().find(unit_tests).map_or(usize::MAX, |(number, _)| number);
        self.lines().take_while(move |(number, _)| *number < tests).map(|(number, line)| {
            let code = if line.trim_start().starts_with("//") { "" } else { line };
            (number, code)
        })
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.is_fixture()
    }

    pub fn is_script(&self) -> bool {
        [".ts", ".tsx", ".mts", ".mjs", ".js"].iter().any(|end| self.path.ends_with(end)) && !self.is_fixture()
    }

    /// Inputs of tests are other people's code in spirit: the rules of the house do not hold for them.
    pub fn is_fixture(&self) -> bool {
        self.path.starts_with("tests/fixtures/")
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("`tests` lies in the root")
}

/// All files, read once, in the order of their paths.
pub fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
        paths()
            .into_iter()
            .filter_map(|path| {
                let bytes = std::fs::read(root().join(&path)).ok()?;
                Some(File { path, text: String::from_utf8(bytes).ok() })
            })
            .collect()
    });
    &FILES
}

fn paths() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is needed to list the files of the repository");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).expect("paths in the repository are UTF-8");
    let mut paths: Vec<String> = list.split_terminator('\0').map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| root().join(PathBuf::from(path)).is_file());
    assert!(paths.len() > 50, "git lists {} files only", paths.len());
    paths
}

/// Fails with the list of offenders and what to do about them.
#[track_caller]
pub fn none(offenders: impl IntoIterator<Item = String>, advice: &str) {
    let offenders: Vec<String> = offenders.into_iter().collect();
    assert!(offenders.is_empty(), "{advice}:\n  {}", offenders.join("\n  "));
}
