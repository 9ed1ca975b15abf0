//! A worker that is a shell script, in the real sandbox. Where none can be built the tests say so and end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::*;
use crate::gate::tests::permit;
use crate::sandbox::tests::ready;
use crate::{DataDir, Secret};

struct Arena {
    folder: tempfile::TempDir,
}

impl Arena {
    /// With a program of these lines; `None`, with the reason printed, where no sandbox can be built.
    fn new(script: &str) -> Option<Self> {
        if !ready() {
            return None;
        }
        let arena = Self { folder: tempfile::tempdir().unwrap() };
        arena.plant("worker", &format!("#!/bin/sh\n{script}\n"));
        arena.plant("model", "weights");
        Some(arena)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn plant(&self, path: &str, content: &str) {
        fs::write(self.at(path), content).unwrap();
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn worker(&self) -> StartWorker {
        let folder = DataDir::open(&self.at("data")).unwrap().worker_folder().unwrap();
        let (program, model) = (self.at("worker"), self.at("model"));
        StartWorker { program, model, folder: Some(folder) }
    }

    async fn start(&self) -> (Worker, Hearing) {
        start_worker(permit(self.worker()).await).await.unwrap()
    }

    fn text(&self, text: &str, known: &[&Secret]) -> TellWorker {
        let body = Body::redacted(text.as_bytes().to_vec(), known).unwrap();
        TellWorker { program: self.at("worker"), body, facts: Facts::default(), purpose: "test".to_owned() }
    }
}

async fn heard(hearing: &mut Hearing) -> String {
    String::from_utf8(hearing.next_line().await.unwrap()).unwrap()
}

#[tokio::test]
async fn lines_go_to_a_worker_and_come_from_it() {
    let Some(arena) = Arena::new(
        "echo \"$(cat $(dirname $0)/model) $GGML_NO_BACKTRACE\"; while read -r line; do echo \"$line\" | tee -a log; done",
    ) else {
        return;
    };
    let (mut worker, mut hearing) = arena.start().await;
    assert_eq!(heard(&mut hearing).await, "weights 1", "it sees its model and its environment");
    worker.tell(permit(arena.text("a question", &[])).await).await.unwrap();
    assert_eq!(heard(&mut hearing).await, "a question");
    worker.signal("{}").await.unwrap();
    assert_eq!(heard(&mut hearing).await, "{}");
    let key = Secret::new("correct-horse-battery".to_owned());
    worker.tell(permit(arena.text("the key is correct-horse-battery", &[&key])).await).await.unwrap();
    let told = heard(&mut hearing).await;
    assert!(told.starts_with("the key is ") && !told.contains("horse"), "{told}");
    drop(worker);
    assert_eq!(hearing.next_line().await, None);
    assert_eq!(hearing.ended().await.0, Some(Exit::Code(0)));
    let log = fs::read_to_string(arena.at("data/worker/log")).unwrap();
    assert_eq!(log.lines().count(), 3, "it may write its folder");
}

#[tokio::test]
async fn what_is_not_a_line_for_this_worker_is_not_told() {
    let Some(arena) = Arena::new("while read -r line; do echo \"$line\"; done") else { return };
    let (mut worker, mut hearing) = arena.start().await;
    let two = worker.tell(permit(arena.text("a\nb", &[])).await).await;
    assert!(matches!(two, Err(WorkerError::Unfit(_))), "{two:?}");
    let long = worker.signal(&"x".repeat(LONGEST_SIGNAL + 1)).await;
    assert!(matches!(long, Err(WorkerError::Unfit(_))), "{long:?}");
    let other = TellWorker { program: PathBuf::from("/usr/bin/other"), ..arena.text("a", &[]) };
    let other = worker.tell(permit(other).await).await;
    assert!(matches!(other, Err(WorkerError::Stale(_))), "{other:?}");
    worker.signal("end").await.unwrap();
    assert_eq!(heard(&mut hearing).await, "end", "nothing came before it");
}

#[tokio::test]
async fn a_worker_that_crashes_says_how() {
    let Some(arena) = Arena::new("read -r line; echo \"no more: $line\" >&2; kill -ABRT $$") else { return };
    let (mut worker, mut hearing) = arena.start().await;
    worker.signal("now").await.unwrap();
    assert_eq!(hearing.next_line().await, None);
    let (exit, stderr) = hearing.ended().await;
    assert_eq!((exit, stderr.as_slice()), (Some(Exit::Signal(6)), b"no more: now\n".as_slice()));
    // What is written may have been taken before the end was seen; in the end it is not.
    while worker.signal("still there?").await.is_ok() {}
    assert_eq!(worker.signal("still there?").await, Err(WorkerError::Ended));
}

#[tokio::test]
async fn a_line_without_end_ends_the_hearing() {
    let Some(arena) = Arena::new("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo more; read -r line") else {
        return;
    };
    let (_worker, mut hearing) = arena.start().await;
    assert_eq!(hearing.next_line().await, None);
    hearing.end().await;
}

#[tokio::test]
async fn a_worker_ends_with_those_who_hear_it() {
    let Some(arena) = Arena::new("exec 7>line; echo up; sleep 1000 & wait") else { return };
    for ends_it in [true, false] {
        let start = arena.worker();
        let path = start.folder.clone().unwrap().join("line");
        let _ = fs::remove_file(&path);
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let line = rustix::fs::open(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let (worker, mut hearing) = start_worker(permit(start).await).await.unwrap();
        assert_eq!(heard(&mut hearing).await, "up");
        if ends_it {
            hearing.end().await;
        } else {
            drop(hearing);
        }
        let gone = move || {
            let patience = Timespec { tv_sec: 30, tv_nsec: 0 };
            poll(&mut [PollFd::new(&line, PollFlags::empty())], Some(&patience))
        };
        assert_eq!(tokio::task::spawn_blocking(gone).await.unwrap(), Ok(1), "somebody still holds the line");
        drop(worker);
    }
}

#[tokio::test]
async fn what_was_judged_is_what_starts() {
    let Some(arena) = Arena::new("echo judged") else { return };
    for path in ["worker", "model"] {
        let allowed = permit(arena.worker()).await;
        fs::rename(arena.at(path), arena.at("old")).unwrap();
        arena.plant(path, "#!/bin/sh\necho another\n");
        let started = start_worker(allowed).await.map(drop);
        assert!(matches!(started, Err(SandboxError::Stale(_))), "{path}: {started:?}");
    }
}

#[test]
fn what_is_told_is_recorded_by_its_digest() {
    let text = |text: &str| TellWorker {
        program: PathBuf::from("/opt/worker"),
        body: Body::redacted(text.as_bytes().to_vec(), &[]).unwrap(),
        facts: Facts { model: Some("m".to_owned()), model_class: Some(crate::ModelClass::Local), ..Facts::default() },
        purpose: "ask".to_owned(),
    };
    let request = text("print(1)").request(&Actor::Reviewer);
    assert_eq!((request.action, request.resource.as_str()), (Action::RunCommand, "/opt/worker"));
    for (key, expect) in [("sandbox", "yes"), ("place", "worker"), ("model_class", "local"), ("bytes", "8")] {
        assert_eq!(request.context.get(key).map(String::as_str), Some(expect), "{key}");
    }
    assert!(!serde_json::to_string(&request).unwrap().contains("print"));
    assert_ne!(request.digest(), text("print(2)").request(&Actor::Reviewer).digest());
}
