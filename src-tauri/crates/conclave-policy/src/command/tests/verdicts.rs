//! What is said about commands: read only or not, a way out or not.

use super::*;

/// Whether every command of `text` is read only.
fn harmless(text: &str) -> bool {
    inspect(text).is_ok_and(|found| found.iter().all(read_only))
}

#[test]
fn commands_that_change_nothing_are_read_only() {
    for text in [
        "ls -la src",
        "/bin/ls",
        "cat a b | grep -c x | sort -k2,2n -t, | uniq -c | head -5",
        "head -20 f; tail -n 5 f",
        "grep -rn --include=*.rs x src 2>/dev/null",
        "cat src/*.rs",
        "rg -n --type rust 'fn main' src",
        "find . -name '*.rs' -type f",
        "find . -name '*.rs' -exec grep -l x {} +",
        "find src -type f | xargs wc -l",
        "find . -print0 | xargs -0 sort --",
        "git status --short",
        "git --no-pager log --oneline -10",
        "git diff HEAD~1 -- src",
        "git show --stat HEAD",
        "git show HEAD~1 -- beef",
        "git cat-file -p HEAD:a",
        "git cat-file -t 0123456",
        "git grep face",
        "git branch -a",
        "git rev-parse --show-toplevel",
        "git -c color.ui=never log",
        "cd src && ls",
        "sed -n '10,20p' f",
        "sed 's/a/b/g; s|c[0-9]|d|; /x/d' f",
        "awk -F: '{print $1}' f",
        "date +%F",
        "stat f; file f; du -sh .; df -h; uname -a; id; whoami; pwd",
        "echo hi; printf '%s' x",
        "which ls; command -v ls",
        "timeout 5 env LANG=C nice ls",
        "LC_ALL=C sort f",
        "sh -c 'ls; cat f'",
        "tree -L 2",
        "diff -u a b",
        "wc -l < f",
        "python3 --version; node -v",
        "git --help; docker --version; rg --version",
        "set -e; ls",
        "[ -f x ] && cat x",
        "jq .name f",
        "ps aux",
        "ps -ef",
    ] {
        assert!(harmless(text), "{text}: {:?}", inspect(text));
    }
}

#[test]
fn everything_else_is_not() {
    for text in [
        "rm f",
        "./ls",
        "/tmp/ls",
        "/usr/bin/../../tmp/ls",
        "unknown",
        "unknown --version",
        "./python3 --version",
        "cargo --version",
        "rustc --version",
        "docker --help",
        "git --version --build-options x",
        "curl --help all",
        "pytest --version",
        "ls > f",
        "FOO=1 ls",
        "sudo ls",
        "nohup ls",
        "find . -delete",
        "find . -exec rm {} +",
        "find . -fprint f",
        "find . -fprintf f x",
        "find . -fls f",
        "find . -ok ls \\;",
        "find . -name x -newflag",
        "find . -type f | xargs rm",
        "find . | xargs sort",
        "find . | xargs sed -n p",
        "find . | xargs git log",
        "sort -o f f",
        "sort -uof f",
        "sort --output=f f",
        "sort --outp f f",
        "sort --compress-program=sh f",
        "sort -T /tmp f",
        "uniq a b",
        "uniq a -c",
        "xxd a b",
        "date -s tomorrow",
        "date 010100002027",
        "hostname evil",
        "arch -x86_64 sh",
        "tree -o f",
        "file -C -m x",
        "rg --pre sh x",
        "rg --hostname-bin sh x",
        "rg --search-zip x",
        "fd -x rm",
        "git commit -m x",
        "git push",
        "git branch new",
        "git branch -D old",
        "git tag v1",
        "git stash",
        "git config a b",
        "git config --get a b c",
        "git diff --output=f",
        "git diff --ext-diff",
        "git log --output=f",
        "git grep -O x",
        "git grep --open-files-in-pager=sh x",
        "git -C /tmp/x status",
        "git --git-dir=x status",
        "git -p log",
        "git unknown",
        "git",
        "cd x && git status",
        "git s* list",
        "sed -i s/a/b/ f",
        "sed -n 'w f' x",
        "sed 's/a/b/w f' x",
        "sed 's/a/b/e' x",
        "sed '1e id' x",
        "sed -f script x",
        "sed p -e 'w f'",
        "sed 'w f' -e p",
        "sed 's/[]/]/g;/w f/p' x",
        "sed 's/[[:x:]/]/g;/w f/p' x",
        "sed s/a*/b/ f",
        "awk 'BEGIN { system(\"id\") }'",
        "awk '{ print > \"f\" }'",
        "awk '{ print | \"sh\" }'",
        "awk '{ \"id\" | getline }'",
        "awk -f script f",
        "awk '@load \"x\"'",
        "awk 'BEGIN { ARGV[1] = \".e\" \"nv\"; ARGC = 2 } { print }'",
        "awk 'BEGIN { for (name in ENVIRON) print ENVIRON[name] }'",
        "export",
        "jq -n env",
        "jq -n '$ENV'",
        "echo env | xargs jq -n",
        "jq -f p.jq x",
        "jq -nf p.jq",
        "jq -n --from-file p.jq",
        "jq -n --from-f p.jq",
        "jq -L lib -n x",
        "git cat-file -p 0123456789",
        "git cat-file blob 0123456789",
        "git show 0123456",
        "git show 'beef01^{blob}'",
        "git show -S -- beef01",
        "git diff beef01 beef02",
        "git grep x beef01",
        "ps e",
        "ps auxe",
        "ps -E",
        "readelf @f",
        "strings @f",
        "ls | xargs strings",
        "python3 x.py",
        "less f",
        "man ls",
        "tee f",
        "kill 1",
        "curl x",
        "make",
        "sh script.sh",
        "env",
    ] {
        assert!(!harmless(text), "{text}");
    }
}

