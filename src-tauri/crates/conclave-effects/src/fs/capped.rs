//! A file that is read up to a limit, and not a byte further.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// A reader that fails with [`ErrorKind::FileTooLarge`] instead of ending early.
#[derive(Debug)]
pub struct Capped {
    file: File,
    max: u64,
    position: u64,
}

impl Capped {
    pub(crate) fn new(file: File, max: u64) -> Self {
        Self { file, max, position: 0 }
    }
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let left = self.max.saturating_sub(self.position);
        if left == 0 {
            return match self.file.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::new(ErrorKind::FileTooLarge, "the file is larger than may be read")),
            };
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read(&mut buffer[..most])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Capped {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn reading_on_fails_and_reading_again_does_not() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        file.rewind().unwrap();
        let mut capped = Capped::new(file, 4);
        for _ in 0..2 {
            let mut head = [0; 4];
            capped.read_exact(&mut head).unwrap();
            assert_eq!(&head, b"abcd");
            assert_eq!(capped.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::FileTooLarge));
            capped.rewind().unwrap();
        }
    }
}
