//! The wire: what a host may say, and what the worker says.
//!
//! All types are made from the schema in `protocol/schema`. Kinds, words and fields that a later
//! version adds are kept in `Unknown` and `rest`.

mod fields;
mod generated;

pub use fields::*;
pub use generated::*;
