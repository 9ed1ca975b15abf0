//! What is known of kinds of weaknesses: a name, a family and what removes them.
//!
//! Names are those of the Common Weakness Enumeration (cwe.mitre.org), shortened; the remedies are ours. A number that is
//! not here is unknown, never guessed.

use serde::{Deserialize, Serialize};

/// Weaknesses whose fixes are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Input becomes part of a command, a query or code.
    Injection,
    /// Input becomes part of a page.
    Page,
    /// Input names a file or an address.
    Reach,
    /// Data becomes objects.
    Deserialisation,
    /// Who may do what.
    Access,
    /// Ciphers, hashes, randomness and transport.
    Crypto,
    /// Secrets and what tells too much.
    Disclosure,
    /// Order of events, and states.
    Timing,
    /// Input that takes up too much.
    Exhaustion,
    /// Everything else.
    Other,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Injection,
        Self::Page,
        Self::Reach,
        Self::Deserialisation,
        Self::Access,
        Self::Crypto,
        Self::Disclosure,
        Self::Timing,
        Self::Exhaustion,
        Self::Other,
    ];

    /// The family of a finding with these CWE numbers: that of the first that is known.
    pub fn of(cwe: &[u32]) -> Self {
        cwe.iter().find_map(|number| weakness(*number)).map_or(Self::Other, |weakness| weakness.family)
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Injection => "Injection",
            Self::Page => "Cross-site scripting",
            Self::Reach => "Paths and addresses",
            Self::Deserialisation => "Deserialisation",
            Self::Access => "Access",
            Self::Crypto => "Cryptography",
            Self::Disclosure => "Secrets and disclosure",
            Self::Timing => "Order and state",
            Self::Exhaustion => "Exhaustion",
            Self::Other => "Other",
        }
    }

    /// What lies under weaknesses of this family, in one sentence; `None` where they have nothing in common.
    pub fn cause(self) -> Option<&'static str> {
        Some(match self {
            Self::Injection => {
                "What somebody else can choose becomes part of a command, a query or code, and can change what it means."
            }
            Self::Page => {
                "What somebody else can choose becomes part of a page, and can act there in another person\u{2019}s name."
            }
            Self::Reach => {
                "What somebody else can choose names a file or an address, and can name one that was never meant."
            }
            Self::Deserialisation => {
                "Data that somebody else can write becomes objects, and can make the program do more than read it."
            }
            Self::Access => "The program does not make sure that whoever asks may do this.",
            Self::Crypto => {
                "What the code relies on for protection can be broken: a cipher, a hash, randomness or a connection."
            }
            Self::Disclosure => "Something secret stands where others can read it, or is told to them.",
            Self::Timing => "Between two steps that belong together something else can happen.",
            Self::Exhaustion => "How much work is done is decided by whoever sends the input.",
            Self::Other => return None,
        })
    }
}

/// One kind of weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// Its CWE number.
    pub cwe: u32,
    /// What it is called.
    pub name: &'static str,
    /// Which fixes it wants.
    pub family: Family,
    /// What removes it, in one sentence.
    pub remedy: &'static str,
}

/// What is known of CWE `cwe`.
pub fn weakness(cwe: u32) -> Option<&'static Weakness> {
    KNOWN.binary_search_by_key(&cwe, |weakness| weakness.cwe).ok().map(|index| &KNOWN[index])
}

const fn known(cwe: u32, name: &'static str, family: Family, remedy: &'static str) -> Weakness {
    Weakness { cwe, name, family, remedy }
}

const COMMAND: &str =
    "Start the program with a list of arguments and no shell; where a shell is needed, quote every value.";
const PAGE: &str = "Encode for the place where the value stands, or set it as text; keep markup out of reach of input.";
const PATH: &str =
    "Resolve the path and refuse what does not lie in the folder meant, compared by path parts and after links.";
const RANDOM: &str = "Draw it from the system\u{2019}s source of secure randomness.";
const HASH: &str =
    "Use a hash that is not broken; for passwords one that is slow and salted, such as scrypt or Argon2.";
