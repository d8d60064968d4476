//! The tests that are run again, most of them to fail.

use std::collections::HashMap;
use std::time::Duration;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::{Engine, Explorer, Named, thread};

fn lose_an_update() {
    let n = Arc::new(AtomicUsize::new(0).named("n"));
    let add = |n: &AtomicUsize| n.store(n.load(SeqCst) + 1, SeqCst);
    let other = thread::spawn({
        let n = Arc::clone(&n);
        move || add(&n)
    });
    add(&n);
    other.join().unwrap();
    assert_eq!(n.load(SeqCst), 2);
}

fn add_under_a_lock(threads: usize) {
    let n = Arc::new(Mutex::new(0));
    let others: Vec<_> = (0..threads)
        .map(|_| {
            let n = Arc::clone(&n);
            thread::spawn(move || *n.lock().unwrap() += 1)
        })
        .collect();
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(*n.lock().unwrap(), threads);
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn loses_an_update() {
    racelab::check(lose_an_update);
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn loses_an_update_too() {
    racelab::check(lose_an_update);
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn holds() {
    racelab::check(|| add_under_a_lock(2));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn has_too_many_interleavings() {
    racelab::check(|| add_under_a_lock(12));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn always_fails() {
    racelab::check(|| {
        thread::spawn(|| panic!("as always"));
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn uses_an_object_from_outside() {
    let outside = Arc::new(Mutex::new(0));
    racelab::check(move || {
        let other = Arc::clone(&outside);
        let other = thread::spawn(move || *other.lock().unwrap() += 1);
        *outside.lock().unwrap() += 1;
        other.join().unwrap();
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn is_all_of_std() {
    racelab::check(|| {
        let n = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let other = std::thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(n.load(SeqCst) + 1, SeqCst)
        });
        other.join().unwrap();
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn shares_a_mutex_of_std() {
    racelab::check(|| {
        let n = Arc::new(std::sync::Mutex::new(0));
        let add = |n: &std::sync::Mutex<usize>| {
            let seen = *n.lock().unwrap();
            *n.lock().unwrap() = seen + 1;
        };
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || add(&n)
        });
        add(&n);
        other.join().unwrap();
        assert_eq!(*n.lock().unwrap(), 2);
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn starts_no_thread() {
    racelab::check(|| assert_eq!(AtomicUsize::new(1).load(SeqCst), 1));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn never_ends() {
    racelab::check(|| {
        let n = AtomicUsize::new(0);
        loop {
            n.fetch_add(1, SeqCst);
        }
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn may_not_end() {
    racelab::check(|| {
        let is_set = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let is_set = Arc::clone(&is_set);
            move || is_set.store(1, SeqCst)
        });
        let rounds = AtomicUsize::new(0);
        if is_set.load(SeqCst) == 0 {
            loop {
                rounds.fetch_add(1, SeqCst);
            }
        }
        other.join().unwrap();
    });
}

/// Looks into a queue, then whether the sender is gone: what is sent between the two looks is
/// lost.
fn poll(pause: fn(), looks_again: bool) {
    let queue = Arc::new(Mutex::new(None));
    let senders = Arc::new(AtomicUsize::new(1));
    let sender = thread::spawn({
        let (queue, senders) = (Arc::clone(&queue), Arc::clone(&senders));
        move || {
            *queue.lock().unwrap() = Some(5);
            senders.fetch_sub(1, SeqCst);
        }
    });
    let got = loop {
        let message = queue.lock().unwrap().take();
        if message.is_some() {
            break message;
        }
        if senders.load(SeqCst) == 0 {
            break if looks_again {
                queue.lock().unwrap().take()
            } else {
                None
            };
        }
        pause();
    };
    sender.join().unwrap();
    assert_eq!(got, Some(5));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn polls_and_misses_a_message() {
    racelab::check(|| poll(thread::yield_now, false));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn polls_without_a_pause_and_misses_a_message() {
    racelab::check(|| poll(|| (), false));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn polls_and_misses_nothing() {
    racelab::check(|| poll(thread::yield_now, true));
}

/// A map with its first key in another place than in the map before: by chance, as always with the
/// maps of std, it could be in the same.
fn in_another_order() -> HashMap<usize, AtomicUsize> {
    static PLACE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(usize::MAX);
    loop {
        let map: HashMap<_, _> = (0..16).map(|key| (key, AtomicUsize::new(key))).collect();
        let place = map.keys().position(|key| *key == 0).expect("it is there");
        if PLACE.swap(place, SeqCst) != place {
            return map;
        }
    }
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn follows_a_hash_map() {
    racelab::check(|| {
        let atomics = Arc::new(in_another_order());
        let other = thread::spawn({
            let atomics = Arc::clone(&atomics);
            move || atomics[&0].load(SeqCst)
        });
        for atomic in atomics.values() {
            atomic.fetch_add(1, SeqCst);
        }
        other.join().unwrap();
    });
}

/// A body in which what is done differs from one execution to the next.
fn count_up(then: fn(usize, &AtomicUsize)) {
    static EXECUTIONS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let n = Arc::new(AtomicUsize::new(0));
    let other = thread::spawn({
        let n = Arc::clone(&n);
        move || n.load(SeqCst)
    });
    then(EXECUTIONS.fetch_add(1, SeqCst), &n);
    n.load(SeqCst);
    other.join().unwrap();
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn decides_by_a_clock() {
    racelab::check(|| {
        count_up(|now, n| {
            if now.is_multiple_of(2) {
                n.store(1, SeqCst);
            }
        });
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn writes_a_time_and_decides_by_it() {
    racelab::check(|| {
        count_up(|now, n| {
            n.store(now, SeqCst);
            if now.is_multiple_of(2) {
                n.store(1, SeqCst);
            }
        });
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn waits_for_a_channel_of_std() {
    let explorer = Explorer::new(Engine::Dpor).stall_limit(Duration::from_millis(200));
    explorer.check(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        let other = thread::spawn(move || sender.send(1).unwrap());
        receiver.recv().unwrap();
        other.join().unwrap();
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn starts_threads_of_std() {
    racelab::check(|| {
        let n = Arc::new(Mutex::new(0));
        let others = [1, 2].map(|step| {
            let n = Arc::clone(&n);
            std::thread::spawn(move || *n.lock().unwrap() += step)
        });
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*n.lock().unwrap(), 3);
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn starts_threads_of_both() {
    racelab::check(|| {
        let n = Arc::new(AtomicUsize::new(0));
        n.fetch_add(1, SeqCst);
        let add = |n: Arc<AtomicUsize>| move || n.fetch_add(1, SeqCst);
        let ours = thread::spawn(add(Arc::clone(&n)));
        let foreign = std::thread::spawn(add(Arc::clone(&n)));
        foreign.join().unwrap();
        ours.join().unwrap();
        assert_eq!(n.load(SeqCst), 3);
    });
}

#[cfg(feature = "cli")]
#[test]
#[ignore = "run by other tests, with a changed environment"]
fn starts_threads_of_rayon() {
    racelab::check(|| {
        let n = Mutex::new(0);
        rayon::scope(|scope| scope.spawn(|_| *n.lock().unwrap() += 1));
        assert_eq!(*n.lock().unwrap(), 1);
    });
}

#[cfg(feature = "future")]
#[test]
#[ignore = "run by other tests, with a changed environment"]
fn starts_tasks_of_tokio() {
    racelab::check(|| {
        let n = Arc::new(Mutex::new(0));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let task = runtime.spawn({
            let n = Arc::clone(&n);
            async move { *n.lock().unwrap() += 1 }
        });
        runtime.block_on(task).unwrap();
        assert_eq!(*n.lock().unwrap(), 1);
    });
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn checks_inside_of_a_check() {
    racelab::check(|| racelab::check(|| add_under_a_lock(2)));
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn has_settings_in_code() {
    let explorer = Explorer::new(Engine::Random).seed(3);
    explorer.max_executions(7).check(lose_an_update);
}

#[test]
#[ignore = "run by other tests, with a changed environment"]
fn is_required_to_be_complete_in_code() {
    let explorer = Explorer::new(Engine::Dpor).max_executions(1);
    explorer.require_complete().check(|| add_under_a_lock(2));
}
