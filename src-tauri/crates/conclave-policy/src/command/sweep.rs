//! Files whose content a command may show although its words name none of them: those beneath a folder that it searches
//! or copies, and those that a file pattern stands for.
//!
//! Only what is known of the programs here; whatever is not known of one makes the sweep wider, never narrower. Looking
//! which files there are is for whoever can look.

use super::options::{Order, read};
use super::wrapper::name;
use super::{SimpleCommand, Unseen};

/// Some files beneath a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The folder, as the text names it; if it is no folder, the sweep is of nothing.
    pub folder: String,
    /// Whether it is of the whole repository around that folder.
    pub repository: bool,
    /// How many levels down it goes at most.
    pub depth: Option<usize>,
    /// Whether hidden files count.
    pub hidden: bool,
    /// Whether files count that an ignore file leaves out.
    pub ignored: bool,
    /// Whether symbolic links beneath the folder are followed.
    pub links: bool,
    /// The file pattern that the whole path from the folder on fits.
    pub pattern: Option<String>,
    /// What the names of files fit: a glob, or `!` and a glob for those that are left out; the last that fits decides,
    /// and where none does, a file counts unless there is a glob without `!`.
    pub names: Vec<String>,
    /// Globs for the names of folders that are not entered.
    pub closed: Vec<String>,
    /// Globs as `rg --glob` takes them: what they fit counts although it is hidden or ignored.
    pub globs: Vec<String>,
}

impl Sweep {
    /// Every file beneath `folder`.
    #[must_use]
    pub fn everything(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), hidden: true, ignored: true, ..Self::default() }
    }
}

/// What the commands of one text sweep, each with the folder in which it does so, if the text changes to one.
#[must_use]
pub fn sweeps(commands: &[SimpleCommand]) -> Vec<(Option<&str>, Sweep)> {
    // What is listed may be what is then read.
    let listed = commands.iter().any(|it| it.unseen == Unseen::Anything && shows_content(&it.program));
    commands.iter().flat_map(|command| of(command, listed)).collect()
}

/// What one command sweeps, and where it runs. `listed` says that the names it prints may be files that are then read.
fn of(command: &SimpleCommand, listed: bool) -> Vec<(Option<&str>, Sweep)> {
    let args = &command.args;
    let mut all = match name(&command.program) {
        "grep" | "egrep" | "fgrep" | "ggrep" | "rgrep" => grep(command),
        "rg" => rg(command, listed),
        "git" => git(args, listed),
        "find" | "gfind" if listed || found(args).any(shows_content) => find(args),
        "fd" | "fdfind" if listed || args.iter().any(|arg| runs_what_it_finds(arg)) => widest(args),
        "ls" | "tree" if listed => beneath(&operands(args), &Sweep::everything("")),
        "ack" | "ack-grep" | "ag" | "pt" | "sift" | "ug" | "ugrep" => widest(args),
        "diff" => compared(args),
        "cp" | "gcp" if ['a', 'r', 'R'].iter().any(|letter| has(args, *letter, "--recursive")) => copied(args),
        "cp" | "gcp" if has(args, 'a', "--archive") => copied(args),
        "rsync" | "scp" => copied(args),
        "zip" | "7z" | "7za" | "7zz" | "pax" => named(args, None),
        "tar" | "bsdtar" | "gtar" if packs(args) => named(args, None),
        _ => Vec::new(),
    };
    if command.unseen == Unseen::Names && (listed || shows_content(&command.program)) {
        all.extend(args.iter().filter_map(|arg| pattern(arg)));
    }
    // With this variable an option behind an operand is none.
    if command.environment.iter().any(|name| name == "POSIXLY_CORRECT") {
        all.iter_mut().for_each(|sweep| *sweep = Sweep::everything(&*sweep.folder));
    }
    all.into_iter().map(|sweep| (command.directory.as_deref(), sweep)).collect()
}

fn shows_content(program: &str) -> bool {
    !TELL_NO_CONTENT.contains(&name(program))
}

/// Programs that show nothing of what is in the files that they are given.
pub(crate) const TELL_NO_CONTENT: &[&str] =
    &["basename", "dirname", "du", "echo", "file", "ls", "readlink", "realpath", "stat", "wc"];

