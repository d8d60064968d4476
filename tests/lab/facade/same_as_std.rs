//! One thread alone cannot tell the façade from std, outside of executions and inside.
#![expect(
    clippy::incompatible_msrv,
    reason = "the newest std is what the façade is held against"
)]
#![expect(deprecated, reason = "std still has it")]

use std::sync::{Mutex as RealMutex, PoisonError};

use proptest::prelude::*;
use racelab::sync::Arc;
use racelab::{Engine, Explorer, Verdict};

/// An operation and its arguments, to be interpreted by each type.
pub(super) type Op = (u8, u8, u8, u8);

pub(super) fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any::<Op>(), 0..12)
}

/// What `f` returns inside executions: in all of them, since one thread with alternatives (a weak
/// compare-and-swap that fails) makes several.
fn inside<R: Send + 'static>(f: impl Fn() -> R + Send + Sync + 'static) -> Vec<R> {
    let results = Arc::new(RealMutex::new(Vec::new()));
    let kept = Arc::clone(&results);
    let explorer = Explorer::new(Engine::Dfs).max_executions(20);
    let report = explorer.explore(move || {
        let result = f();
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(result);
    });
    assert!(
        !matches!(report.verdict, Verdict::Violated(_)),
        "{report:?}"
    );
    let results = std::mem::take(&mut *results.lock().unwrap());
    assert!(!results.is_empty(), "{report:?}");
    results
}

/// Checks that the three worlds agree.
pub(super) fn agree(
    with_std: fn(&[Op]) -> Vec<String>,
    with_racelab: fn(&[Op]) -> Vec<String>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let expected = with_std(ops);
    prop_assert_eq!(&with_racelab(ops), &expected, "outside");
    let ops = ops.to_vec();
    for result in inside(move || with_racelab(&ops)) {
        prop_assert_eq!(&result, &expected, "inside");
    }
    Ok(())
}

/// Makes `std_…` and `lab_…` out of one function, and the test that compares them.
macro_rules! compare {
    ($($test:ident => $program:ident!($($args:tt)*);)*) => {$(
        mod $test {
            use super::*;

            fn with_std(ops: &[Op]) -> Vec<String> {
                $program!(std, ops, $($args)*)
            }

            fn with_racelab(ops: &[Op]) -> Vec<String> {
                $program!(racelab, ops, $($args)*)
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(48))]

                #[test]
                fn is_the_same_in_every_world(ops in ops()) {
                    agree(with_std, with_racelab, &ops)?;
                }
            }
        }
    )*};
}

/// Does a part of an atomic's operations that is the same for all types. `$rest` does the others.
macro_rules! atomic {
    ($root:ident, $ops:ident, $name:ident, $new:expr, $rest:expr) => {{
        use $root::sync::atomic::{self, Ordering};
        let loads = [Ordering::Relaxed, Ordering::Acquire, Ordering::SeqCst];
        let stores = [Ordering::Relaxed, Ordering::Release, Ordering::SeqCst];
        let both = [
            Ordering::Relaxed,
            Ordering::Acquire,
            Ordering::Release,
            Ordering::AcqRel,
            Ordering::SeqCst,
        ];
        let mut it = atomic::$name::new($new(0));
        let mut seen = Vec::new();
        for &(op, a, b, order) in $ops {
            let (a, b, order) = ($new(a), $new(b), usize::from(order));
            let (load, store, order) = (loads[order % 3], stores[order % 3], both[order % 5]);
            let result = match op % 21 {
                0 => format!("{:?}", it.load(load)),
                1 => format!("{:?}", it.store(a, store)),
                2 => format!("{:?}", it.swap(a, order)),
                3 => format!("{:?}", it.compare_exchange(a, b, order, load)),
                4 => {
                    let current = it.load(load);
                    format!("{:?}", it.compare_exchange(current, b, order, load))
                }
                5 => loop {
                    let result = it.compare_exchange_weak(a, b, order, load);
                    if result != Err(a) {
                        break format!("{result:?}");
                    }
                },
                6 => format!(
                    "{:?}",
                    it.fetch_update(order, load, |it| (it != a).then_some(b))
                ),
                7 => format!(
                    "{:?}",
                    it.try_update(order, load, |it| (it != a).then_some(b))
                ),
                8 => format!(
                    "{:?}",
                    it.update(order, load, |it| if it == a { b } else { a })
                ),
                9 => format!("{:?}", std::mem::replace(it.get_mut(), a)),
                10 => format!("{it:?}"),
                11 => format!("{:?}", it.compare_and_swap(a, b, order)),
                other => ($rest)(&it, other - 12, a, b, order),
            };
            seen.push(result);
        }
        seen.push(format!("{:?}", it.into_inner()));
        seen
    }};
}

