//! Commands that change nothing and start nothing, by program and option.
//!
//! An allow-list: a program, an option or a number of operands that is not in a table makes the answer no. Reading is
//! all that the answer speaks of: which files may be read is for rules about paths.

use super::options::{Line, Order, read};
use super::wrapper::{Starts, starts};
use super::{SimpleCommand, Unseen, environment, parse, sed};
use crate::request::Access;

/// Whether `command`, with everything it starts, is known to change nothing.
///
/// Wrappers count for what they start; `sudo` and `doas` never do. What only prints a version counts.
#[must_use]
pub fn read_only(command: &SimpleCommand) -> bool {
    parse::with_started(command).is_ok_and(|all| all.iter().all(own_words_read_only))
}

/// Whether `command` only reads what it names, whatever else it may do: page through it with ways out, or take orders
/// from the configuration of another repository.
#[must_use]
pub fn reads_what_it_names(command: &SimpleCommand) -> bool {
    let args = &command.args;
    read_only(command)
        || match super::wrapper::name(&command.program) {
            "bat" | "batcat" | "man" | "more" => true,
            // A log is written, and what follows a `+` is a command.
            "less" => !args.iter().any(|arg| arg.starts_with('+') || arg.starts_with('-') && arg.contains(['o', 'O'])),
            "git" => git(after_folders(args)),
            _ => false,
        }
}

/// The arguments of git behind those that say where the repository is.
fn after_folders(mut args: &[String]) -> &[String] {
    while let [flag, _, after @ ..] = args
        && flag == "-C"
    {
        args = after;
    }
    args
}

/// Whether `command` is harmless when what it starts is.
fn own_words_read_only(command: &SimpleCommand) -> bool {
    if command.redirects.iter().any(|redirect| redirect.access == Access::Write)
        || !command.environment.iter().all(|name| environment::harmless(name))
    {
        return false;
    }
    let Some(program) = system_program(&command.program) else {
        return false;
    };
    match (starts(command), program) {
        (Err(_), _) | (_, "doas" | "nohup" | "sudo") => false,
        (Ok(_), "find") => find(&command.args),
        (Ok(Starts::Commands(_) | Starts::Text(_)), _) => true,
        (Ok(Starts::Nothing), _) => alone(command, program),
    }
}

/// The name of a program that the system's own folders hold.
fn system_program(program: &str) -> Option<&str> {
    match program.strip_prefix("/usr").unwrap_or(program).strip_prefix("/bin/") {
        Some(name) => Some(name).filter(|name| !name.contains('/')),
        None => Some(program).filter(|program| !program.contains('/')),
    }
}

const ANY: usize = usize::MAX;

