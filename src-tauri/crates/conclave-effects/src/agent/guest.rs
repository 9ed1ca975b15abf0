//! Our own program inside the sandbox: it starts the agent's program there and brings its connections to the relay.
//!
//! It is told what to do by its standard input: four bytes with the length of its orders, the orders, and then what the
//! agent's program is to read, which it leaves where it is. So a key is in no command line and in no environment but that
//! program's own.
//!
//! It decides nothing: whatever it lets through ends at the relay. Started once more by the agent's program, with
//! [`LINES`], it brings that program's lines there as well.
//!
//! Invariant: it listens on a port, and therefore does nothing outside the sandbox, where others could reach that port.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The argument by which `conclave` becomes the guest.
pub const SUBCOMMAND: &str = "relay-guest";

/// The argument behind [`SUBCOMMAND`] by which it brings the lines of its input to the relay, and the answers back.
pub const LINES: &str = "lines";

/// How the relay is asked to answer lines itself.
pub(super) const WISH: &str = "LINES conclave HTTP/1.1";

/// The relay's socket in the sandbox.
pub(super) const SOCKET: &str = "/run/conclave/relay";

/// How the guest ends when it could not start the program.
pub const NOT_STARTED: u8 = 127;

/// Largest orders, in bytes.
const LARGEST: u32 = 64 << 20;

/// Longest answer of the relay to a wish for a connection, in bytes.
const LONGEST_HEAD: usize = 1024;

/// What the guest is to do.
#[derive(Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its environment, beside the guest's own.
    pub env: Vec<(String, String)>,
    /// Files to be made, by path.
    pub files: Vec<(String, String)>,
    /// The empty folder in which the program starts.
    pub folder: String,
    /// Where to listen for connections that go to `to` without a word: addresses of this machine, where `to` is one.
    pub listen: Vec<SocketAddr>,
    /// The one destination.
    pub to: String,
    /// Memory of each process, in bytes.
    pub memory_bytes: u64,
}

impl Orders {
    /// All that the guest reads, with `input` for the program behind it.
    pub(crate) fn message(&self, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, crate::SandboxError> {
        let failed = |reason: &str| crate::SandboxError::Io { reason: reason.to_owned() };
        let orders = Zeroizing::new(serde_json::to_vec(self).map_err(|error| failed(&error.to_string()))?);
        let length = u32::try_from(orders.len()).ok().filter(|length| *length <= LARGEST);
        let length = length.ok_or_else(|| failed("what the program is to be given is too large"))?;
        let mut message = Zeroizing::new(Vec::with_capacity(4 + orders.len() + input.len()));
        message.extend_from_slice(&length.to_le_bytes());
        message.extend_from_slice(&orders);
        message.extend_from_slice(input);
        Ok(message)
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.env.iter_mut().chain(&mut self.files).for_each(|(_, value)| value.zeroize());
    }
}

/// Runs the guest, and gives the code with which it has to end: the program's own, or 128 and its signal.
pub fn run() -> u8 {
    let (done, what) = match std::env::args_os().nth(2) {
        Some(word) if word == LINES => (lines(), "nothing was said to Conclave"),
        _ => (guest(), "the program was not started"),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Whoever started us reads it there.
            let _ = writeln!(io::stderr(), "conclave: {what}: {error}");
            NOT_STARTED
        }
    }
}

/// Nobody but the sandbox has this, and in there nobody else is.
fn must_be_sandbox() -> io::Result<()> {
    let is_there = std::fs::symlink_metadata(SOCKET).is_ok_and(|found| found.file_type().is_socket());
    if is_there { Ok(()) } else { Err(io::Error::other("this is not the sandbox")) }
}

/// Brings lines to the relay until either side ends.
fn lines() -> io::Result<u8> {
    must_be_sandbox()?;
    let mut relay = UnixStream::connect(SOCKET)?;
    write!(relay, "{WISH}\r\n\r\n")?;
    if !is_taken(&mut relay)? {
        return Err(io::Error::other("it was refused"));
    }
    let (mut input, mut to_relay) = (File::from(io::stdin().as_fd().try_clone_to_owned()?), relay.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut input, &mut to_relay);
        let _ = to_relay.shutdown(Shutdown::Write);
    });
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    io::copy(&mut relay, &mut output).map(|_| 0)
}

fn guest() -> io::Result<u8> {
    must_be_sandbox()?;
    let orders = read_orders()?;
    for (path, text) in &orders.files {
        put(Path::new(path), text)?;
    }
    folder(Path::new(&orders.folder))?;
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}", proxy.local_addr()?);
    thread::spawn(move || accept(&proxy, None));
    for listen in &orders.listen {
        let listener = TcpListener::bind(listen)?;
        let to = orders.to.clone();
        thread::spawn(move || accept(&listener, Some(&to)));
    }
    let limit = Rlimit { current: Some(orders.memory_bytes), maximum: Some(orders.memory_bytes) };
    setrlimit(Resource::Data, limit)?;
    let Some((program, args)) = orders.argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it has no name"));
    };
    #[expect(clippy::disallowed_methods, reason = "inside the sandbox, which `sandbox` has started")]
    let mut command = Command::new(program);
    command.args(args).current_dir(&orders.folder).envs(orders.env.iter().map(|(name, value)| (name, value)));
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        command.env(name, &address);
    }
    // What listens in here is reached directly.
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, "127.0.0.1,::1,localhost");
    }
    // Without this, programs on Node's own client would not know of the proxy.
    command.env("NODE_USE_ENV_PROXY", "1");
    let mut child = command.spawn()?;
    drop((command, orders));
    let status = child.wait()?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Reads the orders and not a byte more.
fn read_orders() -> io::Result<Orders> {
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    let too_large = || io::Error::new(io::ErrorKind::InvalidData, "the orders are too large");
    let length = usize::try_from(length).ok().filter(|_| length <= LARGEST).ok_or_else(too_large)?;
    let mut orders = Zeroizing::new(vec![0; length]);
    input.read_exact(&mut orders)?;
    Ok(serde_json::from_slice(&orders)?)
}

fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Takes connections for ever, each in threads of its own. Those to `to` are asked for here, all others by whoever
/// connects.
fn accept(listener: &TcpListener, to: Option<&str>) {
    for stream in listener.incoming().flatten() {
        let to = to.map(str::to_owned);
        thread::spawn(move || pass(stream, to.as_deref()));
    }
}

fn pass(stream: TcpStream, to: Option<&str>) -> io::Result<()> {
    let mut relay = UnixStream::connect(SOCKET)?;
    if let Some(to) = to {
        write!(relay, "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n")?;
        if !is_taken(&mut relay)? {
            return Ok(());
        }
    }
    let (mut from_program, mut to_relay) = (stream.try_clone()?, relay.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_program, &mut to_relay);
        let _ = to_relay.shutdown(Shutdown::Write);
    });
    let mut to_program = &stream;
    let copied = io::copy(&mut relay, &mut to_program).map(drop);
    let _ = stream.shutdown(Shutdown::Both);
    copied
}

/// Whether the relay lets the connection through: reads its answer and not a byte more.
fn is_taken(relay: &mut UnixStream) -> io::Result<bool> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        relay.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(head.split(|byte| *byte == b' ').nth(1) == Some(b"200"))
}
