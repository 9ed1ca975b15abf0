//! Tokens to commands: lists, pipelines, groups, subshells, and where `cd` leads.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::lex::{Redirection, Token, Word, tokens};
use super::wrapper::{self, Starts};
use super::{DEEPEST, MOST, Redirect, SimpleCommand, Uninspectable, Unseen, environment, no};
use crate::request::Access;

/// Lists the commands of a whole text.
pub(super) fn text(text: &str) -> Result<Vec<SimpleCommand>, Uninspectable> {
    let mut found = Vec::new();
    nested(text, 0, &[None], &[], &mut found)?;
    if found.is_empty() {
        return no("there is no command in it");
    }
    Ok(found)
}

/// Lists `command` and whatever it starts, as [`text`] would where it stands alone.
pub(super) fn with_started(command: &SimpleCommand) -> Result<Vec<SimpleCommand>, Uninspectable> {
    let mut found = Vec::new();
    let mut parser = Parser { rest: Vec::new().into_iter().peekable(), found: &mut found, assigned: Vec::new() };
    let mut place = Place { here: vec![command.directory.clone()], failed: Vec::new() };
    parser.add(command.clone(), false, 0, &mut place)?;
    Ok(found)
}

/// Adds the commands of a text that stands `depth` deep in others and starts in one of the folders `here`, with the
/// variables `assigned` set.
fn nested(
    text: &str,
    depth: usize,
    here: &[Option<String>],
    assigned: &[String],
    found: &mut Vec<SimpleCommand>,
) -> Result<(), Uninspectable> {
    let mut parser = Parser { rest: tokens(text)?.into_iter().peekable(), found, assigned: assigned.to_vec() };
    let mut place = Place { here: here.to_vec(), failed: Vec::new() };
    parser.list(None, depth, &mut place)
}

/// The folders in which the shell may be, because a `cd` may fail.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    /// If everything since the last `;` went well.
    here: Vec<Option<String>>,
    /// If something did not.
    failed: Vec<Option<String>>,
}

impl Place {
    /// After something that does not wait for success.
    fn join(&mut self) -> Result<(), Uninspectable> {
        for folder in self.failed.drain(..) {
            if !self.here.contains(&folder) {
                self.here.push(folder);
            }
        }
        if self.here.len() > 4 {
            return no("it changes folder too often to be followed; join the steps with `&&`");
        }
        Ok(())
    }

    fn change(&mut self, args: &[String]) -> Result<(), Uninspectable> {
        let to = match args {
            [] => "~",
            [to] if !to.starts_with(['-', '+']) && !to.is_empty() => to,
            _ => return no("it uses `cd` with options"),
        };
        self.failed.extend(self.here.iter().cloned());
        for folder in &mut self.here {
            *folder = Some(match folder {
                Some(from) if !to.starts_with(['/', '~']) => format!("{from}/{to}"),
                _ => to.to_owned(),
            });
        }
        Ok(())
    }
}

struct Parser<'a> {
    rest: Peekable<IntoIter<Token>>,
    found: &'a mut Vec<SimpleCommand>,
    /// Names that earlier commands of this shell assigned.
    assigned: Vec<String>,
}

/// What closes a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    Parenthesis,
    Brace,
}

impl Closing {
    fn is(self, token: &Token) -> bool {
        match self {
            Self::Parenthesis => *token == Token::Close,
            Self::Brace => matches!(token, Token::Word(word) if word.plain() == Some("}")),
        }
    }
}

