//! Which reasons are found where a read was stale, which only loom has.

use racelab::sync::Arc;
use racelab::sync::atomic::{
    self, AtomicBool, AtomicUsize, Ordering,
    Ordering::{Acquire, Relaxed, Release},
};
use racelab::{Engine, Explorer, FailureKind, Named, thread};

/// Why this fails under loom.
fn why_under_loom(kind: FailureKind, body: impl Fn() + Send + Sync + 'static) -> Option<String> {
    let report = Explorer::new(Engine::Loom).explore(body);
    let failure = report.failure().expect("some execution fails");
    assert_eq!(failure.kind, kind, "{report}");
    failure.why.clone()
}

/// Publishes data behind a flag, and fails if another thread sees the flag without the data.
fn publish(store: Ordering, load: Ordering, fence: Option<Ordering>) {
    let data = Arc::new(AtomicUsize::new(0).named("data"));
    let ready = Arc::new(AtomicBool::new(false).named("ready"));
    let writer = thread::spawn({
        let (data, ready) = (Arc::clone(&data), Arc::clone(&ready));
        move || {
            data.store(1, Relaxed);
            if let Some(fence) = fence {
                atomic::fence(fence);
            }
            ready.store(true, store);
        }
    });
    if ready.load(load) {
        assert_eq!(data.load(Relaxed), 1);
    }
    writer.join().unwrap();
}

#[test]
fn a_stale_read_names_the_store_and_the_message_that_is_too_weak() {
    let expect = |store, load, fence, hint: &str| {
        let why = why_under_loom(FailureKind::Panic, move || publish(store, load, fence));
        let why = why.expect("there is a reason");
        let stale = "the value that data had before step 2; nothing orders T1's store before it. ";
        assert!(why.starts_with("stale read: main read at step "), "{why}");
        assert!(why.contains(&format!("{stale}{hint}")), "{why}");
    };
    let store = "The store of ready at step 3 is Relaxed; make it Release";
    expect(Relaxed, Relaxed, None, store);
    expect(Relaxed, Acquire, None, store);
    let load = "The load of ready at step ";
    expect(Release, Relaxed, None, load);
    expect(Relaxed, Relaxed, Some(Release), load);
}

#[test]
fn a_stale_read_without_a_message_between_the_threads_names_no_message() {
    let why = why_under_loom(FailureKind::Panic, || {
        let [x, y] = ["x", "y"].map(|name| Arc::new(AtomicUsize::new(0).named(name)));
        let other = thread::spawn({
            let (x, y) = (Arc::clone(&x), Arc::clone(&y));
            move || {
                x.store(1, Relaxed);
                y.load(Relaxed)
            }
        });
        y.store(1, Relaxed);
        let mine = x.load(Relaxed);
        assert!(mine + other.join().unwrap() > 0);
    });
    let why = why.expect("there is a reason");
    assert!(why.starts_with("stale read: "), "{why}");
    assert!(!why.contains("make it"), "{why}");
}

#[test]
fn a_thread_that_waits_for_ever_after_a_stale_read_is_told_so() {
    let why = why_under_loom(FailureKind::Deadlock, || {
        let data = Arc::new(AtomicBool::new(false).named("data"));
        let ready = Arc::new(AtomicBool::new(false).named("ready"));
        let writer = thread::spawn({
            let (data, ready) = (Arc::clone(&data), Arc::clone(&ready));
            move || {
                data.store(true, Relaxed);
                ready.store(true, Relaxed);
            }
        });
        if ready.load(Relaxed) && !data.load(Relaxed) {
            thread::park();
        }
        writer.join().unwrap();
    });
    let why = why.expect("there is a reason");
    assert!(why.starts_with("deadlock: main is parked"), "{why}");
    assert!(why.contains(". Stale read: main read at step "), "{why}");
}
