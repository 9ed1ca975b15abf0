//! Reads a unified diff that a person may have edited by hand, and applies it.
//!
//! Counts in the heads of hunks are not believed, for whoever adds a line by hand leaves them as they are. Invariant: the
//! lines of a hunk that are not new stand in the text exactly, in one place, or nothing is changed.

/// The changes of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File<'a> {
    /// The file.
    pub path: &'a str,
    hunks: Vec<Hunk<'a>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Hunk<'a> {
    /// The line that its head names, from 1.
    line: usize,
    before: Vec<&'a str>,
    after: Vec<&'a str>,
}

/// The files that `text` changes, whatever stands before and after its diff.
///
/// # Errors
/// It is no diff of files that are there before and after.
pub(super) fn read(text: &str) -> Result<Vec<File<'_>>, String> {
    let mut files: Vec<File<'_>> = Vec::new();
    let mut lines = text.lines().peekable();
    let mut in_hunk = false;
    while let Some(line) = lines.next() {
        let is_head = line.starts_with("--- ") && lines.peek().is_some_and(|next| next.starts_with("+++ "));
        if is_head {
            let (old, new) = (line, lines.next().unwrap_or_default());
            files.push(File { path: path(&old[4..], &new[4..])?, hunks: Vec::new() });
            in_hunk = false;
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        if let Some(head) = line.strip_prefix("@@ -") {
            let number = head.split([',', ' ']).next().and_then(|number| number.parse().ok());
            let line = number.ok_or_else(|| format!("`{line}` does not say where its lines are"))?;
            file.hunks.push(Hunk { line, ..Hunk::default() });
            in_hunk = true;
            continue;
        }
        let Some(hunk) = file.hunks.last_mut().filter(|_| in_hunk) else { continue };
        match (line.chars().next(), line.get(1..).unwrap_or_default()) {
            // The line before a mail's signature.
            _ if line == "-- " || line == "--" => in_hunk = false,
            (Some('-'), rest) => hunk.before.push(rest),
            (Some('+'), rest) => hunk.after.push(rest),
            // Editors take blanks away from the ends of lines.
            (Some(' ') | None, rest) => {
                hunk.before.push(rest);
                hunk.after.push(rest);
            }
            // That there is no end of line says nothing of the lines.
            (Some('\\'), _) => {}
            _ => in_hunk = false,
        }
    }
    match files.iter().find(|file| file.hunks.is_empty()) {
        _ if files.is_empty() => {
            Err("this is no patch: no line begins with `--- ` and is followed by `+++ `".to_owned())
        }
        Some(file) => Err(format!("the patch of `{}` changes nothing", file.path)),
        None => Ok(files),
    }
}

/// The file that both names mean.
fn path<'a>(old: &'a str, new: &'a str) -> Result<&'a str, String> {
    let name = |text: &'a str, side: &str| {
        let text = text.split('\t').next().unwrap_or(text).trim_end();
        text.strip_prefix(side).unwrap_or(text)
    };
    let (old, new) = (name(old, "a/"), name(new, "b/"));
    match old == new && old != "/dev/null" {
        true => Ok(new),
        false => Err(format!("`{old}` would become `{new}`: a fix changes files that stay where they are")),
    }
}

impl File<'_> {
    /// `before` with these changes.
    ///
    /// # Errors
    /// A hunk does not fit, in words.
    pub fn apply(&self, before: &str) -> Result<String, String> {
        let lines: Vec<&str> = before.split_inclusive('\n').collect();
        let bare: Vec<&str> = lines.iter().map(|line| line.trim_end_matches(['\r', '\n'])).collect();
        let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
        let mut after = String::new();
        let mut at = 0;
        for hunk in &self.hunks {
            let start = hunk.place(&bare, at).ok_or_else(|| {
                format!("the lines around line {} of `{}` are not those of the project", hunk.line, self.path)
            })?;
            after.extend(lines[at..start].iter().copied());
            for line in &hunk.after {
                after.push_str(line.trim_end_matches('\r'));
                after.push_str(end);
            }
            at = start + hunk.before.len();
        }
        after.extend(lines[at..].iter().copied());
        // A text without an end of line keeps it so.
        if at == lines.len() && !before.is_empty() && !before.ends_with('\n') {
            after.truncate(after.trim_end_matches(['\r', '\n']).len());
        }
        Ok(after)
    }
}

