//! Locks that let writers go first: who comes to read may have to wait behind a thread that waits to
//! write, and if nobody else can go on, for ever.

use std::time::Duration;

use racelab::parking_lot;
use racelab::parking_lot::RwLockUpgradableReadGuard;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, RwLock, mpsc};
use racelab::trace::{EventResult, LeftOut, Obstacle, Operation, ThreadId};
use racelab::{Coverage, Engine, Explorer, Failure, FailureKind, Named, Report, Verdict, thread};

fn explore(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Report {
    let explorer = Explorer::new(engine).max_executions(20_000);
    explorer.past_failures().explore(body)
}

/// Explores a body that must hold under both exhaustive searches.
#[track_caller]
fn holds(body: impl Fn() + Clone + Send + Sync + 'static) {
    for engine in [Engine::Dpor, Engine::Dfs] {
        let report = explore(engine, body.clone());
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    }
}

/// Explores a body that must deadlock, under both exhaustive searches with the same traces and none of
/// them twice.
#[track_caller]
fn deadlocks(body: impl Fn() + Clone + Send + Sync + 'static) -> Failure {
    let all = explore(Engine::Dfs, body.clone());
    let report = explore(Engine::Dpor, body.clone());
    assert_eq!(report.coverage, Coverage::Complete, "{report}");
    let run = (report.traces, report.executions, report.blocked);
    assert_eq!(run, (all.traces, all.traces.unwrap(), 0), "{report}");
    let report = Explorer::new(Engine::Dpor).explore(body);
    match report.verdict {
        Verdict::Violated(failure) if failure.kind == FailureKind::Deadlock => *failure,
        other => panic!("not a deadlock: {other:?}"),
    }
}

/// Reads twice while another thread writes, the second time before or after the first has ended.
fn read_twice(is_nested: bool) {
    let shard = Arc::new(RwLock::new(0).named("shard"));
    let other = Arc::clone(&shard);
    let writer = thread::spawn(move || *other.write().unwrap() += 1);
    let first = shard.read().unwrap();
    if is_nested {
        let second = shard.read().unwrap();
        assert_eq!(*first, *second);
        drop((first, second));
    } else {
        drop(first);
        drop(shard.read().unwrap());
    }
    writer.join().unwrap();
}

#[test]
fn a_second_read_of_the_same_thread_waits_for_ever_behind_a_writer() {
    let failure = deadlocks(|| read_twice(true));
    assert_eq!(failure.minimal, Some(true));
    assert_eq!(failure.preemptions, Some(0));
    let last = failure.trace.events.last().expect("it is a step");
    assert_eq!(last.operation, Operation::ReadLock);
    assert_eq!(last.result, Some(EventResult::Waits));
    assert_eq!(last.target, Some(ThreadId(1)));
    let [reader, writer] = failure.blocked.as_slice() else {
        panic!("two threads wait: {:?}", failure.blocked);
    };
    let behind = Obstacle::WaitingWriter(ThreadId(1));
    assert_eq!(reader.obstacle, Some(behind));
    assert!(!reader.spins);
    let read = Obstacle::Readers(vec![ThreadId::MAIN]);
    assert_eq!(writer.obstacle, Some(read));
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("waits to read shard, behind T1, which waits to write, at "),
        "{why}"
    );
    assert!(
        why.contains("T1 waits to write shard, which main holds for reading"),
        "{why}"
    );
}

#[test]
fn a_second_read_after_the_first_one_is_granted() {
    holds(|| read_twice(false));
}

#[test]
fn a_second_read_can_be_granted_before_a_writer_that_waits() {
    let report = explore(Engine::Dpor, || read_twice(true));
    // The writer before both reads, and after both; and the deadlock.
    assert_eq!((report.executions, report.violations), (3, 1), "{report}");
}

#[test]
fn a_replay_waits_behind_the_same_writer() {
    let failure = deadlocks(|| read_twice(true));
    let schedule = failure.schedule.expect("a model engine has one");
    assert!(schedule.to_string().ends_with("~1"), "{schedule}");
    let report = racelab::replay(&schedule, || read_twice(true));
    let replayed = report.failure().expect("it fails again");
    assert_eq!(replayed.kind, FailureKind::Deadlock);
    assert_eq!(replayed.blocked, failure.blocked);
    let before = schedule.to_string();
    let before = before.trim_end_matches("~1").parse().unwrap();
    let report = racelab::replay(&before, || read_twice(false));
    assert!(report.failure().is_none(), "{report}");
}

#[test]
fn random_searches_find_a_read_that_waits_for_ever() {
    for engine in [
        Engine::Random,
        Engine::Pct,
        Engine::Urw,
        Engine::Pos,
        Engine::Surw,
    ] {
        let report = Explorer::new(engine)
            .max_executions(1_000)
            .explore(|| read_twice(true));
        let failure = report.failure();
        let kind = failure.map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Deadlock), "{engine:?}: {report}");
    }
}

