//! What the signs of a picture mean, in as many lines as it takes.

use super::canvas::{Anchor, Canvas};
use super::figure::{Layout, text_width};

/// How wide a sign can be.
pub(super) const SIGN: f64 = 26.0;

/// From one line to the next.
const LINE: f64 = 20.0;

/// What is between a sign and its text, and between a text and the next sign.
const GAPS: [f64; 2] = [8.0, 20.0];

/// What draws a sign whose middle on the left is at the place, and what the sign means.
pub(super) type Entry<'a> = (fn(&mut Canvas, [f64; 2]), &'a str);

/// Draws signs with their texts from the upper left corner on. Returns where they end below.
pub(super) fn legend(
    canvas: &mut Canvas,
    layout: Layout,
    [left, top]: [f64; 2],
    entries: &[Entry<'_>],
) -> f64 {
    let [before_text, after] = GAPS;
    let [mut x, mut y] = [left, top + LINE / 2.0];
    for (sign, text) in entries {
        let width = SIGN + before_text + text_width(text);
        if x > left && x + width > layout.width {
            [x, y] = [left, y + LINE];
        }
        sign(canvas, [x, y]);
        let at = [x + SIGN + before_text, y + 4.0];
        canvas.text("legend", Anchor::Start, at, text);
        x += width + after;
    }
    y + LINE / 2.0
}
