//! From the written form of a recipe to the one that runs, with every mistake named.

use conclave_core::language::Language;
use globset::{Glob, GlobSetBuilder};
use regex::Regex;

use super::file::{CaseFile, EditFile, GuardFile, RecipeFile};
use super::{Action, Case, Guard, Recipe, Step, Words};
use crate::imports::Import;
use crate::native::Native;
use crate::syntax::from_yaml;
use crate::template::Template;

/// Why a recipe file cannot be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum LoadError {
    /// It is no recipe: not YAML, an unknown or missing key, a value of the wrong kind.
    #[error("`{file}` is not a recipe: {reason}")]
    Form { file: String, reason: String },
    /// A part of it does not make sense.
    #[error("recipe `{recipe}`, {place}: {reason}")]
    Part { recipe: String, place: String, reason: String },
}

/// Reads the written form.
///
/// # Errors
/// [`LoadError::Form`].
pub(crate) fn parse(name: &str, text: &str) -> Result<RecipeFile, LoadError> {
    from_yaml(text).map_err(|reason| LoadError::Form { file: name.to_owned(), reason })
}

/// Builds the form that runs.
///
/// # Errors
/// [`LoadError::Part`].
pub(crate) fn build(file: RecipeFile) -> Result<Recipe, LoadError> {
    let wrong =
        |place: &str, reason: String| LoadError::Part { recipe: file.id.clone(), place: place.to_owned(), reason };
    for (key, empty) in [
        ("languages", file.languages.is_empty()),
        ("answers.cwe", file.answers.cwe.is_empty()),
        ("needs", file.needs.is_empty()),
        ("cases", file.cases.is_empty()),
        ("tests", file.tests.is_empty()),
    ] {
        if empty {
            return Err(wrong(key, "must not be empty".to_owned()));
        }
    }
    let mut rules = GlobSetBuilder::new();
    for rule in &file.answers.rules {
        rules.add(Glob::new(rule).map_err(|error| wrong("answers.rules", error.to_string()))?);
    }
    let rules = rules.build().map_err(|error| wrong("answers.rules", error.to_string()))?;
    let language = file.languages[0];
    let mut cases = Vec::new();
    for case in &file.cases {
        cases.push(build_case(case, language).map_err(|reason| wrong(&format!("case `{}`", case.id), reason))?);
    }
    let ids: Vec<&str> = file.cases.iter().map(|case| case.id.as_str()).collect();
    if let Some(mistake) = file.proofs.iter().find_map(|proof| proof.mistake(&ids)) {
        return Err(wrong("proofs", mistake));
    }
    Ok(Recipe {
        id: file.id,
        title: file.title,
        message: file.message,
        rationale: file.rationale,
        languages: file.languages,
        cwe: file.answers.cwe,
        rules,
        severity: file.severity,
        needs: file.needs,
        and_needs: file.and_needs,
        edge_cases: file.edge_cases,
        successors: file.successors,
        cases,
        proofs: file.proofs,
    })
}

fn build_case(file: &CaseFile, language: Language) -> Result<Case, String> {
    let action = match (file.safety, &file.reason, file.edits.is_empty()) {
        (Some(class), None, false) => {
            let imports = file.imports.iter().map(|text| Import::parse(language, text)).collect::<Result<_, _>>()?;
            let steps = file.edits.iter().map(build_step).collect::<Result<_, _>>()?;
            Action::Fix { class, imports, steps }
        }
        (None, Some(reason), true) if file.imports.is_empty() => Action::Advise { reason: reason.clone() },
        _ => return Err("give `safety` and `edits`, or only `reason`".to_owned()),
    };
    let words = match (&file.title, &file.rationale, file.edge_cases.is_empty()) {
        (Some(title), Some(rationale), _) => {
            Some(Words { title: title.clone(), rationale: rationale.clone(), edge_cases: file.edge_cases.clone() })
        }
        (None, None, true) => None,
        _ => return Err("give `title` and `rationale` together, and `edge_cases` only beside them".to_owned()),
    };
    Ok(Case {
        words,
        id: file.id.clone(),
        rule: file.rule.clone(),
        bind: file.bind.clone(),
        guards: file.guards.iter().map(build_guard).collect::<Result<_, _>>()?,
        report: file.report,
        action,
    })
}

fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("`{text}` is no regular expression: {error}"))
}

