//! What std promises of a barrier, under every interleaving of small programs.

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Barrier};
use racelab::trace::Obstacle;
use racelab::{FailureKind, Named, outcome, thread};

use super::{fails, holds, outcomes};

#[test]
fn there_is_one_leader_and_it_can_be_anybody() {
    let leaders = outcomes(|| {
        let barrier = Barrier::new(3);
        let leaders: Vec<bool> = thread::scope(|scope| {
            let others = [(); 2].map(|()| scope.spawn(|| barrier.wait().is_leader()));
            let own = barrier.wait().is_leader();
            let others = others.map(|thread| thread.join().unwrap());
            [own].into_iter().chain(others).collect()
        });
        outcome(leaders);
    });
    assert_eq!(
        leaders,
        [
            "[false, false, true]",
            "[false, true, false]",
            "[true, false, false]"
        ]
    );
}

#[test]
fn nobody_goes_on_before_all_have_arrived() {
    holds(|| {
        let (barrier, arrived) = (Barrier::new(2), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    arrived.fetch_add(1, SeqCst);
                    barrier.wait();
                    assert_eq!(arrived.load(SeqCst), 2);
                });
            }
        });
    });
}

#[test]
fn a_barrier_is_as_new_when_it_was_passed() {
    holds(|| {
        let (barrier, arrived) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        let rounds = |barrier: &Barrier, arrived: &AtomicUsize| {
            [1, 2].map(|round| {
                arrived.fetch_add(1, SeqCst);
                let is_leader = barrier.wait().is_leader();
                assert!(arrived.load(SeqCst) >= 2 * round);
                is_leader
            })
        };
        let other = thread::spawn({
            let (barrier, arrived) = (Arc::clone(&barrier), Arc::clone(&arrived));
            move || rounds(&barrier, &arrived)
        });
        let own = rounds(&barrier, &arrived);
        let others = other.join().unwrap();
        for round in 0..2 {
            assert_ne!(own[round], others[round], "one leader a round");
        }
    });
}

#[test]
fn at_a_barrier_for_nobody_or_one_everybody_leads() {
    for size in 0..2 {
        let body = move || {
            let barrier = Barrier::new(size);
            for _ in 0..3 {
                assert!(barrier.wait().is_leader());
            }
            assert_eq!(
                format!("{:?} {:?}", barrier, barrier.wait()),
                "Barrier { .. } BarrierWaitResult { is_leader: true }"
            );
        };
        body();
        holds(body);
    }
}

#[test]
fn the_report_says_how_many_have_arrived() {
    let failure = fails(FailureKind::Deadlock, || {
        let start = Arc::new(Barrier::new(3).named("start"));
        let other = Arc::clone(&start);
        let other = thread::spawn(move || other.wait().is_leader());
        start.wait();
        other.join().unwrap();
    });
    for blocked in &failure.blocked {
        let (arrived, size) = (2, 3);
        assert_eq!(blocked.obstacle, Some(Obstacle::Arrivals { arrived, size }));
    }
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("T1 waits at start, where 2 of 3 have arrived"),
        "{why}"
    );
}

#[test]
fn one_thread_too_many_waits_for_ever() {
    let failure = fails(FailureKind::Deadlock, || {
        let start = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| start.wait().is_leader());
            }
            start.wait();
        });
    });
    let why = failure.why.expect("there is a reason");
    assert!(why.contains("1 of 2 has arrived"), "{why}");
}
