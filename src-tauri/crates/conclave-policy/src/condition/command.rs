//! Conditions on the commands that a shell text starts.
//!
//! Each command is judged by itself; where the text is not understood, nothing about its commands can be judged.

use crate::Access;
use crate::command::{SimpleCommand, TELL_NO_CONTENT, Unseen, escapes, read_only};
use crate::facts::Facts;
use crate::pattern::{Text, Unjudgeable};
use crate::predicate::{Predicate, Reach, Subject, Truth, all, any};

/// What a rule wants of commands; each command has to be all of it.
#[derive(Debug)]
pub(crate) struct CommandCondition {
    pub(crate) reach: Reach,
    /// Whether the whole text is understood.
    pub(crate) inspectable: Option<bool>,
    pub(crate) each: Vec<CommandPart>,
}

/// What a rule wants of one command.
#[derive(Debug)]
pub(crate) enum CommandPart {
    /// One of these programs, each with the words that follow it.
    Words(Vec<Vec<String>>),
    Program(Predicate),
    /// The arguments, the files that the shell opens for it and the folder in which it runs.
    Arguments(Predicate),
    /// Known to change nothing and to start nothing.
    ReadOnly(bool),
    /// Known to be a way to run something else.
    Escapes(bool),
}

impl CommandCondition {
    pub(crate) fn judge(&self, facts: &Facts<'_>) -> Truth {
        let Some(commands) = facts.commands() else { return Ok(false) };
        if self.inspectable.is_some_and(|wanted| wanted != commands.is_ok()) {
            return Ok(false);
        }
        if self.each.is_empty() {
            return Ok(true);
        }
        let commands = commands.as_ref().map_err(|why| Unjudgeable(format!("the command is not understood: {why}")))?;
        let each = |command| all(self.each.iter().map(|part| part.judge(command, self.reach)));
        self.reach.over(commands.iter().map(each))
    }
}

impl CommandPart {
    fn judge(&self, command: &SimpleCommand, reach: Reach) -> Truth {
        match self {
            Self::Words(wanted) => any(wanted.iter().map(|words| has_words(command, words, reach))),
            Self::Program(predicate) => {
                let name = if reach == Reach::Wide { base_name(&command.program) } else { &command.program };
                predicate.judge(Subject::Text(&Text::new(name)), &|_| None)
            }
            Self::Arguments(predicate) => {
                let judged = named(command).map(|text| predicate.judge(Subject::Text(&Text::new(text)), &|_| None));
                match reach {
                    Reach::Wide => any(judged),
                    Reach::Narrow if command.unseen == Unseen::Anything => Ok(false),
                    Reach::Narrow => all(judged),
                }
            }
            Self::ReadOnly(wanted) => {
                // What only looks may look at anything that it is not seen to be given.
                let seen = reach == Reach::Wide
                    || command.unseen == Unseen::Nothing
                    || (command.unseen == Unseen::Names && TELL_NO_CONTENT.contains(&base_name(&command.program)));
                Ok((read_only(command) && seen) == *wanted)
            }
            Self::Escapes(wanted) => Ok(escapes(command).is_some() == *wanted),
        }
    }
}

/// Everything a command names but its program.
fn named(command: &SimpleCommand) -> impl Iterator<Item = &str> {
    let opened = command.redirects.iter().map(|redirect| redirect.path.as_str());
    command.args.iter().map(String::as_str).chain(opened).chain(command.directory.as_deref())
}

/// Whether a command is the program and words of a rule.
///
/// A rule that permits names the beginning of the command exactly, and covers neither variables set for it, nor files
/// that the shell writes for it, nor another folder, nor arguments that the text does not show. A rule that refuses means
/// the program wherever it lies, its options in any order and grouping, and its other words in their order.
fn has_words(command: &SimpleCommand, wanted: &[String], reach: Reach) -> Truth {
    let Some((program, words)) = wanted.split_first() else { return Ok(false) };
    if reach == Reach::Narrow {
        let bare = command.environment.is_empty()
            && command.redirects.iter().all(|redirect| redirect.access == Access::Read)
            && command.directory.is_none()
            && command.unseen != Unseen::Anything;
        return Ok(bare && command.program == *program && command.args.starts_with(words));
    }
    if base_name(&command.program) != base_name(program) {
        return Ok(false);
    }
    let (options, plain): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.len() > 1 && word.starts_with('-'));
    let mut rest = command.args.iter();
    let held = options.into_iter().all(|option| has_option(&command.args, option))
        && plain.into_iter().all(|word| rest.any(|argument| argument == word));
    if !held && command.unseen == Unseen::Anything {
        return Err(Unjudgeable(format!("`{}` gets arguments that are not shown", command.program)));
    }
    Ok(held)
}

/// Whether the option is among the arguments: as it is, with a value, or as letters in groups of letters.
fn has_option(arguments: &[String], option: &str) -> bool {
    let is_it =
        |argument: &String| argument.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    let group = |word: &str| word.strip_prefix('-').filter(|letters| !letters.starts_with('-')).map(str::to_owned);
    arguments.iter().any(is_it)
        || group(option).is_some_and(|letters| {
            let groups: Vec<String> = arguments.iter().filter_map(|argument| group(argument)).collect();
            letters.chars().all(|letter| groups.iter().any(|group| group.contains(letter)))
        })
}

/// A program's name without the folders before it.
fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}
