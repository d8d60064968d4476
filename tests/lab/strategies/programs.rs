//! Programs with a known bug that are too large to enumerate, as small ports: one step for each
//! access of what is shared.

use racelab::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex};
use racelab::thread;

/// A name, and a body that has the bug.
pub(crate) type NamedBody = (&'static str, fn());

pub(crate) const LARGER: [NamedBody; 7] = [
    ("reorder_10", || reorder(9)),
    ("stack", stack),
    ("queue", queue),
    ("circular_buffer", circular_buffer),
    ("bounded_buffer", || bounded_buffer(true)),
    ("bounded_buffer with if", || bounded_buffer(false)),
    ("dining_philosophers", || dining_philosophers(5)),
];

type Thread<T> = Box<dyn FnOnce(&T) + Send>;

/// Runs each of `threads` with what is shared, and joins them in their order.
fn run<T: Send + Sync + 'static>(shared: T, threads: Vec<Thread<T>>) {
    let shared = Arc::new(shared);
    let threads = threads.into_iter().map(|f| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || f(&shared))
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
}

/// Setters write `a` and then `b`; a checker must see both or none.
pub(crate) fn reorder(setters: usize) {
    let mut threads: Vec<Thread<[AtomicI32; 2]>> = Vec::new();
    for _ in 0..setters {
        threads.push(Box::new(|[a, b]| {
            a.store(1, SeqCst);
            b.store(-1, SeqCst);
        }));
    }
    threads.push(Box::new(|[a, b]| {
        let is_old = a.load(SeqCst) == 0 && b.load(SeqCst) == 0;
        assert!(is_old || a.load(SeqCst) == 1 && b.load(SeqCst) == -1);
    }));
    run(Default::default(), threads);
}

#[derive(Default)]
struct Stack {
    lock: Mutex<()>,
    has_pushed: AtomicBool,
    items: AtomicUsize,
}

fn stack() {
    run(
        Stack::default(),
        vec![
            Box::new(|stack| {
                for _ in 0..10 {
                    let _held = stack.lock.lock().unwrap();
                    stack.items.store(stack.items.load(SeqCst) + 1, SeqCst);
                    stack.has_pushed.store(true, SeqCst);
                }
            }),
            Box::new(|stack| {
                for _ in 0..10 {
                    let _held = stack.lock.lock().unwrap();
                    if stack.has_pushed.load(SeqCst) {
                        let items = stack.items.load(SeqCst);
                        assert_ne!(items, 0, "underflow");
                        stack.items.store(items - 1, SeqCst);
                    }
                }
            }),
        ],
    );
}

/// A ring, and flags that say whose turn it is.
struct Ring<const N: usize> {
    lock: Mutex<()>,
    items: [AtomicUsize; N],
    next_in: AtomicUsize,
    next_out: AtomicUsize,
    may_put: AtomicBool,
    may_take: AtomicBool,
}

impl<const N: usize> Ring<N> {
    fn new() -> Self {
        Ring {
            lock: Mutex::new(()),
            items: std::array::from_fn(|_| AtomicUsize::new(0)),
            next_in: AtomicUsize::new(0),
            next_out: AtomicUsize::new(0),
            may_put: AtomicBool::new(true),
            may_take: AtomicBool::new(false),
        }
    }

    fn put(&self, item: usize) {
        let at = self.next_in.load(SeqCst);
        self.items[at].store(item, SeqCst);
        self.next_in.store((at + 1) % N, SeqCst);
    }

    fn take(&self) -> usize {
        let at = self.next_out.load(SeqCst);
        let item = self.items[at].load(SeqCst);
        self.next_out.store((at + 1) % N, SeqCst);
        item
    }

    fn turn(&self, to_take: bool) {
        self.may_put.store(!to_take, SeqCst);
        self.may_take.store(to_take, SeqCst);
    }
}

fn queue() {
    const ITEMS: usize = 20;
    type Shared = (Ring<ITEMS>, [AtomicUsize; ITEMS]);
    let record = std::array::from_fn(|_| AtomicUsize::new(0));
    run::<Shared>(
        (Ring::new(), record),
        vec![
            Box::new(|(ring, record)| {
                for (round, recorded) in record.iter().enumerate() {
                    let _held = ring.lock.lock().unwrap();
                    if round == 0 || ring.may_put.load(SeqCst) {
                        ring.put(round);
                        recorded.store(round, SeqCst);
                        if round > 0 {
                            ring.turn(true);
                        }
                    }
                }
            }),
            Box::new(|(ring, record)| {
                for recorded in record {
                    let _held = ring.lock.lock().unwrap();
                    if ring.may_take.load(SeqCst) {
                        assert_eq!(ring.take(), recorded.load(SeqCst));
                        ring.turn(false);
                    }
                }
            }),
        ],
    );
}

fn circular_buffer() {
    const ROUNDS: usize = 7;
    run::<Ring<10>>(
        Ring::new(),
        vec![
            Box::new(|ring| {
                for round in 0..ROUNDS {
                    let _held = ring.lock.lock().unwrap();
                    if ring.may_put.load(SeqCst) {
                        ring.put(round);
                        ring.turn(true);
                    }
                }
            }),
            Box::new(|ring| {
                for round in 0..ROUNDS {
                    let _held = ring.lock.lock().unwrap();
                    if ring.may_take.load(SeqCst) {
                        assert_eq!(ring.take(), round);
                        ring.turn(false);
                    }
                }
            }),
        ],
    );
}

/// A place for one item. Producers and consumers wait on the same condition variable, so that a
/// notification can reach one who has no use for it.
fn bounded_buffer(looks_again: bool) {
    type Shared = (Mutex<Option<usize>>, Condvar);
    let put = move |(slot, change): &Shared| {
        let mut slot = slot.lock().unwrap();
        while slot.is_some() {
            slot = change.wait(slot).unwrap();
            if !looks_again {
                break;
            }
        }
        *slot = Some(1);
        change.notify_one();
    };
    let take = move |(slot, change): &Shared| {
        let mut slot = slot.lock().unwrap();
        while slot.is_none() {
            slot = change.wait(slot).unwrap();
            if !looks_again {
                break;
            }
        }
        slot.take().expect("there is an item");
        change.notify_one();
    };
    run::<Shared>(
        Default::default(),
        vec![Box::new(put), Box::new(put), Box::new(take), Box::new(take)],
    );
}

fn dining_philosophers(seats: usize) {
    let mut threads: Vec<Thread<Vec<Mutex<()>>>> = Vec::new();
    for seat in 0..seats {
        threads.push(Box::new(move |forks| {
            let _left = forks[seat].lock().unwrap();
            let _right = forks[(seat + 1) % forks.len()].lock().unwrap();
        }));
    }
    let forks = (0..seats).map(|_| Mutex::new(()));
    run(forks.collect(), threads);
}
