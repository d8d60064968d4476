//! Waits that end when they should.
//!
//! The timer of tokio knows whole milliseconds only, and rounds up: to wait 20 ms takes 21 or 22.
//! The times of downloads are held against a latency, so here a thread keeps the time: the system
//! wakes it to about 0.1 ms.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::thread_clock::cpu_time_of;

/// A thread that wakes tasks at given times. It ends when this is dropped, and so do all waits.
#[derive(Debug)]
pub(super) struct Alarm {
    waits: Arc<Waits>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Waits {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    /// Who is woken, by the time, and by a number since several may be due at the same one.
    due: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    next_number: u64,
    ended: bool,
}

impl Alarm {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system starts no more threads.
    pub(super) fn start() -> io::Result<Self> {
        let waits = Arc::new(Waits::default());
        let thread = thread::Builder::new().name("io timer".to_owned()).spawn({
            let waits = Arc::clone(&waits);
            move || waits.keep_time()
        })?;
        Ok(Alarm {
            waits,
            thread: Some(thread),
        })
    }

    /// Waits until then. A time that has passed is no wait.
    pub(super) async fn wait_until(&self, due: Instant) {
        if due <= Instant::now() {
            return;
        }
        let woken = self.waits.add(due);
        // An error says that the alarm has ended, and the wait with it.
        let _ = woken.await;
    }

    /// The processor time that the thread has taken.
    pub(super) fn cpu_time(&self) -> Duration {
        self.thread.as_ref().map_or(Duration::ZERO, cpu_time_of)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.waits.pending().ended = true;
        self.waits.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // The thread runs nothing that panics.
            let _ = thread.join();
        }
    }
}

impl Waits {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, due: Instant) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let mut pending = self.pending();
        let key = (due, pending.next_number);
        pending.next_number += 1;
        pending.due.insert(key, wake);
        // The thread waits for the first one only.
        if pending.due.first_key_value().map(|(first, _)| *first) == Some(key) {
            self.changed.notify_one();
        }
        woken
    }

    fn keep_time(&self) {
        let mut pending = self.pending();
        while !pending.ended {
            let now = Instant::now();
            while let Some(first) = pending.due.first_entry()
                && first.key().0 <= now
            {
                // A task that is gone need not be woken.
                let _ = first.remove().send(());
            }
            let first = pending.due.first_key_value().map(|((due, _), _)| *due);
            pending = match first {
                Some(due) => {
                    let rest = due.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(pending, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(pending);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::workers::event_loop;

    #[test]
    fn waits_end_in_the_order_of_their_times_and_not_before_them() {
        let alarm = Arc::new(Alarm::start().expect("a thread"));
        let order = Arc::new(Mutex::new(Vec::new()));
        let began = Instant::now();
        event_loop().expect("an event loop").block_on(async {
            let waits: Vec<_> = [30, 10, 20, 0]
                .map(|millis| {
                    let (alarm, order) = (Arc::clone(&alarm), Arc::clone(&order));
                    tokio::spawn(async move {
                        let due = began + Duration::from_millis(millis);
                        alarm.wait_until(due).await;
                        assert!(Instant::now() >= due);
                        order.lock().expect("no panic").push(millis);
                    })
                })
                .into();
            for wait in waits {
                wait.await.expect("no wait ends early");
            }
        });
        assert_eq!(*order.lock().expect("no panic"), [0, 10, 20, 30]);
    }

    #[test]
    fn a_wait_ends_with_its_alarm() {
        let alarm = Alarm::start().expect("a thread");
        let woken = alarm.waits.add(Instant::now() + Duration::from_hours(1));
        drop(alarm);
        assert!(woken.blocking_recv().is_err());
    }
}
