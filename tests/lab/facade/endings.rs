//! However an execution ends, its threads are unwound: nothing leaks and nothing aborts.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Condvar, Mutex, mpsc};
use racelab::{Engine, Explorer, FailureKind, Reason, Report, Verdict, thread};

/// Something alive: as many as there are clones of what the test holds.
type Live = Arc<()>;

/// Explores a body past its failures, up to so many executions of each engine, and checks that
/// nothing of it is left.
fn leaves_nothing(
    explorer: &Explorer,
    body: impl Fn(&Live) + Clone + Send + Sync + 'static,
) -> Report {
    let live = Live::new(());
    let kept = live.clone();
    let report = explorer.explore(move || body(&kept));
    assert_eq!(Arc::strong_count(&live), 1, "something is left: {report:?}");
    report
}

fn dfs() -> Explorer {
    Explorer::new(Engine::Dfs)
        .past_failures()
        .max_executions(3_000)
}

/// Checks that some executions fail in this way, and that nothing is left of them.
fn fails_without_leaks(kind: FailureKind, body: impl Fn(&Live) + Clone + Send + Sync + 'static) {
    let random = |engine| {
        let explorer = Explorer::new(engine).past_failures();
        explorer.max_executions(300)
    };
    for explorer in [
        dfs(),
        random(Engine::Random),
        #[cfg(feature = "shuttle")]
        random(Engine::Shuttle),
    ] {
        let report = leaves_nothing(&explorer.max_steps(super::MAX_STEPS), body.clone());
        let found = report.failure().map(|failure| failure.kind);
        assert_eq!(found, Some(kind), "{report:?}");
    }
}

/// Locks when it is dropped, and drops something alive.
struct LocksOnDrop<'a>(
    &'a Mutex<u32>,
    #[expect(dead_code, reason = "to be dropped")] Live,
);

impl Drop for LocksOnDrop<'_> {
    fn drop(&mut self) {
        if let Ok(mut value) = self.0.lock() {
            *value += 1;
        }
    }
}

/// Joins a thread when it is dropped.
struct JoinsOnDrop<T>(
    Option<thread::JoinHandle<T>>,
    #[expect(dead_code, reason = "to be dropped")] Live,
);

impl<T> Drop for JoinsOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            drop(handle.join());
        }
    }
}

/// A child that waits in one of the ways to wait, with something alive on its stack.
fn blocked_child(way: usize, live: &Live) -> (thread::JoinHandle<Live>, Box<dyn std::any::Any>) {
    let live = live.clone();
    match way {
        0 => {
            let mutex = Arc::new(Mutex::new(0));
            let other = Arc::clone(&mutex);
            let handle = thread::spawn(move || {
                drop(other.lock());
                live
            });
            (handle, Box::new(mutex))
        }
        1 => {
            let pair = Arc::new((Mutex::new(()), Condvar::new()));
            let other = Arc::clone(&pair);
            let handle = thread::spawn(move || {
                drop(other.1.wait(other.0.lock().unwrap()));
                live
            });
            (handle, Box::new(pair))
        }
        2 => {
            let (sender, receiver) = mpsc::channel();
            let handle = thread::spawn(move || receiver.recv().unwrap_or(live));
            (handle, Box::new(sender))
        }
        3 => {
            let (sender, receiver) = mpsc::sync_channel(0);
            let handle = thread::spawn(move || {
                drop(sender.send(live.clone()));
                live
            });
            (handle, Box::new(receiver))
        }
        4 => {
            let (sender, receiver) = mpsc::sync_channel(1);
            let handle = thread::spawn(move || {
                drop(sender.send(live.clone()));
                drop(sender.send(live.clone()));
                live
            });
            (handle, Box::new(receiver))
        }
        5 => {
            let handle = thread::spawn(move || {
                thread::park();
                live
            });
            (handle, Box::new(()))
        }
        _ => {
            let handle = thread::spawn(move || {
                let other = live.clone();
                let inner = thread::spawn(move || {
                    thread::park();
                    other
                });
                drop(inner.join());
                live
            });
            (handle, Box::new(()))
        }
    }
}

const WAYS: usize = 7;

