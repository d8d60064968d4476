//! What is initialised once.

use std::rc::Rc;

use racelab::sync::{Arc, LazyLock, Mutex, Once, OnceLock};
use racelab::thread;

use crate::{give_up, panics};

#[test]
fn threads_that_initialise_at_once_get_one_value() {
    let lock = OnceLock::new();
    let lazy = LazyLock::new(|| vec![7]);
    let texts = thread::scope(|scope| {
        let threads = ["a", "b"].map(|text| {
            let (lock, lazy) = (&lock, &lazy);
            scope.spawn(move || {
                assert_eq!(**lazy, [7]);
                lock.get_or_init(|| text.to_owned())
            })
        });
        assert_eq!(lock.wait().len(), 1);
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(texts[0], texts[1]);
    assert!(std::ptr::eq(texts[0], lock.get().unwrap()));
}

#[test]
fn a_value_that_was_set_can_be_changed_taken_and_cloned() {
    let mut lock = OnceLock::new();
    assert_eq!(lock.set(vec![1]), Ok(()));
    assert_eq!(lock.set(vec![2]), Err(vec![2]));
    lock.get_mut().unwrap().push(3);
    assert_eq!(lock.clone().into_inner(), Some(vec![1, 3]));
    assert_eq!(lock.take(), Some(vec![1, 3]));
    assert!(lock.get().is_none() && lock.get_mut().is_none());
    assert_eq!(OnceLock::from(vec![4]).get_or_init(Vec::new), &[4]);
}

#[test]
fn a_value_that_was_not_taken_is_dropped_once() {
    let value = Rc::new(());
    let lock = OnceLock::new();
    let lazy = LazyLock::new(|| Rc::clone(&value));
    assert!(lock.set(Rc::clone(&value)).is_ok());
    assert_eq!(Rc::strong_count(&lazy), 3);
    drop((lock, lazy));
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn what_a_value_borrows_may_be_gone_when_its_lock_is_dropped() {
    let lock = OnceLock::new();
    let boxed = OnceLock::new();
    let lazy: LazyLock<&str>;
    {
        let text = String::from("a");
        assert_eq!(lock.set(text.as_str()), Ok(()));
        assert_eq!(boxed.get_or_init(|| Box::new(text.as_str())).len(), 1);
        lazy = LazyLock::new(|| "b");
        assert_eq!(*lazy, "b");
    }
}

#[test]
fn an_initialiser_that_panicked_leaves_no_value() {
    let lock = OnceLock::new();
    assert!(panics(|| lock.get_or_init(|| give_up())));
    assert_eq!(lock.get_or_init(|| 1), &1);

    let mut lazy = LazyLock::new(|| -> String { give_up() });
    assert!(panics(|| lazy.len()));
    assert!(panics(|| lazy.len()));
    assert!(panics(|| LazyLock::force_mut(&mut lazy)));
    assert!(LazyLock::get(&lazy).is_none());

    let once = Once::new();
    assert!(panics(|| once.call_once(|| give_up())));
    assert!(panics(|| once.call_once(|| ())));
    once.call_once_force(|state| assert!(state.is_poisoned()));
    once.wait();
}

#[test]
fn a_lazy_value_can_be_changed_by_who_has_it_alone() {
    let mut lazy = LazyLock::new(|| vec![1]);
    assert!(LazyLock::get_mut(&mut lazy).is_none());
    LazyLock::force_mut(&mut lazy).push(2);
    lazy.push(3);
    LazyLock::get_mut(&mut lazy).unwrap().push(4);
    assert_eq!(*lazy, [1, 2, 3, 4]);
}

#[test]
fn an_initialiser_is_used_or_dropped_whatever_it_captures() {
    fn text<'a>() -> &'a str {
        "a"
    }
    let pointer: LazyLock<&str, fn() -> &'static str> = LazyLock::new(text);
    assert_eq!(*pointer, "a");
    // As large as a function pointer, which can be copied: this one must not be.
    let captured = Arc::new(1);
    let only = Box::new(Arc::clone(&captured));
    let lazy = LazyLock::new(move || **only);
    assert_eq!(*lazy, 1);
    let boxed: Box<dyn FnOnce() -> i32 + '_> = Box::new(|| *captured);
    assert_eq!(*LazyLock::new(boxed), 1);
    let only = Arc::clone(&captured);
    drop(LazyLock::new(move || only));
    assert_eq!(Arc::strong_count(&captured), 1);
}

racelab::statics! {
    static LIST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
}

#[test]
fn a_static_is_one_for_all_threads() {
    let threads = [1, 2].map(|item| thread::spawn(move || LIST.lock().unwrap().push(item)));
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(LIST.lock().unwrap().len(), 2);
}
