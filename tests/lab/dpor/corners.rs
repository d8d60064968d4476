//! Small programs at the corners of the model, on which reduction and enumeration agree.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Barrier, Condvar, Mutex, PoisonError, RwLock, TryLockError, mpsc};
use racelab::{Coverage, Explorer, Report, future, thread};

use super::reduction::{enumeration, outcomes, reduced, traces};

/// In an execution no time passes, and any wait with a limit can time out.
const LIMIT: Duration = Duration::from_secs(1);

/// The reports of an enumeration and of a search with reduction.
fn both(body: impl Fn() + Clone + Send + Sync + 'static) -> (Report, Report) {
    let explore = |explorer: Explorer| explorer.past_failures().explore(body.clone());
    (explore(enumeration()), explore(reduced()))
}

/// Asserts that reduction has the outcomes and failures of enumeration, and runs each trace once.
#[track_caller]
fn agree(body: impl Fn() + Clone + Send + Sync + 'static) {
    let explore = |explorer: Explorer| explorer.past_failures().explore(body.clone());
    let (all, report) = both(body.clone());
    assert_eq!(all.coverage, Coverage::Complete, "{all}");
    assert_eq!(report.coverage, Coverage::Complete, "{report}");
    assert_eq!(outcomes(&report), outcomes(&all));
    assert_eq!(report.violations > 0, all.violations > 0);
    if all.violations == 0 {
        assert_eq!(traces(&report), traces(&all));
        assert_eq!((report.executions, report.blocked), (traces(&all), 0));
    }
    for bound in 0..2 {
        let all = explore(enumeration().preemption_bound(bound));
        let report = explore(reduced().preemption_bound(bound));
        assert_eq!(outcomes(&report), outcomes(&all), "bound {bound}");
        assert_eq!(traces(&report), traces(&all), "bound {bound}");
    }
}

#[test]
fn a_writer_comes_before_two_readers_that_meet() {
    agree(|| {
        let lock = RwLock::new(0);
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let value = lock.read().unwrap();
                    barrier.wait();
                    racelab::outcome(*value);
                });
            }
            scope.spawn(|| *lock.write().unwrap() = 1);
        });
    });
}

#[test]
fn a_writer_comes_before_two_readers_that_wait_for_it() {
    agree(|| {
        let lock = RwLock::new(0);
        let (first, second) = (mpsc::channel(), mpsc::channel());
        thread::scope(|scope| {
            for receiver in [first.1, second.1] {
                let lock = &lock;
                scope.spawn(move || {
                    let value = lock.read().unwrap();
                    receiver.recv().unwrap();
                    racelab::outcome(*value);
                });
            }
            scope.spawn(|| {
                *lock.write().unwrap() = 1;
                first.0.send(()).unwrap();
                second.0.send(()).unwrap();
            });
        });
    });
}

#[test]
fn a_writer_comes_before_a_thread_that_reads_while_it_reads() {
    agree(|| {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *lock.write().unwrap() = 1);
            let outer = lock.read().unwrap();
            let inner = lock.read().unwrap();
            racelab::outcome((*outer, *inner));
        });
    });
}

#[test]
fn a_writer_comes_before_a_reader_that_starts_another_one() {
    agree(|| {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *lock.write().unwrap() = 1);
            let outer = lock.read().unwrap();
            let inner = scope.spawn(|| *lock.read().unwrap());
            racelab::outcome((*outer, inner.join().unwrap()));
        });
    });
}

#[test]
fn two_waits_with_a_limit_and_one_notification() {
    agree(|| {
        let pair = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let guard = pair.0.lock().unwrap();
                    let (guard, result) = pair.1.wait_timeout(guard, LIMIT).unwrap();
                    racelab::outcome((*guard, result.timed_out()));
                });
            }
            scope.spawn(|| {
                *pair.0.lock().unwrap() += 1;
                pair.1.notify_one();
            });
        });
    });
}

#[test]
fn a_barrier_is_used_twice() {
    agree(|| {
        let barrier = Barrier::new(2);
        let a = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let one = barrier.wait().is_leader();
                    let seen = a.fetch_add(1, SeqCst);
                    let two = barrier.wait().is_leader();
                    racelab::outcome((one, seen, two));
                });
            }
        });
    });
}

