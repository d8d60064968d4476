//! Unsafe: the checker holds another lock than those that change the variable meanwhile.
//!
//! The bug is an atomicity violation: each thread has a critical section, and they do not exclude
//! each other. `SCTBench` calls the program `wronglock_3_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicI32, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

const OTHERS: usize = 3;

struct Guarded {
    right: Mutex<()>,
    wrong: Mutex<()>,
    v: AtomicI32,
}

/// One thread adds and looks under one lock, and the others add under another one.
pub(super) fn run() {
    let guarded = Arc::new(Guarded {
        right: Mutex::new(()).named("right"),
        wrong: Mutex::new(()).named("wrong"),
        v: AtomicI32::new(0).named("v"),
    });
    let checker = spawn(&guarded, |guarded| {
        let _held = guarded.right.lock().unwrap();
        let before = guarded.v.load(SeqCst);
        guarded.add_one();
        guarded.v.load(SeqCst) == before + 1
    });
    let others = (0..OTHERS).map(|_| {
        spawn(&guarded, |guarded| {
            let _held = guarded.wrong.lock().unwrap();
            guarded.add_one();
        })
    });
    let others: Vec<_> = others.collect();
    let is_alone = checker.join().unwrap();
    for other in others {
        other.join().unwrap();
    }
    assert!(is_alone, "changed meanwhile");
}

impl Guarded {
    fn add_one(&self) {
        let v = self.v.load(SeqCst);
        self.v.store(v + 1, SeqCst);
    }
}
