//! Safe: only the main thread writes; the others send it their lines.

use crate::exhibits::Terminal;
use crate::sync::{Arc, mpsc};
use crate::{Named, thread};

use super::console::{Console, line_of};

/// `printers` threads print their line, `lines` times each.
pub(super) fn run(printers: usize, lines: usize, terminal: Option<Arc<dyn Terminal>>) {
    let console = Console::new(terminal);
    let (sender, to_print) = mpsc::channel();
    let sender = sender.named("to_print");
    let mut threads = Vec::new();
    for printer in 0..printers {
        let (console, sender) = (Arc::clone(&console), sender.clone());
        threads.push(thread::spawn(move || {
            for _ in 0..lines {
                console.pause();
                sender.send(line_of(printer)).unwrap();
            }
        }));
    }
    drop(sender);
    // The iteration ends when the last printer has dropped its sender.
    for line in to_print {
        console.write(&line);
        console.write("\n");
    }
    for thread in threads {
        thread.join().unwrap();
    }
    console.note_time("at once");
    console.assert_whole_lines(printers, lines);
}
