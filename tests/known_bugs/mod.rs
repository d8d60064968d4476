//! Small programs with a known bug, of which the fewest preemptions and the probability to be hit
//! by a random walk are known exactly.

use racelab::FailureKind;
use racelab::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::thread;

/// A program and what is known of it.
pub(crate) struct KnownBug {
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
    pub(crate) kind: FailureKind,
    /// How likely a walk that is uniform over the possible steps is to fail.
    pub(crate) probability: f64,
    /// By how much the probability may be rounded.
    pub(crate) rounding: f64,
    /// The fewest with which it fails.
    pub(crate) preemptions: u32,
    /// Whether an enumeration takes too long to the first failure.
    pub(crate) is_large: bool,
}

impl KnownBug {
    pub(crate) const ALL: [KnownBug; 8] = [
        KnownBug::new("account", account, FailureKind::Panic, 0.136, 0),
        KnownBug::new("lazy01", lazy01, FailureKind::Panic, 0.522, 0),
        KnownBug::new("deadlock01", deadlock01, FailureKind::Deadlock, 0.375, 1),
        KnownBug::new(
            "bluetooth_driver",
            bluetooth_driver,
            FailureKind::Panic,
            0.097,
            1,
        ),
        KnownBug::new("reorder_3", || reorder(2), FailureKind::Panic, 0.025, 1),
        KnownBug {
            rounding: 0.00005,
            is_large: true,
            ..KnownBug::new("reorder_5", || reorder(4), FailureKind::Panic, 0.0018, 1)
        },
        KnownBug::new("twostage", twostage, FailureKind::Panic, 0.021, 1),
        KnownBug::new("wronglock_3", wronglock_3, FailureKind::Panic, 0.312, 1),
    ];

    const fn new(
        name: &'static str,
        body: fn(),
        kind: FailureKind,
        probability: f64,
        preemptions: u32,
    ) -> Self {
        KnownBug {
            name,
            body,
            kind,
            probability,
            rounding: 0.0005,
            preemptions,
            is_large: false,
        }
    }
}

type Thread<T> = Box<dyn FnOnce(&T) + Send>;

/// Starts the threads in their order, and joins them.
fn run<T: Default + Send + Sync + 'static>(threads: Vec<Thread<T>>) {
    let shared = Arc::new(T::default());
    let threads = threads.into_iter().map(|f| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || f(&shared))
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
}

/// Adds in two steps, and returns the sum.
fn add(variable: &AtomicI32, value: i32) -> i32 {
    let sum = variable.load(SeqCst) + value;
    variable.store(sum, SeqCst);
    sum
}

#[derive(Default)]
struct Account {
    lock: Mutex<()>,
    /// The balance less one, with which it begins.
    balance: AtomicI32,
    has_deposited: AtomicBool,
    has_withdrawn: AtomicBool,
}

fn account() {
    run::<Account>(vec![
        Box::new(|shared| {
            let _held = shared.lock.lock().unwrap();
            if shared.has_deposited.load(SeqCst) && shared.has_withdrawn.load(SeqCst) {
                assert_eq!(shared.balance.load(SeqCst), 2);
            }
        }),
        Box::new(|shared| {
            let _held = shared.lock.lock().unwrap();
            add(&shared.balance, 2);
            shared.has_deposited.store(true, SeqCst);
        }),
        Box::new(|shared| {
            let _held = shared.lock.lock().unwrap();
            add(&shared.balance, -4);
            shared.has_withdrawn.store(true, SeqCst);
        }),
    ]);
}

#[derive(Default)]
struct Counted {
    lock: Mutex<()>,
    other_lock: Mutex<()>,
    value: AtomicI32,
}

fn lazy01() {
    run::<Counted>(vec![
        Box::new(|shared| {
            let _held = shared.lock.lock().unwrap();
            add(&shared.value, 1);
        }),
        Box::new(|shared| {
            let _held = shared.lock.lock().unwrap();
            add(&shared.value, 2);
        }),
        Box::new(|shared| {
            let _held = shared.lock.lock().unwrap();
            assert!(shared.value.load(SeqCst) < 3);
        }),
    ]);
}

