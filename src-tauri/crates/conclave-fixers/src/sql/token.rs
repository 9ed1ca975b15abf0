//! SQL as tokens, with the values that code puts in.

use crate::text::{Part, Unit};

/// One token; `first` and `last` are indexes of units.
#[derive(Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub first: usize,
    pub last: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A keyword or name, in capitals.
    Word(String),
    Number,
    /// A quoted text; with the values in it.
    Text(Vec<Part>),
    /// A quoted name.
    Name,
    /// A value, by its number.
    Value(usize),
    /// An operator or mark.
    Mark(String),
    /// `?`, `:name`, `$1`: a value that is bound already.
    Bound,
}

impl Token {
    /// The word, when it is one.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether it is this mark.
    pub fn is_mark(&self, mark: &str) -> bool {
        matches!(&self.kind, Kind::Mark(found) if found == mark)
    }

    /// Whether `next` follows without a blank between.
    pub fn touches(&self, next: &Self) -> bool {
        self.last + 1 == next.first
    }
}

/// The tokens of a statement.
///
/// # Errors
/// In words, when a value stands in a comment or a quoted name, or a quotation does not end.
pub(super) fn tokens(units: &[Unit]) -> Result<Vec<Token>, String> {
    let mut reader = Reader { units, at: 0, values: 0, tokens: Vec::new() };
    while reader.at < units.len() {
        reader.token()?;
    }
    Ok(reader.tokens)
}

struct Reader<'u> {
    units: &'u [Unit],
    at: usize,
    values: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Unit {
        self.units.get(self.at + ahead).copied().flatten()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, first: self.at, last: self.at + length - 1 });
        self.at += length;
    }

    /// How many units from `from` on satisfy `wanted`.
    fn run(&self, from: usize, wanted: impl Fn(char) -> bool) -> usize {
        self.units[self.at + from..].iter().take_while(|unit| unit.is_some_and(&wanted)).count()
    }

    fn token(&mut self) -> Result<(), String> {
        let Some(c) = self.units[self.at] else {
            self.values += 1;
            self.push(Kind::Value(self.values - 1), 1);
            return Ok(());
        };
        let next = self.peek(1);
        let name = |c: char| c.is_alphanumeric() || c == '_';
        match (c, next) {
            ('-', Some('-')) => return self.skip("a comment", |reader| reader.peek(0) == Some('\n')),
            ('/', Some('*')) => {
                self.at += 2;
                self.skip("a comment", |reader| reader.peek(0) == Some('*') && reader.peek(1) == Some('/'))?;
                self.at += 1;
            }
            ('\'', _) => return self.quoted(),
            ('"' | '`', _) => {
                self.at += 1;
                let first = self.at - 1;
                self.skip("a quoted name", |reader| reader.peek(0) == Some(c))?;
                self.tokens.push(Token { kind: Kind::Name, first, last: self.at - 1 });
            }
            _ if c.is_whitespace() => self.at += 1,
            _ if c.is_ascii_digit() => self.push(Kind::Number, self.run(0, |c| c.is_ascii_digit() || c == '.').max(1)),
            _ if name(c) => {
                let length = self.run(0, name);
                let word: String = self.units[self.at..self.at + length].iter().flatten().collect();
                self.push(Kind::Word(word.to_uppercase()), length);
            }
            ('?', _) => self.push(Kind::Bound, 1),
            ('$', Some(digit)) if digit.is_ascii_digit() => self.push(Kind::Bound, 1 + self.run(1, name)),
            ('$', _) => return Err("the statement uses `$` quotation".to_owned()),
            (':', Some(':')) => self.push(Kind::Mark("::".to_owned()), 2),
            (':' | '@', Some(letter)) if name(letter) => self.push(Kind::Bound, 1 + self.run(1, name)),
            _ => {
                let length = self.run(0, |c| "<>=!|&+-*/%^~".contains(c)).clamp(1, 2);
                let mark: String = self.units[self.at..self.at + length].iter().flatten().collect();
                self.push(Kind::Mark(mark), length);
            }
        }
        Ok(())
    }

    /// Goes past the next unit where `ends` holds, or to the end of the statement.
    fn skip(&mut self, what: &str, ends: impl Fn(&Self) -> bool) -> Result<(), String> {
        while self.at < self.units.len() && !ends(self) {
            if self.units[self.at].is_none() {
                return Err(format!("the value stands in {what}; a placeholder cannot be used there"));
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    /// A text between `'`; two of them inside stand for one.
    fn quoted(&mut self) -> Result<(), String> {
        let (first, mut parts, mut backslash) = (self.at, Vec::new(), false);
        self.at += 1;
        loop {
            if self.at >= self.units.len() {
                return Err("a quotation in the statement does not end".to_owned());
            }
            match (self.units[self.at], self.peek(1)) {
                (None, _) => {
                    parts.push(Part::Value(self.values));
                    self.values += 1;
                    self.at += 1;
                    continue;
                }
                (Some('\''), Some('\'')) => self.at += 1,
                (Some('\''), _) => break,
                (Some('\\'), Some('\'')) => return Err(ambiguous()),
                (Some('\\'), _) => backslash = true,
                _ => {}
            }
            match (parts.last_mut(), self.units[self.at]) {
                (Some(Part::Text(text)), Some(c)) => text.push(c),
                (_, Some(c)) => parts.push(Part::Text(c.to_string())),
                (_, None) => {}
            }
            self.at += 1;
        }
        if backslash && parts.iter().any(|part| matches!(part, Part::Value(_))) {
            return Err(ambiguous());
        }
        self.tokens.push(Token { kind: Kind::Text(parts), first, last: self.at });
        self.at += 1;
        Ok(())
    }
}

fn ambiguous() -> String {
    "the quoted text holds a `\\`, which databases read differently".to_owned()
}
