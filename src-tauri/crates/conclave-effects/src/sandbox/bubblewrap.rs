//! The sandbox as bubblewrap builds it: what it shows, what it hides, and how it is found.
//!
//! Root and everybody else go through the same sandbox, root after having become nobody (`descent`).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{PipeReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use conclave_policy::ToolRequest;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::confine;
use super::descent::Descent;
use super::frozen::Frozen;
use super::guest::{guest, is_the_system, would_be_root};
use super::launch::{Executed, executed};
use super::mounts::{Mount, SEARCHED, SYSTEM, mounts};
use super::usage::Tree;
use super::{Limits, RunCommand, SandboxError, WORK, filter, program, recorded};
use crate::Stale;
use crate::touched::{Identity, is_same};

/// Oldest bubblewrap with everything we ask of it (`--disable-userns`, `--size`).
const OLDEST: (u32, u32) = (0, 8);
const INSTALL: &str = "install the package `bubblewrap`, version 0.8 or newer (Debian: `apt install bubblewrap`)";

/// The only environment a program starts with, beside what its caller adds.
const ENVIRONMENT: [(&str, &str); 4] =
    [("PATH", SEARCHED), ("HOME", "/home/conclave"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8")];

/// What tools need of `/etc`: where alternatives point, where libraries are, which authorities are known.
const SETTINGS: [&str; 5] =
    ["/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl/certs"];

/// The descriptor by which bubblewrap tells how the program ended.
const STATUS_FD: i32 = 3;
/// By which the last look tells that everything is as it was judged.
const SEEN_FD: i32 = 5;
/// By which bubblewrap gets its filters.
const FILTER_FDS: [i32; 2] = [4, 6];
/// The first descriptor of programs whose bytes are shown.
const FIRST_PROGRAM_FD: i32 = 7;

/// The last look, from inside, when nothing that is shown can be exchanged any more: each folder is the one with this
/// device and inode, and each program's name leads to the one that was compared. `LOOK` and a name, then what it should
/// be; then `--` and the rest of the line.
const LOOK: &str = r#"
while [ "$1" != -- ]; do
    case $1 in
        folder) seen=$(/usr/bin/stat -c %d:%i -- "$2") ;;
        *) seen=$(/usr/bin/readlink -f -- "$2") ;;
    esac
    [ "$seen" = "$3" ] || exit
    shift 3
done
shift
echo seen >&5
exec 5>&-
exec "$@"
"#;

/// The programs that make up the sandbox.
#[derive(Clone, Debug)]
pub(super) struct Bubblewrap {
    bwrap: PathBuf,
    prlimit: PathBuf,
    descent: Option<Descent>,
    version: String,
    /// Our own program, which takes the last step under Landlock, or why there is none to take it.
    confined_by: Result<PathBuf, String>,
}

impl fmt::Display for Bubblewrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.confined_by {
            Ok(_) => write!(f, "bubblewrap {}, Landlock", self.version),
            Err(why) => write!(f, "bubblewrap {}; without Landlock as its second layer: {why}", self.version),
        }
    }
}

/// A command that is ready to be started, and where it will say how it ended.
pub(crate) struct Prepared {
    pub command: Command,
    pub status: PipeReader,
    /// Has something in it once everything was found as it was judged, right before the program.
    pub seen: PipeReader,
    /// What it may write, as it is before the run.
    pub tree: Option<Tree>,
}

/// Finds the sandbox and tries it out, once per process.
pub(super) fn detect() -> Result<&'static Bubblewrap, SandboxError> {
    static FOUND: OnceLock<Result<Bubblewrap, SandboxError>> = OnceLock::new();
    FOUND.get_or_init(|| Bubblewrap::find().and_then(Bubblewrap::tried)).as_ref().map_err(Clone::clone)
}

