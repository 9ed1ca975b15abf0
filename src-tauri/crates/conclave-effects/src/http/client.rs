//! What sends a request: set up as the request wants it, and used again where the next wants the same.
//!
//! Reading the authorities that the machine trusts takes longer than everything else that is done for a request.
//! Invariant: no connection is kept, so two requests share nothing but what is trusted and resumed sessions of TLS.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::target::{self, LOCALHOST, Target};
use super::{HttpError, SendHttp, TlsRoots, innermost};

/// How long a client is used: whatever changes in what the machine trusts is in force after as long.
const LASTS: Duration = Duration::from_secs(60);

/// The last client without TLS and the last one with it.
static LAST: [Mutex<Option<Kept>>; 2] = [const { Mutex::new(None) }; 2];

struct Kept {
    client: Client,
    wanted: Wanted,
    since: Instant,
}

/// All that one client can differ in from another.
#[derive(PartialEq, Eq)]
struct Wanted {
    tls: bool,
    proxy: Option<String>,
    /// The digest of the certificates of the settings.
    roots: Option<String>,
    connect: Duration,
}

/// A client for `request`, which goes to `target`.
pub(super) fn of(request: &SendHttp, target: &Target) -> Result<Client, HttpError> {
    let tls = target.url.scheme() == "https";
    let roots = request.tls_roots.as_ref();
    let wanted = Wanted {
        tls,
        proxy: request.proxy.clone().filter(|_| !target.loopback),
        roots: roots.map(|roots| roots.digest().to_owned()),
        connect: request.timeouts.connect,
    };
    let last = || LAST[usize::from(tls)].lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = last().as_ref().filter(|kept| kept.wanted == wanted && kept.since.elapsed() < LASTS) {
        return Ok(kept.client.clone());
    }
    let client = client(&wanted, roots, target)?;
    *last() = Some(Kept { client: client.clone(), wanted, since: Instant::now() });
    Ok(client)
}

fn client(wanted: &Wanted, roots: Option<&TlsRoots>, target: &Target) -> Result<Client, HttpError> {
    let mut builder = Client::builder()
        .user_agent(concat!("conclave/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .resolve_to_addrs("localhost", &LOCALHOST)
        .connect_timeout(wanted.connect);
    if let Some(proxy) = &wanted.proxy {
        let bad = |error: reqwest::Error| HttpError::BadProxy { reason: innermost(&error) };
        builder = builder.proxy(reqwest::Proxy::all(target::proxy(proxy)?).map_err(bad)?);
    }
    if !wanted.tls {
        // There is nobody to verify, and a machine without known authorities can still ask itself.
        builder = builder.tls_certs_only([]);
    } else if let Some(roots) = roots {
        builder = builder.tls_certs_merge(roots.certificates());
    }
    let failed = |error: reqwest::Error| HttpError::Tls { host: target.host.clone(), reason: innermost(&error) };
    builder.build().map_err(failed)
}
