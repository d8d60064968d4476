//! Where a search of loom's is cut, and what it cannot run.

use racelab::sync::atomic::{AtomicUsize, Ordering};
use racelab::sync::{Arc, Condvar, Mutex, mpsc};
use racelab::trace::LeftOut;
use racelab::{Bound, Coverage, Engine, Explorer, Reason, Report, Verdict, thread};
use std::time::Duration;

use Ordering::{Relaxed, SeqCst};

use super::{all, holds, loom, message_passing, store_buffering};

#[test]
fn a_bound_on_executions_is_honoured_to_the_execution() {
    for bound in [1, 2, 7, 29] {
        let report = Explorer::new(Engine::Loom)
            .past_failures()
            .max_executions(bound)
            .explore(store_buffering(Relaxed, true));
        let total = all(store_buffering(Relaxed, true)).executions;
        assert!(total > 1);
        assert_eq!(report.executions, bound.min(total));
        let is_cut = bound < total;
        assert_eq!(report.coverage == Coverage::Complete, !is_cut);
        if is_cut {
            let reason = Reason::Bound(Bound::MaxExecutions(bound));
            assert!(matches!(&report.verdict, Verdict::Inconclusive(r) if *r == reason));
        }
    }
}

#[test]
fn a_bound_on_preemptions_is_named_and_replays() {
    let body = || {
        let n = Arc::new(AtomicUsize::new(0));
        let workers = [(); 2].map(|()| {
            let n = Arc::clone(&n);
            thread::spawn(move || {
                let value = n.load(Relaxed);
                n.store(value + 1, Relaxed);
            })
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(n.load(Relaxed) <= 2);
    };
    let report = Explorer::new(Engine::Loom)
        .preemption_bound(0)
        .explore(body);
    assert_eq!(report.coverage, Coverage::Bounded(Bound::Preemptions(0)));
    assert!(matches!(report.verdict, Verdict::Inconclusive(_)));
    let report = Explorer::new(Engine::Loom)
        .preemption_bound(1)
        .explore(message_passing(Relaxed, Relaxed));
    let failure = report.failure().expect("it fails");
    let found = failure.schedule.clone().unwrap();
    let text = found.to_string();
    assert!(
        text.starts_with("loom:") && text.ends_with("/bound=1"),
        "{text}"
    );
    let again = racelab::replay(&found, message_passing(Relaxed, Relaxed));
    let again = again.failure().expect("it fails again");
    assert_eq!(again.trace, failure.trace);
    assert_eq!(again.schedule, failure.schedule);
}

#[test]
fn a_bound_on_preemptions_is_named_before_what_loom_leaves_out() {
    let explorer = || Explorer::new(Engine::Loom);
    let body = || {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || {
            let n = AtomicUsize::new(0);
            n.store(1, SeqCst);
            sender.send(n.load(SeqCst)).unwrap();
        });
        other.join().unwrap();
        receiver.recv_timeout(Duration::from_secs(1)).unwrap();
    };
    let time_outs = Coverage::Bounded(Bound::LeftOut(LeftOut::Timeouts));
    assert_eq!(explorer().explore(body).coverage, time_outs);
    // Without this bound some interleaving may fail, and no claim is made about all of them.
    let report = explorer().preemption_bound(0).explore(body);
    let bound = Coverage::Bounded(Bound::Preemptions(0));
    assert_eq!(report.coverage, bound);
    assert_eq!(report.left_out, [LeftOut::Timeouts]);
}

#[test]
fn two_waiters_on_one_condition_variable_make_it_inconclusive() {
    let report = loom(|| {
        let state = Arc::new((Mutex::new(0), Condvar::new()));
        let waiters = [(); 2].map(|()| {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                let (count, changed) = &*state;
                let mut count = count.lock().unwrap();
                while *count == 0 {
                    count = changed.wait(count).unwrap();
                }
                *count -= 1;
            })
        });
        let (count, changed) = &*state;
        for _ in 0..2 {
            *count.lock().unwrap() += 1;
            changed.notify_one();
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
    assert_eq!(
        report.coverage,
        Coverage::Bounded(Bound::LeftOut(LeftOut::WakeOrder)),
        "{report}"
    );
}

#[test]
fn what_loom_cannot_run_is_a_reason() {
    let unsupported = |report: &Report, words: &str| {
        let Verdict::Inconclusive(reason) = &report.verdict else {
            panic!("{report}");
        };
        let reason = reason.to_string();
        assert!(reason.contains(words), "{reason}");
    };
    let report = loom(|| {
        let threads: Vec<_> = (0..5).map(|_| thread::spawn(|| ())).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    unsupported(&report, "at most 4 spawned threads");
    let report = loom(|| {
        let (_sender, receiver) = mpsc::channel::<()>();
        let _ = receiver.recv_timeout(Duration::from_secs(1));
    });
    unsupported(&report, "loom has none");
    let report = loom(|| {
        let (sender, receiver) = mpsc::channel();
        sender.send(1).unwrap();
        receiver.recv_timeout(Duration::from_secs(1)).unwrap();
    });
    assert_eq!(
        report.coverage,
        Coverage::Bounded(Bound::LeftOut(LeftOut::Timeouts))
    );
    let report = loom(|| {
        let other = thread::spawn(|| ());
        other.is_finished();
    });
    unsupported(&report, "whether a thread has finished");
    let report = Explorer::new(Engine::Loom).max_steps(50).explore(|| {
        let n = AtomicUsize::new(0);
        while n.load(SeqCst) == 0 {}
    });
    unsupported(&report, "did not end within 50 steps");
}

#[test]
fn what_a_destructor_does_during_a_panic_that_is_caught_is_not_lost() {
    struct Stores(Arc<AtomicUsize>);
    impl Drop for Stores {
        fn drop(&mut self) {
            self.0.store(1, Relaxed);
        }
    }
    let report = loom(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let stores = Stores(Arc::clone(&n));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _stores = stores;
            panic!("caught");
        }));
        assert!(caught.is_err());
        assert_eq!(n.load(Relaxed), 1);
    });
    let Verdict::Inconclusive(Reason::Unsupported(why)) = &report.verdict else {
        panic!("{report}");
    };
    assert!(why.contains("while it unwound a destructor"), "{why}");
}

#[test]
fn a_large_value_has_room_on_every_stack() {
    #[inline(never)]
    #[expect(clippy::large_stack_arrays, reason = "the test is about that")]
    fn large(depth: usize) -> usize {
        let values = std::hint::black_box([depth; 16 << 10]);
        if depth == 0 {
            values[0]
        } else {
            large(depth - 1) + values[depth]
        }
    }
    holds(&loom(|| {
        let other = thread::spawn(|| large(5));
        assert_eq!(large(5), 15);
        assert_eq!(other.join().unwrap(), 15);
    }));
}
