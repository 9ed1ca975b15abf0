//! A setting that protects is switched off, or taken away where it is off by itself.

use std::sync::OnceLock;

use conclave_core::smell::{Smell, SmellKind};
use regex::{Regex, RegexSet};

use super::pair::{Counts, Pair, Side, gained, squeezed};
use crate::syntax::Node;

/// Names of settings, in small letters without marks, with the values that switch protection off.
const WEAK: [(&str, &str); 17] = [
    (
        r"^(verify|verifyssl|sslverify|checkhostname|validatecerts|rejectunauthorized|strictssl|autoescape|weightsonly|secure|httponly|sessioncookiesecure|sessioncookiehttponly|csrfcookiesecure|setsecure|sethttponly|securesslredirect|escape|sanitize|noent(ity)?check|strict|checksignature|verifysignature|verifyexp|verifyaud|requirehttps|csrf|wtfcsrfenabled|wtfcsrfcheckdefault|raiseonerror|contextisolation|sandbox|websecurity|usessl|usetls)$",
        r"^(false|0|null|none|''|off)$",
    ),
    (
        r"^(shell|debug|insecure|allowpickle|resolveentities|loaddtd|dtdvalidation|noent|unsafe|nodeintegration|allowrunninginsecurecontent|trustallcerts|autoaddpolicy|allowoverwrite|skipverification|insecureskipverify|ignorehttpserrors|ignorecertificateerrors|setvalidating|nonetwork)$",
        r"^(true|1|'always'|force)$",
    ),
    (r"^(certreqs|verifymode)$", r"(?i)(certnone|none|certoptional|^0$)"),
    (r"^(algorithms?|alg)$", r"(?i)none"),
    (r"^(loader)$", r"(?i)(^|\.)(unsafe|full)?loader$"),
    (r"^(filter)$", r"(?i)(none|fully_?trusted)"),
    (r"^(samesite)$", r"(?i)(none|false)"),
    (
        r"^(origin|alloworigins|allowedhosts|corsorigins|accesscontrolalloworigin|allowedorigins|alloworiginregex)$",
        r"(\*|true)",
    ),
    (r"^(timeout)$", r"(?i)^(none|null|undefined|0)$"),
    (r"^(mode)$", r"(?i)(0?o?777|0?o?666|ecb)"),
    (r"^(minversion|sslversion|secureprotocol)$", r"(?i)(v1(_0|_1)?$|sslv|tlsv1$|tlsv1\.?[01])"),
    (r"^(rounds|iterations|salt_?rounds|cost)$", r"^[0-9]$"),
    (r"^(nodetlsrejectunauthorized)$", r"^'?0'?$"),
    (r"^(dangerouslysetinnerhtml|innerhtml|outerhtml)$", r"."),
    (r"^(setmissinghostkeypolicy)$", r"(?i)(autoadd|warning)policy"),
    (r"^(sethostnameverifier|setdefaulthostnameverifier)$", r"(?i)(noop|allow_?all|->\s*true|null)"),
    (r"^(permissions)$", r"(?i)all"),
];
/// Settings whose value protects and whose absence does not.
const STRONG: [(&str, &str); 8] = [
    (
        r"^(autoescape|weightsonly|secure|httponly|setsecure|sethttponly|sessioncookiesecure|sessioncookiehttponly|csrfcookiesecure)$",
        r"(?i)(true|1|select_?autoescape)",
    ),
    (r"^(filter)$", r"(?i)(data|tar)"),
    (r"^(loader)$", r"(?i)safe"),
    (r"^(samesite)$", r"(?i)(strict|lax)"),
    (r"^(timeout)$", r"^[^n]"),
    (
        r"^(setfeature|setproperty|setattribute|setexpandentityreferences|setxincludeaware|setmissinghostkeypolicy|setobjectinputfilter)$",
        r".",
    ),
    (r"^(algorithms)$", r"."),
    (r"^(maxage|maxlength|maxsize|limit|maxbytes)$", r"^[0-9]"),
];
/// Forms that switch protection off and are no setting.
const FORMS: [&str; 26] = [
    r"_create_unverified_context|disable_warnings\(",
    r"\bAutoAddPolicy\b|\bWarningPolicy\b",
    r"NoopHostnameVerifier|ALLOW_ALL_HOSTNAME|TrustAllStrategy|TrustSelfSignedStrategy",
    r"@csrf_exempt|\bcsrf\(\)\.disable\(\)|csrf\.disable\(|AbstractHttpConfigurer::disable|csrf\.exempt\(",
    r"\bpermitAll\(\)|@PermitAll|@AllowAnonymous|\.anyRequest\(\)\.anonymous",
    r"\bmark_safe\(|\bMarkup\(|\|\s*safe\b|Handlebars\.SafeString",
    r"bypassSecurityTrust\w+|dangerouslySetInnerHTML|\$sce\.trustAs",
    r"\.innerHTML\s*\+?=|\.outerHTML\s*\+?=",
    r"insertAdjacentHTML\(|document\.write(ln)?\(",
    r"yaml\.(unsafe_load|full_load)\(|\b(Unsafe|Full)Loader\b",
    r"pickle\.loads?\(|marshal\.loads?\(|dill\.loads?\(",
    r#"(?i)["'](AES|DES)/ECB|["']DES["']|["']RC4["']|MODE_ECB"#,
    r#"(?i)\b(md5|sha1)\(|["'](md5|sha-?1)["']"#,
    r"0o?777\b|0o?666\b",
    r#"Access-Control-Allow-Origin["']\s*,\s*["']\*"#,
    r"\bverify\s*=\s*False\b|rejectUnauthorized\s*:\s*false",
    r"extractall\(\s*\)|extractall\(\w+\)",
    r"(?i)algorithms\s*=\s*\[\s*['\x22]none",
    r"checkServerTrusted\([^)]*\)\s*(throws \w+\s*)?\{\s*\}",
    r"return\s+true;\s*//\s*trust|verify\([^)]*\)\s*\{\s*return\s+true;",
    r"escape\s*=\s*false|<%-|\{\{\{",
    r"Math\.random\(\)|new Random\(\)|\brandom\.(random|randint|choice)\(",
    r"shell\s*=\s*True\b",
    r#"(disallow-doctype-decl["']|FEATURE_SECURE_PROCESSING)\s*,\s*false"#,
    r#"(external-(general|parameter)-entities|load-external-dtd)["']\s*,\s*true"#,
    r"(SUPPORT_DTD|IS_SUPPORTING_EXTERNAL_ENTITIES)\s*,\s*true",
];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    let settings = |side: &Side<'_>, compiled: &[(Regex, Regex)]| {
        side.counts(|node| {
            let (name, value) = setting(side, node)?;
            let (plain, text) = (plain(&name), value);
            compiled.iter().any(|(key, values)| key.is_match(&plain) && values.is_match(&text)).then_some(name)
        })
    };
    let off: Counts = gained(&settings(&pair.before, weak()), &settings(&pair.after, weak())).into_iter().collect();
    for name in off.keys() {
        smells.push(pair.gone(SmellKind::WeakenedCheck, &format!("`{name}` is set to a value that protects nothing")));
    }
    let hidden = |side: &Side<'_>| {
        side.counts(|node| {
            let (name, value) = setting(side, node)?;
            let written =
                node.field("value").or_else(|| node.field("right")).map(|value| squeezed(&value).to_lowercase())?;
            let weak = weak().iter().any(|(key, values)| key.is_match(&plain(&name)) && values.is_match(&value));
            (weak && written.replace('"', "'") != value).then_some(name)
        })
    };
    for (name, _) in gained(&hidden(&pair.before), &hidden(&pair.after)) {
        smells.push(pair.gone(SmellKind::HiddenSink, &format!("`{name}` is switched off where it cannot be seen")));
    }
    let gone = gained(&settings(&pair.after, strong()), &settings(&pair.before, strong()));
    for (name, _) in gone.iter().filter(|(name, _)| !off.contains_key(name)) {
        smells.push(pair.gone(SmellKind::WeakenedCheck, &format!("`{name}` is no longer set")));
    }
    let forms = |side: &Side<'_>, at: usize| expressions()[at].find_iter(&side.code).count();
    let matches = form_set().matches(&pair.after.code);
    if let Some(at) = matches.iter().find(|at| forms(&pair.after, *at) > forms(&pair.before, *at)) {
        let found = expressions()[at].find(&pair.after.code).map_or("", |found| found.as_str());
        smells.push(pair.gone(SmellKind::WeakenedCheck, &format!("`{}` comes in", super::pair::short(found))));
    }
    smells
}

