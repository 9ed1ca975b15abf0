//! Shell text, read: which programs it starts, with which arguments, writing where.
//!
//! This is deliberately not a shell and not a full grammar of one. It understands the part of the language in which the
//! text says everything: simple commands of literal words, pipelines, `&&` `||` `;` `&`, groups, subshells, literal
//! redirections and a table of known wrappers. Whatever would need a run to be known (a substitution, a variable, a
//! loop, a function) is [`Uninspectable`], with the reason; `"$(cat <<'END'` with its body is the one substitution that
//! says what it becomes, and stands for that. The text is judged as `sh`, `bash` and `zsh` run it when
//! they are given it as a whole; aliases and shell start files cannot be seen from here.
//!
//! Invariants: pure; never panics; work is linear in the text, which is at most [`LONGEST`] bytes, and nesting is at
//! most [`DEEPEST`]; an `Ok` names every program the text itself starts, and is never empty; nothing is dropped from a
//! text that is understood. A caller that allows must find every command of the list allowable.
//!
//! What a caller should make of the answer:
//! - [`inspect`] says what runs. `Err` is a reason to ask or deny, never to allow.
//! - [`read_only`] is an allow-list: true only for commands that are known to change nothing and to start nothing.
//! - [`escapes`] is a list of known ways out: `Some` means that allowing this command by its program's name allows more
//!   than the name says. `None` is no promise: it says nothing of programs that are not in its table.
//! - Arguments are what the text says, and not yet files: a pattern, a folder that is searched and whatever
//!   [`SimpleCommand::unseen`] stands for reach files that no rule about paths sees here. [`sweeps`] says where to look
//!   for them.
//! - [`SimpleCommand::redirects`] are files that the shell itself opens; they count for a rule about paths, and a
//!   command that writes one is not read only.

use crate::request::Access;

mod environment;
mod escapes;
mod lex;
mod literal;
mod options;
mod parse;
mod read_only;
mod sed;
mod sweep;
mod wrapper;

pub use escapes::escapes;
pub use read_only::{read_only, reads_what_it_names};
pub(crate) use sweep::TELL_NO_CONTENT;
pub use sweep::{Sweep, sweeps};

/// The longest text that is looked at, in bytes.
pub const LONGEST: usize = 65_536;

/// How deep groups, subshells, wrappers and `sh -c` may stand in each other.
pub const DEEPEST: usize = 16;

/// The most commands that one text may hold.
pub const MOST: usize = 1_024;

/// One program, started once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// The program as the text names it, quotes removed: a name or a path; `:` for a redirection without a program.
    pub program: String,
    /// Its arguments, quotes removed. `~` and `$HOME` at the start of one stay `~`, `$PWD` is `.`, and a file pattern
    /// stays as it is written.
    pub args: Vec<String>,
    /// The files that the shell opens for it; `/dev/null` and the standard streams are none.
    pub redirects: Vec<Redirect>,
    /// The names of the variables that the text assigns before it.
    pub environment: Vec<String>,
    /// Whether it also gets arguments that the text does not show.
    pub unseen: Unseen,
    /// Where it runs, if an earlier `cd` of the same text says so: as named, relative to where the text starts.
    ///
    /// A `cd` may fail, so a command after `cd x;` is listed twice, once with and once without; after `cd x &&` once.
    pub directory: Option<String>,
}

/// Arguments that the text does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    /// There are none.
    #[default]
    Nothing,
    /// Names of files, from a pattern or from `find`; none of them can be taken for an option.
    Names,
    /// Anything, options included: what `xargs` reads.
    Anything,
}

/// A file that the shell opens for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// As the text names it, quotes removed.
    pub path: String,
    /// Read, or written; both ways counts as written.
    pub access: Access,
}

/// Why a text cannot be judged by its commands, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Uninspectable(pub String);

/// Reads `text` and lists every command in it, wrappers and what they start included, in the order of the text.
///
/// # Errors
///
/// The first thing in it that is not understood. There is no partial answer: what stands beside something that is not
/// understood is not known either.
pub fn inspect(text: &str) -> Result<Vec<SimpleCommand>, Uninspectable> {
    parse::text(text)
}

/// A program and its arguments as shell text that means exactly them.
pub fn text_of(words: &[&str]) -> String {
    let quoted = |word: &&str| format!("'{}'", word.replace('\'', r"'\''"));
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Says no in the words of `why`.
fn no<T>(why: impl Into<String>) -> Result<T, Uninspectable> {
    Err(Uninspectable(why.into()))
}

#[cfg(test)]
mod tests;
