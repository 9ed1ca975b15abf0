//! What a project's manifests say about the libraries it uses, as far as recipes care.
//!
//! A placeholder is written differently for each database driver, so a query can only be bound once the driver is
//! known. Deliberately absent: reading files; the caller hands in the text of manifests.

/// How a driver writes the place of a bound value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// `?`
    Question,
    /// `%s`; a literal per cent sign is doubled.
    Percent,
    /// `:1`, `:2`
    Colon,
    /// `$1`, `$2`
    Dollar,
}

impl Placeholder {
    /// The text for the value number `n`, from 1.
    pub fn text(self, n: usize) -> String {
        match self {
            Self::Question => "?".to_owned(),
            Self::Percent => "%s".to_owned(),
            Self::Colon => format!(":{n}"),
            Self::Dollar => format!("${n}"),
        }
    }
}

/// A library that runs SQL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Driver {
    /// The package in a manifest.
    package: &'static str,
    /// The module in an import.
    module: &'static str,
    /// `None` where its calls do not follow the common form.
    pub placeholder: Option<Placeholder>,
}

const fn driver(package: &'static str, module: &'static str, placeholder: Option<Placeholder>) -> Driver {
    Driver { package, module, placeholder }
}

const PYTHON: [Driver; 20] = [
    driver("", "sqlite3", Some(Placeholder::Question)),
    driver("aiosqlite", "aiosqlite", Some(Placeholder::Question)),
    driver("pyodbc", "pyodbc", Some(Placeholder::Question)),
    driver("duckdb", "duckdb", Some(Placeholder::Question)),
    driver("psycopg2", "psycopg2", Some(Placeholder::Percent)),
    driver("psycopg2-binary", "psycopg2", Some(Placeholder::Percent)),
    driver("psycopg", "psycopg", Some(Placeholder::Percent)),
    driver("pymysql", "pymysql", Some(Placeholder::Percent)),
    driver("mysqlclient", "MySQLdb", Some(Placeholder::Percent)),
    driver("mysql-connector-python", "mysql.connector", Some(Placeholder::Percent)),
    driver("aiomysql", "aiomysql", Some(Placeholder::Percent)),
    driver("aiopg", "aiopg", Some(Placeholder::Percent)),
    driver("pymssql", "pymssql", Some(Placeholder::Percent)),
    driver("snowflake-connector-python", "snowflake.connector", Some(Placeholder::Percent)),
    driver("django", "django.db", Some(Placeholder::Percent)),
    driver("oracledb", "oracledb", Some(Placeholder::Colon)),
    driver("cx-oracle", "cx_Oracle", Some(Placeholder::Colon)),
    driver("asyncpg", "asyncpg", None),
    driver("sqlalchemy", "sqlalchemy", None),
    driver("records", "records", None),
];
const JAVASCRIPT: [Driver; 5] = [
    driver("pg", "pg", Some(Placeholder::Dollar)),
    driver("mysql", "mysql", Some(Placeholder::Question)),
    driver("mysql2", "mysql2", Some(Placeholder::Question)),
    driver("mysql2", "mysql2/promise", Some(Placeholder::Question)),
    driver("sqlite3", "sqlite3", Some(Placeholder::Question)),
];

/// What is known about a project beyond the file at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFacts {
    /// The Python package that talks to the database, for example `psycopg2`; `None` when unknown or more than one.
    pub python_sql_driver: Option<String>,
    /// The same for JavaScript, for example `pg`.
    pub javascript_sql_driver: Option<String>,
}

impl ProjectFacts {
    /// Reads manifests, each a file name and its text: `requirements*.txt`, `pyproject.toml`, `Pipfile`, `setup.py`,
    /// `setup.cfg` and `package.json`; others are passed over.
    ///
    /// Names are looked for as words, not as a dependency tree: a project that names two drivers with different
    /// placeholders gets none.
    pub fn of_manifests<'a>(manifests: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut python, mut javascript) = (Vec::new(), Vec::new());
        for (name, text) in manifests {
            let file = name.rsplit('/').next().unwrap_or(name);
            if file == "package.json" {
                javascript.extend(named(text, &JAVASCRIPT));
            } else if matches!(file, "pyproject.toml" | "Pipfile" | "setup.py" | "setup.cfg")
                || (file.starts_with("requirements") && file.ends_with(".txt"))
            {
                python.extend(named(text, &PYTHON));
            }
        }
        let agreed = |found: &[&'static Driver]| only(found).map(|(driver, _)| driver.package.to_owned());
        Self { python_sql_driver: agreed(&python), javascript_sql_driver: agreed(&javascript) }
    }
}

