//! Objects that are declared as statics, or made by `const` functions, as they are without the lab.
//!
//! With the feature `loom`, constructors are not `const`, so that these tests need a build without.
#![cfg(not(feature = "loom"))]
#![expect(
    unsafe_code,
    reason = "cells, zeroed memory and pointers to values are what is tested"
)]

use std::sync::atomic::AtomicU32 as RealAtomicU32;

use racelab::cell::UnsafeCell;
use racelab::parking_lot;
use racelab::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicUsize,
    Ordering::{self, SeqCst},
};
use racelab::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock};
use racelab::{Engine, Explorer, FailureKind, Reason, Report, Verdict, thread};

fn explore(body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(Engine::Dpor).explore(body)
}

fn holds(executions: u64, body: impl Fn() + Send + Sync + 'static) {
    let report = explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.executions, executions, "{report}");
    assert_eq!(report.blocked, 0, "{report}");
}

/// A type of a user's with a `const` constructor.
struct Gate {
    is_open: AtomicBool,
    passed: AtomicUsize,
    waiting: Mutex<()>,
    opened: Condvar,
}

impl Gate {
    const fn new() -> Self {
        Gate {
            is_open: AtomicBool::new(false),
            passed: AtomicUsize::new(0),
            waiting: Mutex::new(()),
            opened: Condvar::new(),
        }
    }

    fn open(&self) {
        let _waiting = self.waiting.lock().unwrap();
        self.is_open.store(true, SeqCst);
        self.opened.notify_all();
    }