#[test]
fn caught_panics_and_locks_in_destructors() {
    agree(|| {
        struct Counts<'a>(&'a Mutex<usize>);
        impl Drop for Counts<'_> {
            fn drop(&mut self) {
                if let Ok(mut guard) = self.0.try_lock() {
                    *guard += 1;
                }
            }
        }
        let mutex = Mutex::new(0);
        let a = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        let _counts = Counts(&mutex);
                        assert_eq!(a.fetch_add(1, SeqCst), 0, "caught");
                    }));
                    racelab::outcome(caught.is_err());
                });
            }
            scope.spawn(|| {
                let _guard = mutex.lock();
                racelab::outcome(a.load(SeqCst));
            });
        });
        racelab::outcome(*mutex.lock().unwrap_or_else(PoisonError::into_inner));
    });
}

#[test]
fn a_load_that_releases_a_lock_only_if_it_panics_hides_no_attempt_to_lock() {
    for stores_first in [false, true] {
        agree(move || {
            let mutex = Mutex::new(());
            let a = AtomicUsize::new(0);
            let store = || a.store(1, SeqCst);
            thread::scope(|scope| {
                if stores_first {
                    scope.spawn(store);
                }
                scope.spawn(|| {
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        let _guard = mutex.lock();
                        assert_ne!(a.load(SeqCst), 0, "caught");
                    }));
                    racelab::outcome(caught.is_err());
                });
                if !stores_first {
                    scope.spawn(store);
                }
                racelab::outcome(match mutex.try_lock() {
                    Ok(_) => "free",
                    Err(TryLockError::Poisoned(_)) => "poisoned",
                    Err(TryLockError::WouldBlock) => "held",
                });
            });
        });
    }
}

#[test]
fn a_load_that_ends_its_thread_only_if_it_sees_nothing_hides_no_look_at_the_end() {
    for stores_first in [false, true] {
        agree(move || {
            let a = Arc::new(AtomicUsize::new(0));
            let store = || {
                let a = Arc::clone(&a);
                thread::spawn(move || a.store(1, SeqCst))
            };
            let early = stores_first.then(store);
            let theirs = Arc::clone(&a);
            let handle = thread::spawn(move || {
                let other = AtomicUsize::new(0);
                if theirs.load(SeqCst) != 0 {
                    other.load(SeqCst);
                }
            });
            let late = (!stores_first).then(store);
            racelab::outcome(handle.is_finished());
            racelab::outcome(a.load(SeqCst));
            handle.join().unwrap();
            for storing in early.into_iter().chain(late) {
                storing.join().unwrap();
            }
        });
    }
}

#[test]
fn a_rendezvous_with_attempts_and_limits() {
    agree(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        let other = sender.clone();
        let one = thread::spawn(move || racelab::outcome(sender.try_send(1).is_ok()));
        let two = thread::spawn(move || racelab::outcome(other.send(2).is_ok()));
        racelab::outcome(receiver.recv_timeout(LIMIT).ok());
        racelab::outcome(receiver.try_recv().ok());
        drop(receiver);
        one.join().unwrap();
        two.join().unwrap();
    });
}

#[test]
fn a_wait_that_times_out_before_a_notification_can_end_before_another_lock() {
    agree(|| {
        let mutex = Mutex::new(());
        let condvar = Condvar::new();
        thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock().unwrap()));
            scope.spawn(|| {
                let guard = mutex.lock().unwrap();
                drop(condvar.wait_timeout(guard, LIMIT).unwrap());
            });
            scope.spawn(|| condvar.notify_one());
        });
    });
}