fn build_guard(file: &GuardFile) -> Result<Guard, String> {
    Ok(match file {
        GuardFile::Not(inner) => Guard::Not(Box::new(build_guard(inner)?)),
        GuardFile::Resolves { var, to } => Guard::Resolves { var: var.clone(), to: to.clone() },
        GuardFile::Keyword { name, value } => {
            Guard::Keyword { name: name.clone(), value: value.as_deref().map(regex).transpose()? }
        }
        GuardFile::MadeBy { var, by } => Guard::MadeBy { var: var.clone(), by: by.clone() },
        GuardFile::DeclaredType { var, to } => Guard::DeclaredType { var: var.clone(), to: to.clone() },
        GuardFile::Literal { var, matches } => Guard::Literal { var: var.clone(), matches: regex(matches)? },
        GuardFile::Text { var, values } => Guard::Text { var: var.clone(), values: *values },
        GuardFile::Sql { var } => Guard::Sql { var: var.clone() },
        GuardFile::Given { var, matches } => Guard::Given { var: var.clone(), matches: regex(matches)? },
        GuardFile::Source { var, matches } => Guard::Source { var: var.clone(), matches: regex(matches)? },
        GuardFile::Mentions { place, words } => Guard::Mentions { place: *place, words: words.clone() },
        GuardFile::Around(matches) => Guard::Around(regex(matches)?),
        GuardFile::File(matches) => Guard::File(regex(matches)?),
    })
}

fn build_step(file: &EditFile) -> Result<Step, String> {
    let at = match &file.at {
        Some(at) => Some(at.strip_prefix('$').ok_or("`at` names a metavariable, such as `$A`")?.to_owned()),
        None => None,
    };
    if file.call.is_none() && !file.args.is_empty() {
        return Err("`args` goes with `call`".to_owned());
    }
    match (&file.with, &file.set_keyword, &file.to, &file.insert_after_statement, file.remove_statement, &file.call) {
        (Some(with), None, None, None, None, None) => Ok(Step::Replace { at, with: Template::new(with) }),
        (None, Some(name), Some(to), None, None, None) if at.is_none() => {
            Ok(Step::SetKeyword { name: name.clone(), to: Template::new(to) })
        }
        (None, None, None, Some(text), None, None) if at.is_none() => Ok(Step::InsertAfter(Template::new(text))),
        (None, None, None, None, Some(true), None) if at.is_none() => Ok(Step::RemoveStatement),
        (None, None, None, None, None, Some(name)) if at.is_none() => Native::new(name, &file.args).map(Step::Native),
        _ => Err("an edit is one of `with` (with or without `at`), `set_keyword` with `to`, \
                  `insert_after_statement`, `remove_statement: true`, `call` with `args`"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
id: py-x
title: t
message: m
rationale: r
languages: [python]
answers: {cwe: [1]}
severity: low
needs: [f]
cases:
  - id: c
    match: {rule: {pattern: f($A)}}
    safety: review
    edits: [{at: $A, with: '1'}]
tests:
  - {name: n, before: f(2), after: f(1)}
";

    #[test]
    fn mistakes_are_load_errors() {
        let load = |text: &str| parse("x.yml", text).and_then(build).map(|recipe| recipe.cases.len());
        assert_eq!(load(GOOD), Ok(1));
        for (part, with, words) in [
            ("title: t", "titel: t", "titel"),
            ("severity: low", "severity: lowest", "lowest"),
            ("safety: review", "safety: review\n    wehre: []", "wehre"),
            ("{at: $A, with: '1'}", "{at: $A, with: '1', too: '2'}", "too"),
            ("{at: $A, with: '1'}", "{at: $A}", "an edit is one of"),
            ("{at: $A, with: '1'}", "{call: magic}", "magic"),
            ("safety: review", "reason: no", "give `safety`"),
            ("match: {rule: {pattern: f($A)}}", "match: {rule: {patern: f($A)}}", "patern"),
            ("safety: review", "where: [{resolves: {var: A, too: [b]}}]\n    safety: review", "too"),
            ("safety: review", "where: [{source: {var: A, matches: '('}}]\n    safety: review", "regular expression"),
            ("safety: review", "imports: [yaml]\n    safety: review", "import"),
            ("needs: [f]", "needs: []", "must not be empty"),
            ("{cwe: [1]}", "{cwe: [1], rules: ['[']}", "answers.rules"),
            ("id: py-x", "id: py-x\nid: py-y", "id"),
        ] {
            assert!(GOOD.contains(part), "{part}");
            let error = load(&GOOD.replacen(part, with, 1)).expect_err(with).to_string();
            assert!(error.contains(words), "{with}: {error}");
        }
    }
}
