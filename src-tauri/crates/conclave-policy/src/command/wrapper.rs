//! Programs that start the command in their arguments, and shell words that change what later words mean.
//!
//! A wrapper is looked through only with options that are listed here; what it starts is judged beside it. Programs
//! that can start others in ways that are not looked through are in `escapes`.

use super::options::{Order, read};
use super::{SimpleCommand, Uninspectable, Unseen, environment, no};

/// What a command starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Starts {
    /// Nothing that its words name.
    Nothing,
    /// These, as they stand.
    Commands(Vec<SimpleCommand>),
    /// Whatever this shell text says.
    Text(String),
}

/// The last part of a program's path.
pub(super) fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Words of the shell that change what the text after them means, or that run text.
#[rustfmt::skip]
const CHANGE_THE_SHELL: &[&str] = &[
    "-", ".", "alias", "autoload", "bind", "chdir", "compgen", "complete", "compopt", "declare", "dirs", "disable",
    "emulate", "enable", "eval", "exec", "fc", "float", "functions", "getopts", "hash", "history", "integer", "let",
    "local", "mapfile", "nocorrect", "noglob", "popd", "print", "pushd", "read", "readarray", "readonly", "rehash",
    "sched", "setopt", "shopt", "source", "suspend", "trap", "typeset", "unalias", "unfunction", "unhash", "unset",
    "unsetopt", "vared", "zcompile", "zle", "zmodload", "zparseopts", "zstyle",
];

/// Programs whose arguments are text for another interpreter or another machine.
const OTHER_TEXT: &[&str] = &["csh", "elvish", "fish", "nu", "parallel", "pwsh", "rsh", "ssh", "su", "tcsh", "xonsh"];

const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "ksh93", "mksh", "rbash", "sh", "zsh"];

/// Wrappers that start their first operand with the rest as its arguments, after so many operands of their own.
const PLAIN: &[(&str, &str, usize)] = &[
    ("builtin", "", 0),
    ("busybox", "", 0),
    ("caffeinate", "-dimsu -t: -w:", 0),
    ("ionice", "-t -c: -n: --ignore --class: --classdata:", 0),
    ("nice", "-0123456789 -n: --adjustment:", 0),
    ("nohup", "", 0),
    ("setsid", "-cfw --ctty --fork --wait", 0),
    ("stdbuf", "-i: -o: -e: --input: --output: --error:", 0),
    ("time", "-pvlh --portability --verbose", 0),
    ("timeout", "-v -k: -s: --kill-after: --signal: --foreground --preserve-status --verbose", 1),
    ("toybox", "", 0),
];

/// Those that take `NAME=value` words before the program.
const WITH_ASSIGNMENTS: &[(&str, &str)] = &[
    ("doas", "-n -u:"),
    ("env", "-i0v -u: --ignore-environment --null --unset:"),
    ("sudo", "-nHEkKvSb -u: -g: --non-interactive --set-home --preserve-env --user: --group: --validate --stdin"),
];

const XARGS: &str = "-0rtx -a: -n: -P: -I: -L: -d: -s: -E: --null --no-run-if-empty --verbose --exit --arg-file: \
                     --max-args: --max-procs: --max-lines: --delimiter: --max-chars:";

/// Programs that treat standard input as data, whatever it says.
#[rustfmt::skip]
const READ_DATA: &[&str] = &[
    ":", "b2sum", "base32", "base64", "cat", "cmp", "column", "comm", "cut", "diff", "egrep", "expand", "fgrep",
    "fmt", "fold", "grep", "head", "hexdump", "md5sum", "nl", "od", "paste",
    "pbcopy", "rev", "rg", "sha1sum", "sha256sum", "sha512sum", "shuf", "sort", "tac", "tail", "tee", "tr",
    "uniq", "wc", "xclip", "xxd",
];

