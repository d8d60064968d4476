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
pub(super) struct Connection(SegQueue<Page>);

/// When the answer to a request is there: at once, unless there is a terminal.
#[derive(Clone, Copy)]
pub(super) struct Due(Option<Instant>);

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

    /// Prints what came as an answer for a page. Gives the number of the page that it is.
    pub(super) fn read(&self, asked: Page, answer: Page) -> usize {
        if let Some(terminal) = &self.terminal {
            let size = SIZES[(answer.number - 1) % SIZES.len()];
            terminal.write(&format!("Read {size} from /{}\n", asked.number));
        }
        answer.number
    }

    /// Records what each reader has read, and asserts that it is what it has asked for.
    #[track_caller]
    pub(super) fn assert_own_answers(&self, read: &[Vec<usize>]) {
        outcome(read);
        for (reader, read) in read.iter().enumerate() {
            let asked = self.pages_of(reader).map(|page| page.number);
            let mut both = asked.zip(read);
            if let Some((asked, read)) = both.find(|(asked, read)| asked != *read) {
                panic!("asked for page {asked}, but read page {read}");
            }
            assert_eq!(read.len(), self.downloads, "each page was downloaded");
        }
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
    pub(super) fn send(&self, page: Page) -> Due {
        self.0.push(page);
        Due(page.latency.map(|latency| Instant::now() + latency))
    }

    /// Waits until an answer is due, and receives the next one. One step.
    ///
    /// # Panics
    ///
    /// If no request is left that was not answered.
    #[track_caller]
    pub(super) fn receive(&self, due: Due) -> Page {
        if let Some(due) = due.0 {
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        self.0.pop().expect("a request was sent")
    }
}
