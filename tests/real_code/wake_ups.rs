//! Wake-ups that nobody hears.

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex};
use racelab::{FailureKind, thread};

use super::{fails, holds};

/// Something that a thread waits for, under a lock.
#[derive(Default)]
struct Event {
    is_ready: Mutex<bool>,
    changed: Condvar,
}

/// One thread announces, and another one waits.
fn announce(wait: fn(&Event)) {
    let event = Arc::new(Event::default());
    let other = thread::spawn({
        let event = Arc::clone(&event);
        move || {
            *event.is_ready.lock().unwrap() = true;
            event.changed.notify_one();
        }
    });
    wait(&event);
    other.join().unwrap();
}

#[test]
fn who_looks_and_waits_in_one_critical_section_is_woken() {
    holds(|| {
        announce(|event| {
            let is_ready = event.is_ready.lock().unwrap();
            drop(
                event
                    .changed
                    .wait_while(is_ready, |is_ready| !*is_ready)
                    .unwrap(),
            );
        });
    });
}

#[test]
fn who_looks_and_waits_in_two_critical_sections_can_sleep_for_ever() {
    fails(FailureKind::Deadlock, "", || {
        announce(|event| {
            let is_ready = *event.is_ready.lock().unwrap();
            if !is_ready {
                let guard = event.is_ready.lock().unwrap();
                drop(event.changed.wait(guard).unwrap());
            }
        });
    });
}

/// Readers of which the last one to go tells who waits for that, and may take the lock before.
fn last_reader_tells(takes_the_lock: bool) {
    let shared = Arc::new((AtomicUsize::new(2), Mutex::new(()), Condvar::new()));
    let readers = [(); 2].map(|()| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            if shared.0.fetch_sub(1, SeqCst) == 1 {
                if takes_the_lock {
                    drop(shared.1.lock().unwrap());
                }
                shared.2.notify_one();
            }
        })
    });
    let mut guard = shared.1.lock().unwrap();
    while shared.0.load(SeqCst) > 0 {
        guard = shared.2.wait(guard).unwrap();
    }
    drop(guard);
    for reader in readers {
        reader.join().unwrap();
    }
}

#[test]
fn a_notification_without_the_lock_can_come_between_look_and_wait() {
    fails(FailureKind::Deadlock, "", || last_reader_tells(false));
}

#[test]
fn a_notification_after_the_lock_was_taken_is_heard() {
    holds(|| last_reader_tells(true));
}

/// A thread leaves its handle for the one that sets the flag, before or after its look.
fn leave_a_handle(looks_again: bool) {
    let shared = Arc::new((AtomicBool::new(false), Mutex::new(None::<thread::Thread>)));
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            shared.0.store(true, SeqCst);
            let sleeper = shared.1.lock().unwrap().take();
            if let Some(sleeper) = sleeper {
                sleeper.unpark();
            }
        }
    });
    if looks_again {
        *shared.1.lock().unwrap() = Some(thread::current());
        while !shared.0.load(SeqCst) {
            thread::park();
        }
    } else if !shared.0.load(SeqCst) {
        *shared.1.lock().unwrap() = Some(thread::current());
        thread::park();
    }
    other.join().unwrap();
}

#[test]
fn who_leaves_its_handle_after_its_look_can_sleep_for_ever() {
    fails(FailureKind::Deadlock, "", || leave_a_handle(false));
}

#[test]
fn who_leaves_its_handle_before_its_look_is_woken() {
    holds(|| leave_a_handle(true));
}

/// Two things happen, and the thread is told of each.
fn two_events(wait: fn(&[AtomicBool; 2])) {
    let happened = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
    let sleeper = thread::current();
    let other = thread::spawn({
        let happened = Arc::clone(&happened);
        move || {
            for event in happened.iter() {
                event.store(true, SeqCst);
                sleeper.unpark();
            }
        }
    });
    wait(&happened);
    other.join().unwrap();
}

#[test]
fn a_token_of_park_can_be_taken_by_another_wait() {
    fails(FailureKind::Deadlock, "", || {
        two_events(|happened| {
            while !happened[0].load(SeqCst) {
                thread::park();
            }
            // One token may stand for both.
            thread::park();
        });
    });
}

#[test]
fn who_looks_before_each_park_is_woken() {
    holds(|| {
        two_events(|happened| {
            for event in happened {
                while !event.load(SeqCst) {
                    thread::park();
                }
            }
        });
    });
}

#[test]
fn a_wait_without_a_loop_is_found_by_a_spurious_wake_up() {
    super::is_refused("VIOLATED", || {
        racelab::check(|| {
            announce(|event| {
                let mut is_ready = event.is_ready.lock().unwrap();
                if !*is_ready {
                    is_ready = event.changed.wait(is_ready).unwrap();
                }
                assert!(*is_ready);
            });
        });
    });
}