    fn pass(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        while !self.is_open.load(SeqCst) {
            waiting = self.opened.wait(waiting).unwrap();
        }
        drop(waiting);
        self.passed.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_static_atomic_begins_each_execution_with_its_value() {
    static N: AtomicUsize = AtomicUsize::new(3);

    // As many as with an atomic that is made in the closure.
    holds(2, || {
        let other = thread::spawn(|| N.fetch_add(1, SeqCst));
        N.fetch_add(1, SeqCst);
        other.join().unwrap();
        assert_eq!(N.load(SeqCst), 5);
    });
    assert_eq!(N.load(SeqCst), 3);
}

#[test]
fn a_static_of_a_users_type_is_explored_as_one_that_is_made_inside() {
    static GATE: Gate = Gate::new();

    fn pass(gate: &'static Gate) {
        let other = thread::spawn(|| gate.pass());
        gate.open();
        gate.pass();
        other.join().unwrap();
        assert_eq!(gate.passed.load(SeqCst), 2);
    }
    let inside = explore(|| pass(Box::leak(Box::new(Gate::new()))));
    assert!(matches!(inside.verdict, Verdict::Holds), "{inside}");
    holds(inside.executions, || pass(&GATE));
}

#[test]
fn a_static_barrier_is_as_new_in_each_execution() {
    static BARRIER: Barrier = Barrier::new(2);

    fn meet(barrier: &'static Barrier) {
        let other = thread::spawn(|| barrier.wait().is_leader());
        assert_ne!(barrier.wait().is_leader(), other.join().unwrap());
    }
    let inside = explore(|| meet(Box::leak(Box::new(Barrier::new(2)))));
    assert!(matches!(inside.verdict, Verdict::Holds), "{inside}");
    holds(inside.executions, || meet(&BARRIER));
}

/// Threads that use an object each do nothing together.
fn apart(use_it: fn()) {
    for threads in 1..=3 {
        holds(1, move || {
            let threads: Vec<_> = (0..threads).map(|_| thread::spawn(use_it)).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn threads_with_an_object_each_have_one_execution() {
    apart(|| {
        let n = AtomicUsize::new(0);
        n.store(1, SeqCst);
        assert_eq!(n.fetch_add(1, SeqCst), 1);
    });
    apart(|| *Mutex::new(1).lock().unwrap() += 1);
    apart(|| *parking_lot::Mutex::new(1).lock() += 1);
    apart(|| {
        let lock = parking_lot::RwLock::new(1);
        lock.upgradable_read().with_upgraded(|value| *value += 1);
        assert_eq!(*lock.read(), 2);
    });
    apart(|| assert!(!parking_lot::Condvar::new().notify_one()));
    apart(|| parking_lot::Once::new().call_once(|| ()));
    apart(|| {
        let lock = RwLock::new(1);
        assert_eq!(*lock.read().unwrap(), 1);
        *lock.write().unwrap() += 1;
    });
    apart(|| Condvar::new().notify_all());
    apart(|| assert!(Barrier::new(1).wait().is_leader()));
    apart(|| Once::new().call_once(|| ()));
    apart(|| assert_eq!(OnceLock::new().set(1), Ok(())));
    apart(|| {
        let cell = UnsafeCell::new(1);
        // SAFETY: only this thread has the cell.
        cell.with_mut(|value| unsafe { *value += 1 });
    });
}

#[test]
fn statics_of_parking_lot_are_explored_as_what_is_made_inside() {
    static COUNT: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    static TABLE: parking_lot::RwLock<u32> = parking_lot::const_rwlock(7);
    static CHANGED: parking_lot::Condvar = parking_lot::Condvar::new();
    static START: parking_lot::Once = parking_lot::Once::new();

    // Who takes the mutex first, and who reads: the rest is independent.
    holds(2, || {
        let other = thread::spawn(|| {
            drop(COUNT.lock());
            assert_eq!(*TABLE.read(), 7);
        });
        drop(COUNT.lock());
        assert_eq!(*TABLE.upgradable_read(), 7);
        other.join().unwrap();
        assert_eq!(CHANGED.notify_all(), 0);
        START.call_once(|| ());
    });
    let report = explore(|| {
        let other = thread::spawn(|| *TABLE.write() += 1);
        drop(TABLE.read());
        other.join().unwrap();
    });
    assert!(
        matches!(report.verdict, Verdict::Inconclusive(Reason::Misused(_))),
        "{report}"
    );
}

#[test]
fn objects_that_threads_meet_in_any_order_are_told_apart() {
    // Which of the two is used first, and by whom, differs from execution to execution.
    holds(4, || {
        let pair = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            other.0.store(1, SeqCst);
            other.1.store(1, SeqCst);
        });
        pair.0.store(2, SeqCst);
        pair.1.store(2, SeqCst);
        thread.join().unwrap();
    });
}

#[test]
fn the_reduction_loses_no_outcome_over_statics() {
    static PAIR: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));

    fn body() {
        let threads = [0, 1].map(|own| {
            thread::spawn(move || {
                let (mine, other) = if own == 0 {
                    (&PAIR.0, &PAIR.1)
                } else {
                    (&PAIR.1, &PAIR.0)
                };
                let seen = other.load(SeqCst);
                // What is used next depends on what was seen.
                if seen == 0 { mine } else { other }.fetch_add(2, SeqCst);
                mine.load(SeqCst)
            })
        });
        let seen = threads.map(|thread| thread.join().unwrap());
        racelab::outcome((seen, PAIR.0.load(SeqCst), PAIR.1.load(SeqCst)));
    }
    let [reduced, all] = [Engine::Dpor, Engine::Dfs].map(|engine| {
        let report = Explorer::new(engine).explore(body);
        let mut outcomes: Vec<_> = report.outcomes.iter().map(|it| it.value.clone()).collect();
        outcomes.sort_unstable();
        (outcomes, report.traces)
    });
    assert_eq!(reduced, all);
    assert!(reduced.0.len() > 1);
}

#[test]
fn statics_of_the_macro_are_made_anew_in_each_execution() {
    static MADE: RealAtomicU32 = RealAtomicU32::new(0);
    racelab::statics! {
        static LIST: Mutex<Vec<u32>> = {
            MADE.fetch_add(1, SeqCst);
            Mutex::new(Vec::new())
        };
        /// Two in one.
        static OTHER: RwLock<u32> = RwLock::new(7);
    }

    let report = explore(|| {
        let other = thread::spawn(|| LIST.lock().unwrap().push(1));
        LIST.lock().unwrap().push(*OTHER.read().unwrap());
        other.join().unwrap();
        assert_eq!(LIST.lock().unwrap().len(), 2);
        *OTHER.write().unwrap() += 1;
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.executions, 2, "{report}");
    assert_eq!(u64::from(MADE.load(SeqCst)), 2);
    assert!(LIST.lock().unwrap().is_empty());
    assert_eq!(*OTHER.read().unwrap(), 7);
}

#[test]
fn a_static_whose_initialiser_makes_steps_is_one_for_all_threads() {
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    racelab::statics! {
        static LIST: Mutex<Vec<u32>> = {
            STEPS.fetch_add(1, SeqCst);
            Mutex::new(Vec::new())
        };
    }
    let report = explore(|| {
        let other = thread::spawn(|| LIST.lock().unwrap().push(1));
        LIST.lock().unwrap().push(2);
        other.join().unwrap();
        assert_eq!(LIST.lock().unwrap().len(), 2);
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn zeroed_memory_is_an_atomic() {
    let body = || {
        // SAFETY: all-zero memory is a valid atomic, as std's are.
        let n: Box<AtomicUsize> = unsafe { Box::new_zeroed().assume_init() };
        n.store(1, SeqCst);
        assert_eq!(n.load(SeqCst), 1);
        // SAFETY: as above.
        let p: Box<AtomicPtr<u8>> = unsafe { Box::new_zeroed().assume_init() };
        assert!(p.load(SeqCst).is_null());
    };
    body();
    holds(1, body);
}

#[test]
fn what_is_written_past_the_lab_is_taken_back_by_the_next_step() {
    holds(1, || {
        let mut n = AtomicUsize::new(1);
        n.store(2, SeqCst);
        assert_eq!(*n.get_mut(), 2);
        *n.get_mut() = 3;
        assert_eq!(n.load(SeqCst), 3);
        // SAFETY: no other thread has the atomic.
        unsafe { *n.as_ptr() = 4 };
        assert_eq!(n.fetch_add(1, SeqCst), 4);
        assert_eq!(n.into_inner(), 5);
    });
}

#[test]
fn an_atomic_that_is_used_when_the_execution_is_over_is_a_real_one() {
    struct Adds(Arc<AtomicUsize>);
    impl Drop for Adds {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let n = Arc::new(AtomicUsize::new(0));
    let adds = Adds(Arc::clone(&n));
    holds(1, move || assert_eq!(adds.0.load(SeqCst), 0));
    assert_eq!(n.load(SeqCst), 1);
}

/// A node of a list as crates have it, which a pointer leads to.
struct Node {
    _next: AtomicPtr<Node>,
    value: UnsafeCell<u32>,
}

impl Node {
    const fn new(value: u32) -> Self {
        Node {
            _next: AtomicPtr::new(std::ptr::null_mut()),
            value: UnsafeCell::new(value),
        }
    }
}

/// One thread makes a node and stores the pointer to it, another one loads it and reads the node.
fn hand_over(store: Ordering, load: Ordering) -> Report {
    explore(move || {
        let slot = Arc::new(AtomicPtr::<Node>::default());
        let maker = Arc::clone(&slot);
        let thread = thread::spawn(move || {
            maker.store(Box::into_raw(Box::new(Node::new(7))), store);
        });
        // SAFETY: it is null, or was made from a box that is dropped further below.
        if let Some(node) = unsafe { slot.load(load).as_ref() } {
            // SAFETY: nobody writes it; that nothing orders it after its making is what the lab finds
            // before it takes place.
            assert_eq!(node.value.with(|value| unsafe { *value }), 7);
        }
        thread.join().unwrap();
        // SAFETY: the only other thread has ended.
        drop(unsafe { Box::from_raw(slot.load(SeqCst)) });
    })
}

#[test]
fn what_a_pointer_leads_to_was_made_before_it_was_stored() {
    let ordered = hand_over(Ordering::Release, Ordering::Acquire);
    assert!(matches!(ordered.verdict, Verdict::Holds), "{ordered}");
    for (store, load) in [
        (Ordering::Relaxed, Ordering::Acquire),
        (Ordering::Release, Ordering::Relaxed),
    ] {
        let report = hand_over(store, load);
        let failure = report.failure().expect("the making races with the read");
        assert_eq!(failure.kind, FailureKind::DataRace, "{report}");
    }
}

#[test]
fn memory_that_is_used_again_makes_no_race() {
    // A stack whose nodes are freed: an address that was read without order, and not followed, comes
    // again as a node of the thread's own.
    let report = explore(|| {
        let head = Arc::new(AtomicPtr::<Node>::new(Box::into_raw(Box::new(Node::new(
            1,
        )))));
        let other = Arc::clone(&head);
        let thread = thread::spawn(move || {
            let taken = other.swap(std::ptr::null_mut(), Ordering::AcqRel);
            // SAFETY: who has swapped the pointer out has the box to itself.
            drop(unsafe { Box::from_raw(taken) });
        });
        let _ = head.load(Ordering::Relaxed);
        thread.join().unwrap();
        let own = Box::new(Node::new(2));
        // SAFETY: nobody else has the box.
        own.value.with_mut(|value| unsafe { *value += 1 });
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}
