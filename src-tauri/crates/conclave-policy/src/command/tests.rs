//! What is understood, what is not, and what is said about it.

use super::*;

fn words(text: &str) -> Result<Vec<Vec<String>>, String> {
    let found = inspect(text).map_err(|why| why.to_string())?;
    Ok(found.into_iter().map(|command| std::iter::once(command.program).chain(command.args).collect()).collect())
}

/// The commands of `text`, one a line.
fn lists(text: &str, expect: &[&[&str]]) {
    assert_eq!(
        words(text).as_deref(),
        Ok(&expect.iter().map(|line| line.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).collect::<Vec<_>>()
            [..]),
        "{text}"
    );
}

#[test]
fn lists_every_command_of_what_it_understands() {
    lists("ls -l /tmp", &[&["ls", "-l", "/tmp"]]);
    lists("a && b || c; d & e", &[&["a"], &["b"], &["c"], &["d"], &["e"]]);
    lists("a | b |& c\nd", &[&["a"], &["b"], &["c"], &["d"]]);
    lists("{ a; (b; c) }", &[&["a"], &["b"], &["c"]]);
}