/// Whether `command` takes its standard input as data and never as commands.
pub(super) fn reads_data(command: &SimpleCommand) -> bool {
    let name = name(&command.program);
    let first = command.args.first().map(String::as_str);
    match name {
        "git" => matches!(first, Some("commit" | "tag" | "notes" | "hash-object" | "stripspace")),
        "gh" => matches!(first, Some("gist" | "issue" | "pr" | "release")),
        // With `-f` these take their own text from a file, which may be standard input.
        "awk" | "gawk" | "jq" | "mawk" | "sed" | "yq" => {
            !command.args.iter().any(|arg| arg.starts_with("-f") || arg.starts_with("--f"))
        }
        _ => READ_DATA.contains(&name),
    }
}

/// Finds out what `command` starts, or why that cannot be known.
pub(super) fn starts(command: &SimpleCommand) -> Result<Starts, Uninspectable> {
    let name = name(&command.program);
    // Where names of files know no case, `Bash` is `bash`.
    let lower = name.to_ascii_lowercase();
    if lower != name && (wraps(&lower) || OTHER_TEXT.contains(&lower.as_str()) || lower == "git") {
        return no(format!("`{name}` may be `{lower}`; write it so"));
    }
    if CHANGE_THE_SHELL.contains(&command.program.as_str()) {
        return no(format!("it uses `{}`", command.program));
    }
    if OTHER_TEXT.contains(&name) {
        return no(format!("what `{name}` runs is not looked into"));
    }
    if SHELLS.contains(&name) {
        return shell(command, name);
    }
    if let Some((_, known, own)) = PLAIN.iter().find(|(wrapper, ..)| *wrapper == name) {
        let operands = operands(command, name, known)?;
        return after(command, name, operands.get(*own..).unwrap_or_default());
    }
    if let Some((_, known)) = WITH_ASSIGNMENTS.iter().find(|(wrapper, _)| *wrapper == name) {
        return with_assignments(command, name, known);
    }
    match name {
        "command" => match command.args.first().map(String::as_str) {
            Some("-v" | "-V") => Ok(Starts::Nothing),
            _ => after(command, name, &operands(command, name, "-p")?),
        },
        "xargs" => xargs(command),
        "find" | "gfind" => find(command),
        "watch" => watch(command),
        "git" => git(command),
        "set" => set(command),
        "[" | "exit" | "jobs" | "kill" | "printf" | "return" | "shift" | "test" | "ulimit" | "umask" | "wait" => {
            evaluates_no_argument(command, name)
        }
        "export" => export(command).map(|()| Starts::Nothing),
        _ => Ok(Starts::Nothing),
    }
}

/// Whether `program` is one that this table looks through.
fn wraps(program: &str) -> bool {
    let name = name(program);
    SHELLS.contains(&name)
        || PLAIN.iter().any(|(wrapper, ..)| *wrapper == name)
        || WITH_ASSIGNMENTS.iter().any(|(wrapper, _)| *wrapper == name)
        || matches!(name, "command" | "find" | "gfind" | "watch" | "xargs")
}

fn operands<'a>(command: &'a SimpleCommand, name: &str, known: &str) -> Result<Vec<&'a str>, Uninspectable> {
    match read(&command.args, known, Order::OptionsFirst) {
        Ok(line) => Ok(line.operands),
        Err(option) => no(format!("`{name}` has the option `{option}`, which is not looked through")),
    }
}

/// The command in `words`, which are the last ones of `outer`'s arguments or stand among them.
fn inner(outer: &SimpleCommand, name: &str, words: &[&str]) -> Result<SimpleCommand, Uninspectable> {
    let [program, args @ ..] = words else {
        return no(format!("`{name}` starts nothing"));
    };
    if program.is_empty() || program.starts_with('-') && program.len() > 1 {
        return no(format!("`{name}` starts `{program}`, which is not a program's name"));
    }
    // A pattern before the program may become any number of words, and then another word is the program.
    let own = outer.args.iter().rev().skip(if name == "find" { outer.args.len() } else { words.len() });
    let mut before = own.map(String::as_str).chain([*program]);
    if outer.unseen != Unseen::Nothing && before.any(|word| word.contains(['*', '?', '['])) {
        return no(format!("what `{name}` starts depends on a file pattern"));
    }
    Ok(SimpleCommand {
        program: (*program).to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        redirects: Vec::new(),
        environment: outer.environment.clone(),
        unseen: outer.unseen,
        directory: outer.directory.clone(),
    })
}

