//! The one way out of a sandbox: connections to exactly one host and port.
//!
//! It speaks the part of HTTP with which a client asks a proxy for a connection (`CONNECT`, RFC 9110, section 9.3.6). What
//! goes over a connection is not looked at. Whatever asks for another place, or for anything else, is refused and
//! remembered. Only where somebody answers lines in this process does it take a wish for that, and such a connection goes nowhere.

use std::convert::Infallible;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional,
};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::guest::{SOCKET, WISH};
use super::{Connections, Lines};
use crate::http::target::{LOCALHOST, Target, proxy};
use crate::sandbox::{Mount, guest};
use crate::{HttpError, SandboxError};

/// How long a client may take to say where it wants to go, and how long a host may take to be reached.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest wish, in bytes.
const LONGEST_HEAD: usize = 8 * 1024;

/// Longest line that is answered here, with its end, in bytes.
const LONGEST_LINE: u64 = 4 << 20;

/// Most connections at a time.
const MOST: usize = 64;

/// So many refused destinations are remembered, each in so many characters.
const REMEMBERED: usize = 20;
const SHOWN: usize = 200;

/// A relay with its socket, which is removed when it is dropped.
pub(crate) struct Relay {
    folder: PathBuf,
    listener: UnixListener,
    shared: Arc<Shared>,
}

struct Shared {
    to: String,
    host: String,
    port: u16,
    /// Host and port of the proxy behind which the one host is.
    proxy: Option<(String, u16)>,
    connections: Mutex<Connections>,
    /// Whoever answers lines here.
    lines: Option<Arc<dyn Lines>>,
}

/// A destination as a client names it: `host:port`.
pub(crate) fn authority(target: &Target) -> String {
    format!("{}:{}", inside(target), target.port)
}

/// The host as programs in the sandbox know it, where nobody resolves the names of this machine.
fn inside(target: &Target) -> &str {
    if target.host == "localhost" { "127.0.0.1" } else { &target.host }
}

/// Where the guest has to listen so that the address works in the sandbox as it does outside: nowhere, if it is not on
/// this machine.
pub(crate) fn listens(target: &Target) -> Result<Vec<SocketAddr>, HttpError> {
    if !target.loopback {
        return Ok(Vec::new());
    }
    let unusable = |reason: &str| HttpError::BadUrl { reason: reason.to_owned() };
    if target.port < 1024 {
        return Err(unusable("a program reaches ports of this machine from 1024 on"));
    }
    let host = inside(target).trim_matches(['[', ']']);
    let address: IpAddr = host.parse().map_err(|_| unusable("it names no address"))?;
    Ok(vec![SocketAddr::new(address, target.port)])
}

impl Relay {
    /// Opens a relay to `target`, by way of the settings' proxy where that is not on this machine.
    /// Where somebody answers lines, it takes those as well.
    pub(crate) fn open(
        target: &Target,
        by: Option<&str>,
        lines: Option<Arc<dyn Lines>>,
    ) -> Result<Self, super::AgentError> {
        let failed = |error: io::Error| SandboxError::Io { reason: format!("no relay: {error}") };
        let by = match by.filter(|_| !target.loopback) {
            None => None,
            Some(by) => {
                let url = proxy(by)?;
                let host = url.host_str().unwrap_or_default().to_owned();
                let port = url.port_or_known_default().filter(|_| url.scheme() == "http");
                let port = port.ok_or_else(|| HttpError::BadProxy {
                    reason: "a program is taken through one that begins with `http://` only".to_owned(),
                })?;
                Some((host, port))
            }
        };
        let folder = new_folder().map_err(failed)?;
        let socket = folder.join("relay");
        let opened = || -> io::Result<UnixListener> {
            let listener = UnixListener::bind(&socket)?;
            std::fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
            // Where programs in the sandbox are somebody else, it is theirs.
            if let Some((user, group)) = guest() {
                for path in [&socket, &folder] {
                    std::os::unix::fs::chown(path, Some(user.as_raw()), Some(group.as_raw()))?;
                }
            }
            Ok(listener)
        };
        let listener = opened().inspect_err(|_| {
            let _ = std::fs::remove_dir_all(&folder);
        });
        let shared = Shared {
            to: authority(target),
            host: target.host.clone(),
            port: target.port,
            proxy: by,
            connections: Mutex::default(),
            lines,
        };
        Ok(Self { folder, listener: listener.map_err(failed)?, shared: Arc::new(shared) })
    }

    /// The folder of its socket, where the guest looks for it.
    pub(crate) fn mount(&self) -> Mount {
        let inside = PathBuf::from(SOCKET).parent().map(PathBuf::from).unwrap_or_default();
        Mount { host: self.folder.clone(), inside, writable: false }
    }

