//! What std promises of several threads, under every interleaving of small programs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::mpsc::{self, RecvTimeoutError, TryRecvError, TrySendError};
use racelab::sync::{Arc, Condvar, Mutex};
use racelab::trace::{EventResult, Operation};
use racelab::{
    Bound, Coverage, Engine, Explorer, Failure, FailureKind, Named, Reason, Verdict, hint, outcome,
    thread,
};

use super::{explore, fails, holds, outcomes};

const MOMENT: Duration = Duration::from_millis(1);

/// What was done in a failing execution.
fn operations(failure: &Failure) -> Vec<Operation> {
    failure
        .trace
        .events
        .iter()
        .map(|event| event.operation)
        .collect()
}

// Mutexes.

#[test]
fn one_thread_at_a_time_is_in_a_critical_section() {
    holds(|| {
        let (inside, count) = (AtomicUsize::new(0), Mutex::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut count = count.lock().unwrap();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    *count += 1;
                    inside.fetch_sub(1, SeqCst);
                });
            }
        });
        assert_eq!(count.into_inner().unwrap(), 2);
    });
}

#[test]
fn an_attempt_to_lock_fails_only_while_another_thread_holds_the_mutex() {
    let results = outcomes(|| {
        let (mutex, holds) = (Mutex::new(()), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = mutex.lock().unwrap();
                holds.store(true, SeqCst);
                holds.store(false, SeqCst);
            });
            let was_held = holds.load(SeqCst);
            let acquired = mutex.try_lock().is_ok();
            outcome((was_held, acquired));
        });
    });
    assert_eq!(
        results,
        [
            "(false, false)",
            "(false, true)",
            "(true, false)",
            "(true, true)"
        ]
    );
}

#[test]
fn a_caught_panic_poisons_the_mutex_for_the_other_thread() {
    let results = outcomes(|| {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let mut guard = mutex.lock().unwrap();
                    *guard = 1;
                    resume_unwind(Box::new(()));
                }));
                assert!(caught.is_err());
            });
            outcome(match mutex.lock() {
                Ok(guard) => (*guard, "healthy"),
                Err(error) => (*error.into_inner(), "poisoned"),
            });
        });
        assert!(mutex.is_poisoned());
        mutex.clear_poison();
        assert_eq!(*mutex.lock().unwrap(), 1);
    });
    assert_eq!(results, [r#"(0, "healthy")"#, r#"(1, "poisoned")"#]);
}

#[test]
fn two_mutexes_in_opposite_orders_deadlock() {
    fails(FailureKind::Deadlock, || {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock().unwrap();
                let _b = b.lock().unwrap();
            });
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        });
    });
}

#[test]
fn to_lock_a_mutex_twice_is_a_deadlock() {
    fails(FailureKind::Deadlock, || {
        let mutex = Mutex::new(());
        let _first = mutex.lock();
        let _second = mutex.lock();
    });
}

// Condition variables.

#[test]
fn a_wait_for_a_flag_under_its_mutex_ends() {
    holds(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock().unwrap() = true;
                changed.notify_one();
            });
            let guard = changed
                .wait_while(ready.lock().unwrap(), |ready| !*ready)
                .unwrap();
            assert!(*guard);
        });
    });
}

#[test]
fn a_notification_before_the_wait_is_lost() {
    let failure = fails(FailureKind::Deadlock, || {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| changed.notify_one());
            drop(changed.wait(mutex.lock().unwrap()).unwrap());
        });
    });
    assert_eq!(operations(&failure).last(), Some(&Operation::Wait));
}

#[test]
fn a_flag_set_outside_of_the_mutex_loses_a_wake_up() {
    fails(FailureKind::Deadlock, || {
        let (ready, mutex, changed) = (AtomicBool::new(false), Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                ready.store(true, SeqCst);
                changed.notify_one();
            });
            let mut guard = mutex.lock().unwrap();
            while !ready.load(SeqCst) {
                guard = changed.wait(guard).unwrap();
            }
        });
    });
}

