//! What makes a fix suspicious although it passed every gate.
//!
//! A smell is seen in the text alone, so it can be wrong: it lowers a reading and asks for a person's look, and never
//! refuses a fix by itself.

use serde::{Deserialize, Serialize};

/// What can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum SmellKind {
    /// Only the place where it shows is changed, and the input comes from elsewhere.
    SymptomOnly,
    /// A list of what is forbidden, or one character that is escaped.
    DenyList,
    /// An exception is caught and nothing happens.
    SwallowedError,
    /// The function ends early for everybody, or its body became a constant.
    FeatureRemoved,
    /// Parameters, the kind of result or sync and async changed.
    SignatureChanged,
    /// A cipher, a hash or an escaping of its own beside a library's.
    HomeMade,
    /// Much larger than the other fixes of its kind.
    LargeChange,
    /// Functions are touched that have nothing to do with the finding.
    UnrelatedChange,
    /// A check is gone or lets more through.
    WeakenedCheck,
    /// The scanner no longer sees the dangerous call, which is still there.
    HiddenSink,
    /// A whole command line is given as one program, or with a shell switched off that it needs.
    BrokenCall,
    /// Placeholders and values do not match, or a placeholder stands for a name.
    BadPlaceholder,
    /// A fast hash for a password.
    FastHash,
    /// Tests or their settings are changed.
    TestEdit,
    /// A dependency is added or changed.
    NewDependency,
    /// A network call, a process, an evaluation, a deserialiser or a read of credentials is added.
    NewPower,
    /// A file that the finding is not in is changed.
    OtherFile,
    /// A name is used that stands nowhere.
    UnknownName,
}

/// One observation, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Smell {
    /// What.
    pub kind: SmellKind,
    /// Where and what exactly, in one line.
    pub detail: String,
}

impl SmellKind {
    /// Its log-odds, -0.8 to 0; start values, to be refitted.
    pub fn weight(self) -> f64 {
        match self {
            Self::OtherFile | Self::TestEdit | Self::LargeChange => -0.2,
            Self::SymptomOnly | Self::UnrelatedChange | Self::NewDependency | Self::SignatureChanged => -0.4,
            Self::DenyList | Self::SwallowedError | Self::HomeMade | Self::FastHash | Self::NewPower => -0.6,
            Self::FeatureRemoved
            | Self::WeakenedCheck
            | Self::HiddenSink
            | Self::BrokenCall
            | Self::BadPlaceholder
            | Self::UnknownName => -0.8,
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::SymptomOnly => "Changes only where it shows",
            Self::DenyList => "Lists what is forbidden",
            Self::SwallowedError => "Swallows an error",
            Self::FeatureRemoved => "Removes what the code does",
            Self::SignatureChanged => "Changes a signature",
            Self::HomeMade => "Home-made protection",
            Self::LargeChange => "Large change",
            Self::UnrelatedChange => "Touches unrelated code",
            Self::WeakenedCheck => "Weakens a check",
            Self::HiddenSink => "Hides the dangerous call",
            Self::BrokenCall => "Broken call",
            Self::BadPlaceholder => "Placeholders do not fit",
            Self::FastHash => "Fast hash for a password",
            Self::TestEdit => "Changes tests",
            Self::NewDependency => "New dependency",
            Self::NewPower => "New power",
            Self::OtherFile => "Changes another file",
            Self::UnknownName => "Unknown name",
        }
    }
}
