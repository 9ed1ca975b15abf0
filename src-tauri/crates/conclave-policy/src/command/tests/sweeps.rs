//! What commands reach without naming it.

use super::*;

/// The sweeps of `text`, each in one line.
fn swept(text: &str) -> Vec<String> {
    let commands = inspect(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    let line = |(place, sweep): (Option<&str>, Sweep)| {
        let mut line = place.map_or(String::new(), |place| format!("{place}/"));
        line += &sweep.folder;
        for (is, sign) in [
            (sweep.hidden, " hidden"),
            (sweep.ignored, " ignored"),
            (sweep.links, " links"),
            (sweep.repository, " repository"),
        ] {
            line += if is { sign } else { "" };
        }
        line += &sweep.depth.map_or(String::new(), |depth| format!(" depth:{depth}"));
        line += &sweep.pattern.map_or(String::new(), |pattern| format!(" fits:{pattern}"));
        let list = [sweep.names, sweep.closed.iter().map(|name| format!("-{name}")).collect(), sweep.globs];
        list.concat().iter().fold(line, |line, glob| format!("{line} {glob}"))
    };
    sweeps(&commands).into_iter().map(line).collect()
}

#[test]
fn searches_and_copies_sweep_the_folders_that_they_are_given() {
    for (text, expect) in [
        ("grep KEY a", ""),
        ("grep -n x -e -r f", ""),
        ("grep -r KEY .", ". hidden ignored links"),
        ("grep -rn KEY", ". hidden ignored links"),
        ("grep -Rie KEY a b", "a hidden ignored links|b hidden ignored links"),
        ("grep --recursive KEY a", "a hidden ignored links"),
        ("grep --rec KEY a", "a hidden ignored links"),
        ("grep -d recurse KEY a", "a hidden ignored links"),
        ("grep --directories=recurse KEY a", "a hidden ignored links"),
        (
            "grep --dir recurse KEY a",
            "recurse hidden ignored links|KEY hidden ignored links|a hidden ignored links|. hidden ignored links",
        ),
        ("grep -r --rege=KEY a", "a hidden ignored links|. hidden ignored links"),
        ("grep -r --fil=list a", "a hidden ignored links|. hidden ignored links"),
        ("grep --binary --colo KEY a", ""),
        ("rgrep KEY", ". hidden ignored links"),
        ("/usr/bin/grep -r KEY a", "a hidden ignored links"),
        ("grep -r KEY a/*", "a hidden ignored links|a ignored links depth:1 fits:*"),
        ("cd a && grep -r KEY", "a/. hidden ignored links"),
        ("grep -r --exclude=.env KEY a", "a hidden ignored links !.env"),
        ("grep -r --exclude-dir=out --include='*.py' KEY a", "a hidden ignored links *.py -out"),
        ("grep -r --exclude=a --include='*.py' KEY a", "a hidden ignored links"),
        ("grep -r --include='a/*.py' --exclude=b KEY a", "a hidden ignored links !b"),
        ("grep -r --exclude='{.env,x}' KEY a", "a hidden ignored links"),
        ("POSIXLY_CORRECT=1 grep -r KEY a --exclude=.env", "a hidden ignored"),
        ("rg KEY", "."),
        ("rg KEY a", "a"),
        ("rg -uu KEY", ". hidden ignored"),
        ("rg -u KEY", ". ignored"),
        ("rg --hidden KEY", ". hidden"),
        ("rg -g '!.env' -g '*.py' KEY", ". !.env *.py"),
        ("rg --iglob .ENV KEY", ". hidden ignored"),
        ("rg --unheard-of KEY a", "KEY hidden ignored links|a hidden ignored links|. hidden ignored links"),
        ("rg --files", ""),
        ("rg --files --hidden | xargs cat", ". hidden"),
        ("git grep KEY", ". hidden -.git"),
        ("git grep KEY -- src", "src hidden -.git"),
        ("git grep KEY -- '*.rs'", ". hidden *.rs -.git"),
        ("git grep KEY -- '.e?v'", ". hidden -.git"),
        ("git grep KEY -- :/", ". hidden repository -.git"),
        ("git grep KEY -- '../.e*'", ". hidden repository -.git"),
        ("git diff", ". hidden repository -.git"),
        ("git diff --cached", ". hidden repository -.git"),
        ("git diff HEAD src", ". hidden repository -.git"),
        ("git diff HEAD -- src", "src hidden -.git"),
        ("git diff -- a -- b", ". hidden repository -.git"),
        ("git --no-pager -c color.ui=never -C a diff", "a/. hidden repository -.git"),
        ("git diff --stat", ""),
        ("git diff --stat -p", ". hidden repository -.git"),
        ("git diff HEAD:a HEAD:b", ""),
        ("git show", ". hidden repository -.git"),
        ("git show --name-only HEAD", ""),
        ("git show HEAD:a", ""),
        ("git show 'HEAD^{/a:b}'", ". hidden repository -.git"),
        ("git log --oneline", ""),
        ("git log --stat -- src", ""),
        ("git log -p", ". hidden repository -.git"),
        ("git log -p -S -- HEAD", ". hidden repository -.git"),
        ("git log -S -- -p", ". hidden repository -.git"),
        ("git log -U5 -3", ". hidden repository -.git"),
        ("git grep --no-index KEY", ". hidden ignored"),
        ("git grep --untr KEY", ". hidden ignored"),
        ("git ls-files -o | xargs cat", ". hidden ignored"),
        ("find . -type f", ""),
        ("find . -exec ls {} +", ""),
        ("find . -exec cat {} +", ". hidden ignored"),
        ("find a b -name '*.py' -exec grep x {} +", "a hidden ignored *.py|b hidden ignored *.py"),
        ("find . ! -name .env -type f -exec cat {} +", ". hidden ignored !.env"),
        ("find . -not -path '*/out/*' -maxdepth 2 -exec cat {} +", ". hidden ignored depth:2 -out"),
        ("find . -name a -o -name '*' -exec cat {} +", ". hidden ignored|"),
        ("find . -printf ! -name .env -exec cat {} +", ". hidden ignored .env"),
        ("find . -exec cat {} + ! -name .env", ". hidden ignored"),
        ("find . -type f | xargs cat", ". hidden ignored"),
        ("find . -type f | xargs wc -l", ""),
        ("ls -a | xargs cat", ". hidden ignored"),
        ("fd -x cat", "cat hidden ignored links|. hidden ignored links"),
        ("cat src/*.rs", "src ignored links depth:1 fits:*.rs"),
        ("cat ./*", ". ignored links depth:1 fits:*"),
        ("cat a*/b/*", ". ignored links depth:3 fits:a*/b/*"),
        ("cat a/**/b*", "a ignored links fits:**/b*"),
        ("ls src/*.rs", ""),
        ("ls ./* | xargs cat", ". hidden ignored|. ignored links depth:1 fits:*"),
        ("tar czf x.tgz .", "czf hidden ignored|x.tgz hidden ignored|. hidden ignored"),
        ("tar -c --exclude=.env src", "src hidden ignored !.env"),
        ("tar -c --anchored --exclude=.env src", "src hidden ignored"),
        ("tar xf x.tar", ""),
        ("cp a b", ""),
        ("cp -r a b", "a hidden ignored"),
        ("cp -a a b", "a hidden ignored"),
        ("rsync -a --exclude=.env a h:", "a hidden ignored !.env"),
        ("rsync -af '+ .env' --exclude=.env a h:", "+ .env hidden ignored|a hidden ignored"),
        ("diff -r a b", "a hidden ignored links|b hidden ignored links"),
        ("diff a b", "a hidden ignored links depth:1|b hidden ignored links depth:1"),
        ("diff -uN a b", "a hidden ignored links|b hidden ignored links"),
        ("diff --new a b", "a hidden ignored links|b hidden ignored links"),
        ("diff --from-file=a b", "b hidden ignored links depth:1|a hidden ignored links depth:1"),
        ("diff --to-f a b", "a hidden ignored links depth:1|b hidden ignored links depth:1"),
        (
            "diff --exclude=.env a b",
            "a hidden ignored links depth:1 !.env|b hidden ignored links depth:1 !.env|.env hidden ignored links depth:1 !.env",
        ),
    ] {
        let expect: Vec<&str> = expect.split('|').filter(|line| !line.is_empty()).collect();
        let found: Vec<String> = swept(text).into_iter().filter(|line| !line.contains("fits:*}")).collect();
        assert_eq!(found, expect, "{text}");
    }
}

#[test]
fn what_only_pages_reads_what_it_names() {
    let reads = |text: &str| reads_what_it_names(inspect(text).unwrap().last().unwrap());
    for text in ["less f", "man ls", "git -C / status", "git -C a log -p", "cat f"] {
        assert!(reads(text), "{text}");
    }
    for text in ["less -o f g", "less +s f", "git -C / clean -fd", "git -C / diff --output=f", "rm f", "vi f"] {
        assert!(!reads(text), "{text}");
    }
}
