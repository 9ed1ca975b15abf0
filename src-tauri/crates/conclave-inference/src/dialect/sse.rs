//! Server-sent events out of bytes that arrive in any pieces.
//!
//! Follows the parsing rules of the HTML standard, section "Server-sent events": lines end with LF, CR or CRLF, a blank
//! line ends an event, a line that begins with a colon is a comment. Only `data` is kept: the dialects put nothing
//! else into an event that they do not repeat inside the data. Not here: reconnection and last event ids, which make no
//! sense for an answer that is given once.
//!
//! Invariant: the events do not depend on where the bytes are split.

/// An event was larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is too large")]
pub struct EventTooLarge;

/// Splits pushed bytes into the data of events.
#[derive(Debug)]
pub struct Splitter {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    at_start: bool,
    max_event: usize,
}

impl Splitter {
    /// A splitter that holds at most about `max_event` bytes of one event.
    pub fn new(max_event: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), has_data: false, after_cr: false, at_start: true, max_event }
    }

    /// Takes the next bytes and hands the data of each event that ends in them to `each`, until that says `false`.
    ///
    /// # Errors
    /// [`EventTooLarge`] where one event is larger than the limit.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8]) -> bool) -> Result<(), EventTooLarge> {
        for &byte in bytes {
            let second_half = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            if second_half {
                continue;
            }
            if byte != b'\n' && byte != b'\r' {
                if self.line.len() + self.data.len() >= self.max_event {
                    return Err(EventTooLarge);
                }
                self.line.push(byte);
                continue;
            }
            if !self.line.is_empty() {
                self.end_line();
            } else if self.has_data {
                self.has_data = false;
                let data = std::mem::take(&mut self.data);
                if !each(&data) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The data of the event under way, which no blank line has ended.
    pub fn pending(mut self) -> Vec<u8> {
        self.end_line();
        self.data
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        let value = match line.strip_prefix(b"data") {
            Some([]) => &[],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            _ => return,
        };
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::new(1024);
        let mut events = Vec::new();
        for piece in pieces {
            let all = |data: &[u8]| {
                events.push(String::from_utf8_lossy(data).into_owned());
                true
            };
            splitter.push(piece, all).expect("small events");
        }
        events
    }

    #[test]
    fn events_end_at_blank_lines_whatever_the_line_end_and_the_split() {
        let cases: [(&str, &[&str]); 12] = [
            ("data: a\n\n", &["a"]),
            ("data:a\n\ndata:  b\n\n", &["a", " b"]),
            ("data: a\ndata: b\n\n", &["a\nb"]),
            (": keep-alive\n\ndata: a\n\n: x\n", &["a"]),
            ("\n\n\ndata: a\n\n\n\n", &["a"]),
            ("event: message\nid: 3\nretry: 10\ndata: a\n\n", &["a"]),
            ("data\n\n", &[""]),
            ("data:\n\n", &[""]),
            ("datum: a\n\nnonsense\n\n", &[]),
            ("data: a\n", &[]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("data: h\u{e9}\u{1f600}\n\n", &["h\u{e9}\u{1f600}"]),
        ];
        for (text, expected) in cases {
            for end in ["\n", "\r\n", "\r"] {
                let bytes = text.replace('\n', end).into_bytes();
                for at in 0..=bytes.len() {
                    assert_eq!(events(&[&bytes[..at], &bytes[at..]]), expected, "{text:?} with {end:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn an_event_over_the_limit_is_an_error_however_it_comes() {
        let one_line = format!("data: {}", "x".repeat(2000));
        let many_lines = "data: xxxxxxxxxx\n".repeat(200);
        let comment = format!(":{}", "x".repeat(2000));
        for text in [one_line, many_lines, comment] {
            assert_eq!(Splitter::new(1024).push(text.as_bytes(), |_| true), Err(EventTooLarge));
            let mut splitter = Splitter::new(1024);
            let result = text.bytes().try_for_each(|byte| splitter.push(&[byte], |_| true));
            assert_eq!(result, Err(EventTooLarge));
        }
    }

    #[test]
    fn what_is_pending_can_be_asked_for_at_the_end() {
        for (text, expected) in [("data: x", "x"), ("data: x\n", "x"), ("data: x\ndat", "x"), ("data: x\n\n", "")] {
            let mut splitter = Splitter::new(1024);
            splitter.push(text.as_bytes(), |_| true).expect("small");
            assert_eq!(splitter.pending(), expected.as_bytes(), "{text:?}");
        }
    }
}