#[cfg(feature = "loom")]
#[test]
fn loom_says_that_readers_do_not_wait_behind_writers() {
    let report = Explorer::new(Engine::Loom).explore(|| read_twice(true));
    assert!(report.failure().is_none(), "{report}");
    assert!(
        report.left_out.contains(&LeftOut::WaitingWriters),
        "{report}"
    );
    let report = Explorer::new(Engine::Dpor)
        .past_failures()
        .explore(|| read_twice(true));
    assert!(
        !report.left_out.contains(&LeftOut::WaitingWriters),
        "{report}"
    );
}

#[test]
fn an_attempt_to_read_that_could_fail_behind_a_writer_is_named_as_not_explored() {
    let attempt = |way: fn(&parking_lot::RwLock<i32>) -> bool| {
        let report = explore(Engine::Dpor, move || {
            let shard = Arc::new(parking_lot::RwLock::new(0));
            let other = Arc::clone(&shard);
            let writer = thread::spawn(move || *other.write() += 1);
            let first = shard.read();
            way(&shard);
            drop(first);
            writer.join().unwrap();
        });
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        report.left_out.contains(&LeftOut::WaitingWriters)
    };
    assert!(attempt(|shard| shard.try_read().is_some()));
    assert!(attempt(|shard| shard.try_upgradable_read().is_some()));
    assert!(attempt(|shard| shard
        .try_read_for(Duration::ZERO)
        .is_some()));
    assert!(!attempt(|shard| shard.try_read_recursive().is_some()));
    assert!(!attempt(|shard| shard.try_write().is_some()));
    assert!(!attempt(|shard| shard.is_locked()));
}