/// Two threads wait for a permit; who gets it is recorded.
fn who_is_woken(permits: usize, notify: fn(&Condvar)) -> Vec<String> {
    outcomes(move || {
        let (order, changed) = (Mutex::new(Vec::new()), Condvar::new());
        let (arrived, arrivals) = mpsc::channel();
        thread::scope(|scope| {
            for number in 1..=2 {
                let (order, changed, arrived) = (&order, &changed, arrived.clone());
                scope.spawn(move || {
                    let guard = order.lock().unwrap();
                    arrived.send(()).unwrap();
                    changed.wait(guard).unwrap().push(number);
                });
            }
            // Both wait before anything is notified.
            assert_eq!(arrivals.iter().take(2).count(), 2);
            drop(order.lock().unwrap());
            for _ in 0..permits {
                notify(&changed);
            }
        });
        outcome(order.into_inner().unwrap());
    })
}

#[test]
fn each_choice_of_the_thread_that_is_woken_is_explored() {
    assert_eq!(who_is_woken(2, Condvar::notify_one), ["[1, 2]", "[2, 1]"]);
}

#[test]
fn a_notification_of_all_wakes_every_waiting_thread_in_any_order() {
    assert_eq!(who_is_woken(1, Condvar::notify_all), ["[1, 2]", "[2, 1]"]);
}

#[test]
fn one_notification_wakes_one_of_two_threads() {
    let report = explore(|| {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        let woken = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    drop(changed.wait(mutex.lock().unwrap()).unwrap());
                    assert_eq!(woken.fetch_add(1, SeqCst), 0);
                });
            }
            changed.notify_one();
        });
    });
    let failure = report
        .failure()
        .expect("one thread at least waits for ever");
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert_eq!(report.violations, report.executions);
}

#[test]
fn a_wait_with_a_time_limit_ends_in_both_ways() {
    let results = outcomes(|| {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| changed.notify_one());
            let (_guard, result) = changed.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
            outcome(result.timed_out());
        });
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_wait_with_a_time_limit_ends_although_nobody_notifies() {
    let results = outcomes(|| {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        let (_guard, result) = changed.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
        outcome(result.timed_out());
    });
    assert_eq!(results, ["true"]);
}

#[test]
fn a_conditional_wait_with_a_time_limit_tells_whether_the_condition_holds() {
    let results = outcomes(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock().unwrap() = true;
                changed.notify_one();
            });
            let guard = ready.lock().unwrap();
            let waited = changed
                .wait_timeout_while(guard, MOMENT, |ready| !*ready)
                .unwrap();
            let (ready, result) = waited;
            assert_eq!(result.timed_out(), !*ready);
            outcome(*ready);
        });
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_timed_out_wait_does_not_consume_a_notification() {
    // The second thread waits without a limit. The notification comes after both wait, and when
    // it comes after the time-out it can only be for the second one.
    holds(|| {
        let (state, changed) = (Mutex::new((0, false)), Condvar::new());
        thread::scope(|scope| {
            let patient = scope.spawn(|| {
                let mut guard = state.lock().unwrap();
                guard.0 += 1;
                drop(changed.wait_while(guard, |state| !state.1).unwrap());
            });
            let (mut guard, result) = {
                let mut guard = state.lock().unwrap();
                guard.0 += 1;
                changed.wait_timeout(guard, MOMENT).unwrap()
            };
            assert!(result.timed_out(), "nobody has notified yet");
            guard.1 = true;
            drop(guard);
            changed.notify_one();
            patient.join().unwrap();
        });
    });
}

#[test]
fn a_wait_returns_the_poison_that_came_meanwhile() {
    let results = outcomes(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let mut guard = ready.lock().unwrap();
                    *guard = true;
                    changed.notify_one();
                    resume_unwind(Box::new(()));
                }));
                assert!(caught.is_err());
            });
            match ready.lock() {
                Ok(guard) => {
                    let waited = changed.wait_while(guard, |ready| !*ready);
                    outcome(if waited.is_err() {
                        "poisoned in the wait"
                    } else {
                        "healthy"
                    });
                }
                Err(_) => outcome("poisoned before"),
            }
        });
    });
    assert_eq!(
        results,
        [r#""poisoned before""#, r#""poisoned in the wait""#]
    );
}