    /// What has come of it so far.
    pub(super) fn connections(&self) -> Connections {
        self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Passes connections on until it is dropped, and all of them with it.
    pub(crate) async fn serve(&self) -> Infallible {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                stream = self.listener.accept(), if open.len() < MOST => match stream {
                    Ok((stream, _)) => {
                        let shared = Arc::clone(&self.shared);
                        // Either side may be gone at any time.
                        open.spawn(async move { drop(shared.pass(stream).await) });
                    }
                    // No descriptor is left for another one; when one ends there may be.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = open.join_next(), if !open.is_empty() => {}
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder of our own for one socket. It is not in the data folder, whose path may be longer than that of a socket.
fn new_folder() -> io::Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("conclave-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return folder.canonicalize(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

impl Shared {
    async fn pass(&self, mut from: UnixStream) -> io::Result<()> {
        let (head, rest) = timeout(PATIENCE, read_head(&mut from)).await??;
        if let Some(lines) = self.lines.as_deref().filter(|_| head.lines().next() == Some(WISH)) {
            return answer(from, &rest, lines).await;
        }
        if wanted(&head).as_deref() != Some(&self.to) {
            self.refuse(&head);
            return from.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        }
        let mut to = match timeout(PATIENCE, self.dial()).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        {
            Ok(to) => to,
            Err(error) => {
                self.note(|connections| connections.failed = Some(error.to_string()));
                let gone = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                return from.write_all(gone).await;
            }
        };
        self.note(|connections| connections.made += 1);
        from.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        to.write_all(&rest).await?;
        copy_bidirectional(&mut from, &mut to).await.map(drop)
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        if let Some((host, port)) = &self.proxy {
            let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), *port)).await?;
            let wish = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n", to = self.to);
            stream.write_all(wish.as_bytes()).await?;
            let (head, rest) = read_head(&mut stream).await?;
            let status = head.split(' ').nth(1).unwrap_or_default();
            // Nobody behind it speaks before the client does.
            if status != "200" || !rest.is_empty() {
                return Err(io::Error::other(format!("the proxy in your settings answers `{}`", shown(status))));
            }
            return Ok(stream);
        }
        if self.host == "localhost" {
            let addresses = LOCALHOST.map(|address| SocketAddr::new(address.ip(), self.port));
            return TcpStream::connect(&addresses[..]).await;
        }
        TcpStream::connect((self.host.trim_matches(['[', ']']), self.port)).await
    }

    fn refuse(&self, head: &str) {
        let line = head.lines().next().unwrap_or_default();
        let place = line.split(' ').nth(1).unwrap_or(line).split(['?', '#']).next().unwrap_or_default();
        let place = shown(place);
        tracing::warn!(place, allowed = self.to, "a program wanted to connect to a place that is not its own");
        self.note(|connections| {
            connections.refused += 1;
            if connections.destinations.len() < REMEMBERED && !connections.destinations.contains(&place) {
                connections.destinations.push(place);
            }
        });
    }

    fn note(&self, change: impl FnOnce(&mut Connections)) {
        change(&mut self.connections.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Has `lines` answer what comes, one line after the other, `rest` first. A line without an end is none.
async fn answer(mut from: UnixStream, rest: &[u8], lines: &dyn Lines) -> io::Result<()> {
    from.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let (read, mut write) = from.split();
    let mut reader = BufReader::new(rest.chain(read));
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if let Some(mut answer) = lines.answer(&line).await {
            answer.push(b'\n');
            write.write_all(&answer).await?;
        }
    }
}

/// Reads a head, and what came behind it.
async fn read_head(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        head.extend_from_slice(&buffer[..count]);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = head.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&head).into_owned(), rest));
        }
        if count == 0 || head.len() > LONGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// Where a head wants to go, if it wants a connection.
fn wanted(head: &str) -> Option<String> {
    let mut words = head.lines().next()?.split(' ');
    let (method, to, version) = (words.next()?, words.next()?, words.next()?);
    (method == "CONNECT" && version.starts_with("HTTP/1.") && words.next().is_none()).then(|| to.to_ascii_lowercase())
}

/// A stranger's words on one short line.
fn shown(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    #[test]
    fn only_a_wish_for_a_connection_is_one() {
        for (head, expect) in [
            ("CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", Some("api.example.com:443")),
            ("CONNECT API.Example.com:443 HTTP/1.0\r\n\r\n", Some("api.example.com:443")),
            (
                "CONNECT api.example.com:443@evil.example:443 HTTP/1.1\r\n\r\n",
                Some("api.example.com:443@evil.example:443"),
            ),
            ("GET http://api.example.com/ HTTP/1.1\r\n\r\n", None),
            ("connect api.example.com:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT api.example.com:443\r\n\r\n", None),
            ("CONNECT api.example.com:443 evil.example:443 HTTP/1.1\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(wanted(head).as_deref(), expect, "{head:?}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_the_same_one_in_the_sandbox() {
        for (url, to, listen) in [
            ("https://api.example.com/v1", "api.example.com:443", Some("")),
            ("https://api.example.com:8443", "api.example.com:8443", Some("")),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("http://localhost:8080", "127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("http://[::1]:8080", "[::1]:8080", Some("[::1]:8080")),
            ("http://127.0.0.1", "127.0.0.1:80", None),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(authority(&target), to);
            let listens = listens(&target).map(|all| all.iter().map(ToString::to_string).collect::<String>());
            assert_eq!(listens.ok().as_deref(), listen, "{url}");
        }
        assert_eq!(super::super::url_inside("http://localhost:8080/v1/").unwrap(), "http://127.0.0.1:8080/v1");
    }

    #[tokio::test]
    async fn connections_go_to_the_one_host_and_all_others_are_refused_and_named() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let target = Target::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let relay = Relay::open(&target, None, None).unwrap();
        let socket = relay.folder.join("relay");
        let socket = &socket;
        let ask = |wish: String| async move {
            let mut stream = UnixStream::connect(socket).await.unwrap();
            stream.write_all(wish.as_bytes()).await.unwrap();
            let mut answer = vec![0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            (String::from_utf8(answer).unwrap(), stream)
        };
        let client = async {
            let (answer, mut stream) = ask(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nhello")).await;
            assert_eq!(answer, "HTTP/1.1 200");
            let (mut other, _) = server.accept().await.unwrap();
            let mut heard = [0; 5];
            other.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
            other.write_all(b"and back").await.unwrap();
            drop(other);
            let mut rest = String::new();
            stream.read_to_string(&mut rest).await.unwrap();
            assert!(rest.ends_with("\r\n\r\nand back"), "{rest}");
            for wish in
                ["CONNECT 127.0.0.1:1 HTTP/1.1", "CONNECT localhost:443 HTTP/1.1", "POST http://x/y?key=1 HTTP/1.1"]
            {
                assert_eq!(ask(format!("{wish}\r\n\r\n")).await.0, "HTTP/1.1 403", "{wish}");
            }
            drop(server);
            assert_eq!(ask(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n")).await.0, "HTTP/1.1 502");
        };
        tokio::select! {
            () = client => {}
            never = relay.serve() => match never {},
        }
        let Connections { made, failed, refused, destinations } = relay.connections();
        assert_eq!((made, failed.is_some(), refused), (1, true, 3));
        assert_eq!(destinations, ["127.0.0.1:1", "localhost:443", "http://x/y"]);
        let folder = relay.folder.clone();
        drop(relay);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn the_proxy_of_the_settings_is_asked_for_the_one_host() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let by = format!("http://{}", server.local_addr().unwrap());
        let target = Target::parse("https://api.example.com").unwrap();
        let relay = Relay::open(&target, Some(&by), None).unwrap();
        let client = async {
            let mut stream = UnixStream::connect(relay.folder.join("relay")).await.unwrap();
            stream.write_all(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
            let (mut other, _) = server.accept().await.unwrap();
            let (head, _) = read_head(&mut other).await.unwrap();
            assert_eq!(wanted(&head).as_deref(), Some("api.example.com:443"));
            other.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let (head, _) = read_head(&mut stream).await.unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        };
        tokio::select! {
            () = client => {}
            never = relay.serve() => match never {},
        }
        assert!(matches!(
            Relay::open(&target, Some("https://proxy.example"), None).err(),
            Some(super::super::AgentError::Unfit(_))
        ));
    }

    /// Answers each line with its length, and says nothing to an empty one.
    struct Lengths;

    impl Lines for Lengths {
        fn answer<'a>(&'a self, line: &'a [u8]) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + 'a>> {
            Box::pin(async move { (!line.is_empty()).then(|| line.len().to_string().into_bytes()) })
        }
    }

    #[tokio::test]
    async fn lines_are_answered_here_where_somebody_answers_and_refused_otherwise() {
        let target = Target::parse("https://api.example.com").unwrap();
        let most = usize::try_from(LONGEST_LINE).unwrap() - 1;
        let (longest, longer) = (format!("{}\n", "x".repeat(most)), format!("{}\n", "x".repeat(most + 1)));
        let cases = [
            (true, "ab\nabc\n\nabcd\n", "200 OK 2 3 4".to_owned()),
            (true, "ab\nabc", "200 OK 2".to_owned()),
            (true, "", "200 OK".to_owned()),
            (true, longest.as_str(), format!("200 OK {most}")),
            (true, longer.as_str(), "200 OK".to_owned()),
            (false, "ab\n", "403 Forbidden Content-Length: 0 Connection: close".to_owned()),
        ];
        for (is_answered, said, expect) in cases {
            let lines = is_answered.then(|| Arc::new(Lengths) as Arc<dyn Lines>);
            let relay = Relay::open(&target, None, lines).unwrap();
            let client = async {
                let stream = UnixStream::connect(relay.folder.join("relay")).await.unwrap();
                let (mut read, mut write) = stream.into_split();
                let wish = format!("{WISH}\r\n\r\n{said}");
                let write = async move {
                    // It is let go in the middle of a line that is too long.
                    let _ = write.write_all(wish.as_bytes()).await;
                    let _ = write.shutdown().await;
                };
                let mut answer = Vec::new();
                // What was said before the line that is too long has come, whatever ends the connection.
                let ((), _) = tokio::join!(write, read.read_to_end(&mut answer));
                String::from_utf8(answer).unwrap()
            };
            let answer = tokio::select! {
                answer = client => answer,
                never = relay.serve() => match never {},
            };
            let words = answer.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
            assert_eq!(words, expect, "{}", &said[..said.len().min(20)]);
            assert_eq!(relay.connections().made, 0);
        }
    }
}
