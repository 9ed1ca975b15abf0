//! Many findings at once over a real project: one that cannot be treated is no other's affair.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor")]

use std::fs;
use std::path::Path;

use conclave_core::finding::Status;
use conclave_core::project::Project;
use tempfile::TempDir;

use super::*;
use crate::decide;
use crate::open::{Options, open};
use crate::{project, scan};

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

struct Ground {
    folder: TempDir,
    cx: Ctx,
    project: Project,
}

impl Ground {
    /// Conclave over a project in which each of `names` has one weakness.
    fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
        fs::create_dir(folder.path().join("shop")).unwrap();
        for name in names {
            fs::write(folder.path().join("shop").join(name), WEAK).unwrap();
        }
        let project = project::add(&cx, &folder.path().join("shop"), false).unwrap();
        Self { folder, cx, project }
    }

    async fn scan(&self) -> Vec<FindingId> {
        scan::scan(&self.cx, &self.project, None).await.unwrap().findings
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("shop").join(name)
    }

    fn status(&self, id: &FindingId) -> Status {
        self.cx.store.finding(id).unwrap().unwrap().status
    }
}

#[tokio::test]
async fn a_finding_that_somebody_is_at_is_an_item_and_the_others_are_fixed() {
    let ground = Ground::new(&["a.py", "b.py"]);
    let found = ground.scan().await;
    let [busy, free] = found.as_slice() else { panic!("two findings: {found:?}") };
    ground.cx.store.begin_run(busy, true, ground.cx.now_ms()).unwrap();

    let treated = fix(&ground.cx, &found, Consent::Recommended, 1).await.unwrap();
    let [first, second] = treated.as_slice() else { panic!("two items: {treated:?}") };
    assert!(matches!(&first.resolution, Err(RunError::Store(StoreError::Running { .. }))), "{first:?}");
    assert!(matches!(&second.applied, Some(Ok(_))), "{second:?}");
    assert_eq!((ground.status(busy), ground.status(free)), (Status::Running, Status::Fixed));
}

#[tokio::test]
async fn a_fix_that_was_reverted_in_the_file_is_in_nobodys_way() {
    let ground = Ground::new(&["a.py"]);
    let found = ground.scan().await;
    fix(&ground.cx, &found, Consent::Recommended, 1).await.unwrap();
    let fixed = fs::read(ground.file("a.py")).unwrap();
    assert_eq!(ground.status(&found[0]), Status::Fixed);
    let again = decide::apply_fix(&ground.cx, &found[0], None).await;
    assert!(matches!(again, Err(DecideError::Already)), "{again:?}");

    fs::write(ground.file("a.py"), WEAK).unwrap();
    assert_eq!(ground.scan().await, found);
    assert_eq!(ground.status(&found[0]), Status::Open);
    let treated = fix(&ground.cx, &found, Consent::Recommended, 1).await.unwrap();
    assert!(matches!(&treated[0].applied, Some(Ok(_))), "{treated:?}");
    assert_eq!(fs::read(ground.file("a.py")).unwrap(), fixed);

    fs::write(ground.file("a.py"), WEAK).unwrap();
    decide::undo_fix(&ground.cx, &found[0]).await.unwrap();
    assert_eq!((ground.status(&found[0]), fs::read(ground.file("a.py")).unwrap()), (Status::FixReady, WEAK.into()));
}

#[tokio::test]
async fn a_cell_that_the_settings_open_waits_for_outcomes_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let cells: Vec<_> = ["medium", "low"]
        .iter()
        .map(|severity| format!(r#"{{"severity":"{severity}","family":"deserialisation","language":"python","rung":"tests","target":50}}"#))
        .collect();
    fs::write(folder.path().join("data/settings.json"), format!(r#"{{"auto_apply":[{}]}}"#, cells.join(","))).unwrap();
    let (cx, _) = open(&Options { data_dir: folder.path().join("data"), offline: true }).unwrap();
    assert_eq!(cx.settings().auto_apply.len(), 2);
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/a.py"), WEAK).unwrap();
    let project = project::add(&cx, &folder.path().join("shop"), false).unwrap();
    let found = scan::scan(&cx, &project, None).await.unwrap().findings;
    let treated = fix(&cx, &found, Consent::Nothing, 1).await.unwrap();
    assert!(treated[0].applied.is_none() && treated[0].resolution.is_ok(), "{treated:?}");
    assert_eq!(fs::read_to_string(folder.path().join("shop/a.py")).unwrap(), WEAK);
}
