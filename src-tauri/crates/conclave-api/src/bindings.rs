//! Writes the TypeScript that the window is compiled against, and compares it with the one in the tree.

#![allow(clippy::disallowed_methods, reason = "a test writes into its own source tree")]

use specta_typescript::Typescript;

use super::{COMMANDS, Kind, types};
use crate::error::ApiError;
use crate::view::Event;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../ui/src/backend/generated.ts");

fn bindings() -> String {
    let types = types().register::<ApiError>().register::<Event>();
    let mut text = Typescript::default()
        .header("// Generated from conclave-api by `UPDATE_BINDINGS=1 cargo test -p conclave-api bindings`. Do not edit.\n\n")
        .export(&types, specta_serde::Format)
        .expect("every wire type has a TypeScript form");
    text.push_str("\n/** Every command: its request, its response and whether it changes anything. */\nexport type CommandMap = {\n");
    for command in COMMANDS {
        let kind = match command.kind {
            Kind::Query => "query",
            Kind::Mutation => "mutation",
        };
        let (name, request, response) = (command.name, command.request, command.response);
        text.push_str(&format!("\t{name}: {{ request: {request}; response: {response}; kind: \"{kind}\" }};\n"));
    }
    text.push_str("};\n\n/** What a query provides and a mutation invalidates. */\nexport const tags = {\n");
    for command in COMMANDS {
        let list = serde_json::to_string(command.tags).expect("tags are text");
        text.push_str(&format!("\t{}: {list},\n", command.name));
    }
    text.push_str("} as const satisfies Record<keyof CommandMap, readonly Tag[]>;\n");
    text
}

#[test]
fn bindings_in_the_tree_match_the_rust_types() {
    let fresh = bindings();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::write(PATH, &fresh).expect("the bindings can be written");
    }
    let stored = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(fresh == stored, "bindings are stale: run UPDATE_BINDINGS=1 cargo test -p conclave-api bindings");
}