// Channels.

#[test]
fn the_messages_of_each_sender_arrive_in_order_and_all_of_them() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::channel();
        let other = sender.clone();
        let first = thread::spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        let second = thread::spawn(move || other.send(10).unwrap());
        let all: Vec<i32> = receiver.iter().collect();
        outcome(all);
        first.join().unwrap();
        second.join().unwrap();
    });
    assert_eq!(results, ["[1, 10, 2]", "[1, 2, 10]", "[10, 1, 2]"]);
}

#[test]
fn an_iteration_ends_when_the_last_sender_is_dropped() {
    holds(|| {
        let (sender, receiver) = mpsc::sync_channel(1);
        let senders = [sender.clone(), sender];
        let producers = senders.map(|sender| thread::spawn(move || drop(sender)));
        assert_eq!(receiver.into_iter().collect::<Vec<u8>>(), [0u8; 0]);
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

#[test]
fn a_receiver_waits_for_ever_for_a_sender_that_is_kept() {
    let failure = fails(FailureKind::Deadlock, || {
        let (sender, receiver) = mpsc::channel::<u8>();
        let sender = sender.named("letters");
        drop(sender.clone());
        assert!(receiver.recv().is_err());
        drop(sender);
    });
    assert_eq!(operations(&failure), [Operation::Disconnect]);
    let channel = failure.trace.events[0].object.expect("a channel");
    assert_eq!(failure.trace.object_name(channel), "letters");
}

#[test]
fn a_bounded_channel_never_holds_more_than_its_bound() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::sync_channel(2);
        // Counted before the receipt, so that no message is taken that is not counted.
        let taken = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let sender = sender;
                for sent in 1..=4 {
                    sender.send(sent).unwrap();
                    let taken = taken.load(SeqCst);
                    assert!(sent <= taken + 2, "{sent} are sent and {taken} taken");
                }
            });
            let mut all = Vec::new();
            loop {
                taken.fetch_add(1, SeqCst);
                let Ok(message) = receiver.recv() else { break };
                all.push(message);
            }
            outcome(all);
        });
    });
    assert_eq!(results, ["[1, 2, 3, 4]"]);
}

#[test]
fn a_send_into_a_full_channel_waits_for_ever_if_nobody_receives() {
    let failure = fails(FailureKind::Deadlock, || {
        let (sender, _receiver) = mpsc::sync_channel(1);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
    });
    assert_eq!(operations(&failure), [Operation::Send]);
}

#[test]
fn a_send_that_waits_for_room_gets_its_message_back_when_the_receiver_goes() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::sync_channel(1);
        sender.send(1).unwrap();
        let other = thread::spawn(move || drop(receiver));
        outcome(sender.send(2));
        other.join().unwrap();
    });
    assert_eq!(results, ["Err(SendError { .. })"]);
}

#[test]
fn a_rendezvous_returns_after_the_message_was_taken() {
    holds(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let other = thread::spawn(move || {
            for expected in 1..=2 {
                // The count is raised before the receipt, which the send waits for.
                count.fetch_add(1, SeqCst);
                assert_eq!(receiver.recv(), Ok(expected));
            }
        });
        sender.send(1).unwrap();
        assert!(taken.load(SeqCst) >= 1);
        sender.send(2).unwrap();
        assert_eq!(taken.load(SeqCst), 2);
        other.join().unwrap();
    });
}

#[test]
fn a_rendezvous_without_a_receiver_waits() {
    let failure = fails(FailureKind::Deadlock, || {
        let (sender, _receiver) = mpsc::sync_channel(0);
        sender.send(1).unwrap();
    });
    assert_eq!(operations(&failure), [Operation::Send]);
}

