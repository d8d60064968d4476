//! What std promises of one-time initialisation, under every interleaving of small programs; and
//! that statics are as new in each execution.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicUsize as RealUsize;
use std::sync::{Barrier as RealBarrier, Mutex as RealMutex};

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, LazyLock, Mutex, Once, OnceLock};
use racelab::trace::{Obstacle, ThreadId};
use racelab::{Engine, Explorer, FailureKind, Named, Reason, Report, Verdict, outcome, thread};

use super::{explore, fails, holds, outcomes};

/// Counts as alive while it is there.
struct Alive<'a>(&'a RealUsize);

impl<'a> Alive<'a> {
    fn new(count: &'a RealUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Alive(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn caught(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// Panics without the hook.
fn fail() {
    resume_unwind(Box::new(()));
}

// Once.

#[test]
fn an_initialiser_runs_once_and_is_over_when_anybody_goes_on() {
    holds(|| {
        let (once, begun, ended) = (Once::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    once.call_once(|| {
                        begun.fetch_add(1, SeqCst);
                        ended.fetch_add(1, SeqCst);
                    });
                    assert!(once.is_completed());
                    assert_eq!((begun.load(SeqCst), ended.load(SeqCst)), (1, 1));
                });
            }
        });
    });
}

#[test]
fn it_can_be_seen_before_while_and_after_it_runs() {
    let seen = outcomes(|| {
        let (once, runs) = (Once::new(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                once.call_once(|| {
                    runs.store(true, SeqCst);
                    runs.store(false, SeqCst);
                });
            });
            let running = runs.load(SeqCst);
            outcome((running, once.is_completed()));
        });
    });
    assert_eq!(
        seen,
        [
            "(false, false)",
            "(false, true)",
            "(true, false)",
            "(true, true)"
        ]
    );
}

#[test]
fn a_wait_ends_when_the_initialiser_has() {
    holds(|| {
        let (once, value) = (Once::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| once.call_once(|| value.store(1, SeqCst)));
            once.wait();
            once.wait_force();
            assert_eq!(value.load(SeqCst), 1);
        });
    });
}

#[test]
fn a_panic_poisons_for_the_others_and_can_be_overcome_by_force() {
    let results = outcomes(|| {
        let once = Once::new();
        thread::scope(|scope| {
            scope.spawn(|| assert!(caught(|| once.call_once(fail))));
            let waited = !caught(|| once.wait());
            assert!(!waited, "it never completes");
            assert!(caught(|| once.call_once(|| ())));
            assert!(!once.is_completed());
            once.call_once_force(|state| outcome(state.is_poisoned()));
            once.call_once_force(|_| unreachable!("it is completed"));
            once.wait_force();
            assert!(once.is_completed());
        });
    });
    assert_eq!(results, ["true"]);
}

#[test]
fn an_initialiser_that_needs_itself_is_a_deadlock_that_says_so() {
    let failure = fails(FailureKind::Deadlock, || {
        let config = Once::new().named("config");
        config.call_once(|| config.call_once(|| ()));
    });
    let main = Obstacle::Initialiser(ThreadId::MAIN);
    assert_eq!(failure.blocked[0].obstacle, Some(main));
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("main waits for config, whose initialiser it runs itself"),
        "{why}"
    );
}

#[test]
fn initialisers_that_need_each_other_are_a_deadlock_in_some_interleaving() {
    static A: LazyLock<u32> = LazyLock::new(|| B.get().copied().unwrap_or(0) + 1);
    static B: OnceLock<u32> = OnceLock::new();
    static C: LazyLock<u32> = LazyLock::new(|| *B.get_or_init(|| *C));

    holds(|| {
        let other = thread::spawn(|| *A);
        B.set(1).unwrap();
        assert!((1..=2).contains(&*A));
        other.join().unwrap();
    });
    let failure = fails(FailureKind::Deadlock, || {
        let other = thread::spawn(|| *C);
        B.get_or_init(|| *C);
        other.join().unwrap();
    });
    let why = failure.why.expect("there is a reason");
    assert!(why.contains("whose initialiser"), "{why}");
}

#[test]
fn a_wait_for_what_nobody_initialises_is_a_deadlock() {
    let failure = fails(FailureKind::Deadlock, || {
        let config = OnceLock::<u32>::new().named("config");
        config.wait();
    });
    assert_eq!(failure.blocked[0].obstacle, None);
    let why = failure.why.expect("there is a reason");
    assert!(why.contains("waits for config to be initialised"), "{why}");
}

