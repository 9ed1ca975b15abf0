//! Watching a real folder, and the queue by itself. Each test waits for what must come; none waits for time to pass.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::gate::tests::permit;

struct Ground {
    folder: tempfile::TempDir,
    watch: Watch,
    seen: BTreeSet<Change>,
}

impl Ground {
    async fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (path, content) in files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), content).unwrap();
        }
        let watch = watch(permit(WatchProject { root }).await).unwrap();
        Self { folder, watch, seen: BTreeSet::new() }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn write(&self, path: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), "new").unwrap();
    }

    /// Waits until `change` was reported.
    async fn sees(&mut self, change: Change) {
        while !self.seen.contains(&change) {
            let next = tokio::time::timeout(Duration::from_secs(30), self.watch.next()).await;
            let Ok(Some(batch)) = next else { panic!("{change:?} is not among {:?}", self.seen) };
            self.seen.extend(batch);
        }
    }

    fn mentions(&self, text: &str) -> bool {
        self.seen.iter().any(|change| format!("{change:?}").contains(text))
    }
}

fn touched(path: &str) -> Change {
    Change::Touched(path.to_owned())
}

fn removed(path: &str) -> Change {
    Change::Removed(path.to_owned())
}

#[tokio::test]
async fn files_that_come_change_and_go_are_reported() {
    let mut ground = Ground::new(&[("a.py", "a"), ("src/b.py", "b"), ("old.py", "o")]).await;
    ground.write("src/b.py");
    ground.write("new.sarif");
    fs::remove_file(ground.at("a.py")).unwrap();
    fs::rename(ground.at("old.py"), ground.at("src/moved.py")).unwrap();
    for change in
        [touched("src/b.py"), touched("new.sarif"), removed("a.py"), removed("old.py"), touched("src/moved.py")]
    {
        ground.sees(change).await;
    }
    assert!(!ground.seen.contains(&Change::Rescan), "{:?}", ground.seen);
}

#[tokio::test]
async fn a_file_saved_by_renaming_is_reported_as_changed() {
    let mut ground = Ground::new(&[("a.py", "a")]).await;
    ground.write(".a.py.swp");
    fs::rename(ground.at(".a.py.swp"), ground.at("a.py")).unwrap();
    ground.sees(touched("a.py")).await;
    assert!(!ground.seen.contains(&removed("a.py")));
}

#[tokio::test]
async fn folders_that_come_later_are_watched_to_their_bottom() {
    let mut ground = Ground::new(&[]).await;
    ground.write("deep/er/est/a.py");
    ground.sees(touched("deep/er/est/a.py")).await;
    ground.write("deep/er/est/b.py");
    ground.sees(touched("deep/er/est/b.py")).await;
    let elsewhere = tempfile::tempdir_in(ground.folder.path().parent().unwrap()).unwrap();
    fs::create_dir(elsewhere.path().join("moved")).unwrap();
    fs::write(elsewhere.path().join("moved/in.py"), "").unwrap();
    fs::rename(elsewhere.path().join("moved"), ground.at("moved")).unwrap();
    ground.sees(touched("moved/in.py")).await;
    fs::remove_dir_all(ground.at("deep")).unwrap();
    ground.sees(removed("deep")).await;
    ground.write("deep/er/again.py");
    ground.sees(touched("deep/er/again.py")).await;
}

#[tokio::test]
async fn what_is_ignored_or_no_file_is_not_reported() {
    let ignores = ".gitignore";
    let mut ground =
        Ground::new(&[(ignores, "*.log\nnode_modules/\n"), ("node_modules/m/i.js", ""), (".git/HEAD", "")]).await;
    ground.write("x.log");
    ground.write("node_modules/m/i.js");
    ground.write("node_modules/n/i.js");
    ground.write("later/node_modules/m.js");
    ground.write(".git/HEAD");
    ground.write(".git/index");
    std::os::unix::fs::symlink("/etc/passwd", ground.at("link.py")).unwrap();
    ground.write("later/last.py");
    ground.sees(touched("later/last.py")).await;
    ground.write("very-last.py");
    ground.sees(touched("very-last.py")).await;
    for text in ["node_modules", ".log", ".git", "Touched(\"link.py\")"] {
        assert!(!ground.mentions(text), "{text}: {:?}", ground.seen);
    }
}

#[tokio::test]
async fn a_changed_ignore_file_asks_for_a_rescan_and_holds_from_then_on() {
    let mut ground = Ground::new(&[(".gitignore", "out/\n"), ("out/a.py", "")]).await;
    fs::write(ground.at(".gitignore"), "*.tmp\n").unwrap();
    ground.sees(Change::Rescan).await;
    ground.write("b.tmp");
    ground.write("out/a.py");
    ground.sees(touched("out/a.py")).await;
    assert!(!ground.mentions("b.tmp"));
}

#[tokio::test]
async fn a_project_that_goes_away_is_reported() {
    let mut ground = Ground::new(&[("a.py", "a")]).await;
    fs::remove_dir_all(ground.at("")).unwrap();
    ground.sees(Change::Rescan).await;
}

#[tokio::test]
#[ignore = "run by the test below, where only two folders may be watched"]
async fn under_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("a/b/c")).unwrap();
    if let Err(error) = watch(permit(WatchProject { root }).await) {
        println!("said: {error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_s_limit_is_said_in_words() {
    let script = "echo 2 > /proc/sys/user/max_inotify_watches || { echo skipped: no user namespace; exit; }
        exec \"$0\" --exact watch::tests::under_a_limit --ignored --nocapture";
    #[expect(clippy::disallowed_methods, reason = "the limit is lowered for a process of its own")]
    let mut child = std::process::Command::new("unshare");
    child.args(["-Ur", "sh", "-c", script]).arg(std::env::current_exe().unwrap());
    let said = child.output().map_or_else(
        |_| "skipped: no `unshare`".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    let limit = format!("said: {}", FsError::WatchLimit);
    assert!(said.contains(&limit) || said.starts_with("skipped"), "{said}");
}

#[tokio::test]
async fn a_reader_that_cannot_keep_up_is_told_to_look_at_everything() {
    let (sender, changes) = channel(QUEUE);
    let overflowed = Arc::new(AtomicBool::new(false));
    let outlet = Outlet { sender, overflowed: Arc::clone(&overflowed) };
    let (stop, _) = std::sync::mpsc::channel();
    let mut watch = Watch { changes, overflowed, _stop: follow::Stop(stop) };
    outlet.put(vec![removed("b"), touched("a"), removed("b")]);
    outlet.put(Vec::new());
    assert_eq!(watch.next().await, Some(vec![touched("a"), removed("b")]));
    for number in 0..QUEUE + 1 {
        outlet.put(vec![touched(&number.to_string())]);
    }
    assert_eq!(watch.next().await, Some(vec![Change::Rescan]));
    outlet.put((0..=LARGEST_BATCH).map(|number| touched(&number.to_string())).collect());
    assert_eq!(watch.next().await, Some(vec![Change::Rescan]));
    outlet.put(vec![touched("a")]);
    assert_eq!(watch.next().await, Some(vec![touched("a")]), "and then it goes on");
}
