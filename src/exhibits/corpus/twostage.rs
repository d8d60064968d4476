//! Unsafe: between the two critical sections of the writer, the reader can see the first stage
//! without the second.
//!
//! The bug is an atomicity violation: two variables that belong together are changed under two
//! locks, one after the other. `SCTBench` calls the program `twostage_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicI32, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

struct Stages {
    lock1: Mutex<()>,
    lock2: Mutex<()>,
    d1: AtomicI32,
    d2: AtomicI32,
}

/// A writer and a reader, each with a critical section for each stage.
pub(super) fn run() {
    let stages = Arc::new(Stages {
        lock1: Mutex::new(()).named("lock1"),
        lock2: Mutex::new(()).named("lock2"),
        d1: AtomicI32::new(0).named("d1"),
        d2: AtomicI32::new(0).named("d2"),
    });
    let writer = spawn(&stages, Stages::write);
    let reader = spawn(&stages, Stages::read);
    writer.join().unwrap();
    if let Some((first, second)) = reader.join().unwrap() {
        assert_eq!(second, first + 1);
    }
}

impl Stages {
    fn write(&self) {
        let held = self.lock1.lock().unwrap();
        self.d1.store(1, SeqCst);
        drop(held);
        let _held = self.lock2.lock().unwrap();
        self.d2.store(self.d1.load(SeqCst) + 1, SeqCst);
    }

    /// Both stages, once there is a first.
    fn read(&self) -> Option<(i32, i32)> {
        let held = self.lock1.lock().unwrap();
        if self.d1.load(SeqCst) == 0 {
            return None;
        }
        let first = self.d1.load(SeqCst);
        drop(held);
        let _held = self.lock2.lock().unwrap();
        Some((first, self.d2.load(SeqCst)))
    }
}
