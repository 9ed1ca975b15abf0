//! What is kept of an output that may be endless: its beginning and its end.

use std::collections::VecDeque;

/// Collects the first and the last half of `limit` bytes.
pub(super) struct HeadTail {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl HeadTail {
    pub(super) fn new(limit: usize) -> Self {
        Self { half: limit / 2, head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..excess);
        self.left_out += excess as u64;
    }

    /// What was kept, and whether anything is missing; the gap is marked.
    pub(super) fn finish(self) -> (Vec<u8>, bool) {
        let mut kept = self.head;
        if self.left_out > 0 {
            kept.extend_from_slice(format!("\n[{} bytes left out]\n", self.left_out).as_bytes());
        }
        kept.extend(self.tail);
        (kept, self.left_out > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept_however_the_output_arrives() {
        let cases: [(usize, &str, &str, bool); 6] = [
            (8, "", "", false),
            (8, "abc", "abc", false),
            (8, "abcdefgh", "abcdefgh", false),
            (8, "abcdefghi", "abcd\n[1 bytes left out]\nfghi", true),
            (8, "abcdefghijklmnop", "abcd\n[8 bytes left out]\nmnop", true),
            (0, "abc", "\n[3 bytes left out]\n", true),
        ];
        for (limit, input, expect, cut) in cases {
            for size in 1..=input.len().max(1) {
                let mut kept = HeadTail::new(limit);
                input.as_bytes().chunks(size).for_each(|chunk| kept.push(chunk));
                assert_eq!(kept.finish(), (expect.as_bytes().to_vec(), cut), "{input} in pieces of {size}");
            }
        }
    }
}
