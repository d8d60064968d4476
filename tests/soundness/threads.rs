//! Threads that borrow, and what they leave behind.

use std::cell::RefCell;

use racelab::sync::{Arc, Mutex};
use racelab::thread;

use crate::{give_up, panics};

#[test]
fn the_result_of_a_thread_is_taken_by_whoever_has_the_handle() {
    let handle = thread::spawn(|| vec![1]);
    let handle = thread::spawn(move || {
        while !handle.is_finished() {
            thread::yield_now();
        }
        handle.join().unwrap()
    });
    assert_eq!(handle.join().unwrap(), [1]);
    // The result of a thread that nobody joins is dropped by the thread itself, or with the handle.
    let value = Arc::new(());
    let shared = Arc::clone(&value);
    drop(thread::spawn(move || shared));
    while Arc::strong_count(&value) > 1 {
        thread::yield_now();
    }
}

#[test]
fn a_handle_can_be_looked_at_by_several_threads() {
    let handle = thread::Builder::new()
        .name("named".to_owned())
        .spawn(|| vec![1]);
    let handle = handle.unwrap();
    thread::scope(|scope| {
        scope.spawn(|| handle.is_finished());
        assert_eq!(handle.thread().name(), Some("named"));
    });
    assert_eq!(handle.join().unwrap(), [1]);
}

#[test]
fn an_unchecked_thread_borrows_and_gives_back_what_it_has_borrowed() {
    let mut list = vec![1];
    let borrowed = &mut list;
    let builder = thread::Builder::new();
    // SAFETY: the thread is joined before the list is used again.
    let handle = unsafe {
        builder.spawn_unchecked(move || {
            borrowed.push(2);
            borrowed.last_mut().unwrap()
        })
    };
    *handle.unwrap().join().unwrap() += 1;
    assert_eq!(list, [1, 3]);
}

#[test]
fn scoped_threads_borrow_and_start_others_that_do() {
    let (mut list, mut other, text) = (vec![1], vec![2], String::from("a"));
    let first = thread::scope(|scope| {
        let handle = scope.spawn(|| {
            scope.spawn(|| list.push(3));
            let inner = thread::Builder::new().spawn_scoped(scope, || {
                other.push(4);
                text.as_str()
            });
            inner.unwrap().join().unwrap()
        });
        handle.join().unwrap()
    });
    assert_eq!((first, list, other), ("a", vec![1, 3], vec![2, 4]));
}

#[test]
fn scopes_lie_in_scopes() {
    let list = Mutex::new(Vec::new());
    thread::scope(|outer| {
        outer.spawn(|| {
            let item = String::from("a");
            thread::scope(|inner| {
                inner.spawn(|| list.lock().unwrap().push(item.clone()));
                outer.spawn(|| list.lock().unwrap().push("b".to_owned()));
            });
        });
    });
    assert_eq!(list.into_inner().unwrap().len(), 2);
}

#[test]
fn what_a_scoped_thread_borrows_outlives_it_also_in_a_panic() {
    let mut list = vec![1];
    let ended = panics(|| {
        let item = String::from("a");
        thread::scope(|scope| {
            scope.spawn(|| list.push(item.len()));
            give_up()
        })
    });
    assert!(ended);
    assert!(panics(|| thread::scope(|scope| {
        scope.spawn(|| {
            list.push(2);
            give_up()
        });
    })));
    thread::scope(|scope| {
        let thread = scope.spawn(|| -> &mut u8 { give_up() });
        assert!(thread.join().is_err());
    });
    assert_eq!(list, [1, 1, 2]);
}

racelab::thread_local! {
    static SENDER: RefCell<Option<Returned>> = const { RefCell::new(None) };
}

/// Goes into the list when it is dropped.
struct Returned(Arc<Mutex<Vec<String>>>, String);

impl Drop for Returned {
    fn drop(&mut self) {
        let mut list = self.0.lock().unwrap();
        list.push(std::mem::take(&mut self.1));
    }
}

#[test]
fn values_of_threads_are_dropped_by_their_threads() {
    let list = Arc::new(Mutex::new(Vec::new()));
    let threads = ["a", "b"].map(|text| {
        let returned = Returned(Arc::clone(&list), text.to_owned());
        thread::spawn(move || SENDER.set(Some(returned)))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(list.lock().unwrap().len(), 2);
}