impl Bubblewrap {
    fn find() -> Result<Self, SandboxError> {
        let bwrap = of_the_system("bwrap").ok_or_else(|| unavailable(format!("`bwrap` is missing; {INSTALL}")))?;
        let util_linux = |name| {
            of_the_system(name)
                .ok_or_else(|| unavailable(format!("`{name}` is missing; install the package `util-linux`")))
        };
        if would_be_root() {
            let reason =
                "as root of a user namespace that knows no other user, the number of processes cannot be limited";
            return Err(unavailable(format!("{reason}; start as an ordinary user, or as root of the machine")));
        }
        let prlimit = util_linux("prlimit")?;
        let descent = match guest() {
            None => None,
            Some(nobody) => Some(Descent { unshare: util_linux("unshare")?, setpriv: util_linux("setpriv")?, nobody }),
        };
        #[expect(clippy::disallowed_methods, reason = "asks our own sandbox for its version")]
        let said = Command::new(&bwrap).arg("--version").env_clear().output();
        let said = said.map_err(|error| unavailable(format!("`bwrap` does not start: {error}; {INSTALL}")))?;
        let said = String::from_utf8_lossy(&said.stdout);
        let version = said.split_whitespace().last().unwrap_or_default().to_owned();
        if parse_version(&version).is_none_or(|found| found < OLDEST) {
            return Err(unavailable(format!("`bwrap` has version `{version}`; {INSTALL}")));
        }
        let confined_by = confine::own_program();
        Ok(Self { bwrap, prlimit, descent, version, confined_by })
    }

    /// Tries it, and without its second layer where that is what fails. What holds here holds for all runs: a second layer
    /// that was there and fails later fails its run.
    fn tried(mut self) -> Result<Self, SandboxError> {
        let Err(first) = self.runs() else { return Ok(self) };
        if self.confined_by.is_err() {
            return Err(first);
        }
        self.confined_by = Err(first.to_string());
        self.runs().map(|()| self)
    }

    /// Runs a program that does nothing; a sandbox that was never tried is not one to promise.
    fn runs(&self) -> Result<(), SandboxError> {
        let nothing = RunCommand {
            argv: vec!["true".to_owned()],
            tree: PathBuf::from("/usr"),
            writable: false,
            env: Vec::new(),
            read_only: Vec::new(),
            within: Vec::new(),
            loopback: false,
            limits: Limits {
                wall: Duration::from_secs(10),
                memory_bytes: 1 << 30,
                processes: 64,
                file_bytes: 1 << 20,
                output_bytes: 1 << 12,
            },
            project: None,
        };
        let Prepared { mut command, status, seen, .. } = self.prepare(&nothing, None, Vec::new())?;
        let done = command.output().map_err(|error| unavailable(error.to_string()))?;
        drop((status, seen));
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.lines().last().unwrap_or("it gave no reason");
        Err(unavailable(format!(
            "`{said}`; user namespaces may be switched off: see `kernel.unprivileged_userns_clone`, \
             `user.max_user_namespaces` or, on Ubuntu, `kernel.apparmor_restrict_unprivileged_userns`"
        )))
    }

