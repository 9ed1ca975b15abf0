//! Only files that a fix of this finding may touch are touched.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::path::RelPath;
use conclave_fixers::Place;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let reported = subject.brief.finding.detection.location.as_ref().map(|location| &location.path);
    let touched = subject.candidate.patch.files.iter().map(|file| &file.path);
    match fault(touched, reported) {
        Some(why) => Evidence::new(Check::Paths, CheckOutcome::Fail, why),
        None => Evidence::new(Check::Paths, CheckOutcome::Pass, "no test, dependency, CI, build or scanner file"),
    }
}

/// What speaks against touching these files, when `reported` is the one that the finding is in.
pub(super) fn fault<'p>(mut touched: impl Iterator<Item = &'p RelPath>, reported: Option<&RelPath>) -> Option<String> {
    touched.find_map(|path| {
        let place = Place::of(path)?;
        // A finding in a protected file may be fixed there; version control's own files never.
        let allowed = Some(path) == reported && place != Place::VersionControl;
        (!allowed).then(|| format!("it changes {}, `{path}`", place.label()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protected_file_may_only_be_touched_where_the_finding_is_in_it() {
        for (touched, reported, fault_is) in [
            (vec!["a.py"], "a.py", None),
            (vec!["a.py", "b.py"], "a.py", None),
            (vec!["a.py", "package.json"], "a.py", Some("it changes the list of dependencies, `package.json`")),
            (vec!["package.json"], "package.json", None),
            (vec![".github/workflows/ci.yml"], ".github/workflows/ci.yml", None),
            (vec![".git/config"], ".git/config", Some("it changes version control\u{2019}s own files, `.git/config`")),
        ] {
            let paths: Vec<RelPath> = touched.iter().map(|path| RelPath::new(path).expect("a path")).collect();
            let reported = RelPath::new(reported).expect("a path");
            assert_eq!(fault(paths.iter(), Some(&reported)).as_deref(), fault_is, "{touched:?}");
        }
    }
}
