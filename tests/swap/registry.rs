// Code as it is written with std: statics that are made when they are first used, and values that
// each thread has for itself. The including module decides what `std` is.

use ::std::cell::{Cell, RefCell};
use ::std::collections::HashMap;
use std::sync::{Arc, Barrier, BarrierWaitResult, LazyLock, Once, OnceLock, OnceState, RwLock};
use std::sync::{RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, LocalKey};

type Names = HashMap<String, usize>;

static REGISTRY: LazyLock<Arc<Table>> = LazyLock::new(|| Arc::new(Table::default()));
static GREETING: OnceLock<String> = OnceLock::new();
static START: Once = Once::new();

std::thread_local! {
    static GREETED: Cell<usize> = const { Cell::new(0) };
    pub(super) static LAST: RefCell<Vec<String>> = RefCell::new(vec!["nobody".to_owned()]);
}

static COUNTER: &LocalKey<Cell<usize>> = &GREETED;

#[derive(Default)]
struct Table {
    names: RwLock<Names>,
}

impl Table {
    fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names> {
        self.names.write().unwrap()
    }
}

fn greet(name: &str) {
    START.call_once_force(|state: &OnceState| assert!(!state.is_poisoned()));
    let greeting = GREETING.get_or_init(|| "hello".to_owned());
    *REGISTRY.write().entry(format!("{greeting} {name}")).or_default() += 1;
    LAST.with_borrow_mut(|last| last.push(name.to_owned()));
    COUNTER.set(COUNTER.get() + 1);
}

/// Greets each in a thread of its own, and counts whom it has greeted, each of them once.
pub(super) fn greetings(names: &[&str]) -> usize {
    let together = Barrier::new(names.len());
    let leaders: usize = thread::scope(|scope| {
        let threads: Vec<_> = names
            .iter()
            .map(|name| {
                let together = &together;
                scope.spawn(move || {
                    greet(name);
                    let result: BarrierWaitResult = together.wait();
                    assert_eq!(GREETED.get(), 1);
                    assert_eq!(LAST.take(), ["nobody", *name]);
                    usize::from(result.is_leader())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(leaders, 1);
    assert!(thread::available_parallelism().is_ok() && START.is_completed());
    REGISTRY.read().len()
}
