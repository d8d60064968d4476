//! Receivers that poll a queue, also until its senders are gone.

use std::collections::VecDeque;

use racelab::queue::{ArrayQueue, SegQueue};
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex, mpsc};
use racelab::trace::LeftOut;
use racelab::{Engine, FailureKind, hint, thread};

use super::{PAUSES, fails, holds, holds_but_for, holds_by_reduction, holds_under};

/// A queue under a lock, and how many can still send.
struct Channel {
    queue: Mutex<VecDeque<u32>>,
    senders: AtomicUsize,
}

impl Channel {
    fn new(senders: usize) -> Self {
        Channel {
            queue: Mutex::new(VecDeque::new()),
            senders: AtomicUsize::new(senders),
        }
    }

    fn send_last(&self, message: u32) {
        self.queue.lock().unwrap().push_back(message);
        self.senders.fetch_sub(1, SeqCst);
    }

    fn pop(&self) -> Option<u32> {
        self.queue.lock().unwrap().pop_front()
    }

    /// Looks into the queue, then whether all senders are gone, and then what `last` gives: a message can
    /// have come between the first two looks.
    fn receive(&self, pause: fn(), last: fn(&Channel) -> Option<u32>) -> Option<u32> {
        loop {
            let message = self.pop();
            if message.is_some() {
                return message;
            }
            if self.senders.load(SeqCst) == 0 {
                return last(self);
            }
            pause();
        }
    }
}

/// One sender and one receiver.
fn one_message(pause: fn(), last: fn(&Channel) -> Option<u32>) {
    let channel = Arc::new(Channel::new(1));
    let sender = thread::spawn({
        let channel = Arc::clone(&channel);
        move || channel.send_last(5)
    });
    let got = channel.receive(pause, last);
    sender.join().unwrap();
    assert_eq!(got, Some(5));
}

#[test]
fn a_receiver_that_looks_again_when_the_senders_are_gone_gets_the_last_message() {
    for pause in PAUSES {
        holds_but_for(LeftOut::RepeatedRounds, move || {
            one_message(pause, Channel::pop);
        });
    }
}

#[test]
fn a_message_between_the_two_looks_of_a_receiver_is_lost() {
    for pause in PAUSES {
        fails(FailureKind::Panic, "left: None", move || {
            one_message(pause, |_| None);
        });
    }
}

#[test]
fn two_receivers_share_the_messages_of_one_queue() {
    let body = |pause: fn()| {
        let channel = Arc::new(Channel::new(1));
        let receivers = [(); 2].map(|()| {
            let channel = Arc::clone(&channel);
            thread::spawn(move || channel.receive(pause, Channel::pop))
        });
        channel.queue.lock().unwrap().push_back(1);
        channel.send_last(2);
        let got = receivers.map(|receiver| receiver.join().unwrap());
        assert!(got == [Some(1), Some(2)] || got == [Some(2), Some(1)] || got.contains(&None));
    };
    holds_under(Engine::Dpor, LeftOut::RepeatedRounds, move || {
        body(thread::yield_now);
    });
}

#[test]
fn a_receiver_tells_an_empty_channel_from_one_without_senders() {
    for pause in PAUSES {
        holds(move || {
            let (sender, receiver) = mpsc::channel();
            let other = thread::spawn(move || sender.send(5).unwrap());
            let mut got = vec![];
            loop {
                match receiver.try_recv() {
                    Ok(message) => got.push(message),
                    Err(mpsc::TryRecvError::Empty) => pause(),
                    Err(mpsc::TryRecvError::Disconnected) => break,
                }
            }
            other.join().unwrap();
            assert_eq!(got, [5]);
        });
    }
}

#[test]
fn who_polls_a_queue_without_locks_gets_all_in_order() {
    for pause in PAUSES {
        holds(move || {
            let queue = Arc::new(SegQueue::new());
            let producer = thread::spawn({
                let queue = Arc::clone(&queue);
                move || [1, 2].into_iter().for_each(|n| queue.push(n))
            });
            for n in [1, 2] {
                let got = loop {
                    match queue.pop() {
                        Some(got) => break got,
                        None => pause(),
                    }
                };
                assert_eq!(got, n);
            }
            producer.join().unwrap();
        });
    }
}

#[test]
fn who_polls_a_full_queue_gets_in() {
    for pause in PAUSES {
        holds(move || {
            let queue = Arc::new(ArrayQueue::new(1));
            let producer = thread::spawn({
                let queue = Arc::clone(&queue);
                move || {
                    for n in [1, 2] {
                        while queue.push(n).is_err() {
                            pause();
                        }
                    }
                }
            });
            for n in [1, 2] {
                let got = loop {
                    match queue.pop() {
                        Some(got) => break got,
                        None => pause(),
                    }
                };
                assert_eq!(got, n);
            }
            producer.join().unwrap();
        });
    }
}

/// A ring with one producer and one consumer, without a lock.
struct Ring {
    slots: [AtomicUsize; 2],
    head: AtomicUsize,
    tail: AtomicUsize,
}

impl Ring {
    fn new() -> Self {
        Ring {
            slots: [AtomicUsize::new(0), AtomicUsize::new(0)],
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
        }
    }

    fn push(&self, value: usize) {
        let tail = self.tail.load(SeqCst);
        while tail - self.head.load(SeqCst) == self.slots.len() {
            hint::spin_loop();
        }
        self.slots[tail % 2].store(value, SeqCst);
        self.tail.store(tail + 1, SeqCst);
    }

    /// Says that there is something before it is there.
    fn push_too_early(&self, value: usize) {
        let tail = self.tail.load(SeqCst);
        while tail - self.head.load(SeqCst) == self.slots.len() {
            hint::spin_loop();
        }
        self.tail.store(tail + 1, SeqCst);
        self.slots[tail % 2].store(value, SeqCst);
    }

    fn pop(&self) -> usize {
        let head = self.head.load(SeqCst);
        while self.tail.load(SeqCst) == head {
            hint::spin_loop();
        }
        let value = self.slots[head % 2].load(SeqCst);
        self.head.store(head + 1, SeqCst);
        value
    }
}

/// Three messages through two slots.
fn three_messages(push: fn(&Ring, usize)) {
    let ring = Arc::new(Ring::new());
    let producer = thread::spawn({
        let ring = Arc::clone(&ring);
        move || [1, 2, 3].into_iter().for_each(|n| push(&ring, n))
    });
    let got = [(); 3].map(|()| ring.pop());
    producer.join().unwrap();
    assert_eq!(got, [1, 2, 3]);
}

#[test]
fn a_ring_gives_what_was_put_into_it() {
    holds_by_reduction(|| three_messages(Ring::push));
}

#[test]
fn a_ring_that_publishes_a_slot_before_it_is_written_gives_an_old_value() {
    fails(FailureKind::Panic, "right: [1, 2, 3]", || {
        three_messages(Ring::push_too_early);
    });
}
