//! Which reasons are found in a failing trace, and which are not claimed.

use racelab::queue::SegQueue;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex, mpsc};
use racelab::{Engine, Explorer, FailureKind, Named, thread};

/// The reason of the smallest failure of a body, and the remarks with the steps that they are on.
fn why(
    kind: FailureKind,
    body: impl Fn() + Send + Sync + 'static,
) -> (Option<String>, Vec<(u32, String)>) {
    let report = Explorer::new(Engine::Dpor).explore(body);
    let failure = report.failure().expect("some interleaving fails");
    assert_eq!(failure.kind, kind, "{report}");
    assert_eq!(failure.minimal, Some(true), "{report}");
    let step = |index: usize| failure.trace.events[index].step.expect("a step");
    let notes = failure.notes.iter();
    (
        failure.why.clone(),
        notes
            .map(|(index, note)| (step(*index), note.clone()))
            .collect(),
    )
}

/// Runs this in two threads that share a value, and then `check` on it.
fn twice<T: Send + Sync + 'static>(shared: T, run: fn(&T), check: impl FnOnce(&T)) {
    let shared = Arc::new(shared);
    let threads = [0, 1].map(|_| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || run(&shared))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    check(&shared);
}

#[test]
fn a_look_at_an_atomic_and_a_change_of_it_are_torn_by_a_change() {
    let (why, notes) = why(FailureKind::Panic, || {
        twice(
            AtomicUsize::new(0).named("seats"),
            |seats| {
                if seats.load(SeqCst) < 1 {
                    seats.fetch_add(1, SeqCst);
                }
            },
            |seats| assert!(seats.load(SeqCst) <= 1),
        );
    });
    let expected = "atomicity violation: T1 read seats at step 3 and wrote it at step 6; T2 wrote \
                    it at step 5 in between.";
    assert_eq!(why.as_deref(), Some(expected));
    assert_eq!(notes, [(5, "comes between".to_owned())]);
}

#[test]
fn two_critical_sections_are_torn_by_a_third() {
    let (why, notes) = why(FailureKind::Panic, || {
        twice(
            Mutex::new(0).named("seats"),
            |seats| {
                let is_free = *seats.lock().unwrap() < 1;
                if is_free {
                    *seats.lock().unwrap() += 1;
                }
            },
            |seats| assert!(*seats.lock().unwrap() <= 1),
        );
    });
    let expected = "atomicity violation: T1 released seats at step 4 and acquired it at step 9; T2 \
                    acquired it at steps 5 and 7 in between.";
    assert_eq!(why.as_deref(), Some(expected));
    assert_eq!(notes, [(5, "comes between".to_owned())]);
}

#[test]
fn two_messages_are_torn_by_a_third() {
    let (why, notes) = why(FailureKind::Panic, || {
        let (sender, receiver) = mpsc::channel();
        let other = sender.named("words");
        let sender = other.clone();
        let thread = thread::spawn(move || {
            sender.send("good").unwrap();
            sender.send("morning").unwrap();
        });
        other.send("night").unwrap();
        thread.join().unwrap();
        let words: Vec<&str> = receiver.try_iter().collect();
        assert_ne!(words, ["good", "night", "morning"]);
    });
    let why = why.expect("there is a reason");
    assert!(
        why.starts_with("atomicity violation: T1 sent to words at steps "),
        "{why}"
    );
    assert!(why.contains("; main sent to it at step "), "{why}");
    assert_eq!(notes.len(), 1);
}

/// Two threads that each put a word into a queue, and take one out that should be theirs.
fn ask_twice(keep: fn(&SegQueue<&'static str>, &'static str) -> bool) {
    let words = Arc::new(SegQueue::new().named("words"));
    let threads = ["good", "night"].map(|word| {
        let words = Arc::clone(&words);
        thread::spawn(move || keep(&words, word))
    });
    let is_own = threads.map(|thread| thread.join().unwrap());
    assert_eq!(is_own, [true, true]);
}

#[test]
fn a_message_and_the_answer_are_torn_by_who_takes_the_answer() {
    let (why, notes) = why(FailureKind::Panic, || {
        ask_twice(|words, word| {
            words.push(word);
            words.pop() == Some(word)
        });
    });
    let expected = "atomicity violation: T1 sent to words at step 3 and received from it at step \
                    6; T2 received from it at step 5 in between.";
    assert_eq!(why.as_deref(), Some(expected));
    assert_eq!(notes, [(5, "comes between".to_owned())]);
}

