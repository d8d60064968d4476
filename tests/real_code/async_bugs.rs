//! Bugs of asynchronous programs, each written afresh after a public report, and beside its fix.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use racelab::future as tokio;
use racelab::sync::{Arc, Mutex};
use racelab::trace::LeftOut;
use racelab::{Engine, FailureKind};

use tokio::sync::{RwLock, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::{fails, holds, holds_by_reduction, holds_under};

/// However long it is: in an execution it may be over at any moment.
const LIMIT: Duration = Duration::from_secs(1);

/// A pool of one connection. Each is tried before it is handed out, and given back in the end.
async fn use_connection(permits: &Semaphore, is_guarded: bool) {
    let permit = permits.acquire().await.unwrap();
    if is_guarded {
        tokio::task::yield_now().await;
        drop(permit);
    } else {
        permit.forget();
        tokio::task::yield_now().await;
        permits.add_permits(1);
    }
}

fn two_use_a_pool(is_guarded: bool) {
    tokio::block_on(async move {
        let permits = Semaphore::new(1);
        let _ = timeout(LIMIT, use_connection(&permits, is_guarded)).await;
        use_connection(&permits, is_guarded).await;
    });
}

/// <https://github.com/djc/bb8/issues/59>, <https://github.com/transact-rs/sqlx/issues/83>
#[test]
fn a_connection_that_is_tried_before_it_has_a_guard_is_lost_by_a_time_out() {
    fails(FailureKind::Deadlock, "", || two_use_a_pool(false));
    holds(|| two_use_a_pool(true));
}

/// A resource that is free or not, and its own queue of those that wait for it.
#[derive(Default)]
struct Waiters(Mutex<(bool, VecDeque<oneshot::Sender<()>>)>);

impl Waiters {
    async fn acquire(&self) {
        let woken = {
            let (is_free, waiters) = &mut *self.0.lock().unwrap();
            if std::mem::take(is_free) {
                return;
            }
            let (wakes, woken) = oneshot::channel();
            waiters.push_back(wakes);
            woken
        };
        woken.await.unwrap();
    }

    fn release(&self) {
        let (is_free, waiters) = &mut *self.0.lock().unwrap();
        match waiters.pop_front() {
            Some(wakes) => drop(wakes.send(())),
            None => *is_free = true,
        }
    }
}

/// <https://github.com/transact-rs/sqlx/issues/620>
#[test]
fn a_waiter_that_is_cancelled_and_stays_in_the_queue_takes_the_wake_up_of_another() {
    fails(FailureKind::Deadlock, "", || {
        tokio::block_on(async {
            let resource = Arc::new(Waiters::default());
            let holder = tokio::spawn({
                let resource = Arc::clone(&resource);
                async move { resource.release() }
            });
            if timeout(LIMIT, resource.acquire()).await.is_err() {
                resource.acquire().await;
            }
            holder.await.unwrap();
        });
    });
    holds(|| {
        tokio::block_on(async {
            let permits = Arc::new(Semaphore::new(0));
            let holder = tokio::spawn({
                let permits = Arc::clone(&permits);
                async move { permits.add_permits(1) }
            });
            if timeout(LIMIT, permits.acquire()).await.is_err() {
                permits.acquire().await.unwrap().forget();
            }
            holder.await.unwrap();
        });
    });
}

/// Two parts of one task use a lock of std's.
fn two_parts_of_a_task(keeps_the_lock: bool) {
    tokio::block_on(async move {
        let count = Mutex::new(0);
        let part = async || {
            let mut guard = count.lock().unwrap();
            *guard += 1;
            if keeps_the_lock {
                tokio::task::yield_now().await;
                drop(guard);
            } else {
                drop(guard);
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(part(), part());
        assert_eq!(*count.lock().unwrap(), 2);
    });
}

/// <https://github.com/tokio-rs/tokio/issues/4588>
#[test]
fn a_lock_of_std_that_is_held_over_an_await_blocks_the_thread_of_its_task() {
    fails(FailureKind::Deadlock, "", || two_parts_of_a_task(true));
    holds(|| two_parts_of_a_task(false));
}

/// A branch of `select!` goes on, while the future of another one stands in the line of a lock.
fn a_branch_takes_the_lock(is_dropped_first: bool) {
    tokio::block_on(async move {
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        let holder = tokio::spawn({
            let lock = Arc::clone(&lock);
            async move {
                let _guard = lock.lock().await;
                tokio::task::yield_now().await;
            }
        });
        let first = async { drop(lock.lock().await) };
        let mut first = Box::pin(first);
        let is_first = tokio::select! {
            biased;
            () = &mut first => true,
            () = tokio::task::yield_now() => false,
        };
        if !is_first && is_dropped_first {
            drop(first);
            drop(lock.lock().await);
        } else if !is_first {
            drop(lock.lock().await);
            drop(first);
        }
        holder.await.unwrap();
    });
}

/// <https://github.com/oxidecomputer/omicron/issues/9259>
#[test]
fn a_future_in_the_line_of_a_lock_that_is_not_polled_keeps_the_lock_from_its_own_task() {
    fails(FailureKind::Deadlock, "", || a_branch_takes_the_lock(false));
    holds(|| a_branch_takes_the_lock(true));
}

/// A worker takes a message, and waits before it handles it. A second channel interrupts it.
fn an_interrupted_worker(waits_in_the_branch: bool) {
    tokio::block_on(async move {
        let (sender, mut messages) = mpsc::channel(1);
        let (interrupts, mut interrupted) = mpsc::channel::<()>(1);
        let source = tokio::spawn(async move {
            sender.send(1).await.unwrap();
            interrupts.send(()).await.unwrap();
        });
        let mut handled = 0;
        loop {
            tokio::select! {
                message = async {
                    let message = messages.recv().await;
                    if waits_in_the_branch {
                        tokio::task::yield_now().await;
                    }
                    message
                } => match message {
                    Some(message) => handled += message,
                    None => break,
                },
                Some(()) = interrupted.recv() => {}
            }
        }
        source.await.unwrap();
        assert_eq!(handled, 1, "each message is handled");
    });
}

/// <https://github.com/marmot-protocol/mdk/issues/712>
#[test]
fn a_message_that_was_taken_in_a_branch_is_lost_where_another_branch_is_first() {
    let message = "each message is handled";
    fails(FailureKind::Panic, message, || an_interrupted_worker(true));
    holds_by_reduction(|| an_interrupted_worker(false));
}

/// A phase counts messages up to its end, which a timer decides.
fn a_phase_with_an_end(counts_the_rest: bool) {
    tokio::block_on(async move {
        let (sender, mut messages) = mpsc::channel(1);
        let source = tokio::spawn(async move { usize::from(sender.send(()).await.is_ok()) });
        let mut end = pin!(tokio::time::sleep(LIMIT));
        let mut counted = 0;
        tokio::select! {
            biased;
            () = &mut end => {}
            Some(()) = messages.recv() => counted += 1,
        }
        if counts_the_rest {
            messages.close();
            while messages.recv().await.is_some() {
                counted += 1;
            }
        }
        drop(messages);
        let accepted = source.await.unwrap();
        assert_eq!(counted, accepted, "what was accepted is counted");
    });
}

/// <https://github.com/xaynetwork/xaynet/pull/577>
#[test]
fn a_message_that_was_accepted_before_the_end_of_a_phase_is_dropped_with_its_channel() {
    let message = "what was accepted is counted";
    fails(FailureKind::Panic, message, || a_phase_with_an_end(false));
    holds_under(Engine::Dpor, LeftOut::RepeatedTimeouts, || {
        a_phase_with_an_end(true);
    });
}

/// A task reads, and reads again in a function that it calls.
fn a_second_read(keeps_the_first: bool) {
    tokio::block_on(async move {
        let lock = Arc::new(RwLock::new(0));
        let writer = tokio::spawn({
            let lock = Arc::clone(&lock);
            async move { *lock.write().await += 1 }
        });
        let first = lock.read().await;
        if keeps_the_first {
            drop(lock.read().await);
            drop(first);
        } else {
            drop(first);
            drop(lock.read().await);
        }
        writer.await.unwrap();
    });
}

/// <https://github.com/tokio-rs/tokio/issues/2849>, <https://github.com/ZcashFoundation/zebra/pull/3378>
#[test]
fn a_second_read_of_one_task_waits_behind_a_writer_that_waits_for_the_first() {
    fails(FailureKind::Deadlock, "", || a_second_read(true));
    holds(|| a_second_read(false));
}

/// A worker that can put a message back, for which it keeps room.
fn a_worker_that_puts_back(keeps_room: bool) {
    tokio::block_on(async move {
        let (sender, mut messages) = mpsc::channel(1);
        let source = tokio::spawn({
            let sender = sender.clone();
            async move { sender.send(1).await.unwrap() }
        });
        let room = if keeps_room {
            Some(sender.clone().reserve_owned().await.unwrap())
        } else {
            None
        };
        // The first attempt has failed.
        let message = messages.recv().await.unwrap();
        let again = match room {
            Some(room) => {
                room.send(message);
                messages.recv().await.unwrap()
            }
            None => message,
        };
        assert_eq!(again, 1);
        source.await.unwrap();
    });
}

/// <https://github.com/tokio-rs/tokio/issues/7709>
#[test]
fn room_that_a_receiver_keeps_for_itself_is_missing_to_the_senders() {
    fails(FailureKind::Deadlock, "", || a_worker_that_puts_back(true));
    holds(|| a_worker_that_puts_back(false));
}

/// A value that another thread sets, and the waker of the task that waits for it.
#[derive(Default)]
struct Signal {
    is_set: Mutex<bool>,
    waker: Mutex<Option<Waker>>,
}

fn a_signal_is_awaited(looks_after: bool) {
    tokio::block_on(async move {
        let signal = Arc::new(Signal::default());
        let setter = tokio::spawn({
            let signal = Arc::clone(&signal);
            async move {
                *signal.is_set.lock().unwrap() = true;
                let waker = signal.waker.lock().unwrap().take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        });
        poll_fn(|context| {
            if !looks_after && *signal.is_set.lock().unwrap() {
                return Poll::Ready(());
            }
            *signal.waker.lock().unwrap() = Some(context.waker().clone());
            if looks_after && *signal.is_set.lock().unwrap() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
        setter.await.unwrap();
    });
}

/// <https://github.com/fereidani/kanal/issues/15>
#[test]
fn a_waker_that_is_left_after_the_look_is_not_woken_by_what_came_between() {
    fails(FailureKind::Deadlock, "", || a_signal_is_awaited(false));
    holds(|| a_signal_is_awaited(true));
}

/// A task sends a message, and does something else meanwhile.
fn a_send_in_a_loop(reserves: bool) {
    tokio::block_on(async move {
        let (sender, mut messages) = mpsc::channel(1);
        let (interrupts, mut interrupted) = mpsc::channel::<()>(1);
        sender.send(0).await.unwrap();
        let receiver = tokio::spawn(async move {
            let mut sum = 0;
            while let Some(message) = messages.recv().await {
                sum += message;
            }
            sum
        });
        let other = tokio::spawn(async move { interrupts.send(()).await.unwrap() });
        let mut message = Some(1);
        while message.is_some() {
            if reserves {
                tokio::select! {
                    room = sender.reserve() => room.unwrap().send(message.take().unwrap()),
                    Some(()) = interrupted.recv() => {}
                }
            } else {
                tokio::select! {
                    sent = sender.send(message.take().unwrap()) => sent.unwrap(),
                    Some(()) = interrupted.recv() => {}
                }
            }
        }
        drop(sender);
        other.await.unwrap();
        assert_eq!(receiver.await.unwrap(), 1, "each message arrives");
    });
}

/// <https://github.com/tokio-rs/tokio/pull/5947>
#[test]
fn a_send_that_is_dropped_takes_its_message_with_it() {
    let message = "each message arrives";
    fails(FailureKind::Panic, message, || a_send_in_a_loop(false));
    holds_by_reduction(|| a_send_in_a_loop(true));
}
