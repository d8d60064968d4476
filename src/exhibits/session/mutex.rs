//! Safe: a thread holds the mutex from its request to the answer. Nobody else downloads meanwhile.

use crate::exhibits::Terminal;
use crate::sync::{Arc, Mutex};
use crate::{Named, thread};

use super::http::{Connection, Site};

/// `readers` threads download their pages, `downloads` of them each.
pub(super) fn run(readers: usize, downloads: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::new(downloads, terminal);
    let session = Arc::new(Mutex::new(Connection::new()).named("session"));
    let mut threads = Vec::new();
    for reader in 0..readers {
        let (session, site) = (Arc::clone(&session), site.clone());
        threads.push(thread::spawn(move || {
            let mut read = Vec::new();
            for page in site.pages_of(reader) {
                let session = session.lock().unwrap();
                let due = session.send(page);
                let answer = session.receive(due);
                drop(session);
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
