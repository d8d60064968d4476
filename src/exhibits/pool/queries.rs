//! What the connections are for.

use std::time::Duration;

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::{outcome, thread};

/// How long a query takes, on a real terminal.
const PAUSE: Duration = Duration::from_millis(20);

/// What is said of a pool in which there is no connection for somebody who has a permit.
pub(super) const NONE_FREE: &str = "no connection is free";

/// A connection, by its number.
#[derive(Debug)]
pub(super) struct Connection(usize);

/// Where it is printed what is asked. It goes to each thread.
#[derive(Clone)]
pub(super) struct Queries(Option<Arc<dyn Terminal>>);

/// Fewer connections than threads, so that some have to wait.
pub(super) fn connections(threads: usize) -> impl Iterator<Item = Connection> {
    (1..=threads.div_ceil(2)).map(Connection)
}

impl Queries {
    /// If there is a terminal, queries take a while, and are printed there.
    pub(super) fn new(terminal: Option<Arc<dyn Terminal>>) -> Self {
        Queries(terminal)
    }

    /// Asks something on a connection.
    pub(super) fn ask(&self, thread: usize, connection: &Connection) {
        if let Some(terminal) = &self.0 {
            let (thread, connection) = (thread + 1, connection.0);
            terminal.write(&format!(
                "Thread {thread} asks on connection {connection}\n"
            ));
            thread::sleep(PAUSE);
        }
    }

    /// Asks something that cannot be answered.
    ///
    /// # Panics
    ///
    /// Always.
    pub(super) fn ask_too_much(&self, thread: usize, connection: &Connection) {
        self.ask(thread, connection);
        panic!("the query is wrong");
    }
}

/// Records how many queries each thread has made, and asserts that they are all, and that all
/// connections are back.
#[track_caller]
pub(super) fn assert_all(asked: &[usize], queries: usize, back: usize) {
    outcome(asked);
    assert!(
        asked.iter().all(|asked| *asked == queries),
        "not each thread has made {queries} queries: {asked:?}"
    );
    let all = connections(asked.len()).count();
    assert_eq!(back, all, "all connections are back");
}
