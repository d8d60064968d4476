//! The cell.

use std::rc::Rc;

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{AtomicBool, Ordering};
use racelab::thread;

/// A text that one thread hands over to another one.
struct Message {
    text: UnsafeCell<String>,
    is_there: AtomicBool,
}

// SAFETY: the text is written before the flag is set, and read after it was seen.
unsafe impl Sync for Message {}

#[test]
fn a_cell_hands_a_value_over_to_another_thread() {
    let message = Message {
        text: UnsafeCell::new(String::new()),
        is_there: AtomicBool::new(false),
    };
    let message = &message;
    thread::scope(|scope| {
        scope.spawn(move || {
            // SAFETY: nobody looks at it before the flag is set.
            message.text.with_mut(|text| unsafe { (*text).push('a') });
            message.is_there.store(true, Ordering::Release);
        });
        while !message.is_there.load(Ordering::Acquire) {
            thread::yield_now();
        }
        // SAFETY: nobody changes it after the flag was set.
        message.text.with(|text| assert_eq!(unsafe { &*text }, "a"));
    });
}

#[test]
fn the_pointers_of_a_cell_reach_its_value() {
    let mut cell = UnsafeCell::new(1);
    // SAFETY: nobody else has access to the cell, also below.
    unsafe {
        cell.write(cell.read() + 1);
        *cell.get() += 1;
        *UnsafeCell::raw_get(&raw const cell) += 1;
    }
    *cell.get_mut() += 1;
    assert_eq!(cell.into_inner(), 5);
}

#[test]
fn the_value_of_a_cell_is_moved_out_and_dropped_once() {
    let value = Rc::new(());
    let cell = UnsafeCell::new(Rc::clone(&value));
    assert_eq!(Rc::strong_count(&cell.into_inner()), 2);
    assert_eq!(Rc::strong_count(&value), 1);
    drop(UnsafeCell::new(Rc::clone(&value)));
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn a_cell_can_be_of_a_size_that_is_not_known() {
    let cell: Box<UnsafeCell<[u8]>> = Box::new(UnsafeCell::new([1, 2]));
    // SAFETY: nobody else has access to the cell.
    cell.with_mut(|items| unsafe { (*items)[1] = 3 });
    // SAFETY: as above.
    cell.with(|items| assert_eq!(unsafe { &*items }, [1, 3]));
}
