//! Unsafe: the flag says that something was pushed once, and not that something is left.
//!
//! The bug is an order violation: the flag is never cleared, so that the popper can overtake the
//! pusher. `SCTBench` calls the program `stack_bad`.

use crate::Named;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Arc, Mutex};

use super::spawn;

const ROUNDS: usize = 10;

struct Stack {
    m: Mutex<()>,
    items: [AtomicUsize; ROUNDS],
    top: AtomicUsize,
    flag: AtomicBool,
}

/// A pop from an empty stack.
struct Underflow;

/// A pusher and a popper, each with a critical section in each round.
pub(super) fn run() {
    let stack = Arc::new(Stack {
        m: Mutex::new(()).named("m"),
        items: std::array::from_fn(|i| AtomicUsize::new(0).named(format!("items[{i}]"))),
        top: AtomicUsize::new(0).named("top"),
        flag: AtomicBool::new(false).named("flag"),
    });
    let pusher = spawn(&stack, |stack| (0..ROUNDS).for_each(|i| stack.push(i)));
    let popper = spawn(&stack, |stack| {
        let popped = (0..ROUNDS).map(|_| stack.pop_if_pushed());
        popped.filter(Result::is_err).count()
    });
    pusher.join().unwrap();
    assert_eq!(popper.join().unwrap(), 0, "pops from an empty stack");
}

impl Stack {
    fn push(&self, item: usize) {
        let _held = self.m.lock().unwrap();
        let top = self.top.load(SeqCst);
        self.items[top].store(item, SeqCst);
        self.top.store(top + 1, SeqCst);
        self.flag.store(true, SeqCst);
    }

    fn pop_if_pushed(&self) -> Result<Option<usize>, Underflow> {
        let _held = self.m.lock().unwrap();
        if !self.flag.load(SeqCst) {
            return Ok(None);
        }
        let top = self.top.load(SeqCst).checked_sub(1).ok_or(Underflow)?;
        self.top.store(top, SeqCst);
        Ok(Some(self.items[top].load(SeqCst)))
    }
}
