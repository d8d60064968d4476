//! Plain cells: what is recorded of them, and what is not claimed.
#![expect(unsafe_code, reason = "cells are there for code that is unsafe")]

use racelab::cell::UnsafeCell;
use racelab::sync::{Arc, Mutex};
use racelab::trace::Operation;
use racelab::{Engine, Explorer, Named, Reason, Report, Verdict, replay, thread};

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
        cell.write(cell.read() + 1);
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
        unsafe { cell.write(7) };
        // SAFETY: as above.
        assert_eq!(unsafe { cell.read() }, 7);
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
            unsafe { other.1.0.write(other.1.0.read() + 1) };
        });
        {
            let _held = cell.0.lock().unwrap();
            // SAFETY: the mutex is held.
            unsafe { cell.1.0.write(cell.1.0.read() + 1) };
        }
        worker.join().unwrap();
        // SAFETY: the only other thread has ended.
        assert_eq!(unsafe { cell.1.0.read() }, 2);
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn what_is_done_through_the_pointer_of_get_is_unseen_and_the_report_says_of_how_many_cells() {
    let report = explore(|| {
        let cells = Arc::new([0; 3].map(|value| Shared(UnsafeCell::new(value))));
        let other = Arc::clone(&cells);
        let worker = thread::spawn(move || {
            for cell in &other[..2] {
                // SAFETY: there is none but that one OS thread runs all threads: the race is what
                // the lab does not see.
                unsafe { *cell.0.get() += 1 };
            }
        });
        for cell in &cells[1..] {
            // SAFETY: as above.
            unsafe { *cell.0.get() += 1 };
        }
        worker.join().unwrap();
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.unchecked_cells, 3);
    let shown = report.to_string();
    assert!(
        shown.contains("UnsafeCell::get` gave, of 3 cells;"),
        "{shown}"
    );
}

#[test]
fn unseen_cells_are_counted_however_the_search_is_run() {
    fn body() {
        let lock = Arc::new((Mutex::new(()), Shared(UnsafeCell::new(0))));
        let other = Arc::clone(&lock);
        let worker = thread::spawn(move || {
            let _held = other.0.lock().unwrap();
            // SAFETY: the mutex is held.
            unsafe { *other.1.0.get() += 1 };
        });
        {
            let _held = lock.0.lock().unwrap();
            // SAFETY: the mutex is held.
            if unsafe { *lock.1.0.get() } == 0 {
                // Only where this thread is the first.
                let own = UnsafeCell::new(1);
                // SAFETY: there is only this thread.
                assert_eq!(unsafe { *own.get() }, 1);
            }
        }
        worker.join().unwrap();
    }
    for explorer in [
        Explorer::new(Engine::Dpor),
        Explorer::new(Engine::Dfs),
        Explorer::new(Engine::Dfs).jobs(2),
        Explorer::new(Engine::Random).max_executions(100),
    ] {
        let report = explorer.explore(body);
        assert_eq!(report.unchecked_cells, 2, "{report}");
    }
    let replayed = replay(&"-".parse().unwrap(), || {
        let cell = UnsafeCell::new(1);
        // SAFETY: there is only this thread.
        assert_eq!(unsafe { *cell.get() }, 1);
    });
    assert_eq!(replayed.unchecked_cells, 1, "{replayed}");
}

#[test]
fn a_cell_that_was_made_outside_and_has_given_its_pointer_is_of_one_execution() {
    let cell = Shared(UnsafeCell::new(0));
    let report = explore(move || {
        let lock = Arc::new(Mutex::new(()));
        let other = Arc::clone(&lock);
        let worker = thread::spawn(move || drop(other.lock().unwrap()));
        drop(lock.lock().unwrap());
        worker.join().unwrap();
        let cell = &cell;
        // SAFETY: there is one execution at a time, and only its main thread comes here.
        unsafe { *cell.0.get() += 1 };
    });
    let Verdict::Inconclusive(Reason::Misused(what)) = &report.verdict else {
        panic!("{report}");
    };
    assert!(
        what.contains("the UnsafeCell used at") && what.contains("changed in an earlier execution"),
        "{what}"
    );
}

#[test]
fn a_cell_without_get_is_not_among_the_unseen() {
    let report = explore(|| {
        let cell = UnsafeCell::new(vec![0]);
        // SAFETY: there is only this thread.
        cell.with_mut(|items| unsafe { (*items).push(1) });
        assert_eq!(cell.into_inner(), [0, 1]);
    });
    assert_eq!(report.unchecked_cells, 0);
    assert!(!report.to_string().contains("unseen"), "{report}");
}

#[test]
fn the_pointers_of_std_lead_to_the_value() {
    let mut cell = UnsafeCell::new(1);
    let value: *const i32 = cell.get_mut();
    assert_eq!(cell.get().cast_const(), value);
    assert_eq!(UnsafeCell::raw_get(&raw const cell).cast_const(), value);
    let unsized_cell: &UnsafeCell<[u8]> = &UnsafeCell::new([1, 2]);
    // SAFETY: nobody else has the cell.
    assert_eq!(unsafe { &*unsized_cell.get() }, [1, 2]);
}

#[test]
fn accesses_are_events_but_not_steps() {
    let report = replay(&"-".parse().unwrap(), || {
        let cell = UnsafeCell::new(0).named("cell");
        // SAFETY: there is only this thread.
        unsafe { cell.write(1) };
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