fn after(outer: &SimpleCommand, name: &str, words: &[&str]) -> Result<Starts, Uninspectable> {
    if words.is_empty() {
        return Ok(Starts::Nothing);
    }
    let inner = inner(outer, name, words)?;
    if matches!(name, "builtin" | "command") && matches!(inner.program.as_str(), "cd" | "export" | "set") {
        return no(format!("it changes the shell through `{name}`"));
    }
    Ok(Starts::Commands(vec![inner]))
}

fn with_assignments(outer: &SimpleCommand, name: &str, known: &str) -> Result<Starts, Uninspectable> {
    let words = operands(outer, name, known)?;
    let mut assigned = Vec::new();
    for word in &words {
        match word.split_once('=') {
            Some((variable, _)) => {
                environment::assignable(variable)?;
                assigned.push(variable.to_owned());
            }
            None => break,
        }
    }
    let mut starts = after(outer, name, words.get(assigned.len()..).unwrap_or_default())?;
    if let Starts::Commands(inner) = &mut starts {
        inner.iter_mut().for_each(|command| command.environment.extend(assigned.iter().cloned()));
    }
    Ok(starts)
}

/// Options of a shell's own that change nothing about how its text is read.
const SHELL_OPTIONS: &[&str] = &["errexit", "nounset", "pipefail", "verbose", "xtrace"];

fn shell(command: &SimpleCommand, name: &str) -> Result<Starts, Uninspectable> {
    let known = "-ceuxlv -o: --login --noprofile --norc --posix --version --help";
    let line = match read(&command.args, known, Order::OptionsFirst) {
        Ok(line) => line,
        Err(option) => return no(format!("`{name}` has the option `{option}`, which is not looked through")),
    };
    if line.has("--version") || line.has("--help") {
        return Ok(Starts::Nothing);
    }
    // A shell takes the value of `-o` from the next word only, and `+x` is an option too.
    if line.options.iter().any(|(option, value)| option == "-o" && value.is_none_or(|it| !SHELL_OPTIONS.contains(&it)))
        || line.operands.first().is_some_and(|operand| operand.starts_with(['+', '-']))
    {
        return no(format!("`{name}` has options that are not looked through"));
    }
    match (line.has("-c"), line.operands.first()) {
        (true, Some(_)) if command.unseen != Unseen::Nothing => no(format!("`{name}` runs text with a file pattern")),
        (true, Some(text)) => Ok(Starts::Text((*text).to_owned())),
        (false, Some(_)) => Ok(Starts::Nothing),
        (_, None) => no(format!("`{name}` runs what it reads")),
    }
}

fn xargs(command: &SimpleCommand) -> Result<Starts, Uninspectable> {
    let line = match read(&command.args, XARGS, Order::OptionsFirst) {
        Ok(line) => line,
        Err(option) => return no(format!("`xargs` has the option `{option}`, which is not looked through")),
    };
    if line.operands.is_empty() {
        return Ok(Starts::Nothing);
    }
    let mut inner = inner(command, "xargs", &line.operands)?;
    let replaced = line.options.iter().rfind(|(option, _)| option == "-I").and_then(|(_, value)| *value);
    if wraps(&inner.program) || replaced.is_some_and(|mark| mark.is_empty() || inner.program.contains(mark)) {
        return no("`xargs` chooses the program that it starts by what it reads");
    }
    inner.unseen = Unseen::Anything;
    Ok(Starts::Commands(vec![inner]))
}

fn find(command: &SimpleCommand) -> Result<Starts, Uninspectable> {
    let mut found = Vec::new();
    let mut rest = command.args.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if !matches!(word, "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let mut words = Vec::new();
        loop {
            match rest.next() {
                Some(";") => break,
                Some("+") if words.last() == Some(&"{}") => break,
                Some(word) => words.push(word),
                None => return no(format!("`find {word}` has no end")),
            }
        }
        let mut inner = inner(command, "find", &words)?;
        if wraps(&inner.program) || inner.program.contains("{}") {
            return no(format!("`find {word}` chooses the program that it starts by what it finds"));
        }
        inner.unseen = Unseen::Names;
        found.push(inner);
    }
    Ok(if found.is_empty() { Starts::Nothing } else { Starts::Commands(found) })
}

