//! pytest.

use super::{Folder, Place, REPORT, Runner, Step, report, starts, words};

/// Files of Python’s own that say where a project begins.
pub(super) const MARKERS: &[&str] =
    &["pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "manage.py", "requirements.txt"];

pub(super) const PYTEST: Runner = Runner {
    name: "pytest",
    extensions: &["py", "pyi"],
    markers: MARKERS,
    outermost: false,
    recognise: |folder| {
        let named = folder.has("pytest.ini")
            || folder.has("conftest.py")
            || folder.says("pyproject.toml", "[tool.pytest")
            || folder.says("setup.cfg", "[tool:pytest]")
            || folder.says("tox.ini", "[pytest]");
        let mut tests = test_files(folder).peekable();
        let any = tests.peek().is_some();
        let unlike_unittest =
            |file: &str| folder.text(file).is_some_and(|text| text.contains("pytest") || !text.contains("unittest"));
        (any && (named || tests.any(unlike_unittest))).then(|| words(&["python", "-m", "pytest"]))
    },
    step: |folder, words| {
        let rest = after(words)?;
        let start = if starts(words.first(), "pytest") && words[0].contains('/') {
            vec![words[0].clone()]
        } else {
            let python = words.first().filter(|word| !starts(Some(word), "pytest"));
            vec![python.map_or("python", String::as_str).to_owned(), "-m".to_owned(), "pytest".to_owned()]
        };
        let ours = ["-p", "no:cacheprovider", &format!("--junitxml={REPORT}"), "-o", "junit_family=xunit1"];
        let argv = start.into_iter().chain(ours.map(str::to_owned)).chain(rest.iter().cloned());
        Some(Ok(python_path(folder, Step::new(argv)).reporting(Place::File, report::junit)))
    },
    build: compile,
};

/// What follows the words that start pytest.
fn after(words: &[String]) -> Option<&[String]> {
    match words {
        [first, rest @ ..] if starts(Some(first), "pytest") || starts(Some(first), "py.test") => Some(rest),
        [python, m, name, rest @ ..] if is_python(python) && m == "-m" && name == "pytest" => Some(rest),
        _ => None,
    }
}

/// Whether `word` starts Python.
pub(super) fn is_python(word: &str) -> bool {
    word.rsplit('/').next().is_some_and(|name| name.starts_with("python"))
}

/// Files named as both pytest and unittest name tests.
pub(super) fn test_files<'a>(folder: &'a Folder<'_>) -> impl Iterator<Item = &'a str> {
    folder.under().filter(|file| {
        let name = file.rsplit('/').next().unwrap_or(file);
        name.strip_suffix(".py").is_some_and(|stem| stem.starts_with("test") || stem.ends_with("_test"))
    })
}

/// Has Python find the copy before anything that is installed: a project that is installed into its environment would
/// else be tested as it was.
pub(super) fn python_path(folder: &Folder<'_>, step: Step) -> Step {
    let here = match folder.at {
        "" => "/scratch".to_owned(),
        at => format!("/scratch/{at}"),
    };
    let path = if folder.under().any(|file| file.starts_with("src/")) { format!("{here}/src:{here}") } else { here };
    step.with("PYTHONPATH", path).with("PYTHONDONTWRITEBYTECODE", "1").with("PYTHONHASHSEED", "0")
}

/// Every touched file compiles.
pub(super) fn compile(_: &Folder<'_>, files: &[String]) -> Option<Step> {
    let argv = ["python", "-m", "py_compile"].map(str::to_owned).into_iter();
    Some(
        Step::new(argv.chain(files.iter().map(|file| format!("./{file}"))))
            .with("PYTHONPYCACHEPREFIX", "/tmp/compiled"),
    )
}
