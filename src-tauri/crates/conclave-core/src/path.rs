//! Paths inside a project, as validated text.
//!
//! Invariant: a `RelPath` has no component that leaves its root, on any operating system. Whether the file system
//! agrees (symbolic links) is for the door that opens it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A relative path of normal components joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(String);

/// Why a text is not a path inside a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing is left of the text.
    #[error("the path is empty")]
    Empty,
    /// Starts at the file system's root, a drive or a share.
    #[error("the path is absolute")]
    Absolute,
    /// Has a `..` component.
    #[error("the path leaves the project")]
    Traversal,
    /// Has a component that some file system reads as something else: a backslash, a colon, a control character,
    /// a trailing dot or blank, a reserved device name.
    #[error("the path has a component that cannot be a file name everywhere")]
    Component,
    /// Longer than 4096 bytes or with a component over 255 bytes.
    #[error("the path is too long")]
    TooLong,
}

impl RelPath {
    /// Reads `text` as a path inside a project; `.` components and doubled slashes are dropped.
    ///
    /// # Errors
    /// [`PathError`] names the first rule that the text breaks.
    pub fn new(text: &str) -> Result<Self, PathError> {
        if text.len() > 4096 {
            return Err(PathError::TooLong);
        }
        let bytes = text.as_bytes();
        let drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
        if text.starts_with(['/', '\\']) || drive {
            return Err(PathError::Absolute);
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err(PathError::Traversal),
                _ => {
                    check_component(part)?;
                    parts.push(part);
                }
            }
        }
        if parts.is_empty() { Err(PathError::Empty) } else { Ok(Self(parts.join("/"))) }
    }

    /// The path as text, components joined by `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, first to last.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder that holds the file, empty at the root.
    pub fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

fn check_component(part: &str) -> Result<(), PathError> {
    if part.len() > 255 {
        return Err(PathError::TooLong);
    }
    if part.chars().all(|c| c == '.' || c == ' ') {
        return Err(PathError::Traversal);
    }
    let odd = part.ends_with(['.', ' ']) || part.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'));
    if odd || is_device(part) { Err(PathError::Component) } else { Ok(()) }
}

/// Whether Windows reads `part` as a device, whatever its extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|n| matches!(n, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RelPath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(&text)
    }
}

impl From<RelPath> for String {
    fn from(path: RelPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_project_are_refused() {
        let cases = [
            ("../x", PathError::Traversal),
            ("a/../../x", PathError::Traversal),
            ("a/.. /x", PathError::Traversal),
            ("...", PathError::Traversal),
            ("/etc/passwd", PathError::Absolute),
            ("\\\\host\\share", PathError::Absolute),
            ("C:/x", PathError::Absolute),
            ("c:x", PathError::Absolute),
            ("a\\..\\x", PathError::Component),
            ("a/b:stream", PathError::Component),
            ("a/nul.txt", PathError::Component),
            ("a/COM1", PathError::Component),
            ("a/b.", PathError::Component),
            ("a/b\0", PathError::Component),
            ("", PathError::Empty),
            ("./.", PathError::Empty),
        ];
        for (text, error) in cases {
            assert_eq!(RelPath::new(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn ordinary_paths_are_normalised() {
        for (text, path) in
            [("a.py", "a.py"), ("./src//a.py", "src/a.py"), ("ü/ß.java", "ü/ß.java"), ("..a/b", "..a/b")]
        {
            assert_eq!(RelPath::new(text).map(String::from), Ok(path.to_owned()));
        }
    }
}
