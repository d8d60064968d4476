//! What people read of a [`Timing`](super::Timing): text, Markdown, pictures, and what follows from
//! the figures.

mod columns;
mod comparison;
mod conclusion;
mod lanes;
mod markdown;
mod plot;
mod raster;
mod remarks;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod text;
mod units;

pub(crate) use conclusion::conclusion;
pub(crate) use markdown::markdown;
pub(crate) use plot::{html, svg};
pub(crate) use text::text;