    /// Builds the command line for one run; starts nothing. What is shown and started has to be what `judged` says, where
    /// there is one; `own` is ours and nobody judged it.
    pub(super) fn prepare(
        &self,
        run: &RunCommand,
        judged: Option<&ToolRequest>,
        own: Vec<Mount>,
    ) -> Result<Prepared, SandboxError> {
        let mut mounts = mounts(run)?;
        let executed = executed(run, &mounts)?;
        if let Some(judged) = judged {
            as_judged(&executed, judged)?;
        }
        // Folders out of which something is executed; the work itself stays the living one.
        let beside = |file: &Executed| [&file.name, &file.inside].map(|path| path.parent().map(Path::to_owned));
        let used: BTreeSet<PathBuf> = executed.iter().flat_map(beside).flatten().collect();
        let (mut pins, mut pinned) = (Vec::new(), Vec::new());
        for file in &executed {
            if let Some(bytes) = file.pinned()? {
                pins.push(bytes);
                pinned.push(file.inside.clone());
            }
        }
        let mut look = Vec::new();
        let mut frozen = BTreeMap::new();
        for (n, mount) in in_order(&mounts).enumerate() {
            let handle = open_shown(&mount.host)?;
            let identity = Identity::of(&handle);
            if let Some(judged) = judged {
                is_same(judged, n, identity)?;
            }
            if mount.inside != Path::new(WORK) && used.contains(&mount.inside) {
                frozen.insert(mount.inside.clone(), Frozen::of(&handle)?);
                continue;
            }
            // A program that is shown by itself is shown by the bytes that were compared.
            if pinned.contains(&mount.inside) {
                continue;
            }
            let identity = identity.map(|identity| identity.to_string()).unwrap_or_default();
            look.extend(["folder".into(), mount.inside.clone().into_os_string(), identity.into()]);
        }
        for file in &executed {
            look.extend(["program".into(), file.name.clone().into(), file.inside.clone().into()]);
        }
        let program = executed.first().map(|file| file.name.clone()).unwrap_or_default();
        let tree = mounts.iter().find(|mount| mount.writable).map(|mount| Tree::before(&mount.host));
        mounts.extend(own);
        if let Ok(program) = &self.confined_by {
            mounts.push(Mount { host: program.clone(), inside: confine::INSIDE.into(), writable: false });
        }
        let mut line = Vec::new();
        let mounts = match &self.descent {
            None => mounts,
            Some(descent) => descent.begin(&mut line, mounts)?,
        };
        line.push(self.bwrap.clone().into());
        line.extend(namespaces());
        line.extend(system());
        line.extend(private_folders(run.limits.file_bytes));
        for mount in mounts.iter().filter(|mount| !pinned.contains(&mount.inside)) {
            match frozen.get(&mount.inside) {
                Some(frozen) => line.extend(frozen.arguments(mount, &pinned)),
                None => line.extend(mount.arguments()),
            }
        }
        for (fd, inside) in (FIRST_PROGRAM_FD..).zip(&pinned) {
            line.extend(arguments(["--perms", "0555", "--ro-bind-data", &fd.to_string()]));
            line.push(inside.clone().into());
        }
        for folder in frozen.keys() {
            line.extend(["--remount-ro".into(), folder.clone().into()]);
        }
        line.extend(arguments(["--chdir", WORK, "--remount-ro", "/"]));
        let fixed = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in fixed.iter().chain(&run.env) {
            line.extend(arguments(["--setenv", name, value]));
        }
        line.extend(arguments(["--json-status-fd", &STATUS_FD.to_string()]));
        for fd in FILTER_FDS {
            line.extend(arguments(["--add-seccomp-fd", &fd.to_string()]));
        }
        line.push("--".into());
        line.extend(arguments(["/bin/sh", "-c", LOOK, "look"]));
        line.extend(look);
        line.push("--".into());
        if self.confined_by.is_ok() {
            line.extend(confine::arguments(run.writable, run.loopback));
        }
        line.push(self.prlimit.clone().into());
        line.extend(limits(&run.limits));
        line.push(program.into());
        line.extend(run.argv.iter().skip(1).map(OsString::from));
        with_descriptors(line, pins, run.loopback, tree)
    }
}

/// Whether `executed` is what was judged.
fn as_judged(executed: &[Executed], judged: &ToolRequest) -> Result<(), SandboxError> {
    let facts = recorded(executed);
    let keys = ["program", "program_digest", "interpreter", "interpreter_digest"];
    for key in keys {
        let now = facts.iter().find(|(name, _)| *name == key).map(|(_, value)| value);
        if judged.context.get(key) != now {
            return Err(Stale::changed(now.map_or(key, String::as_str)).into());
        }
    }
    Ok(())
}

/// Opens what is shown, a folder or a file, to look at and no more.
fn open_shown(path: &Path) -> Result<OwnedFd, SandboxError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOENT => Stale::changed(path).into(),
        _ => SandboxError::Io { reason: format!("`{}`: {errno}", path.display()) },
    })
}

/// The mounts in the order in which a request names them: the work first.
fn in_order(mounts: &[Mount]) -> impl Iterator<Item = &Mount> {
    mounts
        .iter()
        .filter(|mount| mount.inside == Path::new(WORK))
        .chain(mounts.iter().filter(|mount| mount.inside != Path::new(WORK)))
}

/// Words of a command line.
pub(super) fn arguments<const N: usize>(texts: [&str; N]) -> impl Iterator<Item = OsString> + use<N> {
    texts.map(OsString::from).into_iter()
}

fn namespaces() -> impl Iterator<Item = OsString> {
    arguments([
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--hostname",
        "sandbox",
    ])
}

