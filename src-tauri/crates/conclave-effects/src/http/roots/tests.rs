//! Certificates of every kind of file, and a server that only they make trusted.
#![allow(clippy::disallowed_methods, reason = "the tests write the files, and start the server, that they need")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::tests::{fetch, get};
use super::super::{HttpError, SendHttp};
use super::TlsRoots;
use crate::Effect as _;

const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n@@@@\n-----END CERTIFICATE-----\n";

#[test]
fn only_a_file_with_certificates_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for path in [
        file("empty", ""),
        file("words", "no certificate at all"),
        file("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        file("broken", NO_CERTIFICATE),
        file("large", &"x".repeat(5 * 1024 * 1024)),
        folder.path().to_owned(),
        folder.path().join("missing"),
        PathBuf::from("relative.pem"),
    ] {
        let error = TlsRoots::read(&path).expect_err("no certificates");
        assert!(matches!(error, HttpError::BadRoots { .. }), "{}: {error}", path.display());
    }
}

/// A server with a certificate that nobody has signed, and ends with the test.
struct Server {
    child: Child,
    address: String,
    certificate: PathBuf,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `None` where there is no OpenSSL.
fn serve() -> Option<Server> {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("certificate.pem"));
    let openssl = || {
        let mut openssl = Command::new("openssl");
        openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir(folder.path());
        openssl
    };
    let made = openssl()
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "certificate.pem"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let mut child = openssl()
        .args(["s_server", "-www", "-quiet", "-accept", &format!("127.0.0.1:{port}")])
        .arg("-cert")
        .arg(&certificate)
        .arg("-key")
        .arg(&key)
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "no server");
        std::thread::yield_now();
    }
    Some(Server { child, address: format!("https://localhost:{port}/"), certificate, _folder: folder })
}

#[tokio::test]
async fn a_server_is_trusted_by_the_certificates_of_the_settings_alone() {
    let Some(server) = serve() else {
        println!("skipped: no OpenSSL");
        return;
    };
    let roots = TlsRoots::read(&server.certificate).unwrap();
    let request = |roots: Option<&TlsRoots>| SendHttp {
        tls_roots: roots.cloned(),
        max_response_bytes: 100_000,
        ..get(&server.address)
    };
    let untrusted = fetch(request(None)).await.unwrap_err();
    assert!(matches!(untrusted, HttpError::Tls { .. }), "{untrusted}");
    let page = fetch(request(Some(&roots))).await.unwrap();
    assert!(page.contains("html") || page.contains("HTML"), "{page}");
    let untrusted = fetch(request(None)).await.unwrap_err();
    assert!(matches!(untrusted, HttpError::Tls { .. }), "trusted for one request alone: {untrusted}");

    let judged = |request: &SendHttp| request.request(&conclave_policy::Actor::Engine);
    let (with, without) = (judged(&request(Some(&roots))), judged(&request(None)));
    assert_ne!(with.context["digest"], without.context["digest"], "what is trusted is part of what is judged");
    let elsewhere = SendHttp { tls_roots: Some(roots.clone()), ..get("https://a.example/") };
    assert_eq!(judged(&elsewhere).context["tls_roots"], roots.digest());
}
