//! Unsafe: a round in which the flag is off is skipped, and from then on the rounds of the consumer
//! are out of step with what the producer has recorded.
//!
//! The bug is an order violation: both sides count their rounds, and only turns would keep the
//! counts together. `SCTBench` calls the program `queue_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

const CAPACITY: usize = 20;

struct Queue {
    m: Mutex<()>,
    items: [AtomicUsize; CAPACITY],
    /// Where the next item is taken, and where it is put.
    head: AtomicUsize,
    tail: AtomicUsize,
    can_enqueue: AtomicBool,
    can_dequeue: AtomicBool,
    /// What was put in each round of the producer.
    record: [AtomicUsize; CAPACITY],
}

/// A producer and a consumer, each with a critical section in each round.
pub(super) fn run() {
    let zeros = |name| std::array::from_fn(|i| AtomicUsize::new(0).named(format!("{name}[{i}]")));
    let queue = Arc::new(Queue {
        m: Mutex::new(()).named("m"),
        items: zeros("items"),
        head: AtomicUsize::new(0).named("head"),
        tail: AtomicUsize::new(0).named("tail"),
        can_enqueue: AtomicBool::new(true).named("enqueue"),
        can_dequeue: AtomicBool::new(false).named("dequeue"),
        record: zeros("record"),
    });
    let producer = spawn(&queue, Queue::produce);
    let consumer = spawn(&queue, |queue| {
        let pairs = (0..CAPACITY).filter_map(|round| queue.consume(round));
        pairs.collect::<Vec<_>>()
    });
    producer.join().unwrap();
    for (item, recorded) in consumer.join().unwrap() {
        assert_eq!(item, recorded);
    }
}

impl Queue {
    fn produce(&self) {
        {
            let _held = self.m.lock().unwrap();
            self.enqueue(0);
        }
        for round in 1..CAPACITY {
            let _held = self.m.lock().unwrap();
            if self.can_enqueue.load(SeqCst) {
                self.enqueue(round);
                self.can_enqueue.store(false, SeqCst);
                self.can_dequeue.store(true, SeqCst);
            }
        }
    }

    /// Puts the number of a round, and records it.
    fn enqueue(&self, round: usize) {
        let tail = self.tail.load(SeqCst);
        self.items[tail].store(round, SeqCst);
        self.tail.store((tail + 1) % CAPACITY, SeqCst);
        self.record[round].store(round, SeqCst);
    }

    /// Takes an item, unless the flag is off, with what was recorded for this round.
    fn consume(&self, round: usize) -> Option<(usize, usize)> {
        let _held = self.m.lock().unwrap();
        self.can_dequeue.load(SeqCst).then(|| {
            let head = self.head.load(SeqCst);
            let item = self.items[head].load(SeqCst);
            self.head.store((head + 1) % CAPACITY, SeqCst);
            let recorded = self.record[round].load(SeqCst);
            self.can_dequeue.store(false, SeqCst);
            self.can_enqueue.store(true, SeqCst);
            (item, recorded)
        })
    }
}
