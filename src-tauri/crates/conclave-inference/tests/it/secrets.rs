//! Secrets of every known format in what a model is asked: none arrives, however it is written.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::settings::ModelSetting;
use conclave_effects::Secret;
use conclave_inference::{About, Api, ModelRequest, Terms};
use conclave_policy::Mode;
use conclave_policy::secret::sample;
use serde_json::{Value, json};

use crate::stub::{self, read, response};
use crate::support::{ask, gate};
use crate::voice::{VOICES, Voice};

/// Samples of each format in each form, for each dialect.
const SEEDS: usize = 2;

/// A form in which a secret stands in somebody's code; `sample` is the whole text, `secret` the part that matters.
type Form = fn(sample: &str, secret: &str) -> String;

const FORMS: [Form; 5] = [
    |sample, _| sample.to_owned(),
    |sample, _| base64(sample.as_bytes()),
    |sample, _| sample.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    |sample, _| sample.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(),
    |sample, secret| {
        let (before, after) = secret.split_at(secret.len() / 2);
        sample.replacen(secret, &format!("{before}\n+    {after}"), 1)
    },
];

/// A model on this machine that keeps the bodies of what it is asked and has nothing to say.
fn listener(voice: Voice) -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    let address = stub::serve(move |mut stream| {
        let request = read(&stream)?;
        let answer = if request.path() == "/props" {
            response(200, "", r#"{"model_path":"/models/m.gguf"}"#)
        } else {
            kept.lock().expect("bodies").push(request.body);
            voice.says("no")
        };
        stream.write_all(answer.as_bytes())
    });
    (address, bodies)
}

#[tokio::test]
async fn no_secret_of_a_known_format_arrives() {
    let own = Secret::new("correct-horse-battery-staple-4711".to_owned());
    let about = About { data: Vec::new(), project: None, tier: None };
    let (mut samples, mut arrived) = (0, Vec::new());
    for (voice, first) in VOICES.into_iter().zip((0..).step_by(SEEDS)) {
        let (address, bodies) = listener(voice);
        let base_url = format!("http://{address}{}", voice.base);
        let setting = ModelSetting { dialect: Some(voice.name), ..ModelSetting::new("Stub", &base_url, "m") };
        let (endpoint, (gate, _)) = (Api::new(&setting), gate(Mode::Default));
        for format in sample::formats() {
            let mut secrets = vec![own.expose().to_owned()];
            let mut code = format!("token = {}\n\n\n", own.expose());
            for seed in (first..).take(SEEDS) {
                let sample = sample::generate(format, seed).expect("a sample");
                let secret = sample::secret_of(format, &sample).expect("its secret").to_owned();
                for (number, form) in FORMS.iter().enumerate() {
                    code.push_str(&format!("# example {seed}.{number}\n{}\n\n\n", form(&sample, &secret)));
                    samples += 1;
                }
                secrets.push(secret);
            }
            let request = ModelRequest {
                system: String::new(),
                user: code,
                max_tokens: 8,
                schema: None,
                schema_name: String::new(),
                sample: 0,
            };
            let known = [&own];
            let terms = Terms { known: &known, ..Terms::new(&about, Duration::from_secs(60)) };
            let asked = ask(&gate, &endpoint, &request, terms, &mut |_| {}).await;
            assert!(asked.is_ok(), "{format}: {:?}", asked.err());
            let body = bodies.lock().expect("bodies").pop().expect("it was asked");
            let open = json!({ "messages": [{ "content": request.user }] }).to_string();
            let (open, readings) = (readings(open.as_bytes()), readings(&body));
            for secret in secrets {
                assert!(stands_in(&open, &secret), "{format}: the readings miss {secret} where nothing was taken out");
                if stands_in(&readings, &secret) {
                    arrived.push(format!("{:?}, {format}: {secret}", voice.name));
                }
            }
        }
    }
    assert!(samples >= 5_000, "{samples}");
    assert_eq!(arrived, Vec::<String>::new(), "of {samples} samples");
}

fn stands_in(readings: &[String], secret: &str) -> bool {
    let joined = joined(secret);
    readings.iter().any(|reading| reading.contains(secret) || reading.contains(&joined))
}

/// The body as somebody who wants its secrets would read it.
fn readings(body: &[u8]) -> Vec<String> {
    let raw = String::from_utf8(body.to_vec()).expect("text");
    let value: Value = serde_json::from_slice(body).expect("a JSON body stays one");
    let content = texts(&value);
    let unescaped = escapes(&content);
    let percent = percent(&content);
    let mut readings =
        vec![joined(&content), joined(&unescaped), joined(&percent), raw, content.clone(), unescaped, percent];
    for run in content.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c))).filter(|run| run.len() >= 16)
    {
        readings.extend((0..4).map(|skip| decoded(&run[skip..])));
    }
    readings
}

/// Every text in a body, wherever its dialect has it.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone() + "\n\n\n",
        Value::Array(parts) => parts.iter().map(texts).collect(),
        Value::Object(parts) => parts.values().map(texts).collect(),
        _ => String::new(),
    }
}

/// Without line ends, indentation and the marks of a diff.
fn joined(text: &str) -> String {
    text.lines().map(|line| line.trim_start_matches('+').trim()).collect()
}

fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// `\u0041` and its like as what they stand for.
fn escapes(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..4).and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)) {
            Some(c) => {
                decoded.push(c);
                decoded.push_str(&part[4..]);
            }
            None => decoded.push_str(part),
        }
    }
    decoded
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = char::from(ALPHABET[word >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

fn decoded(text: &str) -> String {
    let places: Vec<usize> =
        text.bytes().filter_map(|byte| ALPHABET.iter().position(|letter| *letter == byte)).collect();
    let words = places.chunks(4).filter(|chunk| chunk.len() > 1);
    let bytes: Vec<u8> = words
        .flat_map(|chunk| {
            let word = chunk.iter().fold(0, |word, place| word << 6 | place) << (6 * (4 - chunk.len()));
            [16, 8, 0].map(|shift| (word >> shift & 255) as u8).into_iter().take(chunk.len() - 1)
        })
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn the_readings_read_what_they_should() {
    for text in ["a", "ab", "abc", "hello there"] {
        assert_eq!(decoded(&base64(text.as_bytes())), text);
    }
    assert_eq!(percent("a%41%zz%"), "aA%zz%");
    assert_eq!(escapes("a\\u0041b"), "aAb");
    assert_eq!(joined("ab\n+    cd\n"), "abcd");
}