/// Whether an option of one letter, alone or among others, or a long one, perhaps cut short, is among `args`.
fn has(args: &[String], letter: char, long: &str) -> bool {
    args.iter().any(|arg| match arg.strip_prefix("--") {
        Some(given) => !given.is_empty() && long.starts_with(arg.as_str()),
        None => arg.starts_with('-') && arg.contains(letter),
    })
}

/// The folder in front of the first part of `path` that is a pattern.
fn literal_part(path: &str) -> &str {
    let start = path.find(['*', '?', '[']).unwrap_or(path.len());
    match (start == path.len(), path[..start].rfind('/')) {
        (true, _) => path,
        (false, Some(0)) => "/",
        (false, Some(slash)) => &path[..slash],
        (false, None) => ".",
    }
}

/// What a file pattern among the arguments stands for.
fn pattern(arg: &str) -> Option<Sweep> {
    // Behind `--option=` a shell takes the whole word for the pattern.
    let first = arg.find(['*', '?', '['])?;
    let folder = literal_part(arg);
    let rest = match arg[..first].rfind('/') {
        Some(slash) => &arg[slash + 1..],
        None => arg,
    };
    let depth = (!rest.contains("**")).then(|| rest.split('/').filter(|part| !part.is_empty()).count());
    let hidden = rest.split('/').any(|part| part.starts_with('.'));
    let pattern = Some(rest.trim_end_matches('/').to_owned());
    Some(Sweep { folder: folder.to_owned(), depth, hidden, ignored: true, links: true, pattern, ..Sweep::default() })
}

/// Everything beneath each of `folders`, or where the command runs.
fn beneath(folders: &[&str], how: &Sweep) -> Vec<Sweep> {
    let folders = if folders.is_empty() { &["."] } else { folders };
    folders.iter().map(|folder| Sweep { folder: literal_part(folder).to_owned(), ..how.clone() }).collect()
}

/// Everything beneath whatever may be a folder, and where the command runs.
fn widest(args: &[String]) -> Vec<Sweep> {
    let mut folders: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    folders.push(".");
    beneath(&folders, &Sweep { links: true, ..Sweep::everything("") })
}

fn operands(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-') && !arg.is_empty()).collect()
}

/// Everything beneath the folders among `args`, but for the last operand where that is `to`.
fn named(args: &[String], to: Option<&str>) -> Vec<Sweep> {
    let mut folders = operands(args);
    if to.is_some() {
        folders.pop();
    }
    let names = left_out(args);
    if folders.is_empty() { Vec::new() } else { beneath(&folders, &Sweep { names, ..Sweep::everything("") }) }
}

/// What lies in each folder that diff is given; it compares those without being told to, and goes deeper when it is.
fn compared(args: &[String]) -> Vec<Sweep> {
    let deeper =
        has(args, 'r', "--recursive") || has(args, 'N', "--new-file") || has(args, 'P', "--unidirectional-new-file");
    let depth = (!deeper).then_some(1);
    let mut folders = operands(args);
    // `--from-file=` and `--to-file=`, however short they are cut.
    folders.extend(args.iter().filter(|arg| arg.starts_with("--")).filter_map(|arg| Some(arg.split_once('=')?.1)));
    let how = Sweep { depth, links: true, names: left_out(args), ..Sweep::everything("") };
    if folders.is_empty() { Vec::new() } else { beneath(&folders, &how) }
}

/// Everything beneath what is copied; the last operand is where it goes.
fn copied(args: &[String]) -> Vec<Sweep> {
    let to = operands(args).last().copied().filter(|_| !has(args, 't', "--target-directory"));
    let mut found = named(args, to);
    // What rsync is told to filter comes before what it is told to leave out.
    if has(args, 'f', "--filter") || has(args, 'F', "--filter") {
        found.iter_mut().for_each(|sweep| sweep.names.clear());
    }
    found
}

/// The names that `--exclude=` leaves out, if no other long option can mean something about them.
fn left_out(args: &[String]) -> Vec<String> {
    let values: Option<Vec<&str>> =
        args.iter().filter(|arg| arg.starts_with("--")).map(|arg| arg.strip_prefix("--exclude=")).collect();
    let values = values.unwrap_or_default().into_iter();
    values.filter(|value| is_simple(value)).map(|value| format!("!{value}")).collect()
}

