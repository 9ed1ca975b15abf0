//! Where a request goes: decided from the address as it will be dialled, never from how it looks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

use super::HttpError;

/// An address that may be dialled, taken apart.
pub(crate) struct Target {
    pub url: Url,
    pub host: String,
    pub port: u16,
    pub loopback: bool,
}

impl Target {
    /// Takes `text` apart.
    ///
    /// This machine is only what is dialled as this machine: an IPv4 address in 127.0.0.0/8, the IPv6 address `::1`, and
    /// the name `localhost`, which we dial ourselves without asking a name server. Everything else is somewhere else.
    pub(crate) fn parse(text: &str) -> Result<Self, HttpError> {
        // The text itself is not repeated: what cannot be taken apart may hold a key anywhere.
        let bad = |reason: &str| HttpError::BadUrl { reason: reason.to_owned() };
        if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
            // Left out or read as `/` by some, so that it looks like another address than it is.
            return Err(bad("it holds a character that no address has"));
        }
        let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("the scheme is not `http` or `https`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it holds a user name or password; keys go into headers"));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        let loopback = is_loopback(&host);
        if url.scheme() == "http" && !loopback {
            return Err(bad("only this machine is reached without TLS; use `https`"));
        }
        Ok(Self { url, host, port, loopback })
    }

    /// The host with its port, without the port that the scheme has anyway: what a key is bound to.
    pub(crate) fn account(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether a key that is bound to `host` (a name, or a name with a port) may be sent there.
    pub(crate) fn is(&self, host: &str) -> bool {
        host == self.account() || host == format!("{}:{}", self.host, self.port)
    }

    /// The address without query and fragment, which may hold secrets.
    pub(crate) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.into()
    }
}

/// Takes apart the address of a proxy.
pub(crate) fn proxy(text: &str) -> Result<Url, HttpError> {
    let bad = |reason: &str| HttpError::BadProxy { reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("the scheme is not `http` or `https`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a user name or password"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(bad("there is something after the host"));
    }
    Ok(url)
}

/// What `localhost` is dialled as.
pub(crate) const LOCALHOST: [SocketAddr; 2] =
    [SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0)];

fn is_loopback(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host == "localhost"
        || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || v6.is_some_and(|host| host.parse().is_ok_and(|address: Ipv6Addr| address == Ipv6Addr::LOCALHOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_dialled_as_this_machine_is_this_machine() {
        let loopback = [
            "http://127.0.0.1:8080/v1",
            "http://127.9.9.9/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://[::1]:8080/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://localhost:11434/",
            "http://LOCALHOST/",
            "https://localhost/",
        ];
        for url in loopback {
            assert!(Target::parse(url).is_ok_and(|target| target.loopback), "{url}");
        }
        let remote = [
            "https://api.example.com/",
            "https://localhost./",
            "https://localhost.example.com/",
            "https://127.0.0.1.nip.io/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::127.0.0.1]/",
            "https://10.0.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/",
            "https://[fe80::1]/",
            "https://128.0.0.1/",
            "https://xn--lcalhost-54a/",
        ];
        for url in remote {
            assert!(Target::parse(url).is_ok_and(|target| !target.loopback), "{url}");
        }
        let refused = [
            "",
            "127.0.0.1:8080",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "ws://127.0.0.1/",
            "http://",
            "http://api.example.com/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost./",
            "http://127.0.0.1@evil.example/",
            "https://key@api.example.com/",
            "https://user:key@127.0.0.1/",
            "https://127.0.0.1:99999/",
            "https://exa mple.com/",
            "https://a\0.example.com/",
        ];
        for url in refused {
            assert!(matches!(Target::parse(url), Err(HttpError::BadUrl { .. })), "{url}");
        }
    }

    #[test]
    fn the_address_is_shown_without_its_query() {
        let target = Target::parse("https://api.example.com/v1/models?key=k-123#top").map(|target| target.shown());
        assert_eq!(target, Ok("https://api.example.com/v1/models".to_owned()));
    }
}
