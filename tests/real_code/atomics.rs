//! What real code does with atomics beside their operations.
#![expect(
    unsafe_code,
    reason = "memory that is not initialised is what is tested"
)]

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst};
use racelab::thread;

use super::holds;

/// What blocks of queues consist of.
struct Block {
    len: AtomicUsize,
    is_closed: AtomicBool,
    next: AtomicPtr<Block>,
}

fn zeroed() -> Block {
    // SAFETY: a number, a flag and a pointer of zero bytes are 0, false and null, as std's atomics have it.
    unsafe { std::mem::zeroed() }
}

fn use_zeroed_memory() {
    let block = Arc::new(zeroed());
    let other = thread::spawn({
        let block = Arc::clone(&block);
        move || {
            assert!(block.next.load(SeqCst).is_null());
            block.len.fetch_add(1, SeqCst);
            block.is_closed.store(true, SeqCst);
        }
    });
    let is_closed = block.is_closed.load(SeqCst);
    assert!(!is_closed || block.len.load(SeqCst) == 1);
    other.join().unwrap();
    assert_eq!(block.len.load(SeqCst), 1);
}

#[test]
fn zeroed_memory_is_atomics_of_zero_outside_of_executions() {
    use_zeroed_memory();
}

#[test]
fn zeroed_memory_is_atomics_of_zero_in_executions() {
    holds(use_zeroed_memory);
}

#[test]
fn a_block_that_is_published_by_its_address_is_there() {
    holds(|| {
        let head = Arc::new(AtomicPtr::new(std::ptr::null_mut()));
        let other = thread::spawn({
            let head = Arc::clone(&head);
            move || {
                let block = Box::new(zeroed());
                block.len.store(3, SeqCst);
                head.store(Box::into_raw(block), SeqCst);
            }
        });
        let seen = head.load(SeqCst);
        if !seen.is_null() {
            // SAFETY: it was published by `into_raw`, and is freed at the end only.
            let block = unsafe { &*seen };
            assert_eq!(block.len.load(SeqCst), 3);
        }
        other.join().unwrap();
        // SAFETY: it was published by `into_raw`, and nobody else has it any more.
        drop(unsafe { Box::from_raw(head.load(SeqCst)) });
    });
}
