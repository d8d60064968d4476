//! Unsafe: all philosophers can hold their left fork, and wait for the right one.
//!
//! The bug is a deadlock, by a cycle of locks as long as there are philosophers. It goes back to
//! Dijkstra, 1965.

use crate::Named;
use crate::sync::{Arc, Mutex};

use super::spawn;

/// Each philosopher takes the left fork, then the right one, for each of its meals.
pub(super) fn run(philosophers: usize, meals: usize) {
    let forks = (0..philosophers).map(|i| Mutex::new(()).named(format!("fork {i}")));
    let table = Arc::new(forks.collect::<Vec<_>>());
    let seated = (0..philosophers).map(|seat| {
        spawn(&table, move |forks| {
            for _ in 0..meals {
                let _left = forks[seat].lock().unwrap();
                let _right = forks[(seat + 1) % forks.len()].lock().unwrap();
            }
        })
    });
    for philosopher in seated.collect::<Vec<_>>() {
        philosopher.join().unwrap();
    }
}
