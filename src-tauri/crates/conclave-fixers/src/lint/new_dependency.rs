//! A module is imported that neither the project nor the language has.

use std::collections::BTreeSet;

use conclave_core::language::Language;
use conclave_core::smell::{Smell, SmellKind};

use super::pair::Pair;
use crate::source::Source;

/// The modules that come with Python, by their first name.
const PYTHON: &str = include_str!("words/python_modules.txt");
/// The modules that come with Node.
const NODE: &str = include_str!("words/node_modules.txt");

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let modules =
        |source: &Source<'_>| source.names().imports().map(|name| root(pair.language, name)).collect::<BTreeSet<_>>();
    let (was, is) = (modules(&pair.before.source), modules(&pair.after.source));
    let new =
        is.difference(&was).filter(|module| !comes_with(pair.language, module) && !(pair.knows)(pair.path, module));
    new.map(|module| pair.gone(SmellKind::NewDependency, &format!("`{module}` is not known in this project"))).collect()
}

/// The part of an imported name that names what has to be installed.
fn root(language: Language, name: &str) -> String {
    match language {
        Language::Python => name.split('.').next().unwrap_or(name).to_owned(),
        Language::Java => name.split('.').take(3).collect::<Vec<_>>().join("."),
        _ => {
            // `@scope/name.member`, `name/part.member`
            let parts = if name.starts_with('@') { 2 } else { 1 };
            let module: Vec<&str> = name.split('/').take(parts).collect();
            let module = module.join("/");
            if module.starts_with('.') {
                ".".to_owned()
            } else {
                module.split('.').next().unwrap_or(&module).to_owned()
            }
        }
    }
}

fn comes_with(language: Language, module: &str) -> bool {
    let has = |list: &str| list.split_whitespace().any(|word| word == module);
    match language {
        // A name without a module is one of this package.
        Language::Python => module.is_empty() || has(PYTHON),
        Language::Java => {
            ["java.", "javax.", "jdk.", "org.w3c.", "org.xml."].iter().any(|start| module.starts_with(start))
        }
        _ => module == "." || module.is_empty() || has(NODE),
    }
}
