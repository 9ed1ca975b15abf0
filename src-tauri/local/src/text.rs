//! Text out of tokens, which may end within a character.

/// The text of an answer as it grows.
#[derive(Default)]
pub struct Text {
    bytes: Vec<u8>,
    given: usize,
}

impl Text {
    /// Adds the bytes of a token; what comes back are the whole characters that nobody has been given yet.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.bytes.extend_from_slice(bytes);
        let rest = &self.bytes[self.given..];
        let whole = match std::str::from_utf8(rest) {
            Ok(text) => text.len(),
            // Bytes that can become no character are given as a replacement, so that they hold nothing up.
            Err(error) => error.error_len().map_or(error.valid_up_to(), |bad| error.valid_up_to() + bad),
        };
        self.given += whole;
        String::from_utf8_lossy(&rest[..whole]).into_owned()
    }

    /// All of it.
    pub fn whole(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_whole() {
        let cases: [(&[&[u8]], &[&str]); 4] = [
            (&[b"a", b"b"], &["a", "b"]),
            (&[b"\xe2\x82", b"\xac!"], &["", "€!"]),
            (&[b"x\xe2", b"\x82", b"\xac"], &["x", "", "€"]),
            (&[b"\xff", b"a"], &["\u{fffd}", "a"]),
        ];
        for (pieces, expect) in cases {
            let mut text = Text::default();
            let given: Vec<String> = pieces.iter().map(|piece| text.push(piece)).collect();
            assert_eq!(given, expect, "{pieces:?}");
            assert_eq!(text.whole(), expect.concat());
        }
    }
}
