//! Threads: scopes, names, tokens, ends.

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::{FailureKind, outcome, thread};

use super::super::{fails, holds, outcomes};
use super::MOMENT;

#[test]
fn a_scope_joins_the_threads_that_were_not_joined() {
    holds(|| {
        let count = AtomicUsize::new(0);
        let result = thread::scope(|scope| {
            scope.spawn(|| count.fetch_add(1, SeqCst));
            scope.spawn(|| scope.spawn(|| count.fetch_add(1, SeqCst)));
            let own = scope.spawn(|| 5).join().unwrap();
            own + 1
        });
        assert_eq!((result, count.load(SeqCst)), (6, 2));
    });
}

#[test]
fn a_builder_names_its_thread() {
    fn use_a_builder() {
        let named = thread::Builder::new()
            .name("reader".to_owned())
            .stack_size(1 << 16);
        let handle = named
            .spawn(|| thread::current().name().map(str::to_owned))
            .unwrap();
        assert_eq!(handle.thread().name(), Some("reader"));
        let id = handle.thread().id();
        assert_ne!(id, thread::current().id());
        assert_eq!(handle.join().unwrap().as_deref(), Some("reader"));
        thread::scope(|scope| {
            let scoped = thread::Builder::new().name("scoped".to_owned());
            let scoped = scoped.spawn_scoped(scope, || thread::current().name().is_some());
            assert!(scoped.unwrap().join().unwrap());
            let unnamed = scope.spawn(|| thread::current().name().is_none());
            assert!(unnamed.join().unwrap());
        });
    }
    use_a_builder();
    holds(use_a_builder);
    holds(|| assert_eq!(thread::current().name(), Some("main")));
}

#[test]
fn a_token_handed_out_before_the_park_is_kept() {
    holds(|| {
        let main = thread::current();
        let other = thread::spawn(move || main.unpark());
        thread::park();
        other.join().unwrap();
    });
}

#[test]
fn tokens_do_not_add_up() {
    fails(FailureKind::Deadlock, || {
        thread::current().unpark();
        thread::current().unpark();
        thread::park();
        thread::park();
    });
}

#[test]
fn a_park_with_a_time_limit_ends_in_both_ways() {
    let results = outcomes(|| {
        let (main, handed) = (thread::current(), Arc::new(AtomicBool::new(false)));
        let hands = Arc::clone(&handed);
        let other = thread::spawn(move || {
            hands.store(true, SeqCst);
            main.unpark();
        });
        thread::park_timeout(MOMENT);
        outcome(handed.load(SeqCst));
        other.join().unwrap();
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_thread_is_seen_to_be_finished_or_not() {
    let results = outcomes(|| {
        let done = Arc::new(AtomicBool::new(false));
        let sets = Arc::clone(&done);
        let other = thread::spawn(move || sets.store(true, SeqCst));
        let is_finished = other.is_finished();
        let is_done = done.load(SeqCst);
        assert!(is_done || !is_finished);
        outcome(is_finished);
        other.join().unwrap();
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_loop_until_a_thread_is_finished_comes_to_an_end() {
    holds(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let sets = Arc::clone(&flag);
        let other = thread::spawn(move || sets.store(true, SeqCst));
        while !other.is_finished() {}
        assert!(flag.load(SeqCst));
    });
}
