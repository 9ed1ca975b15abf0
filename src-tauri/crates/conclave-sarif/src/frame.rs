//! JSON text cut into values, without reading what is in them.
//!
//! A log is one JSON object that may be larger than memory. [`Frames`] walks its outer structure over a reader, holds one
//! value at a time and hands it out as bytes for `serde_json`. It is deliberately no JSON reader: what is skipped is
//! matched for strings and brackets only.
//!
//! Invariants: memory is bounded by the limit given for one value, whatever the input; nothing recurses.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memchr2;

/// How deep a value may nest; a SARIF result needs about 12 levels.
pub(crate) const MAX_DEPTH: u32 = 100;
/// The longest key that is told from others, in bytes.
const MAX_KEY: usize = 256;
/// So much is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// A cursor over JSON text.
pub(crate) struct Frames<R> {
    reader: R,
    window: Vec<u8>,
    /// The next byte, in `window`.
    at: usize,
    /// How many bytes are gone from the front of `window`.
    passed: u64,
    /// Whether an object or array was entered and nothing of it was taken yet.
    fresh: bool,
}

/// Why the text cannot be walked any further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The reader failed.
    #[error("reading failed at byte {at}: {error}")]
    Io {
        /// Where.
        at: u64,
        /// Why.
        error: io::Error,
    },
    /// The text ends too soon.
    #[error("the file ends at byte {0}, in the middle of a value")]
    Early(u64),
    /// The text is no JSON.
    #[error("the text is not JSON at byte {0}")]
    Syntax(u64),
}

/// One value, or why it is not handed out; it is passed in any case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// It nests deeper than [`MAX_DEPTH`].
    TooDeep,
    /// It is longer than the limit.
    TooLarge,
}

/// Where inside a value the walk is.
enum State {
    Between,
    Scalar,
    Text,
    Escape,
}