/// Whether a glob is about a name alone and means the same to all.
fn is_simple(glob: &str) -> bool {
    !glob.is_empty()
        && glob != "."
        && glob.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'*' | b'?'))
}

/// Whether tar is told to write an archive: in its first word, which needs no dash, or in an option.
fn packs(args: &[String]) -> bool {
    let letters = |word: &str| !word.starts_with("--") && word.contains(['c', 'r', 'u']);
    let long = |arg: &String| {
        ["--create", "--append", "--update", "--catenate"]
            .iter()
            .any(|it| arg.len() > 2 && it.starts_with(arg.as_str()))
    };
    args.first().is_some_and(|word| letters(word))
        || args.iter().any(|arg| arg.starts_with('-') && letters(arg) || long(arg))
}

fn runs_what_it_finds(arg: &str) -> bool {
    arg.starts_with("--e") || (arg.starts_with('-') && !arg.starts_with("--") && arg.contains(['x', 'X']))
}

const GREP: &str = "-e: -f: -m: -A: -B: -C: -d: -D: --include: --exclude: --exclude-dir: --exclude-from: --regexp: --file: \
                    --max-count: --after-context: --before-context: --context: --label: --binary-files: --binary --directories: \
                    --devices: --group-separator: *";

fn grep(command: &SimpleCommand) -> Vec<Sweep> {
    let Ok(line) = read(&command.args, GREP, Order::Mixed) else { return widest(&command.args) };
    let recursive = |(option, value): &(String, Option<&str>)| {
        let short = !option.starts_with("--");
        let descends = value.is_some_and(|value| "recurse".starts_with(value));
        matches!(option.as_str(), "-r" | "-R")
            || (!short && (option.starts_with("--r") && option != "--regexp" || option.starts_with("--de")))
            || ((option == "-d" || option.starts_with("--di")) && descends)
    };
    if name(&command.program) != "rgrep" && !line.options.iter().any(recursive) {
        return Vec::new();
    }
    let names_pattern = ["-e", "-f", "--regexp", "--file"].iter().any(|option| line.has(option));
    let folders = if names_pattern { &line.operands[..] } else { line.operands.get(1..).unwrap_or_default() };
    let mut how = Sweep { links: true, ..Sweep::everything("") };
    let mut closed = Vec::new();
    for (option, value) in &line.options {
        match (option.as_str(), value) {
            ("--include", Some(glob)) => how.names.push((*glob).to_owned()),
            ("--exclude", Some(glob)) => how.names.push(format!("!{glob}")),
            ("--exclude-dir", Some(glob)) if is_simple(glob) => closed.push((*glob).to_owned()),
            _ => {}
        }
    }
    how.closed = closed;
    let wanted = |glob: &String| !glob.starts_with('!');
    // To grep the first of them says what becomes of a file that fits none.
    if how.names.first().is_some_and(|first| !wanted(first))
        || how.names.iter().any(|glob| wanted(glob) && !is_simple(glob))
    {
        let last = how.names.iter().rposition(wanted).map_or(0, |at| at + 1);
        how.names.drain(..last);
    }
    how.names.retain(|glob| is_simple(glob.trim_start_matches('!')));
    beneath(folders, &how)
}

fn rg(command: &SimpleCommand, listed: bool) -> Vec<Sweep> {
    let Ok(line) = read(&command.args, super::read_only::RG, Order::Mixed) else { return widest(&command.args) };
    let given = |names: &[&str]| line.options.iter().filter(|(option, _)| names.contains(&option.as_str())).count();
    if given(&["--files", "--type-list"]) > 0 && !listed {
        return Vec::new();
    }
    let unrestricted = given(&["-u", "--unrestricted"]);
    let mut how = Sweep {
        hidden: unrestricted > 1 || given(&["--hidden", "-."]) > 0,
        ignored: unrestricted > 0 || given(&["--no-ignore"]) > 0,
        links: given(&["-L", "--follow"]) > 0,
        ..Sweep::default()
    };
    if given(&["--iglob"]) > 0 {
        (how.hidden, how.ignored) = (true, true);
    } else {
        let globs = line.options.iter().filter(|(option, _)| matches!(option.as_str(), "-g" | "--glob"));
        how.globs = globs.filter_map(|(_, value)| value.map(str::to_owned)).collect();
    }
    if given(&["--max-depth", "-d"]) > 0 {
        let depth = line.options.iter().rfind(|(option, _)| matches!(option.as_str(), "--max-depth" | "-d"));
        how.depth = depth.and_then(|(_, value)| value.and_then(|value| value.parse().ok()));
    }
    let names_pattern = given(&["-e", "--regexp", "-f", "--file", "--files", "--type-list"]) > 0;
    let folders = if names_pattern { &line.operands[..] } else { line.operands.get(1..).unwrap_or_default() };
    beneath(folders, &how)
}