fn watch(command: &SimpleCommand) -> Result<Starts, Uninspectable> {
    let known = "-bcdegtx -n: --beep --color --differences --errexit --chgexit --no-title --exec --interval:";
    let line = match read(&command.args, known, Order::OptionsFirst) {
        Ok(line) => line,
        Err(option) => return no(format!("`watch` has the option `{option}`, which is not looked through")),
    };
    if line.has("-x") || line.has("--exec") {
        return after(command, "watch", &line.operands);
    }
    if command.unseen != Unseen::Nothing {
        return no("`watch` runs text with a file pattern");
    }
    Ok(if line.operands.is_empty() { Starts::Nothing } else { Starts::Text(line.operands.join(" ")) })
}

/// Settings that change how git writes, and start nothing.
#[rustfmt::skip]
const GIT_SETTINGS: &[&str] = &[
    "advice.", "author.email", "author.name", "color.", "column.", "commit.gpgsign", "committer.email",
    "committer.name", "core.abbrev", "core.autocrlf", "core.quotepath", "diff.renames", "init.defaultbranch",
    "log.date", "tag.gpgsign", "user.email", "user.name",
];

fn git(command: &SimpleCommand) -> Result<Starts, Uninspectable> {
    let mut rest = command.args.iter().map(String::as_str);
    while let Some(word) = rest.next().filter(|word| word.starts_with('-')) {
        match word {
            "-c" => {
                let setting = rest.next().unwrap_or_default();
                let key = setting.split('=').next().unwrap_or_default().to_ascii_lowercase();
                let harmless = |entry: &str| key == entry || (entry.ends_with('.') && key.starts_with(entry));
                if !GIT_SETTINGS.iter().any(|entry| harmless(entry)) {
                    return no(format!("`git -c {key}` may change what git runs"));
                }
            }
            "-C" | "--git-dir" | "--work-tree" | "--namespace" => {
                rest.next();
            }
            _ if word.starts_with("--config-env") || word.starts_with("--exec-path=") || word.starts_with("-c") => {
                return no(format!("`git {word}` may change what git runs"));
            }
            _ => {}
        }
    }
    Ok(Starts::Nothing)
}

fn set(command: &SimpleCommand) -> Result<Starts, Uninspectable> {
    let known = |arg: &String| match arg.strip_prefix(['-', '+']) {
        Some(letters) => !letters.is_empty() && letters.chars().all(|letter| "euxvEo".contains(letter)),
        None => SHELL_OPTIONS.contains(&arg.as_str()),
    };
    if command.args.is_empty() || !command.args.iter().all(known) {
        return no("it uses `set` beyond `-euxo pipefail`");
    }
    Ok(Starts::Nothing)
}

/// Words of the shell that take a number or a variable's name may compute it, and run what stands in its index.
fn evaluates_no_argument(command: &SimpleCommand, name: &str) -> Result<Starts, Uninspectable> {
    let into_a_variable = |arg: &String| match name {
        "[" | "test" => matches!(arg.as_str(), "-v" | "-R"),
        "printf" => arg.starts_with("-v"),
        "wait" => arg.starts_with("-p"),
        "jobs" => arg.starts_with("-x"),
        _ => false,
    };
    let runs = |arg: &String| ["`", "$(", "${"].iter().any(|start| arg.contains(start));
    match command.args.iter().any(|arg| into_a_variable(arg) || runs(arg)) {
        true => no(format!("`{name}` may evaluate its arguments")),
        false => Ok(Starts::Nothing),
    }
}

/// Checks the names that `export` assigns.
fn export(command: &SimpleCommand) -> Result<(), Uninspectable> {
    for arg in &command.args {
        let name = arg.split('=').next().unwrap_or_default();
        if !environment::is_name(name) {
            return no("it uses `export` beyond `NAME=value`");
        }
        environment::assignable(name)?;
    }
    Ok(())
}