// OnceLock.

#[test]
fn one_of_two_values_wins_and_the_other_comes_back() {
    let winners = outcomes(|| {
        let lock = Arc::new(OnceLock::new());
        let other = Arc::clone(&lock);
        let other = thread::spawn(move || other.set("T1".to_owned()));
        let own = lock.set("main".to_owned());
        let other = other.join().unwrap();
        assert_ne!(own.is_ok(), other.is_ok());
        assert_eq!(own.or(other), Ok(()));
        outcome(lock.get().unwrap());
    });
    assert_eq!(winners, [r#""T1""#, r#""main""#]);
}

#[test]
fn two_initialisers_make_one_value_that_all_see() {
    holds(|| {
        let (lock, runs) = (OnceLock::new(), AtomicUsize::new(0));
        let make = || runs.fetch_add(1, SeqCst);
        thread::scope(|scope| {
            let other = scope.spawn(|| std::ptr::from_ref(lock.get_or_init(make)).addr());
            let own = std::ptr::from_ref(lock.get_or_init(make)).addr();
            assert_eq!(own, other.join().unwrap());
        });
        assert_eq!((lock.into_inner(), runs.into_inner()), (Some(0), 1));
    });
}

#[test]
fn a_value_is_seen_when_it_is_set_and_not_while_it_is_made() {
    let seen = outcomes(|| {
        let (lock, flag) = (OnceLock::new(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                lock.get_or_init(|| {
                    flag.store(true, SeqCst);
                    5
                });
            });
            let value = lock.get();
            assert!(value.is_none() || flag.load(SeqCst));
            assert_eq!(*lock.wait(), 5);
            outcome(value);
        });
    });
    assert_eq!(seen, ["None", "Some(5)"]);
}

#[test]
fn after_a_panic_the_next_initialiser_tries_again() {
    let values = outcomes(|| {
        let lock = OnceLock::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                caught(|| {
                    lock.get_or_init(|| {
                        fail();
                        1
                    });
                });
            });
            outcome(lock.get_or_init(|| 2));
        });
    });
    assert_eq!(values, ["2"]);
}

#[test]
fn a_value_moves_with_its_lock_and_another_lock_at_its_place_has_none() {
    let body = || {
        let mut place = OnceLock::new();
        place.set(7).unwrap();
        let mut moved = Box::new(std::mem::take(&mut place));
        assert_eq!(moved.get(), Some(&7));
        assert_eq!(place.get(), None);
        place.set(8).unwrap();
        std::mem::swap(&mut place, &mut *moved);
        assert_eq!((place.get(), moved.get()), (Some(&7), Some(&8)));
        // The same place again and again.
        for round in 0..3 {
            let lock = OnceLock::new();
            assert_eq!(lock.get(), None);
            assert_eq!(*lock.get_or_init(|| round), round);
        }
        let copy = OnceLock::clone(&moved);
        assert_eq!(copy, *moved);
        assert_eq!((copy.into_inner(), moved.take()), (Some(8), Some(8)));
        assert_eq!(moved.get_mut(), None);
        *place.get_mut().unwrap() += 1;
        assert_eq!(OnceLock::from(8), place);
    };
    body();
    holds(body);
}

#[test]
fn each_value_is_dropped_once() {
    static LIVE: RealUsize = RealUsize::new(0);
    let body = || {
        let lock = OnceLock::new();
        assert!(lock.set(Alive::new(&LIVE)).is_ok());
        drop(lock.set(Alive::new(&LIVE)));
        assert_eq!(LIVE.load(SeqCst), 1);
        let mut moved = Some(lock);
        drop(moved.take());
        assert_eq!(LIVE.load(SeqCst), 0);
        let mut lock = OnceLock::from(Alive::new(&LIVE));
        assert!(lock.take().is_some());
        assert!(lock.set(Alive::new(&LIVE)).is_ok());
        let value = lock.into_inner();
        assert_eq!(LIVE.load(SeqCst), 1);
        drop(value);
        let lazy = LazyLock::new(|| Alive::new(&LIVE));
        LazyLock::force(&lazy);
        drop(lazy);
        assert_eq!(LIVE.load(SeqCst), 0);
    };
    body();
    holds(body);
}

