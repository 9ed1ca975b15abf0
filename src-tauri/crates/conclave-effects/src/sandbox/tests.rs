//! The sandbox, tried with real programs. Where none can be built the tests say so and end.

mod escape;
mod layers;
mod limits;

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use conclave_policy::Actor;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use super::{CommandReport, Exit, Limits, RunCommand, SandboxError, guest, probe, run};
use crate::Effect as _;
use crate::gate::tests::permit;

const LIMITS: Limits = Limits {
    wall: Duration::from_secs(20),
    memory_bytes: 1 << 30,
    processes: 64,
    file_bytes: 1 << 20,
    output_bytes: 64 * 1024,
};

/// Whether programs can be run here, with the second layer where the kernel has it; says aloud when not.
pub(crate) fn ready() -> bool {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let guest = build_guest();
        super::confine::OWN.set(guest.clone()).unwrap();
        guest
    });
    probe().inspect_err(|error| println!("skipped: {error}")).is_ok()
}

/// Builds the guest by itself.
fn build_guest() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap();
    let words = ["build", "--package", "conclave-effects", "--example", "sandbox_guest", "--message-format", "json"];
    #[expect(clippy::disallowed_methods, reason = "a test builds what it runs")]
    let built = std::process::Command::new(cargo).args(words).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back().unwrap()
}

/// A folder that stands for a scratch copy, in a folder of ours that the sandbox must not see.
struct Arena {
    folder: tempfile::TempDir,
}

impl Arena {
    /// `None`, with the reason printed, where no sandbox can be built.
    fn new() -> Option<Self> {
        if !ready() {
            return None;
        }
        let arena = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(arena.at("tree")).unwrap();
        arena.plant("tree/file", "content");
        if let Some((user, group)) = guest() {
            std::os::unix::fs::chown(arena.at("tree"), Some(user.as_raw()), Some(group.as_raw())).unwrap();
        }
        Some(arena)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn plant(&self, path: &str, content: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, argv: &[&str]) -> RunCommand {
        RunCommand {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            tree: self.at("tree"),
            writable: true,
            env: Vec::new(),
            read_only: Vec::new(),
            within: Vec::new(),
            loopback: false,
            limits: LIMITS,
            project: None,
        }
    }

    async fn shell(&self, script: &str) -> CommandReport {
        run(permit(self.command(&["sh", "-c", script])).await).await.unwrap()
    }

    /// A pipe in the tree, by which a test sees when a program starts and when its last process has ended.
    fn line(&self) -> Line {
        let path = self.at("tree/line");
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        Line(rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap())
    }
}

struct Line(OwnedFd);

impl Line {
    /// What was written, if nobody holds the other end any more.
    fn hung_up(self) -> Option<String> {
        let mut text = String::new();
        // With a writer left, reading beyond what is there would have to wait, and fails instead.
        fs::File::from(self.0).read_to_string(&mut text).is_ok().then_some(text)
    }

    /// Waits until something was written.
    async fn wait_for_start(&self) {
        let line = self.0.try_clone().unwrap();
        let ready = move || poll(&mut [PollFd::new(&line, PollFlags::IN)], None);
        tokio::task::spawn_blocking(ready).await.unwrap().unwrap();
    }

