//! Deterministic recipes as data: detect and rewrite, on strings.
//!
//! A recipe is one YAML file under `recipes/`: what it answers, the forms of the weakness it knows, the rewrite for
//! each, the places where it refuses and why, how the weakness can be shown at work, and its own examples.
//! [`Recipes::shipped`] holds them all.
//!
//! Deliberately absent: files, clocks, scanners, other programs. Invariants: the same text gives the same result; a
//! recipe that is not certain refuses with a reason in words; an edit changes only the bytes that it names.

mod call;
mod facts;
mod gate;
mod guard;
mod imports;
mod learn;
mod lint;
mod names;
mod native;
mod outline;
mod place;
mod recipe;
mod rewrite;
mod set;
mod shape;
mod shell;
mod shipped;
mod signature;
mod source;
mod sql;
mod syntax;
mod template;
mod text;

pub use facts::ProjectFacts;
pub use gate::{added_lines, adds_suppression, has_elision, parse_errors, without_comments};
pub use learn::{Example, Learned};
pub use lint::{Change, Knows, lint};
pub use outline::{Piece, called, enclosing, functions, import_lines};
pub use place::Place;
pub use recipe::Recipe;
pub use recipe::proof::{Attack, Benign, Given, Proof, Returns, Sign, Watch};
pub use set::{Answer, ProofAt, RecipeFix, Recipes};
pub use shape::shape;
pub use signature::{Callee, signature_change};
