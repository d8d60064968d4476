//! Safe: one thread runs all tasks, and none has a turn between two waits of another one. A task
//! takes a connection out of the session before it waits, so that no lock is needed for either.

use std::cell::RefCell;
use std::rc::Rc;

use crate::exhibits::Terminal;
use crate::exhibits::event_loop::tasks::{EventLoop, give_back};
use crate::sync::Arc;

use super::http::{Connection, Site};

/// `readers` tasks download their pages, `downloads` of them each.
pub(super) fn run(readers: usize, downloads: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::new(downloads, terminal);
    let session = Rc::new(RefCell::new(Vec::new()));
    let all_read = Rc::new(RefCell::new(vec![Vec::new(); readers]));
    let mut event_loop = EventLoop::<()>::new(None);
    for reader in 0..readers {
        let (session, site) = (Rc::clone(&session), site.clone());
        let all_read = Rc::clone(&all_read);
        event_loop.spawn("reader", async move {
            let mut read = Vec::new();
            for page in site.pages_of(reader) {
                let kept = session.borrow_mut().pop();
                let connection = kept.unwrap_or_else(Connection::new);
                let due = connection.send(page);
                give_back().await;
                let answer = connection.receive(due);
                session.borrow_mut().push(connection);
                read.push(site.read(page, answer));
            }
            all_read.borrow_mut()[reader] = read;
        });
    }
    event_loop.run();
    site.assert_own_answers(&all_read.take());
}