#[test]
fn a_rendezvous_returns_its_message_if_the_receiver_goes_without_it() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        let other = sender.clone();
        let receiving = thread::spawn(move || receiver.recv().unwrap());
        let sending = thread::spawn(move || other.send(1).map_err(|error| error.0));
        let own = sender.send(2).map_err(|error| error.0);
        let got = receiving.join().unwrap();
        let others = sending.join().unwrap();
        assert_eq!([own.is_ok(), others.is_ok()], [got == 2, got == 1]);
        outcome((own, others));
    });
    assert_eq!(results, ["(Err(2), Ok(()))", "(Ok(()), Err(1))"]);
}

#[test]
fn an_attempt_at_a_rendezvous_succeeds_only_if_the_message_is_received() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        let other = thread::spawn(move || receiver.recv().ok());
        let sent = sender.try_send(1);
        drop(sender);
        let got = other.join().unwrap();
        assert_eq!(sent.is_ok(), got == Some(1));
        outcome(sent);
    });
    assert_eq!(results, ["Err(TrySendError::Full(..))", "Ok(())"]);
}

#[test]
fn repeated_attempts_at_a_rendezvous_come_to_an_end() {
    holds(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        let other = thread::spawn(move || receiver.recv().unwrap());
        while sender.try_send(1).is_err() {
            thread::yield_now();
        }
        assert_eq!(other.join().unwrap(), 1);
    });
}

#[test]
fn an_attempt_to_send_meets_room_or_none_or_nobody() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::sync_channel(1);
        sender.send(1).unwrap();
        let other = thread::spawn(move || receiver.recv().unwrap());
        outcome(match sender.try_send(2) {
            Ok(()) => "sent",
            Err(TrySendError::Full(2)) => "full",
            Err(TrySendError::Disconnected(2)) => "disconnected",
            Err(_) => "another message",
        });
        other.join().unwrap();
    });
    assert_eq!(results, [r#""disconnected""#, r#""full""#, r#""sent""#]);
}

#[test]
fn an_attempt_to_receive_meets_a_message_or_none_or_nobody() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || sender.send(1).unwrap());
        outcome((receiver.try_recv(), receiver.try_recv()));
        other.join().unwrap();
    });
    let (empty, gone) = (Err(TryRecvError::Empty), Err(TryRecvError::Disconnected));
    let expected: [(Result<i32, _>, Result<i32, _>); 4] = [
        (empty, empty),
        (empty, Ok(1)),
        (Ok(1), gone),
        (Ok(1), empty),
    ];
    let mut expected = expected.map(|pair| format!("{pair:?}"));
    expected.sort();
    assert_eq!(results, expected);
}

#[test]
fn a_receipt_with_a_time_limit_ends_in_every_way() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || {
            sender.send(1).unwrap();
        });
        let first = receiver.recv_timeout(MOMENT);
        let second = receiver.recv_timeout(MOMENT);
        outcome((first, second));
        other.join().unwrap();
    });
    let timeout = Err(RecvTimeoutError::Timeout);
    let gone = Err(RecvTimeoutError::Disconnected);
    let all: [(Result<i32, _>, Result<i32, _>); 4] = [
        (timeout, timeout),
        (timeout, Ok(1)),
        (Ok(1), gone),
        (Ok(1), timeout),
    ];
    let mut expected = all.map(|pair| format!("{pair:?}"));
    expected.sort();
    assert_eq!(results, expected);
}

#[test]
fn receipts_with_a_time_limit_in_a_loop_come_to_an_end_without_a_proof() {
    let report = explore(|| {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || sender.send(1).unwrap());
        let got = loop {
            match receiver.recv_timeout(MOMENT) {
                Ok(message) => break message,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the message is lost"),
            }
        };
        assert_eq!(got, 1);
        other.join().unwrap();
    });
    assert_eq!(
        report.coverage,
        Coverage::Bounded(Bound::LeftOut(racelab::trace::LeftOut::RepeatedTimeouts))
    );
    assert!(
        matches!(
            report.verdict,
            Verdict::Inconclusive(Reason::Bound(Bound::LeftOut(
                racelab::trace::LeftOut::RepeatedTimeouts
            )))
        ),
        "{report:?}"
    );
}

