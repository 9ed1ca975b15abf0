//! What counts as a secret when only its looks and its name speak for it.

use super::super::*;

/// A text and whether anything in it is taken for a secret.
fn check(text: &str, expect: bool) {
    let hits = scan(text.as_bytes(), &[]).unwrap();
    assert_eq!(!hits.is_empty(), expect, "{text}: {hits:?}");
}

/// Letters and digits as chance gives them; no sample stands in this file as it is.
fn noise(len: usize, seed: usize) -> String {
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        letters[(state >> 33) as usize % letters.len()]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn what_is_given_to_a_password_or_a_key_is_a_secret_if_it_could_be_one() {
    let value = "Tr0ub4dor";
    for text in [
        r#"password = "@""#,
        r#"{"db_password": "@&3x"}"#,
        r#"{\"db_password\": \"@&3x\"}"#,
        "apiKey: '@'",
        r#"config["secret_key"] = "@""#,
        "  <password>\n",
        "set_password(user, password='@')",
        "export DB_PASSWORD=@&3xQ",
        r#"String accessToken = "@";"#,
        r#"'auth_token' => '@',"#,
    ] {
        check(&text.replace('@', value), text.contains('@'));
    }
    for text in [
        "password = get_password(user)",
        "password = self.password",
        r#"password = "changeme""#,
        r#"password = "your-password-here1!""#,
        r#"password = "${DB_PASSWORD_1}""#,
        r#"token = "{{ token_123 }}""#,
        r#"password = "<password1>""#,
        r#"secret = os.environ["SECRET_1"]"#,
        "token_type = access_token_type_v2",
        r#"password_field = "input_password_2""#,
        r#"secret_name = "projects/a/secrets/b1/versions/22""#,
        r#"password = "[redacted: assigned-secret]""#,
        "https://user:password@example.com/",
        "https://user:${PASSWORD}@example.com/",
        "http://localhost:8080/a:b@c",
    ] {
        check(text, false);
    }
    for password in [value, "postgres", "mysecretpassword", "hunter2"] {
        check(&format!("postgres://app:{password}@db/app"), true);
    }
    check(&format!("password = \"My{}2024!\"", "Secret"), true);
}

#[test]
fn what_looks_like_chance_is_a_secret_unless_it_is_known_to_be_something_else() {
    for seed in 0..40 {
        check(&format!("x = '{}'", noise(40, seed)), true);
    }
    let digest = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";
    for text in [
        format!("checksum = \"{}\"", digest.to_lowercase()),
        format!("resolved \"https://r.dev/a.tgz#{}\"", &digest.to_lowercase()[..40]),
        format!("\"integrity\": \"sha512-{}{}==\"", noise(43, 3), noise(43, 4)),
        format!("golang.org/x/text v0.3.0 h1:{}=", noise(43, 5)),
        "id = \"6f1e9a52-3c0b-4d3e-9c7a-5b1f2e8d4a60\"".into(),
        "import { getElementsByClassNameAndTagName2 } from 'src/main/java/com/acme/shop/OrderController1'".into(),
        "\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\"".into(),
        format!("<img src=\"data:image/png;base64,{}\">", noise(400, 6)),
        "assertThat(response.getStatusCode()).isEqualTo(HttpStatus.INTERNAL_SERVER_ERROR_500)".into(),
    ] {
        check(&text, false);
    }
}

#[test]
fn a_prefix_in_the_middle_of_a_word_is_none() {
    let tail = noise(40, 7);
    check(&format!("risk-{}", tail.to_lowercase()), false);
    check(&format!("sk-{}", tail), true);
    check("class=\"sk-folding-cube-with-a-long-name\"", false);
}
