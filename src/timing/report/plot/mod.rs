//! What was measured as pictures: bars for all ways, line charts for sweeps, lanes of workers.
//!
//! The pictures are SVG that is written here, so that they are the same for the same figures, need
//! nothing from elsewhere, and follow the light or dark theme of the reader. Each is drawn for a wide
//! and for a narrow screen, of which the reader's shows one.

mod axis;
mod bars;
mod canvas;
mod figure;
mod lane;
mod lanes;
mod legend;
mod page;
mod shared;
mod sheet;
mod sweep;
#[cfg(test)]
mod tests;

use crate::timing::Timing;

use figure::{Figure, Layout};

pub(crate) use page::html;
pub(crate) use sheet::svg;

/// The colours and sizes of the elements, for a light and for a dark theme.
const THEME: &str = include_str!("figure.css");

/// The pictures that there are figures for.
fn figures(timing: &Timing, layout: Layout) -> Vec<Figure> {
    let mut figures = Vec::new();
    figures.extend(bars::bars(timing, layout));
    figures.extend(sweep::sweeps(timing, layout));
    figures.extend(shared::shared(timing, layout));
    figures.extend(lanes::lanes(timing, layout));
    figures
}