/// Looks at a flag some times, with `wait` in between, and says that it gave up if it was not set.
fn give_up_after(rounds: usize, flag: &AtomicUsize, gave_up: &AtomicUsize, wait: fn()) {
    for _ in 0..rounds {
        if flag.load(SeqCst) == 1 {
            return;
        }
        wait();
    }
    gave_up.store(1, SeqCst);
}

#[test]
fn a_spin_that_gives_up_is_followed_to_its_end_although_others_could_go_on() {
    for (rounds, wait) in [
        (1, thread::yield_now as fn()),
        (3, thread::yield_now),
        (150, || ()),
    ] {
        let results = outcomes(move || {
            let (flag, gave_up) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|scope| {
                scope.spawn(|| give_up_after(rounds, &flag, &gave_up, wait));
                // Nobody sets the flag: the thread gives up sooner or later.
                outcome(gave_up.load(SeqCst));
            });
        });
        assert_eq!(results, ["0", "1"], "{rounds} rounds");
    }
}

#[test]
fn a_spin_can_give_up_before_the_flag_is_set_or_see_it() {
    let results = outcomes(|| {
        let (flag, gave_up) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            let spinner = scope.spawn(|| give_up_after(3, &flag, &gave_up, thread::yield_now));
            flag.store(1, SeqCst);
            spinner.join().unwrap();
        });
        outcome(gave_up.load(SeqCst));
    });
    assert_eq!(results, ["0", "1"]);
}

#[test]
fn two_spins_that_give_up_do_so_in_either_order() {
    let results = outcomes(|| {
        let (flag, first) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in [1, 2] {
                let (flag, first) = (&flag, &first);
                scope.spawn(move || {
                    for _ in 0..3 {
                        if flag.load(SeqCst) == 1 {
                            return;
                        }
                        thread::yield_now();
                    }
                    let _ = first.compare_exchange(0, number, SeqCst, SeqCst);
                });
            }
        });
        outcome(first.load(SeqCst));
    });
    assert_eq!(results, ["1", "2"]);
}

#[test]
fn repeated_attempts_to_receive_come_to_an_end() {
    holds(|| {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || sender.send(1).unwrap());
        while receiver.try_recv().is_err() {}
        other.join().unwrap();
    });
    fails(FailureKind::Livelock, || {
        let (_sender, receiver) = mpsc::channel::<u8>();
        while receiver.try_recv().is_err() {}
    });
}

#[test]
fn repeated_attempts_to_send_come_to_an_end() {
    holds(|| {
        let (sender, receiver) = mpsc::sync_channel(1);
        sender.send(1).unwrap();
        let other = thread::spawn(move || {
            receiver.recv().unwrap();
            receiver
        });
        while sender.try_send(2).is_err() {}
        assert_eq!(other.join().unwrap().recv(), Ok(2));
    });
    fails(FailureKind::Livelock, || {
        let (sender, _receiver) = mpsc::sync_channel(1);
        while sender.try_send(1).is_ok() {}
        while sender.try_send(2).is_err() {}
    });
}

