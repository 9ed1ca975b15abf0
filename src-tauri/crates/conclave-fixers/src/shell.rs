//! From a shell command to the words that a program receives, where both mean the same.
//!
//! Follows the quoting rules of POSIX `sh` and refuses, in words, everything an argument list cannot express.
//! Deliberately absent: running or simulating a shell.

use crate::text::{Part, Unit};

/// One argument, in pieces.
pub(crate) type Word = Vec<Part>;

/// A command as the words that its program receives.
#[derive(Debug)]
pub(crate) struct Command {
    pub words: Vec<Word>,
    /// The values outside of quotation marks, by number: a shell would split them at blanks.
    pub bare: Vec<usize>,
}

/// Commands that exist only inside a shell: those of POSIX `sh` without a program of the same name, and of `cmd`.
const BUILTINS: [&str; 49] = [
    ".", ":", "alias", "bg", "break", "builtin", "cd", "continue", "declare", "eval", "exec", "exit", "export", "fc",
    "fg", "getopts", "hash", "jobs", "let", "local", "popd", "pushd", "read", "readonly", "return", "set", "shift",
    "shopt", "source", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait", "assoc",
    "cls", "copy", "del", "dir", "erase", "md", "move", "rd", "ren", "ver",
];
const KEYWORDS: [&str; 14] =
    ["if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "time", "{"];
/// Programs that read their arguments as a command line again.
const SHELLS: [&str; 16] = [
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "fish",
    "cmd",
    "powershell",
    "pwsh",
    "ssh",
    "rsh",
    "su",
    "watch",
    "parallel",
    "tmux",
    "screen",
];

/// Splits a command into its words.
///
/// # Errors
/// In words, when the command needs a shell.
pub(crate) fn words(units: &[Unit]) -> Result<Command, String> {
    let mut splitter = Splitter { words: Vec::new(), word: None, values: 0, bare: Vec::new() };
    let mut rest = units.iter().copied().peekable();
    let mut open: Option<char> = None;
    while let Some(unit) = rest.next() {
        let Some(c) = unit else {
            splitter.value(open.is_none())?;
            continue;
        };
        match (open, c) {
            (Some('\''), '\'') | (Some('"'), '"') => open = None,
            (Some('"'), '\\') => match rest.next_if(|next| matches!(next, Some('"' | '\\' | '$' | '`'))).flatten() {
                Some(escaped) => splitter.push(escaped),
                None => splitter.push('\\'),
            },
            (Some('"'), '$' | '`') => return Err(feature(c)),
            (Some(_), c) => splitter.push(c),
            (None, '\'' | '"') => {
                open = Some(c);
                splitter.word.get_or_insert_default();
            }
            (None, '\\') => match rest.next().flatten() {
                Some(escaped) if escaped != '\n' => splitter.push(escaped),
                _ => return Err("the command ends a line or a value with `\\`".to_owned()),
            },
            (None, ' ' | '\t') => splitter.end(),
            (None, '\n' | '\r') if rest.clone().all(|next| matches!(next, Some('\n' | '\r' | ' ' | '\t'))) => {
                splitter.end();
            }
            (None, '\n' | '\r') => return Err("the command has several lines".to_owned()),
            (None, '#' | '~') if splitter.word.is_none() => return Err(feature(c)),
            (None, '{') if rest.peek() == Some(&Some('}')) => {
                rest.next();
                splitter.push('{');
                splitter.push('}');
            }
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '[' | ']' | '{' | '}') => {
                return Err(feature(c));
            }
            (None, '%') if is_windows_variable(rest.clone()) => return Err(feature(c)),
            (None, c) => splitter.push(c),
        }
    }
    if open.is_some() {
        return Err("a quotation mark in the command is not closed".to_owned());
    }
    splitter.end();
    check(&splitter.words)?;
    Ok(Command { words: splitter.words, bare: splitter.bare })
}

/// Whether what follows a `%` is the rest of `%NAME%`.
fn is_windows_variable(rest: impl Iterator<Item = Unit>) -> bool {
    let mut rest = rest.skip_while(|unit| unit.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'));
    rest.next() == Some(Some('%'))
}

struct Splitter {
    words: Vec<Word>,
    word: Option<Word>,
    values: usize,
    bare: Vec<usize>,
}

impl Splitter {
    fn push(&mut self, c: char) {
        let word = self.word.get_or_insert_default();
        match word.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => word.push(Part::Text(c.to_string())),
        }
    }

    fn value(&mut self, bare: bool) -> Result<(), String> {
        if bare {
            if let Some([.., Part::Text(text)]) = self.word.as_deref()
                && text.ends_with(char::is_alphanumeric)
                && !self.word.iter().flatten().any(|part| matches!(part, Part::Text(text) if text.starts_with('-')))
            {
                return Err(format!("a value is glued to `{text}` and may hold more words, such as options"));
            }
            self.bare.push(self.values);
        }
        self.word.get_or_insert_default().push(Part::Value(self.values));
        self.values += 1;
        Ok(())
    }

    fn end(&mut self) {
        self.words.extend(self.word.take());
    }
}

/// The refusals that concern whole words.
fn check(words: &[Word]) -> Result<(), String> {
    let plain = |word: &Word| match word.as_slice() {
        [] => Some(String::new()),
        [Part::Text(text)] => Some(text.clone()),
        _ => None,
    };
    let Some(first) = words.first() else { return Err("the command is empty".to_owned()) };
    let Some(program) = plain(first) else {
        return Err("the program itself is a value, so an argument list would still run whatever it names".to_owned());
    };
    if program.contains('=') {
        return Err(format!("`{program}` sets a variable, which the shell does before it runs the program"));
    }
    if KEYWORDS.contains(&program.as_str()) || program == "!" {
        return Err(format!("`{program}` is part of the shell's language"));
    }
    if BUILTINS.contains(&program.to_ascii_lowercase().as_str()) {
        return Err(format!("`{program}` is a command of the shell itself, not a program"));
    }
    let Some(shell) = words.iter().position(|word| plain(word).is_some_and(|text| is_shell(&text))) else {
        return Ok(());
    };
    match words[shell..].iter().flatten().any(|part| matches!(part, Part::Value(_))) {
        true => Err("the command starts another shell, which would read the value as a command again".to_owned()),
        false => Ok(()),
    }
}

/// Programs that are batch files on Windows, which only a shell starts.
pub(crate) fn is_batch_on_windows(program: &str) -> bool {
    matches!(
        program,
        "npm"
            | "npx"
            | "yarn"
            | "pnpm"
            | "corepack"
            | "gulp"
            | "grunt"
            | "ng"
            | "tsc"
            | "eslint"
            | "jest"
            | "mvn"
            | "gradle"
    )
}

fn is_shell(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    SHELLS.contains(&name.strip_suffix(".exe").unwrap_or(name))
}

fn feature(c: char) -> String {
    let what = match c {
        '|' => "a pipe",
        '<' | '>' => "a redirection",
        '&' | ';' => "several commands",
        '*' | '?' | '[' | ']' => "a file name pattern",
        '$' | '%' => "a variable",
        '`' | '(' | ')' => "a command inside the command",
        '~' => "the home folder",
        '#' => "a comment",
        _ => "a list in braces",
    };
    format!("the command uses `{c}` ({what}), which an argument list cannot express")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values are written `@`.
    fn units(text: &str) -> Vec<Unit> {
        text.chars().map(|c| (c != '@').then_some(c)).collect()
    }

    fn shown(words: &[Word]) -> Vec<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(_) => "@".to_owned(),
        };
        words.iter().map(|word| word.iter().map(part).collect()).collect()
    }

    #[test]
    fn words_are_what_a_program_would_receive() {
        for (command, expect) in [
            ("ls -l", &["ls", "-l"][..]),
            ("  ls\t-l  \n", &["ls", "-l"]),
            ("grep 'a b' \"c d\" e\\ f", &["grep", "a b", "c d", "e f"]),
            ("echo \"a\\\"b\\n\"", &["echo", "a\"b\\n"]),
            ("printf ''", &["printf", ""]),
            ("find . -exec ls {} +", &["find", ".", "-exec", "ls", "{}", "+"]),
            ("ping -c 1 @", &["ping", "-c", "1", "@"]),
            ("tar -f\"@\" --to='@/x'", &["tar", "-f@", "--to=@/x"]),
            ("head -n@ a/@.txt", &["head", "-n@", "a/@.txt"]),
            ("sh -c 'a | b'", &["sh", "-c", "a | b"]),
            ("git log --format=%h", &["git", "log", "--format=%h"]),
        ] {
            let found = words(&units(command)).expect(command);
            assert_eq!(shown(&found.words), expect, "{command}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_refused_with_the_reason() {
        for (command, reason) in [
            ("a | b", "a pipe"),
            ("a > b", "a redirection"),
            ("a && b", "several commands"),
            ("a; b", "several commands"),
            ("ls *", "a file name pattern"),
            ("echo $HOME", "a variable"),
            ("echo \"$HOME\"", "a variable"),
            ("echo `a`", "a command inside"),
            ("cat ~/a", "the home folder"),
            ("#nosec", "a comment"),
            ("echo {a,b}", "a list in braces"),
            ("echo %PATH%", "a variable"),
            ("a\nb", "several lines"),
            ("A=1 b", "sets a variable"),
            ("cd /tmp", "a command of the shell itself"),
            ("del x", "a command of the shell itself"),
            ("if a", "the shell's language"),
            ("@ -l", "the program itself is a value"),
            ("/bin/@ -l", "the program itself is a value"),
            ("sudo bash -c @", "starts another shell"),
            ("ssh host /bin/sh -c '@'", "starts another shell"),
            ("svn checkout@ x", "glued to `checkout`"),
            ("echo 'a", "not closed"),
            ("  ", "empty"),
        ] {
            let refusal = words(&units(command)).expect_err(command);
            assert!(refusal.contains(reason), "{command}: {refusal}");
        }
    }

    #[test]
    fn values_that_a_shell_would_split_are_told() {
        let command = words(&units("a @ '@' \"@\" --x=@")).expect("words");
        assert_eq!(command.bare, [0, 3]);
    }

    proptest! {
        /// Quoting each argument for a shell and splitting again gives the arguments back.
        #[test]
        fn quoted_words_come_back(arguments in prop::collection::vec("[a-zA-Z0-9 $*|'\"\\\\~#;é-]{0,8}", 0..5)) {
            let quoted: Vec<String> =
                arguments.iter().map(|argument| format!("'{}'", argument.replace('\'', "'\\''"))).collect();
            let command = format!("/bin/program {}", quoted.join(" "));
            let found = words(&units(&command)).map(|found| shown(&found.words)[1..].to_vec());
            prop_assert_eq!(found, Ok(arguments));
        }
    }
}