impl Hunk<'_> {
    /// Where its lines stand in `lines` from `from` on: where its head says, else in the one place where they do.
    fn place(&self, lines: &[&str], from: usize) -> Option<usize> {
        let before: Vec<&str> = self.before.iter().map(|line| line.trim_end_matches('\r')).collect();
        // What only adds says by its head after which line.
        let said = if before.is_empty() { self.line } else { self.line.saturating_sub(1) };
        let fits = |start: usize| {
            let there = lines.get(start..start + before.len());
            // Editors take blanks away from the ends of lines.
            there.is_some_and(|there| there.iter().zip(&before).all(|(a, b)| a.trim_end() == b.trim_end()))
        };
        if said >= from && fits(said) {
            return Some(said);
        }
        if before.is_empty() {
            return None;
        }
        let mut places = (from..lines.len()).filter(|start| fits(*start));
        places.next().filter(|_| places.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\nb\nc\nd\ne\n";

    fn applied(patch: &str, before: &str) -> Result<String, String> {
        let files = read(patch)?;
        let [file] = files.as_slice() else { return Err(format!("{} files", files.len())) };
        file.apply(before)
    }

    #[test]
    fn a_patch_applies_where_its_lines_stand_whatever_its_counts_say() {
        let hunk = |body: &str| format!("--- a/x.py\n+++ b/x.py\n{body}");
        for (body, before, after) in [
            ("@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n", TEXT, "a\nb\nC\nd\ne\n"),
            // A line that was added by hand; the counts are as they were.
            ("@@ -2,3 +2,3 @@\n b\n-c\n+C\n+D\n d\n", TEXT, "a\nb\nC\nD\nd\ne\n"),
            // It moved.
            ("@@ -9,3 +9,3 @@\n b\n-c\n+C\n d\n", TEXT, "a\nb\nC\nd\ne\n"),
            ("@@ -1,1 +1,1 @@\n-a\n+A\n@@ -5,1 +5,1 @@\n-e\n+E\n", TEXT, "A\nb\nc\nd\nE\n"),
            ("@@ -2,0 +3,1 @@\n+B\n", TEXT, "a\nb\nB\nc\nd\ne\n"),
            ("@@ -1,1 +1,1 @@\n-a\n+A\n-- \nconclave\n", TEXT, "A\nb\nc\nd\ne\n"),
            ("@@ -2,1 +2,1 @@\n-b\n+B\n", "a\r\nb\r\n", "a\r\nB\r\n"),
            ("@@ -2,1 +2,1 @@\n-b\n+B\n\\ No newline at end of file\n", "a\nb", "a\nB"),
            ("@@ -1,3 +1,3 @@\n a\n\n-c\n+C\n", "a\n\nc\n", "a\n\nC\n"),
        ] {
            assert_eq!(applied(&hunk(body), before).as_deref(), Ok(after), "{body}");
        }
    }

    #[test]
    fn what_does_not_fit_in_one_place_changes_nothing() {
        let hunk = |body: &str| format!("From 0\nSubject: x\n\n--- a/x.py\n+++ b/x.py\n{body}");
        for (patch, why) in [
            (hunk("@@ -2,1 +2,1 @@\n-x\n+y\n"), "are not those of the project"),
            (hunk("@@ -9,1 +9,1 @@\n-a\n+y\n").replace("-a", "-same"), "are not those of the project"),
            (hunk("@@ -7,0 +8,1 @@\n+y\n"), "are not those of the project"),
            (hunk("@@ x @@\n"), "changes nothing"),
            (hunk("@@ -x +1 @@\n-a\n"), "does not say where"),
            ("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x\n".to_owned(), "would become"),
            ("--- a/x.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n".to_owned(), "would become"),
            ("hello\n".to_owned(), "no patch"),
            (String::new(), "no patch"),
        ] {
            let refused = applied(&patch, "same\nsame\na\n").expect_err(&patch);
            assert!(refused.contains(why), "{patch}: {refused}");
        }
    }

    #[test]
    fn a_patch_of_several_files_is_read_whole() {
        let text = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+A\ndiff --git a/y.py b/y.py\n\
                    --- a/y.py\t2026\n+++ b/y.py\t2026\n@@ -1 +1 @@\n-a\n+A\n";
        let files = read(text).expect("a patch");
        let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
        assert_eq!(paths, ["x.py", "y.py"]);
        assert_eq!(files[0].apply("a\n").as_deref(), Ok("A\n"));
    }
}