/// Main works while a thread sends it a message, and fails if that was sent before the work.
fn hurry(looks: bool, rounds: usize) {
    let worked = Arc::new(AtomicUsize::new(0).named("worked"));
    let has_called = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let sender = sender.named("calls");
    let caller = thread::spawn({
        let (worked, has_called) = (Arc::clone(&worked), Arc::clone(&has_called));
        move || {
            sender.send("come").unwrap();
            if looks {
                worked.load(SeqCst);
            }
            has_called.store(true, SeqCst);
        }
    });
    let is_called = has_called.load(SeqCst);
    for round in 1..=rounds {
        worked.store(round, SeqCst);
    }
    receiver.recv().unwrap();
    caller.join().unwrap();
    assert!(!is_called);
}

#[test]
fn a_message_that_waits_while_its_receiver_writes_again_and_again_is_late() {
    let (why, notes) = why(FailureKind::Panic, || hurry(true, 2));
    let expected = "late message: T1 sent to calls at step 2, and main received that only at step \
                    9, after it wrote worked at steps 7 and 8.";
    assert_eq!(why.as_deref(), Some(expected));
    assert_eq!(notes, [(9, "was sent at step 2".to_owned())]);
}

#[test]
fn a_message_whose_sender_looks_at_nothing_or_that_waits_for_one_write_is_not_late() {
    for (looks, rounds) in [(false, 2), (true, 1)] {
        let (why, _) = why(FailureKind::Panic, move || hurry(looks, rounds));
        assert_eq!(why, None);
    }
}

#[test]
fn nothing_is_torn_where_nobody_is_preempted() {
    // Both threads have two critical sections, but it fails whatever their order is.
    let (why, notes) = why(FailureKind::Panic, || {
        twice(
            Mutex::new(0),
            |n| {
                *n.lock().unwrap() += 1;
                *n.lock().unwrap() += 1;
            },
            |n| assert_eq!(*n.lock().unwrap(), 5),
        );
    });
    assert_eq!(why, None);
    assert_eq!(notes, []);
}

#[test]
fn threads_without_a_common_object_are_not_to_blame() {
    let (why, _) = why(FailureKind::Panic, || {
        let n = 0;
        let thread = thread::spawn(move || {
            let mut own = n;
            own += 1;
            Mutex::new(own).lock().unwrap().to_string()
        });
        thread.join().unwrap();
        assert_eq!(n, 1);
    });
    let why = why.expect("there is a reason");
    assert!(why.starts_with("no interleaving is to blame: "), "{why}");
}

#[test]
fn one_thread_alone_gets_no_reason() {
    let (why, _) = why(FailureKind::Panic, || {
        assert_eq!(*Mutex::new(1).lock().unwrap(), 2);
    });
    assert_eq!(why, None);
}

/// A number of items, and the news of another one.
#[derive(Default)]
struct Stock {
    items: Mutex<usize>,
    arrival: Condvar,
}

impl Stock {
    fn new() -> Arc<Self> {
        Arc::new(Stock {
            items: Mutex::new(0).named("items"),
            arrival: Condvar::new().named("arrival"),
        })
    }

    fn put(&self) {
        let mut items = self.items.lock().unwrap();
        *items += 1;
        self.arrival.notify_one();
    }

    fn take(&self) {
        let mut items = self.items.lock().unwrap();
        while *items == 0 {
            items = self.arrival.wait(items).unwrap();
        }
        *items -= 1;
    }

    fn take_with_if(&self) {
        let mut items = self.items.lock().unwrap();
        if *items == 0 {
            items = self.arrival.wait(items).unwrap();
        }
        *items = items.checked_sub(1).expect("there is an item");
    }
}

#[test]
fn a_notification_before_the_wait_is_a_lost_wake_up() {
    let (why, notes) = why(FailureKind::Deadlock, || {
        let stock = Stock::new();
        let taker = thread::spawn({
            let stock = Arc::clone(&stock);
            move || {
                if *stock.items.lock().unwrap() == 0 {
                    let items = stock.items.lock().unwrap();
                    drop(stock.arrival.wait(items).unwrap());
                }
            }
        });
        stock.put();
        taker.join().unwrap();
    });
    let why = why.expect("there is a reason");
    let expected = " Lost wake-up: main's notify-one on arrival at step 5 found nobody who waited; \
                    T1 began to wait at step 8.";
    assert!(why.ends_with(expected), "{why}");
    assert_eq!(notes, [(5, "nobody waits".to_owned())]);
}

