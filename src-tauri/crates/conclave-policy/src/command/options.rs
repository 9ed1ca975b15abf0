//! Which words of a command line are options, given the options that its program is known to have.
//!
//! An option that is not listed is an error and never a guess: whether it takes the next word as its value is exactly
//! what is not known of it. Abbreviations of long options count as not listed, and are errors too where every other option
//! is taken for a flag.

/// A command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Options in order, dashes included, with their values.
    pub options: Vec<(String, Option<&'a str>)>,
    /// What is not an option.
    pub operands: Vec<&'a str>,
    /// Whether a `--` says that nothing after it is an option.
    pub closed: bool,
}

impl Line<'_> {
    /// Whether the option `name` is given.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| option == name)
    }
}

/// Whether options may stand after operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Everything after the first operand is an operand, as for programs that start others.
    OptionsFirst,
    /// Options may stand anywhere.
    Mixed,
}

/// How an option takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Never,
    /// In the same word only: `--color=auto`, `-U3`.
    Attached,
    /// In the same word or the next: `--lines=3`, `--lines 3`, `-n3`, `-n 3`.
    Required,
}

/// Takes `args` apart by `known`, or names the first option that is not known.
///
/// `known` lists options between blanks: `-abc` three flags, `-n:` with a value, `-U?` with a value attached or none,
/// `--all` a flag, `--lines:` with a value, `--color?` with a value attached or none; `*` makes every other option a
/// flag.
pub(super) fn read<'a>(args: &'a [String], known: &str, order: Order) -> Result<Line<'a>, &'a str> {
    let mut line = Line::default();
    let mut rest = args.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if word == "--" {
            line.closed = true;
            line.operands.extend(rest);
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let value = match (of_long(name, known).ok_or(word)?, value) {
                (Value::Never, Some(_)) if !any(known) => return Err(word),
                (Value::Required, None) => Some(rest.next().ok_or(word)?),
                (_, value) => value,
            };
            line.options.push((format!("--{name}"), value));
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            for (at, letter) in letters.char_indices() {
                let after = &letters[at + letter.len_utf8()..];
                let name = format!("-{letter}");
                match of_letter(letter, known).ok_or(word)? {
                    Value::Never => line.options.push((name, None)),
                    Value::Attached => {
                        line.options.push((name, (!after.is_empty()).then_some(after)));
                        break;
                    }
                    Value::Required => {
                        let value = if after.is_empty() { rest.next().ok_or(word)? } else { after };
                        line.options.push((name, Some(value)));
                        break;
                    }
                }
            }
        } else {
            line.operands.push(word);
            if order == Order::OptionsFirst {
                line.operands.extend(rest);
                break;
            }
        }
    }
    Ok(line)
}

fn any(known: &str) -> bool {
    known.split_ascii_whitespace().any(|entry| entry == "*")
}

fn value_of(entry: &str) -> (&str, Value) {
    if let Some(name) = entry.strip_suffix(':') {
        (name, Value::Required)
    } else if let Some(name) = entry.strip_suffix('?') {
        (name, Value::Attached)
    } else {
        (entry, Value::Never)
    }
}

fn of_long(name: &str, known: &str) -> Option<Value> {
    known
        .split_ascii_whitespace()
        .map(value_of)
        .find(|(entry, _)| entry.strip_prefix("--") == Some(name))
        .map(|(_, value)| value)
        .or_else(|| (any(known) && !cuts_short(name, known)).then_some(Value::Never))
}

/// Whether `name` may stand for a long option that takes a value.
fn cuts_short(name: &str, known: &str) -> bool {
    let takes_a_value = known.split_ascii_whitespace().map(value_of).filter(|(_, value)| *value != Value::Never);
    takes_a_value.filter_map(|(entry, _)| entry.strip_prefix("--")).any(|entry| entry.starts_with(name))
}

fn of_letter(letter: char, known: &str) -> Option<Value> {
    known
        .split_ascii_whitespace()
        .map(value_of)
        .find(|(entry, _)| !entry.starts_with("--") && entry.strip_prefix('-').is_some_and(|set| set.contains(letter)))
        .map(|(_, value)| value)
        .or(any(known).then_some(Value::Never))
}