// LazyLock.

#[test]
fn a_lazy_value_is_made_once_by_who_comes_first() {
    let makers = outcomes(|| {
        let (maker, runs) = (Mutex::new(None), AtomicUsize::new(0));
        let lazy = LazyLock::new(|| {
            *maker.lock().unwrap() = Some(thread::current().id());
            runs.fetch_add(1, SeqCst)
        });
        let main = thread::current().id();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(*lazy, 0));
            assert_eq!(*lazy, 0);
        });
        assert_eq!(runs.load(SeqCst), 1);
        let maker = *maker.lock().unwrap();
        outcome(maker == Some(main));
    });
    assert_eq!(makers, ["false", "true"]);
}

#[test]
fn a_lazy_value_is_poisoned_for_ever_by_a_panic() {
    let body = || {
        let runs = RealUsize::new(0);
        let mut lazy = LazyLock::new(|| {
            runs.fetch_add(1, SeqCst);
            fail();
        });
        for _ in 0..2 {
            assert!(caught(|| {
                LazyLock::force(&lazy);
            }));
        }
        assert!(LazyLock::get(&lazy).is_none());
        assert!(LazyLock::get_mut(&mut lazy).is_none());
        assert_eq!(runs.load(SeqCst), 1);
    };
    // Outside, std's message is printed.
    holds(body);
}

#[test]
fn a_lazy_value_can_be_changed_by_who_owns_it() {
    let body = || {
        let mut lazy: LazyLock<Vec<u8>> = LazyLock::new(|| vec![1]);
        assert!(LazyLock::get(&lazy).is_none());
        lazy.push(2);
        LazyLock::force_mut(&mut lazy).push(3);
        LazyLock::get_mut(&mut lazy).unwrap().push(4);
        assert_eq!(LazyLock::get(&lazy), Some(&vec![1, 2, 3, 4]));
        assert_eq!(*LazyLock::<u8>::default(), 0);
    };
    body();
    holds(body);
}

#[test]
fn an_initialiser_that_can_run_only_once_is_a_misuse_in_the_second_execution() {
    let words = vec!["a".to_owned()];
    let lazy = LazyLock::new(move || words);
    let report = explore(move || {
        let other = thread::spawn(thread::yield_now);
        assert_eq!(lazy.len(), 1);
        other.join().unwrap();
    });
    match report.verdict {
        Verdict::Inconclusive(Reason::Misused(what)) => {
            assert!(what.contains("can run only once"), "{what}");
            assert!(what.contains(file!()), "{what}");
        }
        other => panic!("not taken for a misuse: {other:?}"),
    }
}

// Statics.

/// Explores, and checks that the two counters of the statics tell of one run in each execution.
fn explored(explorer: &Explorer, runs: &RealUsize, body: fn()) -> Report {
    runs.store(0, SeqCst);
    let report = explorer.explore(body);
    assert_eq!(runs.load(SeqCst) as u64, report.executions, "{report:?}");
    report
}

#[test]
fn statics_are_fresh_in_each_execution_and_never_dropped() {
    static RUNS: RealUsize = RealUsize::new(0);
    static LIVE: RealUsize = RealUsize::new(0);
    static LAZY: LazyLock<Alive<'static>> = LazyLock::new(|| {
        RUNS.fetch_add(1, SeqCst);
        Alive::new(&LIVE)
    });
    static LOCK: OnceLock<&Alive<'static>> = OnceLock::new();
    static ONCE: Once = Once::new();

    for past_failures in [false, true] {
        let explorer = Explorer::new(Engine::Dfs);
        let explorer = if past_failures {
            explorer.past_failures()
        } else {
            explorer
        };
        let report = explored(&explorer, &RUNS, || {
            assert!(!ONCE.is_completed());
            assert!(LOCK.get().is_none());
            let other = thread::spawn(|| {
                LOCK.get_or_init(|| &*LAZY);
                ONCE.call_once(|| ());
            });
            assert_eq!(LAZY.0.load(SeqCst), LIVE.load(SeqCst));
            ONCE.call_once(|| ());
            other.join().unwrap();
            assert!(std::ptr::eq(*LOCK.get().unwrap(), &raw const *LAZY));
        });
        assert!(matches!(report.verdict, Verdict::Holds), "{report:?}");
        assert!(report.executions > 1, "{report:?}");
        let live = LIVE.swap(0, SeqCst);
        assert_eq!(live as u64, report.executions, "as std's, they live on");
    }
}

