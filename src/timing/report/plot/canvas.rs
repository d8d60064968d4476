//! The elements of SVG that the pictures are made of.

use crate::report::printable;

/// Elements of SVG, one a line.
///
/// Lengths are in pixels. Colours are by class, so that they follow the theme of the reader.
#[derive(Clone, Debug, Default)]
pub(super) struct Canvas {
    elements: String,
}

/// From one line of a hatched area to the next.
const HATCH: f64 = 5.0;

/// At which end of a text its place is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    /// All elements.
    pub(super) fn into_elements(self) -> String {
        self.elements
    }

    /// A line of text whose base is at the place.
    pub(super) fn text(&mut self, class: &str, anchor: Anchor, at: [f64; 2], text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let [x, y] = at.map(length);
        let text = escaped(text);
        self.push(&format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"
        ));
    }

    /// A rectangle from its upper left corner, so wide and so high.
    pub(super) fn rect(&mut self, class: &str, at: [f64; 2], size: [f64; 2]) {
        let [x, y] = at.map(length);
        let [width, height] = size.map(length);
        self.push(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    /// A straight line.
    pub(super) fn line(&mut self, class: &str, from: [f64; 2], to: [f64; 2]) {
        let ([x1, y1], [x2, y2]) = (from.map(length), to.map(length));
        self.push(&format!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    /// Straight lines from point to point.
    pub(super) fn polyline(&mut self, class: &str, points: &[[f64; 2]]) {
        let points = listed(points);
        self.push(&format!(
            "<polyline class=\"{class}\" points=\"{points}\"/>"
        ));
    }

    /// The area between points.
    pub(super) fn polygon(&mut self, class: &str, points: &[[f64; 2]]) {
        let points = listed(points);
        self.push(&format!("<polygon class=\"{class}\" points=\"{points}\"/>"));
    }

    /// A circle.
    pub(super) fn circle(&mut self, class: &str, center: [f64; 2], radius: f64) {
        let ([x, y], r) = (center.map(length), length(radius));
        self.push(&format!(
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>"
        ));
    }

    /// Rectangles: where each begins, how wide and how high it is.
    pub(super) fn bands(&mut self, class: &str, bands: &[[f64; 4]]) {
        if bands.is_empty() {
            return;
        }
        let mut path = String::new();
        let mut last: Option<[f64; 2]> = None;
        for [x, y, width, height] in bands {
            // Relative to the one before, since there can be very many.
            let (sign, dx, dy) = match last {
                None => ('M', *x, *y),
                Some([last_x, last_y]) => ('m', x - last_x, y - last_y),
            };
            let [dx, dy, width, height] = [dx, dy, *width, *height].map(length);
            path += &format!("{sign}{dx} {dy}h{width}v{height}h-{width}z");
            last = Some([*x, *y]);
        }
        self.push(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// Slanted lines over rectangles, on which they go on from one to the next.
    pub(super) fn hatch(&mut self, class: &str, bands: &[[f64; 4]]) {
        let mut lines = String::new();
        for [x, y, width, height] in bands {
            let [right, bottom] = [x + width, y + height];
            // On a line the sum of both coordinates is the same.
            let mut sum = ((x + y) / HATCH).ceil() * HATCH;
            while sum < right + bottom {
                let from = (sum - bottom).max(*x);
                let to = (sum - y).min(right);
                if to - from >= 0.5 {
                    let [from, to] = [[from, sum - from], [to, sum - to]].map(|[x, y]| {
                        let [x, y] = [x, y].map(length);
                        format!("{x} {y}")
                    });
                    lines += &format!("M{from}L{to}");
                }
                sum += HATCH;
            }
        }
        if !lines.is_empty() {
            self.push(&format!("<path class=\"{class}\" d=\"{lines}\"/>"));
        }
    }

    /// Elements that belong together, and the text that a pointer over them shows.
    pub(super) fn titled(&mut self, title: &str, draw: impl FnOnce(&mut Canvas)) {
        let title = escaped(title);
        self.push(&format!("<g><title>{title}</title>"));
        draw(self);
        self.push("</g>");
    }

    /// Elements so far to the right and below.
    pub(super) fn moved(&mut self, by: [f64; 2], elements: &str) {
        let [x, y] = by.map(length);
        self.push(&format!("<g transform=\"translate({x} {y})\">"));
        self.elements += elements;
        self.push("</g>");
    }

    fn push(&mut self, element: &str) {
        self.elements += element;
        self.elements += "\n";
    }
}

/// A text in which nothing is markup, and no character is one that XML does not have.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A text of at most so many characters that can be read, its end cut if it is longer.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= most {
        return text;
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// A length to a tenth of a pixel.
pub(super) fn length(length: f64) -> String {
    if !length.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{length:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

fn listed(points: &[[f64; 2]]) -> String {
    let points = points.iter().map(|point| {
        let [x, y] = point.map(length);
        format!("{x},{y}")
    });
    points.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            escaped("<a href=\"x\">&'\u{1b}"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\\u{1b}"
        );
    }

    #[test]
    fn lengths_are_short() {
        let cases = [
            (0.0, "0"),
            (1.04, "1"),
            (1.26, "1.3"),
            (-0.01, "0"),
            (f64::NAN, "0"),
        ];
        for (number, text) in cases {
            assert_eq!(length(number), text);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(cut("threads", 7), "threads");
        assert_eq!(cut("processes", 7), "proces…");
    }
}