    /// Waits until nobody holds the other end.
    async fn wait_for_end(self) {
        let wait = move || {
            let mut text = [0; 64];
            // What was written has to be read first: a pipe that holds something is ready whether or not it hung up.
            while rustix::io::read(&self.0, &mut text).is_ok_and(|count| count > 0) {}
            let patience = Timespec { tv_sec: 30, tv_nsec: 0 };
            poll(&mut [PollFd::new(&self.0, PollFlags::empty())], Some(&patience))
        };
        assert_eq!(tokio::task::spawn_blocking(wait).await.unwrap(), Ok(1), "somebody still holds the line");
    }
}

#[tokio::test]
async fn a_program_ends_as_it_ends() {
    let Some(arena) = Arena::new() else { return };
    let cases = [
        ("exit 0", Exit::Code(0)),
        ("exit 1", Exit::Code(1)),
        ("exit 77", Exit::Code(77)),
        ("exit 127", Exit::Code(127)),
        ("kill -9 $$", Exit::Signal(9)),
        ("kill -11 $$", Exit::Signal(11)),
    ];
    for (script, expect) in cases {
        assert_eq!(arena.shell(script).await.status, expect, "{script}");
    }
    let report = arena.shell("echo out; echo err >&2; cat").await;
    assert_eq!((report.stdout.as_slice(), report.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert!(!report.truncated);
}

#[tokio::test]
async fn words_reach_a_program_as_they_are_and_no_shell_sees_them() {
    let Some(arena) = Arena::new() else { return };
    let words =
        ["; touch a", "$(touch b)", "`touch c`", "&& touch d", "| tee e", "> f", "*", "~", "$HOME", "-n\ng", " "];
    let argv: Vec<&str> = ["printf", "%s\\0"].into_iter().chain(words).collect();
    let report = run(permit(arena.command(&argv)).await).await.unwrap();
    assert_eq!(report.stdout, words.map(|word| format!("{word}\0")).concat().into_bytes());
    let left: Vec<_> = fs::read_dir(arena.at("tree")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["file"], "nothing was run but the program");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_not_found() {
    let Some(arena) = Arena::new() else { return };
    arena.plant("tree/tool", "#!/bin/sh\necho from the tree");
    arena.plant("tools/bin/tool", "#!/bin/sh\ncat \"${0%/*}/../settings\"");
    arena.plant("tools/settings", "from the tools\n");
    std::os::unix::fs::symlink(arena.at("tools/bin/tool"), arena.at("tree/away")).unwrap();
    let inner = arena.at("tools/bin/tool");
    let inner = inner.to_str().unwrap();
    for program in [
        "no-such-program",
        "/usr/bin/no-such-program",
        "/scratch/missing",
        "",
        "/scratch/away",
        "/scratch/file/x",
        inner,
    ] {
        let error = run(permit(arena.command(&[program])).await).await.unwrap_err();
        assert_eq!(error, SandboxError::NotFound { program: program.to_owned() });
    }
    let tools = vec![arena.at("tools/bin"), arena.at("tools/settings")];
    for (program, expect) in
        [("/scratch/tool", "from the tree\n"), ("./tool", "from the tree\n"), (inner, "from the tools\n")]
    {
        let command = RunCommand { read_only: tools.clone(), ..arena.command(&[program]) };
        let report = run(permit(command).await).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&report.stdout), expect, "{program}");
    }
}

#[tokio::test]
async fn what_a_project_installed_is_shown_within_the_copy_and_stays_as_it_is() {
    let Some(arena) = Arena::new() else { return };
    arena.plant("project/node_modules/part/index.js", "installed");
    fs::create_dir_all(arena.at("tree/web/node_modules")).unwrap();
    let within = |folder: PathBuf, name: &str| RunCommand {
        within: vec![(folder, name.to_owned())],
        ..arena.command(&["sh", "-c", "cat web/node_modules/part/index.js; echo x > web/node_modules/y; echo x > made"])
    };
    let installed = arena.at("project/node_modules");
    let report = run(permit(within(installed.clone(), "web/node_modules")).await).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&report.stdout), "installed");
    assert!(!installed.join("y").exists() && arena.at("tree/made").exists());
    for (folder, name) in [(installed.clone(), "../out"), (installed.clone(), ""), (PathBuf::from("/"), "top")] {
        let refused = run(permit(within(folder, name)).await).await.unwrap_err();
        assert!(matches!(refused, SandboxError::Io { .. }), "{name}: {refused}");
    }
    assert!(
        within(installed.clone(), "a")
            .request(&Actor::Engine)
            .paths
            .iter()
            .any(|path| path.given == installed.display().to_string())
    );
}