/// What git shows of the files that lie there: `git grep` of those that are not ignored, and with these options of all;
/// what shows changes, of any file that may have changed. `git ls-files` may list everything.
///
/// What is tracked although it is ignored, and what only older commits hold, is not known here.
fn git(args: &[String], listed: bool) -> Vec<Sweep> {
    let (folders, rest) = git_folders(args);
    let Some((command, args)) = rest.split_first() else { return Vec::new() };
    let cut = |long: &str| args.iter().any(|arg| arg.len() > 3 && long.starts_with(arg.as_str()));
    let lists_all = |arg: &String| !arg.starts_with("--") && arg.starts_with('-') && arg.contains('o');
    let shown = Sweep { hidden: true, closed: vec![".git".to_owned()], ..Sweep::default() };
    let found = match command.as_str() {
        "grep" if cut("--no-index") || cut("--untracked") => vec![Sweep::everything(".")],
        "grep" => pathspecs(command, args, &shown),
        "ls-files" if listed && (cut("--others") || args.iter().any(lists_all)) => vec![Sweep::everything(".")],
        "diff" | "log" | "show" if shows_changes(command, args) => pathspecs(command, args, &shown),
        _ => Vec::new(),
    };
    let within = |sweep: Sweep| Sweep { folder: format!("{folders}{}", sweep.folder), ..sweep };
    found.into_iter().map(within).collect()
}

/// Where `-C` leads, with a slash behind each folder, and what stands behind git's own options.
fn git_folders(args: &[String]) -> (String, &[String]) {
    let (mut folders, mut rest) = (String::new(), args);
    loop {
        match rest {
            [flag, folder, after @ ..] if flag == "-C" => {
                folders = if folder.starts_with(['/', '~']) { String::new() } else { folders };
                folders += folder;
                folders.push('/');
                rest = after;
            }
            [flag, _, after @ ..] if flag == "-c" => rest = after,
            [flag, after @ ..] if flag.starts_with('-') => rest = after,
            _ => return (folders, rest),
        }
    }
}

/// Options with which `git diff` and `git show` say about changes, and do not show them.
const TELL_OF_CHANGES: &[&str] =
    &["--name-only", "--name-status", "--no-patch", "--numstat", "--quiet", "--shortstat", "--stat", "--summary", "-s"];

/// Whether `git diff`, `git log` or `git show` shows lines of files that its arguments do not name.
fn shows_changes(command: &str, args: &[String]) -> bool {
    // The last, because one before may be the value of an option.
    let end = args.iter().rposition(|arg| arg == "--").filter(|_| is_closed(command, args)).unwrap_or(args.len());
    let options = || args[..end].iter().filter(|arg| arg.starts_with('-'));
    let shows = |arg: &String| {
        ["-U", "--word", "--color-w", "--cc", "--remerge", "--diff-m", "--binary"].iter().any(|it| arg.starts_with(it))
            || (arg.len() > 3 && (arg.starts_with("--patch") || "--patch-with-stat".starts_with(arg.as_str())))
            || (arg.len() > 3 && arg.starts_with("--uni"))
            || (!arg.starts_with("--")
                && arg[1..].chars().all(|it| it.is_ascii_alphabetic())
                && arg.contains(['p', 'u', 'c', 'm']))
    };
    let tells = |arg: &String| TELL_OF_CHANGES.contains(&arg.split('=').next().unwrap_or_default());
    // A file in a revision is named; a revision that is looked for may hold any sign.
    let is_named = |arg: &String| arg.contains(':') && !arg.contains('{') && !arg.starts_with(":/");
    let mut named = args[..end].iter().filter(|arg| !arg.starts_with('-')).peekable();
    if options().any(shows) {
        return true;
    }
    match command {
        "log" => false,
        "diff" | "show" if named.peek().is_some() && named.all(is_named) => false,
        _ => !options().any(tells),
    }
}

