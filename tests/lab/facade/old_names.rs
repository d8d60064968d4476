//! What std still has under an older name does what it does under the newer one.
#![expect(deprecated, reason = "std still has it")]

use racelab::sync::atomic::{self, AtomicPtr, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex, ONCE_INIT, Once};
use racelab::{outcome, thread};

use super::{holds, outcomes};

#[test]
fn a_compare_and_swap_is_one_step_and_returns_the_value_before() {
    let seen = outcomes(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&n);
        let worker = thread::spawn(move || other.compare_and_swap(0, 1, SeqCst));
        let before = n.compare_and_swap(0, 2, SeqCst);
        outcome((before, worker.join().unwrap(), n.load(SeqCst)));
    });
    assert_eq!(seen, ["(0, 2, 2)", "(1, 0, 1)"]);
}

#[test]
fn a_thread_that_gives_the_hint_lets_others_go_first() {
    holds(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&flag);
        let setter = thread::spawn(move || other.store(1, SeqCst));
        while flag.load(SeqCst) == 0 {
            atomic::spin_loop_hint();
        }
        setter.join().unwrap();
    });
}

#[test]
fn a_wait_in_milliseconds_says_whether_it_was_woken() {
    let seen = outcomes(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = Arc::clone(&pair);
        let guard = pair.0.lock().unwrap();
        let notifier = thread::spawn(move || {
            drop(other.0.lock().unwrap());
            other.1.notify_one();
        });
        let (guard, was_woken) = pair.1.wait_timeout_ms(guard, 1_000_000).unwrap();
        drop(guard);
        outcome(was_woken);
        notifier.join().unwrap();
    });
    assert_eq!(seen, ["false", "true"]);
}

#[test]
fn to_sleep_and_to_park_for_milliseconds_takes_no_time() {
    holds(|| {
        thread::sleep_ms(u32::MAX);
        thread::park_timeout_ms(u32::MAX);
    });
}

#[test]
fn the_initial_once_is_a_new_one() {
    static ONCE: Once = ONCE_INIT;
    holds(|| {
        assert!(!ONCE.is_completed());
        ONCE.call_once(|| ());
    });
}

#[test]
fn an_atomic_pointer_is_shown_as_the_pointer_of_the_execution() {
    holds(|| {
        let mut value = 7;
        let pointer = AtomicPtr::default();
        pointer.store(&raw mut value, SeqCst);
        assert_eq!(format!("{pointer:p}"), format!("{:p}", &raw mut value));
    });
}
