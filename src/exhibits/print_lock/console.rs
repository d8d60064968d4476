//! The console that the printers share.

use std::time::{Duration, Instant};

use crate::exhibits::Terminal;
use crate::queue::SegQueue;
use crate::sync::{Arc, Mutex};
use crate::{Named, outcome, thread};

/// How long a printer waits before it prints, on a real terminal.
const PAUSE: Duration = Duration::from_secs(1);

/// Where text is written to. It records what arrives.
pub(super) struct Console {
    pieces: SegQueue<String>,
    /// Held while a piece is written, so that the record has the order of the terminal.
    terminal: Option<Mutex<Arc<dyn Terminal>>>,
    /// How long a printer waits before it prints. In an execution, time has no meaning.
    pause: Option<Duration>,
    /// When the printers begin, on a real terminal.
    began: Option<Instant>,
}

impl Console {
    /// Makes an empty console. If there is a terminal, the text is also printed there.
    pub(super) fn new(terminal: Option<Arc<dyn Terminal>>) -> Arc<Self> {
        let pause = |terminal: &Arc<dyn Terminal>| terminal.settings().seconds.unwrap_or(PAUSE);
        Arc::new(Console {
            pieces: SegQueue::new().named("console"),
            pause: terminal.as_ref().map(pause),
            began: terminal.as_ref().map(|_| Instant::now()),
            terminal: terminal.map(Mutex::new),
        })
    }

    /// Waits for a second, or as long as was asked for, if there is a terminal.
    pub(super) fn pause(&self) {
        if let Some(pause) = self.pause {
            thread::sleep(pause);
        }
    }

    /// Writes a piece of text, which arrives as a whole. One step.
    #[track_caller]
    pub(super) fn write(&self, piece: &str) {
        let terminal = self.terminal.as_ref().map(|held| held.lock().unwrap());
        self.pieces.push(piece.to_owned());
        if let Some(terminal) = terminal {
            terminal.write(piece);
        }
    }

    /// Tells the terminal how long the printers took, who have ended.
    pub(super) fn note_time(&self, how: &str) {
        if let (Some(terminal), Some(began)) = (&self.terminal, self.began) {
            terminal.lock().unwrap().took(how, began.elapsed());
        }
    }

    /// Records the text, and asserts that it is the lines of all printers, in some order.
    ///
    /// # Panics
    ///
    /// If it is not, or if a printer has not ended.
    #[track_caller]
    pub(super) fn assert_whole_lines(self: Arc<Self>, printers: usize, lines: usize) {
        let console = Arc::into_inner(self).expect("all printers have ended");
        let text: String = console.pieces.into_iter().collect();
        outcome(&text);
        let mut seen: Vec<&str> = text.split_inclusive('\n').collect();
        seen.sort_unstable();
        let mut printed: Vec<String> = (0..printers)
            .flat_map(|printer| vec![line_of(printer) + "\n"; lines])
            .collect();
        printed.sort_unstable();
        assert!(seen == printed, "lines are mixed: {text:?}");
    }
}

/// What a printer prints, without the end of the line.
pub(super) fn line_of(printer: usize) -> String {
    format!("After 1 second: {}", printer + 1)
}