impl Parser<'_> {
    /// Reads commands up to `closing`, which is left to the caller, or to the end.
    fn list(&mut self, closing: Option<Closing>, depth: usize, place: &mut Place) -> Result<(), Uninspectable> {
        if depth > DEEPEST {
            return no(format!("it is nested more than {DEEPEST} deep"));
        }
        // Whether an `||` stands before, so that what follows may run although what stands before it did not.
        let mut either = false;
        loop {
            while self.rest.next_if_eq(&Token::Newline).is_some() {}
            match (self.rest.peek(), closing) {
                (None, None) => return Ok(()),
                (None, Some(_)) => return no("a group is not closed"),
                (Some(token), Some(closing)) if closing.is(token) => return Ok(()),
                _ => self.pipeline(depth, place)?,
            }
            match self.rest.peek() {
                None => {}
                Some(Token::And | Token::Or) => {
                    either |= self.rest.next() == Some(Token::Or);
                    if either {
                        place.join()?;
                    }
                    while self.rest.next_if_eq(&Token::Newline).is_some() {}
                    if self.rest.peek().is_none_or(|token| !begins_command(token)) {
                        return no("something is missing after `&&` or `||`");
                    }
                    continue;
                }
                Some(Token::Semicolon | Token::Background | Token::Newline) => {
                    self.rest.next();
                }
                Some(token) if closing.is_some_and(|closing| closing.is(token)) => {}
                Some(_) => return no("it is not the shell language that is understood here"),
            }
            either = false;
            place.join()?;
        }
    }

    fn pipeline(&mut self, depth: usize, place: &mut Place) -> Result<(), Uninspectable> {
        let mut negated = false;
        while self.next_is_plain("!") {
            negated = true;
        }
        if self.next_is_plain("time") {
            self.next_is_plain("-p");
        }
        let before = place.clone();
        self.command(depth, place)?;
        let mut stages = 1;
        while self.rest.next_if_eq(&Token::Pipe).is_some() {
            while self.rest.next_if_eq(&Token::Newline).is_some() {}
            self.command(depth, place)?;
            stages += 1;
        }
        if stages > 1 && *place != before {
            return no("it changes folder inside a pipeline");
        }
        if negated {
            place.join()?;
        }
        Ok(())
    }

    /// Takes the next token if it is the unquoted word `text`.
    fn next_is_plain(&mut self, text: &str) -> bool {
        self.rest.next_if(|token| matches!(token, Token::Word(word) if word.plain() == Some(text))).is_some()
    }

    fn command(&mut self, depth: usize, place: &mut Place) -> Result<(), Uninspectable> {
        match self.rest.peek() {
            Some(Token::Open) => {
                self.rest.next();
                let assigned = self.assigned.clone();
                self.group(Closing::Parenthesis, depth, &mut place.clone())?;
                self.assigned = assigned;
                Ok(())
            }
            Some(Token::Word(word)) if word.plain() == Some("{") => {
                self.rest.next();
                self.group(Closing::Brace, depth, place)
            }
            Some(Token::Word(word)) => match word.plain() {
                Some(reserved) if RESERVED.contains(&reserved) => no(format!("it uses `{reserved}`")),
                _ => self.simple(depth, place),
            },
            Some(Token::Redirection(_)) => self.simple(depth, place),
            _ => no("a command is missing"),
        }
    }

    /// Reads a group's body and redirections; the redirections count for each command in it.
    fn group(&mut self, closing: Closing, depth: usize, place: &mut Place) -> Result<(), Uninspectable> {
        let first = self.found.len();
        let outside = place.here.clone();
        self.list(Some(closing), depth + 1, place)?;
        self.rest.next();
        if self.found.len() == first {
            return no("a group is empty");
        }
        let mut redirects = Vec::new();
        while let Some(Token::Redirection(redirection)) =
            self.rest.next_if(|token| matches!(token, Token::Redirection(_)))
        {
            match redirect(redirection) {
                Stream::File(file) => redirects.push(file),
                Stream::Text => return no("it feeds text to a group"),
                Stream::None => {}
            }
        }
        if redirects.len() > MOST_EACH {
            return no(format!("it redirects a group more than {MOST_EACH} times"));
        }
        for command in self.found.iter_mut().skip(first) {
            if !redirects.is_empty() && !outside.contains(&command.directory) {
                return no("it redirects a group that changes folder");
            }
            command.redirects.extend(redirects.iter().cloned());
        }
        Ok(())
    }

    fn simple(&mut self, depth: usize, place: &mut Place) -> Result<(), Uninspectable> {
        let mut command = SimpleCommand { environment: self.assigned.clone(), ..SimpleCommand::default() };
        let (mut started, mut fed) = (false, false);
        while let Some(token) = self.rest.next_if(|token| matches!(token, Token::Word(_) | Token::Redirection(_))) {
            match token {
                Token::Redirection(redirection) => match redirect(redirection) {
                    Stream::File(file) => command.redirects.push(file),
                    Stream::Text => fed = true,
                    Stream::None => {}
                },
                Token::Word(word) if started => {
                    command.args.push(argument(word, &mut command.unseen)?);
                }
                Token::Word(word) => match assignment(&word)? {
                    Some(name) => command.environment.push(name.to_owned()),
                    None => {
                        command.program = program(word)?;
                        started = true;
                    }
                },
                _ => {}
            }
        }
        if self.rest.peek() == Some(&Token::Open) {
            return no("it defines a function");
        }
        if !started {
            self.assigned.clone_from(&command.environment);
            if self.assigned.len() > MOST_EACH {
                return no(format!("it assigns more than {MOST_EACH} variables"));
            }
            if command.redirects.is_empty() {
                return Ok(());
            }
            ":".clone_into(&mut command.program);
        }
        self.add(command, fed, depth, place)
    }

    /// Adds a command, as often as there are folders in which it may run, with what it starts.
    ///
    /// `fed` says that the text itself gives it something to read.
    fn add(&mut self, command: SimpleCommand, fed: bool, depth: usize, place: &mut Place) -> Result<(), Uninspectable> {
        if command.environment.len() > MOST_EACH || command.redirects.len() > MOST_EACH {
            return no(format!("it sets or redirects more than {MOST_EACH} things at once"));
        }
        let starts = wrapper::starts(&command)?;
        if fed && starts == Starts::Nothing && !wrapper::reads_data(&command) {
            return no(format!("`{}` is fed with text that it may run", command.program));
        }
        for folder in &place.here {
            self.found.push(SimpleCommand { directory: folder.clone(), ..command.clone() });
        }
        if self.found.len() > MOST {
            return no(format!("it holds more than {MOST} commands"));
        }
        match starts {
            Starts::Nothing => {}
            _ if depth >= DEEPEST => return no(format!("it is nested more than {DEEPEST} deep")),
            Starts::Commands(inner) => {
                for inner in inner {
                    self.add(inner, fed, depth + 1, &mut place.clone())?;
                }
            }
            Starts::Text(_) if fed => return no("a shell is fed with text that it may run"),
            Starts::Text(text) => nested(&text, depth + 1, &place.here, &command.environment, self.found)?,
        }
        match command.program.as_str() {
            "cd" if command.unseen != Unseen::Nothing => no("it changes to a folder named by a pattern"),
            "cd" if !command.redirects.is_empty() => no("it uses `cd` with a redirection"),
            "cd" => place.change(&command.args),
            "export" => {
                self.assigned.extend(command.args.iter().filter_map(|arg| arg.split('=').next()).map(str::to_owned));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The most variables and redirections that one command may have, because every later or inner command repeats them.
const MOST_EACH: usize = 64;

/// Words that begin or continue what is not understood here, in `sh`, `bash` or `zsh`.
const RESERVED: &[&str] = &[
    "!", "[[", "]]", "always", "case", "coproc", "do", "done", "elif", "else", "end", "esac", "fi", "for", "foreach",
    "function", "if", "in", "repeat", "select", "then", "time", "until", "while", "}",
];

fn begins_command(token: &Token) -> bool {
    matches!(token, Token::Word(_) | Token::Redirection(_) | Token::Open)
}

/// What a redirection means to a command.
enum Stream {
    File(Redirect),
    Text,
    None,
}

/// Devices that keep nothing of what is written to them.
const NO_FILES: &[&str] = &["/dev/null", "/dev/stderr", "/dev/stdout"];

fn redirect(redirection: Redirection) -> Stream {
    match redirection {
        Redirection::Read(word) => Stream::File(Redirect { path: word.text, access: Access::Read }),
        Redirection::Write(word) if NO_FILES.contains(&word.text.as_str()) => Stream::None,
        Redirection::Write(word) => Stream::File(Redirect { path: word.text, access: Access::Write }),
        Redirection::Text => Stream::Text,
        Redirection::Copy => Stream::None,
    }
}

/// The name that a word before the program assigns, if it is an assignment.
fn assignment(word: &Word) -> Result<Option<&str>, Uninspectable> {
    let Some(equals) = word.text.find('=').filter(|&at| at < word.bare) else {
        return Ok(None);
    };
    let name = &word.text[..equals];
    if environment::is_name(name) {
        environment::assignable(name)?;
        return Ok(Some(name));
    }
    match name.strip_suffix('+').unwrap_or(name).split('[').next() {
        Some(start) if environment::is_name(start) => no("it assigns to part of a variable"),
        _ => Ok(None),
    }
}

fn program(word: Word) -> Result<String, Uninspectable> {
    if word.pattern.is_some() {
        return no("a program is named by a pattern");
    }
    if word.text.contains(['{', '}']) {
        return no("a program is named with braces");
    }
    if word.text.is_empty() {
        return no("a program has no name");
    }
    if word.text.starts_with('-') && word.text.len() > 1 {
        return no("an option stands where a program should");
    }
    Ok(word.text)
}

fn argument(word: Word, unseen: &mut Unseen) -> Result<String, Uninspectable> {
    if let Some(at) = word.pattern {
        // What a pattern becomes begins like the pattern: without a literal start it may become an option.
        let start = &word.text[..at];
        if start.is_empty() || (start.starts_with('-') && !start.contains('=')) {
            return no(format!("the pattern `{0}` may become an option; write `./{0}` or quote it", word.text));
        }
        let hidden = |part: &str| part.starts_with('.') && part.contains(['*', '?', '[']);
        if word.text.split('/').any(hidden) {
            return no(format!("the pattern `{}` may mean hidden files; name them", word.text));
        }
        *unseen = Unseen::Names;
    }
    Ok(word.text)
}
