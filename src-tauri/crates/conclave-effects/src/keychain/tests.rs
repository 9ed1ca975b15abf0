//! The keychain: its records by a store in memory, its failures by real services on a bus of our own.

mod session;

use keyring_core::mock;

use super::*;
use crate::gate::tests::permit;

const HOST: &str = "api.example.com";
const KEY: &str = "sk-canary-4711";

async fn store(keychain: &Keychain, host: &str, key: &str, at_ms: i64) -> Result<(), KeychainError> {
    let effect = StoreKey { host: host.to_owned(), key: Secret::new(key.to_owned()) };
    keychain.store(permit(effect).await, at_ms).await
}

async fn read(keychain: &Keychain, host: &str) -> Result<(String, i64), KeychainError> {
    let found = keychain.read(permit(ReadKey { host: host.to_owned() }).await).await?;
    assert_eq!(found.key.host(), Some(host), "bound to its host");
    Ok((found.key.expose().to_owned(), found.set_at_ms))
}

async fn erase(keychain: &Keychain, host: &str) -> Result<(), KeychainError> {
    keychain.erase(permit(EraseKey { host: host.to_owned() }).await).await
}

/// What every keychain must do.
async fn keeps_keys(keychain: &Keychain) {
    let missing = Err(KeychainError::NotFound { host: HOST.to_owned() });
    assert_eq!(read(keychain, HOST).await, missing);
    store(keychain, HOST, KEY, 1).await.unwrap();
    assert_eq!(read(keychain, HOST).await, Ok((KEY.to_owned(), 1)));
    store(keychain, HOST, "sk-\"new\" \u{2713}\n", 2).await.unwrap();
    assert_eq!(read(keychain, HOST).await, Ok(("sk-\"new\" \u{2713}\n".to_owned(), 2)), "replaced in place");
    store(keychain, "127.0.0.1:8080", "other", 3).await.unwrap();
    erase(keychain, HOST).await.unwrap();
    assert_eq!(read(keychain, HOST).await, missing);
    assert_eq!(erase(keychain, HOST).await.map(|()| (String::new(), 0)), missing);
    assert_eq!(read(keychain, "127.0.0.1:8080").await, Ok(("other".to_owned(), 3)), "another host keeps its own");
    erase(keychain, "127.0.0.1:8080").await.unwrap();
}

fn in_memory() -> (Keychain, Arc<CredentialStore>) {
    let store: Arc<CredentialStore> = mock::Store::new().unwrap();
    let given = Arc::clone(&store);
    (Keychain::new(Arc::new(move || Ok(Arc::clone(&given))), LIMIT), store)
}

#[tokio::test]
async fn keys_are_kept_replaced_and_erased() {
    keeps_keys(&in_memory().0).await;
}

#[tokio::test]
async fn a_keychain_is_reached_or_what_helps_is_said() {
    let (keychain, store) = in_memory();
    keychain.reach(permit(ReachKeychain).await).await.unwrap();
    assert!(store.search(&[("service", SERVICE)].into()).unwrap_or_default().is_empty(), "no entry was made");
    let gone = || Err(Error::PlatformFailure("no bus".into()));
    let error = Keychain::new(Arc::new(gone), LIMIT).reach(permit(ReachKeychain).await).await.unwrap_err();
    assert!(matches!(error, KeychainError::NoService { .. }), "{error}");
    assert!(error.to_string().contains("no bus") && error.to_string().contains(START_ONE), "{error}");
}

#[tokio::test]
async fn an_entry_of_another_host_or_of_somebody_else_is_damaged() {
    let (keychain, store) = in_memory();
    let entry = store.build(SERVICE, HOST, None).unwrap();
    let records = [
        r#"{"host":"evil.example","set_at_ms":1,"key":"sk-canary-4711"}"#,
        r#"{"host":"api.example.com","set_at_ms":1,"key":""}"#,
        r#"{"host":"api.example.com","set_at_ms":1,"key":"sk-canary-4711","more":1}"#,
        r#"{"host":"api.example.com","key":"sk-canary-4711"}"#,
        "sk-canary-4711",
        "",
        "\u{0}",
    ];
    for record in records {
        entry.set_secret(record.as_bytes()).unwrap();
        let error = read(&keychain, HOST).await.unwrap_err();
        assert_eq!(error, KeychainError::Damaged { host: HOST.to_owned() }, "{record}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn what_the_keychain_says_becomes_what_the_person_can_do() {
    let other = || Box::<dyn std::error::Error + Send + Sync>::from("canary");
    type Expected = fn(&KeychainError) -> bool;
    let cases: [(Error, Expected, &str); 5] = [
        (Error::NoStorageAccess(other()), |error| *error == KeychainError::Locked, "unlock"),
        (Error::PlatformFailure(other()), |error| matches!(error, KeychainError::Other(_)), "try again"),
        (
            Error::BadEncoding(b"sk".to_vec()),
            |error| matches!(error, KeychainError::Damaged { .. }),
            "set the key again",
        ),
        (Error::NoEntry, |error| matches!(error, KeychainError::NotFound { .. }), "set one"),
        (Error::Ambiguous(Vec::new()), |error| matches!(error, KeychainError::Damaged { .. }), "set the key again"),
    ];
    for (said, expect, remedy) in cases {
        let (keychain, store) = in_memory();
        let entry = store.build(SERVICE, HOST, None).unwrap();
        let name = format!("{said:?}");
        entry.as_any().downcast_ref::<mock::Cred>().unwrap().set_error(said);
        let error = read(&keychain, HOST).await.unwrap_err();
        assert!(expect(&error) && error.to_string().contains(remedy), "{name}: {error}");
    }
}

#[tokio::test]
async fn what_is_no_key_and_what_is_no_host_is_refused() {
    let (keychain, _) = in_memory();
    for key in ["", " \n", &"x".repeat(LONGEST_KEY + 1)] {
        assert!(matches!(store(&keychain, HOST, key, 1).await, Err(KeychainError::Refused(_))));
    }
    assert!(matches!(store(&keychain, "", KEY, 1).await, Err(KeychainError::Refused(_))));
}

#[test]
fn a_request_names_the_host_and_never_the_key() {
    let store = |host: &str| StoreKey { host: host.to_owned(), key: Secret::new(KEY.to_owned()) };
    for (host, name) in [("api.example.com", "api.example.com"), ("[::1]:8080", "[::1]"), ("[::1]", "[::1]")] {
        let request = store(host).request(&Actor::Person);
        assert_eq!((request.resource.as_str(), request.context[keys::HOST].as_str()), (host, name));
        assert!(!request.canonical().contains("4711"));
    }
    assert_ne!(store(HOST).request(&Actor::Person), EraseKey { host: HOST.to_owned() }.request(&Actor::Person));
}

#[tokio::test(start_paused = true)]
async fn a_keychain_that_hangs_keeps_nobody_waiting_beyond_the_limit() {
    let (release, hangs) = std::sync::mpsc::channel::<()>();
    let hangs = std::sync::Mutex::new(hangs);
    let connect = move || {
        let _ = hangs.lock().unwrap().recv();
        Err(Error::NoDefaultStore)
    };
    let keychain = Keychain::new(Arc::new(connect), LIMIT);
    for _ in 0..3 {
        assert_eq!(read(&keychain, HOST).await, Err(KeychainError::TimedOut(20)));
    }
    // What hung has come to its end, and the next call is a new one.
    drop(release);
    tokio::time::resume();
    assert!(matches!(read(&keychain, HOST).await, Err(KeychainError::NoService { .. })));
}
