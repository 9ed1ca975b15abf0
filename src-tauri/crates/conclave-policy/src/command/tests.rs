//! What is understood, what is not, and what is said about it.

use proptest::prelude::*;

use super::*;
use crate::request::Access::{Read, Write};

mod literals;
mod properties;
mod sweeps;
mod verdicts;

/// The commands of `text` as lists of words, or the reason why not.
fn words(text: &str) -> Result<Vec<Vec<String>>, String> {
    let found = inspect(text).map_err(|why| why.to_string())?;
    Ok(found.into_iter().map(|command| std::iter::once(command.program).chain(command.args).collect()).collect())
}

/// Checks that `text` lists the commands of `expect`, which stand between `|` and whose words stand between blanks.
#[track_caller]
fn lists(text: &str, expect: &str) {
    let expect: Vec<Vec<String>> =
        expect.split(" | ").map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
    assert_eq!(words(text), Ok(expect), "{text}");
}

/// Checks that `text` is refused for a reason that holds `why`.
#[track_caller]
fn refuses(text: &str, why: &str) {
    match words(text) {
        Ok(found) => panic!("`{text}` was understood as {found:?}"),
        Err(reason) => assert!(reason.contains(why), "`{text}` was refused because {reason}"),
    }
}

#[test]
fn lists_every_command_of_what_it_understands() {
    lists("ls -l /tmp", "ls -l /tmp");
    lists("  ls\t-l  ", "ls -l");
    lists("a && b || c; d & e", "a | b | c | d | e");
    lists("a | b |& c\nd\n\n e", "a | b | c | d | e");
    lists("a &&\n b", "a | b");
    lists("{ a; (b; c) }", "a | b | c");
    lists("{ a\n}", "a");
    lists("((a))".replace("((", "( (").as_str(), "a");
    lists("! grep x f", "grep x f");
    lists("time -p ls", "ls");
    lists("ls # a comment; rm x", "ls");
    lists("ls a#b", "ls a#b");
    lists("# nothing\nls", "ls");
    lists("ls \\\n -l", "ls -l");
    lists("echo } { then fi", "echo } { then fi");
    lists("cat <<'END' > f\n$(rm x) `y`\nEND\nls", "cat | ls");
    lists("cat <<-END\n\tplain\n\tEND\n", "cat");
    lists("cat <<A <<B\n1\nA\n2\nB\n", "cat");
    lists("grep x <<< text", "grep x");
    lists("set -euo pipefail\nls", "set -euo pipefail | ls");
    lists("git stash apply stash@{0}", "git stash apply stash@{0}");
}

#[test]
fn gives_each_word_as_the_program_will_get_it() {
    let word = |text: &str| words(&format!("p {text}")).map(|found| found[0][1..].to_vec());
    for (text, expect) in [
        ("'a b'", "a b"),
        ("\"a b\"", "a b"),
        ("a\\ b", "a b"),
        ("'a'\"b\"c", "abc"),
        ("'it'\\''s'", "it's"),
        ("\"a \\\" \\\\ \\$ \\` \\n\"", "a \" \\ $ ` \\n"),
        ("'$HOME `x` !y'", "$HOME `x` !y"),
        ("'$('", "$("),
        ("''", ""),
        ("$HOME/x", "~/x"),
        ("\"$HOME\"/x", "~/x"),
        ("$PWD/x", "./x"),
        ("~", "~"),
        ("~/x", "~/x"),
        ("a~b", "a~b"),
        ("'*.rs'", "*.rs"),
        ("src/*.rs", "src/*.rs"),
        (".github/*.yml", ".github/*.yml"),
        ("./*", "./*"),
        ("{}", "{}"),
        ("'{a,b}'", "{a,b}"),
        ("a=b", "a=b"),
        ("=", "="),
        ("'foo$'", "foo$"),
        ("\"foo$\"", "foo$"),
        ("\"wow!\"", "wow!"),
        ("!=", "!="),
        ("ünï", "ünï"),
        ("\"a\nb\"", "a\nb"),
        ("\"a\\\nb\"", "ab"),
    ] {
        assert_eq!(word(text), Ok(vec![expect.to_owned()]), "{text}");
    }
}

