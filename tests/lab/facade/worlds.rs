//! Objects that are used in another world than the one they were made in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool as RealAtomicBool;
use std::sync::{Mutex as RealMutex, PoisonError};
use std::task::Poll;

use racelab::parking_lot;
use racelab::queue::{ArrayQueue, SegQueue};
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockReadGuard, mpsc,
};
use racelab::{Reason, Verdict, channel, future, thread};

use super::{explore, holds};

/// What the lab says of a body that uses it wrongly.
fn misuse(body: impl Fn() + Send + Sync + 'static) -> String {
    match explore(body).verdict {
        Verdict::Inconclusive(Reason::Misused(what)) => what,
        other => panic!("not taken for a misuse: {other:?}"),
    }
}

/// What a panic outside of executions says.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload
        .downcast_ref::<String>()
        .expect("a formatted message")
        .clone()
}

/// Makes something in an execution and takes it out.
fn smuggled<T: Send + 'static>(make: impl Fn() -> T + Send + Sync + 'static) -> T {
    let place = Arc::new(RealMutex::new(None));
    let kept = Arc::clone(&place);
    holds(move || *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(make()));
    let value = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    value.expect("the execution has left something")
}

#[test]
fn a_real_channel_in_an_execution_is_a_misuse_that_names_where_it_was_made() {
    let (line, (sender, _receiver)) = (line!(), mpsc::channel());
    let what = misuse(move || {
        let _ = sender.send(1);
    });
    assert!(what.contains("Channel"), "{what}");
    assert!(what.contains("outside the closure"), "{what}");
    assert!(what.contains(&format!("{}:{line}:", file!())), "{what}");
}

#[test]
fn every_kind_of_real_channel_is_noticed_in_an_execution() {
    let (sender, receiver) = mpsc::sync_channel::<u8>(1);
    let receiver = RealMutex::new(receiver);
    assert!(
        misuse(move || {
            let _ = receiver.lock().unwrap().try_recv();
        })
        .contains("Channel")
    );
    let senders = RealMutex::new(sender);
    assert!(misuse(move || drop(senders.lock().unwrap().clone())).contains("Channel"));
}

#[test]
fn an_object_of_an_earlier_execution_is_a_misuse_that_names_where_it_was_made() {
    let (line, (sender, _)) = (line!() + 1, smuggled(|| mpsc::channel()));
    let what = misuse(move || sender.send(1).unwrap());
    assert!(what.contains("in an earlier execution"), "{what}");
    assert!(what.contains(&format!("{}:{line}:", file!())), "{what}");
}

#[test]
fn an_object_of_an_execution_panics_outside_and_names_where_it_was_made() {
    let (line, (sender, _)) = (line!() + 1, smuggled(|| mpsc::channel()));
    let message = panic_of(|| sender.send(1).unwrap());
    assert!(
        message.starts_with("racelab: the Channel used at "),
        "{message}"
    );
    assert!(message.contains("used outside of it"), "{message}");
    assert!(
        message.contains(&format!("{}:{line}:", file!())),
        "{message}"
    );
}

