//! How text looks: width, signs and colours, and what keeps within them.

use textwrap::{Options, WordSplitter};

/// How a report looks.
#[derive(Clone, Debug)]
pub struct Style {
    /// The width that lines should keep within, in columns.
    pub width: usize,
    /// Whether only ASCII characters are used, apart from names and messages.
    pub ascii: bool,
    /// Whether the table shows orderings and places.
    pub detail: bool,
    /// Whether there are colours, as ANSI escape codes.
    pub color: bool,
}

impl Default for Style {
    /// As for a pipe: 80 columns, no colours.
    fn default() -> Self {
        Style {
            width: 80,
            ascii: false,
            detail: false,
            color: false,
        }
    }
}

impl Style {
    /// What stands before a value that is read, and before one that is written.
    pub(crate) fn arrows(&self) -> (&'static str, &'static str) {
        if self.ascii {
            ("->", "<-")
        } else {
            ("→", "←")
        }
    }

    pub(crate) fn cross(&self) -> &'static str {
        if self.ascii { "x" } else { "✗" }
    }

    pub(crate) fn ellipsis(&self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    pub(crate) fn dash(&self) -> &'static str {
        if self.ascii { "-" } else { "–" }
    }
}

// ANSI escape codes: there are too few of them for a dependency of every program with a test.
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const DIMMED: &str = "\x1b[2m";
pub(crate) const RED: &str = "\x1b[31m";
pub(crate) const GREEN: &str = "\x1b[32m";
pub(crate) const YELLOW: &str = "\x1b[33m";
#[cfg(feature = "cli")]
pub(crate) const BLUE: &str = "\x1b[34m";
const RESET: &str = "\x1b[0m";

/// Sets a text off by an escape code, if the style asks for colours.
pub(crate) fn paint(text: &str, code: &str, style: &Style) -> String {
    if style.color {
        format!("{code}{text}{RESET}")
    } else {
        text.to_owned()
    }
}

pub(crate) fn labelled(name: &str, text: &str, style: &Style) -> String {
    let indent = " ".repeat(11);
    // Wrapped before it is coloured, so that escape codes have no width.
    let plain = wrapped(&printable(text), &indent, &indent, style);
    format!("  {}{}", label(name, style), &plain[indent.len()..])
}

pub(crate) fn label(name: &str, style: &Style) -> String {
    paint(&format!("{name:9}"), DIMMED, style)
}

pub(crate) fn wrapped(text: &str, first: &str, rest: &str, style: &Style) -> String {
    let options = Options::new(style.width.max(40))
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}

/// A text in which nothing breaks a line or moves the cursor: control characters as escapes.
///
/// Names, messages and outcomes are what the code under test says, so that they can hold anything.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