#[test]
fn refuses_what_only_a_run_would_tell() {
    for (text, why) in [
        ("", "no command"),
        ("# only", "no command"),
        ("FOO=bar", "no command"),
        ("ls $(x)", "command substitution"),
        ("ls \"$(x)\"", "command substitution"),
        ("ls `x`", "command substitution"),
        ("ls \"`x`\"", "command substitution"),
        ("$X", "variable `X`"),
        ("ls $X", "variable `X`"),
        ("ls ${X}", "a variable"),
        ("ls \"$X\"", "variable `X`"),
        ("ls $HOMEX", "variable `HOMEX`"),
        ("ls x$HOME", "variable `HOME`"),
        ("ls $1", "variable `1`"),
        ("ls $@", "a variable"),
        ("ls $((1))", "substitution"),
        ("ls $[1]", "a variable"),
        ("((x=1))", "computes"),
        ("cat <(ls)", "process substitution"),
        ("ls > >(cat)", "names no file"),
        ("ls $'\\x41'", "$'…'"),
        ("ls $\"x\"", "$\"…\""),
        ("*", "pattern"),
        ("./x*", "pattern"),
        ("[a]b c", "pattern"),
        ("ls *.rs", "may become an option"),
        ("ls -*", "may become an option"),
        ("ls ?x", "may become an option"),
        ("cat .e*", "hidden files"),
        ("cat a/.*/b", "hidden files"),
        ("ls {a,b}", "brace expansion"),
        ("ls {1..9}", "brace expansion"),
        ("{ls,-l}", "brace expansion"),
        ("ls ~root/x", "~name"),
        ("ls =cat", "begins with `=`"),
        ("echo !!", "history"),
        ("echo \"!x\"", "history"),
        ("f() { ls; }", "function"),
        ("function f { ls; }", "`function`"),
        ("for i in a; do ls; done", "`for`"),
        ("while true; do ls; done", "`while`"),
        ("if true; then ls; fi", "`if`"),
        ("case x in x) ls;; esac", "`case`"),
        ("[[ -f x ]]", "`[[`"),
        ("coproc ls", "`coproc`"),
        ("a; then", "`then`"),
        ("i\\\nf a; then b; fi", "`if`"),
        ("PA\\\nTH=. ls", "`PATH`"),
        ("ls $\\\n(x)", "expands"),
        ("a=(1 2)", "function"),
        ("a[0]=1 ls", "part of a variable"),
        ("a+=1 ls", "part of a variable"),
        ("eval ls", "`eval`"),
        ("source x", "`source`"),
        (". x", "`.`"),
        ("exec ls", "`exec`"),
        ("alias ls=rm", "`alias`"),
        ("trap ls EXIT", "`trap`"),
        ("\\eval ls", "`eval`"),
        ("'eval' ls", "`eval`"),
        ("read x", "`read`"),
        ("unset HOME", "`unset`"),
        ("set -- a", "`set`"),
        ("set -o vi", "`set`"),
        ("printf -v x y", "`printf`"),
        ("test -v 'a[$(x)]'", "`test`"),
        ("[ 'a[$(x)]' -eq 0 ]", "`[`"),
        ("export 'PATH=x'", "`PATH`"),
        ("export -f x", "`export`"),
        ("PATH=. ls", "`PATH`"),
        ("LD_PRELOAD=x ls", "`LD_PRELOAD`"),
        ("BASH_ENV=x sh f", "`BASH_ENV`"),
        ("PATH=.", "`PATH`"),
        ("cat <<E\n$X\nE", "quote its end"),
        ("cat <<E\nx", "no end"),
        ("cat <<E", "no end"),
        ("sh <<'E'\nls\nE", "runs what it reads"),
        ("sh x <<'E'\nls\nE", "fed with text"),
        ("python3 <<'E'\nx\nE", "fed with text"),
        ("python3 <<< x", "fed with text"),
        ("sudo tee f <<'E' | sh\nx\nE", "runs what it reads"),
        ("{ cat; } <<'E'\nx\nE", "text to a group"),
        ("ls > /dev/tcp/host/80", "connection"),
        ("ls > $X", "variable"),
        ("ls > *", "does not name"),
        ("ls >", "names no file"),
        ("ls {fd}> x", "descriptor"),
        ("ls <& x", "descriptor"),
        ("ls 'a", "single quote"),
        ("ls \"a", "double quote"),
        ("ls \\", "backslash"),
        ("ls &&", "missing"),
        ("&& ls", "missing"),
        ("ls ||", "missing"),
        ("| ls", "missing"),
        ("ls |", "missing"),
        ("ls;;", "`;;`"),
        ("(ls", "not closed"),
        ("ls)", "not the shell language"),
        ("{ ls }", "not closed"),
        ("()", "empty"),
        ("''", "no name"),
        ("ls\r", "U+000D"),
        ("ls\0", "U+0000"),
        ("ls\u{202e}", "U+202E"),
        ("ls\u{a0}x", "U+00A0"),
        ("ls\u{200b}", "U+200B"),
        ("a | cd x", "inside a pipeline"),
        ("cd -", "`cd` with options"),
        ("cd x &> f && ls", "`cd` with a redirection"),
        ("cd +1", "`cd` with options"),
        ("time -o f rm x", "an option stands"),
        ("printf %d 'a[$(x)]'", "`printf`"),
        ("exit 'a[`x`]'", "`exit`"),
        ("jobs -x rm", "`jobs`"),
        ("sed -f - <<'E'\nw x\nE", "fed with text"),
        ("gh alias import - <<'E'\nx\nE", "fed with text"),
        ("a 2>&-b", "follows `>&-`"),
        ("a 11> f", "descriptor 11"),
        ("a &> f b", "follows `&>`"),
        ("pushd x", "`pushd`"),
        ("builtin cd x", "through `builtin`"),
    ] {
        refuses(text, why);
    }
}

