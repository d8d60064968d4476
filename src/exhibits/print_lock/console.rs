//! The console that the printers share, and the screen on which its text appears.

use std::time::Duration;

use crate::exhibits::Terminal;
use crate::sync::{Arc, Mutex, mpsc};
use crate::{Named, outcome, thread};

/// How long a printer waits before it prints, on a real terminal.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes a console, and the screen that records what is written to it.
///
/// If there is a terminal, the text is also printed there.
pub(super) fn open(terminal: Option<Arc<dyn Terminal>>) -> (Console, Screen) {
    let (pieces, shown) = mpsc::channel();
    let console = Console {
        pieces: pieces.named("console"),
        terminal: terminal.map(Mutex::new),
    };
    (console, Screen { pieces: shown })
}

/// Where text is written to.
pub(super) struct Console {
    pieces: mpsc::Sender<String>,
    /// Held while a piece is written, so that the screen has the order of the terminal.
    terminal: Option<Mutex<Arc<dyn Terminal>>>,
}

/// What is seen of the text.
pub(super) struct Screen {
    pieces: mpsc::Receiver<String>,
}

impl Console {
    /// Waits for a second if there is a terminal. In an execution, time has no meaning.
    pub(super) fn pause(&self) {
        if self.terminal.is_some() {
            thread::sleep(PAUSE);
        }
    }

    /// Writes a piece of text, which arrives as a whole. One step.
    pub(super) fn write(&self, piece: &str) {
        let terminal = self.terminal.as_ref().map(|held| held.lock().unwrap());
        self.pieces.send(piece.to_owned()).unwrap();
        if let Some(terminal) = terminal {
            terminal.write(piece);
        }
    }
}

impl Screen {
    /// Records the text, and asserts that it is the lines of all printers, in some order.
    #[track_caller]
    pub(super) fn assert_whole_lines(&self, printers: usize, lines: usize) {
        let text: String = self.pieces.try_iter().collect();
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
