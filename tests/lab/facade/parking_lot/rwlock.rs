//! The read-write lock, which one of those who read can hold upgradably.
#![expect(
    unsafe_code,
    reason = "a lock is released without its guards, and a cell guarded by it"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use racelab::parking_lot::lock_api;
use racelab::parking_lot::{
    MappedRwLockReadGuard, RawRwLock, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard,
};
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::trace::{Obstacle, ThreadId};
use racelab::{Engine, Explorer, FailureKind, Named, Verdict, outcome, thread};

use crate::facade::same_as_std::{Op, agree, ops};
use crate::facade::{fails, holds, outcomes};

macro_rules! program {
    ($name:ident, $($of:tt)*) => {
        #[expect(clippy::too_many_lines, reason = "a few lines for each operation")]
        fn $name(ops: &[Op]) -> Vec<String> {
            use $($of)*::{
                MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLockReadGuard as Read,
                RwLockUpgradableReadGuard as Upgradable, RwLockWriteGuard as Write, const_rwlock,
            };

            const SHORT: Duration = Duration::from_micros(10);
            let mut lock = const_rwlock([0_u8, 1]);
            let mut seen = Vec::new();
            for &(op, a, b, _) in ops {
                // What is possible beside one that is there already.
                let beside = || {
                    let upgradable = lock.try_upgradable_read();
                    let upgraded = upgradable.map(|it| Upgradable::try_upgrade(it).is_ok());
                    format!(
                        "{} {} {:?} {} {} {}",
                        lock.try_read().is_some(),
                        lock.try_read_recursive().is_some(),
                        upgraded,
                        lock.try_write().is_some(),
                        lock.is_locked(),
                        lock.is_locked_exclusive(),
                    )
                };
                let result = match op % 14 {
                    0 => {
                        let read = lock.read();
                        format!("{read:?} {}", beside())
                    }
                    1 => {
                        let read = lock.upgradable_read();
                        format!("{read:?} {}", beside())
                    }
                    2 => {
                        let mut write = lock.write();
                        write[0] = a;
                        beside()
                    }
                    3 => {
                        let mut write = Upgradable::upgrade(lock.upgradable_read());
                        write[1] = a;
                        beside()
                    }
                    4 => {
                        let read = Write::downgrade(lock.write());
                        let first = beside();
                        drop(read);
                        let read = Write::downgrade_to_upgradable(lock.write());
                        let second = beside();
                        let _read = Upgradable::downgrade(read);
                        format!("{first} {second} {}", beside())
                    }
                    5 => {
                        let mut read = lock.upgradable_read();
                        let inside = read.with_upgraded(|value| {
                            value[0] ^= a;
                            beside()
                        });
                        let tried = read.try_with_upgraded(|value| value[1] ^= b);
                        format!("{inside} {tried:?} {}", beside())
                    }
                    6 => {
                        let _read = lock.read();
                        let mut upgradable = lock.upgradable_read();
                        let tried = upgradable.try_with_upgraded(|_| ());
                        let timed = upgradable.try_with_upgraded_for(SHORT, |_| ());
                        let until = upgradable.try_with_upgraded_until(Instant::now(), |_| ());
                        let kept = match Upgradable::try_upgrade_for(upgradable, SHORT) {
                            Ok(_) => "upgraded".to_owned(),
                            Err(upgradable) => format!("{upgradable:?}"),
                        };
                        format!("{tried:?} {timed:?} {until:?} {kept}")
                    }
                    7 => {
                        let part = Read::map(lock.read(), |value| &value[0]);
                        let part = MappedRwLockReadGuard::try_map(part, |value| {
                            (*value % 2 == 0).then_some(value)
                        });
                        format!("{:?} {}", part.as_ref().map(|value| **value).ok(), beside())
                    }
                    8 => {
                        let part = Write::map(lock.write(), |value| &mut value[1]);
                        let part = MappedRwLockWriteGuard::try_map(part, |value| {
                            (a % 2 == 0).then_some(value)
                        });
                        let (Ok(mut part) | Err(mut part)) = part;
                        *part = b;
                        format!("{part} {}", beside())
                    }
                    9 => {
                        let mut read = lock.read();
                        let freed = Read::unlocked(&mut read, || lock.try_write().is_some());
                        Read::bump(&mut read);
                        Read::unlock_fair(read);
                        let mut write = lock.write();
                        let unlocked = Write::unlocked_fair(&mut write, || {
                            lock.write()[0] = b;
                            lock.is_locked()
                        });
                        format!("{freed} {unlocked} {write:?}")
                    }
                    10 => {
                        let caught = catch_unwind(AssertUnwindSafe(|| {
                            lock.upgradable_read().with_upgraded(|value| {
                                value[0] = a;
                                resume_unwind(Box::new(()))
                            })
                        }));
                        let caught: Result<(), _> = caught;
                        format!("{} {}", caught.is_err(), beside())
                    }
                    11 => {
                        let write = lock.write();
                        let times = (
                            lock.try_read_for(SHORT).is_some(),
                            lock.try_upgradable_read_for(SHORT).is_some(),
                            lock.try_write_for(SHORT).is_some(),
                        );
                        drop(write);
                        let free = lock.try_write_until(Instant::now()).is_some();
                        format!("{times:?} {free}")
                    }
                    12 => {
                        std::mem::forget(lock.read());
                        std::mem::forget(lock.upgradable_read());
                        let both = beside();
                        // SAFETY: this thread holds it, by the guards that were forgotten.
                        unsafe {
                            lock.force_unlock_read();
                            drop(lock.make_upgradable_guard_unchecked());
                        }
                        format!("{both} {}", beside())
                    }
                    _ => {
                        let old = std::mem::replace(lock.get_mut(), [a, b]);
                        format!("{old:?}")
                    }
                };
                seen.push(result);
            }
            seen.push(format!("{:?}", lock.into_inner()));
            seen
        }
    };
}