/// Two threads that read two locks, in this order and in the other one, beside writers of these.
fn cross(writers: [bool; 2]) {
    let locks = ["a", "b"].map(|name| Arc::new(RwLock::new(0).named(name)));
    let mut threads = Vec::new();
    for (lock, _) in locks.iter().zip(writers).filter(|(_, writes)| *writes) {
        let lock = Arc::clone(lock);
        threads.push(thread::spawn(move || drop(lock.write().unwrap())));
    }
    let [a, b] = locks.clone();
    threads.push(thread::spawn(move || {
        let reads = b.read().unwrap();
        drop((a.read().unwrap(), reads));
    }));
    let [a, b] = locks;
    let reads = a.read().unwrap();
    drop((b.read().unwrap(), reads));
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn readers_that_cross_wait_for_ever_behind_two_writers() {
    let failure = deadlocks(|| cross([true, true]));
    assert_eq!(failure.blocked.len(), 4);
    let behind = failure
        .blocked
        .iter()
        .filter(|blocked| matches!(blocked.obstacle, Some(Obstacle::WaitingWriter(_))));
    assert_eq!(behind.count(), 2);
}

#[test]
fn readers_that_cross_do_not_deadlock_beside_one_writer() {
    holds(|| cross([true, false]));
    holds(|| cross([false, true]));
    holds(|| cross([false, false]));
}

#[test]
fn a_join_of_a_reader_under_a_read_guard_waits_for_ever_behind_a_writer() {
    let failure = deadlocks(|| {
        let shard = Arc::new(RwLock::new(0).named("shard"));
        let [writes, reads] = [(); 2].map(|()| Arc::clone(&shard));
        let writer = thread::spawn(move || *writes.write().unwrap() += 1);
        let guard = shard.read().unwrap();
        let reader = thread::spawn(move || drop(reads.read().unwrap()));
        reader.join().unwrap();
        drop(guard);
        writer.join().unwrap();
    });
    let reader = Obstacle::WaitingWriter(ThreadId(1));
    assert_eq!(failure.blocked[2].obstacle, Some(reader));
    assert_eq!(failure.blocked[0].operation, Operation::Join);
}

#[test]
fn a_thread_that_can_go_on_keeps_nobody_waiting_for_ever() {
    // The writer gives up, or whoever keeps it waiting hears from another thread.
    holds(|| {
        let shard = Arc::new(parking_lot::RwLock::new(0));
        let other = Arc::clone(&shard);
        let writer = thread::spawn(move || {
            drop(other.try_write_for(Duration::from_secs(1)));
        });
        let first = shard.read();
        drop((shard.read(), first));
        writer.join().unwrap();
    });
    holds(|| {
        let shard = Arc::new(RwLock::new(0));
        let [writes, reads] = [(); 2].map(|()| Arc::clone(&shard));
        let (sender, receiver) = mpsc::channel();
        let writer = thread::spawn(move || drop(writes.write().unwrap()));
        let first = shard.read().unwrap();
        let reader = thread::spawn(move || {
            sender.send(()).unwrap();
            drop(reads.read().unwrap());
        });
        receiver.recv().unwrap();
        drop(first);
        for thread in [writer, reader] {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_recursive_read_never_waits_behind_a_writer() {
    let twice = |is_recursive: bool| {
        move || {
            let shard = Arc::new(parking_lot::RwLock::new(0));
            let other = Arc::clone(&shard);
            let writer = thread::spawn(move || *other.write() += 1);
            let first = shard.read();
            let second = if is_recursive {
                shard.read_recursive()
            } else {
                shard.read()
            };
            drop((first, second));
            writer.join().unwrap();
        }
    };
    holds(twice(true));
    deadlocks(twice(false));
}

#[test]
fn a_read_waits_for_ever_behind_a_thread_that_upgrades() {
    let failure = deadlocks(|| {
        let shard = Arc::new(parking_lot::RwLock::new(0).named("shard"));
        let other = Arc::clone(&shard);
        let upgrader = thread::spawn(move || {
            let held = other.upgradable_read();
            *RwLockUpgradableReadGuard::upgrade(held) += 1;
        });
        let first = shard.read();
        drop((shard.read(), first));
        upgrader.join().unwrap();
    });
    let behind = Obstacle::WaitingWriter(ThreadId(1));
    assert_eq!(failure.blocked[0].obstacle, Some(behind));
}

#[test]
fn an_upgradable_read_waits_for_ever_behind_a_writer() {
    deadlocks(|| {
        let shard = Arc::new(parking_lot::RwLock::new(0));
        let other = Arc::clone(&shard);
        let writer = thread::spawn(move || *other.write() += 1);
        let first = shard.read();
        drop((shard.upgradable_read(), first));
        writer.join().unwrap();
    });
}

#[test]
fn a_writer_behind_who_reads_upgradably_lets_others_read() {
    holds(|| {
        let shard = Arc::new(parking_lot::RwLock::new(0));
        let other = Arc::clone(&shard);
        let writer = thread::spawn(move || *other.write() += 1);
        let held = shard.upgradable_read();
        let first = shard.read();
        drop((shard.read(), first, held));
        writer.join().unwrap();
    });
}

#[test]
fn a_thread_that_polls_under_a_read_guard_is_a_livelock() {
    // Once the writer waits, nobody sets the flag: that is a livelock, whoever goes first.
    let body = || {
        let (shard, flag) = (Arc::new(RwLock::new(0)), Arc::new(AtomicBool::new(false)));
        let other = (Arc::clone(&shard), Arc::clone(&flag));
        let writer = thread::spawn(move || {
            *other.0.write().unwrap() += 1;
            other.1.store(true, SeqCst);
        });
        let reads = shard.read().unwrap();
        while !flag.load(SeqCst) {
            thread::yield_now();
        }
        drop(reads);
        writer.join().unwrap();
    };
    for engine in [Engine::Dpor, Engine::Dfs] {
        let report = Explorer::new(engine).max_steps(2_500).explore(body);
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Livelock), "{report}");
    }
}

#[test]
fn a_divided_search_counts_each_wait_once() {
    for writers in [[true, true], [true, false]] {
        let explorer = Explorer::new(Engine::Dpor).past_failures();
        let whole = explorer.explore(move || cross(writers));
        let divided = explorer.jobs(2).explore(move || cross(writers));
        assert_eq!(divided.traces, whole.traces, "{divided}");
        assert_eq!(divided.executions, whole.executions, "{divided}");
        assert_eq!(divided.violations, whole.violations, "{divided}");
    }
}

/// Whether a search names what it leaves out of an attempt to read beside a reader, and of a writer.
fn names_an_attempt(writer_begins_first: bool) -> bool {
    let report = explore(Engine::Dpor, move || {
        let shard = Arc::new(parking_lot::RwLock::new(0));
        let write = {
            let shard = Arc::clone(&shard);
            let own = AtomicUsize::new(0);
            move || {
                // Nobody else uses it, so that no order of this step is explored for its own sake.
                own.load(SeqCst);
                *shard.write() += 1;
            }
        };
        let attempt = || {
            let first = shard.read();
            assert!(shard.try_read().is_some());
            drop(first);
        };
        if writer_begins_first {
            let writer = thread::spawn(write);
            attempt();
            writer.join().unwrap();
        } else {
            attempt();
            thread::spawn(write).join().unwrap();
        }
    });
    report.left_out.contains(&LeftOut::WaitingWriters)
}

#[test]
fn an_attempt_to_read_before_a_writer_comes_is_named_if_the_writer_could_come_first() {
    assert!(names_an_attempt(true));
    assert!(!names_an_attempt(false));
}
