//! The sandbox as bubblewrap builds it: what it shows, what it hides, and how it is found.
//!
//! Two properties of the kernel shape the arrangement. Root is exempt from the limit on processes and counts as the
//! owner of the machine's own switches, so when we are root we first become nobody; from there on root and everybody
//! else go through the same sandbox. And file descriptors that our own parent left open would be doors into the host,
//! so they are marked to be closed before the first program starts.

use std::ffi::OsString;
use std::fs;
use std::io::{PipeReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};

use super::guest::{NOBODY, guest, would_be_root};
use super::{Limits, RunCommand, SandboxError, WORK, filter, program};

/// Oldest bubblewrap with everything we ask of it (`--disable-userns`, `--size`).
const OLDEST: (u32, u32) = (0, 8);
const INSTALL: &str = "install the package `bubblewrap`, version 0.8 or newer (Debian: `apt install bubblewrap`)";

/// The only environment a program starts with, beside what its caller adds.
const ENVIRONMENT: [(&str, &str); 4] =
    [("PATH", SEARCHED), ("HOME", "/home/conclave"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8")];
const SEARCHED: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Folders of the system that hold programs and libraries; on most systems links into `/usr`.
const SYSTEM: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
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

/// The programs by which root becomes nobody.
#[derive(Clone, Debug)]
struct Descent {
    unshare: PathBuf,
    setpriv: PathBuf,
    user: u32,
    group: u32,
}

/// A command that is ready to be started, and where it will say how it ended.
pub(super) struct Prepared {
    pub command: Command,
    pub status: PipeReader,
}

/// A folder of the host that the sandbox shows.
struct Mount {
    host: PathBuf,
    inside: PathBuf,
    writable: bool,
}

/// Finds the sandbox and tries it out, once per process.
pub(super) fn detect() -> Result<&'static Bubblewrap, SandboxError> {
    static FOUND: OnceLock<Result<Bubblewrap, SandboxError>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        close_fds::CloseFdsBuilder::new().threadsafe(true).cloexecfrom(3);
        Bubblewrap::find().and_then(Bubblewrap::tried)
    });
    found.as_ref().map_err(Clone::clone)
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
            Some((user, group)) => Some(Descent {
                unshare: util_linux("unshare")?,
                setpriv: util_linux("setpriv")?,
                user: user.as_raw(),
                group: group.as_raw(),
            }),
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
            Some(descent) => descent.arguments(&mut line, mounts)?,
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

/// Shows each source, up to `--`, under a number in the folder `$1`, and becomes the rest of the line. Whether it may
/// be written is decided by the sandbox; here it is only put where nobody can reach it.
const STAGE: &str = r#"
stage=$1; shift
mount -t tmpfs -o mode=0755,size=1m none "$stage" || exit
number=0
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir "$stage/$number"; else : > "$stage/$number"; fi || exit
    mount --bind "$1" "$stage/$number" || exit
    number=$((number + 1)); shift
done
shift
exec "$@"
"#;

impl Descent {
    /// Shows the mounts where nobody can reach them, in a mount namespace of its own, and drops root there. Gives the
    /// mounts as they are to be found from then on.
    ///
    /// Each program of the line becomes the next one, so that what is started stays our own child: between root and
    /// nobody the kernel would not pass on the death of a parent that has given up its privileges.
    fn arguments(&self, line: &mut Vec<OsString>, mounts: Vec<Mount>) -> Result<Vec<Mount>, SandboxError> {
        let hides_nothing =
            |stage: &&&str| Path::new(stage).is_dir() && !mounts.iter().any(|mount| mount.host.starts_with(stage));
        let stage = ["/mnt", "/media", "/srv", "/tmp"].iter().find(hides_nothing);
        let stage = stage.ok_or_else(|| unavailable("there is no folder to show the work in".to_owned()))?;
        line.push(self.unshare.clone().into());
        line.extend(arguments(["--mount", "--", "/bin/sh", "-c", STAGE, "stage", stage]));
        line.extend(mounts.iter().map(|mount| mount.host.clone().into()));
        line.push("--".into());
        line.push(self.setpriv.clone().into());
        let (user, group) = (format!("--reuid={}", self.user), format!("--regid={}", self.group));
        line.extend(arguments([&user, &group, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]));
        // A change of user makes the kernel forget with whom this process dies, so it is said again.
        line.extend(arguments(["--pdeathsig", "KILL", "--"]));
        let staged = mounts.into_iter().enumerate();
        Ok(staged.map(|(number, mount)| Mount { host: Path::new(stage).join(number.to_string()), ..mount }).collect())
    }
}

