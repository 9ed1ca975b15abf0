//! Beginnings of questions that have been read, kept on disk for the next worker.
//!
//! A file is found by what it was made of (the model's bytes, this version, the tokens) and carries the digest of its
//! content in its name, so that what is damaged or forged is not used. It holds no more than the system text of a question
//! and what the model made of it. The folder may be deleted at any time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::token::LlamaToken;
use sha2::{Digest as _, Sha256};

use crate::model::{digest, hex};

/// What reads and writes the files; another version may lay them out in another way.
const FORMAT: &str = "llama-cpp-2 0.1.160";

/// Fewer tokens are read faster than found.
pub const SHORTEST: usize = 64;

/// Most bytes that are kept in a folder.
const MOST: u64 = 512 << 20;

const KEPT: &str = "prefix";
const HALF: &str = "half";

/// A folder of them.
pub struct Prefixes {
    folder: PathBuf,
    /// SHA-256 of the model, in hexadecimal.
    model: String,
}

impl Prefixes {
    /// Those of the model with this digest.
    pub fn of(folder: &str, model: &str) -> Self {
        let prefixes = Self { folder: PathBuf::from(folder), model: model.to_owned() };
        for (path, ..) in prefixes.files(HALF) {
            let _ = fs::remove_file(path);
        }
        prefixes
    }

    /// Puts the state after exactly `tokens` into the sequence, if it is kept.
    pub fn find(&self, tokens: &[LlamaToken], context: &mut LlamaContext<'_>, sequence: i32) -> bool {
        let Some(path) = self.path(tokens) else { return false };
        if !is_whole(&path) {
            let _ = fs::remove_file(&path);
            return false;
        }
        let Ok((found, _)) = context.state_seq_load_file(&path, sequence, tokens.len()) else { return false };
        // What was used last is thrown away last.
        let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        found == tokens
    }

    /// Whether the state after exactly `tokens` is kept.
    pub fn has(&self, tokens: &[LlamaToken]) -> bool {
        self.path(tokens).is_some()
    }

    /// Keeps the state of the sequence, which is the one after exactly `tokens`; what cannot be kept is not.
    pub fn keep(&self, tokens: &[LlamaToken], context: &LlamaContext<'_>, sequence: i32) {
        let half = self.folder.join(format!("{}.{HALF}", self.key(tokens)));
        let kept = context.state_seq_save_file(&half, sequence, tokens).map_err(io::Error::other).and_then(|_| {
            let name = format!("{}.{}.{KEPT}", self.key(tokens), digest(&half)?);
            fs::rename(&half, self.folder.join(name))
        });
        if kept.is_err() {
            let _ = fs::remove_file(&half);
        }
        self.make_room();
    }

    fn key(&self, tokens: &[LlamaToken]) -> String {
        let mut hash = Sha256::new();
        for part in [&self.model, FORMAT] {
            hash.update(part);
            hash.update([0]);
        }
        for token in tokens {
            hash.update(token.0.to_le_bytes());
        }
        hex(&hash.finalize())
    }

    fn path(&self, tokens: &[LlamaToken]) -> Option<PathBuf> {
        let key = self.key(tokens);
        let is_it = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&key));
        self.files(KEPT).map(|(path, ..)| path).find(is_it)
    }

    /// Our files of one kind, with size and when they were used last.
    fn files(&self, kind: &'static str) -> impl Iterator<Item = (PathBuf, u64, SystemTime)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(move |entry| {
            let path = entry.path();
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let is_ours = path.extension().is_some_and(|extension| extension == kind);
            is_ours.then_some((path, metadata.len(), metadata.modified().ok()?))
        })
    }

    fn make_room(&self) {
        let mut files: Vec<_> = self.files(KEPT).collect();
        files.sort_by_key(|(.., used)| std::cmp::Reverse(*used));
        let mut sum = 0;
        for (path, size, _) in files {
            sum += size;
            if sum > MOST {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Whether the content is the one that the name says.
fn is_whole(path: &Path) -> bool {
    let said = path.file_stem().map(Path::new).and_then(Path::extension);
    digest(path).is_ok_and(|digest| said.is_some_and(|said| said == digest.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_version_in_use() {
        let manifest = include_str!("../../../Cargo.toml");
        let (name, version) = FORMAT.split_once(' ').unwrap();
        assert!(manifest.contains(&format!("{name} = {{ version = \"={version}\"")), "{FORMAT}");
    }

    #[test]
    fn a_prefix_is_found_by_what_it_is_of_and_thrown_away_when_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let of = |model| Prefixes::of(folder.path().to_str().unwrap(), model);
        let [a, b] = [1, 2].map(|token| vec![LlamaToken(token)]);
        let content = hex(&Sha256::digest("content"));
        let path = folder.path().join(format!("{}.{content}.{KEPT}", of("m").key(&a)));
        fs::write(&path, "content").unwrap();
        assert_eq!((of("m").has(&a), of("m").has(&b), of("n").has(&a)), (true, false, false));
        assert!(is_whole(&path));
        fs::write(&path, "Content").unwrap();
        assert!(!is_whole(&path));
    }

    #[test]
    fn the_oldest_go_first_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (age, name) in [(3, "old.x.prefix"), (2, "new.x.prefix"), (9, "notes.txt"), (1, "left.half")] {
            let file = File::create(at(name)).unwrap();
            file.set_len(MOST / 2 + 1).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000 - age)).unwrap();
        }
        Prefixes::of(folder.path().to_str().unwrap(), "m").make_room();
        let left = ["old.x.prefix", "new.x.prefix", "notes.txt", "left.half"].map(|name| at(name).exists());
        assert_eq!(left, [false, true, true, false]);
    }
}
