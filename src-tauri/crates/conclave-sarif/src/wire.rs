//! The parts of SARIF 2.1.0 that are read, under the standard's own names.
//!
//! Deliberately absent, so that it can never be kept: environment variables, command lines, accounts, web requests and
//! responses, contents of artifacts, snippets.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::cwe::Numbers;
use crate::lenient::{List, Map, Maybe, Number, Text, Truth, pass_over};

/// `result`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Result<'a> {
    pub(crate) rule_id: Text<'a>,
    pub(crate) rule_index: Number,
    pub(crate) rule: Maybe<DescriptorReference<'a>>,
    pub(crate) kind: Text<'a>,
    pub(crate) level: Text<'a>,
    pub(crate) rank: Number,
    pub(crate) message: Message<'a>,
    pub(crate) locations: List<Maybe<Location<'a>>, 1000>,
    pub(crate) code_flows: List<Maybe<CodeFlow<'a>>, 1>,
    pub(crate) fixes: List<Maybe<Fix<'a>>, 100>,
    pub(crate) suppressions: List<Maybe<Suppression<'a>>, 100>,
    pub(crate) baseline_state: Text<'a>,
    pub(crate) fingerprints: Map<Text<'a>, 32>,
    pub(crate) partial_fingerprints: Map<Text<'a>, 32>,
    pub(crate) taxa: List<Maybe<DescriptorReference<'a>>, 100>,
    pub(crate) properties: Maybe<Properties<'a>>,
}

/// The `properties` of a result or rule that mean something to Conclave.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Properties<'a> {
    #[serde(rename = "security-severity")]
    pub(crate) security_severity: Number,
    pub(crate) tags: List<Text<'a>, 200>,
    pub(crate) cwe: Numbers,
    pub(crate) issue_cwe: Numbers,
}

/// `reportingDescriptorReference`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct DescriptorReference<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) index: Number,
    pub(crate) guid: Text<'a>,
    pub(crate) tool_component: Maybe<ComponentReference<'a>>,
}

/// `toolComponentReference`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ComponentReference<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) index: Number,
    pub(crate) guid: Text<'a>,
}

/// `message` and `multiformatMessageString`; a bare text is taken as its `text`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) markdown: Text<'a>,
    pub(crate) id: Text<'a>,
    pub(crate) arguments: List<Text<'a>, 50>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Message<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Object<'a> {
            text: Text<'a>,
            markdown: Text<'a>,
            id: Text<'a>,
            arguments: List<Text<'a>, 50>,
        }
        struct Messages;
        impl<'de> Visitor<'de> for Messages {
            type Value = Message<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a message")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> std::result::Result<Self::Value, E> {
                Ok(Message { text: Text(Some(text.into())), ..Message::default() })
            }
            fn visit_str<E: Error>(self, text: &str) -> std::result::Result<Self::Value, E> {
                Ok(Message { text: Text(Some(text.to_owned().into())), ..Message::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
                let object = Object::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let Object { text, markdown, id, arguments } = object;
                Ok(Message { text, markdown, id, arguments })
            }
            pass_over!(scalar number list);
        }
        deserializer.deserialize_any(Messages)
    }
}

/// `location`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Location<'a> {
    pub(crate) physical_location: Maybe<PhysicalLocation<'a>>,
    pub(crate) logical_locations: List<Maybe<LogicalLocation<'a>>, 8>,
    pub(crate) message: Message<'a>,
}

/// `physicalLocation`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct PhysicalLocation<'a> {
    pub(crate) artifact_location: Maybe<ArtifactLocation<'a>>,
    pub(crate) region: Maybe<Region>,
}

/// `artifactLocation`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ArtifactLocation<'a> {
    pub(crate) uri: Text<'a>,
    pub(crate) uri_base_id: Text<'a>,
    pub(crate) index: Number,
}

/// `logicalLocation`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct LogicalLocation<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) fully_qualified_name: Text<'a>,
    pub(crate) index: Number,
}

/// `region`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Region {
    pub(crate) start_line: Number,
    pub(crate) start_column: Number,
    pub(crate) end_line: Number,
    pub(crate) end_column: Number,
    pub(crate) char_offset: Number,
    pub(crate) byte_offset: Number,
}

/// `codeFlow`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct CodeFlow<'a> {
    pub(crate) thread_flows: List<Maybe<ThreadFlow<'a>>, 1>,
}

/// `threadFlow`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ThreadFlow<'a> {
    pub(crate) locations: List<Maybe<ThreadFlowLocation<'a>>, 1000>,
}

/// `threadFlowLocation`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ThreadFlowLocation<'a> {
    pub(crate) location: Maybe<Location<'a>>,
    pub(crate) index: Number,
}

/// `fix`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Fix<'a> {
    pub(crate) description: Message<'a>,
    pub(crate) artifact_changes: List<Maybe<ArtifactChange<'a>>, 100>,
}

/// `artifactChange`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ArtifactChange<'a> {
    pub(crate) artifact_location: Maybe<ArtifactLocation<'a>>,
    pub(crate) replacements: List<Maybe<Replacement<'a>>, 1000>,
}

/// `replacement`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Replacement<'a> {
    pub(crate) deleted_region: Maybe<Region>,
    pub(crate) inserted_content: Maybe<ArtifactContent<'a>>,
}

/// `artifactContent` of a replacement.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct ArtifactContent<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) binary: Text<'a>,
}

/// `suppression`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Suppression<'a> {
    pub(crate) status: Text<'a>,
}

/// `reportingDescriptor`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Descriptor<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) guid: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) short_description: Message<'a>,
    pub(crate) full_description: Message<'a>,
    pub(crate) help: Message<'a>,
    pub(crate) help_uri: Text<'a>,
    pub(crate) message_strings: Map<Message<'a>, 200>,
    pub(crate) default_configuration: Maybe<Configuration<'a>>,
    pub(crate) relationships: List<Maybe<Relationship<'a>>, 100>,
    pub(crate) properties: Maybe<Properties<'a>>,
}

/// `reportingConfiguration`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Configuration<'a> {
    pub(crate) level: Text<'a>,
    pub(crate) rank: Number,
}

/// `reportingDescriptorRelationship`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Relationship<'a> {
    pub(crate) target: Maybe<DescriptorReference<'a>>,
}

/// `artifact`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Artifact<'a> {
    pub(crate) location: Maybe<ArtifactLocation<'a>>,
    pub(crate) parent_index: Number,
    pub(crate) roles: List<Text<'a>, 16>,
}

/// `invocation`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Invocation<'a> {
    pub(crate) execution_successful: Truth,
    pub(crate) exit_code: Number,
    pub(crate) exit_code_description: Text<'a>,
    pub(crate) exit_signal_name: Text<'a>,
    pub(crate) exit_signal_number: Number,
    pub(crate) process_start_failure_message: Text<'a>,
    pub(crate) tool_execution_notifications: List<Maybe<Notification<'a>>, 1000>,
    pub(crate) tool_configuration_notifications: List<Maybe<Notification<'a>>, 1000>,
}

/// `notification`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Notification<'a> {
    pub(crate) level: Text<'a>,
    pub(crate) message: Message<'a>,
    pub(crate) locations: List<Maybe<Location<'a>>, 16>,
}