#[test]
fn the_drop_of_a_receiver_drops_the_messages() {
    let results = outcomes(|| {
        let (sender, receiver) = mpsc::channel();
        let message = Arc::new(());
        let other = thread::spawn(move || drop(receiver));
        let sent = sender.send(Arc::clone(&message)).is_ok();
        other.join().unwrap();
        assert_eq!(Arc::strong_count(&message), 1);
        assert!(sender.send(message).is_err());
        outcome(sent);
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn events_of_a_channel_tell_how_they_ended_and_where_they_are() {
    let first = line!() + 2;
    let failure = fails(FailureKind::Panic, || {
        let (sender, receiver) = mpsc::sync_channel::<u8>(1);
        let _ = sender.try_send(1);
        let _ = sender.try_send(2);
        let _ = receiver.try_recv();
        let _ = receiver.try_recv();
        for _ in receiver.try_iter() {}
        let _ = receiver.recv_timeout(MOMENT);
        drop(sender);
        let _ = receiver.recv();
        panic!("to see the events");
    });
    let events = failure.trace.events.iter();
    let events = events.map(|e| (e.operation, e.result, e.at.line() - first));
    let (done, failed) = (Some(EventResult::Succeeded), Some(EventResult::Failed));
    let gone = Some(EventResult::Disconnected);
    let expected = [
        (Operation::Send, done, 1),
        (Operation::Send, failed, 2),
        (Operation::Receive, done, 3),
        (Operation::Receive, failed, 4),
        (Operation::Receive, failed, 5),
        (Operation::Timeout, None, 6),
        (Operation::Disconnect, None, 0),
        (Operation::Receive, gone, 8),
        // The receiver is dropped by the panic.
        (Operation::Disconnect, None, 0),
    ];
    assert_eq!(events.collect::<Vec<_>>(), expected);
    assert!(
        failure
            .trace
            .events
            .iter()
            .all(|event| event.at.file() == file!())
    );
}

// Threads.

#[test]
fn a_scope_joins_the_threads_that_were_not_joined() {
    holds(|| {
        let count = AtomicUsize::new(0);
        let result = thread::scope(|scope| {
            scope.spawn(|| count.fetch_add(1, SeqCst));
            scope.spawn(|| scope.spawn(|| count.fetch_add(1, SeqCst)));
            let own = scope.spawn(|| 5).join().unwrap();
            own + 1
        });
        assert_eq!((result, count.load(SeqCst)), (6, 2));
    });
}

#[test]
fn a_builder_names_its_thread() {
    fn use_a_builder() {
        let named = thread::Builder::new()
            .name("reader".to_owned())
            .stack_size(1 << 16);
        let handle = named
            .spawn(|| thread::current().name().map(str::to_owned))
            .unwrap();
        assert_eq!(handle.thread().name(), Some("reader"));
        let id = handle.thread().id();
        assert_ne!(id, thread::current().id());
        assert_eq!(handle.join().unwrap().as_deref(), Some("reader"));
        thread::scope(|scope| {
            let scoped = thread::Builder::new().name("scoped".to_owned());
            let scoped = scoped.spawn_scoped(scope, || thread::current().name().is_some());
            assert!(scoped.unwrap().join().unwrap());
            let unnamed = scope.spawn(|| thread::current().name().is_none());
            assert!(unnamed.join().unwrap());
        });
    }
    use_a_builder();
    holds(use_a_builder);
    holds(|| assert_eq!(thread::current().name(), Some("main")));
}

#[test]
fn a_token_handed_out_before_the_park_is_kept() {
    holds(|| {
        let main = thread::current();
        let other = thread::spawn(move || main.unpark());
        thread::park();
        other.join().unwrap();
    });
}

#[test]
fn tokens_do_not_add_up() {
    fails(FailureKind::Deadlock, || {
        thread::current().unpark();
        thread::current().unpark();
        thread::park();
        thread::park();
    });
}

#[test]
fn a_park_with_a_time_limit_ends_in_both_ways() {
    let results = outcomes(|| {
        let (main, handed) = (thread::current(), Arc::new(AtomicBool::new(false)));
        let hands = Arc::clone(&handed);
        let other = thread::spawn(move || {
            hands.store(true, SeqCst);
            main.unpark();
        });
        thread::park_timeout(MOMENT);
        outcome(handed.load(SeqCst));
        other.join().unwrap();
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_thread_is_seen_to_be_finished_or_not() {
    let results = outcomes(|| {
        let done = Arc::new(AtomicBool::new(false));
        let sets = Arc::clone(&done);
        let other = thread::spawn(move || sets.store(true, SeqCst));
        let is_finished = other.is_finished();
        let is_done = done.load(SeqCst);
        assert!(is_done || !is_finished);
        outcome(is_finished);
        other.join().unwrap();
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_loop_until_a_thread_is_finished_comes_to_an_end() {
    holds(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let sets = Arc::clone(&flag);
        let other = thread::spawn(move || sets.store(true, SeqCst));
        while !other.is_finished() {}
        assert!(flag.load(SeqCst));
    });
}

// Spinning, and what fails without a cause.

#[test]
fn a_weak_compare_exchange_fails_without_a_cause_or_not() {
    let results = outcomes(|| {
        let n = AtomicUsize::new(0);
        outcome(n.compare_exchange_weak(0, 1, SeqCst, SeqCst));
    });
    assert_eq!(results, ["Err(0)", "Ok(0)"]);
    let results = outcomes(|| {
        let n = AtomicUsize::new(0);
        outcome(n.compare_exchange(0, 1, SeqCst, SeqCst));
        outcome(n.compare_exchange_weak(0, 2, SeqCst, SeqCst));
    });
    assert_eq!(results, ["Ok(0), Err(1)"]);
}

#[test]
fn a_loop_around_a_weak_compare_exchange_comes_to_an_end() {
    let results = outcomes(|| {
        let n = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| n.fetch_update(SeqCst, SeqCst, |n| Some(n + 1)));
            }
        });
        outcome(n.load(SeqCst));
    });
    assert_eq!(results, ["2"]);
}

/// Waits for a flag that another thread sets, or that nobody sets.
fn spin(pause: fn(), is_set: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| flag.store(is_set, SeqCst));
            while !flag.load(SeqCst) {
                pause();
            }
        });
    }
}