#[test]
fn an_exchange_that_fails_where_it_was_planned_to_succeed_hides_no_outcome() {
    // Each of these stands for a thread, and they start in every order.
    let threads: [fn(&AtomicUsize) -> usize; 4] = [
        |atomic| atomic.load(SeqCst),
        |atomic| 10 + atomic.load(SeqCst),
        |atomic| {
            let seen = atomic.compare_exchange(1, 2, SeqCst, SeqCst);
            atomic.store(5, SeqCst);
            20 + seen.unwrap_or_else(|seen| seen)
        },
        |atomic| {
            atomic.store(1, SeqCst);
            30
        },
    ];
    for order in 0..24 {
        let mut left = [0, 1, 2, 3].to_vec();
        let picks = [order / 6, order / 2 % 3, order % 2, 0];
        let order = picks.map(|pick| left.remove(pick));
        // The loads differ in what they are called only.
        if order.iter().position(|&id| id == 0) > order.iter().position(|&id| id == 1) {
            continue;
        }
        let threads = order.map(|id| threads[id]);
        agree(move || {
            let atomic = AtomicUsize::new(0);
            thread::scope(|scope| {
                for run in threads {
                    let atomic = &atomic;
                    scope.spawn(move || racelab::outcome(run(atomic)));
                }
            });
        });
    }
}

// What threads do besides their operations.

/// Notes that it was dropped.
struct Tells(Arc<AtomicUsize>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.store(1, SeqCst);
    }
}

#[test]
fn a_result_is_dropped_by_its_thread_or_with_its_handle() {
    agree(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let (other, theirs) = (AtomicUsize::new(0), Arc::clone(&flag));
        let handle = thread::spawn(move || {
            let other = AtomicUsize::new(0);
            other.load(SeqCst);
            Tells(theirs)
        });
        other.load(SeqCst);
        drop(handle);
        racelab::outcome(flag.load(SeqCst));
    });
}

#[test]
fn scoped_threads_start_threads_of_the_scope() {
    agree(|| {
        let a = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                scope.spawn(|| a.fetch_add(1, SeqCst));
            });
            scope.spawn(|| {
                scope.spawn(|| racelab::outcome(a.fetch_add(2, SeqCst)));
            });
        });
    });
}

#[test]
fn a_scoped_thread_joins_another_one() {
    agree(|| {
        let a = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| a.load(SeqCst));
            let one = scope.spawn(|| a.load(SeqCst));
            scope.spawn(move || one.join().unwrap());
        });
    });
}

#[test]
fn a_loop_that_can_be_left_in_a_window_is_not_said_to_hold() {
    let report = reduced().explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let y = Arc::new(AtomicUsize::new(0));
        let (tx, ty) = (Arc::clone(&x), Arc::clone(&y));
        let spinner = thread::spawn(move || {
            loop {
                for _ in 0..5 {
                    if tx.load(SeqCst) != 0 {
                        return racelab::outcome("x");
                    }
                    thread::yield_now();
                }
                if ty.load(SeqCst) != 0 {
                    return racelab::outcome("y");
                }
            }
        });
        y.store(1, SeqCst);
        y.store(0, SeqCst);
        x.store(1, SeqCst);
        spinner.join().unwrap();
    });
    // A loop of rounds without an end of its own is more than any search follows.
    assert_eq!(report.verdict.name(), "inconclusive", "{report}");
}

// What is lost: limits.md says so. If one of these fails since nothing is lost any more, that page
// has to be mended.

#[test]
fn who_drops_the_last_arc_is_not_seen() {
    let (all, reduced) = both(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let shared = Arc::new(Tells(Arc::clone(&flag)));
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let a = AtomicUsize::new(0);
            a.load(SeqCst);
            drop(theirs);
        });
        let a = AtomicUsize::new(0);
        a.load(SeqCst);
        drop(shared);
        racelab::outcome(flag.load(SeqCst));
        thread.join().unwrap();
    });
    assert_eq!((traces(&all), reduced.executions), (3, 2));
}

#[test]
fn the_order_in_which_numbers_of_threads_are_given_is_not_seen() {
    let (all, reduced) = both(|| {
        let mut handles = Vec::new();
        for _ in 0..2 {
            handles.push(thread::spawn(|| {
                thread::spawn(|| racelab::outcome(format!("{:?}", thread::current().id())));
            }));
        }
    });
    assert_eq!((outcomes(&all).len(), outcomes(&reduced).len()), (3, 1));
}

