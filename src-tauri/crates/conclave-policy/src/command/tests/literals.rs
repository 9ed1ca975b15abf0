//! The one substitution that is read, and shells asked whether it means what is read.

use super::*;

/// `text` as clients pass it: in double quotes, from `cat` and a quoted here-document.
fn passed(text: &str) -> String {
    format!("\"$(cat <<'EOF'\n{text}\nEOF\n)\"")
}

#[test]
fn a_quoted_document_is_its_text() {
    let message = |text: &str| words(text).map(|found| found[0].last().unwrap().clone());
    for (text, expect) in [
        ("git commit -m \"$(cat <<'EOF'\na\n\nb\nEOF\n)\"", "a\n\nb"),
        ("git commit -m \"$(cat <<'EOF'\na\nEOF\n)\"", "a"),
        ("git commit -m \"$(cat <<\"EOF\"\na\nEOF\n)\"", "a"),
        ("git commit -m \"$( cat  << 'A_1' \na $x `y` \\ !\nA_1\n \n)\"", "a $x `y` \\ !"),
        ("git commit -m \"$(cat <<'EOF'\nEOF\n)\"", ""),
        ("git commit -m \"$(cat <<'EOF'\na\n\n\nEOF\n)\"", "a"),
        ("git commit -m \"x $(cat <<'EOF'\na\nEOF\n) y\"", "x a y"),
        ("git commit -m \"$(cat <<'EOF'\n(a) [b] {c} it\nEOF\n)\"", "(a) [b] {c} it"),
        ("git commit -m \"$(cat <<'EOF'\nit's\nEOF\n)\"", "it's"),
    ] {
        assert_eq!(message(text), Ok(expect.to_owned()), "{text}");
    }
    lists(&format!("git add -A && git commit -m {} && ls", passed("a")), "git add -A | git commit -m a | ls");
}

#[test]
fn any_other_form_is_refused() {
    for text in [
        "x $(cat <<'EOF'\na\nEOF\n)",
        "x \"$(cat <<EOF\na\nEOF\n)\"",
        "x \"$(cat <<-'EOF'\na\nEOF\n)\"",
        "x \"$(cat <<<'EOF'\na\nEOF\n)\"",
        "x \"$(cat <<\\EOF\na\nEOF\n)\"",
        "x \"$(cat <<\"E\"OF\na\nEOF\n)\"",
        "x \"$(cat <<'E'OF\na\nEOF\n)\"",
        "x \"$(cat <<'E F'\na\nE F\n)\"",
        "x \"$(cat <<''\na\n\n)\"",
        "x \"$(cat <<$'EOF'\na\nEOF\n)\"",
        "x \"$(cat f <<'EOF'\na\nEOF\n)\"",
        "x \"$(cat - <<'EOF'\na\nEOF\n)\"",
        "x \"$(cat <<'EOF' f\na\nEOF\n)\"",
        "x \"$(cat <<'EOF' > f\na\nEOF\n)\"",
        "x \"$(cat <<'EOF' | sh\na\nEOF\n)\"",
        "x \"$(cat <<'EOF'; id\na\nEOF\n)\"",
        "x \"$(cat <<'EOF'\na\nEOF\nid)\"",
        "x \"$(cat <<'EOF'\na\nEOF\n; id)\"",
        "x \"$(cat <<'EOF' <<'B'\na\nEOF\nB\n)\"",
        "x \"$(cat \\\n<<'EOF'\na\nEOF\n)\"",
        "x \"$(tac <<'EOF'\na\nEOF\n)\"",
        "x \"$(/bin/cat <<'EOF'\na\nEOF\n)\"",
        "x \"$('cat' <<'EOF'\na\nEOF\n)\"",
        "x \"$(cat<<'EOF'\na\nEOF\n)\"",
        "x \"$(cat <<'EOF'\na\nEOF)\"",
        "x \"$(cat <<'EOF'\na\n EOF\n)\"",
        "x \"$(cat <<'EOF'\na\nEOF \n)\"",
        "x \"$(cat <<'EOF'\na\nEOF) $(id)\nEOF\n)\"",
        "x \"$(cat <<'EOF'\na\n",
        "x \"$(cat <<'EOF'\na\nEOF\n\"",
        "x \"`cat <<'EOF'\na\nEOF\n`\"",
        "x \"$(cat <<'EOF'\r\na\r\nEOF\r\n)\"",
        "x \"${y:-$(cat <<'EOF'\na\nEOF\n)}\"",
        // Shells that count brackets and quotes find another end.
        "x \"$(cat <<'EOF'\na) ; id #\nEOF\n)\"",
        "x \"$(cat <<'EOF'\nit's\nEOF\n)\" && echo ') ; id; ('",
        // A body that the line waits for already would come first.
        "x <<'A' \"$(cat <<'EOF'\na\nEOF\n)\"\nb\nA\n",
        // What ends a body is not expanded.
        "cat <<\"$(cat <<'EOF'\na\nEOF\n)\"\nb\na\n",
    ] {
        assert!(inspect(text).is_err(), "{text}: {:?}", inspect(text));
    }
    assert!(inspect(&format!("x {}", format!("{} ", passed("a")).repeat(9))).is_err());
}

#[test]
fn what_the_document_says_is_judged() {
    refuses(&format!("sh -c {}", passed("ls $(id)")), "substitution");
    let expect = [vec!["sh", "-c", "rm x"], vec!["rm", "x"]];
    assert_eq!(words(&format!("sh -c {}", passed("rm x"))).unwrap(), expect);
}

/// The words that a shell gives to a program, where all of the text is one `printf`.
#[expect(clippy::disallowed_methods, reason = "a shell is asked what a text means to it")]
fn given(shell: &str, text: &str) -> Vec<String> {
    let output = std::process::Command::new(shell).args(["-c", text]).current_dir("/").output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_terminator('\u{1}').map(str::to_owned).collect()
}

/// Pieces of quotes, documents and words, none of which does anything whatever it is taken for.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b c",
        " ",
        " ",
        "\n",
        "'",
        "\"",
        "\\",
        "it's",
        "(",
        ")",
        "$",
        "`",
        "#",
        "EOF",
        "EOF\n",
        "\nEOF\n",
        "\nEOF\n)\"",
        "\"$(cat <<'EOF'\n",
        "\"$(cat <<\"EOF\"\n",
        "\"$(cat <<EOF\n",
        "<<'E'",
        "\nE\n",
        "cat",
        "\t",
        "!",
        "*x",
    ]);
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn shells_give_the_words_that_are_read(before in pieces(), body in pieces(), after in pieces()) {
        let document = passed(&body);
        for words in [format!("{before}{document}{after}"), format!("{document} {after}"), document] {
            let text = format!("printf '%s\u{1}' {words}").replace('\u{1}', "\\1");
            let Ok(found) = inspect(&text) else { continue };
            let [command] = found.as_slice() else { continue };
            if command.program != "printf" || !command.redirects.is_empty() || command.unseen != Unseen::Nothing {
                continue;
            }
            let expect = &command.args[1..];
            let expect = if expect.is_empty() { vec![String::new()] } else { expect.to_vec() };
            for shell in ["bash", "sh"] {
                prop_assert_eq!(&given(shell, &text), &expect, "{} {}", shell, text);
            }
        }
    }
}