/// Programs, their harmless options in the notation of `options`, and how many operands they may have.
#[rustfmt::skip]
const PROGRAMS: &[(&str, &str, usize)] = &[
    (":", "*", ANY), ("[", "*", ANY), ("arch", "", 0), ("b2sum", "*", ANY),
    ("base32", "-di -w: --decode --ignore-garbage --wrap:", 1), ("base64", "-dDi -w: --decode --ignore-garbage --wrap:", 1),
    ("basename", "*", ANY), ("cal", "*", ANY), ("cat", "*", ANY), ("cd", "", 1), ("cksum", "*", ANY), ("cmp", "*", ANY),
    ("column", "*", ANY), ("comm", "*", ANY), ("command", "-vV", ANY), ("cut", "*", ANY), ("df", "*", ANY),
    ("diff", "*", ANY), ("dirname", "*", ANY), ("du", "*", ANY), ("echo", "*", ANY), ("egrep", "*", ANY),
    ("exit", "", 1), ("expand", "*", ANY), ("export", "", ANY), ("false", "*", ANY), ("fgrep", "*", ANY),
    ("file", "-bhikLNprsS -F: -e: --brief --dereference --mime --mime-encoding --mime-type", ANY),
    ("fmt", "*", ANY), ("fold", "*", ANY), ("free", "*", ANY), ("getconf", "*", ANY), ("grep", "*", ANY),
    ("groups", "*", ANY), ("head", "*", ANY), ("hexdump", "*", ANY),
    ("hostname", "-AIdfis --all-fqdns --all-ip-addresses --domain --fqdn --ip-address --short", 0), ("id", "*", ANY),
    ("jobs", "", 0), ("join", "*", ANY), ("jq", "*", ANY), ("ls", "*", ANY), ("lsblk", "*", ANY), ("lscpu", "*", ANY),
    ("md5", "*", ANY), ("md5sum", "*", ANY), ("nl", "*", ANY), ("nproc", "*", ANY), ("numfmt", "*", ANY),
    ("od", "*", ANY), ("paste", "*", ANY), ("pathchk", "*", ANY), ("pgrep", "*", ANY), ("printf", "*", ANY),
    ("ps", "*", ANY), ("pwd", "*", ANY), ("readelf", "*", ANY), ("readlink", "*", ANY), ("realpath", "*", ANY),
    ("rev", "*", ANY), ("seq", "*", ANY), ("set", "*", ANY), ("sha1sum", "*", ANY), ("sha224sum", "*", ANY),
    ("sha256sum", "*", ANY), ("sha384sum", "*", ANY), ("sha512sum", "*", ANY), ("shasum", "*", ANY),
    ("shuf", "-erz -i: -n: --echo --head-count: --input-range: --repeat --zero-terminated", ANY), ("sleep", "*", ANY),
    ("sort", "-CMRVbcdfghimnrsuz -S: -k: -t: --check --dictionary-order --field-separator: --general-numeric-sort \
              --human-numeric-sort --ignore-case --ignore-leading-blanks --key: --merge --month-sort --numeric-sort \
              --random-sort --reverse --stable --unique --version-sort --zero-terminated", ANY),
    ("stat", "*", ANY), ("strings", "*", ANY), ("sum", "*", ANY), ("tac", "*", ANY), ("tail", "*", ANY),
    ("test", "*", ANY), ("tr", "*", ANY),
    ("tree", "-ACDFJNQSUXacdfghilnpqrstuvx -I: -L: -P: --charset: --dirsfirst --du --filelimit: --gitignore \
              --ignore-case --noreport --prune --si", ANY),
    ("true", "*", ANY), ("tsort", "*", ANY), ("tty", "*", ANY), ("type", "*", ANY), ("uname", "*", ANY),
    ("unexpand", "*", ANY),
    ("uniq", "-Dcdiuz -f: -s: -w: --all-repeated? --check-chars: --count --group? --ignore-case --repeated \
              --skip-chars: --skip-fields: --unique --zero-terminated", 1),
    ("uptime", "*", ANY), ("w", "*", ANY), ("wait", "", ANY), ("wc", "*", ANY), ("whereis", "*", ANY),
    ("which", "*", ANY), ("who", "*", ANY), ("whoami", "*", ANY),
    ("xxd", "-Cabeipru -c: -g: -l: -o: -s:", 1),
    ("fd", FD, ANY), ("fdfind", FD, ANY),
    ("rg", RG, ANY),
];

/// Options of rg that change nothing.
pub(super) const RG: &str = "-0FHILNPSUchilnoqsuvwx -A: -B: -C: -M: -T: -d: -e: -f: -g: -m: -r: -t: --after-context: --before-context: \
            --case-sensitive --color: --column --context: --count --count-matches --file: --files --files-with-matches \
            --files-without-match --fixed-strings --glob: --heading --hidden --iglob: --ignore-case --invert-match \
            --json --line-number --line-regexp --max-columns: --max-count: --max-depth: --multiline --multiline-dotall \
            --no-filename --no-heading --no-ignore --no-line-number --null --only-matching --pcre2 --quiet --regexp: \
            --replace: --smart-case --sort: --stats --text --trim --type-list --type-not: --type: --unrestricted \
            --vimgrep --with-filename --word-regexp";

const FD: &str = "-0HILaFgilpsu -E: -S: -c: -d: -e: -t: --absolute-path --case-sensitive --color: --exclude: \
                  --extension: --fixed-strings --follow --full-path --glob --hidden --ignore-case --max-depth: \
                  --max-results: --min-depth: --no-ignore --print0 --size: --type:";

