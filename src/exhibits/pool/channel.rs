//! Safe: a channel is the queue and waits for what is in it.

use crate::channel::{Receiver, Sender, unbounded};
use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::{Named, thread};

use super::queries::{Connection, Queries, assert_all, connections};

/// Connections that are free, in a channel.
struct Pool {
    back: Sender<Connection>,
    free: Receiver<Connection>,
}

/// `threads` threads make `queries` queries each, on the connections of a pool, which the main
/// thread fills.
pub(super) fn run(threads: usize, queries: usize, terminal: Option<Arc<dyn Terminal>>) {
    let (back, free) = unbounded();
    let pool = Arc::new(Pool {
        back: back.named("connections"),
        free,
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
    assert_all(&asked, queries, pool.free.len());
}

impl Pool {
    fn take(&self) -> Connection {
        self.free.recv().unwrap()
    }

    fn give_back(&self, connection: Connection) {
        self.back.send(connection).unwrap();
    }
}
