//! What loom calls complete, held against enumeration: on small random programs every outcome that
//! an interleaving has is one that loom has seen, or the report says that it can have missed some.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::Config;

use racelab::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use racelab::sync::{Arc, Mutex};
use racelab::trace::LeftOut;
use racelab::{Bound, Coverage, Engine, Explorer, Report, outcome, thread};

/// One operation of a thread. Atomics are named by their index.
#[derive(Clone, Copy, Debug)]
enum Op {
    Load(usize),
    Store(usize),
    Add(usize),
    /// From the first value of all.
    Exchange(usize),
    /// Adds to a number in a mutex, and looks at an atomic meanwhile.
    Lock(usize),
    TryLock,
    Yield,
}

const ATOMICS: usize = 2;

fn op() -> impl Strategy<Value = Op> {
    let atomic = || 0..ATOMICS;
    prop_oneof![
        4 => atomic().prop_map(Op::Load),
        3 => atomic().prop_map(Op::Store),
        1 => atomic().prop_map(Op::Add),
        1 => atomic().prop_map(Op::Exchange),
        1 => atomic().prop_map(Op::Lock),
        1 => Just(Op::TryLock),
        1 => Just(Op::Yield),
    ]
}

/// The operations of each thread. The first one is main.
fn program() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let threads = |count, ops| prop::collection::vec(prop::collection::vec(op(), 1..=ops), count);
    prop_oneof![threads(2, 4), threads(3, 2)]
}

struct Shared {
    atomics: [AtomicUsize; ATOMICS],
    mutex: Mutex<usize>,
}

/// Runs the operations of a thread, and returns what it has seen. What it stores tells who it was.
fn run(thread: usize, ops: &[Op], shared: &Shared) -> Vec<usize> {
    let mut seen = Vec::new();
    let mut has_yielded = false;
    for (index, &op) in ops.iter().enumerate() {
        let value = 10 * (thread + 1) + index;
        match op {
            Op::Load(atomic) => seen.push(shared.atomics[atomic].load(Relaxed)),
            Op::Store(atomic) => shared.atomics[atomic].store(value, Relaxed),
            Op::Add(atomic) => seen.push(shared.atomics[atomic].fetch_add(100, Relaxed)),
            Op::Exchange(atomic) => {
                let atomic = &shared.atomics[atomic];
                let (Ok(read) | Err(read)) = atomic.compare_exchange(0, value, Relaxed, Relaxed);
                seen.push(read);
            }
            Op::Lock(atomic) => {
                let mut held = shared.mutex.lock().unwrap();
                *held += 1;
                seen.push(*held);
                seen.push(shared.atomics[atomic].load(Relaxed));
            }
            Op::TryLock => seen.push(shared.mutex.try_lock().map_or(99, |held| *held)),
            // To yield again is to wait, and loom lets others go first then.
            Op::Yield if !has_yielded => {
                has_yielded = true;
                thread::yield_now();
            }
            Op::Yield => {}
        }
    }
    seen
}

fn body(program: &[Vec<Op>]) -> impl Fn() + Send + Sync + 'static {
    let program = program.to_vec();
    move || {
        let shared = Arc::new(Shared {
            atomics: [(); ATOMICS].map(|()| AtomicUsize::new(0)),
            mutex: Mutex::new(0),
        });
        let others: Vec<_> = (1..program.len())
            .map(|thread| {
                let (ops, shared) = (program[thread].clone(), Arc::clone(&shared));
                thread::spawn(move || run(thread, &ops, &shared))
            })
            .collect();
        let mut seen = vec![run(0, &program[0], &shared)];
        seen.extend(others.into_iter().map(|other| other.join().unwrap()));
        outcome(seen);
    }
}

fn outcomes(report: Report) -> BTreeSet<String> {
    report.outcomes.into_iter().map(|o| o.value).collect()
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_complete_search_of_loom_has_every_outcome_of_the_interleavings(program in program()) {
        let dfs = Explorer::new(Engine::Dfs).past_failures().explore(body(&program));
        prop_assert_eq!(&dfs.coverage, &Coverage::Complete);
        let loom = Explorer::new(Engine::Loom).past_failures().explore(body(&program));
        if loom.coverage == Coverage::Bounded(Bound::LeftOut(LeftOut::ForgottenLoads)) {
            return Ok(());
        }
        prop_assert_eq!(&loom.coverage, &Coverage::Complete, "{}", loom);
        let (every, seen) = (outcomes(dfs), outcomes(loom));
        let missed: Vec<_> = every.difference(&seen).collect();
        prop_assert!(missed.is_empty(), "loom misses {missed:?}");
    }
}