/// The system's programs and libraries, read-only.
fn system() -> Vec<OsString> {
    let mut line: Vec<OsString> = arguments(["--ro-bind", "/usr", "/usr"]).collect();
    for folder in SYSTEM {
        match fs::read_link(folder) {
            Ok(target) => line.extend(["--symlink".into(), target.into(), folder.into()]),
            Err(_) => line.extend(arguments(["--ro-bind-try", folder, folder])),
        }
    }
    // A Java development kit keeps its settings in `/etc/java-<version>-openjdk`.
    let java = fs::read_dir("/etc").into_iter().flatten().flatten();
    let java = java.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"java-")).map(|e| e.path());
    for path in SETTINGS.iter().map(PathBuf::from).chain(java) {
        line.extend(["--ro-bind-try".into(), path.clone().into(), path.into()]);
    }
    line
}

/// What the program has to itself, gone when it ends.
fn private_folders(bytes: u64) -> impl Iterator<Item = OsString> {
    const SHARED_MEMORY: u64 = 64 << 20;
    let size = bytes.clamp(4096, 1 << 40).to_string();
    let line = arguments(["--proc", "/proc", "--dev", "/dev", "--size", &SHARED_MEMORY.to_string(), "--tmpfs"]);
    let line = line.chain(arguments(["/dev/shm", "--remount-ro", "/dev", "--size", &size, "--tmpfs", "/tmp"]));
    line.chain(arguments(["--size", &size, "--tmpfs", "/home", "--dir", "/home/conclave"]))
}

fn limits(limits: &Limits) -> Vec<OsString> {
    let seconds = limits.wall.as_secs().saturating_add(1);
    let each = [
        ("as", limits.memory_bytes),
        ("nproc", limits.processes),
        ("fsize", limits.file_bytes),
        ("cpu", seconds),
        ("nofile", 4096),
        ("core", 0),
    ];
    each.iter().map(|(name, most)| format!("--{name}={most}").into()).chain([OsString::from("--")]).collect()
}

/// A command with the descriptors that bubblewrap expects, an empty environment and an empty standard input.
fn with_descriptors(
    line: Vec<OsString>,
    programs: Vec<File>,
    loopback: bool,
    tree: Option<Tree>,
) -> Result<Prepared, SandboxError> {
    let failed = |error: std::io::Error| SandboxError::Io { reason: error.to_string() };
    // A descriptor that our parent or a library left open would be a door into the host.
    close_fds::CloseFdsBuilder::new().threadsafe(true).cloexecfrom(3);
    let filters = filter::bytes(loopback).ok_or_else(|| unavailable("this processor is not supported".to_owned()))?;
    let mut given: Vec<(OwnedFd, i32)> = Vec::new();
    for (filter, fd) in filters.iter().zip(FILTER_FDS) {
        // A filter is far smaller than what a pipe holds, so this does not wait for a reader.
        let (filter_out, mut filter_in) = std::io::pipe().map_err(failed)?;
        filter_in.write_all(filter).map_err(failed)?;
        given.push((filter_out.into(), fd));
    }
    let (status, status_in) = std::io::pipe().map_err(failed)?;
    let (seen, seen_in) = std::io::pipe().map_err(failed)?;
    let mut line = line.into_iter();
    #[expect(clippy::disallowed_methods, reason = "the one place where programs are started")]
    let mut command = Command::new(line.next().unwrap_or_default());
    command.args(line).env_clear().stdin(std::process::Stdio::null());
    given.extend([(status_in.into(), STATUS_FD), (seen_in.into(), SEEN_FD)]);
    given.extend(programs.into_iter().map(OwnedFd::from).zip(FIRST_PROGRAM_FD..));
    let mappings = given.into_iter().map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd }).collect();
    command.fd_mappings(mappings).map_err(|error| SandboxError::Io { reason: error.to_string() })?;
    Ok(Prepared { command, status, seen, tree })
}

/// A program that belongs to the system: root's (or of a user that our namespace does not know), and changed by nobody
/// else.
fn of_the_system(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from("/usr/bin"), PathBuf::from("/bin")].into_iter().chain(std::env::split_paths(&path));
    folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|program| {
        let theirs = program.metadata().is_ok_and(|found| is_the_system(found.uid()) && found.mode() & 0o022 == 0);
        theirs && program::is_executable(program)
    })
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

pub(super) fn unavailable(reason: String) -> SandboxError {
    SandboxError::Unavailable { reason }
}
