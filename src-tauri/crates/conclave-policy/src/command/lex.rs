//! Text to tokens: words with their quotes removed, operators, line ends.
//!
//! The lexer refuses whatever makes a word mean something else than it says, so that a word that comes out of it is the
//! word that the program will get. It keeps no position in what it has read and never looks back.

use std::iter::Peekable;
use std::str::Chars;

use super::{LONGEST, Uninspectable, literal, no};

/// A piece of shell text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// `<` `>` `>>` and their like, with the word that they take.
    Redirection(Redirection),
    And,
    Or,
    Semicolon,
    Background,
    Pipe,
    Open,
    Close,
    Newline,
}

/// A word, quotes removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    /// How many bytes of `text` stand before the first quote or backslash; all of them if there is none.
    pub bare: usize,
    pub quoted: bool,
    /// Where the first unquoted character of a file pattern stands.
    pub pattern: Option<usize>,
}

impl Word {
    /// The text, if none of it is quoted: only such a word can be a reserved word.
    pub fn plain(&self) -> Option<&str> {
        (!self.quoted && self.pattern.is_none()).then_some(self.text.as_str())
    }
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redirection {
    Read(Word),
    Write(Word),
    /// Text that the script itself holds, fed to standard input.
    Text,
    /// One descriptor copied to another, or closed.
    Copy,
}

/// Reads the tokens of `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Uninspectable> {
    if text.len() > LONGEST {
        return no(format!("it is longer than {LONGEST} bytes"));
    }
    if let Some(odd) = text.chars().find(|&c| is_odd(c)) {
        return no(format!("it holds the invisible character U+{:04X}", odd as u32));
    }
    let mut lexer =
        Lexer { rest: text.chars().peekable(), tokens: Vec::new(), documents: Vec::new(), literals: MOST_LITERALS };
    lexer.run()?;
    Ok(lexer.tokens)
}

/// Characters that a person reading the command does not see, or sees as something else.
fn is_odd(c: char) -> bool {
    match c {
        '\n' | '\t' | ' ' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}' => true,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true,
        _ => c.is_control() || c.is_whitespace(),
    }
}

/// A here-document whose body is still to come.
struct Document {
    end: String,
    /// Whether the shell leaves the body as it is.
    quoted: bool,
    /// Whether leading tabs are taken off.
    tabs: bool,
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    tokens: Vec<Token>,
    documents: Vec<Document>,
    /// How many more `$(cat <<'END'` are read; each takes a look at all that follows.
    literals: usize,
}

/// The most `$(cat <<'END'` that one text may hold.
const MOST_LITERALS: usize = 8;

/// What ends a word outside quotes.
fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

