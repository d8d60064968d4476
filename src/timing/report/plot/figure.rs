//! One picture, and what all pictures have in common.

use super::axis::{Axis, SIDE_BY_SIDE, Scale};
use super::canvas::{Anchor, Canvas};

/// How wide a character of a label is at most, on the average.
const CHARACTER: f64 = 7.2;

/// About how wide a character of a longer text is.
const OF_TEXT: f64 = 6.6;

/// For which screen a picture is drawn. Each is drawn for a wide and for a narrow one, so that no
/// text has to be scaled down until nobody can read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// How wide every picture is, in pixels.
    pub(super) width: f64,
    /// How wide the column of labels is at least, and at most.
    labels: [f64; 2],
    /// Where bars begin whose labels are above them: the text of the first mark has room.
    pub(super) indent: f64,
    /// Whether there is so little room that labels are above bars, and not beside them.
    pub(super) is_narrow: bool,
}

/// For a screen on which the pictures have room.
pub(super) const WIDE: Layout = Layout {
    width: 860.0,
    labels: [100.0, 300.0],
    indent: 0.0,
    is_narrow: false,
};

/// For a screen of 360 pixels or more.
pub(super) const NARROW: Layout = Layout {
    width: 328.0,
    labels: [0.0, 96.0],
    indent: 5.0,
    is_narrow: true,
};

/// One picture.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// What it shows, in a few words.
    pub(super) title: String,
    /// How it is to be read, in sentences.
    pub(super) caption: String,
    /// What is drawn, from top to bottom.
    pub(super) parts: Vec<Part>,
}

/// A part of a picture.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What stands above it, if it can be folded.
    pub(super) fold: Option<Fold>,
    /// How high it is, in pixels.
    pub(super) height: f64,
    /// Elements of SVG, from 0 to the width and from 0 to the height.
    pub(super) elements: String,
}

/// The heading of a part of which only the heading is shown until somebody asks for the rest.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    /// The heading.
    pub(super) heading: String,
    /// Whether the part is shown from the beginning.
    pub(super) is_open: bool,
}

impl Layout {
    /// How wide the column of labels on the left is, and how many characters a label can have.
    pub(super) fn label_width(self, labels: &[String]) -> (f64, usize) {
        let [least, most] = self.labels;
        let longest = labels.iter().map(|label| label.chars().count()).max();
        let longest = longest.unwrap_or(0);
        let fitting = (0..=longest).rev().find(|count| column(*count) <= most);
        let characters = fitting.unwrap_or(0);
        (column(characters).max(least), characters)
    }

    /// How many characters of a text that is larger than a label by a factor have room in a line.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a line has few characters"
    )]
    pub(super) fn characters(self, factor: f64) -> usize {
        (self.width / (CHARACTER * factor)).floor() as usize
    }
}

/// About how wide a text is whose size is that of labels.
#[expect(clippy::cast_precision_loss, reason = "texts are short")]
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * OF_TEXT
}

#[expect(clippy::cast_precision_loss, reason = "labels are short")]
fn column(characters: usize) -> f64 {
    (characters as f64 * CHARACTER + 12.0).ceil()
}

/// Draws an axis of numbers: marks with their texts below, and lines upwards of such a height. Its
/// zero is at the place. Returns where it ends below.
pub(super) fn marks_below(
    canvas: &mut Canvas,
    axis: Axis,
    scale: Scale,
    [left, bottom]: [f64; 2],
    height: f64,
) -> f64 {
    for (at, text) in axis.marks(scale, SIDE_BY_SIDE) {
        let x = left + at;
        canvas.line("grid", [x, bottom - height], [x, bottom + 4.0]);
        canvas.text("mark", Anchor::Middle, [x, bottom + 17.0], &text);
    }
    bottom + 22.0
}

/// What is kept free at a break of an axis.
const BREAK: f64 = 5.0;

/// Draws the break in something that is longer than the axis: a gap between two slanted lines.
pub(super) fn break_at(canvas: &mut Canvas, x: f64, [top, bottom]: [f64; 2]) {
    let slant = 3.0;
    canvas.polygon(
        "ground",
        &[
            [x - BREAK + slant, top],
            [x + BREAK + slant, top],
            [x + BREAK - slant, bottom],
            [x - BREAK - slant, bottom],
        ],
    );
    for x in [x - BREAK, x + BREAK] {
        canvas.line("break", [x + slant, top], [x - slant, bottom]);
    }
}
