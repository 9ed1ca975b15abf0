//! Newline-delimited JSON out of bytes that arrive in any pieces.
//!
//! Invariant: the lines do not depend on where the bytes are split. Blank lines mean nothing.

/// Splits pushed bytes into lines.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    max: usize,
}

/// A line was larger than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineTooLarge;

impl Lines {
    /// A splitter that holds at most `max` bytes of one line.
    pub(super) fn new(max: usize) -> Self {
        Self { line: Vec::new(), max }
    }

    /// Takes the next bytes and hands each line that ends in them to `each`, until that says `false`.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8]) -> bool) -> Result<(), LineTooLarge> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + part.len() > self.max {
                return Err(LineTooLarge);
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = line.trim_ascii();
                if !line.is_empty() && !each(line) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The line under way.
    pub(super) fn pending(self) -> Vec<u8> {
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_do_not_depend_on_the_split() {
        let text = b"{\"a\":1}\n\n  \r\n{\"b\":2}\r\n{\"c\"";
        for at in 0..=text.len() {
            let mut lines = Lines::new(100);
            let mut seen = Vec::new();
            for piece in [&text[..at], &text[at..]] {
                let all = |line: &[u8]| {
                    seen.push(String::from_utf8_lossy(line).into_owned());
                    true
                };
                assert_eq!(lines.push(piece, all), Ok(()));
            }
            assert_eq!(
                (seen.as_slice(), lines.pending().as_slice()),
                (["{\"a\":1}".to_owned(), "{\"b\":2}".to_owned()].as_slice(), b"{\"c\"".as_slice())
            );
        }
    }

    #[test]
    fn a_line_over_the_limit_is_an_error_however_it_comes() {
        assert_eq!(Lines::new(10).push(&[b'x'; 11], |_| true), Err(LineTooLarge));
        let mut lines = Lines::new(10);
        assert_eq!((0..11).try_for_each(|_| lines.push(b"x", |_| true)), Err(LineTooLarge));
    }
}
