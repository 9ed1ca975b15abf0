//! How much of the context token sequences take that share their beginnings.

/// How many tokens two sequences have in common at their beginning.
pub fn shared<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Places that `sequences` take when each shares its beginning with the one that it has most in common with.
pub fn needed<T: Ord>(mut sequences: Vec<&[T]>) -> usize {
    // Side by side in order are those that have most in common.
    sequences.sort_unstable();
    let all: usize = sequences.iter().map(|sequence| sequence.len()).sum();
    all - sequences.windows(2).map(|pair| shared(pair[0], pair[1])).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_beginning_is_counted_once() {
        let cases: [(&[&[u8]], usize); 6] = [
            (&[], 0),
            (&[b"abc"], 3),
            (&[b"abc", b"abc", b"abc"], 3),
            (&[b"abx", b"aby", b"z"], 5),
            (&[b"z", b"abcd", b"ab", b"abce"], 6),
            (&[b"", b"a"], 1),
        ];
        for (sequences, expect) in cases {
            assert_eq!(needed(sequences.to_vec()), expect, "{sequences:?}");
        }
    }
}
