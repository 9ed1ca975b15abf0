//! Reads a unified diff that a person may have edited by hand, and applies it.
//!
//! Counts in the heads of hunks say only what cannot be the end of one, for whoever adds a line by hand leaves them as they
//! are. Invariants: the lines of a hunk that are not new stand in the text exactly, in one place, or nothing is changed;
//! what is kept has the bytes of the text; no line of a hunk is left out.

use crate::export::{decoded, unquoted};

/// The changes of one file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// The file.
    pub path: String,
    hunks: Vec<Hunk>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Hunk {
    /// The line that its head names, from 1.
    line: usize,
    /// So many lines of either side are still to come, by its head.
    left: [usize; 2],
    lines: Vec<Line>,
    /// Whether lines of either side are said to have no end.
    endless: [bool; 2],
    /// Whether a `\r` belongs to a line and is not how the patch ends all of its own.
    has_ends: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Kept(String),
    Out(String),
    In(String),
}

/// Where a reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before and after the diff.
    Text,
    /// After a line that begins a file's part.
    Head,
    /// After the names of a file.
    File,
    Hunk,
}

/// The files that `text` changes, whatever stands before and after its diff.
///
/// # Errors
/// It is no diff of files that are there before and after.
pub(crate) fn read(text: &str) -> Result<Vec<File>, String> {
    let text = decoded(text)?;
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let mut files: Vec<File> = Vec::new();
    let (mut at, mut next) = (At::Text, 0);
    while let Some(raw) = lines.get(next) {
        let (line, rest) = (raw.trim_end_matches('\r'), &lines[next + 1..]);
        next += 1;
        let hunk = files.last_mut().and_then(|file| file.hunks.last_mut()).filter(|_| at == At::Hunk);
        let left = hunk.as_ref().map_or([0, 0], |hunk| hunk.left);
        if line.starts_with("diff ") {
            at = At::Head;
        } else if (left[0] == 0 || left[1] == 0) && is_pair(line, rest) {
            files.push(File { path: path(&line[4..], &rest[0][4..])?, hunks: Vec::new() });
            (at, next) = (At::File, next + 1);
        } else if line.starts_with("@@") && at != At::Text {
            let file = files.last_mut().filter(|_| at != At::Head);
            let file = file.ok_or_else(|| format!("the lines of `{line}` belong to no file"))?;
            let head = head(line).ok_or_else(|| format!("`{line}` does not say where its lines are"))?;
            file.hunks.push(Hunk { has_ends: !raw.ends_with('\r'), ..head });
            at = At::Hunk;
        } else if let Some(hunk) = hunk {
            match left[0] == 0 && is_after(line, rest) {
                true => at = At::Text,
                false => hunk.take(if hunk.has_ends { raw } else { line })?,
            }
        } else if at == At::Head && says_more(line) || at == At::File && !line.is_empty() {
            return Err(format!("`{line}`: a fix changes the lines of files and nothing else"));
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

/// Whether `line` and the next one name a file.
fn is_pair(line: &str, rest: &[&str]) -> bool {
    line.starts_with("--- ") && rest.first().is_some_and(|next| next.starts_with("+++ "))
}

/// Whether `line` is what stands between a hunk and the next file or the end: a mail's signature, or nothing.
fn is_after(line: &str, rest: &[&str]) -> bool {
    let ends = |at: &usize| rest[*at].starts_with("diff ") || is_pair(rest[*at], &rest[at + 1..]);
    let rest = &rest[..(0..rest.len()).find(ends).unwrap_or(rest.len())];
    match line {
        "-- " | "--" => !rest.iter().any(|line| line.starts_with([' ', '+', '-', '@', '\\'])),
        "" => rest.split_first().is_none_or(|(line, rest)| is_after(line.trim_end_matches('\r'), rest)),
        _ => false,
    }
}

/// Whether a line before the names of a file asks for something that is no change of lines.
fn says_more(line: &str) -> bool {
    let more =
        ["rename ", "copy ", "old mode ", "new mode ", "new file mode ", "deleted file mode ", "GIT binary patch"];
    more.iter().any(|more| line.starts_with(more)) || line.starts_with("Binary files ")
}

/// The hunk that the line `head` begins.
fn head(head: &str) -> Option<Hunk> {
    let (old, rest) = head.strip_prefix("@@ -")?.split_once(" +")?;
    let range = |text: &str| -> Option<(usize, usize)> {
        let (line, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((line.parse().ok()?, count.parse().ok()?))
    };
    let ((line, old), (_, new)) = (range(old)?, range(rest.split(' ').next()?)?);
    Some(Hunk { line, left: [old, new], ..Hunk::default() })
}

/// The file that both names mean.
fn path(old: &str, new: &str) -> Result<String, String> {
    let name = |text: &str, side: &str| {
        let text = text.trim_end();
        let name = match text.starts_with('"') {
            true => unquoted(text).ok_or_else(|| format!("`{text}` is no name of a file"))?,
            false => text.split('\t').next().unwrap_or(text).trim_end().to_owned(),
        };
        Ok::<_, String>(name.strip_prefix(side).map(str::to_owned).unwrap_or(name))
    };
    let (old, new) = (name(old, "a/")?, name(new, "b/")?);
    match old == new && old != "/dev/null" {
        true => Ok(new),
        false => Err(format!("`{old}` would become `{new}`: a fix changes files that stay where they are")),
    }
}

impl File {
    /// `before` with these changes.
    ///
    /// # Errors
    /// A hunk does not fit, in words.
    pub fn apply(&self, before: &str) -> Result<String, String> {
        let ended = |line| {
            let bare = str::trim_end_matches(line, ['\r', '\n']);
            (bare, &line[bare.len()..])
        };
        let lines: Vec<(&str, &str)> = before.split_inclusive('\n').map(ended).collect();
        let mut after: Vec<(&str, &str)> = Vec::new();
        let mut at = 0;
        let mut is_endless = lines.last().is_some_and(|(_, end)| end.is_empty());
        for hunk in &self.hunks {
            let start = hunk.place(&lines, at).ok_or_else(|| {
                format!("the lines around line {} of `{}` are not those of the project", hunk.line, self.path)
            })?;
            after.extend(&lines[at..start]);
            at = start;
            // The lines that new ones stand in the place of.
            let mut out = at..at;
            for line in &hunk.lines {
                match line {
                    Line::Kept(_) => {
                        after.push(lines[at]);
                        at += 1;
                        out = at..at;
                    }
                    Line::Out(_) => {
                        at += 1;
                        out.end = at;
                    }
                    Line::In(text) => {
                        let beside = out.next().map(|old| lines[old].1).into_iter();
                        let mut beside =
                            beside.chain(after.last().map(|line| line.1)).chain(lines.get(at).map(|line| line.1));
                        let (text, end) = match text.strip_suffix('\r') {
                            Some(text) => (text, "\r\n"),
                            None => (text.as_str(), beside.find(|end| !end.is_empty()).unwrap_or("\n")),
                        };
                        after.push((text, end));
                    }
                }
            }
            if at == lines.len() && hunk.endless != [false, false] {
                is_endless = hunk.endless[1];
            }
        }
        after.extend(&lines[at..]);
        // Only the last line of a text can be without an end.
        let (mut text, last) = (String::new(), after.len().saturating_sub(1));
        let mut usual = after.iter().map(|line| line.1).find(|end| !end.is_empty()).unwrap_or("\n");
        for (index, (line, end)) in after.into_iter().enumerate() {
            usual = if end.is_empty() { usual } else { end };
            text.push_str(line);
            text.push_str(if index == last && is_endless { "" } else { usual });
        }
        Ok(text)
    }
}

impl Hunk {
    /// One more line.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let (mark, rest) = (line.chars().next(), line.get(1..).unwrap_or_default());
        let (line, sides) = match mark {
            Some('-') => (Line::Out(rest.to_owned()), [true, false]),
            Some('+') => (Line::In(rest.to_owned()), [false, true]),
            // Editors take blanks away from the ends of lines.
            Some(' ' | '\r') | None => (Line::Kept(rest.to_owned()), [true, true]),
            // There is no end of line.
            Some('\\') => {
                let sides = match self.lines.last() {
                    Some(Line::Out(_)) => [true, false],
                    Some(Line::In(_)) => [false, true],
                    _ => [true, true],
                };
                self.endless = [self.endless[0] || sides[0], self.endless[1] || sides[1]];
                return Ok(());
            }
            _ => return Err(format!("`{line}` stands among the lines of a patch, and begins with no ` `, `-` or `+`")),
        };
        self.lines.push(line);
        for (left, is_of) in self.left.iter_mut().zip(sides) {
            *left = left.saturating_sub(usize::from(is_of));
        }
        Ok(())
    }

    /// Where its lines stand in `lines` from `from` on: where its head says, else in the one place where they do.
    fn place(&self, lines: &[(&str, &str)], from: usize) -> Option<usize> {
        let old = |line| match line {
            &Line::Kept(ref text) | &Line::Out(ref text) => Some(text.trim_end()),
            Line::In(_) => None,
        };
        let before: Vec<&str> = self.lines.iter().filter_map(old).collect();
        // What only adds says by its head after which line.
        let said = if before.is_empty() { self.line } else { self.line.saturating_sub(1) };
        let fits = |start: usize| {
            let there = lines.get(start..start + before.len());
            // Editors take blanks away from the ends of lines.
            there.is_some_and(|there| there.iter().zip(&before).all(|((line, _), wanted)| line.trim_end() == *wanted))
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
            // Lines that look like a mail's signature or like names, while lines are still to come.
            ("@@ -1,3 +1,1 @@\n a\n-- \n--\n-- \n2.4\n", "a\n- \n-\nb\n", "a\nb\n"),
            ("@@ -1,2 +1,2 @@\n--- a\n+++ b\n c\n", "-- a\nc\n", "++ b\nc\n"),
            ("@@ -1,1 +1,1 @@\n-a\n+A\n\n-- \n2.4\n\n", TEXT, "A\nb\nc\nd\ne\n"),
            // What is kept has the bytes of the file, and what is new the end of what it replaces.
            ("@@ -1,3 +1,3 @@\n a\n-b\n+B\n+C\n c\n", "a \r\nb\nc\t\r\n", "a \r\nB\nC\nc\t\r\n"),
            ("@@ -1,2 +1,3 @@\r\n a\r\n+n\r\n b\r\n", "a\nb\n", "a\nn\nb\n"),
            ("@@ -1,2 +1,3 @@\n a\n+n\r\n b\n", "a\nb\n", "a\nn\r\nb\n"),
            ("@@ -2,0 +3,1 @@\n+c\n", "a\r\nb", "a\r\nb\r\nc"),
            ("@@ -2,1 +2,2 @@\n-b\n\\ No newline at end of file\n+b\n+c\n", "a\nb", "a\nb\nc\n"),
            ("@@ -2,1 +2,1 @@\n-b\n+b\n\\ No newline at end of file\n", "a\nb\n", "a\nb"),
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
            (hunk("@@ x @@\n"), "does not say where"),
            (hunk(""), "changes nothing"),
            (hunk("@@ -3,1 +3,1 @@\n-a\n+y\nz\n"), "`z` stands among the lines"),
            (hunk("@@ -3,1 +3,1 @@\n-a\n+y\n@ -1 +1 @@\n-same\n"), "`@ -1 +1 @@` stands among the lines"),
            (hunk("@ -1 +1 @@\n-same\n"), "nothing else"),
            (hunk("@@ -1 +1 @@\n-same\ndiff --git a/y b/y\n@@ -1 +1 @@\n-b\n"), "belong to no file"),
            ("diff --git a/x b/y\nrename from x\nrename to y\n".to_owned(), "nothing else"),
            ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n".to_owned(), "nothing else"),
            ("diff --git a/x b/x\nindex 1..2\nGIT binary patch\n".to_owned(), "nothing else"),
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
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["x.py", "y.py"]);
        assert_eq!(files[0].apply("a\n").as_deref(), Ok("A\n"));
    }
}