program!(with_the_crate, ::parking_lot);
program!(with_racelab, racelab::parking_lot);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_thread_cannot_tell_it_from_the_real_one(ops in ops()) {
        agree(with_the_crate, with_racelab, &ops)?;
    }
}

#[test]
fn one_reader_can_go_on_to_write_beside_others_that_only_read() {
    let most = outcomes(|| {
        let (lock, inside) = (RwLock::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _reads = lock.read();
                inside.fetch_add(1, SeqCst);
                inside.fetch_sub(1, SeqCst);
            });
            let reads = lock.upgradable_read();
            let beside = inside.load(SeqCst);
            let mut writes = RwLockUpgradableReadGuard::upgrade(reads);
            assert_eq!(inside.load(SeqCst), 0);
            *writes += 1;
            outcome(beside);
        });
        assert_eq!(lock.into_inner(), 1);
    });
    assert_eq!(most, ["0", "1"]);
}

#[test]
fn of_two_that_want_to_upgrade_one_waits_and_sees_what_the_other_wrote() {
    let results = outcomes(|| {
        let lock = Arc::new(RwLock::new(0));
        let threads = [1, 2].map(|value| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let seen = lock.upgradable_read();
                let before = *seen;
                let mut writes = RwLockUpgradableReadGuard::upgrade(seen);
                // Nobody has written in between.
                assert_eq!(*writes, before);
                *writes = 10 * before + value;
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        outcome(*lock.read());
    });
    assert_eq!(results, ["12", "21"]);
}

#[test]
fn two_that_read_and_then_write_deadlock_where_upgradable_ones_do_not() {
    let body = |upgrades: bool| {
        move || {
            let lock = Arc::new(RwLock::new(0));
            let other = Arc::clone(&lock);
            let add = move |lock: &RwLock<i32>| {
                if upgrades {
                    let mut reads = lock.upgradable_read();
                    reads.with_upgraded(|value| *value += 1);
                } else {
                    let reads = lock.read();
                    *lock.write() = *reads + 1;
                }
            };
            let thread = thread::spawn(move || add(&other));
            add(&lock);
            thread.join().unwrap();
        }
    };
    holds(body(true));
    fails(FailureKind::Deadlock, body(false));
}

#[test]
fn who_waits_for_an_upgradable_lock_is_told_who_holds_it() {
    let failure = fails(FailureKind::Deadlock, || {
        let table = Arc::new(RwLock::new(0).named("table"));
        let other = Arc::clone(&table);
        let _reads = table.upgradable_read();
        let thread = thread::spawn(move || drop(other.upgradable_read()));
        thread.join().unwrap();
    });
    let blocked = &failure.blocked[1];
    assert_eq!(blocked.obstacle, Some(Obstacle::Upgradable(ThreadId::MAIN)));
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("T1 waits to read table, which main holds for upgradable reading"),
        "{why}"
    );
}