/// All integers are made of a byte, spread so that the high bits and the sign take part.
macro_rules! integer {
    ($root:ident, $ops:ident, $name:ident, $value:ty) => {
        atomic!(
            $root,
            $ops,
            $name,
            |byte: u8| {
                let high = <$value>::BITS - 8;
                let small = |byte: u8| <$value>::try_from(byte).expect("seven bits");
                small(byte & 0x7f) ^ (small(byte >> 4) << high)
            },
            |it: &atomic::$name, op, a: $value, _: $value, order| match op {
                0 => format!("{:?}", it.fetch_add(a, order)),
                1 => format!("{:?}", it.fetch_sub(a, order)),
                2 => format!("{:?}", it.fetch_and(a, order)),
                3 => format!("{:?}", it.fetch_nand(a, order)),
                4 => format!("{:?}", it.fetch_or(a, order)),
                5 => format!("{:?}", it.fetch_xor(a, order)),
                6 => format!("{:?}", it.fetch_max(a, order)),
                7 => format!("{:?}", it.fetch_min(a, order)),
                _ => format!("{:?}", it.swap(a, order)),
            }
        )
    };
}

macro_rules! boolean {
    ($root:ident, $ops:ident,) => {
        atomic!(
            $root,
            $ops,
            AtomicBool,
            |byte: u8| byte % 2 == 1,
            |it: &atomic::AtomicBool, op, a, _: bool, order| match op % 5 {
                0 => format!("{:?}", it.fetch_and(a, order)),
                1 => format!("{:?}", it.fetch_nand(a, order)),
                2 => format!("{:?}", it.fetch_or(a, order)),
                3 => format!("{:?}", it.fetch_xor(a, order)),
                _ => format!("{:?}", it.fetch_not(order)),
            }
        )
    };
}

macro_rules! pointer {
    ($root:ident, $ops:ident,) => {
        atomic!(
            $root,
            $ops,
            AtomicPtr,
            |byte: u8| std::ptr::without_provenance_mut::<u32>(usize::from(byte) * 8),
            |it: &atomic::AtomicPtr<u32>, op, a: *mut u32, _: *mut u32, order| match op {
                0 => format!("{:?}", it.fetch_ptr_add(a.addr(), order)),
                1 => format!("{:?}", it.fetch_ptr_sub(a.addr(), order)),
                2 => format!("{:?}", it.fetch_byte_add(a.addr(), order)),
                3 => format!("{:?}", it.fetch_byte_sub(a.addr(), order)),
                4 => format!("{:?}", it.fetch_and(a.addr(), order)),
                5 => format!("{:?}", it.fetch_or(a.addr(), order)),
                _ => format!("{:?}", it.fetch_xor(a.addr(), order)),
            }
        )
    };
}