/// The ways to wait in a loop.
const PAUSES: [(&str, fn()); 4] = [
    ("yield", thread::yield_now),
    ("hint", hint::spin_loop),
    ("sleep", || thread::sleep(MOMENT)),
    ("nothing", || {}),
];

#[test]
fn a_spin_on_a_flag_that_is_set_comes_to_an_end() {
    for (name, pause) in PAUSES {
        let report = explore(spin(pause, true));
        assert!(
            matches!(report.verdict, Verdict::Holds),
            "{name}: {report:?}"
        );
    }
}

#[test]
fn a_spin_on_a_flag_that_nobody_sets_is_a_livelock() {
    for (name, pause) in PAUSES {
        let report = explore(spin(pause, false));
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Livelock), "{name}: {report:?}");
    }
}

#[test]
fn two_threads_that_spin_on_each_other_are_a_livelock() {
    fails(FailureKind::Livelock, || {
        let flags = [AtomicBool::new(false), AtomicBool::new(false)];
        let wait_then_set = |a: usize, b: usize| {
            while !flags[a].load(SeqCst) {
                thread::yield_now();
            }
            flags[b].store(true, SeqCst);
        };
        thread::scope(|scope| {
            scope.spawn(|| wait_then_set(0, 1));
            wait_then_set(1, 0);
        });
    });
}

#[test]
fn a_spin_that_gives_up_is_no_livelock() {
    for (name, pause) in PAUSES {
        let report = explore(move || {
            let flag = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| flag.load(SeqCst));
                for _ in 0..50 {
                    if flag.load(SeqCst) {
                        break;
                    }
                    pause();
                }
            });
        });
        let holds = matches!(report.verdict, Verdict::Holds);
        assert!(holds, "{name}: {:?} {}", report.verdict, report.executions);
    }
}

#[test]
fn a_loop_that_always_writes_hits_the_bound_on_steps() {
    let explorer = Explorer::new(Engine::Random)
        .max_executions(3)
        .max_steps(500);
    let report = explorer.explore(|| {
        let n = AtomicUsize::new(0);
        loop {
            n.fetch_add(1, SeqCst);
        }
    });
    assert!(
        matches!(report.verdict, Verdict::Inconclusive(_)),
        "{report:?}"
    );
    assert!(report.truncated > 0, "{report:?}");
}