/// The name and the value of a setting at `node`; a value that is a constant of the file is that constant.
fn setting<'t>(side: &Side<'t>, node: &Node<'t>) -> Option<(String, String)> {
    let (name, value) = match node.kind().as_ref() {
        "keyword_argument" => (node.field("name")?, node.field("value")?),
        "pair" => (node.field("key")?, node.field("value")?),
        "assignment" | "assignment_expression" => {
            let left = node.field("left")?;
            let member = left.field("attribute").or_else(|| left.field("property")).or_else(|| left.field("field"));
            let index = || left.field("subscript").or_else(|| left.field("index"));
            (member.or_else(index).unwrap_or(left), node.field("right")?)
        }
        "call" | "call_expression" | "method_invocation" => {
            let callee = node.field("function");
            let name = node.field("name").or_else(|| {
                let callee = callee?;
                callee.field("attribute").or_else(|| callee.field("property"))
            })?;
            if !name.text().to_lowercase().starts_with("set") {
                return None;
            }
            let value = node.field("arguments")?.parts().pop()?;
            (name, value)
        }
        _ => return None,
    };
    Some((name.text().trim_matches(['"', '\'']).to_owned(), value_of(side, &value, 4)))
}

/// A value in small letters, with what is plainly the same as a switch written as one.
fn value_of<'t>(side: &Side<'t>, node: &Node<'t>, hops: usize) -> String {
    let constant = || side.source.names().only_value(&node.text(), node.range().start);
    if let Some(value) = (hops > 0 && node.is(&["identifier"])).then(constant).flatten() {
        return value_of(side, &value, hops - 1);
    }
    let text = squeezed(node).to_lowercase().replace('"', "'");
    match text.as_str() {
        "not true" | "!true" | "!1" | "bool(0)" | "boolean(0)" | "bool('')" | "not 1" | "1 == 0" | "0 == 1" => {
            "false".to_owned()
        }
        "not false" | "!false" | "!0" | "bool(1)" | "boolean(1)" | "not 0" | "1 == 1" => "true".to_owned(),
        _ => text,
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

type Compiled = Vec<(Regex, Regex)>;

fn compile(table: &[(&str, &str)]) -> Compiled {
    // INVARIANT: a test compiles every expression of the tables.
    #[allow(clippy::expect_used)]
    let pair =
        |(key, value): &(&str, &str)| (Regex::new(key).expect("it compiles"), Regex::new(value).expect("it compiles"));
    table.iter().map(pair).collect()
}

fn weak() -> &'static [(Regex, Regex)] {
    static WEAK_COMPILED: OnceLock<Compiled> = OnceLock::new();
    WEAK_COMPILED.get_or_init(|| compile(&WEAK))
}

fn strong() -> &'static [(Regex, Regex)] {
    static STRONG_COMPILED: OnceLock<Compiled> = OnceLock::new();
    STRONG_COMPILED.get_or_init(|| compile(&STRONG))
}

fn expressions() -> &'static [Regex] {
    static ALL: OnceLock<Vec<Regex>> = OnceLock::new();
    // INVARIANT: as for `compile`.
    #[allow(clippy::expect_used)]
    ALL.get_or_init(|| FORMS.iter().map(|form| Regex::new(form).expect("it compiles")).collect())
}

fn form_set() -> &'static RegexSet {
    static SET: OnceLock<RegexSet> = OnceLock::new();
    // INVARIANT: as for `compile`.
    #[allow(clippy::expect_used)]
    SET.get_or_init(|| RegexSet::new(FORMS).expect("it compiles"))
}
