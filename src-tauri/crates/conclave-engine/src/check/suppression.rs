//! Nothing is added that makes a scanner look away.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_fixers::Change;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    match subject.with_changes(fault) {
        Some(why) => Evidence::new(Check::Suppression, CheckOutcome::Fail, why),
        None => Evidence::new(Check::Suppression, CheckOutcome::Pass, "no marker added"),
    }
}

/// The first marker that the changes add, in words.
pub(super) fn fault(changes: &[Change<'_>]) -> Option<String> {
    changes.iter().find_map(|change| {
        let marker = conclave_fixers::adds_suppression(change.before, change.after)?;
        Some(format!("suppressed, not fixed: it silences the scanner with `{marker}` in `{}`", change.path))
    })
}

#[cfg(test)]
mod tests {
    use conclave_core::path::RelPath;

    use super::*;

    /// One form a line, as tools document it, in a file that they read.
    const FORMS: &str = include_str!("suppression/forms.txt");

    #[test]
    fn every_form_of_silence_is_seen() {
        let forms: Vec<(&str, &str)> = FORMS.lines().filter_map(|line| line.split_once('\t')).collect();
        let missed: Vec<_> = forms
            .iter()
            .filter(|(path, form)| {
                let path = RelPath::new(path).expect("a path");
                let (before, after) = ("run(a)\n".to_owned(), format!("{}\n", form.replace("\\n", "\n")));
                let why = fault(&[Change { path: &path, before: &before, after: &after }]);
                !why.is_some_and(|why| why.starts_with("suppressed, not fixed"))
            })
            .collect();
        println!("forms of suppression: {} of {} flagged", forms.len() - missed.len(), forms.len());
        assert!(forms.len() >= 40);
        assert_eq!(missed, Vec::<&(&str, &str)>::new());
    }
}
