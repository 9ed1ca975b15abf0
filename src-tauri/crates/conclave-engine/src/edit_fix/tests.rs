//! Versions of a person's own, in real projects.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;

use conclave_core::evidence::{Check, CheckOutcome, gates_pass, outcome_of};
use conclave_core::label::{Event as Happened, Standing};
use conclave_core::project::Project;
use tempfile::TempDir;

use super::*;
use crate::batch::{Consent, fix};
use crate::decide::{self, DecideError};
use crate::export::{self, Form};
use crate::open::{Options, open};
use crate::replay::replay;
use crate::{project, scan};

/// The line that the recipe writes.
const FIXED: &str = "    return yaml.load(stream, Loader=yaml.SafeLoader)";
const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n\n\ndef other():\n    return 1\n";

struct Ground {
    folder: TempDir,
    cx: Ctx,
    project: Project,
    finding: FindingId,
}

impl Ground {
    /// A project with one finding, of which a run has come to its end.
    async fn new() -> Self {
        Self::with(WEAK).await
    }

    async fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a.py"), text).unwrap();
        fs::create_dir(root.join("tests")).unwrap();
        fs::write(root.join("tests/test_a.py"), "assert 1\n").unwrap();
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
        let project = project::add(&cx, &root, false).unwrap();
        let found = scan::scan(&cx, &project, None).await.unwrap().findings;
        let [finding] = found.as_slice() else { panic!("{found:?}") };
        let finding = finding.clone();
        fix(&cx, &found, Consent::Nothing, 1).await.unwrap();
        Self { folder, cx, project, finding }
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder.path().join("shop/a.py")).unwrap()
    }

    fn resolution(&self) -> Resolution {
        self.cx.store.resolution(&self.finding).unwrap().unwrap()
    }

    /// What the recommended fix leaves of `a.py`.
    fn fixed(&self) -> String {
        let (_, mut texts) = texts(&self.cx, &self.finding, None).unwrap();
        assert_eq!((texts.len(), texts[0].before.as_str()), (1, WEAK));
        texts.remove(0).after
    }

    async fn edit(&self, files: &[(&str, &str)]) -> Result<Edited, EditFixError> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        edit(&self.cx, &self.finding, None, &Change::Texts(files)).await
    }

    /// What happened to `fix`, as far as it is known.
    fn history(&self, fix: &CandidateId) -> Vec<Happened> {
        let fixes = self.cx.store.known_fixes_in(&self.project.id).unwrap();
        let known = fixes.into_iter().find(|known| known.fix == *fix);
        known.map(|known| known.events.into_iter().map(|(_, event)| event).collect()).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_persons_version_climbs_the_ladder_is_shown_and_applied_and_its_parent_counts_as_edited() {
    let ground = Ground::new().await;
    let parent = ground.resolution().recommended().unwrap().judged.candidate.clone();
    let after = ground.fixed().replace(FIXED, "    data = yaml.safe_load(stream)\n    return data");
    let clocks = |resolution: &Resolution| (resolution.analysis_ms, resolution.verification_ms);
    let before = clocks(&ground.resolution());
    let edited = ground.edit(&[("a.py", &after)]).await.unwrap();
    let now = clocks(&ground.resolution());
    assert!(now.0 == before.0 && now.1 >= before.1, "only checking took time: {before:?} {now:?}");

    let judged = &edited.verdict.judged;
    assert_eq!(edited.verdict.stopped, None, "{judged:?}");
    let Origin::Recipe { id } = &parent.origin else { panic!("{parent:?}") };
    assert_eq!(judged.candidate.origin, Origin::Person { recipe: Some(id.clone()) });
    assert_eq!(judged.parents, std::slice::from_ref(&parent.id));
    assert!(judged.also_by.is_empty() && gates_pass(&judged.evidence), "{judged:?}");
    let looked = [Check::Rescan, Check::OwnRule].map(|check| outcome_of(&judged.evidence, check));
    assert!(looked.contains(&CheckOutcome::Pass), "the detector looked at it too: {judged:?}");
    let terms = &edited.verdict.confidence.terms;
    assert!(!terms.iter().any(|term| term.label.contains("agree")), "{terms:?}");
    assert_eq!(ground.text(), WEAK, "nothing is written before the person applies it");

    let resolution = ground.resolution();
    assert!(resolution.verdict(&edited.fix).is_some() && resolution.verdict(&parent.id).is_some());
    let again = replay(&ground.cx.store, &resolution.run).unwrap().unwrap();
    assert!(again.same, "the conclusion comes out the same from what is kept");

    decide::apply_fix(&ground.cx, &ground.finding, Some(&edited.fix)).await.unwrap();
    assert_eq!(ground.text(), after);
    assert!(matches!(ground.history(&edited.fix).as_slice(), [Happened::Applied { .. }]));
    assert_eq!(ground.history(&parent.id), [Happened::Edited]);
    assert_eq!(Standing::of(&[Happened::Edited]).label(), None, "neither right nor wrong");
    decide::undo_fix(&ground.cx, &ground.finding).await.unwrap();
    assert_eq!(ground.text(), WEAK);
    assert_eq!(ground.history(&parent.id), [Happened::Edited], "its parent was never in the project");
}

#[tokio::test]
async fn what_a_text_field_makes_of_line_ends_changes_none() {
    let (crlf, plain) = (WEAK.replace('\n', "\r\n"), |text: &str| text.replace("\r\n", "\n"));
    let ground = Ground::with(&crlf).await;
    let (_, texts) = texts(&ground.cx, &ground.finding, None).unwrap();
    let as_it_is = ground.edit(&[("a.py", &plain(&texts[0].after))]).await;
    assert!(matches!(as_it_is, Err(EditFixError::Nothing(_))), "{as_it_is:?}");
    let typed = plain(&texts[0].after).replace("return 1", "return 2\n    # new");
    let edited = ground.edit(&[("a.py", &typed)]).await.unwrap();
    assert_eq!(edited.verdict.stopped, None);
    decide::apply_fix(&ground.cx, &ground.finding, Some(&edited.fix)).await.unwrap();
    assert_eq!(ground.text(), typed.replace('\n', "\r\n"));
}

#[tokio::test]
async fn a_version_of_a_version_has_the_first_ones_recipe_and_its_own_parent() {
    let ground = Ground::new().await;
    let fixed = ground.fixed();
    let first = ground.edit(&[("a.py", &fixed.replace("return 1", "return 2"))]).await.unwrap();
    let change = Change::Texts(vec![("a.py".to_owned(), fixed.replace("return 1", "return 3"))]);
    let second = edit(&ground.cx, &ground.finding, Some(&first.fix), &change).await.unwrap();
    assert_eq!(second.verdict.judged.parents, std::slice::from_ref(&first.fix));
    assert_eq!(second.verdict.judged.candidate.origin, first.verdict.judged.candidate.origin);
    assert_eq!(second.verdict.judged.candidate.title, first.verdict.judged.candidate.title);
    // Lines that did not change are in no edit.
    let edits = &second.verdict.judged.candidate.patch.files[0].edits;
    assert!(edits.len() == 2 && edits.iter().all(|edit| !edit.text.contains("def ")), "{edits:?}");
    let resolution = ground.resolution();
    assert!(resolution.verdict(&first.fix).is_some() && resolution.verdict(&second.fix).is_some());
    assert!(replay(&ground.cx.store, &resolution.run).unwrap().unwrap().same);
}

#[tokio::test]
async fn a_version_that_is_checked_twice_at_the_same_time_is_there_once() {
    let ground = Ground::new().await;
    let after = ground.fixed().replace("return 1", "return 2");
    let before = ground.resolution().verdicts.len();
    let files = [("a.py", after.as_str())];
    let (one, other) = tokio::join!(ground.edit(&files), ground.edit(&files));
    let there = |edited: &Result<Edited, EditFixError>| matches!(edited, Err(EditFixError::Nothing(_)));
    assert!(one.is_ok() != other.is_ok() && (there(&one) || there(&other)), "{one:?} {other:?}");
    assert_eq!(ground.resolution().verdicts.len(), before + 1);
}

#[tokio::test]
async fn what_leaves_the_project_is_refused_and_what_no_fix_may_do_is_stopped() {
    let ground = Ground::new().await;
    let (fixed, before) = (ground.fixed(), ground.resolution());
    for path in ["../a.py", "/etc/passwd", "shop/../../a.py", "C:\\a.py"] {
        let refused = ground.edit(&[(path, "x = 1\n")]).await;
        assert!(matches!(refused, Err(EditFixError::Path { .. })), "{path}: {refused:?}");
    }
    let refused = ground.edit(&[("new.py", "x = 1\n")]).await;
    assert!(matches!(refused, Err(EditFixError::File { .. })), "{refused:?}");
    for same in [WEAK, &fixed] {
        assert!(matches!(ground.edit(&[("a.py", same)]).await, Err(EditFixError::Nothing(_))), "{same}");
    }
    assert_eq!(ground.resolution(), before);

    let stopped = [
        (vec![("a.py", fixed.clone()), ("tests/test_a.py", "assert True\n".to_owned())], "it changes a test"),
        (vec![("a.py", WEAK.replace("(stream)\n\n", "(stream)  # nosec\n\n"))], "nosec"),
        (vec![("a.py", fixed.replace("return 1", "return ("))], "parse"),
        (vec![("a.py", format!("# only a comment\n{WEAK}"))], "comments"),
    ];
    for (files, why) in stopped {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let edited = ground.edit(&files).await.unwrap();
        let said = edited.verdict.stopped.unwrap_or_default();
        assert!(said.contains(why), "{files:?}: {said}");
        let refused = decide::apply_fix(&ground.cx, &ground.finding, Some(&edited.fix)).await;
        assert!(matches!(refused, Err(DecideError::NoFix(_))), "{refused:?}");
    }
    assert_eq!(ground.text(), WEAK);
}

#[tokio::test]
async fn a_patch_that_was_exported_and_edited_by_hand_is_a_version() {
    let ground = Ground::new().await;
    let exported = export::fix(&ground.cx, &ground.finding, None, Form::Patch).unwrap().text;
    let by_hand = exported.replace(&format!("+{FIXED}"), "+    data = yaml.safe_load(stream)\n+    return data");
    assert_ne!(by_hand, exported);
    let unchanged = edit(&ground.cx, &ground.finding, None, &Change::Patch(exported)).await;
    assert!(matches!(unchanged, Err(EditFixError::Nothing(_))), "{unchanged:?}");
    let edited = edit(&ground.cx, &ground.finding, None, &Change::Patch(by_hand)).await.unwrap();
    assert_eq!(edited.verdict.stopped, None);
    let (_, texts) = texts(&ground.cx, &ground.finding, Some(&edited.fix)).unwrap();
    assert_eq!(
        texts[0].after,
        WEAK.replace("return yaml.load(stream)", "data = yaml.safe_load(stream)\n    return data")
    );
    let refused = edit(&ground.cx, &ground.finding, None, &Change::Patch("no patch".to_owned())).await;
    assert!(matches!(refused, Err(EditFixError::Patch(_))), "{refused:?}");
}

#[tokio::test]
async fn nothing_is_edited_under_a_run_after_a_change_or_where_a_fix_is_applied() {
    let ground = Ground::new().await;
    let after = ground.fixed().replace("return 1", "return 2");
    let file = ground.folder.path().join("shop/a.py");
    fs::write(&file, format!("# new\n{WEAK}")).unwrap();
    let refused = ground.edit(&[("a.py", &after)]).await;
    assert!(matches!(refused, Err(EditFixError::Changed(_))), "{refused:?}");
    fs::write(&file, WEAK).unwrap();

    decide::apply_fix(&ground.cx, &ground.finding, None).await.unwrap();
    assert!(matches!(ground.edit(&[("a.py", &after)]).await, Err(EditFixError::Busy(_))));
    decide::undo_fix(&ground.cx, &ground.finding).await.unwrap();
    ground.cx.store.begin_run(&ground.finding, true, 0).unwrap();
    assert!(matches!(ground.edit(&[("a.py", &after)]).await, Err(EditFixError::Busy(_))));
    let unknown = texts(&ground.cx, &FindingId::new("no"), None);
    assert!(matches!(unknown, Err(EditFixError::NoFinding(_))), "{unknown:?}");
}
