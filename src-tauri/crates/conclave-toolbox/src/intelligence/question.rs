//! A question about weaknesses, and the words in which a search engine is asked.
//!
//! Invariant: [`Question::query`] is made of words that stand in this program, and of numbers: nothing that a project, a
//! client or a model wrote is ever in it.

use serde_json::{Value, json};

use super::bundled;
use super::framework::{Framework, names};

/// The largest number that a CWE has, with room to grow.
const LARGEST_CWE: u64 = 9_999;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What about.
    pub about: About,
    /// A kind of weakness.
    pub cwe: Option<u32>,
    /// A framework that everybody knows.
    pub framework: Option<Framework>,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The latest entries of vulnerability lists.
    LatestCves,
    /// How to prevent a kind of weakness.
    OwaspGuidance,
    /// Vulnerabilities of the same kind.
    SimilarVulnerabilities,
    /// Security updates of a framework.
    FrameworkUpdates,
}

impl About {
    /// All of them, by the words that models use.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::LatestCves, "latest_cves"),
        (Self::OwaspGuidance, "owasp_guidance"),
        (Self::SimilarVulnerabilities, "similar_vulnerabilities"),
        (Self::FrameworkUpdates, "framework_updates"),
    ];

    /// The word that models use.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(about, _)| *about == self).map_or("", |(_, word)| word)
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::LatestCves => "Latest CVEs",
            Self::OwaspGuidance => "OWASP guidance",
            Self::SimilarVulnerabilities => "Similar vulnerabilities",
            Self::FrameworkUpdates => "Framework updates",
        }
    }
}

impl Question {
    /// The latest vulnerabilities of the kind `cwe`, in `framework` where one is given.
    pub fn latest_cves(cwe: u32, framework: Option<Framework>) -> Self {
        Self { about: About::LatestCves, cwe: Some(cwe), framework }
    }

    /// How to prevent weaknesses of the kind `cwe`.
    pub fn owasp_guidance(cwe: u32) -> Self {
        Self { about: About::OwaspGuidance, cwe: Some(cwe), framework: None }
    }

    /// Vulnerabilities like one of the kind `cwe`, in `framework` where one is given.
    pub fn similar_vulnerabilities(cwe: u32, framework: Option<Framework>) -> Self {
        Self { about: About::SimilarVulnerabilities, cwe: Some(cwe), framework }
    }

    /// Security updates of `framework`.
    pub fn framework_updates(framework: Framework) -> Self {
        Self { about: About::FrameworkUpdates, cwe: None, framework: Some(framework) }
    }

    /// Reads a model's arguments.
    ///
    /// # Errors
    /// What is wrong with them, for the model.
    pub(super) fn read(arguments: &Value) -> Result<Self, String> {
        const KEYS: [&str; 4] = ["question", "cwe", "framework", "version"];
        let object = arguments.as_object().ok_or("the arguments are an object")?;
        if object.keys().any(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("only {} can be given; there is no free text", KEYS.join(", ")));
        }
        let word = arguments["question"].as_str().unwrap_or_default();
        let words = About::ALL.map(|(_, word)| word).join(", ");
        let (about, _) =
            About::ALL.into_iter().find(|(_, known)| *known == word).ok_or(format!("`question` is one of {words}"))?;
        let cwe = match object.get("cwe") {
            None | Some(Value::Null) => None,
            Some(number) => Some(cwe(number).ok_or("`cwe` is the number of a CWE, such as 89")?),
        };
        let version = match object.get("version") {
            None | Some(Value::Null) => None,
            Some(version) => Some(version.as_str().ok_or("`version` is a text, such as `4.2.1`")?),
        };
        let framework = match object.get("framework") {
            None | Some(Value::Null) => None,
            Some(name) => {
                let known = name.as_str().and_then(|name| Framework::known(name, version));
                Some(known.ok_or("`framework` is one of those in the schema, and nothing else is looked up by name")?)
            }
        };
        let question = Self { about, cwe, framework };
        match question.lacks() {
            Some(what) => Err(format!("`{word}` needs {what}")),
            None => Ok(question),
        }
    }

    /// The arguments of the tool that ask this.
    pub fn arguments(&self) -> Value {
        let mut arguments = json!({ "question": self.about.word() });
        if let Some(cwe) = self.cwe {
            arguments["cwe"] = cwe.into();
        }
        if let Some(framework) = &self.framework {
            arguments["framework"] = framework.name().into();
            if let Some(version) = framework.version() {
                arguments["version"] = version.into();
            }
        }
        arguments
    }

    /// The words in which a search engine is asked.
    pub fn query(&self) -> String {
        let weakness = self.cwe.map(|cwe| match bundled::name(cwe) {
            Some(name) => format!("CWE-{cwe} {name}"),
            None => format!("CWE-{cwe}"),
        });
        let framework = self.framework.as_ref().map(|framework| match framework.version() {
            Some(version) => format!("{} {version}", framework.name()),
            None => framework.name().to_owned(),
        });
        let (before, behind) = match self.about {
            About::LatestCves => ("latest CVE", ""),
            About::OwaspGuidance => ("OWASP prevention guidance", ""),
            About::SimilarVulnerabilities => ("", "vulnerability advisory"),
            About::FrameworkUpdates => ("", "security update release notes"),
        };
        let parts = [Some(before.to_owned()), weakness, framework, Some(behind.to_owned())];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// What is missing for it to mean something.
    fn lacks(&self) -> Option<&'static str> {
        match self.about {
            About::FrameworkUpdates => self.framework.is_none().then_some("`framework`"),
            About::OwaspGuidance | About::SimilarVulnerabilities => self.cwe.is_none().then_some("`cwe`"),
            About::LatestCves => (self.cwe.is_none() && self.framework.is_none()).then_some("`cwe` or `framework`"),
        }
    }
}

/// The number of a CWE, also as `CWE-89`.
fn cwe(value: &Value) -> Option<u32> {
    let number = match value {
        Value::String(text) => text.trim_start_matches("CWE-").parse().ok()?,
        other => other.as_u64()?,
    };
    (1..=LARGEST_CWE).contains(&number).then(|| u32::try_from(number).ok())?
}

/// The schema of the arguments.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "question": { "type": "string", "enum": About::ALL.map(|(_, word)| word), "description": "What to look up." },
            "cwe": { "type": "integer", "minimum": 1, "maximum": LARGEST_CWE, "description": "The kind of weakness." },
            "framework": { "type": "string", "enum": names(), "description": "The framework." },
            "version": { "type": "string", "description": "Its version, such as 4.2.1." },
        },
        "required": ["question"],
        "additionalProperties": false,
    })
}
