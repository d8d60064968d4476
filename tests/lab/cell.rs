//! Plain cells: what is recorded of them, and what is not claimed.
#![expect(unsafe_code, reason = "cells are there for code that is unsafe")]

use racelab::cell::UnsafeCell;
use racelab::sync::{Arc, Mutex};
use racelab::trace::Operation;
use racelab::{Engine, Explorer, Named, Report, Verdict, replay, thread};

/// A cell that threads share under a lock.
struct Shared(UnsafeCell<u32>);

// SAFETY: the tests access the cell while they hold a mutex, or after a join.
unsafe impl Sync for Shared {}
// SAFETY: a `u32` can be moved to another thread.
unsafe impl Send for Shared {}

fn explore(body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(Engine::Dpor).explore(body)
}

#[test]
fn a_cell_outside_of_the_lab_is_a_cell() {
    let mut cell = UnsafeCell::new(1);
    // SAFETY: there is only this thread.
    unsafe {
        cell.set(cell.get() + 1);
    }
    *cell.get_mut() += 1;
    // SAFETY: as above.
    assert_eq!(cell.with(|value| unsafe { *value }), 3);
    assert_eq!(cell.into_inner(), 3);
}

#[test]
fn a_cell_of_one_thread_is_no_obstacle_to_a_proof() {
    let report = explore(|| {
        let cell = UnsafeCell::new(0);
        // SAFETY: there is only this thread.
        unsafe { cell.set(7) };
        // SAFETY: as above.
        assert_eq!(unsafe { cell.get() }, 7);
    });
    assert!(matches!(report.verdict, Verdict::Holds));
}

#[test]
fn a_cell_that_threads_share_under_a_lock_holds() {
    let report = explore(|| {
        let cell = Arc::new((Mutex::new(()), Shared(UnsafeCell::new(0).named("total"))));
        let other = Arc::clone(&cell);
        let worker = thread::spawn(move || {
            let _held = other.0.lock().unwrap();
            // SAFETY: the mutex is held.
            unsafe { other.1.0.set(other.1.0.get() + 1) };
        });
        {
            let _held = cell.0.lock().unwrap();
            // SAFETY: the mutex is held.
            unsafe { cell.1.0.set(cell.1.0.get() + 1) };
        }
        worker.join().unwrap();
        // SAFETY: the only other thread has ended.
        assert_eq!(unsafe { cell.1.0.get() }, 2);
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn accesses_are_events_but_not_steps() {
    let report = replay(&"-".parse().unwrap(), || {
        let cell = UnsafeCell::new(0).named("cell");
        // SAFETY: there is only this thread.
        unsafe { cell.set(1) };
        // SAFETY: as above.
        cell.with(|value| assert_eq!(unsafe { *value }, 1));
    });
    let trace = report.replayed.expect("a replay has a trace");
    let events: Vec<_> = trace
        .events
        .iter()
        .map(|event| (event.step, event.operation))
        .collect();
    assert_eq!(
        events,
        [(None, Operation::CellWrite), (None, Operation::CellRead)]
    );
    assert_eq!(trace.object_name(trace.events[0].object.unwrap()), "cell");
}
