//! The race detector of the sequentially consistent engines, held against loom's.
//!
//! On small random programs both must agree on whether there is a data race. They may differ in
//! three ways, each of which has to show itself:
//! - loom reads stale values, so that it reaches accesses which no sequentially consistent execution
//!   reaches. Then its failing execution has a stale read in it.
//! - loom's reduction misses interleavings. Then its verdict says that it can have.
//! - To loom, `SeqCst` fences synchronise with each other. Then its report says that this was so.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{
    AtomicUsize, Ordering,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use racelab::sync::{Arc, Mutex};
use racelab::trace::LeftOut;
use racelab::{Bound, Coverage, Engine, Explorer, FailureKind, Report, thread};

/// One operation of a thread. Atomics and cells are named by their index.
#[derive(Clone, Copy, Debug)]
enum Op {
    Read(usize),
    Write(usize),
    Store(usize, usize, Ordering),
    /// A load; what follows it is done only if it has found the atomic written, or not written.
    LoadIf(usize, Ordering, bool),
    Add(usize, Ordering),
    Fence(Ordering),
    /// Everything that follows is done with the mutex held.
    Lock,
}

/// The operations of each thread. The first one is main.
type Program = Vec<Vec<Op>>;

const ATOMICS: usize = 2;
const CELLS: usize = 2;

fn op() -> impl Strategy<Value = Op> {
    let (atomic, cell) = (0..ATOMICS, 0..CELLS);
    prop_oneof![
        2 => cell.clone().prop_map(Op::Read),
        3 => cell.prop_map(Op::Write),
        3 => (atomic.clone(), 1..3_usize, select(vec![Relaxed, Release, SeqCst]))
            .prop_map(|(atomic, value, order)| Op::Store(atomic, value, order)),
        3 => (atomic.clone(), select(vec![Relaxed, Acquire, SeqCst]), prop::bool::weighted(0.7))
            .prop_map(|(atomic, order, written)| Op::LoadIf(atomic, order, written)),
        1 => (atomic, select(vec![Relaxed, Acquire, Release, AcqRel, SeqCst]))
            .prop_map(|(atomic, order)| Op::Add(atomic, order)),
        1 => select(vec![Acquire, Release, AcqRel, SeqCst]).prop_map(Op::Fence),
        1 => Just(Op::Lock),
    ]
}

fn program() -> impl Strategy<Value = Program> {
    let threads = |count, ops| prop::collection::vec(prop::collection::vec(op(), 1..=ops), count);
    prop_oneof![threads(2, 4), threads(3, 3)]
}

/// What the threads share.
struct Shared {
    atomics: [AtomicUsize; ATOMICS],
    cells: [UnsafeCell<usize>; CELLS],
    mutex: Mutex<()>,
}

#[expect(unsafe_code, reason = "the subject are cells that threads share")]
// SAFETY: the accesses look at nothing: what counts is that they are recorded.
unsafe impl Sync for Shared {}

fn body(program: &Program) -> impl Fn() + Send + Sync + 'static {
    let program = program.clone();
    move || {
        let shared = Arc::new(Shared {
            atomics: [(); ATOMICS].map(|()| AtomicUsize::new(0)),
            cells: [(); CELLS].map(|()| UnsafeCell::new(0)),
            mutex: Mutex::new(()),
        });
        let others: Vec<_> = program[1..]
            .iter()
            .map(|ops| {
                let (ops, shared) = (ops.clone(), Arc::clone(&shared));
                thread::spawn(move || run(&ops, &shared))
            })
            .collect();
        run(&program[0], &shared);
        for other in others {
            other.join().unwrap();
        }
    }
}

/// Runs the operations of a thread.
fn run(ops: &[Op], shared: &Shared) {
    let mut held = None;
    for &op in ops {
        match op {
            Op::Read(cell) => shared.cells[cell].with(|_| ()),
            Op::Write(cell) => shared.cells[cell].with_mut(|_| ()),
            Op::Store(atomic, value, order) => shared.atomics[atomic].store(value, order),
            Op::LoadIf(atomic, order, written) => {
                let value = shared.atomics[atomic].load(order);
                if (value > 0) != written {
                    break;
                }
            }
            Op::Add(atomic, order) => {
                shared.atomics[atomic].fetch_add(1, order);
            }
            Op::Fence(order) => fence(order),
            Op::Lock if held.is_none() => held = Some(shared.mutex.lock().unwrap()),
            Op::Lock => {}
        }
    }
}