/// Arguments with which one program or another does what its name does not say.
const MISUSES: &[&str] = &[
    "",
    "x",
    "x y",
    "-c evil",
    "-e evil",
    "-x evil",
    "-o x",
    "-f x",
    "-i x",
    "-I evil x",
    "-T x",
    "-p x",
    "-s x",
    "-u x",
    "-w x",
    "-D x",
    "-S evil",
    "-exec evil ;",
    "-exec=evil",
    "-delete",
    "--help",
    "--exec evil",
    "--exec=evil",
    "--pre=evil x",
    "--pager=evil",
    "--eval=evil",
    "--output=x",
    "--compress-program=evil x",
    "--checkpoint=1 --checkpoint-action=exec=evil",
    "--to-command=evil",
    "--use-compress-program=evil x",
    "--filter=evil x",
    "--upload-pack=evil x",
    "--rsh=evil x",
    "exec evil",
    "run evil",
    "shell evil",
    "BEGIN{system(\"evil\")}",
    "s/a/b/e",
    "wevil",
    "-H x",
    "-K x",
    "-wrapper evil",
    "--plugin=evil",
    "-y evil",
    "@x",
];

/// The programs of `misused.txt` that only read when they are used as a table here says.
#[rustfmt::skip]
const ONLY_READ: &[&str] = &[
    "arch", "base32", "base64", "cat", "cmp", "column", "comm", "cut", "date", "diff", "egrep", "expand", "fgrep", "file",
    "find", "fmt", "fold", "grep", "head", "hexdump", "hd", "join", "jq", "md5sum", "nl", "od", "paste", "readelf", "rev",
    "shuf", "sort", "strings", "tac", "tail", "unexpand", "uniq", "wc", "xxd", "gawk", "awk", "mawk", "nawk", "sed",
    "git",
];

#[test]
fn programs_known_for_misuse_are_never_read_only_but_for_reading() {
    let programs = include_str!("misused.txt");
    assert!(programs.lines().count() > 380);
    for program in programs.lines() {
        // To be told how a program is used is no misuse of it.
        for args in MISUSES.iter().filter(|args| **args != "--help") {
            let args: Vec<String> =
                args.split_whitespace().map(|arg| format!("'{}'", arg.replace('\'', r"'\''"))).collect();
            let text = format!("{program} {}", args.join(" "));
            if harmless(&text) {
                assert!(ONLY_READ.contains(&program), "{text}");
            }
        }
    }
}

/// The programs of `misused.txt` that read, write or send what their arguments name, and start nothing.
#[rustfmt::skip]
const ONLY_FILES: &[&str] = &[
    "ar", "arp", "ascii-xfr", "ascii85", "base58", "basenc", "basez", "bzip2", "chattr", "chmod", "chown", "cp", "csplit",
    "dd", "dig", "dmidecode", "dos2unix", "getent", "gzip", "iconv", "install", "iptables-save", "lastb", "ln", "look", "lp",
    "lwp-download", "lwp-request", "mv", "ntpdate", "passwd", "pr", "ptx", "rustfmt", "setcap", "setfacl", "shred", "ss",
    "tee", "unzip", "urlget", "uuencode", "whois", "xmodmap", "xz", "zcat", "zgrep",
];

#[test]
fn programs_that_start_others_escape_or_are_read_only_or_only_touch_files() {
    for program in include_str!("misused.txt").lines() {
        let known = MISUSES.iter().any(|args| {
            let command = SimpleCommand {
                program: program.to_owned(),
                args: args.split_whitespace().map(str::to_owned).collect(),
                ..SimpleCommand::default()
            };
            escapes(&command).is_some()
        });
        assert!(known || ONLY_READ.contains(&program) || ONLY_FILES.contains(&program), "{program}");
    }
}

#[test]
fn ways_out_are_named() {
    let way = |text: &str| inspect(text).unwrap().iter().find_map(escapes);
    for text in [
        "python3 -c 'x'",
        "python3.12 x.py",
        "perl -e x",
        "node -e x",
        "awk 'BEGIN { system(\"id\") }'",
        "sed '1e id' f",
        "vim -c ':!id'",
        "vim.basic f",
        "tar cf x --checkpoint-action=exec=id y",
        "tar xf x --to-comm evil",
        "rsync -e 'sh -c id' a b",
        "rsync -avze id a b",
        "git rebase -x evil",
        "git clone ext::sh",
        "sort --compress-program=id f",
        "find . | xargs tar cf x",
        "make",
        "npm install",
        "docker run x",
        "sh script.sh",
        "less f",
        "/usr/bin/vi f",
    ] {
        assert!(way(text).is_some(), "{text}");
    }
    for text in [
        "ls",
        "tar cf x y",
        "rsync -a x y",
        "git status",
        "sort f",
        "sed -i s/a/b/ f",
        "env ls",
        "find . -delete",
        "cp a b",
    ] {
        assert_eq!(way(text), None, "{text}");
    }
    assert_eq!(way("vi f").as_deref(), Some("`vi` has a way to start a shell"));
}

#[test]
fn most_everyday_commands_are_understood() {
    let all: Vec<&str> = include_str!("everyday.txt").lines().collect();
    let not: Vec<&str> = all.iter().copied().filter(|text| inspect(text).is_err()).collect();
    assert!(not.len() * 5 <= all.len(), "{} of {}: {not:#?}", not.len(), all.len());
}
