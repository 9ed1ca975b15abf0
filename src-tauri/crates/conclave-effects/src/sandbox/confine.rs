//! The last step before a program in the sandbox: our own program binds itself with Landlock and becomes the other.
//!
//! It opens no more than the namespaces already show; it is there for the day on which one of those leaks. It needs a
//! program that does it from inside, because whoever is bound may set up no namespace any more, and that is Conclave's
//! own: a process that has not called [`serve`] has none and does without.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetError, Scope, path_beneath_rules,
};

use super::WORK;

/// The argument by which Conclave becomes the guest.
pub const SUBCOMMAND: &str = "sandbox-guest";

/// Where the sandbox shows our program.
pub(super) const INSIDE: &str = "/.conclave-guest";

/// Our program, once it is known that it can be the guest.
pub(super) static OWN: OnceLock<PathBuf> = OnceLock::new();

/// What the kernel must know: the first version under which files can be moved between folders.
const LEAST: ABI = ABI::V2;
/// What is asked for where the kernel knows it.
const MOST: ABI = ABI::V7;

/// Folders that are the program's own to write, beside its work.
const OWN_FOLDERS: [&str; 3] = ["/dev", "/home", "/tmp"];

const WRITABLE: &str = "writable";
const LOOPBACK: &str = "loopback";

/// How it ends when the program could not be started, as a shell does.
const NOT_STARTED: u8 = 127;

/// The beginning of a line that becomes the rest of it under Landlock.
pub(super) fn arguments(writable: bool, loopback: bool) -> Vec<OsString> {
    let given = [(writable, WRITABLE), (loopback, LOOPBACK)].into_iter().filter(|(is_given, _)| *is_given);
    [INSIDE, SUBCOMMAND].into_iter().chain(given.map(|(_, word)| word)).chain(["--"]).map(OsString::from).collect()
}

/// Our program where it can be the guest, or why the second layer is missing.
pub(super) fn own_program() -> Result<PathBuf, String> {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if ruleset.handle_access(AccessFs::from_all(LEAST)).and_then(Ruleset::create).is_err() {
        return Err("this kernel has none; it came with Linux 5.19, and may have to be named in `lsm=`".to_owned());
    }
    OWN.get().cloned().ok_or_else(|| "this process is not one of Conclave's programs".to_owned())
}

/// The first thing that a program of Conclave does: gives the code to end with if it was started to be the guest and
/// could not become the other program; else notes that this program can be one.
pub fn serve() -> Option<u8> {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_none_or(|word| word != SUBCOMMAND) {
        if let Ok(program) = std::env::current_exe() {
            let _ = OWN.set(program);
        }
        return None;
    }
    let words: Vec<OsString> = words.collect();
    let error = become_the_rest(&words);
    // Whoever started us reads it there.
    let _ = writeln!(io::stderr(), "conclave: the program was not started: {error}");
    Some(NOT_STARTED)
}

/// Comes back only with the reason why it could not.
fn become_the_rest(words: &[OsString]) -> io::Error {
    let Some(end) = words.iter().position(|word| word == "--") else {
        return io::Error::new(io::ErrorKind::InvalidInput, "it has no name");
    };
    let (said, line) = (&words[..end], &words[end + 1..]);
    let says = |what: &str| said.iter().any(|word| word == what);
    let Some((program, args)) = line.split_first() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "it has no name");
    };
    if let Err(error) = confine(says(WRITABLE), says(LOOPBACK)) {
        return io::Error::other(error);
    }
    #[expect(clippy::disallowed_methods, reason = "inside the sandbox, which `sandbox` has started")]
    Command::new(program).args(args).exec()
}

/// From now on this process and its children open files beneath the sandbox's own root only, write their own folders
/// only, and reach nobody outside by a signal or an abstract socket.
fn confine(writable: bool, loopback: bool) -> Result<(), RulesetError> {
    let all = AccessFs::from_all(MOST);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(MOST))?;
    if !loopback {
        ruleset = ruleset.handle_access(AccessNet::from_all(MOST))?;
    }
    let work = writable.then_some(WORK);
    ruleset
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::from_read(MOST)))?
        .add_rules(path_beneath_rules(OWN_FOLDERS.into_iter().chain(work), all))?
        .restrict_self()?;
    Ok(())
}