#[test]
fn a_panic_in_main_leaves_nothing_of_children_that_wait() {
    for way in 0..WAYS {
        fails_without_leaks(FailureKind::Panic, move |live| {
            let (_child, _other) = blocked_child(way, live);
            let _own = live.clone();
            panic!("in main");
        });
    }
}

#[test]
fn a_deadlock_leaves_nothing() {
    for way in [1, 5, 6] {
        fails_without_leaks(FailureKind::Deadlock, move |live| {
            let (child, _other) = blocked_child(way, live);
            child.join().unwrap();
        });
    }
    for way in [2, 3, 4] {
        fails_without_leaks(FailureKind::Deadlock, move |live| {
            // Two children: `other` is kept, so that the channel stays connected.
            let (child, other) = blocked_child(way, live);
            child.join().unwrap();
            drop(other);
        });
    }
}

#[test]
fn a_panic_in_a_child_leaves_nothing_of_the_others() {
    for way in 0..WAYS {
        fails_without_leaks(FailureKind::Panic, move |live| {
            let (child, _other) = blocked_child(way, live);
            let own = live.clone();
            let panics = thread::spawn(move || {
                let _own = [own].to_vec();
                panic!("in a child");
            });
            drop(panics.join());
            drop(child.join());
        });
    }
}

#[test]
fn a_panic_inside_a_scope_leaves_nothing() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let mutex = Mutex::new(vec![live.clone()]);
        thread::scope(|scope| {
            scope.spawn(|| mutex.lock().unwrap().push(live.clone()));
            scope.spawn(|| thread::park());
            let _guard = mutex.lock();
            panic!("in the scope");
        });
    });
}

#[test]
fn a_panic_in_a_scoped_thread_leaves_nothing() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let mutex = Mutex::new(vec![live.clone()]);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = mutex.lock().unwrap();
                guard.push(live.clone());
                panic!("in a scoped thread");
            });
            let inner = scope.spawn(|| {
                thread::scope(|scope| {
                    scope.spawn(|| drop(mutex.lock()));
                    let _own = live.clone();
                    thread::park();
                });
            });
            drop(inner.join());
        });
    });
}

#[test]
fn a_deadlock_with_guards_leaves_nothing() {
    fails_without_leaks(FailureKind::Deadlock, |live| {
        let (a, b) = (Mutex::new(live.clone()), Mutex::new(live.clone()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock().unwrap();
                let _b = b.lock().unwrap();
            });
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        });
    });
}

#[test]
fn the_bound_on_steps_leaves_nothing() {
    let explorer = Explorer::new(Engine::Random)
        .past_failures()
        .max_executions(50)
        .max_steps(60);
    let report = leaves_nothing(&explorer, |live| {
        let (sender, receiver) = mpsc::channel();
        let mutex = Arc::new(Mutex::new(vec![live.clone()]));
        let shared = Arc::clone(&mutex);
        let own = live.clone();
        let _child = thread::spawn(move || {
            loop {
                shared.lock().unwrap().push(own.clone());
                sender.send(own.clone()).unwrap();
            }
        });
        loop {
            let _guard = mutex.lock().unwrap();
            let _ = receiver.try_recv();
        }
    });
    assert!(report.truncated > 0, "{report:?}");
    assert!(
        matches!(report.verdict, Verdict::Inconclusive(_)),
        "{report:?}"
    );
}

#[test]
fn a_livelock_leaves_nothing() {
    fails_without_leaks(FailureKind::Livelock, |live| {
        let (sender, receiver) = mpsc::channel();
        let _child = thread::spawn({
            let live = live.clone();
            move || {
                sender.send(live.clone()).unwrap();
                thread::park();
            }
        });
        let _first = receiver.recv();
        while receiver.try_recv().is_err() {
            thread::yield_now();
        }
    });
}

/// A message that holds ends of channels, its own one's too.
struct Letter {
    #[expect(dead_code, reason = "to be dropped")]
    live: Live,
    #[expect(dead_code, reason = "to be dropped")]
    reply: Option<Box<dyn Send>>,
}

