//! One picture, and what all pictures have in common.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas};

/// How wide every picture is, in pixels.
pub(super) const WIDTH: f64 = 860.0;

/// About how wide a character of a label is.
const CHARACTER: f64 = 6.9;

/// How much of the width labels can have.
const LABELS: f64 = 290.0;

/// How wide their column is at least.
const LEAST: f64 = 100.0;

/// One picture.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// What it shows, in a few words.
    pub(super) title: String,
    /// How it is to be read, in sentences.
    pub(super) caption: String,
    /// How high it is, in pixels.
    pub(super) height: f64,
    /// Elements of SVG, from 0 to the width and from 0 to the height.
    pub(super) elements: String,
}

/// How wide the column of labels on the left is, and how many characters a label can have.
pub(super) fn label_width(labels: &[String]) -> (f64, usize) {
    let longest = labels.iter().map(|label| label.chars().count()).max();
    let longest = longest.unwrap_or(0);
    let fitting = (0..=longest).rev().find(|count| width(*count) <= LABELS);
    let characters = fitting.unwrap_or(0);
    (width(characters).max(LEAST), characters)
}

#[expect(clippy::cast_precision_loss, reason = "labels are short")]
fn width(characters: usize) -> f64 {
    characters as f64 * CHARACTER + 14.0
}

/// Draws a time axis: marks with their texts below, and lines upwards of such a height. Its zero is
/// at the place. Returns where it ends below.
pub(super) fn marks_below(canvas: &mut Canvas, axis: Axis, zero: [f64; 2], height: f64) -> f64 {
    let [left, bottom] = zero;
    for (at, text) in axis.marks() {
        let x = left + at;
        canvas.line("grid", [x, bottom - height], [x, bottom + 4.0]);
        canvas.text("mark", Anchor::Middle, [x, bottom + 17.0], &text);
    }
    bottom + 22.0
}