impl Lexer<'_> {
    fn run(&mut self) -> Result<(), Uninspectable> {
        while let Some(&c) = self.rest.peek() {
            match c {
                ' ' | '\t' => {
                    self.rest.next();
                }
                '\n' => {
                    self.rest.next();
                    self.tokens.push(Token::Newline);
                    self.bodies()?;
                }
                '\\' if self.continues() => {}
                '#' => while self.rest.next_if(|&c| c != '\n').is_some() {},
                ';' | '&' | '|' | '(' | ')' => self.operator()?,
                '<' | '>' => self.redirection()?,
                _ => self.word_or_descriptor()?,
            }
        }
        match self.documents.first() {
            Some(document) => no(format!("its here-document has no end, `{}`", document.end)),
            None => Ok(()),
        }
    }

    fn next_is(&mut self, c: char) -> bool {
        self.rest.next_if_eq(&c).is_some()
    }

    /// Passes over a backslash at the end of a line, which is as if neither stood there.
    fn continues(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        let joins = ahead.next() == Some('\\') && ahead.next() == Some('\n');
        if joins {
            self.rest = ahead;
        }
        joins
    }

    fn operator(&mut self) -> Result<(), Uninspectable> {
        let token = match self.rest.next() {
            Some(';') if matches!(self.rest.peek(), Some(';' | '&')) => return no("it has a `;;` outside a `case`"),
            Some(';') => Token::Semicolon,
            Some('&') if self.next_is('&') => Token::And,
            Some('&') if self.rest.peek() == Some(&'>') => {
                self.rest.next();
                let _append = self.next_is('>');
                let target = self.target()?;
                while self.rest.next_if(|&c| c == ' ' || c == '\t').is_some() {}
                // To a plain `sh` this is `&` and `>`, and then what follows is a command of its own.
                if !matches!(self.rest.peek(), None | Some('\n' | ';' | '&' | '|' | ')' | '#')) {
                    return no("something follows `&>` and its file; put it before");
                }
                Token::Redirection(Redirection::Write(target))
            }
            Some('&') => Token::Background,
            Some('|') if self.next_is('|') => Token::Or,
            Some('|') => {
                let _both = self.next_is('&');
                Token::Pipe
            }
            Some('(') if self.rest.peek() == Some(&'(') => return no("it computes with `((`"),
            Some('(') => Token::Open,
            _ => Token::Close,
        };
        self.tokens.push(token);
        Ok(())
    }

    fn redirection(&mut self) -> Result<(), Uninspectable> {
        let reads = self.rest.next() == Some('<');
        if self.rest.peek() == Some(&'(') {
            return no("it uses process substitution");
        }
        let redirection = match (reads, self.rest.peek()) {
            (true, Some('<')) => {
                self.rest.next();
                return self.document();
            }
            (_, Some('&')) => {
                self.rest.next();
                let target = self.target()?;
                // Some take `>&-` for the whole operator and what stands behind it for a word of its own.
                if target.text.starts_with('-') && target.text != "-" {
                    return no("something follows `>&-`");
                }
                let digits = target.text.strip_suffix('-').unwrap_or(&target.text);
                match digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    true => Redirection::Copy,
                    false if reads => return no("it copies a descriptor by a name"),
                    false => Redirection::Write(target),
                }
            }
            (true, Some('>')) | (false, Some('>' | '|')) => {
                self.rest.next();
                Redirection::Write(self.target()?)
            }
            (true, _) => Redirection::Read(self.target()?),
            (false, _) => Redirection::Write(self.target()?),
        };
        self.tokens.push(Token::Redirection(redirection));
        Ok(())
    }

    /// The word after a redirection's operator.
    fn target(&mut self) -> Result<Word, Uninspectable> {
        while self.rest.next_if(|&c| c == ' ' || c == '\t').is_some() {}
        if self.rest.peek().is_none_or(|&c| ends_word(c) || c == '#') {
            return no("a redirection names no file");
        }
        let word = self.word()?;
        if word.pattern.is_some() || word.text.is_empty() || word.text == "!" {
            return no("a redirection does not name its file");
        }
        if word.text.starts_with("/dev/tcp/") || word.text.starts_with("/dev/udp/") {
            return no("a redirection opens a connection");
        }
        Ok(word)
    }

    fn document(&mut self) -> Result<(), Uninspectable> {
        self.tokens.push(Token::Redirection(Redirection::Text));
        if self.next_is('<') {
            self.target()?;
            return Ok(());
        }
        let tabs = self.next_is('-');
        // The word that ends a body is taken as it is written and never expanded.
        let literals = std::mem::take(&mut self.literals);
        let end = self.target()?;
        self.literals = literals;
        self.documents.push(Document { end: end.text, quoted: end.quoted, tabs });
        Ok(())
    }

    /// Passes over the bodies of the here-documents that the last line began.
    fn bodies(&mut self) -> Result<(), Uninspectable> {
        for document in std::mem::take(&mut self.documents) {
            loop {
                if self.rest.peek().is_none() {
                    return no(format!("its here-document has no end, `{}`", document.end));
                }
                let mut line = String::new();
                while let Some(c) = self.rest.next_if(|&c| c != '\n') {
                    line.push(c);
                }
                self.rest.next();
                let line = if document.tabs { line.trim_start_matches('\t') } else { &line };
                if line == document.end {
                    break;
                }
                if !document.quoted && line.contains(['$', '`', '\\']) {
                    return no(format!("its here-document is expanded; quote its end as '{}'", document.end));
                }
            }
        }
        Ok(())
    }

    fn word_or_descriptor(&mut self) -> Result<(), Uninspectable> {
        let word = self.word()?;
        if matches!(self.rest.peek(), Some('<' | '>'))
            && let Some(plain) = word.plain()
        {
            if plain.bytes().all(|byte| byte.is_ascii_digit()) {
                if plain.len() > 1 {
                    // To some shells that is a word before a redirection.
                    return no(format!("it uses the descriptor {plain}"));
                }
                return self.redirection();
            }
            if plain.starts_with('{') {
                return no("it keeps a descriptor in a variable");
            }
        }
        self.tokens.push(Token::Word(word));
        Ok(())
    }

    fn word(&mut self) -> Result<Word, Uninspectable> {
        let mut word = Word::default();
        let mut first_quote = None;
        // Where `{` and `[` stand that a later `}` or `]` would give a meaning.
        let (mut brace, mut bracket) = (None, None);
        while let Some(&c) = self.rest.peek() {
            if ends_word(c) {
                break;
            }
            if c == '\\' && self.continues() {
                continue;
            }
            self.rest.next();
            let at = word.text.len();
            let starts = at == 0 && first_quote.is_none();
            match c {
                '\'' | '"' | '\\' => {
                    first_quote.get_or_insert(at);
                    match c {
                        '\'' => self.single_quoted(&mut word.text)?,
                        '"' => self.double_quoted(&mut word.text)?,
                        _ => match self.rest.next() {
                            Some(escaped) => word.text.push(escaped),
                            None => return no("it ends in a backslash"),
                        },
                    }
                    continue;
                }
                '$' => {
                    self.dollar(&mut word.text, false)?;
                    continue;
                }
                '`' => return no("it uses command substitution"),
                '!' => self.bang(false)?,
                '~' if starts && !self.rest.peek().is_none_or(|&next| next == '/' || ends_word(next)) => {
                    return no("it names somebody's home folder by `~name`");
                }
                '=' if starts && !self.rest.peek().is_none_or(|&next| next == '=' || ends_word(next)) => {
                    return no("a word begins with `=`; quote it");
                }
                '*' | '?' => {
                    word.pattern.get_or_insert(at);
                }
                '[' => {
                    bracket.get_or_insert(at);
                }
                ']' => word.pattern = word.pattern.or(bracket),
                '{' => {
                    brace.get_or_insert(at);
                }
                '}' => {
                    if let Some(inside) = brace.and_then(|open| word.text.get(open..))
                        && (inside.contains(',') || inside.contains(".."))
                    {
                        return no("it uses brace expansion; quote the word or write it out");
                    }
                }
                _ => {}
            }
            word.text.push(c);
        }
        word.quoted = first_quote.is_some();
        word.bare = first_quote.unwrap_or(word.text.len());
        Ok(word)
    }

    fn single_quoted(&mut self, text: &mut String) -> Result<(), Uninspectable> {
        for c in self.rest.by_ref() {
            match c {
                '\'' => return Ok(()),
                _ => text.push(c),
            }
        }
        no("a single quote is not closed")
    }

    fn double_quoted(&mut self, text: &mut String) -> Result<(), Uninspectable> {
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return Ok(()),
                '`' => return no("it uses command substitution"),
                '$' => self.dollar(text, true)?,
                '!' => {
                    self.bang(true)?;
                    text.push(c);
                }
                '\\' => match self.rest.next() {
                    Some('\n') => {}
                    Some(escaped @ ('$' | '`' | '"' | '\\')) => text.push(escaped),
                    Some(other) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(c),
            }
        }
        no("a double quote is not closed")
    }

    /// What follows a `$` outside single quotes: `$HOME` and `$PWD` at the start of a word, or a lone `$`.
    fn dollar(&mut self, text: &mut String, quoted: bool) -> Result<(), Uninspectable> {
        match self.rest.peek() {
            None | Some(' ' | '\t' | '\n' | '|' | ')') => text.push('$'),
            Some('"') if quoted => text.push('$'),
            Some('(') if quoted && self.literals > 0 => self.literal(text)?,
            Some('(') => return no("it uses command substitution"),
            Some('\'') if !quoted => return no("it uses `$'…'` quoting"),
            Some('"') => return no("it uses `$\"…\"` quoting"),
            _ => {
                let mut name = String::new();
                while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let ends = self.rest.peek().is_none_or(|&c| c == '/' || c == '"' || ends_word(c));
                match name.as_str() {
                    "HOME" if text.is_empty() && ends => text.push('~'),
                    "PWD" if text.is_empty() && ends => text.push('.'),
                    "" => return no("it expands a variable"),
                    _ => return no(format!("it expands the variable `{name}`")),
                }
            }
        }
        Ok(())
    }

    /// The text of `(cat <<'END'`, which stands behind a `$` in double quotes.
    fn literal(&mut self, text: &mut String) -> Result<(), Uninspectable> {
        let ahead: String = self.rest.clone().collect();
        // A body that an earlier part of the line waits for would come first.
        match literal::document(&ahead).filter(|_| self.documents.is_empty()) {
            Some((body, rest)) => {
                self.literals -= 1;
                text.push_str(&body);
                let passed = ahead[..ahead.len() - rest.len()].chars().count();
                self.rest.by_ref().take(passed).for_each(drop);
                Ok(())
            }
            None => no("it uses command substitution"),
        }
    }

    /// Refuses a `!` that an interactive shell would replace by an earlier command.
    fn bang(&mut self, quoted: bool) -> Result<(), Uninspectable> {
        match self.rest.peek() {
            None | Some(' ' | '\t' | '\n' | '=') => Ok(()),
            Some('"') if quoted => Ok(()),
            Some(&c) if !quoted && ends_word(c) && c != '(' => Ok(()),
            _ => no("it may use history expansion; put the `!` in single quotes"),
        }
    }
}
