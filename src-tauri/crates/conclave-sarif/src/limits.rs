//! What is read at most; each limit has a name that a complaint can say.
//!
//! All are at least those of GitHub code scanning (20 runs, 25,000 results and rules of a run, 10,000 steps of a flow,
//! 1,000 locations of a result), but for flows, of which the first 1,000 steps are kept.

/// Limits of one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Runs of a file.
    pub runs: usize,
    /// Results of a run.
    pub results: u32,
    /// Rules of one component of a tool.
    pub rules: usize,
    /// Artifacts of a run.
    pub artifacts: usize,
    /// Entries of each other list that results refer to: logical locations, flow locations, taxa.
    pub entries: usize,
    /// Length of one result, in bytes.
    pub result_bytes: usize,
    /// Length of one rule, artifact or other entry, in bytes.
    pub entry_bytes: usize,
    /// Length of everything that results may refer to, over the whole file, in bytes, with 256 for each entry.
    pub shared_bytes: usize,
    /// Complaints that are kept of one run; all are counted.
    pub complaints: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            runs: 200,
            results: 5_000_000,
            rules: 100_000,
            artifacts: 300_000,
            entries: 200_000,
            result_bytes: 32 * 1024 * 1024,
            entry_bytes: 4 * 1024 * 1024,
            shared_bytes: 128 * 1024 * 1024,
            complaints: 1_000,
        }
    }
}

/// Longest message, in bytes.
pub(crate) const MESSAGE_BYTES: usize = 16 * 1024;
/// Longest help of a rule, in bytes.
pub(crate) const HELP_BYTES: usize = 32 * 1024;
/// Longest name, id, link or description, in bytes.
pub(crate) const NAME_BYTES: usize = 2 * 1024;

/// `text`, cut at a character boundary so that it has at most `limit` bytes, with an ellipsis where it was cut.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}\u{2026}", &text[..text.floor_char_boundary(limit.saturating_sub('\u{2026}'.len_utf8()))])
}