#[tokio::test]
async fn the_tree_is_shown_and_changed_only_if_it_may_be() {
    let Some(arena) = Arena::new() else { return };
    let report = arena.shell("pwd; cat file; echo new > made; mkdir deep && echo x > deep/y").await;
    assert_eq!(String::from_utf8_lossy(&report.stdout), "/scratch\ncontent");
    assert_eq!(report.status, Exit::Code(0));
    assert_eq!(fs::read_to_string(arena.at("tree/made")).unwrap(), "new\n");
    let owner = fs::metadata(arena.at("tree/made")).unwrap().uid();
    let expect = guest().map_or_else(|| rustix::process::geteuid().as_raw(), |(user, _)| user.as_raw());
    assert_eq!(owner, expect, "a program of root's is nobody's to the machine");
    let closed = RunCommand { writable: false, ..arena.command(&["sh", "-c", "rm made; echo y > made; echo y > z"]) };
    assert_ne!(run(permit(closed).await).await.unwrap().status, Exit::Code(0));
    assert_eq!(fs::read_to_string(arena.at("tree/made")).unwrap(), "new\n");
    assert!(!arena.at("tree/z").exists());
}

#[tokio::test]
async fn a_copy_of_a_project_can_be_worked_on() {
    let Some(arena) = Arena::new() else { return };
    arena.plant("project/src/run.sh", "#!/bin/sh\necho it runs; echo changed > src/data");
    arena.plant("project/src/data", "first");
    let data = crate::DataDir::open(&arena.at("data")).unwrap();
    let effect = crate::CopyToScratch { root: arena.at("project"), base: data.scratch_base(), max_bytes: 1 << 20 };
    let scratch = crate::copy(permit(effect).await).unwrap();
    scratch.write("src/deep/more.sh", b"exit 5").unwrap();
    let command = |argv: &[&str]| RunCommand { tree: scratch.path().to_owned(), ..arena.command(argv) };
    let report = run(permit(command(&["./src/run.sh"])).await).await.unwrap();
    assert_eq!((report.stdout.as_slice(), report.status), (&b"it runs\n"[..], Exit::Code(0)), "{report:?}");
    assert_eq!(scratch.read("src/data", 100).unwrap(), b"changed\n");
    let report = run(permit(command(&["sh", "src/deep/more.sh"])).await).await.unwrap();
    assert_eq!(report.status, Exit::Code(5));
    assert_eq!(fs::read_to_string(arena.at("project/src/data")).unwrap(), "first");
}

#[tokio::test]
async fn the_environment_is_a_short_list() {
    let Some(arena) = Arena::new() else { return };
    let command = RunCommand { env: vec![("EXTRA".into(), "a=b c".into())], ..arena.command(&["env"]) };
    let report = run(permit(command).await).await.unwrap();
    let mut lines: Vec<_> = std::str::from_utf8(&report.stdout).unwrap().lines().collect();
    lines.sort_unstable();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(lines, ["EXTRA=a=b c", "HOME=/home/conclave", "LANG=C.UTF-8", path, "PWD=/scratch", "TMPDIR=/tmp"]);
    assert_eq!(arena.shell("ls -A $HOME $TMPDIR | grep -v : ; echo end").await.stdout, b"\nend\n");
}

#[tokio::test]
async fn a_folder_that_shows_too_much_is_refused() {
    let Some(arena) = Arena::new() else { return };
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    for folder in
        [PathBuf::from("/"), home, arena.at(""), arena.at("tree"), arena.at("missing"), PathBuf::from("tools")]
    {
        let command = RunCommand { read_only: vec![folder.clone()], ..arena.command(&["true"]) };
        let error = run(permit(command).await).await.unwrap_err();
        assert!(matches!(error, SandboxError::Io { .. }), "{}: {error}", folder.display());
    }
    let whole = RunCommand { tree: PathBuf::from("/"), ..arena.command(&["true"]) };
    assert!(matches!(run(permit(whole).await).await, Err(SandboxError::Io { .. })));
}