#[test]
fn who_waits_to_upgrade_is_told_who_reads_and_who_waits_to_write_of_all() {
    let failure = fails(FailureKind::Deadlock, || {
        let table = RwLock::new(0).named("table");
        let _reads = table.read();
        let upgradable = table.upgradable_read();
        drop(RwLockUpgradableReadGuard::upgrade(upgradable));
    });
    let readers = Obstacle::Readers(vec![ThreadId::MAIN]);
    assert_eq!(failure.blocked[0].obstacle, Some(readers));
    assert_eq!(failure.blocked[0].holds.len(), 2);
    let failure = fails(FailureKind::Deadlock, || {
        let table = Arc::new(RwLock::new(0).named("table"));
        let other = Arc::clone(&table);
        let reads = table.upgradable_read();
        let thread = thread::spawn(move || drop(other.write()));
        thread.join().unwrap();
        drop(reads);
    });
    let readers = Obstacle::Readers(vec![ThreadId::MAIN]);
    assert_eq!(failure.blocked[1].obstacle, Some(readers));
}

#[test]
fn to_downgrade_lets_in_those_that_read_and_no_writer() {
    let seen = outcomes(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = Arc::clone(&lock);
        let thread = thread::spawn(move || *other.write() += 10);
        let mut writes = lock.write();
        *writes += 1;
        let before = *writes;
        let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writes);
        assert_eq!((*upgradable, *lock.read()), (before, before));
        assert!(lock.try_upgradable_read().is_none());
        let reads: RwLockReadGuard<'_, i32> = RwLockUpgradableReadGuard::downgrade(upgradable);
        assert_eq!(*reads, before);
        assert!(lock.try_upgradable_read().is_some());
        let part: MappedRwLockReadGuard<'_, i32> = RwLockReadGuard::map(reads, |value| value);
        outcome(*part);
        drop(part);
        thread.join().unwrap();
        assert_eq!(*lock.read(), 11);
    });
    assert_eq!(seen, ["1", "11"]);
}

#[test]
fn readers_that_come_and_go_are_independent_of_who_holds_it_upgradably() {
    let report = Explorer::new(Engine::Dpor).explore(|| {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(*lock.read(), 0));
            scope.spawn(|| assert_eq!(*lock.read(), 0));
            assert_eq!(*lock.upgradable_read(), 0);
        });
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!((report.executions, report.blocked), (1, 0), "{report}");
}

#[test]
fn what_is_done_under_an_upgradable_lock_happens_before_the_next_one() {
    use racelab::cell::UnsafeCell;

    struct Plain(UnsafeCell<u32>);
    // SAFETY: threads access it one at a time, while they hold a lock upgradably.
    unsafe impl Sync for Plain {}

    holds(|| {
        let (lock, plain) = (RwLock::new(()), Plain(UnsafeCell::new(0)));
        let add = || {
            let plain = &plain;
            let reads = lock.upgradable_read();
            // SAFETY: see `Plain`.
            plain.0.with_mut(|value| unsafe { *value += 1 });
            drop(reads);
        };
        thread::scope(|scope| {
            scope.spawn(add);
            add();
        });
        drop(lock.write());
        // SAFETY: the other thread has ended.
        assert_eq!(plain.0.with(|value| unsafe { *value }), 2);
    });
}

#[test]
fn a_wait_to_upgrade_that_times_out_keeps_what_it_had() {
    let seen = outcomes(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = Arc::clone(&lock);
        let thread = thread::spawn(move || drop(other.read()));
        let reads = lock.upgradable_read();
        match RwLockUpgradableReadGuard::try_upgrade_for(reads, Duration::from_secs(1)) {
            Ok(mut writes) => {
                *writes += 1;
                outcome("upgraded");
            }
            Err(reads) => {
                assert!(lock.try_upgradable_read().is_none());
                drop(RwLockUpgradableReadGuard::upgrade(reads));
                outcome("timed out");
            }
        }
        thread.join().unwrap();
    });
    assert_eq!(seen, ["\"timed out\"", "\"upgraded\""]);
}

#[test]
fn a_lock_of_lock_api_over_the_raw_lock_is_explored_as_well() {
    type Generic = lock_api::RwLock<RawRwLock, u32>;

    let body = || {
        let lock = Generic::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut reads = lock.upgradable_read();
                reads.with_upgraded(|value| *value += 1);
            });
            let reads = lock_api::RwLockWriteGuard::downgrade(lock.write());
            assert!(*reads <= 1 && lock.is_locked());
        });
        assert_eq!(lock.into_inner(), 1);
    };
    body();
    holds(body);
}

