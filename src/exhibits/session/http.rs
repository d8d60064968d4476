//! What there is of HTTP: pages, and connections on which they are asked for.

use std::time::{Duration, Instant};

use crate::exhibits::Terminal;
use crate::queue::SegQueue;
use crate::sync::Arc;
use crate::{Named, outcome, thread};

/// How long an answer takes, on a real terminal.
const LATENCY: Duration = Duration::from_millis(5);

/// The sizes of the pages, in turn, in bytes.
const SIZES: [usize; 2] = [10_490, 278];

/// Where the pages are, and where it is printed what was read.
#[derive(Clone)]
pub(super) struct Site {
    /// How many pages each reader downloads.
    downloads: usize,
    terminal: Option<Arc<dyn Terminal>>,
}

/// A page, by its number.
#[derive(Clone, Copy)]
pub(super) struct Page {
    number: usize,
    latency: Option<Duration>,
}

/// A connection that is kept, as a session has it: the answers come in the order of the requests,
/// and do not say to which of them they belong.
pub(super) struct Connection(SegQueue<Answer>);

/// What comes back for a request.
pub(super) struct Answer {
    page: Page,
    due: Option<Instant>,
}

impl Site {
    /// Makes a site with pages for each reader. If there is a terminal, answers take a while, and
    /// what was read is printed there.
    pub(super) fn new(downloads: usize, terminal: Option<Arc<dyn Terminal>>) -> Self {
        Site {
            downloads,
            terminal,
        }
    }

    /// The pages that a reader downloads, which are no other reader's.
    pub(super) fn pages_of(&self, reader: usize) -> impl Iterator<Item = Page> + use<> {
        let latency = self.terminal.as_ref().map(|_| LATENCY);
        let numbers = reader * self.downloads + 1..=(reader + 1) * self.downloads;
        numbers.map(move |number| Page { number, latency })
    }

    /// Prints what was read for a page. Gives the number of the page that it is.
    pub(super) fn read(&self, asked: Page, answer: &Answer) -> usize {
        if let Some(terminal) = &self.terminal {
            let size = SIZES[(answer.page.number - 1) % SIZES.len()];
            terminal.write(&format!("Read {size} from /{}\n", asked.number));
        }
        answer.page.number
    }

    /// Records what each reader has read, and asserts that it is what it has asked for.
    #[track_caller]
    pub(super) fn assert_own_answers(&self, read: &[Vec<usize>]) {
        outcome(read);
        let numbers_of = |reader| self.pages_of(reader).map(|page| page.number).collect();
        let asked: Vec<Vec<usize>> = (0..read.len()).map(numbers_of).collect();
        assert!(
            read == asked,
            "answers of others: asked for {asked:?}, read {read:?}"
        );
    }
}

impl Connection {
    /// Makes a connection.
    #[track_caller]
    pub(super) fn new() -> Self {
        Connection(SegQueue::new().named("connection"))
    }

    /// Sends the request for a page. One step. It does not wait for the answer.
    #[track_caller]
    pub(super) fn send(&self, page: Page) {
        let due = page.latency.map(|latency| Instant::now() + latency);
        self.0.push(Answer { page, due });
    }

    /// Receives the next answer, when it is due. One step.
    ///
    /// # Panics
    ///
    /// If no request is left that was not answered.
    #[track_caller]
    pub(super) fn receive(&self) -> Answer {
        let answer = self.0.pop().expect("a request was sent");
        if let Some(due) = answer.due {
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        answer
    }
}