fn deadlock01() {
    run::<Counted>(vec![
        Box::new(|shared| {
            let _first = shared.lock.lock().unwrap();
            let _second = shared.other_lock.lock().unwrap();
        }),
        Box::new(|shared| {
            let _first = shared.other_lock.lock().unwrap();
            let _second = shared.lock.lock().unwrap();
        }),
    ]);
}

#[derive(Default)]
struct Driver {
    lock: Mutex<()>,
    /// The pending requests less one, with which it begins.
    pending: AtomicI32,
    is_stopping: AtomicBool,
    may_stop: AtomicBool,
    has_stopped: AtomicBool,
}

impl Driver {
    fn acquire(&self) {
        let _held = self.lock.lock().unwrap();
        add(&self.pending, 1);
    }

    fn release(&self) {
        let held = self.lock.lock().unwrap();
        let pending = add(&self.pending, -1);
        drop(held);
        if pending < 0 {
            self.may_stop.store(true, SeqCst);
        }
    }
}

fn bluetooth_driver() {
    let driver = Arc::new(Driver::default());
    let stopper = thread::spawn({
        let driver = Arc::clone(&driver);
        move || {
            driver.is_stopping.store(true, SeqCst);
            driver.release();
            if driver.may_stop.load(SeqCst) {
                driver.has_stopped.store(true, SeqCst);
            }
        }
    });
    // The main thread adds a request.
    if !driver.is_stopping.load(SeqCst) {
        driver.acquire();
        assert!(!driver.has_stopped.load(SeqCst));
    }
    driver.release();
    stopper.join().unwrap();
}

#[derive(Default)]
struct Pair {
    a: AtomicI32,
    b: AtomicI32,
}

fn reorder(setters: usize) {
    let mut threads: Vec<Thread<Pair>> = Vec::new();
    for _ in 0..setters {
        threads.push(Box::new(|shared| {
            shared.a.store(1, SeqCst);
            shared.b.store(-1, SeqCst);
        }));
    }
    threads.push(Box::new(|shared| {
        let is_old = shared.a.load(SeqCst) == 0 && shared.b.load(SeqCst) == 0;
        assert!(is_old || shared.a.load(SeqCst) == 1 && shared.b.load(SeqCst) == -1);
    }));
    run(threads);
}

#[derive(Default)]
struct Stages {
    first_lock: Mutex<()>,
    second_lock: Mutex<()>,
    first: AtomicI32,
    second: AtomicI32,
}

fn twostage() {
    run::<Stages>(vec![
        Box::new(|shared| {
            let held = shared.first_lock.lock().unwrap();
            shared.first.store(1, SeqCst);
            drop(held);
            let _held = shared.second_lock.lock().unwrap();
            shared.second.store(shared.first.load(SeqCst) + 1, SeqCst);
        }),
        Box::new(|shared| {
            let held = shared.first_lock.lock().unwrap();
            if shared.first.load(SeqCst) == 0 {
                return;
            }
            let first = shared.first.load(SeqCst);
            drop(held);
            let held = shared.second_lock.lock().unwrap();
            let second = shared.second.load(SeqCst);
            drop(held);
            assert_eq!(second, first + 1);
        }),
    ]);
}

fn wronglock_3() {
    let mut threads: Vec<Thread<Counted>> = vec![Box::new(|shared| {
        let _held = shared.lock.lock().unwrap();
        let before = shared.value.load(SeqCst);
        add(&shared.value, 1);
        assert_eq!(shared.value.load(SeqCst), before + 1);
    })];
    for _ in 0..3 {
        threads.push(Box::new(|shared| {
            let _held = shared.other_lock.lock().unwrap();
            add(&shared.value, 1);
        }));
    }
    run(threads);
}
