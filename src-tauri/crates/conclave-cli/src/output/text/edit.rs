//! A person's own version of a fix, as text.

use conclave_api::view::FixEdited;

use super::{clean, short};

pub(in crate::output) fn edited(view: &FixEdited) -> String {
    let FixEdited { finding, fix, stopped, confidence } = view;
    let finding = short(finding);
    match stopped {
        Some(why) => format!("Your version {fix} was checked and stopped: {}.\nNothing was written.\n", clean(why)),
        None => format!(
            "Your version {fix} was checked: {}, {:.2} ({:.2} to {:.2}).\nNothing was written yet: \
             `conclave apply {finding} --fix {fix}` does.\n",
            confidence.word, confidence.p, confidence.low, confidence.high
        ),
    }
}