const SECRET: &str =
    "Take it out of the source, read it from the environment or a store of secrets, and replace it everywhere.";
const TRANSPORT: &str = "Check certificates and host names, with the system\u{2019}s roots or named ones.";
const RIGHTS: &str = "Check on the server that this person may do this to this object, and refuse by default.";
const LIMIT: &str = "Bound size, depth, count and time before the work begins.";

/// Sorted by number.
const KNOWN: [Weakness; 67] = [
    known(
        20,
        "Improper input validation",
        Family::Other,
        "Accept only what is known to be good, and say no otherwise.",
    ),
    known(22, "Path traversal", Family::Reach, PATH),
    known(23, "Relative path traversal", Family::Reach, PATH),
    known(36, "Absolute path traversal", Family::Reach, PATH),
    known(
        59,
        "Link following",
        Family::Reach,
        "Open without following links, and compare what was opened with what was meant.",
    ),
    known(73, "External control of a file name", Family::Reach, PATH),
    known(74, "Injection", Family::Injection, "Keep data apart from code: bind, encode or pass as an argument."),
    known(77, "Command injection", Family::Injection, COMMAND),
    known(78, "OS command injection", Family::Injection, COMMAND),
    known(79, "Cross-site scripting", Family::Page, PAGE),
    known(80, "Basic cross-site scripting", Family::Page, PAGE),
    known(
        88,
        "Argument injection",
        Family::Injection,
        "Put `--` before values, or refuse values that begin with a dash.",
    ),
    known(
        89,
        "SQL injection",
        Family::Injection,
        "Bind values as parameters; choose names of tables and columns from a fixed list.",
    ),
    known(90, "LDAP injection", Family::Injection, "Escape values for the filter or name in which they stand."),
    known(91, "XML injection", Family::Injection, "Build the document with a library that escapes."),
    known(
        93,
        "CRLF injection",
        Family::Injection,
        "Refuse line breaks in values that become part of a header or a log line.",
    ),
    known(
        94,
        "Code injection",
        Family::Injection,
        "Evaluate nothing; parse the value as data or look it up in a fixed list.",
    ),
    known(
        95,
        "Eval injection",
        Family::Injection,
        "Evaluate nothing; parse the value as data or look it up in a fixed list.",
    ),
    known(113, "HTTP header injection", Family::Injection, "Refuse line breaks in header values."),
    known(117, "Log injection", Family::Injection, "Escape control characters before a value is logged."),
    known(200, "Exposure of sensitive information", Family::Disclosure, "Give away only what the receiver needs."),
    known(208, "Observable timing difference", Family::Disclosure, "Compare secrets in constant time."),
    known(
        209,
        "Error message with sensitive information",
        Family::Disclosure,
        "Log the details and answer with a plain message.",
    ),
    known(
        215,
        "Sensitive information in debug code",
        Family::Disclosure,
        "Switch debugging off where others can reach it.",
    ),
    known(259, "Hard-coded password", Family::Disclosure, SECRET),
    known(276, "Incorrect default permissions", Family::Access, "Give the file to its owner alone, when it is made."),
    known(284, "Improper access control", Family::Access, RIGHTS),
    known(
        287,
        "Improper authentication",
        Family::Access,
        "Check who it is before anything else happens, and refuse when that fails.",
    ),
    known(295, "Improper certificate validation", Family::Crypto, TRANSPORT),
    known(297, "Host name of a certificate not checked", Family::Crypto, TRANSPORT),
    known(306, "Missing authentication", Family::Access, "Ask who it is before the function does anything."),
    known(307, "Unlimited login attempts", Family::Access, "Slow down and lock after repeated failures."),
    known(
        312,
        "Secrets stored in clear text",
        Family::Disclosure,
        "Do not store it, or encrypt it with a key that is kept elsewhere.",
    ),
    known(319, "Clear-text transmission", Family::Crypto, "Use TLS and check the other side."),
    known(321, "Hard-coded cryptographic key", Family::Disclosure, SECRET),
    known(
        326,
        "Inadequate encryption strength",
        Family::Crypto,
        "Use a key size and a cipher of today, with authentication.",
    ),
    known(
        327,
        "Broken cryptographic algorithm",
        Family::Crypto,
        "Use a cipher or hash that is not broken; old data needs a way over.",
    ),
    known(328, "Weak hash", Family::Crypto, HASH),
    known(329, "Predictable initialisation vector", Family::Crypto, RANDOM),
    known(330, "Insufficiently random values", Family::Crypto, RANDOM),
    known(338, "Weak random number generator", Family::Crypto, RANDOM),
    known(
        347,
        "Signature not verified",
        Family::Crypto,
        "Verify the signature with a fixed algorithm and key before the content is used.",
    ),
    known(
        352,
        "Cross-site request forgery",
        Family::Access,
        "Require a token of the session for requests that change something.",
    ),
    known(362, "Race condition", Family::Timing, "Make check and use one step, or hold a lock over both."),
    known(367, "Time of check, time of use", Family::Timing, "Open once and check what was opened."),
    known(
        377,
        "Insecure temporary file",
        Family::Reach,
        "Let the library make the file, with a name of its own and for the owner alone.",
    ),
    known(384, "Session fixation", Family::Access, "Make a new session when somebody logs in."),
    known(400, "Uncontrolled resource consumption", Family::Exhaustion, LIMIT),
    known(
        434,
        "Unrestricted upload",
        Family::Reach,
        "Choose name and folder yourself, check type and size, and never run what was uploaded.",
    ),
    known(
        502,
        "Deserialisation of untrusted data",
        Family::Deserialisation,
        "Read plain data formats, or allow only named types.",
    ),
    known(522, "Insufficiently protected credentials", Family::Disclosure, SECRET),
    known(532, "Secrets in a log", Family::Disclosure, "Leave the secret out of the log line."),
    known(601, "Open redirect", Family::Reach, "Redirect to paths of this site or to hosts of a fixed list."),
    known(
        611,
        "XML external entities",
        Family::Deserialisation,
        "Switch off document types and external entities in the parser.",
    ),
    known(614, "Cookie without Secure", Family::Crypto, "Set Secure, HttpOnly and SameSite."),
    known(639, "Access by a key of the user\u{2019}s choice", Family::Access, RIGHTS),
    known(643, "XPath injection", Family::Injection, "Bind values as variables of the expression."),
    known(732, "Incorrect permission assignment", Family::Access, "Give the file to its owner alone, when it is made."),
    known(776, "Entity expansion", Family::Exhaustion, "Switch off document types in the parser, or bound expansion."),
    known(798, "Hard-coded credentials", Family::Disclosure, SECRET),
    known(862, "Missing authorisation", Family::Access, RIGHTS),
    known(863, "Incorrect authorisation", Family::Access, RIGHTS),
    known(916, "Password hash with too little work", Family::Crypto, HASH),
    known(
        918,
        "Server-side request forgery",
        Family::Reach,
        "Fetch from hosts of a fixed list only, checked after resolving and on every redirect.",
    ),
    known(1004, "Cookie without HttpOnly", Family::Crypto, "Set Secure, HttpOnly and SameSite."),
    known(
        1321,
        "Prototype pollution",
        Family::Injection,
        "Refuse `__proto__`, `constructor` and `prototype` as keys, or use a map.",
    ),
    known(
        1333,
        "Regular expression that takes too long",
        Family::Exhaustion,
        "Use an expression or an engine that is linear in its input.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_says_something() {
        assert!(KNOWN.is_sorted_by(|a, b| a.cwe < b.cwe));
        assert!(KNOWN.iter().all(|weakness| weakness.remedy.ends_with('.') && !weakness.name.is_empty()));
    }

    #[test]
    fn the_first_known_number_names_the_family() {
        for (cwe, family) in [
            (vec![89], Family::Injection),
            (vec![99_999, 79], Family::Page),
            (vec![78, 79], Family::Injection),
            (vec![1], Family::Other),
            (vec![], Family::Other),
        ] {
            assert_eq!(Family::of(&cwe), family, "{cwe:?}");
        }
    }
}
