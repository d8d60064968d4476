//! Unsafe: a round in which the flag is off is skipped, and from then on the receiver's rounds are
//! out of step with the sender's.
//!
//! The bug is an order violation: both sides count their rounds, and only turns would keep the
//! counts together. `SCTBench` calls the program `circular_buffer_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

const CAPACITY: usize = 10;
const ROUNDS: usize = 7;

struct Buffer {
    m: Mutex<()>,
    items: [AtomicUsize; CAPACITY],
    /// Where the next item is removed, and where it is inserted.
    first: AtomicUsize,
    next: AtomicUsize,
    can_send: AtomicBool,
    can_receive: AtomicBool,
}

/// A sender and a receiver, each with a critical section in each round.
pub(super) fn run() {
    let buffer = Arc::new(Buffer {
        m: Mutex::new(()).named("m"),
        items: std::array::from_fn(|i| AtomicUsize::new(0).named(format!("items[{i}]"))),
        first: AtomicUsize::new(0).named("first"),
        next: AtomicUsize::new(0).named("next"),
        can_send: AtomicBool::new(true).named("send"),
        can_receive: AtomicBool::new(false).named("receive"),
    });
    let sender = spawn(&buffer, |buffer| (0..ROUNDS).for_each(|i| buffer.send(i)));
    let receiver = spawn(&buffer, |buffer| {
        let received = (0..ROUNDS).map(|i| (i, buffer.receive()));
        received.collect::<Vec<_>>()
    });
    sender.join().unwrap();
    for (round, item) in receiver.join().unwrap() {
        if let Some(item) = item {
            assert_eq!(item, round);
        }
    }
}

impl Buffer {
    fn send(&self, item: usize) {
        let _held = self.m.lock().unwrap();
        if self.can_send.load(SeqCst) {
            let next = self.next.load(SeqCst);
            self.items[next].store(item, SeqCst);
            self.next.store((next + 1) % CAPACITY, SeqCst);
            self.can_send.store(false, SeqCst);
            self.can_receive.store(true, SeqCst);
        }
    }

    fn receive(&self) -> Option<usize> {
        let _held = self.m.lock().unwrap();
        self.can_receive.load(SeqCst).then(|| {
            let first = self.first.load(SeqCst);
            let item = self.items[first].load(SeqCst);
            self.first.store((first + 1) % CAPACITY, SeqCst);
            self.can_receive.store(false, SeqCst);
            self.can_send.store(true, SeqCst);
            item
        })
    }
}
