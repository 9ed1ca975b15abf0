//! A key, held so that it cannot be printed.
//!
//! Invariant: a `Secret` has no `Debug`, `Display`, `Serialize` or `Clone`; its bytes are overwritten when it is
//! dropped. What [`Secret::expose`] hands out goes into one request header and nowhere else.

use zeroize::Zeroizing;

/// A text that must not be shown.
///
/// ```compile_fail
/// println!("{:?}", conclave_effects::Secret::new("sk-1".to_owned()));
/// ```
pub struct Secret {
    text: Zeroizing<String>,
    host: Option<String>,
}

impl Secret {
    /// Takes `text` over.
    pub fn new(text: String) -> Self {
        Self { text: Zeroizing::new(text), host: None }
    }

    /// Binds it to a host, as `name` or `name:port`: no request to another one is sent with it.
    #[must_use]
    pub fn for_host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into().to_ascii_lowercase()), ..self }
    }

    /// The host that it is bound to.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The value of a header that wants `prefix` before it, bound to the same host.
    #[must_use]
    pub fn prefixed(&self, prefix: &str) -> Self {
        Self { text: Zeroizing::new([prefix, self.expose()].concat()), host: self.host.clone() }
    }

    /// The value of the environment variable `name`; `None` when it is unset, empty or not UTF-8.
    pub fn from_env(name: &str) -> Option<Self> {
        std::env::var(name).ok().filter(|text| !text.is_empty()).map(Self::new)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self { text, host: None }
    }
}

/// Keeps this process from leaving its memory on disk when it crashes: keys and code may be in it.
///
/// A system that does not let the limit be lowered is left as it is.
pub fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_core_is_dumped() {
        forbid_core_dumps();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }

    #[test]
    fn a_key_is_taken_from_a_variable_that_is_set() {
        let path = Secret::from_env("PATH").map(|secret| secret.expose().to_owned());
        assert_eq!(path, std::env::var("PATH").ok());
        assert!(Secret::from_env("CONCLAVE_NO_SUCH_VARIABLE").is_none());
    }
}