/// Programs that print their version or how they are used, and do nothing else, when that is all that is asked; none of
/// them takes plugins, options or another version of itself from the folder it is started in, as cargo, rustc and go do.
#[rustfmt::skip]
const PRINT_A_VERSION: &[&str] = &[
    "awk", "bash", "cat", "clang", "clang++", "cmake", "cp", "ctest", "curl", "diff", "docker", "dpkg", "fd", "ffmpeg",
    "file", "find", "g++", "gawk", "gcc", "gh", "git", "grep", "gzip", "head", "helm", "java", "javac", "jq", "kubectl",
    "ld", "ls", "make", "mkdir", "mv", "ninja", "node", "npm", "openssl", "patch", "perl", "php", "pip", "pip3",
    "pkg-config", "podman", "psql", "python", "python3", "rg", "rm", "rsync", "ruby", "sed", "sh", "shellcheck", "sort",
    "sqlite3", "ssh", "strace", "tail", "tar", "tee", "tree", "unzip", "uv", "valgrind", "vim", "wget", "xz", "zip",
    "zsh",
];

/// Other ways to ask for a version only.
#[rustfmt::skip]
const VERSION_WORDS: &[(&str, &str)] =
    &[("java", "-version"), ("node", "-v"), ("npm", "-v"), ("python", "-V"), ("python3", "-V")];

fn alone(command: &SimpleCommand, program: &str) -> bool {
    let args = &command.args;
    if let [only] = args.as_slice()
        && ((only == "--version" && PRINT_A_VERSION.contains(&program))
            // For its help docker asks its plugins.
            || (only == "--help" && program != "docker" && PRINT_A_VERSION.contains(&program))
            || VERSION_WORDS.contains(&(program, only.as_str())))
    {
        return true;
    }
    match program {
        // Alone it shows every variable, and variables hold keys.
        "export" if args.is_empty() => false,
        "jq" => command.unseen != Unseen::Anything && !args.iter().any(|arg| shows_more(arg) || takes_a_program(arg)),
        // Options without a dash, and `-E`, show the variables of other programs.
        "ps" => {
            command.unseen == Unseen::Nothing
                && read(args, PS, Order::Mixed).is_ok_and(|line| line.operands.iter().all(|word| *word == "aux"))
        }
        // A file behind `@` is read for more arguments, and shown in the complaint about them.
        "readelf" | "strings" if command.unseen == Unseen::Anything || args.iter().any(|arg| arg.starts_with('@')) => {
            false
        }
        "awk" | "gawk" | "mawk" | "nawk" => read(args, "-F: -v:", Order::OptionsFirst).is_ok_and(|line| {
            line.operands.first().is_some_and(|text| awk(text) && text_is_known(command, &line, text))
        }),
        "date" => read(args, DATE, Order::Mixed)
            .is_ok_and(|line| may_take_more(command, &line) && line.operands.iter().all(|word| word.starts_with('+'))),
        "git" => command.unseen != Unseen::Anything && command.directory.is_none() && git(args),
        "sed" => sed::of(args).is_some_and(|line| {
            !line.has("-i")
                && !line.has("--in-place")
                && sed::only_edits(&line)
                && sed::scripts(&line).is_some_and(|texts| texts.iter().all(|text| text_is_known(command, &line, text)))
        }),
        _ => match PROGRAMS.iter().find(|(name, ..)| *name == program) {
            None => false,
            // All its options are harmless, so what is not seen is harmless too.
            Some((_, "*", ANY)) => true,
            Some((_, known, ANY)) => read(args, known, Order::Mixed).is_ok_and(|line| may_take_more(command, &line)),
            Some((_, known, most)) => {
                command.unseen == Unseen::Nothing
                    && strictly(args, known).is_some_and(|line| line.operands.len() <= *most)
            }
        },
    }
}

const PS: &str = "-AaefFljdNw -C: -o: -p: -u: --no-headers --pid: --sort:";

/// Whether a program for jq may show more than its input: the variables of the process, or files that it imports.
fn shows_more(argument: &str) -> bool {
    let argument = argument.to_ascii_lowercase();
    ["env", "import", "include"].iter().any(|word| argument.contains(word))
}

/// Whether an option of jq names a file with a program, or a folder with such files.
fn takes_a_program(argument: &str) -> bool {
    match argument.strip_prefix("--") {
        Some(long) => {
            !long.is_empty() && (long.starts_with("fr") || long.starts_with("lib") || "from-file".starts_with(long))
        }
        None => argument.starts_with('-') && argument.contains(['f', 'L']),
    }
}

const DATE: &str = "-Ru -I? -d: -r: --date: --iso-8601? --reference: --rfc-3339: --rfc-email --utc";