macro_rules! mutex {
    ($root:ident, $ops:ident,) => {{
        use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

        use $root::sync::{Mutex, TryLockError};

        let mut mutex = Mutex::new(0_u8);
        let mut seen = Vec::new();
        for &(op, a, _, _) in $ops {
            let result = match op % 9 {
                0 => match mutex.lock() {
                    Ok(mut guard) => format!("locked {:?}", std::mem::replace(&mut *guard, a)),
                    Err(error) => format!("poisoned {:?}", error.into_inner()),
                },
                1 => match mutex.try_lock() {
                    Ok(mut guard) => format!("locked {:?}", std::mem::replace(&mut *guard, a)),
                    Err(TryLockError::WouldBlock) => "would block".to_owned(),
                    Err(TryLockError::Poisoned(error)) => {
                        format!("poisoned {:?}", error.into_inner())
                    }
                },
                2 => {
                    let _guard = mutex.lock();
                    match mutex.try_lock() {
                        Err(TryLockError::WouldBlock) => "would block".to_owned(),
                        _ => "two guards at a time".to_owned(),
                    }
                }
                3 => {
                    // Resumed and not begun, so that the hook does not print it.
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        let mut guard = mutex.lock().unwrap_or_else(|error| error.into_inner());
                        *guard = a;
                        resume_unwind(Box::new(()));
                    }));
                    format!("caught {}", caught.is_err())
                }
                4 => {
                    let caught = catch_unwind(AssertUnwindSafe(|| resume_unwind(Box::new(a))));
                    format!("caught {}", caught.is_err() && !mutex.is_poisoned())
                }
                5 => format!("{:?}", mutex.clear_poison()),
                6 => format!("{:?}", mutex.is_poisoned()),
                7 => match mutex.get_mut() {
                    Ok(value) => format!("{:?}", std::mem::replace(value, a)),
                    Err(error) => format!("poisoned {:?}", error.into_inner()),
                },
                _ => {
                    let guard = mutex.lock().unwrap_or_else(|error| error.into_inner());
                    format!("{guard} {guard:?}")
                }
            };
            seen.push(result);
        }
        seen.push(format!("{:?}", mutex.into_inner()));
        seen
    }};
}

macro_rules! read_write_lock {
    ($root:ident, $ops:ident,) => {{
        use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

        use $root::sync::{RwLock, RwLockWriteGuard, TryLockError};

        let mut lock = RwLock::new(0_u8);
        let mut seen = Vec::new();
        for &(op, a, _, _) in $ops {
            let result = match op % 13 {
                0 => match lock.read() {
                    Ok(guard) => format!("read {guard} {guard:?}"),
                    Err(error) => format!("poisoned {:?}", error.into_inner()),
                },
                1 => match lock.write() {
                    Ok(mut guard) => format!("wrote {:?}", std::mem::replace(&mut *guard, a)),
                    Err(error) => format!("poisoned {:?}", error.into_inner()),
                },
                2 => match lock.try_read() {
                    Ok(guard) => format!("read {:?}", *guard),
                    Err(TryLockError::WouldBlock) => "would block".to_owned(),
                    Err(TryLockError::Poisoned(error)) => {
                        format!("poisoned {:?}", error.into_inner())
                    }
                },
                3 => match lock.try_write() {
                    Ok(mut guard) => format!("wrote {:?}", std::mem::replace(&mut *guard, a)),
                    Err(TryLockError::WouldBlock) => "would block".to_owned(),
                    Err(TryLockError::Poisoned(error)) => {
                        format!("poisoned {:?}", error.into_inner())
                    }
                },
                4 => {
                    let _guard = lock.read();
                    let reads = !matches!(lock.try_read(), Err(TryLockError::WouldBlock));
                    let writes = !matches!(lock.try_write(), Err(TryLockError::WouldBlock));
                    format!("beside a reader {reads} {writes}")
                }
                5 => {
                    let _guard = lock.write();
                    let reads = !matches!(lock.try_read(), Err(TryLockError::WouldBlock));
                    let writes = !matches!(lock.try_write(), Err(TryLockError::WouldBlock));
                    format!("beside a writer {reads} {writes}")
                }
                6 | 7 => {
                    // Resumed and not begun, so that the hook does not print it.
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        if op % 13 == 6 {
                            let mut guard = lock.write().unwrap_or_else(|error| error.into_inner());
                            *guard = a;
                            resume_unwind(Box::new(()));
                        }
                        let _guard = lock.read();
                        resume_unwind(Box::new(()));
                    }));
                    format!("caught {}", caught.is_err())
                }
                8 => format!("{:?}", lock.clear_poison()),
                9 => format!("{:?}", lock.is_poisoned()),
                10 => match lock.get_mut() {
                    Ok(value) => format!("{:?}", std::mem::replace(value, a)),
                    Err(error) => format!("poisoned {:?}", error.into_inner()),
                },
                11 => {
                    let mut guard = lock.write().unwrap_or_else(|error| error.into_inner());
                    *guard = a;
                    let guard = RwLockWriteGuard::downgrade(guard);
                    let reads = !matches!(lock.try_read(), Err(TryLockError::WouldBlock));
                    let writes = !matches!(lock.try_write(), Err(TryLockError::WouldBlock));
                    format!("reads on {guard} {reads} {writes}")
                }
                _ => {
                    let guard = lock.write().unwrap_or_else(|error| error.into_inner());
                    format!("{guard} {guard:?}")
                }
            };
            seen.push(result);
        }
        seen.push(format!("{:?}", lock.into_inner()));
        seen
    }};
}

