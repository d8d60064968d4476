//! Safe: each thread has a session of its own, made when the thread first uses it.

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::thread;

use super::http::{Connection, Site};

crate::thread_local! {
    static SESSION: Connection = Connection::new();
}

/// `readers` threads download their pages, `downloads` of them each.
pub(super) fn run(readers: usize, downloads: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::new(downloads, terminal);
    let mut threads = Vec::new();
    for reader in 0..readers {
        let site = site.clone();
        threads.push(thread::spawn(move || {
            let mut read = Vec::new();
            for page in site.pages_of(reader) {
                let answer = SESSION.with(|session| {
                    let due = session.send(page);
                    session.receive(due)
                });
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