/// Takes `args` apart if options stand before operands only: programs differ on what an option after them is.
fn strictly<'a>(args: &'a [String], known: &str) -> Option<Line<'a>> {
    let line = read(args, known, Order::Mixed).ok()?;
    (read(args, known, Order::OptionsFirst).as_ref() == Ok(&line)).then_some(line)
}

/// Whether arguments that are not seen cannot be options.
fn may_take_more(command: &SimpleCommand, line: &Line<'_>) -> bool {
    command.unseen != Unseen::Anything || line.closed
}

/// Whether a program text among the arguments is what it says, and not a file pattern.
fn text_is_known(command: &SimpleCommand, line: &Line<'_>, text: &str) -> bool {
    may_take_more(command, line) && (command.unseen == Unseen::Nothing || !text.contains(['*', '?', '[']))
}

/// Whether a program for awk only prints what it is given: it names no file, no command and no other program text, adds
/// nothing to its arguments and shows no variables of the process.
fn awk(text: &str) -> bool {
    !text.contains(['|', '>', '@'])
        && !["\\\n", "ARG", "ENVIRON", "SYMTAB", "getline", "system"].iter().any(|word| text.contains(word))
}

/// Tests and actions of find that change nothing, and how many values each takes.
#[rustfmt::skip]
pub(super) const FIND: &[(&str, usize)] = &[
    ("!", 0), ("(", 0), (")", 0), (",", 0), ("-H", 0), ("-L", 0), ("-P", 0), ("-a", 0), ("-amin", 1), ("-and", 0),
    ("-anewer", 1), ("-atime", 1), ("-cmin", 1), ("-cnewer", 1), ("-ctime", 1), ("-daystart", 0), ("-depth", 0),
    ("-empty", 0), ("-executable", 0), ("-false", 0), ("-follow", 0), ("-fstype", 1), ("-gid", 1), ("-group", 1),
    ("-ilname", 1), ("-iname", 1), ("-inum", 1), ("-ipath", 1), ("-iregex", 1), ("-links", 1), ("-lname", 1), ("-ls", 0),
    ("-maxdepth", 1), ("-mindepth", 1), ("-mmin", 1), ("-mount", 0), ("-mtime", 1), ("-name", 1), ("-newer", 1),
    ("-newermt", 1), ("-nogroup", 0), ("-not", 0), ("-nouser", 0), ("-o", 0), ("-or", 0), ("-path", 1), ("-perm", 1),
    ("-print", 0), ("-print0", 0), ("-printf", 1), ("-prune", 0), ("-quit", 0), ("-readable", 0), ("-regex", 1),
    ("-regextype", 1), ("-samefile", 1), ("-size", 1), ("-true", 0), ("-type", 1), ("-uid", 1), ("-user", 1),
    ("-wholename", 1), ("-writable", 0), ("-xdev", 0), ("-xtype", 1),
];

/// Whether find's own words change nothing; what it starts is judged beside it.
fn find(args: &[String]) -> bool {
    let mut rest = args.iter().map(String::as_str).peekable();
    while let Some(word) = rest.next() {
        if matches!(word, "-exec" | "-execdir") {
            let mut before = "";
            while let Some(word) = rest.next().filter(|&word| word != ";" && !(word == "+" && before == "{}")) {
                before = word;
            }
        } else if let Some((_, values)) = FIND.iter().find(|(name, _)| *name == word) {
            for _ in 0..*values {
                rest.next();
            }
        } else if word.starts_with('-') {
            return false;
        }
    }
    true
}

/// Options of `git diff`, `git log` and `git show`.
const GIT_DIFF: &str = "-0123456789CEMRaibpqsuwz -G: -L: -S: -U? -n: --abbrev-commit --abbrev? --after: --all --author: \
    --before: --branches --cached --color? --date: --decorate? --diff-filter: --first-parent --follow --format? \
    --full-index --graph --grep: --ignore-all-space --ignore-space-change --max-count: --merges --name-only --name-status \
    --no-color --no-decorate --no-merges --no-patch --no-renames --numstat --oneline --patch --pretty? --reverse \
    --shortstat --since: --skip: --stat? --staged --summary --tags --unified? --until: --word-diff?";