#[test]
fn a_notification_whose_item_another_thread_has_taken_is_not_lost() {
    let (why, notes) = why(FailureKind::Deadlock, || {
        let stock = Stock::new();
        let takers = [0, 1].map(|_| {
            let stock = Arc::clone(&stock);
            thread::spawn(move || stock.take())
        });
        stock.put();
        for taker in takers {
            taker.join().unwrap();
        }
    });
    let why = why.expect("there is a reason");
    assert!(!why.contains("wake-up"), "{why}");
    assert_eq!(notes, []);
}

#[test]
fn a_notification_before_a_wake_up_is_not_lost_to_the_next_wait() {
    let (why, notes) = why(FailureKind::Deadlock, || {
        let stock = Stock::new();
        stock.put();
        let (sender, is_locked) = mpsc::channel();
        let taker = thread::spawn({
            let stock = Arc::clone(&stock);
            move || {
                let items = stock.items.lock().unwrap();
                sender.send(()).unwrap();
                let items = stock.arrival.wait(items).unwrap();
                drop(stock.arrival.wait(items).unwrap());
            }
        });
        is_locked.recv().unwrap();
        stock.put();
        taker.join().unwrap();
    });
    let why = why.expect("there is a reason");
    assert!(!why.contains("wake-up"), "{why}");
    assert_eq!(notes, []);
}

#[test]
fn a_wake_up_whose_item_another_thread_has_taken_is_stolen() {
    let (why, notes) = why(FailureKind::Panic, || {
        let stock = Stock::new();
        let takers = [0, 1].map(|_| {
            let stock = Arc::clone(&stock);
            thread::spawn(move || stock.take_with_if())
        });
        stock.put();
        stock.put();
        for taker in takers {
            taker.join().unwrap();
        }
    });
    let why = why.expect("there is a reason");
    assert!(
        why.starts_with("stolen wake-up: T1 was notified at step "),
        "{why}"
    );
    assert!(why.contains("; T2 acquired items at step "), "{why}");
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].1, "comes between");
}

/// A list of items, and a flag that says that no more will come.
#[derive(Clone)]
struct Shift {
    stock: Arc<Stock>,
    is_over: Arc<AtomicBool>,
}

impl Shift {
    fn begin() -> Self {
        Shift {
            stock: Stock::new(),
            is_over: Arc::new(AtomicBool::new(false).named("is_over")),
        }
    }

    fn end(&self) {
        let _items = self.stock.items.lock().unwrap();
        self.is_over.store(true, SeqCst);
        self.stock.arrival.notify_all();
    }

    /// Takes items until the shift is over, and says how many.
    fn work(&self, when_over: fn(usize) -> usize) -> usize {
        let mut taken = 0;
        let mut items = self.stock.items.lock().unwrap();
        loop {
            while *items == 0 && !self.is_over.load(SeqCst) {
                items = self.stock.arrival.wait(items).unwrap();
            }
            if self.is_over.load(SeqCst) {
                return taken + when_over(*items);
            }
            *items -= 1;
            taken += 1;
        }
    }
}

#[test]
fn a_flag_that_is_seen_before_what_was_announced_is_an_early_stop() {
    let (why, notes) = why(FailureKind::Panic, || {
        let shift = Shift::begin();
        let worker = thread::spawn({
            let shift = shift.clone();
            move || shift.work(|_| 0)
        });
        shift.stock.put();
        shift.end();
        assert_eq!(worker.join().unwrap(), 1);
    });
    let expected = "early stop: after main's notify-one on arrival at step 3, no other thread \
                    acquired items before main stored true in is_over at step 6; T1 read that at \
                    step 10, and ended.";
    assert_eq!(why.as_deref(), Some(expected));
    assert_eq!(notes, [(3, "nobody comes for it".to_owned())]);
}

#[test]
fn a_flag_after_which_a_thread_goes_on_is_no_early_stop() {
    let (why, _) = why(FailureKind::Panic, || {
        let shift = Shift::begin();
        let worker = thread::spawn({
            let shift = shift.clone();
            move || {
                let taken = shift.work(|left| left);
                drop(shift.stock.items.lock().unwrap());
                taken
            }
        });
        shift.stock.put();
        shift.end();
        assert_eq!(worker.join().unwrap(), 2);
    });
    assert!(why.is_none(), "{why:?}");
}
