//! What is suspicious about each fix: what the lints see in its text, and its size beside the others.

use conclave_core::candidate::Candidate;
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_core::resolution::Judged;
use conclave_core::smell::{Smell, SmellKind};

use crate::check::Subject;
use crate::source::Sources;

/// Where dependencies are listed, in the folders above a file.
const MANIFESTS: [&str; 9] = [
    "requirements.txt",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "package.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
];
/// Modules that are installed under another name.
const INSTALLED_AS: [(&str, &str); 16] = [
    ("yaml", "pyyaml"),
    ("cv2", "opencv"),
    ("pil", "pillow"),
    ("bs4", "beautifulsoup4"),
    ("sklearn", "scikit-learn"),
    ("jwt", "pyjwt"),
    ("dotenv", "python-dotenv"),
    ("crypto", "pycryptodome"),
    ("cryptodome", "pycryptodomex"),
    ("mysqldb", "mysqlclient"),
    ("dateutil", "python-dateutil"),
    ("openssl", "pyopenssl"),
    ("magic", "python-magic"),
    ("serial", "pyserial"),
    ("git", "gitpython"),
    ("rest_framework", "djangorestframework"),
];

/// What the lints see in the changes of `subject`.
pub(super) fn of(subject: &Subject<'_>) -> Vec<Smell> {
    let knows = |path: &RelPath, module: &str| knows(subject.sources, path, module);
    subject.with_changes(|changes| conclave_fixers::lint(changes, &subject.brief.finding.detection, &knows))
}

/// Whether the manifests above `path`, or the folders around it, know `module`.
fn knows(sources: &Sources, path: &RelPath, module: &str) -> bool {
    let folders = folders(path);
    let read = |name: &str| sources.file(&RelPath::new(name).ok()?).ok();
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let module_name = plain(module);
    let installed =
        INSTALLED_AS.iter().find(|(name, _)| plain(name) == module_name).map_or(&*module_name, |(_, as_)| as_);
    let listed = folders.iter().any(|folder| {
        MANIFESTS.iter().filter_map(|name| read(&format!("{folder}{name}"))).any(|source| {
            let text = plain(source.text().unwrap_or_default());
            text.contains(installed) || text.contains(&module_name)
        })
    });
    let slashed = module.replace('.', "/");
    let own = match Language::of_path(path) {
        // A package of the project begins as the file's own does.
        Some(Language::Java) => path.as_str().contains(slashed.rsplit_once('/').map_or(&*slashed, |(start, _)| start)),
        _ => folders.iter().chain(&["src/".to_owned()]).any(|folder| {
            [format!("{folder}{slashed}.py"), format!("{folder}{slashed}/__init__.py")]
                .iter()
                .any(|name| read(name).is_some())
        }),
    };
    listed || own
}

/// The folders above a file, each with a slash at its end, the project's own one first.
fn folders(path: &RelPath) -> Vec<String> {
    let mut folders = vec![String::new()];
    let parts: Vec<&str> = path.components().collect();
    for end in 1..parts.len() {
        folders.push(format!("{}/", parts[..end].join("/")));
    }
    folders
}

/// A change this small is never large, in bytes.
const SMALL: usize = 600;
/// So many times the size of the one in the middle is large.
const TIMES: usize = 3;

/// Adds what can only be seen beside the other fixes.
pub(super) fn compare(judged: &mut [Judged]) {
    let Some(median) = median(judged.iter().map(|one| size(&one.candidate))) else { return };
    judged.iter_mut().for_each(|one| beside(one, median));
}

/// Adds to `made` what can only be seen beside `others`, which stay as they are.
pub(crate) fn compare_with(made: &mut Judged, others: &[Judged]) {
    let own = size(&made.candidate);
    let sizes = others.iter().map(|one| size(&one.candidate));
    median(sizes.chain([own])).into_iter().for_each(|median| beside(made, median));
}

/// That of the sizes of fixes; one or two have no middle.
fn median(sizes: impl Iterator<Item = usize>) -> Option<usize> {
    let mut sizes: Vec<usize> = sizes.collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied().filter(|_| sizes.len() > 2)
}

fn beside(one: &mut Judged, median: usize) {
    let own = size(&one.candidate);
    if own > SMALL && own > TIMES * median {
        let detail = format!("{own} bytes change, {median} in the fix in the middle");
        one.smells.push(Smell { kind: SmellKind::LargeChange, detail });
        one.smells.sort();
    }
}

/// How many bytes a fix takes away and writes.
fn size(candidate: &Candidate) -> usize {
    candidate
        .patch
        .files
        .iter()
        .flat_map(|file| &file.edits)
        .map(|edit| edit.text.len() + (edit.end - edit.start))
        .sum()
}

#[cfg(test)]
mod tests {
    use conclave_core::candidate::Origin;
    use conclave_core::patch::{Edit, FilePatch, Patch};

    use super::*;

    fn of_size(bytes: usize) -> Judged {
        let path = RelPath::new("a.py").expect("a path");
        let mut file = FilePatch::between(path, "", "x");
        file.edits = vec![Edit { start: 0, end: 0, text: "x".repeat(bytes) }];
        let origin = Origin::Recipe { id: "r".to_owned() };
        let patch = Patch::new(vec![file]);
        let candidate = Candidate::new(origin, patch, "", "");
        Judged {
            candidate,
            also_by: Vec::new(),
            evidence: Vec::new(),
            smells: Vec::new(),
            shape: None,
            parents: Vec::new(),
        }
    }

    #[test]
    fn only_a_fix_far_larger_than_the_one_in_the_middle_is_large() {
        for (sizes, large) in [
            (vec![100, 120, 5_000], vec![false, false, true]),
            (vec![100, 120, 500], vec![false, false, false]),
            (vec![4_000, 5_000, 6_000], vec![false, false, false]),
            (vec![100, 5_000], vec![false, false]),
            (vec![5_000], vec![false]),
        ] {
            let mut judged: Vec<Judged> = sizes.iter().map(|bytes| of_size(*bytes)).collect();
            compare(&mut judged);
            let found: Vec<bool> = judged.iter().map(|one| !one.smells.is_empty()).collect();
            assert_eq!(found, large, "{sizes:?}");
        }
    }

    #[test]
    fn every_folder_above_a_file_is_looked_into() {
        let path = RelPath::new("shop/web/app.py").expect("a path");
        assert_eq!(folders(&path), ["", "shop/", "shop/web/"]);
    }
}
