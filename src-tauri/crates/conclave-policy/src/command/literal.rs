//! The one command substitution that says what it becomes: `$(cat <<'END'`, a body, `END` and `)`.
//!
//! Clients pass longer texts this way, a commit's message above all. It is read only in exactly this form: `cat` without
//! an argument, one here-document whose end is quoted whole, nothing behind it. Shells differ in how they look for the
//! `)`: some read the inside as commands, older ones count brackets and quotes and know no here-documents. A body in
//! which they could come to another end than the one it has is not read.

/// Reads `(cat <<'END' … )` at the beginning of `text`: what the shell puts in its place, and what follows it.
pub(super) fn document(text: &str) -> Option<(String, &str)> {
    let blank = |c: char| c == ' ' || c == '\t';
    let inside = text.strip_prefix('(')?;
    let rest = inside.trim_start_matches(blank).strip_prefix("cat")?;
    let rest = rest.strip_prefix(blank)?.trim_start_matches(blank).strip_prefix("<<")?.trim_start_matches(blank);
    let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (end, rest) = rest[1..].split_once(quote)?;
    if end.is_empty() || !end.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let mut rest = rest.trim_start_matches(blank).strip_prefix('\n')?;
    let mut body = String::new();
    loop {
        let (line, after) = rest.split_once('\n')?;
        rest = after;
        if line == end {
            break;
        }
        // Some shells end the body where such a line goes on with `)`.
        if line.trim_start_matches(blank).starts_with(end) {
            return None;
        }
        body.push_str(line);
        body.push('\n');
    }
    let rest = rest.trim_start_matches([' ', '\t', '\n']).strip_prefix(')')?;
    let length = inside.len() - rest.len();
    let same = |comments| counted(inside, comments).is_none_or(|counted| counted == length);
    if !same(true) || !same(false) {
        return None;
    }
    body.truncate(body.trim_end_matches('\n').len());
    Some((body, rest))
}

/// Where a shell that counts brackets and quotes finds the end of a substitution whose inside begins `text`, the `)`
/// included; `None` if it finds none, and then runs nothing.
fn counted(text: &str, comments: bool) -> Option<usize> {
    let mut rest = text.char_indices().peekable();
    let (mut depth, mut before) = (1, ' ');
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => {
                rest.next();
            }
            '\'' => {
                rest.find(|&(_, c)| c == '\'')?;
            }
            '"' | '`' => loop {
                match rest.next()?.1 {
                    '\\' => {
                        rest.next();
                    }
                    inner if inner == c => break,
                    _ => {}
                }
            },
            '#' if comments && before.is_ascii_whitespace() => while rest.next_if(|&(_, c)| c != '\n').is_some() {},
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}
