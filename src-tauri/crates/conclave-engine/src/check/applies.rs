//! Every edit fits the bytes that it was written against.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let fail = |why: String| Evidence::new(Check::Applies, CheckOutcome::Fail, why);
    if subject.candidate.patch.is_empty() {
        return fail("the fix changes nothing".to_owned());
    }
    for file in &subject.candidate.patch.files {
        let before = match subject.sources.file(&file.path) {
            Ok(before) => before,
            Err(why) => return fail(why),
        };
        match file.apply(&before.bytes) {
            Ok(after) => subject.after.insert(file.path.clone(), after),
            Err(error) => return fail(error.to_string()),
        };
    }
    let summary = match subject.after.len() {
        1 => "once, 1 file".to_owned(),
        n => format!("once each, {n} files"),
    };
    Evidence::new(Check::Applies, CheckOutcome::Pass, summary)
}