#[test]
fn an_atomic_that_was_made_outside_begins_each_execution_with_its_value() {
    let atomic = Arc::new(AtomicUsize::new(7));
    let inside = Arc::clone(&atomic);
    let report = explore(move || {
        let other = Arc::clone(&inside);
        let other = thread::spawn(move || other.fetch_add(1, SeqCst));
        inside.fetch_add(1, SeqCst);
        other.join().unwrap();
        assert_eq!(inside.load(SeqCst), 9);
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.executions, 2, "{report}");
    assert_eq!(atomic.load(SeqCst), 7);
}

#[test]
fn a_barrier_that_was_made_outside_is_as_new_in_each_execution() {
    let barrier = Arc::new(Barrier::new(2));
    let report = explore(move || {
        let inside = Arc::clone(&barrier);
        let other = thread::spawn(move || inside.wait().is_leader());
        assert_ne!(barrier.wait().is_leader(), other.join().unwrap());
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn locks_that_were_made_outside_can_be_used_and_what_they_guard_read() {
    let shared = Arc::new((Mutex::new(7), RwLock::new(8), Condvar::new()));
    let inside = Arc::clone(&shared);
    let report = explore(move || {
        let other = Arc::clone(&inside);
        let other = thread::spawn(move || *other.0.lock().unwrap() + *other.1.read().unwrap());
        assert_eq!(*inside.0.lock().unwrap(), 7);
        inside.2.notify_all();
        assert_eq!(other.join().unwrap(), 15);
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.traces, Some(2), "{report}");
    assert_eq!(*shared.0.lock().unwrap(), 7);
}

#[test]
fn what_a_lock_guards_must_not_have_been_changed_in_an_earlier_execution() {
    // Two executions, so that the second one meets what the first has changed.
    fn twice(change: impl Fn() + Send + Sync + 'static) -> String {
        misuse(move || {
            let flag = Arc::new(AtomicUsize::new(0));
            let other = Arc::clone(&flag);
            let other = thread::spawn(move || other.store(1, SeqCst));
            flag.store(2, SeqCst);
            other.join().unwrap();
            change();
        })
    }
    let (line, mutex) = (line!(), Mutex::new(0));
    let what = twice(move || *mutex.lock().unwrap() += 1);
    assert!(what.contains("the Mutex used at"), "{what}");
    assert!(
        what.contains("was changed in an earlier execution"),
        "{what}"
    );
    assert!(what.contains("racelab::statics!"), "{what}");
    assert!(what.contains(&format!("{}:{line}:", file!())), "{what}");
    let lock = RwLock::new(0);
    assert!(twice(move || *lock.write().unwrap() += 1).contains("the RwLock used at"));
    let mutex = parking_lot::Mutex::new(0);
    assert!(twice(move || *mutex.lock() += 1).contains("the Mutex used at"));
}

#[test]
fn a_lock_of_nothing_can_be_taken_in_every_execution() {
    let mutex = Arc::new(Mutex::new(()));
    let report = explore(move || {
        let other = Arc::clone(&mutex);
        let other = thread::spawn(move || *other.lock().unwrap() = ());
        *mutex.lock().unwrap() = ();
        other.join().unwrap();
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.executions, 2, "{report}");
}

#[test]
fn a_guard_that_was_leaked_is_a_misuse_in_the_next_execution_that_names_where_it_is_used() {
    #[derive(Default)]
    struct Locks {
        mutex: Mutex<()>,
        lock: RwLock<()>,
        parking_mutex: parking_lot::Mutex<()>,
        parking_lock: parking_lot::RwLock<()>,
        reentrant: parking_lot::ReentrantMutex<()>,
    }

    let locks = Arc::new(Locks::default());
    let leaks: [fn(&Locks); 5] = [
        |locks| std::mem::forget(locks.mutex.lock()),
        |locks| std::mem::forget(locks.lock.read()),
        |locks| std::mem::forget(locks.parking_mutex.lock()),
        |locks| std::mem::forget(locks.parking_lock.upgradable_read()),
        |locks| std::mem::forget(locks.reentrant.lock()),
    ];
    for leak in leaks {
        let locks = Arc::clone(&locks);
        let what = misuse(move || {
            let flag = Arc::new(AtomicUsize::new(0));
            let other = Arc::clone(&flag);
            let other = thread::spawn(move || other.store(1, SeqCst));
            flag.store(2, SeqCst);
            other.join().unwrap();
            leak(&locks);
        });
        let used = format!("used at {}:", file!());
        assert!(what.contains(&used), "{what}");
        assert!(
            what.contains("still held by a guard of an earlier execution"),
            "{what}"
        );
    }
}

#[test]
fn a_lock_of_which_many_guards_are_leaked_stays_locked() {
    let lock = parking_lot::RwLock::new(());
    for _ in 0..1 << 16 {
        std::mem::forget(lock.read_recursive());
    }
    assert!(lock.try_write().is_none());
    drop(lock.read_recursive());
    assert!(lock.is_locked());
}

/// A thread of std's that uses a lock of a running execution waits until that is free, and the
/// execution waits for the thread.
#[test]
fn a_thread_of_std_and_an_execution_exclude_each_other() {
    use std::sync::atomic::AtomicI64;

    let shared = Arc::new((Mutex::new(()), AtomicI64::new(0)));
    let inside = Arc::clone(&shared);
    let enter = |shared: &(Mutex<()>, AtomicI64)| {
        let guard = shared.0.lock();
        assert_eq!(shared.1.fetch_add(1, SeqCst), 0, "two guards at a time");
        std::thread::yield_now();
        shared.1.fetch_sub(1, SeqCst);
        drop(guard);
    };
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let foreign = std::thread::spawn({
        let (shared, is_over) = (Arc::clone(&shared), Arc::clone(&is_over));
        move || {
            while !is_over.load(SeqCst) {
                enter(&shared);
            }
        }
    });
    let report = explore(move || {
        let shared = Arc::clone(&inside);
        let other = thread::spawn(move || enter(&shared));
        enter(&inside);
        other.join().unwrap();
    });
    is_over.store(true, SeqCst);
    foreign.join().expect("it had the lock to itself");
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

/// Two searches at a time that use one lock.
#[test]
fn executions_on_two_os_threads_use_a_lock_one_after_the_other() {
    let shared = Arc::new((Mutex::new(7), std::sync::atomic::AtomicUsize::new(0)));
    let searches: Vec<_> = (0..2)
        .map(|_| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                explore(move || {
                    let other = Arc::clone(&shared);
                    let other = thread::spawn(move || *other.0.lock().unwrap());
                    let guard = shared.0.lock().unwrap();
                    assert_eq!(shared.1.fetch_add(1, SeqCst), 0, "two guards at a time");
                    shared.1.fetch_sub(1, SeqCst);
                    drop(guard);
                    assert_eq!(other.join().unwrap(), 7);
                })
            })
        })
        .collect();
    for search in searches {
        let report = search.join().unwrap();
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        assert_eq!(report.executions, 2, "{report}");
    }
}

#[test]
fn of_two_searches_that_wait_for_each_other_one_gives_up_and_says_why() {
    let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
    let both_hold_one = Arc::new(std::sync::Barrier::new(2));
    let searches = [0, 1].map(|first| {
        let (locks, both_hold_one) = (Arc::clone(&locks), Arc::clone(&both_hold_one));
        let is_first_execution = RealAtomicBool::new(true);
        std::thread::spawn(move || {
            explore(move || {
                let _first = locks[first].lock().unwrap();
                if is_first_execution.swap(false, SeqCst) {
                    both_hold_one.wait();
                }
                let _second = locks[1 - first].lock().unwrap();
            })
        })
    });
    let reports = searches.map(|search| search.join().unwrap());
    let given_up = reports.iter().filter(|report| match &report.verdict {
        Verdict::Inconclusive(Reason::Unsupported(why)) => {
            assert!(why.contains("each of the two waits for the other"), "{why}");
            assert!(why.contains("Mutex made at"), "{why}");
            true
        }
        Verdict::Holds => false,
        other => panic!("{other:?}"),
    });
    assert!(given_up.count() >= 1);
    for report in &reports {
        assert_eq!(report.waited, 1, "{report}");
        let says = "; 1 execution waited for another search that uses the same objects";
        let lines: Vec<_> = report
            .to_string()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        assert!(lines.join(" ").contains(says), "{report}");
    }
}

/// Modelled threads share what is in a `thread_local!` of std's, since they run on one OS thread, and
/// so do the executions of a search.
#[test]
fn an_object_in_a_thread_local_of_std_is_one_for_all_executions() {
    std::thread_local! {
        static N: Vec<AtomicUsize> = vec![AtomicUsize::new(1)];
        static LOCK: Vec<Mutex<usize>> = vec![Mutex::new(1)];
    }
    holds(|| {
        let other = thread::spawn(|| N.with(|n| n[0].fetch_add(1, SeqCst)));
        other.join().unwrap();
        assert_eq!(N.with(|n| n[0].load(SeqCst)), 2);
    });
    let what = misuse(|| {
        let other = thread::spawn(|| LOCK.with(|lock| *lock[0].lock().unwrap() += 1));
        LOCK.with(|lock| *lock[0].lock().unwrap() += 1);
        other.join().unwrap();
    });
    assert!(what.contains("changed in an earlier execution"), "{what}");
}

#[test]
fn every_end_of_a_modelled_channel_panics_outside_and_can_be_dropped() {
    let (sender, receiver) = smuggled(|| {
        let (sender, receiver) = mpsc::channel();
        sender.send(Arc::new(5)).unwrap();
        (sender, receiver)
    });
    assert!(panic_of(|| drop(sender.send(Arc::new(6)))).contains("the Channel used at"));
    assert!(panic_of(|| drop(sender.clone())).contains("the Channel used at"));
    assert!(panic_of(|| drop(receiver.recv())).contains("the Channel used at"));
    assert!(panic_of(|| drop(receiver.try_iter().next())).contains("the Channel used at"));
    drop((sender, receiver));

    let (sender, receiver) = smuggled(|| mpsc::sync_channel::<u8>(1));
    assert!(
        panic_of(|| {
            let _ = sender.try_send(6);
        })
        .contains("the Channel used at")
    );
    drop((receiver, sender));
}

#[test]
fn every_end_of_the_channels_and_queues_of_other_crates_is_noticed_in_every_other_world() {
    let (sender, receiver) = channel::bounded(1);
    assert!(
        misuse(move || {
            let _ = sender.send(1);
        })
        .contains("Channel")
    );
    assert!(misuse(move || drop(receiver.clone())).contains("Channel"));
    let queue = SegQueue::new();
    assert!(misuse(move || queue.push(1)).contains("SegQueue"));
    let queue = ArrayQueue::<u8>::new(1);
    assert!(
        misuse(move || {
            let _ = queue.pop();
        })
        .contains("ArrayQueue")
    );
    let (sender, _receiver) = future::sync::mpsc::channel(1);
    assert!(
        misuse(move || {
            let _ = sender.try_send(1);
        })
        .contains("Channel")
    );

    let (sender, receiver) = smuggled(|| channel::bounded(1));
    assert!(
        panic_of(|| {
            let _ = sender.try_send(1);
        })
        .contains("the Channel used at")
    );
    assert!(
        panic_of(|| {
            let _ = receiver.len();
        })
        .contains("the Channel used at")
    );
    let queue = smuggled(|| {
        let queue = SegQueue::new();
        queue.push(7);
        queue
    });
    assert!(
        panic_of(|| {
            let _ = queue.pop();
        })
        .contains("the SegQueue used at")
    );
    // What is no operation is possible everywhere.
    assert_eq!(queue.into_iter().collect::<Vec<_>>(), [7]);
    let (sender, mut receiver) = smuggled(|| future::sync::mpsc::channel::<u8>(1));
    assert!(panic_of(|| drop(sender.send(1))).contains("the Channel used at"));
    assert!(
        panic_of(|| {
            let _ = receiver.try_recv();
        })
        .contains("the Channel used at")
    );
}

#[test]
fn a_waker_of_an_execution_panics_outside_and_can_be_dropped() {
    let waker = smuggled(|| {
        future::block_on(std::future::poll_fn(|context| {
            Poll::Ready(context.waker().clone())
        }))
    });
    assert!(panic_of(|| waker.wake_by_ref()).contains("the Task used at"));
    drop(waker);
}

#[test]
fn a_barrier_of_a_running_execution_is_none_of_a_real_thread() {
    holds(|| {
        let barrier = Arc::new(Barrier::new(1));
        assert!(barrier.wait().is_leader());
        let wait = move || panic_of(|| _ = barrier.wait().is_leader());
        let message = std::thread::spawn(wait);
        let message = message.join().unwrap();
        assert!(
            message.contains("on a thread that the lab does not run"),
            "{message}"
        );
    });
}

#[test]
fn an_object_of_an_execution_panics_on_a_real_thread() {
    let (sender, _) = smuggled(|| mpsc::channel());
    let message = thread::spawn(move || panic_of(|| sender.send(1).unwrap()))
        .join()
        .unwrap();
    assert!(
        message.contains("on a thread that the lab does not run"),
        "{message}"
    );
}

#[test]
fn ends_of_another_world_can_be_dropped_in_an_execution() {
    let (sender, receiver) = mpsc::channel::<u8>();
    let ends = Arc::new(RealMutex::new(Some((sender, receiver))));
    let kept = Arc::clone(&ends);
    holds(move || drop(kept.lock().unwrap().take()));
    assert!(ends.lock().unwrap().is_none());

    let smuggled = RealMutex::new(Some(smuggled(mpsc::channel::<u8>)));
    holds(move || drop(smuggled.lock().unwrap().take()));
}

#[test]
fn locks_and_cells_can_be_used_in_each_world() {
    let lock = smuggled(|| RwLock::new(7));
    assert_eq!(*lock.read().unwrap(), 7);
    assert_eq!(lock.into_inner().unwrap(), 7);
    let mutex = smuggled(|| parking_lot::Mutex::new(7));
    assert_eq!(*mutex.lock(), 7);
    assert_eq!(mutex.into_inner(), 7);
    // What is initialised in an execution ends with it.
    let cell = smuggled(|| OnceLock::from(7));
    assert_eq!(cell.get(), None);
    assert_eq!(cell.set(8), Ok(()));
    assert_eq!(cell.into_inner(), Some(8));
}

/// Something unsized to put behind a lock.
trait Account: Send {
    fn balance(&mut self) -> &mut i64;
}

impl Account for i64 {
    fn balance(&mut self) -> &mut i64 {
        self
    }
}

fn use_a_mutex_of_a_trait_object() {
    let account: Arc<Mutex<dyn Account>> = Arc::new(Mutex::new(100_i64));
    let other = Arc::clone(&account);
    let other = thread::spawn(move || *other.lock().unwrap().balance() -= 30);
    *account.lock().unwrap().balance() += 1;
    other.join().unwrap();
    assert_eq!(*account.try_lock().unwrap().balance(), 71);
    let words: Box<Mutex<[&str]>> = Box::new(Mutex::new(["a", "b"]));
    assert_eq!(words.lock().unwrap().len(), 2);
}

#[test]
fn a_mutex_can_hold_a_trait_object_outside() {
    use_a_mutex_of_a_trait_object();
}

#[test]
fn a_mutex_can_hold_a_trait_object_inside() {
    holds(use_a_mutex_of_a_trait_object);
}

#[test]
fn the_façade_is_send_and_sync_where_std_is() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    fn is_unwind_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    is_send::<mpsc::Sender<std::cell::Cell<u8>>>();
    is_sync::<mpsc::Sender<std::cell::Cell<u8>>>();
    is_send::<mpsc::SyncSender<u8>>();
    is_sync::<mpsc::SyncSender<u8>>();
    is_send::<mpsc::Receiver<u8>>();
    is_unwind_safe::<mpsc::Sender<&mut u8>>();
    is_unwind_safe::<mpsc::SyncSender<&mut u8>>();
    is_unwind_safe::<mpsc::Receiver<&mut u8>>();
    is_sync::<Mutex<std::cell::Cell<u8>>>();
    is_sync::<thread::JoinHandle<u8>>();
    is_send::<RwLock<std::cell::Cell<u8>>>();
    is_sync::<RwLock<u8>>();
    is_sync::<RwLockReadGuard<'_, u8>>();
    is_unwind_safe::<RwLock<&mut u8>>();
    is_sync::<parking_lot::Mutex<std::cell::Cell<u8>>>();
    is_sync::<Barrier>();
    is_sync::<Once>();
    is_unwind_safe::<Once>();
    is_send::<OnceLock<std::cell::Cell<u8>>>();
    is_sync::<OnceLock<u8>>();
    is_unwind_safe::<OnceLock<u8>>();
    is_sync::<LazyLock<u8>>();
    is_sync::<LazyLock<u8, Box<dyn FnOnce() -> u8 + Send>>>();
    is_unwind_safe::<LazyLock<u8>>();
    is_sync::<channel::Sender<std::cell::Cell<u8>>>();
    is_sync::<channel::Receiver<std::cell::Cell<u8>>>();
    is_unwind_safe::<channel::Sender<&mut u8>>();
    is_unwind_safe::<channel::Receiver<&mut u8>>();
    is_sync::<SegQueue<std::cell::Cell<u8>>>();
    is_sync::<ArrayQueue<std::cell::Cell<u8>>>();
    is_sync::<future::sync::mpsc::Sender<std::cell::Cell<u8>>>();
    is_send::<future::sync::mpsc::Receiver<std::cell::Cell<u8>>>();
    is_sync::<future::task::JoinHandle<std::cell::Cell<u8>>>();
}

#[test]
fn the_futures_of_the_façade_can_be_sent() {
    fn is_send(_: &impl Send) {}
    let (sender, mut receiver) = future::sync::mpsc::channel(1);
    is_send(&sender.send(1));
    is_send(&receiver.recv());
    is_send(&future::task::yield_now());
}
