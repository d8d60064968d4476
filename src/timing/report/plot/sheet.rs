//! What was measured as one file of SVG: all pictures below each other.

use super::super::text::{parameters, subject};
use super::canvas::{Anchor, Canvas, cut, escaped, length};
use super::figure::{Layout, NARROW, WIDE};
use super::{THEME, figures};
use crate::timing::Timing;

/// All pictures of a timing below each other, as one file of SVG.
///
/// A browser that is narrower than a telephone held sideways shows the narrow sheet. Whoever does
/// not know of that, as a program that draws, shows the wide one.
pub(crate) fn svg(timing: &Timing) -> String {
    let wide = Sheet::of(timing, WIDE);
    let narrow = Sheet::of(timing, NARROW);
    let title = escaped(&title(timing));
    let [width, height] = wide.size.map(length);
    let [narrow_width, narrow_height] = narrow.size.map(length);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{title}</title>\n\
         <desc id=\"description\">{}</desc>\n\
         <style>\n{THEME}.narrow {{ display: none; }}\n\
         @media (max-width: 600px) {{\n  \
         :root {{ width: {narrow_width}px; height: {narrow_height}px; }}\n  \
         .wide {{ display: none; }}\n  \
         .narrow {{ display: inline; }}\n}}\n</style>\n\
         {}{}</svg>\n",
        escaped(&timing.conclusion.join(" ")),
        wide.element("wide"),
        narrow.element("narrow")
    )
}

fn title(timing: &Timing) -> String {
    format!("racelab time {}", timing.workload)
}

/// All pictures for one layout.
struct Sheet {
    size: [f64; 2],
    elements: String,
}

impl Sheet {
    fn of(timing: &Timing, layout: Layout) -> Self {
        let mut writer = Writer {
            canvas: Canvas::default(),
            bottom: 20.0,
            layout,
        };
        let title = cut(&title(timing), layout.characters(1.8));
        let at = [0.0, writer.bottom];
        writer.canvas.text("title", Anchor::Start, at, &title);
        writer.bottom += 4.0;
        writer.paragraph(&subject(timing));
        writer.paragraph(&parameters(timing));
        for figure in figures(timing, layout) {
            writer.bottom += 44.0;
            writer.heading("figure", &figure.title, 1.45);
            writer.bottom += 4.0;
            writer.paragraph(&figure.caption);
            writer.bottom += 16.0;
            for part in figure.parts {
                if let Some(fold) = part.fold {
                    writer.bottom += 20.0;
                    writer.heading("heading", &fold.heading, 1.2);
                    writer.bottom += 8.0;
                }
                writer.canvas.moved([0.0, writer.bottom], &part.elements);
                writer.bottom += part.height;
            }
        }
        if let Some(origin) = &timing.origin {
            writer.bottom += 24.0;
            writer.paragraph(&origin.command);
            writer.paragraph(&origin.circumstances(timing.cores));
        }
        let margin = if layout.is_narrow { 16.0 } else { 32.0 };
        let size = [
            layout.width + 2.0 * margin,
            writer.bottom.ceil() + 2.0 * margin,
        ];
        let mut canvas = Canvas::default();
        canvas.rect("ground", [0.0, 0.0], size);
        canvas.moved([margin, margin], &writer.canvas.into_elements());
        Sheet {
            size,
            elements: canvas.into_elements(),
        }
    }

    fn element(&self, class: &str) -> String {
        let [width, height] = self.size.map(length);
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" width=\"100%\" \
             height=\"100%\" preserveAspectRatio=\"xMinYMin meet\">\n{}</svg>\n",
            self.elements
        )
    }
}

/// Writes texts below each other.
struct Writer {
    canvas: Canvas,
    /// Where what was written ends below.
    bottom: f64,
    layout: Layout,
}

impl Writer {
    /// One line of a text that is larger than a label by a factor.
    fn heading(&mut self, class: &str, text: &str, factor: f64) {
        let text = cut(text, self.layout.characters(factor));
        let at = [0.0, self.bottom];
        self.canvas.text(class, Anchor::Start, at, &text);
    }

    /// As many lines as it takes.
    fn paragraph(&mut self, text: &str) {
        let text = cut(text, usize::MAX);
        for line in textwrap::wrap(&text, self.layout.characters(0.97)) {
            self.bottom += 18.0;
            let at = [0.0, self.bottom];
            self.canvas.text("note", Anchor::Start, at, &line);
        }
    }
}
