//! Executions without coroutines, for tests that Miri runs: the unsafe code of the façade in executions.
//!
//! A thread runs to its end as soon as it was started, on the stack of the one that has started it. So a
//! body has one execution, in which no thread may wait for an older one.

use std::cell::RefCell;
use std::sync::Arc;

use crate::execution::{self, NextStep, Offer, Patience, Pulse, Runtime};
use crate::memory::Access;
use crate::trace::{CellAccesses, Choice, ThreadId};

use super::{Conduct, Coroutines};

/// The main function of a thread under test.
type Main = Box<dyn FnOnce()>;

thread_local! {
    /// The threads that were started and have not run yet.
    static STARTED: RefCell<Vec<(ThreadId, Main)>> = const { RefCell::new(Vec::new()) };
}

struct Nested;

impl Runtime for Nested {
    fn take_turn(&self, _next: &NextStep, _access: Option<&Access>) -> Option<u64> {
        run_others(Some(execution::with(|execution| execution.me())));
        None
    }

    fn let_others_unwind(&self) {
        run_others(Some(execution::with(|execution| execution.me())));
    }

    fn spawn(&self, thread: ThreadId, f: Main) {
        STARTED.with_borrow_mut(|started| started.push((thread, f)));
    }
}

/// Runs threads that were started, until it is the turn of this one, or all have ended.
fn run_others(me: Option<ThreadId>) {
    while let Some(thread) = next(me).filter(|thread| Some(*thread) != me) {
        let (started, f) = STARTED
            .with_borrow_mut(Vec::pop)
            .expect("no thread waits for an older one");
        assert_eq!(started, thread);
        f();
    }
}

/// The thread that goes on: this one, if it can.
fn next(me: Option<ThreadId>) -> Option<ThreadId> {
    execution::with(|execution| {
        let mut choices = Vec::new();
        loop {
            match execution.offer(&mut choices) {
                Offer::Over => return None,
                Offer::Continue(thread) => return Some(thread),
                Offer::Ended => {}
                Offer::Redundant => unreachable!("nothing is pruned"),
                Offer::Choose { running } => {
                    let mine = |choice: &&Choice| Some(choice.thread) == me;
                    let mine = *choices.iter().find(mine).unwrap_or(&choices[0]);
                    execution.take(mine, running);
                    return Some(mine.thread);
                }
            }
        }
    })
}

/// Runs an execution of a body, and returns how it has ended, if not in the normal way.
fn run(body: impl Fn() + Send + Sync + 'static) -> Option<String> {
    let body = Arc::new(body);
    let engine = Coroutines {
        body: body.clone(),
        max_steps: 1_000,
        pulse: Arc::new(Pulse::default()),
        patience: Patience::default(),
        wakes_spuriously: false,
        cells: CellAccesses::default(),
    };
    let conduct = Conduct {
        prunes: false,
        ..Conduct::default()
    };
    engine.begin(&Nested, conduct, None);
    let main = Box::new(move || execution::run_body(&*body));
    Nested.spawn(ThreadId::MAIN, main);
    run_others(None);
    let execution = execution::leave().expect("it was begun");
    execution.ending().map(ToString::to_string)
}

mod tests {
    use std::cell::{Cell, RefCell};
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::rc::Rc;

    use super::run;
    use crate::cell::UnsafeCell;
    use crate::sync::{Condvar, LazyLock, Mutex, OnceLock, RwLock};
    use crate::thread;

    /// Runs a body that must hold.
    fn holds(body: impl Fn() + Send + Sync + 'static) {
        assert_eq!(run(body), None);
    }

    #[test]
    fn locks_hand_out_what_they_guard() {
        holds(|| {
            let (list, changed) = (Mutex::new(vec![0]), Condvar::new());
            let mut prices = RwLock::new(vec![0]);
            thread::scope(|scope| {
                for item in [1, 2] {
                    let (list, prices, changed) = (&list, &prices, &changed);
                    scope.spawn(move || {
                        list.lock().unwrap().push(item);
                        changed.notify_all();
                        assert_eq!(prices.read().unwrap().len(), prices.read().unwrap().len());
                        prices.write().unwrap().push(item);
                    });
                }
                let guard = changed
                    .wait_while(list.lock().unwrap(), |list| list.len() < 2)
                    .unwrap();
                assert_eq!(guard[0], 0);
            });
            prices.get_mut().unwrap().push(3);
            assert_eq!(list.into_inner().unwrap(), [0, 1, 2]);
            assert_eq!(prices.into_inner().unwrap(), [0, 1, 2, 3]);
        });
    }

    #[test]
    fn what_is_made_once_is_changed_taken_and_dropped_once() {
        holds(|| {
            let value = Rc::new(());
            let mut lock = OnceLock::from(Rc::clone(&value));
            assert!(Rc::ptr_eq(lock.get_mut().unwrap(), &value));
            assert_eq!(Rc::strong_count(&lock.take().unwrap()), 2);
            assert!(lock.set(Rc::clone(&value)).is_ok());
            assert!(lock.set(Rc::clone(&value)).is_err());
            let mut lazy = LazyLock::new(|| vec![Rc::clone(&value)]);
            assert_eq!(Rc::strong_count(&lazy[0]), 3);
            lazy.push(Rc::clone(lock.wait()));
            drop((lazy, lock));
            assert_eq!(Rc::strong_count(&value), 1);
        });
    }

    #[test]
    fn what_a_value_borrows_may_be_gone_when_its_lock_is_dropped() {
        holds(|| {
            let (lock, boxed) = (OnceLock::new(), OnceLock::new());
            let text = String::from("a");
            assert_eq!(lock.set(text.as_str()), Ok(()));
            assert_eq!(boxed.get_or_init(|| Box::new(text.as_str())).len(), 1);
        });
    }