#[test]
fn a_panic_leaves_nothing_of_queued_messages() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let (sender, receiver) = mpsc::channel();
        let reply = sender.clone();
        sender
            .send(Letter {
                live: live.clone(),
                reply: Some(Box::new(reply)),
            })
            .unwrap();
        let letter = Letter {
            live: live.clone(),
            reply: None,
        };
        let child = thread::spawn(move || {
            let _ = sender.send(letter);
            thread::park();
        });
        let _one = receiver.try_recv();
        child.thread().unpark();
        drop(receiver);
        panic!("with messages");
    });
}

#[test]
fn a_panic_leaves_nothing_of_messages_that_hold_their_own_channel() {
    for bound in 0..3 {
        fails_without_leaks(FailureKind::Panic, move |live| {
            let (sender, receiver) = mpsc::sync_channel(bound);
            let live = live.clone();
            let child = thread::spawn(move || {
                for _ in 0..2 {
                    let letter = Letter {
                        live: live.clone(),
                        reply: Some(Box::new(sender.clone())),
                    };
                    let _ = sender.try_send(letter);
                    let letter = Letter {
                        live: live.clone(),
                        reply: Some(Box::new(sender.clone())),
                    };
                    let _ = sender.send(letter);
                }
            });
            let _first = receiver.recv();
            drop(receiver);
            let _ = child.join();
            panic!("with messages");
        });
    }
}

#[test]
fn a_panic_in_any_place_leaves_nothing_of_messages_that_hold_their_own_channel() {
    for bound in 0..3 {
        fails_without_leaks(FailureKind::Panic, move |live| {
            let (sender, receiver) = mpsc::sync_channel(bound);
            let live = live.clone();
            let panics = thread::spawn(|| {
                thread::yield_now();
                panic!("at some time");
            });
            let child = thread::spawn(move || {
                for _ in 0..2 {
                    let letter = Letter {
                        live: live.clone(),
                        reply: Some(Box::new(sender.clone())),
                    };
                    let _ = sender.send(letter);
                }
            });
            let _first = receiver.recv();
            let _second = receiver.recv_timeout(Duration::from_millis(1));
            drop(receiver);
            let _ = child.join();
            let _ = panics.join();
        });
    }
}

#[test]
fn destructors_may_lock_what_others_hold() {
    fails_without_leaks(FailureKind::Deadlock, |live| {
        let (a, b) = (Mutex::new(0), Mutex::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _first = LocksOnDrop(&b, live.clone());
                let _a = a.lock().unwrap();
                let _second = LocksOnDrop(&b, live.clone());
                let _b = b.lock().unwrap();
            });
            let _first = LocksOnDrop(&a, live.clone());
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        });
    });
}

#[test]
fn a_destructor_may_lock_while_a_panic_unwinds_its_thread() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *mutex.lock().unwrap() += 1);
            let _locks = LocksOnDrop(&mutex, live.clone());
            thread::yield_now();
            panic!("with a destructor that locks");
        });
    });
}

#[test]
fn destructors_may_join() {
    for way in [2, 3, 4, 5] {
        fails_without_leaks(FailureKind::Panic, move |live| {
            let (child, other) = blocked_child(way, live);
            let _joins = JoinsOnDrop(Some(child), live.clone());
            let _other = other;
            thread::yield_now();
            panic!("with a destructor that joins");
        });
    }
    fails_without_leaks(FailureKind::Deadlock, |live| {
        let (child, _other) = blocked_child(5, live);
        let _joins = JoinsOnDrop(Some(child), live.clone());
        let (second, _another) = blocked_child(6, live);
        let _joins_too = JoinsOnDrop(Some(second), live.clone());
        thread::park();
    });
}

#[test]
fn destructors_may_use_channels() {
    /// Says good-bye when it is dropped, and waits for an answer.
    struct Polite(mpsc::SyncSender<Live>, mpsc::Receiver<Live>, Live);

    impl Drop for Polite {
        fn drop(&mut self) {
            let _ = self.0.try_send(self.2.clone());
            let _ = self.0.send(self.2.clone());
            let _ = self.1.try_recv();
            let _ = self.1.recv_timeout(Duration::from_millis(1));
            let _ = self.1.recv();
        }
    }

    for bound in 0..2 {
        fails_without_leaks(FailureKind::Deadlock, move |live| {
            let (sender, receiver) = mpsc::sync_channel(bound);
            let (answer, answers) = mpsc::sync_channel(bound);
            let own = live.clone();
            let _child = thread::spawn(move || {
                let _polite = Polite(answer, receiver, own);
                thread::park();
            });
            let _polite = Polite(sender, answers, live.clone());
            thread::park();
        });
    }
}

