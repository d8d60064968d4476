//! Programs whose numbers of traces are known, from the expected counts of `GenMC`'s test suite under
//! sequential consistency and from brute force.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::mem;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::{outcome, thread};

use super::reduction::{expect_each_trace_once, outcomes, reduced};

/// What a thread does.
type Thread = Box<dyn FnOnce() -> usize + Send>;

/// A program of which something is known.
struct Row {
    name: String,
    body: Box<dyn Fn() + Send + Sync>,
    traces: u64,
    /// The outcomes, if they are known as well.
    outcomes: Option<BTreeSet<String>>,
}

impl Row {
    fn new(name: String, traces: u64, body: impl Fn() + Send + Sync + 'static) -> Self {
        Row {
            name,
            body: Box::new(body),
            traces,
            outcomes: None,
        }
    }

    fn with_outcomes<T: Debug>(self, outcomes: impl IntoIterator<Item = T>) -> Self {
        let outcomes = outcomes.into_iter().map(|value| format!("{value:?}"));
        Row {
            outcomes: Some(outcomes.collect()),
            ..self
        }
    }

    #[track_caller]
    fn check(self) {
        let report = reduced().past_failures().explore(self.body);
        expect_each_trace_once(&report, self.traces, &self.name);
        if let Some(expected) = self.outcomes {
            let seen: BTreeSet<_> = outcomes(&report).into_iter().map(str::to_owned).collect();
            assert_eq!(seen, expected, "outcomes of {}", self.name);
        }
    }
}

/// Runs threads, joins them in their order, and returns what they return.
fn join_all(threads: impl IntoIterator<Item = Thread>) -> Vec<usize> {
    let handles: Vec<_> = threads.into_iter().map(thread::spawn).collect();
    let results = handles.into_iter().map(|handle| handle.join().unwrap());
    results.collect()
}

fn shared(value: usize) -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(value))
}

/// The operations of a thread on some atomics.
fn on(
    atomics: &[Arc<AtomicUsize>],
    ops: impl FnOnce(&[Arc<AtomicUsize>]) -> usize + Send + 'static,
) -> Thread {
    let atomics = atomics.to_vec();
    Box::new(move || ops(&atomics))
}

fn store(atomic: &AtomicUsize, value: usize) {
    atomic.store(value, SeqCst);
}

fn load(atomic: &AtomicUsize) -> usize {
    atomic.load(SeqCst)
}

fn factorial(n: usize) -> u64 {
    (1..=n as u64).product()
}

// The counters.

/// `threads` threads that load and store one more, `times` times. The outcome is the count.
pub(crate) fn counter(threads: usize, times: usize) -> impl Fn() + Send + Sync + 'static {
    move || {
        let n = shared(0);
        join_all((0..threads).map(|_| {
            on(&[Arc::clone(&n)], move |n| {
                (0..times).for_each(|_| store(&n[0], load(&n[0]) + 1));
                0
            })
        }));
        outcome(load(&n));
    }
}

/// Every count from the least to that of all increments can be the end, and no other.
fn racy_counter(threads: usize, times: usize, traces: u64) -> Row {
    let least = times.min(2);
    Row::new(
        format!("counter({threads},{times})"),
        traces,
        counter(threads, times),
    )
    .with_outcomes(least..=threads * times)
}

#[test]
fn a_racy_counter_of_two_threads_has_its_traces_and_counts() {
    for (times, traces) in [(1, 4), (2, 34), (3, 328), (4, 3_334)] {
        racy_counter(2, times, traces).check();
    }
}

