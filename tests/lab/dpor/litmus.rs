//! The litmus shapes of memory models, whose traces and outcomes are known.

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::thread::{self, JoinHandle};
use racelab::{Coverage, outcome};

use super::reduction::{enumeration, expect_each_trace_once, outcomes, reduced, traces};

/// A thread of a litmus shape, which returns its registers.
pub(crate) type Shape = fn(&AtomicUsize, &AtomicUsize) -> Vec<usize>;

/// Runs the shape with main as the last of its threads, so that of two threads every interleaving
/// is one of their accesses. The outcome is the registers.
fn litmus(shape: &'static [Shape]) -> impl Fn() + Send + Sync + 'static {
    let (last, others) = shape.split_last().expect("a shape has threads");
    move || {
        let atomics = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let others = start(others, &atomics);
        let of_last = last(&atomics.0, &atomics.1);
        let mut registers = join(others);
        registers.extend(of_last);
        outcome(registers);
    }
}

/// Runs the shape with a thread for each of its threads, which main only starts and joins, so that
/// every thread can begin without a preemption. The outcome is the registers.
pub(crate) fn spawned(shape: &'static [Shape]) -> impl Fn() + Send + Sync + 'static {
    move || {
        let atomics = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        outcome(join(start(shape, &atomics)));
    }
}

type Atomics = Arc<(AtomicUsize, AtomicUsize)>;

fn start(shapes: &[Shape], atomics: &Atomics) -> Vec<JoinHandle<Vec<usize>>> {
    let threads = shapes.iter().copied().map(|ops| {
        let atomics = Arc::clone(atomics);
        thread::spawn(move || ops(&atomics.0, &atomics.1))
    });
    threads.collect()
}

fn join(threads: Vec<JoinHandle<Vec<usize>>>) -> Vec<usize> {
    let registers = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap());
    registers.collect()
}

pub(crate) const STORE_BUFFERING: &[Shape] = &[
    |x, y| {
        store(x, 1);
        vec![load(y)]
    },
    |x, y| {
        store(y, 1);
        vec![load(x)]
    },
];

pub(crate) const MESSAGE_PASSING: &[Shape] = &[
    |x, y| {
        store(x, 1);
        store(y, 1);
        vec![]
    },
    |x, y| vec![load(y), load(x)],
];

pub(crate) const LOAD_BUFFERING: &[Shape] = &[
    |x, y| {
        let read = load(x);
        store(y, 1);
        vec![read]
    },
    |x, y| {
        let read = load(y);
        store(x, 1);
        vec![read]
    },
];

const S: &[Shape] = &[
    |x, y| {
        store(x, 2);
        store(y, 1);
        vec![]
    },
    |x, y| {
        let read = load(y);
        store(x, 1);
        vec![read]
    },
];

const R: &[Shape] = &[
    |x, y| {
        store(x, 1);
        store(y, 1);
        vec![]
    },
    |x, y| {
        store(y, 2);
        vec![load(x)]
    },
];

const COHERENCE: &[Shape] = &[
    |x, _| {
        store(x, 1);
        store(x, 2);
        vec![]
    },
    |x, _| vec![load(x), load(x)],
];

const WRITE_TO_READ: &[Shape] = &[
    |x, _| {
        store(x, 1);
        vec![]
    },
    |x, y| {
        let read = load(x);
        store(y, 1);
        vec![read]
    },
    |x, y| vec![load(y), load(x)],
];

#[test]
fn the_litmus_shapes_have_their_traces_and_outcomes() {
    for (name, shape, expected, distinct) in [
        ("SB", STORE_BUFFERING, 3, 3),
        ("MP", MESSAGE_PASSING, 3, 3),
        ("LB", LOAD_BUFFERING, 3, 3),
        ("S", S, 3, 2),
        ("R", R, 3, 2),
        ("CoRR", COHERENCE, 6, 6),
        ("WRC", WRITE_TO_READ, 7, 7),
    ] {
        let report = reduced().past_failures().explore(litmus(shape));
        expect_each_trace_once(&report, expected, name);
        assert_eq!(report.outcomes.len(), distinct, "outcomes of {name}");
        let all = enumeration().past_failures().explore(litmus(shape));
        assert_eq!(outcomes(&report), outcomes(&all), "outcomes of {name}");
        assert_eq!(all.coverage, Coverage::Complete);
        // With three threads, main's spawns come in between.
        if shape.len() == 2 {
            assert_eq!(all.executions, 6, "interleavings of {name}");
        }
        assert_eq!(traces(&all), expected, "traces of {name}");
    }
}

fn store(atomic: &AtomicUsize, value: usize) {
    atomic.store(value, SeqCst);
}

fn load(atomic: &AtomicUsize) -> usize {
    atomic.load(SeqCst)
}
