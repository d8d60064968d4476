//! What people and programs read: consumers of finished data.

#[cfg(feature = "cli")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod json;
#[cfg(feature = "cli")]
pub mod odds;
mod rows;
#[cfg(feature = "cli")]
pub mod share;
mod table;
#[cfg(test)]
mod tests;
mod text;
#[cfg(feature = "cli")]
pub mod time;
#[cfg(feature = "cli")]
pub mod verification;

pub(crate) use text::plural;
pub use text::{Style, Subject, outcomes, text};
#[cfg(feature = "cli")]
pub(crate) use text::{one_line, printable};