#[test]
fn a_racy_counter_of_more_threads_has_its_traces_and_counts() {
    for (threads, times, traces) in [(3, 1, 36), (4, 1, 576), (3, 2, 7_134)] {
        racy_counter(threads, times, traces).check();
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn a_racy_counter_of_three_threads_three_times_has_its_traces_and_counts() {
    racy_counter(3, 3, 1_824_912).check();
}

/// Sizes of the counters that lose nothing. The order of the increments is all that differs.
const SIZES: [(usize, usize, u64); 6] = [
    (2, 1, 2),
    (2, 2, 6),
    (2, 3, 20),
    (3, 1, 6),
    (3, 2, 90),
    (4, 1, 24),
];

#[test]
fn the_sizes_of_the_safe_counters_follow_the_closed_form() {
    for (threads, times, traces) in SIZES {
        let each = factorial(times).pow(u32::try_from(threads).unwrap());
        assert_eq!(traces, factorial(threads * times) / each);
    }
}

#[test]
fn a_counter_with_fetch_add_has_a_trace_for_each_order_of_its_increments() {
    for (threads, times, traces) in SIZES {
        let name = format!("fetch_add({threads},{times})");
        let body = move || {
            let n = shared(0);
            join_all((0..threads).map(|_| {
                on(&[Arc::clone(&n)], move |n| {
                    (0..times).for_each(|_| {
                        n[0].fetch_add(1, SeqCst);
                    });
                    0
                })
            }));
            outcome(load(&n));
        };
        let row = Row::new(name, traces, body);
        row.with_outcomes([threads * times]).check();
    }
}

#[test]
fn a_counter_with_a_mutex_has_a_trace_for_each_order_of_its_increments() {
    for (threads, times, traces) in SIZES {
        let body = move || {
            let n = Arc::new(Mutex::new(0));
            join_all((0..threads).map(|_| -> Thread {
                let n = Arc::clone(&n);
                Box::new(move || {
                    (0..times).for_each(|_| *n.lock().unwrap() += 1);
                    0
                })
            }));
            outcome(*n.lock().unwrap());
        };
        let row = Row::new(format!("mutex({threads},{times})"), traces, body);
        row.with_outcomes([threads * times]).check();
    }
}

// Atomics.

#[test]
fn readers_of_one_writer_see_either_value_each() {
    for (readers, traces) in [(1, 2), (2, 4), (3, 8), (8, 256)] {
        let body = move || {
            let x = shared(0);
            let writer = on(&[Arc::clone(&x)], |x| {
                store(&x[0], 1);
                0
            });
            let readers = (0..readers).map(|_| on(&[Arc::clone(&x)], |x| load(&x[0])));
            let seen = join_all([writer].into_iter().chain(readers));
            outcome(&seen[1..]);
        };
        let each: Vec<Vec<usize>> = (0..1usize << readers)
            .map(|bits| (0..readers).map(|reader| bits >> reader & 1).collect())
            .collect();
        assert_eq!(traces, each.len() as u64);
        let row = Row::new(format!("readers({readers})"), traces, body);
        row.with_outcomes(each).check();
    }
}

#[test]
fn the_last_zero_of_an_array_can_be_anywhere() {
    for (size, traces) in [(3usize, 12), (5, 64), (8, 704), (10, 3_328)] {
        assert_eq!(traces, (size as u64 + 3) << (size - 2));
        let body = move || {
            let array: Vec<_> = (0..=size).map(|_| shared(0)).collect();
            let reader = on(&array, move |array| {
                let zero = (0..=size).rev().find(|&index| load(&array[index]) == 0);
                zero.expect("the first one is never written")
            });
            let writers = (1..=size).map(|index| {
                on(&array[index - 1..=index], |array| {
                    store(&array[1], load(&array[0]) + 1);
                    0
                })
            });
            let seen = join_all([reader].into_iter().chain(writers));
            outcome(seen[0]);
        };
        let row = Row::new(format!("lastzero({size})"), traces, body);
        row.with_outcomes(0..=size).check();
    }
}

#[test]
fn threads_that_load_and_then_store_have_their_traces() {
    for (threads, traces) in [(2, 4), (3, 36), (4, 576)] {
        assert_eq!(traces, factorial(threads).pow(2));
        let row = Row::new(format!("inc({threads})"), traces, counter(threads, 1));
        row.with_outcomes(1..=threads).check();
    }
}

#[test]
fn threads_that_add_to_two_atomics_have_two_independent_orders() {
    for (threads, traces) in [(2, 4), (3, 36)] {
        assert_eq!(traces, factorial(threads).pow(2));
        let body = move || {
            let atomics = [shared(0), shared(0)];
            let seen = join_all((0..threads).map(|_| {
                on(&atomics, |a| {
                    10 * a[0].fetch_add(1, SeqCst) + a[1].fetch_add(1, SeqCst)
                })
            }));
            outcome(seen);
        };
        Row::new(format!("two fetch_adds({threads})"), traces, body).check();
    }
}

#[test]
fn one_of_the_threads_that_compare_and_swap_wins() {
    for threads in 2..=5 {
        let body = move || {
            let x = shared(0);
            join_all((1..=threads).map(|id| {
                on(&[Arc::clone(&x)], move |x| {
                    usize::from(x[0].compare_exchange(0, id, SeqCst, SeqCst).is_ok())
                })
            }));
            outcome(load(&x));
        };
        let row = Row::new(format!("cas({threads})"), threads as u64, body);
        row.with_outcomes(1..=threads).check();
    }
}

#[test]
fn a_reader_among_writers_stands_anywhere_in_their_orders() {
    for (writers, traces) in [(1, 2), (2, 6), (3, 24), (4, 120)] {
        assert_eq!(traces, factorial(writers + 1));
        let body = move || {
            let x = shared(0);
            let writers = (1..=writers).map(|id| {
                on(&[Arc::clone(&x)], move |x| {
                    store(&x[0], id);
                    0
                })
            });
            let reader = on(&[Arc::clone(&x)], |x| load(&x[0]));
            let seen = join_all(writers.chain([reader]));
            outcome(seen.last());
        };
        let row = Row::new(format!("{writers} writers and a reader"), traces, body);
        row.with_outcomes((0..=writers).map(Some)).check();
    }
}

#[test]
fn the_fibonacci_threads_have_their_traces() {
    for (times, traces) in [(1, 3), (2, 19), (3, 141), (4, 1_107)] {
        let body = move || {
            let (x, y) = (shared(1), shared(1));
            let sum = |own: &Arc<AtomicUsize>, other: &Arc<AtomicUsize>, is_first: bool| {
                on(&[Arc::clone(own), Arc::clone(other)], move |atomics| {
                    for _ in 0..times {
                        let (x, y) = if is_first { (0, 1) } else { (1, 0) };
                        let sum = load(&atomics[x]) + load(&atomics[y]);
                        store(&atomics[0], sum);
                    }
                    0
                })
            };
            join_all([sum(&x, &y, true), sum(&y, &x, false)]);
            outcome((load(&x), load(&y)));
        };
        Row::new(format!("fib({times})"), traces, body).check();
    }
}

// Mutexes.

#[test]
fn threads_that_lock_and_unlock_have_a_trace_for_each_order() {
    for (threads, traces) in [(2, 2), (3, 6)] {
        assert_eq!(traces, factorial(threads));
        let body = move || {
            let mutex = Arc::new(Mutex::new(()));
            join_all((0..threads).map(|_| -> Thread {
                let mutex = Arc::clone(&mutex);
                Box::new(move || {
                    drop(mutex.lock().unwrap());
                    0
                })
            }));
        };
        Row::new(format!("lock({threads})"), traces, body).check();
    }
}

#[test]
fn a_mutex_that_is_never_unlocked_has_a_deadlock_for_each_holder() {
    for threads in 2..=3 {
        let report = reduced().past_failures().explore(move || {
            let mutex = Arc::new(Mutex::new(()));
            join_all((0..threads).map(|_| -> Thread {
                let mutex = Arc::clone(&mutex);
                Box::new(move || {
                    mem::forget(mutex.lock().unwrap());
                    0
                })
            }));
        });
        let name = format!("a lock of {threads} that is kept");
        expect_each_trace_once(&report, threads, &name);
        assert_eq!(report.violations, report.executions, "{name}");
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(racelab::FailureKind::Deadlock), "{name}");
    }
}

#[test]
fn threads_that_try_a_lock_have_their_traces() {
    // Of two that fail while main holds it, the order makes no difference.
    for (threads, traces) in [(1, 3), (2, 15)] {
        let body = move || {
            let n = Arc::new(Mutex::new(0));
            let others = (0..threads).map(|_| {
                let n = Arc::clone(&n);
                thread::spawn(move || {
                    let held = n.try_lock();
                    let is_held = held.is_ok();
                    if let Ok(mut n) = held {
                        *n += 1;
                    }
                    is_held
                })
            });
            let others: Vec<_> = others.collect();
            *n.lock().unwrap() += 1;
            let held: Vec<_> = others
                .into_iter()
                .map(|other| other.join().unwrap())
                .collect();
            outcome((held, *n.lock().unwrap()));
        };
        Row::new(format!("try_lock({threads})"), traces, body).check();
    }
}
