//! Unsafe: a query that panics leaves the pool without the connection and its permit.

use std::panic::{self, AssertUnwindSafe};

use crate::exhibits::Terminal;
use crate::queue::SegQueue;
use crate::sync::{Arc, Condvar, Mutex};
use crate::{Named, thread};

use super::queries::{Connection, NONE_FREE, Queries, assert_all, connections};

/// Connections that are free, and as many permits to take one.
struct Pool {
    permits: Mutex<usize>,
    freed: Condvar,
    connections: SegQueue<Connection>,
}

/// `threads` threads make `queries` queries each, on the connections of a pool, which the main
/// thread fills.
pub(super) fn run(threads: usize, queries: usize, terminal: Option<Arc<dyn Terminal>>) {
    let pool = Arc::new(Pool {
        permits: Mutex::new(0).named("permits"),
        freed: Condvar::new().named("freed"),
        connections: SegQueue::new().named("connections"),
    });
    let desk = Queries::new(terminal);
    let mut askers = Vec::new();
    for thread in 0..threads {
        let (pool, desk) = (Arc::clone(&pool), desk.clone());
        askers.push(thread::spawn(move || {
            let mut asked = 0;
            for _ in 0..queries {
                let connection = pool.take();
                // A query that panics does not end the thread that has made it.
                let answer = panic::catch_unwind(AssertUnwindSafe(|| {
                    desk.ask_too_much(thread, &connection);
                    pool.give_back(connection);
                }));
                asked += usize::from(answer.is_err());
            }
            asked
        }));
    }
    connections(threads).for_each(|connection| pool.give_back(connection));
    let mut asked = Vec::new();
    for asker in askers {
        asked.push(asker.join().unwrap());
    }
    assert_all(&asked, queries, pool.connections.len());
}

impl Pool {
    fn take(&self) -> Connection {
        let mut permits = self.permits.lock().unwrap();
        while *permits == 0 {
            permits = self.freed.wait(permits).unwrap();
        }
        *permits = permits.checked_sub(1).expect(NONE_FREE);
        drop(permits);
        self.connections.pop().expect(NONE_FREE)
    }

    fn give_back(&self, connection: Connection) {
        self.connections.push(connection);
        let mut permits = self.permits.lock().unwrap();
        *permits += 1;
        self.freed.notify_all();
    }
}
