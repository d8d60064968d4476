//! What loom finds by stale values and orderings, and what its own search misses.

use racelab::cell::UnsafeCell;
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use racelab::trace::LeftOut;
use racelab::{
    Bound, Coverage, Engine, Explorer, FailureKind, MemoryModel, Named, Reason, Report, Verdict,
    outcome, thread,
};

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::{all, fails, holds, loom, message_passing, store_buffering};

#[test]
fn a_relaxed_flag_lets_old_data_be_read_and_the_trace_says_that_it_is_stale() {
    let report = loom(message_passing(Relaxed, Relaxed));
    fails(&report, FailureKind::Panic);
    assert_eq!(report.memory_model, MemoryModel::C11);
    let text = report.to_string();
    assert!(text.contains("data → 0   (stale: step"), "{text}");
    holds(&loom(message_passing(Release, Acquire)));
    // Sequential consistency does not show it.
    holds(&Explorer::new(Engine::Dfs).explore(message_passing(Relaxed, Relaxed)));
}

#[test]
fn the_executions_of_the_racy_counter_are_no_more_than_those_of_loom_alone() {
    let counter = |increments: usize| {
        move || {
            let n = Arc::new(AtomicUsize::new(0));
            let workers = [(); 2].map(|()| {
                let n = Arc::clone(&n);
                thread::spawn(move || {
                    for _ in 0..increments {
                        let value = n.load(SeqCst);
                        n.store(value + 1, SeqCst);
                    }
                })
            });
            for worker in workers {
                worker.join().unwrap();
            }
            n.load(SeqCst);
        }
    };
    // The second count is that of `facts/oracle.md`, which was measured without the lab: there a
    // join is an access, which comes before the end of its thread or after it.
    for (increments, executions, alone) in [(1, 12, 30), (2, 172, 360), (3, 3322, 6378)] {
        let report = all(counter(increments));
        assert_eq!(report.executions, executions);
        assert!(report.executions <= alone);
        // Each thread stores what it has loaded before, as the other one may have.
        let forgotten = Bound::LeftOut(LeftOut::ForgottenLoads);
        assert_eq!(report.coverage, Coverage::Bounded(forgotten));
    }
}

#[test]
fn store_buffering_under_seqcst_is_told_apart_from_a_bug() {
    let report = loom(store_buffering(SeqCst, false));
    let Verdict::Inconclusive(Reason::NotConfirmed { message, searched }) = &report.verdict else {
        panic!("{report}");
    };
    assert_eq!(message, "both read 0");
    assert!(searched.is_ok());
    assert!(report.doubted > 0);
    fails(&loom(store_buffering(Relaxed, false)), FailureKind::Panic);
    holds(&loom(store_buffering(Relaxed, true)));
}

/// A cell that threads share.
struct Shared(UnsafeCell<usize>, AtomicBool);

#[expect(unsafe_code, reason = "the subject is an unsafe cell")]
// SAFETY: the accesses do nothing.
unsafe impl Sync for Shared {}

#[test]
fn races_on_cells_are_found_with_both_threads_and_places() {
    let body = |store: Ordering, load: Ordering| {
        move || {
            let shared = Arc::new(Shared(
                UnsafeCell::new(0).named("data"),
                AtomicBool::new(false),
            ));
            let writer = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    shared.0.with_mut(|_| ());
                    shared.1.store(true, store);
                }
            });
            if shared.1.load(load) {
                shared.0.with(|_| ());
            }
            writer.join().unwrap();
        }
    };
    let report = loom(body(Relaxed, Acquire));
    fails(&report, FailureKind::DataRace);
    let race = report
        .failure()
        .unwrap()
        .race
        .expect("it names the accesses");
    assert_ne!(race.first.thread, race.second.thread);
    assert_ne!(race.first.at.line(), race.second.at.line());
    fails(&loom(body(Release, Relaxed)), FailureKind::DataRace);
    holds(&loom(body(Release, Acquire)));
}

#[test]
fn the_result_of_every_operation_on_an_atomic_is_that_of_the_real_one() {
    let report = loom(|| {
        let n = AtomicU8::new(250);
        assert_eq!(n.fetch_add(10, AcqRel), 250);
        assert_eq!(n.fetch_sub(5, Relaxed), 4);
        assert_eq!(n.fetch_nand(0x0f, Relaxed), 255);
        assert_eq!(n.fetch_max(241, Relaxed), 240);
        assert_eq!(n.fetch_min(7, Relaxed), 241);
        assert_eq!(n.swap(9, Relaxed), 7);
        assert_eq!(n.compare_exchange(9, 1, AcqRel, Relaxed), Ok(9));
        assert_eq!(n.compare_exchange(9, 2, AcqRel, Relaxed), Err(1));
        let flag = AtomicBool::new(true);
        assert!(flag.fetch_nand(true, Relaxed));
        assert!(!flag.fetch_not(Relaxed));
        assert!(flag.load(Relaxed));
        let mut values = [1, 2, 3];
        let pointer = AtomicPtr::new(values.as_mut_ptr());
        pointer.fetch_ptr_add(2, Relaxed);
        assert_eq!(pointer.load(Relaxed), &raw mut values[2]);
    });
    holds(&report);
}

/// loom's reduction misses an outcome that needs no stale value: one thread stores what another one
/// reads and replaces, and main reads in between. loom alone does the same.
#[test]
fn loom_misses_an_interleaving_that_enumeration_finds() {
    let body = || {
        let n = Arc::new(AtomicUsize::new(0));
        let one = thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(1, Release)
        });
        let two = thread::spawn({
            let n = Arc::clone(&n);
            move || {
                if n.load(Relaxed) == 1 {
                    n.store(2, Relaxed);
                }
            }
        });
        outcome(n.load(Acquire));
        one.join().unwrap();
        two.join().unwrap();
    };
    let outcomes = |report: Report| report.outcomes.into_iter().map(|outcome| outcome.value);
    let dfs = Explorer::new(Engine::Dfs).past_failures().explore(body);
    assert!(outcomes(dfs).eq(["0", "1", "2"]));
    assert!(outcomes(all(body)).eq(["0", "1"]));
}