struct Span {
    start: usize,
    fits: bool,
    deepest: u32,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, window: Vec::new(), at: 0, passed: 0, fresh: false }
    }

    /// The byte offset of what comes next.
    pub(crate) fn offset(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// The first bytes of the input, at most `count`; nothing is passed.
    pub(crate) fn head(&mut self, count: usize) -> Result<&[u8], Broken> {
        while self.window.len() < count && self.fill(0)? {}
        Ok(&self.window[..count.min(self.window.len())])
    }

    /// Passes `count` bytes that [`Frames::head`] has shown.
    pub(crate) fn skip_head(&mut self, count: usize) {
        self.at = (self.at + count).min(self.window.len());
    }

    /// The first byte of what comes next, white space passed; `None` at the end of the input.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            match self.window.get(self.at).copied() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(Some(byte)),
                None if self.fill(self.at)? => {}
                None => return Ok(None),
            }
        }
    }

    /// Enters the next value if it is an object.
    pub(crate) fn object(&mut self) -> Result<bool, Broken> {
        self.enter(b'{')
    }

    /// Enters the next value if it is an array.
    pub(crate) fn array(&mut self) -> Result<bool, Broken> {
        self.enter(b'[')
    }

    /// The next key of the object that was entered; `None` leaves it. Over-long keys read as empty.
    pub(crate) fn key(&mut self) -> Result<Option<String>, Broken> {
        if !self.item(b'}')? {
            return Ok(None);
        }
        if self.peek()? != Some(b'"') {
            return Err(self.wrong());
        }
        let key = match self.take(MAX_KEY)? {
            Taken::Bytes(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
            Taken::TooDeep | Taken::TooLarge => String::new(),
        };
        match self.peek()? {
            Some(b':') => self.at += 1,
            _ => return Err(self.wrong()),
        }
        Ok(Some(key))
    }

    /// Whether the array that was entered has a next element; `false` leaves it.
    pub(crate) fn element(&mut self) -> Result<bool, Broken> {
        self.item(b']')
    }

    /// The next value as bytes, at most `limit` of them.
    pub(crate) fn take(&mut self, limit: usize) -> Result<Taken<'_>, Broken> {
        let span = self.pass(Some(limit))?;
        Ok(match span {
            Span { deepest, .. } if deepest > MAX_DEPTH => Taken::TooDeep,
            Span { fits: false, .. } => Taken::TooLarge,
            Span { start, .. } => Taken::Bytes(&self.window[start..self.at]),
        })
    }

    /// Passes the next value.
    pub(crate) fn skip(&mut self) -> Result<(), Broken> {
        self.pass(None).map(drop)
    }

    fn enter(&mut self, bracket: u8) -> Result<bool, Broken> {
        let entered = self.peek()? == Some(bracket);
        if entered {
            self.at += 1;
            self.fresh = true;
        }
        Ok(entered)
    }

    fn item(&mut self, close: u8) -> Result<bool, Broken> {
        let fresh = std::mem::replace(&mut self.fresh, false);
        match self.peek()? {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !fresh => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if fresh => Ok(true),
            _ => Err(self.wrong()),
        }
    }

    fn pass(&mut self, limit: Option<usize>) -> Result<Span, Broken> {
        let mut state = match self.peek()? {
            Some(b'"') => State::Text,
            Some(b'{' | b'[') => State::Between,
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => State::Scalar,
            _ => return Err(self.wrong()),
        };
        let mut span = Span { start: self.at, fits: true, deepest: 0 };
        // One bit for each open bracket: 1 is an object. Brackets deeper than that are only counted.
        let (mut open, mut kinds) = (0_u32, 0_u128);
        if matches!(state, State::Text) {
            self.at += 1;
        }
        loop {
            if self.at >= self.window.len() {
                let kept = if limit.is_some() && span.fits { span.start } else { self.window.len() };
                let more = self.fill(kept)?;
                span.start = span.start.saturating_sub(kept);
                span.fits &= limit.is_none_or(|limit| self.window.len() - span.start <= limit.saturating_add(CHUNK));
                if !more {
                    return if matches!(state, State::Scalar) && open == 0 {
                        self.end(span, limit)
                    } else {
                        Err(self.wrong())
                    };
                }
            }
            let rest = &self.window[self.at..];
            match state {
                State::Escape => {
                    self.at += 1;
                    state = State::Text;
                }
                State::Text => match memchr2(b'"', b'\\', rest) {
                    None => self.at = self.window.len(),
                    Some(n) if rest[n] == b'\\' => {
                        self.at += n + 1;
                        state = State::Escape;
                    }
                    Some(n) => {
                        self.at += n + 1;
                        if open == 0 {
                            return self.end(span, limit);
                        }
                        state = State::Between;
                    }
                },
                State::Scalar => {
                    match rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
                        None => self.at = self.window.len(),
                        Some(n) => {
                            self.at += n;
                            return self.end(span, limit);
                        }
                    }
                }
                State::Between => match rest.iter().position(|b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']')) {
                    None => self.at = self.window.len(),
                    Some(n) => {
                        let byte = rest[n];
                        self.at += n + 1;
                        match byte {
                            b'"' => state = State::Text,
                            b'{' | b'[' => {
                                open = open.saturating_add(1);
                                span.deepest = span.deepest.max(open);
                                if open <= u128::BITS {
                                    kinds = (kinds << 1) | u128::from(byte == b'{');
                                }
                            }
                            _ => {
                                if open <= u128::BITS {
                                    if (kinds & 1 == 1) != (byte == b'}') {
                                        self.at -= 1;
                                        return Err(self.wrong());
                                    }
                                    kinds >>= 1;
                                }
                                open -= 1;
                                if open == 0 {
                                    return self.end(span, limit);
                                }
                            }
                        }
                    }
                },
            }
        }
    }

    fn end(&mut self, mut span: Span, limit: Option<usize>) -> Result<Span, Broken> {
        span.fits &= limit.is_none_or(|limit| self.at - span.start <= limit);
        Ok(span)
    }

    /// Reads on, giving up the bytes before `kept`; `false` at the end of the input.
    fn fill(&mut self, kept: usize) -> Result<bool, Broken> {
        self.window.drain(..kept);
        self.at -= kept;
        self.passed += kept as u64;
        let length = self.window.len();
        self.window.resize(length + CHUNK, 0);
        let read = loop {
            match self.reader.read(&mut self.window[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.window.truncate(length + *read.as_ref().unwrap_or(&0));
        read.map(|count| count > 0).map_err(|error| Broken::Io { at: self.offset(), error })
    }

    fn wrong(&self) -> Broken {
        if self.at >= self.window.len() { Broken::Early(self.offset()) } else { Broken::Syntax(self.offset()) }
    }
}

impl<R: Read + Seek> Frames<R> {
    /// Goes back to the start of the input.
    pub(crate) fn rewind(&mut self) -> Result<(), Broken> {
        self.reader.seek(SeekFrom::Start(0)).map_err(|error| Broken::Io { at: 0, error })?;
        self.window.clear();
        (self.at, self.passed, self.fresh) = (0, 0, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