#[test]
fn a_lock_that_is_read_is_released_by_a_guard_that_was_made_elsewhere() {
    type Generic = lock_api::RwLock<RawRwLock, u32>;

    let remade = || {
        let lock = RwLock::new(0);
        std::mem::forget(lock.read());
        // SAFETY: the lock is held for reading, and the guard of that was forgotten.
        drop(unsafe { lock.make_read_guard_unchecked() });
        assert!(!lock.is_locked());
    };
    let bumped = || {
        let lock = Generic::new(0);
        let mut reads = lock.read();
        lock_api::RwLockReadGuard::bump(&mut reads);
        drop(reads);
        assert!(!lock.is_locked());
    };
    for body in [remade, bumped] {
        body();
        holds(body);
    }
}

#[test]
fn a_lock_can_hold_a_trait_object() {
    let body = || {
        let words: Arc<RwLock<dyn Send + Sync + Fn() -> usize>> = Arc::new(RwLock::new(|| 2_usize));
        assert_eq!((words.read())(), 2);
        assert_eq!((words.upgradable_read())(), 2);
    };
    body();
    holds(body);
}

#[test]
fn a_thread_of_std_and_an_execution_exclude_each_other() {
    use std::sync::atomic::{AtomicBool, AtomicI64};

    /// How many read, and a large number for each that writes.
    struct Shared(RwLock<()>, AtomicI64);
    impl Shared {
        fn enter(&self) {
            const WRITER: i64 = 1 << 32;
            let mut reads = self.0.upgradable_read();
            assert!(self.1.fetch_add(1, SeqCst) < WRITER);
            std::thread::yield_now();
            self.1.fetch_sub(1, SeqCst);
            reads.with_upgraded(|()| {
                assert_eq!(self.1.fetch_add(WRITER, SeqCst), 0, "not alone");
                std::thread::yield_now();
                self.1.fetch_sub(WRITER, SeqCst);
            });
            drop(reads);
            if let Some(_reads) = self.0.try_read_for(Duration::from_micros(1)) {
                assert!(self.1.fetch_add(1, SeqCst) < WRITER);
                self.1.fetch_sub(1, SeqCst);
            }
        }
    }
    let shared = Arc::new(Shared(RwLock::new(()), AtomicI64::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let foreign = std::thread::spawn({
        let (shared, is_over) = (Arc::clone(&shared), Arc::clone(&is_over));
        move || {
            while !is_over.load(SeqCst) {
                shared.enter();
            }
        }
    });
    let report = Explorer::new(Engine::Dpor).explore(move || {
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || other.enter());
        shared.enter();
        other.join().unwrap();
    });
    is_over.store(true, SeqCst);
    foreign.join().expect("it was never beside a writer");
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn a_guard_that_has_let_go_holds_the_lock_again_when_its_thread_is_unwound() {
    type Pair = RwLock<(u32, u32)>;

    /// Looks at what is guarded when it is dropped: both are equal whenever nobody writes.
    struct Looks<G: std::ops::Deref<Target = (u32, u32)>>(G);
    impl<G: std::ops::Deref<Target = (u32, u32)>> Drop for Looks<G> {
        fn drop(&mut self) {
            assert_eq!(self.0.0, self.0.1);
        }
    }
    struct Completes<'a>(RwLockWriteGuard<'a, (u32, u32)>);
    impl Drop for Completes<'_> {
        fn drop(&mut self) {
            self.0.1 += 1;
        }
    }
    let lets_go: [fn(&Pair); 3] = [
        |lock| {
            let mut looks = Looks(lock.read());
            RwLockReadGuard::unlocked(&mut looks.0, thread::park);
        },
        |lock| {
            let mut looks = Looks(lock.upgradable_read());
            RwLockUpgradableReadGuard::bump(&mut looks.0);
        },
        |lock| {
            let mut looks = Looks(lock.write());
            RwLockWriteGuard::bump(&mut looks.0);
        },
    ];
    for let_go in lets_go {
        fails(FailureKind::Deadlock, move || {
            let pair = Arc::new(RwLock::new((0, 0)));
            let other = Arc::clone(&pair);
            thread::spawn(move || let_go(&other));
            let mut inside = Completes(pair.write());
            inside.0.0 += 1;
            // The other thread is unwound first, since it is younger.
            thread::park();
        });
    }
}
