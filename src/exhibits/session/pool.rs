//! Safe: the session has a connection for each download that is under way, and the thread that has
//! taken one out of it is alone with it.

use crate::exhibits::Terminal;
use crate::queue::SegQueue;
use crate::sync::Arc;
use crate::{Named, thread};

use super::http::{Connection, Site};

/// `readers` threads download their pages, `downloads` of them each.
pub(super) fn run(readers: usize, downloads: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::new(downloads, terminal);
    let session = Arc::new(SegQueue::new().named("session"));
    let mut threads = Vec::new();
    for reader in 0..readers {
        let (session, site) = (Arc::clone(&session), site.clone());
        threads.push(thread::spawn(move || {
            let mut read = Vec::new();
            for page in site.pages_of(reader) {
                let connection = session.pop().unwrap_or_else(Connection::new);
                let due = connection.send(page);
                let answer = connection.receive(due);
                session.push(connection);
                read.push(site.read(page, answer));
            }
            read
        }));
    }
    let mut read = Vec::new();
    for thread in threads {
        read.push(thread.join().unwrap());
    }
    site.assert_own_answers(&read);
}