#[test]
fn collections_of_channel_ends_are_dropped_whole() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let mut map = HashMap::new();
        let mut deque = VecDeque::new();
        for n in 0..2 {
            let (sender, receiver) = mpsc::channel();
            sender.send(live.clone()).unwrap();
            map.insert(n, (sender, receiver));
            let (sender, receiver) = mpsc::channel();
            sender.send(live.clone()).unwrap();
            deque.push_back((sender, receiver));
        }
        let _child = thread::spawn(|| panic!("at some time"));
        drop(map);
        drop(deque);
    });
}

#[test]
fn a_result_that_nobody_asks_for_is_dropped_by_its_thread() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let (sender, receiver) = mpsc::channel::<Live>();
        let own = live.clone();
        drop(thread::spawn(move || (own, sender)));
        assert!(receiver.recv().is_err(), "the sender is gone");
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| LocksOnDrop(&mutex, live.clone()));
            let _guard = mutex.lock().unwrap();
            panic!("while the other is at its end");
        });
    });
}

#[test]
fn a_payload_that_holds_objects_of_the_façade_leaves_nothing() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let (sender, receiver) = mpsc::channel();
        sender.send(live.clone()).unwrap();
        let _child = thread::spawn(|| thread::park());
        std::panic::resume_unwind(Box::new((sender, receiver, live.clone())));
    });
}

#[test]
fn code_that_catches_everything_does_not_keep_an_execution_alive() {
    fails_without_leaks(FailureKind::Deadlock, |live| {
        let own = live.clone();
        let _child = thread::spawn(move || {
            let _own = [own].to_vec();
            for _ in 0..3 {
                let _ = catch_unwind(|| thread::park());
            }
        });
        thread::park();
    });
    // The end of an execution is no panic of the code, so that it poisons nothing.
    fails_without_leaks(FailureKind::Panic, |live| {
        let (mutex, count) = (Mutex::new(live.clone()), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = mutex.lock();
                let _ = catch_unwind(AssertUnwindSafe(|| count.fetch_add(1, SeqCst)));
                panic!("in a scoped thread");
            });
            let guard = mutex.lock();
            count.fetch_add(1, SeqCst);
            drop(guard);
        });
    });
}

#[test]
fn a_destructor_that_waits_in_a_panic_that_is_caught_is_beyond_the_lab() {
    let report = leaves_nothing(&dfs(), |live| {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *mutex.lock().unwrap() += 1);
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _locks = LocksOnDrop(&mutex, live.clone());
                thread::yield_now();
                std::panic::resume_unwind(Box::new(()));
            }));
            assert!(caught.is_err());
        });
    });
    let Verdict::Inconclusive(Reason::Unsupported(what)) = &report.verdict else {
        panic!("not beyond the lab: {report:?}")
    };
    assert!(what.starts_with("a destructor waits at "), "{what}");
    assert!(what.contains(file!()), "{what}");
}

#[test]
fn an_endless_loop_that_only_clones_and_drops_senders_is_ended() {
    let explorer = Explorer::new(Engine::Random)
        .past_failures()
        .max_executions(3)
        .max_steps(50);
    let report = leaves_nothing(&explorer, |live| {
        let (sender, _receiver) = mpsc::channel::<Live>();
        sender.send(live.clone()).unwrap();
        loop {
            drop(sender.clone());
        }
    });
    assert!(report.truncated > 0, "{report:?}");
}

#[test]
fn a_thread_that_goes_on_in_a_destructor_is_ended_at_its_next_operation() {
    fails_without_leaks(FailureKind::Panic, |live| {
        let mutex = Mutex::new(live.clone());
        let passed = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _locks = LocksOnDrop(&Mutex::new(0), live.clone());
                drop(mutex.lock().unwrap());
                passed.fetch_add(1, SeqCst);
                panic!("if it is still running");
            });
            scope.spawn(|| {
                let _guard = mutex.lock();
                panic!("at some time");
            });
        });
    });
}
