//! Where the items come from, and what is done with them.

use std::time::Duration;

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::{outcome, thread};

/// How long an item takes, on a real terminal.
const PAUSE: Duration = Duration::from_millis(100);

/// What a person is asked with.
const PROMPT: &str = "Queue item: ";

/// The word that ends a consumer, where a stop is an item like any other.
pub(super) const STOP: &str = "stop";

/// The items, which the main thread puts into the queue. It remembers which ones it gave.
pub(super) struct Source {
    left: Left,
    given: Vec<String>,
}

enum Left {
    /// The items from 1 up to a number.
    Numbers(usize),
    /// As many, the first of which is the word that says stop.
    StopAndNumbers(usize),
    /// The lines of a terminal, up to a number of them or all.
    Lines(Arc<dyn Terminal>, Option<usize>),
}

/// What a consumer does with an item.
#[derive(Clone)]
pub(super) struct Sink(Option<Arc<dyn Terminal>>);

/// So many items, with which nothing is done.
pub(super) fn numbers(count: usize) -> (Source, Sink) {
    (Source::new(Left::Numbers(count)), Sink(None))
}

/// Items with which nothing is done, the first of which is the word that says stop.
pub(super) fn stop_and_numbers(count: usize) -> (Source, Sink) {
    (Source::new(Left::StopAndNumbers(count)), Sink(None))
}

/// The lines of a terminal as items. What becomes of them is printed there.
pub(super) fn lines(terminal: Arc<dyn Terminal>) -> (Source, Sink) {
    let items = terminal.settings().items;
    let source = Source::new(Left::Lines(Arc::clone(&terminal), items));
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
        let given = self.given.len();
        let item = match &mut self.left {
            Left::Numbers(count) | Left::StopAndNumbers(count) if given == *count => None,
            Left::StopAndNumbers(_) if given == 0 => Some(STOP.to_owned()),
            Left::Numbers(_) | Left::StopAndNumbers(_) => Some((given + 1).to_string()),
            Left::Lines(_, Some(items)) if given == *items => None,
            Left::Lines(terminal, _) => terminal.read_line(PROMPT),
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