#[tokio::test]
async fn what_runs_is_recorded_with_its_interpreter_and_nothing_else_runs() {
    let Some(arena) = Arena::new() else { return };
    let interpreter = arena.at("tools/bin/interpreter");
    let script = |text: &str| arena.plant("tools/bin/tool", &format!("#!{}\n{text}\n", interpreter.display()));
    let set_up = || {
        let _ = fs::remove_dir_all(arena.at("tools/bin"));
        arena.plant("tools/bin/real", "#!/bin/sh\necho interpreted: \"$@\"\n");
        arena.plant("tools/bin/other", "#!/bin/sh\necho other\n");
        std::os::unix::fs::symlink("real", &interpreter).unwrap();
        script("one");
    };
    set_up();
    let tool = arena.at("tools/bin/tool").display().to_string();
    let command = || RunCommand {
        read_only: vec![arena.at("tools/bin")],
        project: Some("/home/ada/shop".into()),
        ..arena.command(&[&tool, "a b"])
    };
    let permit_now = permit(command()).await;
    let context = &permit_now.request().context;
    let digest = |path: &str| conclave_policy::digest(&fs::read(path).unwrap());
    let shell = fs::canonicalize("/bin/sh").unwrap().display().to_string();
    let real = arena.at("tools/bin/real").display().to_string();
    assert_eq!((&context["program"], &context["program_digest"]), (&tool, &digest(&tool)));
    assert_eq!(context["interpreter"], format!("{real}\n{shell}"));
    assert_eq!(context["interpreter_digest"], format!("{}\n{}", digest(&real), digest(&shell)));
    assert_eq!(context["project"], "/home/ada/shop");
    let report = run(permit_now).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&report.stdout), format!("interpreted: {tool} a b\n"));

    type Swap<'a> = &'a dyn Fn();
    let swaps: [Swap<'_>; 5] = [
        &|| script("two"),
        &|| fs::rename(arena.at("tools/bin/other"), arena.at("tools/bin/tool")).unwrap(),
        &|| {
            fs::remove_file(&interpreter).unwrap();
            std::os::unix::fs::symlink("/usr/bin/env", &interpreter).unwrap();
        },
        &|| {
            fs::rename(arena.at("tree"), arena.at("old-tree")).unwrap();
            arena.plant("tree/file", "");
        },
        &|| {
            fs::rename(arena.at("tools/bin"), arena.at("tools/away")).unwrap();
            arena.plant("tools/bin/tool", "#!/bin/sh\necho other\n");
        },
    ];
    for (number, swap) in swaps.into_iter().enumerate() {
        set_up();
        let permit = permit(command()).await;
        swap();
        let error = run(permit).await.unwrap_err();
        assert!(matches!(error, SandboxError::Stale(crate::Stale::Changed { .. })), "{number}: {error:?}");
    }
}

#[tokio::test]
async fn a_virtual_environment_is_still_one() {
    let Some(arena) = Arena::new() else { return };
    let Ok(python) = PathBuf::from("/usr/bin/python3").canonicalize() else {
        println!("skipped: the system has no `python3`");
        return;
    };
    let home = python.parent().unwrap().display().to_string();
    arena.plant("venv/pyvenv.cfg", &format!("home = {home}\n"));
    fs::create_dir(arena.at("venv/lib")).unwrap();
    fs::create_dir(arena.at("venv/bin")).unwrap();
    std::os::unix::fs::symlink(&python, arena.at("venv/bin/python")).unwrap();
    arena.plant(
        "venv/bin/tool",
        &format!("#!{}\nimport sys; print(sys.prefix)\n", arena.at("venv/bin/python").display()),
    );
    let tool = arena.at("venv/bin/tool");
    let command = RunCommand { read_only: super::tool_folders(&tool), ..arena.command(&[&tool.display().to_string()]) };
    let report = run(permit(command).await).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&report.stdout).trim(), arena.at("venv").display().to_string(), "{report:?}");
}
