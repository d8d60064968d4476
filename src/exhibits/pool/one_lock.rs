//! Safe: the queue is what is counted. Look, wait and take are one critical section.

use std::collections::VecDeque;

use crate::exhibits::Terminal;
use crate::sync::{Arc, Condvar, Mutex};
use crate::{Named, thread};

use super::queries::{Connection, Queries, assert_all, connections};

/// Connections that are free.
struct Pool {
    connections: Mutex<VecDeque<Connection>>,
    freed: Condvar,
}

/// `threads` threads make `queries` queries each, on the connections of a pool, which the main
/// thread fills.
pub(super) fn run(threads: usize, queries: usize, terminal: Option<Arc<dyn Terminal>>) {
    let pool = Arc::new(Pool {
        connections: Mutex::new(VecDeque::new()).named("connections"),
        freed: Condvar::new().named("freed"),
    });
    let desk = Queries::new(terminal);
    let mut askers = Vec::new();
    for thread in 0..threads {
        let (pool, desk) = (Arc::clone(&pool), desk.clone());
        askers.push(thread::spawn(move || {
            let mut asked = 0;
            for _ in 0..queries {
                let connection = pool.take();
                desk.ask(thread, &connection);
                pool.give_back(connection);
                asked += 1;
            }
            asked
        }));
    }
    connections(threads).for_each(|connection| pool.give_back(connection));
    let mut asked = Vec::new();
    for asker in askers {
        asked.push(asker.join().unwrap());
    }
    assert_all(&asked, queries, pool.connections.lock().unwrap().len());
}

impl Pool {
    fn take(&self) -> Connection {
        let mut connections = self.connections.lock().unwrap();
        loop {
            match connections.pop_front() {
                Some(connection) => return connection,
                None => connections = self.freed.wait(connections).unwrap(),
            }
        }
    }

    fn give_back(&self, connection: Connection) {
        let mut connections = self.connections.lock().unwrap();
        connections.push_back(connection);
        self.freed.notify_all();
    }
}
