//! Each modelled thread has its own thread-local values, and they end with it.

use std::cell::{Cell, RefCell};
use std::sync::atomic::AtomicUsize as RealUsize;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::{FailureKind, outcome, thread};

use super::{explore, fails, holds, outcomes};

racelab::thread_local! {
    /// Has an initialiser that is evaluated once, for all threads.
    static DEPTH: Cell<u32> = const { Cell::new(1) };
    pub(crate) static NAMES: RefCell<Vec<String>> = RefCell::new(vec!["first".to_owned()]);
}

#[test]
fn each_thread_has_its_own_value() {
    holds(|| {
        DEPTH.set(5);
        NAMES.with_borrow_mut(|names| names.push("main".to_owned()));
        let other = thread::spawn(|| {
            NAMES.with_borrow_mut(|names| names.push("other".to_owned()));
            DEPTH.set(DEPTH.get() + 1);
            thread::yield_now();
            (DEPTH.get(), NAMES.take())
        });
        let (depth, names) = other.join().unwrap();
        assert_eq!((depth, DEPTH.get()), (2, 5));
        assert_eq!(names, ["first", "other"]);
        assert_eq!(NAMES.take(), ["first", "main"]);
    });
}

#[test]
fn the_values_of_an_execution_are_not_those_outside() {
    DEPTH.set(9);
    holds(|| {
        assert_eq!(DEPTH.replace(3), 1);
        assert_eq!(NAMES.with_borrow(Vec::len), 1);
        NAMES.set(Vec::new());
    });
    assert_eq!(DEPTH.get(), 9);
    assert_eq!(std::thread::spawn(|| DEPTH.get()).join().unwrap(), 1);
}

/// Notes in a shared list when it is dropped.
struct Notes(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Drop for Notes {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

racelab::thread_local! {
    static FIRST: RefCell<Option<Notes>> = const { RefCell::new(None) };
    static SECOND: RefCell<Option<Notes>> = const { RefCell::new(None) };
}

#[test]
fn values_are_dropped_on_their_thread_before_it_has_finished() {
    let orders = outcomes(|| {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let other = thread::spawn({
            let notes = Arc::clone(&notes);
            move || {
                FIRST.set(Some(Notes(Arc::clone(&notes), "first")));
                SECOND.set(Some(Notes(Arc::clone(&notes), "second")));
                notes.lock().unwrap().push("end");
            }
        });
        notes.lock().unwrap().push("main");
        other.join().unwrap();
        let notes = notes.lock().unwrap();
        let other: Vec<_> = notes.iter().filter(|note| **note != "main").collect();
        assert_eq!(other, [&"end", &"second", &"first"]);
        // That the destructors lock is a step, as it is anywhere else.
        outcome(notes.iter().position(|note| *note == "main").unwrap());
    });
    assert_eq!(orders, ["0", "1", "2", "3"]);
}

#[test]
fn nothing_is_left_of_the_values_of_any_thread() {
    struct Alive;
    static LIVE: RealUsize = RealUsize::new(0);
    impl Drop for Alive {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, SeqCst);
        }
    }
    racelab::thread_local! {
        static ALIVE: Alive = {
            LIVE.fetch_add(1, SeqCst);
            Alive
        };
    }
    holds(|| {
        let other = thread::spawn(|| ALIVE.with(|_| LIVE.load(SeqCst)));
        assert!(ALIVE.with(|_| LIVE.load(SeqCst)) > 0);
        assert!(other.join().unwrap() > 0);
        assert_eq!(LIVE.load(SeqCst), 1);
    });
    assert_eq!(LIVE.load(SeqCst), 0);
    fails(FailureKind::Deadlock, || {
        let other = thread::spawn(|| {
            ALIVE.with(|_| ());
            thread::park();
        });
        ALIVE.with(|_| ());
        other.join().unwrap();
    });
    assert_eq!(LIVE.load(SeqCst), 0);
}

#[test]
fn a_value_that_is_destroyed_cannot_be_reached_and_others_can() {
    struct Asks;
    static ANSWERS: RealUsize = RealUsize::new(0);
    impl Drop for Asks {
        fn drop(&mut self) {
            // Itself, and one that was destroyed before.
            let is_gone = ASKS.try_with(|_| ()).is_err() && LATER.try_with(|_| ()).is_err();
            // One that has no destructor, and one that was not there yet.
            let is_there = DEPTH.try_with(Cell::get).is_ok() && NEW.try_with(|_| ()).is_ok();
            ANSWERS.fetch_add(usize::from(is_gone && is_there), SeqCst);
        }
    }
    racelab::thread_local! {
        static ASKS: Asks = const { Asks };
        static LATER: String = "later".to_owned();
        static NEW: Vec<u32> = vec![1];
    }
    let ask = || {
        DEPTH.set(2);
        ASKS.with(|_| ());
        LATER.with(|_| ());
    };
    let report = explore(move || thread::spawn(ask).join().unwrap());
    assert_eq!(ANSWERS.load(SeqCst) as u64, report.executions);
    // The real one agrees.
    std::thread::spawn(ask).join().unwrap();
    assert_eq!(ANSWERS.load(SeqCst) as u64, report.executions + 1);
    assert_eq!(
        thread::AccessError::to_string(&fails_to_reach()),
        "already destroyed"
    );
}

/// The error of a value that was destroyed.
fn fails_to_reach() -> thread::AccessError {
    struct Asks;
    static ERROR: std::sync::Mutex<Option<thread::AccessError>> = std::sync::Mutex::new(None);
    impl Drop for Asks {
        fn drop(&mut self) {
            *ERROR.lock().unwrap() = ASKS.try_with(|_| ()).err();
        }
    }
    racelab::thread_local!(static ASKS: Asks = const { Asks });
    holds(|| ASKS.with(|_| ()));
    ERROR.lock().unwrap().take().expect("it was destroyed")
}

#[test]
fn a_panic_in_a_destructor_is_the_failure() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    racelab::thread_local!(static PANICS: Panics = const { Panics });
    let failure = fails(FailureKind::Panic, || {
        thread::spawn(|| PANICS.with(|_| ())).join().unwrap();
    });
    assert_eq!(failure.message, "in a destructor");
}

#[test]
fn an_initialiser_can_take_steps_and_use_other_values() {
    static MADE: RealUsize = RealUsize::new(0);
    racelab::thread_local! {
        static NUMBER: usize = {
            DEPTH.set(DEPTH.get() + 1);
            thread::yield_now();
            MADE.fetch_add(1, SeqCst)
        };
    }
    holds(|| {
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    assert_eq!(NUMBER.with(|number| *number), NUMBER.with(|number| *number));
                    assert_eq!(DEPTH.get(), 2);
                    count.fetch_add(1, SeqCst);
                });
            }
        });
        assert_eq!(count.into_inner(), 2);
    });
    assert_eq!(MADE.load(SeqCst) % 2, 0);
}

#[test]
fn a_body_is_told_of_two_processors_everywhere() {
    holds(|| assert_eq!(thread::available_parallelism().unwrap().get(), 2));
    assert_eq!(
        thread::available_parallelism().unwrap(),
        std::thread::available_parallelism().unwrap()
    );
}