    #[test]
    fn an_initialiser_that_panicked_leaves_no_value() {
        holds(|| {
            let lock = OnceLock::new();
            let give_up = || -> String { resume_unwind(Box::new(())) };
            let is_err = catch_unwind(AssertUnwindSafe(|| lock.get_or_init(give_up).len()));
            assert!(is_err.is_err());
            assert_eq!(lock.get_or_init(|| "a".to_owned()), "a");
        });
    }

    #[test]
    fn threads_borrow_and_give_back_what_they_have_borrowed() {
        holds(|| {
            let (mut list, text) = (vec![1], String::from("a"));
            let borrowed = &mut list;
            let last = thread::scope(|scope| {
                let handle = scope.spawn(|| {
                    let inner = scope.spawn(|| text.as_str());
                    borrowed.push(inner.join().unwrap().len());
                    borrowed.last_mut().unwrap()
                });
                handle.join().unwrap()
            });
            *last += 1;
            let borrowed = &mut list;
            #[expect(unsafe_code, reason = "it is what is tested")]
            // SAFETY: the thread is joined before the list is used again.
            let handle = unsafe { thread::Builder::new().spawn_unchecked(|| borrowed.push(3)) };
            handle.unwrap().join().unwrap();
            assert_eq!(list, [1, 2, 3]);
        });
    }

    crate::thread_local! {
        static LIST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        static COUNT: Cell<u8> = const { Cell::new(1) };
    }

    #[test]
    fn threads_have_values_of_their_own_and_drop_them() {
        holds(|| {
            let push = |item| {
                LIST.with_borrow_mut(|list| list.push(item));
                COUNT.set(COUNT.get() + item);
                (LIST.take(), COUNT.get())
            };
            let other = thread::spawn(move || push(1));
            assert_eq!(push(2), (vec![2], 3));
            assert_eq!(other.join().unwrap(), (vec![1], 2));
            LIST.with_borrow_mut(|list| list.push(3));
        });
    }

    crate::statics! {
        static MADE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    }

    #[test]
    fn statics_are_left_where_they_are() {
        static LEFT: std::sync::Mutex<Vec<&Mutex<Vec<u8>>>> = std::sync::Mutex::new(Vec::new());

        for _ in 0..2 {
            holds(|| {
                MADE.lock().unwrap().push(1);
                let other = thread::spawn(|| MADE.lock().unwrap().push(2));
                other.join().unwrap();
                assert_eq!(*MADE.lock().unwrap(), [1, 2]);
                // Miri would say that it was leaked.
                LEFT.lock().unwrap().push(&MADE);
            });
        }
        assert_eq!(LEFT.lock().unwrap().len(), 2);
    }

    #[test]
    fn a_cell_hands_a_value_over_to_the_thread_that_joins() {
        struct Text(UnsafeCell<String>);
        #[expect(unsafe_code, reason = "it is what is tested")]
        // SAFETY: a thread writes it, and another one reads it after a join.
        unsafe impl Sync for Text {}

        holds(|| {
            let text = &Text(UnsafeCell::new(String::new()));
            thread::scope(|scope| {
                #[expect(unsafe_code, reason = "it is what is tested")]
                // SAFETY: as above.
                scope.spawn(move || text.0.with_mut(|text| unsafe { (*text).push('a') }));
            });
            #[expect(unsafe_code, reason = "it is what is tested")]
            // SAFETY: as above.
            text.0.with(|text| assert_eq!(unsafe { &*text }, "a"));
        });
    }

    #[test]
    fn a_failed_execution_unwinds_threads_before_what_they_borrow_is_gone() {
        let ending = run(|| {
            let list = Mutex::new(vec![1]);
            let text = String::from("a");
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut list = list.lock().unwrap();
                    list.push(text.len());
                    panic!("given up");
                });
            });
        });
        assert_eq!(ending.as_deref(), Some("given up"));
    }

    #[cfg(feature = "parking_lot")]
    #[test]
    fn the_locks_of_parking_lot_hand_out_parts_of_what_they_guard() {
        use crate::parking_lot::{Mutex, RwLock};
        use crate::parking_lot::{
            MutexGuard, ReentrantMutex, RwLockReadGuard, RwLockUpgradableReadGuard,
            RwLockWriteGuard,
        };

        holds(|| {
            let lists = Mutex::new((vec![0], 0));
            let prices = RwLock::new((vec![0], 0));
            let count = ReentrantMutex::new(Cell::new(0));
            let change = |item| {
                MutexGuard::map(lists.lock(), |lists| &mut lists.0).push(item);
                let mut guard = lists.lock();
                MutexGuard::unlocked(&mut guard, || lists.lock().1 += 1);
                drop(guard);
                let read = prices.upgradable_read();
                let mut write = RwLockUpgradableReadGuard::upgrade(read);
                write.0.push(item);
                let mut read = RwLockWriteGuard::downgrade_to_upgradable(write);
                read.with_upgraded(|prices| prices.1 += 1);
                drop(read);
                *RwLockWriteGuard::map(prices.write(), |prices| &mut prices.1) += 1;
                let first = RwLockReadGuard::map(prices.read(), |prices| &prices.0[0]);
                assert_eq!(*first, 0);
                let outer = count.lock();
                count.lock().set(outer.get() + 1);
            };
            thread::scope(|scope| {
                scope.spawn(|| change(1));
                change(2);
            });
            assert_eq!(lists.into_inner(), (vec![0, 1, 2], 2));
            assert_eq!(prices.into_inner(), (vec![0, 1, 2], 4));
            assert_eq!(count.into_inner().get(), 2);
        });
    }
}
