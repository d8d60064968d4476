//! Unsafe: between a thread's request and its look for the answer, another thread can take that.

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::thread;

use super::http::{Connection, Site};

/// `readers` threads download their pages, `downloads` of them each.
pub(super) fn run(readers: usize, downloads: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::new(downloads, terminal);
    let session = Arc::new(Connection::new());
    let mut threads = Vec::new();
    for reader in 0..readers {
        let (session, site) = (Arc::clone(&session), site.clone());
        threads.push(thread::spawn(move || {
            let mut read = Vec::new();
            for page in site.pages_of(reader) {
                let due = session.send(page);
                let answer = session.receive(due);
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