macro_rules! once {
    ($root:ident, $ops:ident,) => {{
        use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

        use $root::sync::Once;

        let mut once = Once::new();
        let mut seen = Vec::new();
        for &(op, a, _, _) in $ops {
            let mut ran = None;
            let result = match op % 7 {
                // A poisoned one is not asked for what panics, since outside the hook prints that.
                0 if !seen.contains(&"poisoned".to_owned()) => {
                    format!("{:?}", once.call_once(|| ran = Some(a)))
                }
                1 => format!(
                    "{:?}",
                    once.call_once_force(|state| {
                        ran = Some(a);
                        assert!(!state.is_poisoned() || seen.contains(&"poisoned".to_owned()));
                    })
                ),
                2 => {
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        once.call_once_force(|_| resume_unwind(Box::new(a)));
                    }));
                    if caught.is_err() { "poisoned" } else { "done" }.to_owned()
                }
                3 if once.is_completed() => format!("{:?} {:?}", once.wait(), once.wait_force()),
                4 if a % 4 == 0 => {
                    once = Once::new();
                    seen.clear();
                    String::new()
                }
                5 => format!("{once:?}"),
                _ => format!("{:?}", once.is_completed()),
            };
            seen.push(result);
            seen.push(format!("{ran:?}"));
        }
        seen
    }};
}

macro_rules! once_lock {
    ($root:ident, $ops:ident,) => {{
        use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

        use $root::sync::OnceLock;

        let mut locks = vec![OnceLock::new(), OnceLock::from("given".to_owned())];
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let index = usize::from(b) % locks.len();
            let value = a.to_string();
            let result = match op % 12 {
                0 => format!("{:?}", locks[index].get()),
                1 | 2 => format!("{:?}", locks[index].set(value)),
                3 | 4 => format!("{:?}", locks[index].get_or_init(|| value)),
                5 => {
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        locks[index].get_or_init(|| resume_unwind(Box::new(())));
                    }));
                    format!("caught {}", caught.is_err())
                }
                6 => format!(
                    "{:?}",
                    locks[index]
                        .get_mut()
                        .map(|it| std::mem::replace(it, value))
                ),
                7 => format!("{:?}", locks[index].take()),
                8 => format!("{:?}", locks.remove(index).into_inner()),
                9 => {
                    let clone = locks[index].clone();
                    let is_same = clone == locks[index];
                    locks.insert(0, clone);
                    format!("{is_same}")
                }
                10 if locks[index].get().is_some() => format!("{:?}", locks[index].wait()),
                _ => {
                    locks.swap(0, index);
                    format!("{}", locks[0] == locks[index])
                }
            };
            if locks.is_empty() {
                locks.push(OnceLock::default());
            }
            seen.push(result);
        }
        seen.extend(
            locks
                .into_iter()
                .map(|lock| format!("{:?}", lock.into_inner())),
        );
        seen
    }};
}