/// Whether there is a race. Without one the search must be complete, or say that it can have missed
/// interleavings.
fn races(report: &Report) -> bool {
    match report.failure() {
        Some(failure) => {
            assert_eq!(failure.kind, FailureKind::DataRace, "{report}");
            true
        }
        None => {
            let is_complete = report.coverage == Coverage::Complete;
            assert!(is_complete || can_have_missed(report), "{report}");
            false
        }
    }
}

fn can_have_missed(report: &Report) -> bool {
    report.coverage == Coverage::Bounded(Bound::LeftOut(LeftOut::ForgottenLoads))
}

fn has_strict_fences(report: &Report) -> bool {
    report.left_out.contains(&LeftOut::StrictFences)
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn both_detectors_agree_or_show_why_not(program in program()) {
        let sc = Explorer::new(Engine::Dfs).explore(body(&program));
        let c11 = Explorer::new(Engine::Loom).explore(body(&program));
        match (races(&sc), races(&c11)) {
            (false, true) => {
                let trace = &c11.failure().expect("it races").trace;
                let is_stale = trace.events.iter().any(|event| event.stale.is_some());
                prop_assert!(is_stale, "only loom sees a race, without a stale read:\n{c11}");
            }
            (true, false) => {
                let may_miss = can_have_missed(&c11) || has_strict_fences(&c11);
                prop_assert!(may_miss, "loom is complete, and sees no race:\n{sc}\n{c11}");
            }
            _ => {}
        }
    }
}

/// A body on the shared objects with one other thread for each function.
fn by_hand(
    main: fn(&Shared),
    others: &'static [fn(&Shared)],
) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        let shared = Arc::new(Shared {
            atomics: [(); ATOMICS].map(|()| AtomicUsize::new(0)),
            cells: [(); CELLS].map(|()| UnsafeCell::new(0)),
            mutex: Mutex::new(()),
        });
        let others = others.iter().map(|other| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || other(&shared))
        });
        let others: Vec<_> = others.collect();
        main(&shared);
        for other in others {
            other.join().unwrap();
        }
    }
}

/// The second store is seen before the first one, which sequential consistency rules out.
#[test]
fn only_loom_reaches_a_race_behind_a_stale_value() {
    let body = by_hand(
        |shared| {
            let [x, y] = &shared.atomics;
            if y.load(Relaxed) == 1 && x.load(Relaxed) == 0 {
                shared.cells[0].with_mut(|_| ());
            }
        },
        &[|shared| {
            let [x, y] = &shared.atomics;
            shared.cells[0].with_mut(|_| ());
            x.store(1, Relaxed);
            y.store(1, Relaxed);
        }],
    );
    assert!(!races(&Explorer::new(Engine::Dfs).explore(body.clone())));
    let c11 = Explorer::new(Engine::Loom).explore(body);
    assert!(races(&c11));
    let trace = &c11.failure().expect("it races").trace;
    assert!(trace.events.iter().any(|event| event.stale.is_some()));
}

/// A Relaxed store by another thread ends the release sequence. loom never lets main read it.
#[test]
fn loom_misses_a_race_behind_an_interleaving_that_it_misses() {
    let body = by_hand(
        |shared| {
            if shared.atomics[0].load(Acquire) == 2 {
                shared.cells[0].with(|_| ());
            }
        },
        &[
            |shared| {
                shared.cells[0].with_mut(|_| ());
                shared.atomics[0].store(1, Release);
            },
            |shared| {
                if shared.atomics[0].load(Relaxed) == 1 {
                    shared.atomics[0].store(2, Relaxed);
                }
            },
        ],
    );
    assert!(races(&Explorer::new(Engine::Dfs).explore(body.clone())));
    let c11 = Explorer::new(Engine::Loom).explore(body);
    assert!(!races(&c11) && can_have_missed(&c11), "{c11}");
}

#[test]
fn loom_misses_a_race_between_two_threads_with_seqcst_fences() {
    let body = by_hand(
        |shared| {
            shared.cells[0].with_mut(|_| ());
            fence(SeqCst);
        },
        &[|shared| {
            fence(SeqCst);
            shared.cells[0].with(|_| ());
        }],
    );
    assert!(races(&Explorer::new(Engine::Dfs).explore(body.clone())));
    let c11 = Explorer::new(Engine::Loom).explore(body);
    assert!(!races(&c11) && has_strict_fences(&c11), "{c11}");
}
