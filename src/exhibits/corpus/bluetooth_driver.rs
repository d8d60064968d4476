//! Unsafe: between the adder's look at the flag and its increment, the stopper can find nothing
//! pending and stop the driver.
//!
//! The bug is an atomicity violation: the check and the increment are two critical sections and
//! have to be one. `SCTBench` calls the program `bluetooth_driver_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

struct Driver {
    m: Mutex<()>,
    /// The requests that are being served, and one for the driver itself.
    pending: AtomicI32,
    is_stopping: AtomicBool,
    may_stop: AtomicBool,
    has_stopped: AtomicBool,
}

/// One thread stops the driver, while the main thread makes a request of it.
pub(super) fn run() {
    let driver = Arc::new(Driver {
        m: Mutex::new(()).named("m"),
        pending: AtomicI32::new(1).named("pending"),
        is_stopping: AtomicBool::new(false).named("stopping"),
        may_stop: AtomicBool::new(false).named("event"),
        has_stopped: AtomicBool::new(false).named("stopped"),
    });
    let stopper = spawn(&driver, Driver::stop);
    let is_served_after_stop = driver.serve();
    stopper.join().unwrap();
    assert!(!is_served_after_stop, "served by a stopped driver");
}

impl Driver {
    /// Serves a request, unless the driver is stopping. True if it had stopped meanwhile.
    fn serve(&self) -> bool {
        let mut is_served_after_stop = false;
        if !self.is_stopping.load(SeqCst) {
            self.add(1);
            is_served_after_stop = self.has_stopped.load(SeqCst);
        }
        self.release();
        is_served_after_stop
    }

    fn stop(&self) {
        self.is_stopping.store(true, SeqCst);
        self.release();
        if self.may_stop.load(SeqCst) {
            self.has_stopped.store(true, SeqCst);
        }
    }

    fn release(&self) {
        if self.add(-1) == 0 {
            self.may_stop.store(true, SeqCst);
        }
    }

    /// Changes the number of pending requests, in one critical section.
    fn add(&self, change: i32) -> i32 {
        let _held = self.m.lock().unwrap();
        let pending = self.pending.load(SeqCst) + change;
        self.pending.store(pending, SeqCst);
        pending
    }
}