#[test]
fn looks_through_known_wrappers() {
    lists("env ls -l", "env ls -l | ls -l");
    lists("env -i FOO=1 ls", "env -i FOO=1 ls | ls");
    lists("/usr/bin/env ls", "/usr/bin/env ls | ls");
    lists("env", "env");
    lists("sudo -u bob ls -l", "sudo -u bob ls -l | ls -l");
    lists("nice -n 5 nohup ls", "nice -n 5 nohup ls | nohup ls | ls");
    lists("timeout -k 1 5 ls -k", "timeout -k 1 5 ls -k | ls -k");
    lists("stdbuf -oL ls", "stdbuf -oL ls | ls");
    lists("command ls", "command ls | ls");
    lists("command -v ls", "command -v ls");
    lists("busybox rm -r x", "busybox rm -r x | rm -r x");
    lists("x | xargs -0 rm -f", "x | xargs -0 rm -f | rm -f");
    lists("x | xargs", "x | xargs");
    lists("find . -exec rm {} \\; -exec cat {} +", "find . -exec rm {} ; -exec cat {} + | rm {} | cat {}");
    lists("find . -name '*.rs'", "find . -name *.rs");
    lists("git -c user.name=x commit", "git -c user.name=x commit");
    let shell = |text: &str| words(text).map(|found| found.into_iter().map(|line| line[0].clone()).collect::<Vec<_>>());
    let names = |text: &str| Ok(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(shell("sh -c 'ls; rm x'"), names("sh ls rm"));
    assert_eq!(shell("watch -n 5 'ls; rm x'"), names("watch ls rm"));
    assert_eq!(shell("bash -lc 'ls' name"), names("bash ls"));
    assert_eq!(shell("bash -euo pipefail -c 'ls'"), names("bash ls"));
    assert_eq!(shell("sudo sh -c \"sh -c 'ls'\""), names("sudo sh sh ls"));
    assert_eq!(shell("sh script.sh"), names("sh"));
}

#[test]
fn refuses_wrappers_with_what_it_does_not_know_of_them() {
    for (text, why) in [
        ("env -S 'ls -l'", "`-S`"),
        ("env -C / ls", "`-C`"),
        ("env PATH=. ls", "`PATH`"),
        ("env GIT_SSH=x git fetch", "`GIT_SSH`"),
        ("sudo -i", "`-i`"),
        ("sudo --edit f", "`--edit`"),
        ("timeout --unknown 5 ls", "`--unknown`"),
        ("nice ls $X", "variable"),
        ("timeout ./5* ls", "file pattern"),
        ("sh -c $X", "variable"),
        ("sh -c 'ls $X'", "variable"),
        ("sh -c 'ls; $(x)'", "substitution"),
        ("sh", "runs what it reads"),
        ("curl x | sh", "runs what it reads"),
        ("sh -s", "`-s`"),
        ("bash -i -c ls", "`-i`"),
        ("bash --rcfile x -c ls", "`--rcfile`"),
        ("bash -oc pipefail 'rm x'", "not looked through"),
        ("bash +x -c 'rm x'", "not looked through"),
        ("bash -c ./a*", "file pattern"),
        ("BASH -c ls", "may be `bash`"),
        ("/bin/Env ls", "may be `env`"),
        ("fish -c ls", "not looked into"),
        ("ssh host ls", "not looked into"),
        ("su -c ls", "not looked into"),
        ("parallel rm ::: a", "not looked into"),
        ("x | xargs sh -c ls", "by what it reads"),
        ("x | xargs -I{} {} y", "by what it reads"),
        ("x | xargs -I{} env {}", "by what it reads"),
        ("x | xargs -i rm", "`-i`"),
        ("find . -exec sh -c 'x' \\;", "by what it finds"),
        ("find . -exec {} \\;", "by what it finds"),
        ("find . -exec ls", "no end"),
        ("find . -name -exec -o -exec rm {} \\;", "not a program's name"),
        ("watch './a*; ls' ./b*", "file pattern"),
        ("git -c core.pager=x log", "`git -c core.pager`"),
        ("git -c 'alias.x=!sh' x", "`git -c alias.x`"),
        ("git --exec-path=x log", "--exec-path"),
        ("git --config-env=a=b log", "--config-env"),
    ] {
        refuses(text, why);
    }
}

#[test]
fn says_which_files_the_shell_opens() {
    let opens = |text: &str| {
        let found = inspect(text).unwrap();
        found.into_iter().flat_map(|command| command.redirects).map(|it| (it.path, it.access)).collect::<Vec<_>>()
    };
    for (text, expect) in [
        ("a < in > out", vec![("in", Read), ("out", Write)]),
        ("a >> log 2> err", vec![("log", Write), ("err", Write)]),
        ("a &> both", vec![("both", Write)]),
        ("a &>> both", vec![("both", Write)]),
        ("a >& both", vec![("both", Write)]),
        ("a >| f", vec![("f", Write)]),
        ("a <> f", vec![("f", Write)]),
        ("> f", vec![("f", Write)]),
        ("> f a", vec![("f", Write)]),
        ("a 2>&1 >&2 2>&-", vec![]),
        ("a > /dev/null 2>&1", vec![]),
        ("a > 'b c'", vec![("b c", Write)]),
        ("a > $HOME/x", vec![("~/x", Write)]),
        ("a 2 > f", vec![("f", Write)]),
        ("(a; b) > f", vec![("f", Write), ("f", Write)]),
        ("cat <<'E' > f\nx\nE", vec![("f", Write)]),
    ] {
        let expect: Vec<_> = expect.into_iter().map(|(path, access)| (path.to_owned(), access)).collect();
        assert_eq!(opens(text), expect, "{text}");
    }
}

#[test]
fn follows_the_folder() {
    let folders = |text: &str| {
        let found = inspect(text).map_err(|why| why.to_string())?;
        Ok::<_, String>(
            found
                .into_iter()
                .filter(|command| command.program != "cd")
                .map(|command| command.directory.unwrap_or_default())
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    for (text, expect) in [
        ("a", ""),
        ("cd x && a", "x"),
        ("cd x && cd y && a", "x/y"),
        ("cd x && cd /y && a", "/y"),
        ("cd && a", "~"),
        ("cd x; a", "x "),
        ("cd x || b; a", "x  x "),
        ("a || cd x && b", " x "),
        ("! cd x && b", "x "),
        ("(cd x && a) && b", "x "),
        ("{ cd x && a; } && b", "x x "),
        ("cd x && sh -c 'a'", "x x"),
        ("sh -c 'cd x && a' && b", " x "),
    ] {
        assert_eq!(folders(text), Ok(expect.to_owned()), "{text}");
    }
    refuses("cd a; cd b; cd c; cd d; ls", "too often");
    refuses("(cd x && ls) > f", "changes folder");
}

#[test]
fn names_the_variables_that_are_set() {
    let names = |text: &str| inspect(text).map(|found| found.last().unwrap().environment.join(" "));
    assert_eq!(names("A=1 B='x y' ls"), Ok("A B".to_owned()));
    assert_eq!(names("A=1 env B=2 ls"), Ok("A B".to_owned()));
    assert_eq!(names("A=1; ls"), Ok("A".to_owned()));
    assert_eq!(names("export A=1 && ls"), Ok("A".to_owned()));
    assert_eq!(names("(A=1; x); ls"), Ok(String::new()));
    assert_eq!(names("A=1 sh -c ls"), Ok("A".to_owned()));
    assert_eq!(names("ls A=1"), Ok(String::new()));
    assert_eq!(names("A= ls"), Ok("A".to_owned()));
    assert_eq!(names("A='' ls"), Ok("A".to_owned()));
}

#[test]
fn tells_arguments_that_are_not_shown() {
    let unseen = |text: &str| inspect(text).map(|found| found.last().unwrap().unseen);
    assert_eq!(unseen("ls src/*.rs"), Ok(Unseen::Names));
    assert_eq!(unseen("ls 'src/*.rs'"), Ok(Unseen::Nothing));
    assert_eq!(unseen("grep --include=*.rs x src"), Ok(Unseen::Names));
    assert_eq!(unseen("x | xargs cat"), Ok(Unseen::Anything));
    assert_eq!(unseen("find . -exec cat {} +"), Ok(Unseen::Names));
    assert_eq!(unseen("nice ls src/*.rs"), Ok(Unseen::Names));
}
