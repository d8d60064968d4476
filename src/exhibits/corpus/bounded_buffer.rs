//! Unsafe: a consumer's notification can wake the other consumer, which finds nothing and waits
//! again, and the producer that was meant is never woken.
//!
//! The bug is a lost wake-up: two kinds of threads wait on one condition variable, and one of them
//! is woken. It ends in a deadlock. The program is a classic of textbooks.

use crate::Named;
use crate::sync::{Arc, Condvar, Mutex};

use super::spawn;

struct Buffer {
    slot: Mutex<Option<usize>>,
    change: Condvar,
}

/// Two producers and two consumers of one item each share a slot for one.
pub(super) fn run() {
    let buffer = Arc::new(Buffer {
        slot: Mutex::new(None).named("slot"),
        change: Condvar::new().named("change"),
    });
    let consumers: Vec<_> = (0..2).map(|_| spawn(&buffer, Buffer::get)).collect();
    let producers = [
        spawn(&buffer, |buffer| buffer.put(1)),
        spawn(&buffer, |buffer| buffer.put(2)),
    ];
    let items = consumers
        .into_iter()
        .map(|consumer| consumer.join().unwrap());
    let items: Vec<_> = items.collect();
    for producer in producers {
        producer.join().unwrap();
    }
    assert!(
        items.iter().all(Option::is_some),
        "got from an empty buffer"
    );
}

impl Buffer {
    fn put(&self, item: usize) {
        let mut slot = self.slot.lock().unwrap();
        while slot.is_some() {
            slot = self.change.wait(slot).unwrap();
        }
        *slot = Some(item);
        self.change.notify_one();
    }

    fn get(&self) -> Option<usize> {
        let mut slot = self.slot.lock().unwrap();
        while slot.is_none() {
            slot = self.change.wait(slot).unwrap();
        }
        let item = slot.take();
        self.change.notify_one();
        item
    }
}
