//! What was measured as pictures: bars for all ways, line charts for sweeps, lanes of workers.
//!
//! The pictures are SVG that is written here, so that they are the same for the same figures, need
//! nothing from elsewhere, and follow the light or dark theme of the reader.

mod axis;
mod bars;
mod canvas;
mod figure;
mod lanes;
mod page;
mod sweep;
#[cfg(test)]
mod tests;

use super::text::{parameters, subject};
use crate::timing::Timing;

use canvas::{Anchor, Canvas, cut, escaped, length};
use figure::{Figure, WIDTH};

pub(crate) use page::html;

/// The colours and sizes of the elements, for a light and for a dark theme.
const THEME: &str = include_str!("figure.css");

/// What is left free on all sides.
const MARGIN: f64 = 32.0;

/// How many characters a line of text in a picture can have.
const LINE: usize = 120;

/// All pictures of a timing below each other, as one file of SVG.
pub(crate) fn svg(timing: &Timing) -> String {
    let mut canvas = Canvas::default();
    let mut bottom = 20.0;
    let title = format!("racelab time {}", timing.workload);
    canvas.text("title", Anchor::Start, [0.0, bottom], &cut(&title, 60));
    for note in [subject(timing), parameters(timing)] {
        if !note.is_empty() {
            bottom += 22.0;
            canvas.text("note", Anchor::Start, [0.0, bottom], &cut(&note, LINE));
        }
    }
    for figure in figures(timing) {
        bottom += 48.0;
        canvas.text(
            "figure",
            Anchor::Start,
            [0.0, bottom],
            &cut(&figure.title, 80),
        );
        bottom += 4.0;
        for line in textwrap::wrap(&figure.caption, LINE) {
            bottom += 18.0;
            canvas.text("note", Anchor::Start, [0.0, bottom], &line);
        }
        bottom += 16.0;
        canvas.moved([0.0, bottom], &figure.elements);
        bottom += figure.height;
    }
    let size = [WIDTH + 2.0 * MARGIN, bottom + 2.0 * MARGIN];
    let mut all = Canvas::default();
    all.rect("ground", [0.0, 0.0], size);
    all.moved([MARGIN, MARGIN], &canvas.into_elements());
    let [width, height] = size.map(length);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{}</title>\n\
         <desc id=\"description\">{}</desc>\n\
         <style>\n{THEME}</style>\n\
         {}</svg>\n",
        escaped(&title),
        escaped(&timing.conclusion.join(" ")),
        all.into_elements()
    )
}

/// The pictures that there are figures for.
fn figures(timing: &Timing) -> Vec<Figure> {
    let mut figures = Vec::new();
    figures.extend(bars::bars(timing));
    figures.extend(sweep::sweeps(timing));
    figures.extend(lanes::lanes(timing));
    figures
}
