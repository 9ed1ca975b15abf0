//! Ways out: programs that start other programs, or run code, that their own name does not say.
//!
//! A list of what is known, for rules that allow by a program's name. It is not complete and cannot be; the allow-list
//! is `read_only`.

use super::wrapper::{Starts, name, starts};
use super::{SimpleCommand, Unseen, sed};

/// Programs, one a line: name, what it does, and the options with which it does it; none means with any arguments.
const KNOWN: &str = include_str!("escapes.tsv");

/// Says how `command` can start programs or run code that [`super::inspect`] does not list, if a way is known.
///
/// Wrappers that are looked through are no escape: what they start is listed beside them. `None` is no promise.
#[must_use]
pub fn escapes(command: &SimpleCommand) -> Option<String> {
    match starts(command) {
        Err(why) => return Some(why.to_string()),
        Ok(Starts::Commands(_) | Starts::Text(_)) => return None,
        Ok(Starts::Nothing) => {}
    }
    let program = name(&command.program);
    if matches!(program, "sed" | "gsed") && !sed::of(&command.args).is_some_and(|line| sed::only_edits(&line)) {
        return Some(format!("`{program}` may start programs or write files from its own text"));
    }
    let (how, ways) = [program, family(program)].into_iter().find_map(known)?;
    let how = match how {
        "code" => "runs code from its arguments, its standard input or a file",
        "packages" => "installs packages, whose scripts it runs",
        "project" => "runs what files of the project say",
        "remote" => "runs commands on another machine or in a container",
        "shell" => "has a way to start a shell",
        _ => "starts programs that its arguments or its configuration name",
    };
    if ways.is_empty() {
        return Some(format!("`{program}` {how}"));
    }
    if command.unseen == Unseen::Anything {
        return Some(format!("`{program}` gets arguments that are not seen; with some it {how}"));
    }
    let way = command.args.iter().find(|arg| ways.split(' ').any(|way| takes(arg, way)))?;
    Some(format!("with `{way}`, `{program}` {how}"))
}

/// What is known of a program, and with which options.
fn known(program: &str) -> Option<(&'static str, &'static str)> {
    KNOWN.lines().find_map(|line| {
        let about = line.strip_prefix(program)?.strip_prefix('\t')?;
        Some(about.split_once('\t').unwrap_or((about, "")))
    })
}

/// The name without a version or a variant: `python3.12`, `gcc-14` and `vim.basic` are what they begin with.
fn family(program: &str) -> &str {
    let start = program.split('.').next().unwrap_or(program);
    start.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-')
}

/// Whether `arg` is the option or word `way`, or may be another form of it.
///
/// `-x` may stand in a cluster of letters, `--long` may be cut short, `-long` and `@` begin the argument, `~text` stands
/// anywhere in it, any other word is the whole argument.
fn takes(arg: &str, way: &str) -> bool {
    let mut letters = way.chars().skip(1);
    match (way.as_bytes().first(), letters.next(), letters.next()) {
        (Some(b'~'), ..) => arg.contains(&way[1..]),
        (Some(b'-'), Some('-'), _) => {
            let given = arg.split('=').next().unwrap_or_default();
            given.len() > 2 && given.starts_with("--") && way.starts_with(given)
        }
        (Some(b'-'), Some(letter), None) => arg.starts_with('-') && !arg.starts_with("--") && arg.contains(letter),
        (Some(b'-' | b'@'), ..) => arg.starts_with(way),
        _ => arg == way,
    }
}
