//! What people and programs read: consumers of finished data.

mod rows;
mod table;
mod text;

pub use text::{Style, Subject, outcomes, text};