macro_rules! lazy_lock {
    ($root:ident, $ops:ident,) => {{
        use $root::sync::LazyLock;

        let runs = std::cell::Cell::new(0);
        let make = || {
            LazyLock::new(|| {
                runs.set(runs.get() + 1);
                vec![runs.get()]
            })
        };
        let mut lazy = make();
        let mut seen = Vec::new();
        for &(op, a, _, _) in $ops {
            let result = match op % 7 {
                0 => format!("{:?}", *lazy),
                1 => format!("{:?}", LazyLock::force(&lazy)),
                2 => format!("{:?}", LazyLock::get(&lazy)),
                3 => format!("{:?}", LazyLock::get_mut(&mut lazy).map(|it| it.push(a))),
                4 => format!("{:?}", LazyLock::force_mut(&mut lazy).pop()),
                5 => format!("{:?}", lazy.push(a)),
                _ => {
                    lazy = make();
                    String::new()
                }
            };
            seen.push(result);
            seen.push(runs.get().to_string());
        }
        seen
    }};
}

macro_rules! thread_local_cells {
    ($root:ident, $ops:ident,) => {{
        use std::cell::{Cell, RefCell};

        use $root::thread;

        $root::thread_local! {
            static CELL: Cell<u8> = const { Cell::new(1) };
            static TEXT: RefCell<String> = RefCell::new("a".to_owned());
        }

        let ops = $ops.to_vec();
        let work = move || {
            let mut seen = Vec::new();
            for &(op, a, _, _) in &ops {
                seen.push(match op % 10 {
                    0 => format!("{:?}", CELL.set(a)),
                    1 => format!("{:?}", CELL.get()),
                    2 => format!("{:?}", CELL.take()),
                    3 => format!("{:?}", CELL.replace(a)),
                    4 => format!("{:?}", TEXT.with_borrow(String::len)),
                    5 => format!("{:?}", TEXT.with_borrow_mut(|text| text.push('b'))),
                    6 => format!("{:?}", TEXT.set(a.to_string())),
                    7 => format!("{:?}", TEXT.take()),
                    8 => format!("{:?}", TEXT.replace(a.to_string())),
                    _ => format!("{:?}", TEXT.try_with(RefCell::clone)),
                });
            }
            seen
        };
        // On two threads, since each has to begin anew.
        let first = thread::spawn(work.clone()).join().unwrap();
        let second = thread::spawn(work).join().unwrap();
        assert_eq!(first, second);
        first
    }};
}

