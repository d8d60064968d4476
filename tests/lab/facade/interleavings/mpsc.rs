//! Channels.

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::mpsc::{self, RecvTimeoutError, TryRecvError, TrySendError};
use racelab::trace::{EventResult, Operation};
use racelab::{Coverage, FailureKind, Named, Verdict, outcome, thread};

use super::super::{explore, fails, holds, outcomes};
use super::{MOMENT, operations};

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
fn receipts_with_a_time_limit_in_a_loop_end_and_the_report_names_what_is_left_out() {
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
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.coverage, Coverage::Complete);
    assert_eq!(report.left_out, [racelab::trace::LeftOut::RepeatedTimeouts]);
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
