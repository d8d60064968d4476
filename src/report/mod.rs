//! What people and programs read: consumers of finished data.

#[cfg(feature = "cli")]
pub mod bench;
mod check_line;
#[cfg(feature = "cli")]
pub mod checks;
#[cfg(feature = "cli")]
pub mod json;
#[cfg(feature = "cli")]
pub mod odds;
mod rows;
#[cfg(feature = "cli")]
pub mod schema;
mod sentences;
#[cfg(feature = "cli")]
pub mod share;
pub(crate) mod style;
mod table;
#[cfg(test)]
mod tests;
mod text;
#[cfg(feature = "cli")]
pub mod verification;

pub(crate) use check_line::{COMPLETE, CheckLine, CheckResult};
pub(crate) use sentences::{faster, looping, plural, remark};
#[cfg(feature = "cli")]
pub(crate) use sentences::{grouped, in_words};
pub use style::Style;
#[cfg(feature = "cli")]
pub(crate) use style::printable;
pub use text::{Subject, outcomes, text};
pub(crate) use text::{all_interleavings, one_line};
