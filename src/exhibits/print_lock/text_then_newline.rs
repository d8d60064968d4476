//! Unsafe: between a thread's text and the end of its line, another thread can write.

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::thread;

use super::console::{Console, line_of};

/// `printers` threads print their line, `lines` times each.
pub(super) fn run(printers: usize, lines: usize, terminal: Option<Arc<dyn Terminal>>) {
    let console = Console::new(terminal);
    let mut threads = Vec::new();
    for printer in 0..printers {
        let console = Arc::clone(&console);
        threads.push(thread::spawn(move || {
            for _ in 0..lines {
                console.pause();
                console.write(&line_of(printer));
                console.write("\n");
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    console.note_time("at once");
    console.assert_whole_lines(printers, lines);
}
