//! The recipes that ship, one line a file.

use std::sync::OnceLock;

use crate::set::Recipes;

macro_rules! recipe {
    ($path:literal) => {
        ($path, include_str!(concat!("../recipes/", $path)))
    };
}

/// Every file under `recipes/`, path first.
pub(crate) const FILES: &[(&str, &str)] = &[
    recipe!("java/java-cookie.yml"),
    recipe!("java/java-digest.yml"),
    recipe!("java/java-random.yml"),
    recipe!("java/java-sql-prepare-local.yml"),
    recipe!("java/java-xxe-factories.yml"),
    recipe!("javascript/js-exec-literal.yml"),
    recipe!("javascript/js-exec-template.yml"),
    recipe!("javascript/js-innerhtml-text.yml"),
    recipe!("javascript/js-innerhtml-value.yml"),
    recipe!("javascript/js-math-random.yml"),
    recipe!("javascript/js-sql-template.yml"),
    recipe!("javascript/js-tls-reject.yml"),
    recipe!("javascript/js-weak-hash.yml"),
    recipe!("python/py-flask-debug.yml"),
    recipe!("python/py-jinja2-autoescape.yml"),
    recipe!("python/py-key-size.yml"),
    recipe!("python/py-os-system.yml"),
    recipe!("python/py-paramiko-hostkey.yml"),
    recipe!("python/py-random-other.yml"),
    recipe!("python/py-random-token.yml"),
    recipe!("python/py-shell-interpolated.yml"),
    recipe!("python/py-shell-literal.yml"),
    recipe!("python/py-sql-dbapi.yml"),
    recipe!("python/py-tar-filter.yml"),
    recipe!("python/py-timeout.yml"),
    recipe!("python/py-torch-load.yml"),
    recipe!("python/py-verify-false.yml"),
    recipe!("python/py-weak-hash.yml"),
    recipe!("python/py-yaml-load.yml"),
];

impl Recipes {
    /// The recipes that ship with Conclave; read on first use.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<Recipes> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            // INVARIANT: a test loads every shipped recipe.
            #[allow(clippy::expect_used)]
            let recipes = Self::load(FILES).expect("shipped recipes load");
            recipes
        })
    }
}

#[cfg(test)]
mod tests;
