//! A password goes through a hash that was made to be fast.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Site, speaks_of};

const PASSWORD: [&str; 6] = ["password", "passwd", "passphrase", "passwort", "pwd", "user_pass"];
const SECRET: [&str; 6] = ["token", "signature", "hmac", "session", "secret", "credential"];
const DIGESTS: [&str; 6] = ["md5", "sha1", "sha256", "sha512", "sha3", "blake2"];
/// What makes a digest slow.
const SLOW: [&str; 6] = ["pbkdf2", "scrypt", "bcrypt", "argon2", "hashpw", "make_password"];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    for site in pair.after.calls.iter().filter(|site| is_digest(site) && pair.after.is_changed(&site.node)) {
        let around = match pair.after.source.function(&site.node) {
            Some(function) => function.text().into_owned(),
            None => pair.after.source.statement(&site.node).unwrap_or_else(|| site.node.clone()).text().into_owned(),
        };
        let unsafe_use = site.option("usedforsecurity").is_some_and(|value| value.text() == "False");
        let what = match () {
            () if speaks_of(&around, &PASSWORD) && !speaks_of(&around, &SLOW) => "a fast hash beside a password",
            () if unsafe_use && speaks_of(&around, &SECRET) => "a hash is declared harmless beside a secret",
            () => continue,
        };
        smells.push(pair.smell(SmellKind::FastHash, &site.node, what));
    }
    smells
}

fn is_digest(site: &Site<'_>) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', '/'], "");
    let named = |text: &str| DIGESTS.iter().any(|digest| plain(text).contains(digest));
    let chosen = || site.arguments().first().is_some_and(|first| named(&first.text()));
    match site.name.as_str() {
        "new" | "createHash" | "getInstance" | "hash" | "digest" => chosen(),
        name => named(name),
    }
}
