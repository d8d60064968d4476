//! Safe: no thread but one prints. There is nobody who could write in a line, and the printers wait
//! for each other.

use crate::exhibits::Terminal;
use crate::sync::Arc;

use super::console::{Console, line_of};

/// One thread prints the lines of `printers` printers, `lines` of each.
pub(super) fn run(printers: usize, lines: usize, terminal: Option<Arc<dyn Terminal>>) {
    let console = Console::new(terminal);
    for printer in 0..printers {
        for _ in 0..lines {
            console.pause();
            console.write(&line_of(printer));
            console.write("\n");
        }
    }
    console.note_time("one after another");
    console.assert_whole_lines(printers, lines);
}