#[test]
fn a_reference_to_what_a_static_holds_is_good_after_the_execution() {
    static LAZY: LazyLock<Vec<u32>> = LazyLock::new(|| vec![1, 2, 3]);
    static LOCK: OnceLock<Vec<u32>> = OnceLock::new();
    static KEPT: RealMutex<Vec<&'static Vec<u32>>> = RealMutex::new(Vec::new());

    holds(|| {
        let lazy: &'static Vec<u32> = &LAZY;
        let lock: &'static Vec<u32> = LOCK.get_or_init(|| vec![4, 5, 6]);
        KEPT.lock().unwrap().extend([lazy, lock]);
    });
    let kept = std::mem::take(&mut *KEPT.lock().unwrap());
    assert_eq!(kept, [&vec![1, 2, 3], &vec![4, 5, 6]]);
}

#[test]
fn a_lock_that_is_forgotten_does_not_drop_what_it_borrows() {
    struct Looks<'a>(&'a [u32]);
    impl Drop for Looks<'_> {
        fn drop(&mut self) {
            assert_eq!(self.0, [1, 2, 3], "what it borrows is there");
        }
    }
    holds(|| {
        let borrowed = vec![1, 2, 3];
        let lock = OnceLock::new();
        assert!(lock.set(Looks(&borrowed)).is_ok());
        std::mem::forget(lock);
    });
}

#[test]
fn a_static_is_another_one_outside() {
    static LOCK: OnceLock<u32> = OnceLock::new();
    static LAZY: LazyLock<RealUsize> = LazyLock::new(|| RealUsize::new(0));

    holds(|| {
        LOCK.set(1).unwrap();
        LAZY.fetch_add(1, SeqCst);
    });
    assert_eq!(LOCK.get(), None);
    LOCK.set(2).unwrap();
    assert_eq!(LAZY.load(SeqCst), 0);
    holds(|| {
        assert_eq!(LOCK.get(), None);
        assert_eq!(LAZY.fetch_add(5, SeqCst), 0);
    });
    assert_eq!((LOCK.get(), LAZY.load(SeqCst)), (Some(&2), 0));
}

#[test]
fn explorations_at_the_same_time_do_not_share_a_static() {
    static LOCK: OnceLock<usize> = OnceLock::new();
    let together = Arc::new(RealBarrier::new(2));
    let threads = [0, 1].map(|number| {
        let together = Arc::clone(&together);
        std::thread::spawn(move || {
            together.wait();
            for _ in 0..20 {
                holds(move || {
                    let other = thread::spawn(move || *LOCK.get_or_init(|| number));
                    assert_eq!(*LOCK.get_or_init(|| number), number);
                    assert_eq!(other.join().unwrap(), number);
                });
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn an_initialiser_that_is_unwound_with_its_execution_leaves_nothing() {
    static LIVE: RealUsize = RealUsize::new(0);
    static LAZY: LazyLock<Alive<'static>> = LazyLock::new(|| {
        let value = Alive::new(&LIVE);
        thread::park();
        value
    });
    /// Looks at the lazy value when it is dropped.
    struct Looks;
    impl Drop for Looks {
        fn drop(&mut self) {
            LazyLock::get(&LAZY);
        }
    }
    fails(FailureKind::Deadlock, || {
        let _looks = Looks;
        let other = thread::spawn(|| {
            let _looks = Looks;
            LAZY.0.load(SeqCst)
        });
        assert_eq!(LAZY.0.load(SeqCst), 1);
        other.join().unwrap();
    });
    assert_eq!(LIVE.load(SeqCst), 0);
}

#[test]
fn a_thread_that_looks_again_and_again_spins() {
    holds(|| {
        let ready = Arc::new(OnceLock::new());
        let other = Arc::clone(&ready);
        let thread = thread::spawn(move || other.set(3).unwrap());
        while ready.get().is_none() {
            thread::yield_now();
        }
        thread.join().unwrap();
    });
    fails(FailureKind::Livelock, || {
        let ready = OnceLock::<u32>::new();
        let other = Once::new();
        other.call_once(|| ());
        while ready.get().is_none() && other.is_completed() {
            thread::yield_now();
        }
    });
}
