//! Safe: a thread writes a line while it holds the lock, so that no other one can write in it.

use crate::exhibits::Terminal;
use crate::sync::{Arc, Mutex};
use crate::{Named, thread};

use super::console::{Console, line_of};

/// `printers` threads print their line, `lines` times each.
pub(super) fn run(printers: usize, lines: usize, terminal: Option<Arc<dyn Terminal>>) {
    let console = Console::new(terminal);
    let lock = Arc::new(Mutex::new(()).named("lock"));
    let mut threads = Vec::new();
    for printer in 0..printers {
        let (console, lock) = (Arc::clone(&console), Arc::clone(&lock));
        threads.push(thread::spawn(move || {
            for _ in 0..lines {
                console.pause();
                let held = lock.lock().unwrap();
                console.write(&line_of(printer));
                console.write("\n");
                drop(held);
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    console.note_time("at once");
    console.assert_whole_lines(printers, lines);
}
