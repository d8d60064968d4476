//! Unsafe: each thread can hold the lock that the other one wants next.
//!
//! The bug is a deadlock, by two orders of the same locks. `SCTBench` calls the program
//! `deadlock01_bad`.

use crate::Named;
use crate::sync::{Arc, Mutex};

use super::spawn;

struct Locks {
    a: Mutex<()>,
    b: Mutex<()>,
}

/// One thread locks a, then b; the other one b, then a.
pub(super) fn run() {
    let locks = Arc::new(Locks {
        a: Mutex::new(()).named("a"),
        b: Mutex::new(()).named("b"),
    });
    let forwards = spawn(&locks, |locks| lock_both(&locks.a, &locks.b));
    let backwards = spawn(&locks, |locks| lock_both(&locks.b, &locks.a));
    forwards.join().unwrap();
    backwards.join().unwrap();
}

fn lock_both(first: &Mutex<()>, second: &Mutex<()>) {
    let _first = first.lock().unwrap();
    let _second = second.lock().unwrap();
}