impl Mount {
    fn arguments(&self) -> [OsString; 3] {
        let how = if self.writable { "--bind" } else { "--ro-bind" };
        [how.into(), self.host.clone().into(), self.inside.clone().into()]
    }
}

fn arguments<const N: usize>(texts: [&str; N]) -> impl Iterator<Item = OsString> + use<N> {
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

/// The folders of the host that a run shows, refused where they would show too much.
fn mounts(run: &RunCommand) -> Result<Vec<Mount>, SandboxError> {
    let refused = |reason: String| SandboxError::Io { reason };
    let home = std::env::var_os("HOME").map(PathBuf::from).and_then(|home| home.canonicalize().ok());
    let mut mounts = Vec::new();
    for folder in &run.read_only {
        let real = folder.canonicalize().map_err(|error| refused(format!("`{}`: {error}", folder.display())))?;
        let holds_a_home = home.as_ref().is_some_and(|home| home.starts_with(&real));
        if !folder.is_absolute() || real.parent().is_none() || holds_a_home || run.tree.starts_with(&real) {
            return Err(refused(format!("`{}` is no folder of tools", folder.display())));
        }
        mounts.push(Mount { host: real, inside: folder.clone(), writable: false });
    }
    let tree = run.tree.canonicalize().map_err(|error| refused(format!("`{}`: {error}", run.tree.display())))?;
    mounts.push(Mount { host: tree, inside: PathBuf::from(WORK), writable: run.writable });
    Ok(mounts)
}

/// The program's path in the sandbox.
fn locate(run: &RunCommand, mounts: &[Mount]) -> Result<PathBuf, SandboxError> {
    let name = run.argv.first().map(String::as_str).unwrap_or_default();
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![Path::new(WORK).join(name)]
    } else {
        SEARCHED.split(':').map(|folder| Path::new(folder).join(name)).collect()
    };
    let found = candidates.into_iter().find(|path| !name.is_empty() && is_visible(path, mounts));
    found.ok_or_else(|| SandboxError::NotFound { program: name.to_owned() })
}

/// Whether a program at this path of the sandbox is there, and not only behind a link to where the sandbox cannot see.
fn is_visible(path: &Path, mounts: &[Mount]) -> bool {
    let below_mount = mounts.iter().find_map(|mount| Some((mount, path.strip_prefix(&mount.inside).ok()?)));
    let on_host = below_mount.map_or_else(|| path.to_owned(), |(mount, below)| mount.host.join(below));
    let shown = |real: &Path| {
        let of_the_system = ["/usr", "/etc/alternatives"].iter().chain(&SYSTEM).any(|folder| real.starts_with(folder));
        of_the_system || mounts.iter().any(|mount| real.starts_with(&mount.host))
    };
    on_host.canonicalize().is_ok_and(|real| shown(&real) && program::is_executable(&real))
}

/// A command with the two descriptors that bubblewrap expects, an empty environment and an empty standard input.
fn with_descriptors(line: Vec<OsString>) -> Result<Prepared, SandboxError> {
    let failed = |error: std::io::Error| SandboxError::Io { reason: error.to_string() };
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
        let theirs =
            program.metadata().is_ok_and(|found| matches!(found.uid(), 0 | NOBODY) && found.mode() & 0o022 == 0);
        theirs && program::is_executable(program)
    })
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn unavailable(reason: String) -> SandboxError {
    SandboxError::Unavailable { reason }
}
