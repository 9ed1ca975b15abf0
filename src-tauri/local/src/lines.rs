//! JSON lines in and out.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, channel};

use conclave_core::local::{FailKind, Reply, Request};
use serde_json::Value;

/// Longest line, in bytes.
const LONGEST: u64 = 16 << 20;

/// The worker has to end: nobody reads its replies any more, or the model cannot be run any further.
#[derive(Debug)]
pub struct Gone;

/// A line that is not a request.
#[derive(Debug, PartialEq)]
pub struct Misunderstood {
    /// The question that it is about, as far as that can be told.
    pub id: Option<u64>,
    /// What is wrong.
    pub why: String,
}

/// Reads requests on a thread of its own, so that they are heard while the model runs. The end of the input ends the
/// channel.
pub fn listen(input: impl Read + Send + 'static) -> Receiver<Result<Request, Misunderstood>> {
    let (give, given) = channel();
    std::thread::spawn(move || {
        let mut input = BufReader::new(input);
        while let Some(line) = next_line(&mut input) {
            if give.send(line.and_then(|line| understand(&line))).is_err() {
                break;
            }
        }
    });
    given
}

/// The next line; `None` at the end.
fn next_line(input: &mut impl BufRead) -> Option<Result<Vec<u8>, Misunderstood>> {
    let mut line = Vec::new();
    match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) if line.ends_with(b"\n") || (line.len() as u64) < LONGEST => Some(Ok(line)),
        Ok(_) => {
            skip_line(input);
            Some(Err(Misunderstood { id: None, why: format!("the line is longer than {LONGEST} bytes") }))
        }
    }
}

fn skip_line(input: &mut impl BufRead) {
    while let Ok(buffer) = input.fill_buf() {
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (count, is_end) = end.map_or((buffer.len(), buffer.is_empty()), |at| (at + 1, true));
        input.consume(count);
        if is_end {
            break;
        }
    }
}

fn understand(line: &[u8]) -> Result<Request, Misunderstood> {
    serde_json::from_slice(line).map_err(|error| {
        let value = serde_json::from_slice::<Value>(line).unwrap_or_default();
        Misunderstood { id: value.get("id").and_then(Value::as_u64), why: error.to_string() }
    })
}

/// Where replies go.
pub struct Replies<W>(W);

impl<W: Write> Replies<W> {
    /// Says replies to `output`.
    pub fn new(output: W) -> Self {
        Self(output)
    }

    /// Says one reply, at once.
    pub fn say(&mut self, reply: &Reply) -> Result<(), Gone> {
        let mut line = serde_json::to_vec(reply).map_err(|_| Gone)?;
        line.push(b'\n');
        self.0.write_all(&line).and_then(|()| self.0.flush()).map_err(|_: io::Error| Gone)
    }

    /// Says that something was not done.
    pub fn fail(&mut self, id: Option<u64>, kind: FailKind, why: impl Into<String>) -> Result<(), Gone> {
        self.say(&Reply::Failed { id, kind, why: why.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(input: &[u8]) -> Vec<Result<Request, Misunderstood>> {
        listen(io::Cursor::new(input.to_vec())).into_iter().collect()
    }

    #[test]
    fn a_broken_line_is_told_and_the_next_one_is_heard() {
        let cancel = |id| Ok(Request::Cancel { id });
        let all = heard(
            b"{\"do\":\"cancel\",\"id\":1}\nnonsense\n{\"do\":\"sing\",\"id\":7}\n\xff\n\n{\"do\":\"cancel\",\"id\":2}",
        );
        assert_eq!((&all[0], &all[5]), (&cancel(1), &cancel(2)));
        let of: Vec<Option<u64>> = all[1..5].iter().map(|one| one.as_ref().unwrap_err().id).collect();
        assert_eq!(of, [None, Some(7), None, None]);
    }

    #[test]
    fn a_line_without_end_is_skipped() {
        let mut input = vec![b'x'; usize::try_from(LONGEST).unwrap() + 10];
        input.extend(b"\n{\"do\":\"cancel\",\"id\":3}\n");
        let all = heard(&input);
        assert!(all[0].as_ref().is_err_and(|error| error.why.contains("longer")), "{:?}", all[0]);
        assert_eq!(all[1..], [Ok(Request::Cancel { id: 3 })]);
    }

    #[test]
    fn a_reply_is_one_line() {
        let mut replies = Replies::new(Vec::new());
        replies.fail(None, FailKind::NoFile, "two\nlines").unwrap();
        replies.fail(Some(1), FailKind::TooLong, "").unwrap();
        assert_eq!(replies.0.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}
