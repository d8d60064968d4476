//! Small programs, on which tests of searches compare one search with another.

use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::{Condvar, Mutex, RwLock, mpsc};
use crate::{sync, thread};

/// Two threads that increment in two steps, twice.
pub(super) fn counter() {
    let n = sync::Arc::new(AtomicUsize::new(0));
    let threads = [(); 2].map(|()| {
        let n = sync::Arc::clone(&n);
        thread::spawn(move || {
            for _ in 0..2 {
                let v = n.load(SeqCst);
                n.store(v + 1, SeqCst);
            }
        })
    });
    join(threads);
    crate::outcome(n.load(SeqCst));
}

/// Three threads whose operations can fail.
pub(super) fn attempts() {
    let n = sync::Arc::new(AtomicUsize::new(0));
    let m = sync::Arc::new(Mutex::new(0));
    let threads = [1, 2, 3].map(|id| {
        let (n, m) = (sync::Arc::clone(&n), sync::Arc::clone(&m));
        thread::spawn(move || {
            let _ = n.compare_exchange(0, id, SeqCst, SeqCst);
            let _ = m.try_lock().map(|mut held| *held += 1);
        })
    });
    join(threads);
    crate::outcome(n.load(SeqCst));
}

/// Two threads that wait on a condition variable.
pub(super) fn waiters() {
    let pair = sync::Arc::new((Mutex::new(0), Condvar::new()));
    let threads = [(); 2].map(|()| {
        let pair = sync::Arc::clone(&pair);
        thread::spawn(move || {
            let held = pair.0.lock().unwrap();
            drop(pair.1.wait_while(held, |n| *n == 0).unwrap());
        })
    });
    *pair.0.lock().unwrap() = 1;
    pair.1.notify_one();
    pair.1.notify_all();
    join(threads);
}

/// Two threads that send what main receives.
pub(super) fn senders() {
    let (sender, receiver) = mpsc::sync_channel(1);
    let threads = [1, 2].map(|id| {
        let sender = sender.clone();
        thread::spawn(move || sender.send(id).unwrap())
    });
    drop(sender);
    let received: Vec<u32> = receiver.iter().collect();
    assert_eq!(received.iter().sum::<u32>(), 3);
    crate::outcome(received);
    join(threads);
}

/// A thread that reads twice and one that joins another reader, beside a writer: they can wait behind it
/// for ever.
pub(super) fn readers() {
    let lock = sync::Arc::new(RwLock::new(0));
    let [writes, reads, again] = [(); 3].map(|()| sync::Arc::clone(&lock));
    let writer = thread::spawn(move || *writes.write().unwrap() += 1);
    let reader = thread::spawn(move || {
        let held = reads.read().unwrap();
        *held + *reads.read().unwrap()
    });
    let held = lock.read().unwrap();
    let other = thread::spawn(move || drop(again.read().unwrap()));
    crate::outcome(*held);
    other.join().unwrap();
    drop(held);
    crate::outcome(reader.join().unwrap());
    writer.join().unwrap();
}

/// Waits for all threads.
fn join<const N: usize>(threads: [thread::JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().unwrap();
    }
}