/// Whether a `--` in the arguments of a git command is known to end its options.
fn is_closed(command: &str, args: &[String]) -> bool {
    let known = super::read_only::GIT.iter().find(|(name, ..)| *name == command).map_or("", |(_, known, _)| known);
    read(args, known, Order::Mixed).is_ok_and(|line| line.closed)
}

/// What of `shown` the pathspecs behind `--` are about; where one is not plain, or none is given, the whole of it.
fn pathspecs(command: &str, args: &[String], shown: &Sweep) -> Vec<Sweep> {
    let narrowed = |spec: &String| match spec.strip_prefix('*') {
        // A `*` crosses folders, so what stands behind it is the end of a name.
        Some(end) if is_simple(end) && !end.contains(['*', '?']) => {
            Some(Sweep { folder: ".".to_owned(), names: vec![spec.clone()], ..shown.clone() })
        }
        _ if spec.is_empty() || spec.starts_with(':') || spec.contains(['*', '?', '[', '\\']) => None,
        _ => Some(Sweep { folder: spec.clone(), ..shown.clone() }),
    };
    let mut parts = args.split(|arg| arg == "--").skip(1);
    let found: Option<Vec<Sweep>> = match (is_closed(command, args), parts.next(), parts.next()) {
        (true, Some(specs), None) => specs.iter().map(narrowed).collect(),
        _ => None,
    };
    // Within a folder `git grep` stays there, unless a pathspec leads out.
    let leads_out = command != "grep" || args.iter().any(|arg| arg.starts_with(':') || arg.contains(".."));
    let whole = || vec![Sweep { folder: ".".to_owned(), repository: leads_out, ..shown.clone() }];
    found.filter(|found| !found.is_empty()).unwrap_or_else(whole)
}

/// The programs that find starts.
fn found(args: &[String]) -> impl Iterator<Item = &str> {
    let starts = |word: &str| matches!(word, "-exec" | "-execdir" | "-ok" | "-okdir");
    args.windows(2).filter(move |pair| starts(&pair[0])).map(|pair| pair[1].as_str())
}

fn find(args: &[String]) -> Vec<Sweep> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let options = words.iter().take_while(|word| matches!(**word, "-H" | "-L" | "-P")).count();
    let is_test = |word: &str| word.starts_with('-') || matches!(word, "(" | "!" | ")" | ",");
    let folders: Vec<&str> = words.iter().skip(options).take_while(|word| !is_test(word)).copied().collect();
    let tests = &words[options + folders.len()..];
    let mut how = Sweep { links: words.contains(&"-L") || words.contains(&"-follow"), ..Sweep::everything("") };
    // Only a row of tests that all have to hold is read; with an `or` or a bracket anything may be found.
    if !tests.iter().any(|word| matches!(*word, "-o" | "-or" | "," | "(" | ")")) {
        let mut tests = tests.iter();
        let (mut negated, mut wanted) = (false, None);
        while let Some(test) = tests.next() {
            let values = super::read_only::FIND.iter().find(|(name, _)| name == test).map(|(_, values)| *values);
            match (*test, values) {
                ("!" | "-not", _) => {
                    negated = !negated;
                    continue;
                }
                ("-name", _) => match tests.next().filter(|glob| is_simple(glob)) {
                    Some(glob) if negated => how.names.push(format!("!{glob}")),
                    // One of several is more than all of them.
                    Some(glob) => wanted = Some((*glob).to_owned()),
                    None => {}
                },
                ("-maxdepth", _) => how.depth = tests.next().and_then(|depth| depth.parse().ok()),
                ("-path" | "-wholename", _) => {
                    let folder = tests.next().and_then(|glob| glob.strip_prefix("*/")?.strip_suffix("/*"));
                    if let Some(folder) = folder.filter(|folder| negated && is_simple(folder)) {
                        how.closed.push(folder.to_owned());
                    }
                }
                // What comes behind the first action is not read.
                (_, None) => break,
                (_, Some(values)) => tests.by_ref().take(values).for_each(drop),
            }
            negated = false;
        }
        how.names.splice(0..0, wanted);
    }
    beneath(&folders, &how)
}
