//! What holds for every text.

use super::*;

/// A text of `LONGEST` bytes at most, made of `piece` again and again.
fn long(piece: &str) -> String {
    piece.repeat(LONGEST / piece.len())
}

#[test]
fn hostile_nesting_is_refused() {
    for piece in [
        "(",
        "( ",
        "{ ",
        "{",
        "((",
        "$(",
        "\"$(",
        "`",
        "\\`",
        "${",
        "$((",
        "<(",
        "\"",
        "'",
        "[",
        "[[ ",
        "! ",
        "time ",
        "if ",
        "case x in (",
        "f()",
        "a && ",
        "a | ",
        "a; ",
        "a\n",
        "cat <<E\n",
        "<<A ",
        "{a,",
        "sh -c ",
        "env ",
        "sudo ",
        "$",
        "!",
        "\\",
        "cd x; ",
        "cd x && ",
        "(cd x;",
        "a=",
        "find -exec ",
        "xargs ",
        "watch ",
    ] {
        let _ = inspect(&long(piece));
        refuses(&piece.repeat(100_000), "longer than");
    }
}

#[test]
fn nesting_has_a_limit_and_little_of_it_is_fine() {
    let nested = |depth: usize| format!("{} a {}", "( ".repeat(depth), " )".repeat(depth));
    assert!(inspect(&nested(DEEPEST)).is_ok());
    refuses(&nested(DEEPEST + 1), "nested");
    assert!(inspect(&format!("{}ls", "env ".repeat(DEEPEST))).is_ok());
    refuses(&format!("{}ls", "env ".repeat(DEEPEST + 1)), "nested");
    refuses(&"ls; ".repeat(MOST + 1), "more than");
    refuses(&format!("{}ls", "A=1 ".repeat(100)), "more than");
    refuses(&format!("{} ls", "A=1; ".repeat(100)), "more than");
    refuses(&format!("(ls) {}", "> f ".repeat(100)), "more than");
}

#[test]
fn judging_a_command_made_by_hand_is_bounded() {
    let env =
        SimpleCommand { program: "env".to_owned(), args: vec!["env".to_owned(); 100_000], ..SimpleCommand::default() };
    assert!(!read_only(&env));
    assert_eq!(escapes(&env), None);
}

/// Characters that mean something to a shell, and some that do not.
fn shell_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "ls", "cd", "sh -c", "env", "A=1", "find", "-exec", "xargs", "echo", "git", "sed -n", "cat", "if", "sudo", "time",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            " ", " ", "\n", ";", "&", "&&", "|", "||", "(", ")", "{ ", "}", "<", ">", ">>", "<<E", "2>&1", "'", "\"", "\\", "$", "`",
            "*", "[", "]", "~", "!", "#", "=", "\t", "{a,b}", "\nE\n", "-x", "{} +",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = inspect(&text);
    }

    #[test]
    fn any_shell_like_text_is_answered_the_same_twice(text in shell_text()) {
        let first = inspect(&text);
        if let Ok(found) = &first {
            prop_assert!(!found.is_empty());
            prop_assert!(found.iter().all(|command| !command.program.is_empty()));
            for command in found {
                let _ = (read_only(command), escapes(command));
            }
        }
        prop_assert_eq!(first, inspect(&text));
    }

    #[test]
    fn two_texts_in_a_row_list_both(one in shell_text(), two in shell_text()) {
        // A here-document, a comment or an assignment of the first reaches into the second.
        prop_assume!(!one.contains(['#', '<', '=']) && !one.contains("cd") && !one.ends_with(['\\', '&', ';']));
        if let (Ok(first), Ok(second)) = (words(&one), words(&two)) {
            let both = words(&format!("{}\n{}", one.trim_end(), two));
            prop_assert_eq!(both, Ok([first, second].concat()));
        }
    }

    #[test]
    fn a_quoted_word_is_kept(word in "[ -~\u{e0}-\u{17f}]{0,40}") {
        let quoted = format!("echo '{}'", word.replace('\'', r"'\''"));
        prop_assert_eq!(words(&quoted), Ok(vec![vec!["echo".to_owned(), word]]));
    }

    #[test]
    fn one_part_that_is_not_understood_spoils_the_whole(text in shell_text(), bad in prop::sample::select(vec![
        "$(rm x)", "`rm x`", "$X", "eval ls", "for i in a; do ls; done", "PATH=. ls",
    ])) {
        prop_assume!(!text.contains(['#', '\'', '"', '\\', '<']));
        for whole in [format!("{text}; {bad}"), format!("{bad}; {text}")] {
            prop_assert!(inspect(&whole).is_err());
        }
    }
}