/// The drivers that `text` names as whole words.
fn named(text: &str, drivers: &'static [Driver]) -> Vec<&'static Driver> {
    let text = text.to_ascii_lowercase().replace('_', "-");
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let words: Vec<&str> = text.split(|c| !word(c)).collect();
    drivers.iter().filter(|driver| !driver.package.is_empty() && words.contains(&driver.package)).collect()
}

/// The first of `found` with its placeholder, when all that have one agree on it.
fn only(found: &[&'static Driver]) -> Option<(&'static Driver, Placeholder)> {
    let mut known = found.iter().filter_map(|driver| Some((*driver, driver.placeholder?)));
    let first = known.next()?;
    known.all(|(_, placeholder)| placeholder == first.1).then_some(first)
}

/// The placeholder for a file that imports `modules`, in a project whose manifests name `hint`.
///
/// # Errors
/// In words, when no driver is known, several disagree, or the only one has no common form.
pub(crate) fn placeholder<'a>(
    python: bool,
    modules: impl Iterator<Item = &'a str>,
    hint: Option<&str>,
) -> Result<Placeholder, String> {
    let drivers: &'static [Driver] = if python { &PYTHON } else { &JAVASCRIPT };
    let modules: Vec<&str> = modules.collect();
    let belongs = |module: &str, driver: &Driver| {
        module.strip_prefix(driver.module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let imported: Vec<&'static Driver> =
        drivers.iter().filter(|driver| modules.iter().any(|module| belongs(module, driver))).collect();
    if let Some((_, placeholder)) = only(&imported) {
        return Ok(placeholder);
    }
    let own_form = |driver: &Driver| format!("`{}` takes bound values in a form of its own", driver.module);
    if let Some(first) = imported.first() {
        return Err(match imported.iter().any(|driver| driver.placeholder.is_some()) {
            true => format!(
                "the file imports several database drivers (`{}` among them) that write placeholders differently",
                first.module
            ),
            false => own_form(first),
        });
    }
    match hint.and_then(|package| drivers.iter().find(|driver| driver.package == package)) {
        Some(driver) => driver.placeholder.ok_or_else(|| own_form(driver)),
        None => {
            Err("the database driver is not known here, and each driver writes placeholders its own way".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_name_the_driver() {
        for (file, text, python, javascript) in [
            ("requirements.txt", "flask==3\npsycopg2_binary>=2.9\n", Some("psycopg2-binary"), None),
            ("api/requirements-dev.txt", "PyMySQL\n", Some("pymysql"), None),
            ("pyproject.toml", "dependencies = [\"psycopg[binary]>=3\"]\n", Some("psycopg"), None),
            ("requirements.txt", "psycopg2\noracledb\n", None, None),
            ("requirements.txt", "psycopg2-pool-extras\n", None, None),
            ("package.json", "{\"dependencies\": {\"mysql2\": \"^3\"}}", None, Some("mysql2")),
            ("package.json", "{\"dependencies\": {\"pg\": \"8\", \"mysql\": \"2\"}}", None, None),
            ("README.md", "psycopg2", None, None),
        ] {
            let facts = ProjectFacts::of_manifests([(file, text)]);
            assert_eq!(facts.python_sql_driver.as_deref(), python, "{text}");
            assert_eq!(facts.javascript_sql_driver.as_deref(), javascript, "{text}");
        }
    }

    #[test]
    fn the_import_outranks_the_manifest() {
        for (modules, hint, expect) in [
            (&["sqlite3"][..], Some("psycopg2"), Some(Placeholder::Question)),
            (&["mysql.connector.pooling"], None, Some(Placeholder::Percent)),
            (&["psycopg2", "sqlalchemy"], None, Some(Placeholder::Percent)),
            (&["sqlite3", "psycopg2"], None, None),
            (&["asyncpg"], Some("psycopg2"), None),
            (&["os"], Some("psycopg2"), Some(Placeholder::Percent)),
            (&["os"], None, None),
        ] {
            let found = placeholder(true, modules.iter().copied(), hint);
            assert_eq!(found.ok(), expect, "{modules:?} {hint:?}");
        }
    }
}
