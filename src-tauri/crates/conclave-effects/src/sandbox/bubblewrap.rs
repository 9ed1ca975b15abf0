//! The sandbox as bubblewrap builds it: what it shows, what it hides, and how it is found.
//!
//! Root and everybody else go through the same sandbox, root after having become nobody (`descent`).

use std::ffi::OsString;
use std::fs;
use std::io::{PipeReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};

use super::descent::Descent;
use super::guest::{guest, is_the_system, would_be_root};
use super::mounts::{SEARCHED, SYSTEM, locate, mounts};
use super::{Limits, RunCommand, SandboxError, WORK, filter, program};

/// Oldest bubblewrap with everything we ask of it (`--disable-userns`, `--size`).
const OLDEST: (u32, u32) = (0, 8);
const INSTALL: &str = "install the package `bubblewrap`, version 0.8 or newer (Debian: `apt install bubblewrap`)";

/// The only environment a program starts with, beside what its caller adds.
const ENVIRONMENT: [(&str, &str); 4] =
    [("PATH", SEARCHED), ("HOME", "/home/conclave"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8")];

/// What tools need of `/etc`: where alternatives point, where libraries are, which authorities are known.
const SETTINGS: [&str; 5] =
    ["/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl/certs"];

/// Descriptors by which bubblewrap tells how the program ended and gets its filter.
const STATUS_FD: i32 = 3;
const FILTER_FD: i32 = 4;

/// The programs that make up the sandbox.
#[derive(Clone, Debug)]
pub(super) struct Bubblewrap {
    bwrap: PathBuf,
    prlimit: PathBuf,
    descent: Option<Descent>,
    version: String,
}

/// A command that is ready to be started, and where it will say how it ended.
pub(super) struct Prepared {
    pub command: Command,
    pub status: PipeReader,
}

/// Finds the sandbox and tries it out, once per process.
pub(super) fn detect() -> Result<&'static Bubblewrap, SandboxError> {
    static FOUND: OnceLock<Result<Bubblewrap, SandboxError>> = OnceLock::new();
    FOUND.get_or_init(|| Bubblewrap::find().and_then(Bubblewrap::tried)).as_ref().map_err(Clone::clone)
}

impl Bubblewrap {
    pub(super) fn version(&self) -> &str {
        &self.version
    }

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
        Ok(Self { bwrap, prlimit, descent, version })
    }

    /// Runs a program that does nothing; a sandbox that was never tried is not one to promise.
    fn tried(self) -> Result<Self, SandboxError> {
        let nothing = RunCommand {
            argv: vec!["true".to_owned()],
            tree: PathBuf::from("/usr"),
            writable: false,
            env: Vec::new(),
            read_only: Vec::new(),
            limits: Limits {
                wall: Duration::from_secs(10),
                memory_bytes: 1 << 30,
                processes: 64,
                file_bytes: 1 << 20,
                output_bytes: 1 << 12,
            },
        };
        let Prepared { mut command, status } = self.prepare(&nothing)?;
        let done = command.output().map_err(|error| unavailable(error.to_string()))?;
        drop(status);
        if done.status.success() {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.lines().last().unwrap_or("it gave no reason");
        Err(unavailable(format!(
            "`{said}`; user namespaces may be switched off: see `kernel.unprivileged_userns_clone`, \
             `user.max_user_namespaces` or, on Ubuntu, `kernel.apparmor_restrict_unprivileged_userns`"
        )))
    }

    /// Builds the command line for one run; starts nothing.
    pub(super) fn prepare(&self, run: &RunCommand) -> Result<Prepared, SandboxError> {
        let mounts = mounts(run)?;
        let program = locate(run, &mounts)?;
        let mut line = Vec::new();
        let mounts = match &self.descent {
            None => mounts,
            Some(descent) => descent.begin(&mut line, mounts)?,
        };
        line.push(self.bwrap.clone().into());
        line.extend(namespaces());
        line.extend(system());
        line.extend(private_folders(run.limits.file_bytes));
        for mount in &mounts {
            line.extend(mount.arguments());
        }
        line.extend(arguments(["--chdir", WORK, "--remount-ro", "/"]));
        let fixed = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in fixed.iter().chain(&run.env) {
            line.extend(arguments(["--setenv", name, value]));
        }
        line.extend(arguments(["--json-status-fd", &STATUS_FD.to_string()]));
        line.extend(arguments(["--seccomp", &FILTER_FD.to_string(), "--"]));
        line.push(self.prlimit.clone().into());
        line.extend(limits(&run.limits));
        line.push(program.into());
        line.extend(run.argv.iter().skip(1).map(OsString::from));
        with_descriptors(line)
    }
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

/// A command with the two descriptors that bubblewrap expects, an empty environment and an empty standard input.
fn with_descriptors(line: Vec<OsString>) -> Result<Prepared, SandboxError> {
    let failed = |error: std::io::Error| SandboxError::Io { reason: error.to_string() };
    // A descriptor that our parent or a library left open would be a door into the host.
    close_fds::CloseFdsBuilder::new().threadsafe(true).cloexecfrom(3);
    let filter = filter::bytes().ok_or_else(|| unavailable("this processor is not supported".to_owned()))?;
    // The filter is far smaller than what a pipe holds, so this does not wait for a reader.
    let (filter_out, mut filter_in) = std::io::pipe().map_err(failed)?;
    filter_in.write_all(&filter).map_err(failed)?;
    let (status, status_in) = std::io::pipe().map_err(failed)?;
    let mut line = line.into_iter();
    #[expect(clippy::disallowed_methods, reason = "the one place where programs are started")]
    let mut command = Command::new(line.next().unwrap_or_default());
    command.args(line).env_clear().stdin(std::process::Stdio::null());
    command
        .fd_mappings(vec![
            FdMapping { parent_fd: status_in.into(), child_fd: STATUS_FD },
            FdMapping { parent_fd: filter_out.into(), child_fd: FILTER_FD },
        ])
        .map_err(|error| SandboxError::Io { reason: error.to_string() })?;
    Ok(Prepared { command, status })
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
