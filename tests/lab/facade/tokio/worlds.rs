//! In which worlds the objects can be used, and under which engines.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use racelab::future::sync::{Mutex, Notify, OnceCell, RwLock, Semaphore, mpsc};
use racelab::future::{self, spawn};
use racelab::{Engine, Explorer, FailureKind, Reason, Verdict, outcome};

use super::super::{explore, fails, holds};

fn misuse(body: impl Fn() + Send + Sync + 'static) -> String {
    match explore(body).verdict {
        Verdict::Inconclusive(Reason::Misused(what)) => what,
        other => panic!("not taken for a misuse: {other:?}"),
    }
}

#[test]
fn an_object_that_was_made_outside_is_a_misuse_in_an_execution() {
    let semaphore = Semaphore::new(1);
    let what = misuse(move || drop(semaphore.try_acquire()));
    assert!(
        what.contains("the Semaphore used at") && what.contains("outside the closure"),
        "{what}"
    );
    let mutex = Mutex::new(1);
    let what = misuse(move || future::block_on(async { drop(mutex.lock().await) }));
    assert!(what.contains("the Mutex used at"), "{what}");
}

#[test]
fn an_object_of_an_execution_panics_outside() {
    let kept = Arc::new(std::sync::Mutex::new(None));
    let place = Arc::clone(&kept);
    holds(move || *place.lock().unwrap() = Some(Notify::new()));
    let notify = kept.lock().unwrap().take().unwrap();
    catch_unwind(AssertUnwindSafe(|| notify.notify_one())).expect_err("it panics");
    catch_unwind(AssertUnwindSafe(|| drop(notify.notified()))).expect_err("it panics");
}

#[test]
fn a_constant_object_is_of_one_execution_and_a_static_of_the_macro_of_each() {
    static PERMITS: Semaphore = Semaphore::const_new(1);
    let what = misuse(|| {
        let task = racelab::thread::spawn(|| drop(PERMITS.try_acquire()));
        PERMITS.add_permits(1);
        task.join().unwrap();
    });
    assert!(
        what.contains("was changed in an earlier execution"),
        "{what}"
    );

    racelab::statics! {
        static LIST: Mutex<Vec<u8>> = Mutex::const_new(Vec::new());
        static TABLE: RwLock<u8> = RwLock::const_new(0);
        static READY: Notify = Notify::const_new();
        static CELL: OnceCell<u8> = OnceCell::const_new();
    }
    holds(|| {
        future::block_on(async {
            let task = spawn(async {
                LIST.lock().await.push(1);
                *TABLE.write().await += 1;
                READY.notify_one();
            });
            READY.notified().await;
            assert_eq!(CELL.get_or_init(|| async { 7 }).await, &7);
            assert_eq!((LIST.lock().await.len(), *TABLE.read().await), (1, 1));
            task.await.unwrap();
        });
    });
}

/// A bug that needs one order: the notification of all comes before the look of who waits.
fn lost_notification() {
    future::block_on(async {
        let notify = Arc::new(Notify::new());
        let (sender, mut receiver) = mpsc::channel(1);
        let other = Arc::clone(&notify);
        let task = spawn(async move {
            sender.send(1).await.unwrap();
            other.notify_waiters();
        });
        receiver.recv().await.unwrap();
        notify.notified().await;
        task.await.unwrap();
    });
}

#[test]
fn every_engine_finds_a_notification_that_is_lost() {
    let mut engines = vec![Engine::Dpor, Engine::Dfs, Engine::Random, Engine::Pct];
    engines.extend(cfg!(feature = "loom").then_some(()).map(|()| Engine::Pos));
    for engine in engines {
        let report = Explorer::new(engine)
            .max_executions(2_000)
            .explore(lost_notification);
        let failure = report
            .failure()
            .unwrap_or_else(|| panic!("{engine:?}: {report:?}"));
        assert_eq!(failure.kind, FailureKind::Deadlock);
        let schedule = failure.schedule.as_ref().expect("it can be replayed");
        let again = racelab::replay(schedule, lost_notification);
        assert_eq!(
            again.failure().expect("it fails again").trace,
            failure.trace
        );
    }
}

/// Waits for the mutex in its destructor.
struct Locks(Arc<Mutex<u8>>);

impl Drop for Locks {
    fn drop(&mut self) {
        *self.0.blocking_lock() += 1;
    }
}

#[test]
fn a_destructor_that_waits_for_a_lock_ends_with_its_execution() {
    holds(|| {
        let mutex = Arc::new(Mutex::new(0));
        let locks = Locks(Arc::clone(&mutex));
        let thread = racelab::thread::spawn(move || drop(locks));
        *mutex.blocking_lock() += 1;
        thread.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 2);
    });
    let failure = fails(FailureKind::Deadlock, || {
        let mutex = Arc::new(Mutex::new(0));
        let _guard = mutex.try_lock().unwrap();
        let locks = Locks(Arc::clone(&mutex));
        racelab::thread::spawn(move || drop(locks)).join().unwrap();
    });
    assert_eq!(failure.blocked.len(), 2);
}

#[test]
fn a_panic_with_futures_that_wait_is_the_failure() {
    let body = || {
        future::block_on(async {
            let mutex = Arc::new(Mutex::new(0));
            let (sender, mut receiver) = mpsc::channel::<u8>(1);
            let guard = mutex.lock().await;
            let other = Arc::clone(&mutex);
            let first = spawn(async move { *other.lock().await += 1 });
            let second = spawn(async move { receiver.recv().await });
            future::task::yield_now().await;
            outcome("panics");
            assert_eq!(*guard, 1, "to be seen");
            drop((first, second, sender));
        });
    };
    let failure = fails(FailureKind::Panic, body);
    assert!(
        failure.message.contains("to be seen"),
        "{}",
        failure.message
    );
}

#[test]
fn the_overflow_of_permits_is_a_panic_of_the_program() {
    let failure = fails(FailureKind::Panic, || {
        let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
        semaphore.add_permits(1);
    });
    assert!(
        failure.message.contains("would overflow"),
        "{}",
        failure.message
    );
}

#[test]
fn a_task_that_polls_a_lock_until_it_is_set_ends_or_is_a_livelock() {
    let body = |sets: bool| {
        move || {
            future::block_on(async move {
                let is_set = Arc::new(Mutex::new(false));
                let other = Arc::clone(&is_set);
                let task = spawn(async move {
                    while !*other.lock().await {
                        future::task::yield_now().await;
                    }
                });
                *is_set.lock().await = sets;
                task.await.unwrap();
            });
        }
    };
    let explore = |sets| Explorer::new(Engine::Dpor).explore(body(sets));
    let report = explore(true);
    assert!(matches!(report.verdict, Verdict::Holds), "{report:?}");
    let report = explore(false);
    let failure = report.failure().expect("nobody sets it");
    assert_eq!(failure.kind, FailureKind::Livelock);
}