/// Commands of git that change nothing, their harmless options, and how many operands they may have.
#[rustfmt::skip]
pub(super) const GIT: &[(&str, &str, usize)] = &[
    ("blame", "-Cbefklnpstw -L: --date: --line-porcelain --porcelain --root --show-email --show-name", ANY),
    ("branch", "-arv --all --contains: --list --merged --no-color --no-merged --remotes --show-current --sort: --verbose", 0),
    ("cat-file", "-epst", ANY), ("check-ignore", "-nqv --no-index --non-matching --quiet --verbose", ANY),
    ("count-objects", "-Hv", 0), ("describe", "--abbrev? --all --always --contains --dirty? --exact-match --long --match: --tags", ANY),
    ("diff", GIT_DIFF, ANY), ("for-each-ref", "--contains: --count: --format: --sort:", ANY),
    ("grep", "-EFHILGPchilnopqvw -A: -B: -C: -e: -m: --cached --count --extended-regexp --files-with-matches --fixed-strings \
              --heading --ignore-case --line-number --name-only --perl-regexp --untracked --word-regexp", ANY),
    ("log", GIT_DIFF, ANY),
    ("ls-files", "-cdikmostuvz --cached --deleted --error-unmatch --exclude-standard --full-name --ignored --modified --others --stage --unmerged", ANY),
    ("ls-tree", "-dlrtz --full-name --full-tree --long --name-only --name-status", ANY),
    ("merge-base", "-a --all --fork-point --is-ancestor", ANY), ("remote", "-v --verbose", 0),
    ("rev-list", "-n: --all --count --left-right --max-count: --no-merges --since: --until:", ANY),
    ("rev-parse", "-q --abbrev-ref? --git-common-dir --git-dir --is-bare-repository --is-inside-work-tree --quiet --short? \
                   --show-prefix --show-toplevel --symbolic-full-name --verify", ANY),
    ("shortlog", "-ens --email --numbered --summary", ANY), ("show", GIT_DIFF, ANY),
    ("show-ref", "-dhs --heads --tags --verify", ANY),
    ("status", "-bsuz --branch --ignored? --long --porcelain? --short --show-stash --untracked-files?", ANY),
    ("tag", "-n? --contains: --list --sort:", 0),
];

/// Whether a git command changes nothing.
///
/// Only in the folder where the text starts: git takes programs to run from the configuration of the repository it
/// finds, and any folder of files can be made to look like one.
fn git(args: &[String]) -> bool {
    let mut rest = args;
    loop {
        match rest {
            [flag, after @ ..] if flag == "--no-pager" || flag == "-P" || flag == "--no-optional-locks" => rest = after,
            // Which settings may be given is checked where git is looked through.
            [flag, _, after @ ..] if flag == "-c" => rest = after,
            _ => break,
        }
    }
    let [command, args @ ..] = rest else {
        return false;
    };
    match command.as_str() {
        "stash" | "worktree" => matches!(args, [list] if list == "list"),
        "config" => matches!(args, [get, _] if get == "--get" || get == "--get-all" || get == "get"),
        _ => GIT.iter().find(|(name, ..)| name == command).is_some_and(|(_, known, most)| {
            read(args, known, Order::Mixed)
                .is_ok_and(|line| line.operands.len() <= *most && !shows_an_object(command, args, &line))
        }),
    }
}

/// Whether a git command shows what it is given by hash: that may be any file of any commit.
fn shows_an_object(command: &str, args: &[String], line: &Line<'_>) -> bool {
    let is_hash = |word: &&str| {
        let word = word.split("^{").next().unwrap_or_default();
        word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let end = args.iter().rposition(|arg| arg == "--").filter(|_| line.closed).map_or(0, |at| args.len() - at - 1);
    let revisions = &line.operands[..line.operands.len().saturating_sub(end)];
    match command {
        "cat-file" => {
            let tells = line.options.iter().any(|(option, _)| matches!(option.as_str(), "-e" | "-s" | "-t"));
            let kinds = ["blob", "commit", "tag", "tree"];
            let names = |word: &&str| word.contains(':') && !word.contains('{') && !word.starts_with(":/");
            !tells && revisions.iter().any(|word| !kinds.contains(word) && !names(word))
        }
        "grep" => revisions.iter().skip(usize::from(!line.has("-e"))).any(is_hash),
        "diff" | "show" => revisions.iter().any(is_hash),
        _ => false,
    }
}
