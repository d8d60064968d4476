//! Unsafe: the check can run when both additions were made.
//!
//! The bug is an order violation: the checker takes for granted that it never comes last.
//! `SCTBench` calls the program `lazy01_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicI32, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

struct Counted {
    m: Mutex<()>,
    data: AtomicI32,
}

/// Two threads add, and one looks whether both have, each in one critical section.
pub(super) fn run() {
    let counted = Arc::new(Counted {
        m: Mutex::new(()).named("m"),
        data: AtomicI32::new(0).named("data"),
    });
    let one = spawn(&counted, |counted| counted.add(1));
    let two = spawn(&counted, |counted| counted.add(2));
    let checker = spawn(&counted, Counted::look);
    one.join().unwrap();
    two.join().unwrap();
    let seen = checker.join().unwrap();
    assert!(seen < 3, "seen {seen}");
}

impl Counted {
    fn add(&self, value: i32) {
        let _held = self.m.lock().unwrap();
        let data = self.data.load(SeqCst);
        self.data.store(data + value, SeqCst);
    }

    fn look(&self) -> i32 {
        let _held = self.m.lock().unwrap();
        self.data.load(SeqCst)
    }
}