#[test]
fn a_step_is_not_taken_for_another_one_that_its_thread_does_as_the_third_elsewhere() {
    // The task wakes the other one only if that waits, so that its later steps have two numbers.
    agree(|| {
        let counter = Arc::new(AtomicUsize::new(0));
        let reader = thread::spawn({
            let counter = Arc::clone(&counter);
            move || counter.load(SeqCst)
        });
        let (sender, mut receiver) = future::sync::mpsc::channel::<()>(1);
        future::block_on(async {
            let task = future::spawn(async move {
                drop(sender);
                counter.fetch_add(1, SeqCst);
            });
            receiver.recv().await;
            task.await.unwrap();
        });
        reader.join().unwrap();
    });
}

/// How often a search with reduction runs the body, and its report.
fn runs(body: impl Fn() + Send + Sync + 'static) -> (u64, Report) {
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&runs);
    let report = reduced().explore(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        body();
    });
    (runs.load(std::sync::atomic::Ordering::Relaxed), report)
}

#[test]
fn a_step_that_ends_its_thread_in_some_places_only_is_no_reason_to_search_again() {
    let ends_early = || {
        let (mutex, n) = (Arc::new(Mutex::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads = [(); 2].map(|()| {
            let (mutex, n) = (Arc::clone(&mutex), Arc::clone(&n));
            thread::spawn(move || {
                if mutex.try_lock().is_ok() {
                    n.fetch_add(1, SeqCst);
                }
                vec![0; 1]
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    };
    let awaits = || {
        let n = Arc::new(AtomicUsize::new(0));
        let reader = thread::spawn({
            let n = Arc::clone(&n);
            move || n.load(SeqCst)
        });
        let (sender, mut receiver) = future::sync::mpsc::channel::<()>(1);
        future::block_on(async {
            let task = future::spawn(async move {
                drop(sender);
                n.fetch_add(1, SeqCst);
            });
            receiver.recv().await;
            task.await.unwrap();
        });
        reader.join().unwrap();
    };
    let notifies = || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let others = [(); 2].map(|()| {
            let pair = Arc::clone(&pair);
            thread::spawn(move || {
                *pair.0.lock().unwrap() = true;
                pair.1.notify_one();
            })
        });
        let held = pair.0.lock().unwrap();
        drop(pair.1.wait_while(held, |is_done| !*is_done).unwrap());
        for other in others {
            other.join().unwrap();
        }
    };
    for body in [ends_early as fn(), awaits, notifies] {
        let (runs, report) = runs(body);
        assert_eq!(runs, report.executions, "{report}");
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
    }
}

#[test]
fn a_look_at_the_end_of_a_thread_sees_it_before_and_after_whatever_ends_it() {
    agree(|| {
        let mutex = Arc::new(Mutex::new(0));
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let (mutex, n) = (Arc::clone(&mutex), Arc::clone(&n));
            move || {
                if mutex.try_lock().is_err() {
                    n.fetch_add(1, SeqCst);
                }
            }
        });
        let held = mutex.lock().unwrap();
        let was_finished = other.is_finished();
        drop(held);
        let seen = (was_finished, n.load(SeqCst), other.is_finished());
        racelab::outcome(seen);
        other.join().unwrap();
    });
}

#[test]
fn a_result_that_two_threads_let_go_of_is_dropped_by_either() {
    agree(|| {
        struct Noted(Arc<AtomicUsize>, usize);
        impl Drop for Noted {
            fn drop(&mut self) {
                self.0.store(self.1, SeqCst);
            }
        }
        let (mutex, n) = (Arc::new(Mutex::new(0)), Arc::new(AtomicUsize::new(0)));
        let other = thread::spawn({
            let (mutex, n) = (Arc::clone(&mutex), Arc::clone(&n));
            move || {
                if mutex.try_lock().is_err() {
                    n.fetch_add(1, SeqCst);
                }
                Noted(n, 7)
            }
        });
        let held = mutex.lock().unwrap();
        drop(other);
        drop(held);
        racelab::outcome(n.load(SeqCst));
    });
}