/// A channel's operations of one thread, without those that would wait for ever.
macro_rules! channel {
    ($root:ident, $ops:ident, $make:expr, $attempt:expr, $bound:expr) => {{
        use std::time::Duration;

        use $root::sync::mpsc;

        let (sender, receiver) = ($make)();
        let mut senders = vec![sender];
        let mut receiver = Some(receiver);
        let mut queued = 0;
        let mut seen = vec![format!("{:?} {:?}", senders, receiver)];
        for &(op, a, b, _) in $ops {
            let sender = senders.get(usize::from(b) % senders.len().max(1));
            let result = match (op % 12, sender, &receiver) {
                (0 | 1, Some(sender), _) if ($bound).contains(&queued) || receiver.is_none() => {
                    let result = sender.send(a);
                    queued += usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (2 | 3, Some(sender), _) => {
                    let (is_ok, result) = ($attempt)(sender, a);
                    queued += usize::from(is_ok);
                    result
                }
                (4, Some(sender), _) => {
                    let clone = sender.clone();
                    senders.push(clone);
                    String::new()
                }
                (5, Some(_), _) => {
                    drop(senders.swap_remove(usize::from(b) % senders.len()));
                    String::new()
                }
                (6 | 7, _, Some(receiver)) => {
                    let result = receiver.try_recv();
                    queued -= usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (8, sender, Some(receiver)) if queued > 0 || sender.is_none() => {
                    let result = receiver.recv();
                    queued -= usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (9, _, Some(receiver)) => {
                    let result = receiver.recv_timeout(Duration::ZERO);
                    queued -= usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (10, _, Some(receiver)) => {
                    let all: Vec<u8> = receiver.try_iter().collect();
                    queued -= all.len();
                    format!("{all:?}")
                }
                (11, _, Some(_)) if b % 4 == 0 => {
                    drop(receiver.take());
                    queued = 0;
                    String::new()
                }
                _ => String::new(),
            };
            seen.push(result);
        }
        senders.clear();
        if let Some(receiver) = receiver {
            let first = (&receiver).into_iter().next();
            seen.push(format!(
                "{first:?} {:?}",
                receiver.into_iter().collect::<Vec<u8>>()
            ));
        }
        seen
    }};
}

macro_rules! unbounded {
    ($root:ident, $ops:ident,) => {
        channel!(
            $root,
            $ops,
            || mpsc::channel(),
            |sender: &mpsc::Sender<u8>, a| {
                let result = sender.send(a);
                (result.is_ok(), format!("{result:?}"))
            },
            0..usize::MAX
        )
    };
}

macro_rules! bounded {
    ($root:ident, $ops:ident, $bound:literal) => {
        channel!(
            $root,
            $ops,
            || mpsc::sync_channel($bound),
            |sender: &mpsc::SyncSender<u8>, a| {
                let result = sender.try_send(a);
                (result.is_ok(), format!("{result:?}"))
            },
            0..$bound
        )
    };
}

macro_rules! park {
    ($root:ident, $ops:ident,) => {{
        use std::time::Duration;

        use $root::thread;

        // Whether the token is there cannot be asked: a park that should not wait must not.
        let mut has_token = false;
        let mut seen = Vec::new();
        thread::park_timeout(Duration::ZERO);
        for &(op, ..) in $ops {
            match op % 3 {
                0 => {
                    thread::current().unpark();
                    has_token = true;
                }
                1 if has_token => {
                    thread::park();
                    has_token = false;
                }
                _ => {
                    thread::park_timeout(Duration::ZERO);
                    has_token = false;
                }
            }
            seen.push(has_token.to_string());
        }
        seen
    }};
}

compare! {
    an_atomic_i8 => integer!(AtomicI8, i8);
    an_atomic_i16 => integer!(AtomicI16, i16);
    an_atomic_i32 => integer!(AtomicI32, i32);
    an_atomic_i64 => integer!(AtomicI64, i64);
    an_atomic_isize => integer!(AtomicIsize, isize);
    an_atomic_u8 => integer!(AtomicU8, u8);
    an_atomic_u16 => integer!(AtomicU16, u16);
    an_atomic_u32 => integer!(AtomicU32, u32);
    an_atomic_u64 => integer!(AtomicU64, u64);
    an_atomic_usize => integer!(AtomicUsize, usize);
    an_atomic_bool => boolean!();
    an_atomic_pointer => pointer!();
    a_mutex => mutex!();
    a_once => once!();
    a_once_lock => once_lock!();
    a_lazy_lock => lazy_lock!();
    thread_local_values => thread_local_cells!();
    a_read_write_lock => read_write_lock!();
    a_channel => unbounded!();
    a_rendezvous => bounded!(0);
    a_channel_for_one => bounded!(1);
    a_channel_for_two => bounded!(2);
    a_park_token => park!();
}
