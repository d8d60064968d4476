//! Where the items come from, and what is done with them.

use std::time::Duration;

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::{outcome, thread};

/// How long an item takes, on a real terminal.
const PAUSE: Duration = Duration::from_millis(100);

/// The items, which the main thread puts into the queue. It remembers which ones it gave.
pub(super) struct Source {
    left: Left,
    given: Vec<String>,
}

enum Left {
    /// The items from 1 up to a number.
    Numbers(usize),
    /// The lines of a terminal.
    Lines(Arc<dyn Terminal>),
}

/// What a consumer does with an item.
#[derive(Clone)]
pub(super) struct Sink(Option<Arc<dyn Terminal>>);

/// So many items, with which nothing is done.
pub(super) fn numbers(count: usize) -> (Source, Sink) {
    (Source::new(Left::Numbers(count)), Sink(None))
}

/// The lines of a terminal as items. What becomes of them is printed there.
pub(super) fn lines(terminal: Arc<dyn Terminal>) -> (Source, Sink) {
    let source = Source::new(Left::Lines(Arc::clone(&terminal)));
    (source, Sink(Some(terminal)))
}

impl Source {
    fn new(left: Left) -> Self {
        Source {
            left,
            given: Vec::new(),
        }
    }

    /// Records what was consumed, and asserts that it is each item that was given, once.
    #[track_caller]
    pub(super) fn assert_all(mut self, mut consumed: Vec<String>) {
        outcome(&consumed);
        consumed.sort_unstable();
        self.given.sort_unstable();
        let given = &self.given;
        assert!(
            consumed == *given,
            "not each item was consumed once: consumed {consumed:?}, given {given:?}"
        );
    }
}

impl Iterator for Source {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let item = match &mut self.left {
            Left::Numbers(count) if self.given.len() == *count => None,
            Left::Numbers(_) => Some((self.given.len() + 1).to_string()),
            Left::Lines(terminal) => terminal.read_line(),
        };
        self.given.extend(item.clone());
        item
    }
}

impl Sink {
    /// Prints an item and takes a while, if there is a terminal. Gives the item back.
    pub(super) fn consume(&self, item: String) -> String {
        if let Some(terminal) = &self.0 {
            terminal.write(&format!("From queue {item}\n"));
            thread::sleep(PAUSE);
        }
        item
    }
}
