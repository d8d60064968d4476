//! Tasks, wakers and the channel between tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc as Live;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use racelab::future::sync::mpsc::{self, error::TrySendError};
use racelab::future::{self, block_on, spawn};
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::trace::{EventResult, Operation};
use racelab::{Engine, Explorer, FailureKind, Named, outcome, replay, thread};

use super::plain::Plain;
use super::same_as_std::{Op, agree, ops};
use super::{explore, fails, holds, outcomes};

// Against tokio's.

/// Polls a future once, and wakes nobody.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A channel's operations of one thread, with sends that wait, and go on, and are given up.
macro_rules! program {
    ($channel:path, $ops:ident) => {{
        let capacity = 1 + $ops.len() % 3;
        let (sender, receiver) = $channel(capacity);
        let (mut senders, mut receiver) = (vec![sender], Some(receiver));
        let mut sends = Vec::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let sender = senders.get(b % senders.len().max(1));
            seen.push(match (op % 12, sender, &mut receiver) {
                (0, Some(sender), _) => format!("{:?}", sender.try_send(a)),
                (1..=3, Some(sender), _) => {
                    let sender = sender.clone();
                    let mut send = Box::pin(async move { sender.send(a).await });
                    let polled = poll(send.as_mut());
                    if polled.is_pending() {
                        sends.push(send);
                    }
                    format!("{polled:?}")
                }
                (4 | 5, ..) if !sends.is_empty() => {
                    let index = b % sends.len();
                    let polled = poll(sends[index].as_mut());
                    if polled.is_ready() {
                        drop(sends.remove(index));
                    }
                    format!("{polled:?}")
                }
                (6, ..) if !sends.is_empty() => {
                    drop(sends.remove(b % sends.len()));
                    String::new()
                }
                (7, _, Some(receiver)) => format!("{:?}", receiver.try_recv()),
                (8 | 9, _, Some(receiver)) => {
                    format!("{:?}", poll(Box::pin(receiver.recv()).as_mut()))
                }
                (10, Some(_), _) => {
                    drop(senders.swap_remove(b % senders.len()));
                    String::new()
                }
                (11, _, Some(_)) if a % 3 == 0 => {
                    drop(receiver.take());
                    String::new()
                }
                _ => String::new(),
            });
        }
        seen
    }};
}

fn with_tokio(ops: &[Op]) -> Vec<String> {
    program!(tokio::sync::mpsc::channel, ops)
}

fn with_racelab(ops: &[Op]) -> Vec<String> {
    program!(mpsc::channel, ops)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_channel_is_the_same_as_tokios_in_every_world(ops in ops()) {
        agree(with_tokio, with_racelab, &ops)?;
    }
}

/// What a panic outside of executions says.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.expect("a message")
}

#[test]
fn a_channel_for_nothing_cannot_be_made_in_any_world() {
    let make = || drop(mpsc::channel::<u8>(0));
    let failure = fails(FailureKind::Panic, make);
    assert_eq!(failure.message, panic_of(make));
}

#[test]
fn a_task_cannot_be_started_outside_of_a_runtime_in_any_world() {
    let start = || drop(spawn(async {}));
    fails(FailureKind::Panic, start);
    panic_of(start);
    // Nor on a thread that was started inside.
    fails(FailureKind::Panic, move || {
        block_on(async move { thread::spawn(start).join().unwrap() });
    });
}

#[test]
fn no_runtime_runs_inside_of_another_in_any_world() {
    let nest = || block_on(async { block_on(async {}) });
    fails(FailureKind::Panic, nest);
    panic_of(nest);
}

/// A program that works in both worlds.
fn pipeline() -> Vec<u32> {
    block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let producers = [1, 2].map(|n| {
            let sender = sender.clone();
            spawn(async move {
                sender.send(n).await.unwrap();
                future::task::yield_now().await;
                n * 10
            })
        });
        drop(sender);
        let mut all = Vec::new();
        while let Some(n) = receiver.recv().await {
            all.push(n);
        }
        for producer in producers {
            all.push(producer.await.unwrap());
        }
        all.sort_unstable();
        all
    })
}

#[test]
fn one_program_works_on_tokio_and_in_executions() {
    assert_eq!(pipeline(), [1, 2, 10, 20]);
    let report = Explorer::new(Engine::Dfs)
        .max_executions(3_000)
        .explore(|| assert_eq!(pipeline(), [1, 2, 10, 20]));
    assert_eq!(report.violations, 0, "{report:?}");
}

#[test]
fn a_handle_outside_tells_of_a_panic() {
    let error = block_on(async {
        let task = spawn(async { std::panic::resume_unwind(Box::new(7_u8)) });
        let task: future::task::JoinHandle<()> = task;
        task.await.unwrap_err()
    });
    assert!(error.is_panic() && !error.is_cancelled());
    assert_eq!(error.into_panic().downcast_ref::<u8>(), Some(&7));
}

// Tasks.

#[test]
fn a_task_is_a_thread_that_polls_and_its_handle_resolves_to_its_result() {
    let results = outcomes(|| {
        block_on(async {
            let n = Arc::new(AtomicUsize::new(0));
            let tasks = [Arc::clone(&n), Arc::clone(&n)].map(|n| {
                spawn(async move {
                    let seen = n.load(SeqCst);
                    n.store(seen + 1, SeqCst);
                    seen
                })
            });
            let mut seen = Vec::new();
            for task in tasks {
                seen.push(task.await.unwrap());
            }
            outcome((seen, n.load(SeqCst)));
        });
    });
    assert_eq!(results, ["([0, 0], 1)", "([0, 1], 2)", "([1, 0], 2)"]);
}

#[test]
fn a_detached_task_is_cancelled_where_it_waits_when_its_runtime_ends() {
    let ended = outcomes(|| {
        struct Ends(Arc<AtomicUsize>);
        impl Drop for Ends {
            fn drop(&mut self) {
                outcome(self.0.load(SeqCst));
            }
        }
        block_on(async {
            let n = Ends(Arc::new(AtomicUsize::new(0)));
            drop(spawn(async move {
                future::task::yield_now().await;
                n.0.store(1, SeqCst);
                n
            }));
        });
    });
    assert_eq!(ended, ["0", "1"]);
}

#[test]
fn a_task_is_seen_to_be_finished_or_not() {
    let results = outcomes(|| {
        block_on(async {
            let task = spawn(async {});
            outcome(task.is_finished());
            task.await.unwrap();
        });
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn the_operations_of_a_task_are_named() {
    let failure = fails(FailureKind::Panic, || {
        block_on(async {
            let task = spawn(future::task::yield_now());
            task.await.unwrap();
            panic!("to see what was done");
        });
    });
    let events = failure.trace.events.iter();
    let events: Vec<String> = events
        .map(|event| {
            let object = event.object.map(|object| failure.trace.object_name(object));
            let is_pending = event.result == Some(EventResult::Pending);
            let pending = if is_pending { " pending" } else { "" };
            let (operation, object) = (event.operation, object.unwrap_or_default());
            format!("{} {operation} {object}{pending}", event.thread)
        })
        .collect();
    assert_eq!(
        events,
        [
            "main poll main",
            "main spawn ",
            "main join T1 pending",
            "T1 poll T1",
            "T1 wake T1",
            "T1 yield ",
            "T1 poll T1",
            "T1 send T1",
            "T1 wake main",
            "main poll main",
            "main join T1",
        ]
    );
    let here = failure
        .trace
        .events
        .iter()
        .all(|event| event.at.file() == file!());
    assert!(here, "{failure:?}");
}

#[test]
fn a_task_that_yields_until_a_flag_is_set_comes_to_an_end() {
    fn body(is_set: bool) {
        block_on(async {
            let flag = Arc::new(AtomicBool::new(false));
            let other = Arc::clone(&flag);
            let task = spawn(async move {
                while !other.load(SeqCst) {
                    future::task::yield_now().await;
                }
            });
            if is_set {
                flag.store(true, SeqCst);
            }
            task.await.unwrap();
        });
    }
    holds(|| body(true));
    fails(FailureKind::Livelock, || body(false));
}

#[test]
fn a_task_that_asks_to_be_polled_until_a_flag_is_set_comes_to_an_end() {
    fn body(is_set: bool) {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let setter = thread::spawn(move || other.store(is_set, SeqCst));
        block_on(std::future::poll_fn(|context| {
            if flag.load(SeqCst) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        setter.join().unwrap();
    }
    holds(|| body(true));
    fails(FailureKind::Livelock, || body(false));
}

// Wakers.

/// A flag that a task waits for, as it would be written by hand.
#[derive(Default)]
struct Flag {
    is_set: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Flag {
    fn set(&self) {
        self.is_set.store(true, SeqCst);
        let waker = self.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn register(&self, context: &Context<'_>) {
        let old = self.waker.lock().unwrap().replace(context.waker().clone());
        drop(old);
    }

    fn poll_checking_first(&self, context: &Context<'_>) -> Poll<()> {
        if self.is_set.load(SeqCst) {
            return Poll::Ready(());
        }
        self.register(context);
        Poll::Pending
    }

    fn poll_registering_first(&self, context: &Context<'_>) -> Poll<()> {
        self.register(context);
        if self.is_set.load(SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

fn wait_for_a_flag(poll: fn(&Flag, &Context<'_>) -> Poll<()>) {
    let flag = Arc::new(Flag::default());
    let other = Arc::clone(&flag);
    let setter = thread::spawn(move || other.set());
    block_on(std::future::poll_fn(|context| poll(&flag, context)));
    setter.join().unwrap();
}

#[test]
fn a_wake_up_that_is_lost_is_a_deadlock_and_replays() {
    let body = || wait_for_a_flag(Flag::poll_checking_first);
    let failure = fails(FailureKind::Deadlock, body);
    assert_eq!(failure.preemptions, Some(1));
    let blocked: Vec<_> = failure.blocked.iter().map(|b| b.operation).collect();
    assert_eq!(blocked, [Operation::Poll]);
    let report = explore(body).to_string();
    assert!(report.contains("main waits to be woken, at "), "{report}");
    let again = replay(failure.schedule.as_ref().unwrap(), body);
    let again = again.failure().expect("it fails again");
    assert_eq!((again.kind, &again.trace), (failure.kind, &failure.trace));
}

#[test]
fn a_waker_that_is_left_before_the_look_loses_no_wake_up() {
    holds(|| wait_for_a_flag(Flag::poll_registering_first));
}

#[test]
fn a_wake_up_during_a_poll_is_not_lost() {
    let polls = outcomes(|| {
        let mut polls = 0;
        block_on(std::future::poll_fn(|context| {
            polls += 1;
            // Twice counts as once.
            context.waker().wake_by_ref();
            let again = context.waker().clone();
            again.wake_by_ref();
            if polls == 3 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        outcome(polls);
    });
    assert_eq!(polls, ["3"]);
}

#[test]
fn a_waker_can_be_used_twice_and_by_several_threads() {
    let polls = outcomes(|| {
        let (sender, receiver) = racelab::channel::unbounded::<Waker>();
        let wakes = thread::spawn(move || {
            let waker = receiver.recv().unwrap();
            let again = waker.clone();
            let other = thread::spawn(move || again.wake_by_ref());
            waker.wake();
            other.join().unwrap();
        });
        let mut polls = 0;
        block_on(std::future::poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                sender.send(context.waker().clone()).unwrap();
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        }));
        outcome(polls);
        wakes.join().unwrap();
    });
    assert_eq!(polls, ["2"]);
}

#[test]
fn a_waker_that_is_dropped_wakes_nobody() {
    fails(FailureKind::Deadlock, || {
        block_on(std::future::poll_fn(|context| {
            drop(context.waker().clone());
            Poll::<()>::Pending
        }));
    });
}

#[test]
fn a_waker_of_a_task_that_has_ended_does_nothing() {
    holds(|| {
        let kept = Arc::new(Mutex::new(None));
        block_on(std::future::poll_fn(|context| {
            *kept.lock().unwrap() = Some(context.waker().clone());
            Poll::Ready(())
        }));
        let waker = kept.lock().unwrap().take().unwrap();
        waker.wake();
    });
}

// The channel.

#[test]
fn each_message_arrives_and_in_the_order_of_its_sender() {
    let results = outcomes(|| {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel(2);
            let other = sender.clone();
            drop(spawn(async move {
                sender.send(1).await.unwrap();
                sender.send(2).await.unwrap();
            }));
            other.try_send(10).unwrap_or_else(|error| match error {
                TrySendError::Full(10) => outcome("full"),
                error => panic!("{error}"),
            });
            drop(other);
            let mut all = Vec::new();
            while let Some(n) = receiver.recv().await {
                all.push(n);
            }
            outcome(all);
        });
    });
    assert_eq!(results, [r#""full", [1, 2]"#, "[1, 10, 2]", "[10, 1, 2]"]);
}

#[test]
fn a_sender_waits_for_room() {
    let results = outcomes(|| {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            // Counted before the receipt, so that no message is taken that is not counted.
            let taken = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&taken);
            let producer = spawn(async move {
                for sent in 1..=2 {
                    sender.send(sent).await.unwrap();
                    let taken = count.load(SeqCst);
                    assert!(sent <= taken + 1, "{sent} are sent and {taken} taken");
                }
            });
            let mut all = Vec::new();
            loop {
                taken.fetch_add(1, SeqCst);
                let Some(message) = receiver.recv().await else {
                    break;
                };
                all.push(message);
            }
            producer.await.unwrap();
            outcome(all);
        });
    });
    assert_eq!(results, ["[1, 2]"]);
}

#[test]
fn a_sender_that_waits_gets_its_message_back_when_the_receiver_goes() {
    let results = outcomes(|| {
        block_on(async {
            let (sender, receiver) = mpsc::channel(1);
            sender.send(1).await.unwrap();
            let other = spawn(async move { drop(receiver) });
            outcome(sender.send(2).await.map_err(|error| error.0));
            other.await.unwrap();
        });
    });
    assert_eq!(results, ["Err(2)"]);
}

#[test]
fn a_receiver_that_waits_sees_that_the_last_sender_is_gone() {
    holds(|| {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel::<u8>(1);
            for sender in [sender.clone(), sender] {
                drop(spawn(async move { drop(sender) }));
            }
            assert_eq!(receiver.recv().await, None);
        });
    });
}

#[test]
fn a_receiver_waits_for_ever_for_a_sender_that_is_kept_and_the_reason_names_the_place() {
    let (line, body) = (line!() + 3, || {
        block_on(async {
            let (_sender, mut receiver) = mpsc::channel::<u8>(1);
            assert_eq!(receiver.recv().await, None);
        });
    });
    let failure = fails(FailureKind::Deadlock, body);
    let report = explore(body).to_string();
    let place = format!(
        "{}:{}",
        failure.blocked[0].at.file(),
        failure.blocked[0].at.line()
    );
    assert_eq!(place, format!("{}:{line}", file!()));
    assert!(
        report.contains("main waits for a message on Channel#1, at"),
        "{report}"
    );
}

#[test]
fn a_send_that_is_given_up_leaves_its_room_to_the_next() {
    let results = outcomes(|| {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            sender.send(1).await.unwrap();
            let mut given_up = Box::pin(sender.send(2));
            assert!(poll(given_up.as_mut()).is_pending());
            let other = sender.clone();
            let next = spawn(async move { other.send(3).await.unwrap() });
            assert_eq!(receiver.recv().await, Some(1));
            // The room is that of the second message, until it is given up.
            drop(given_up);
            next.await.unwrap();
            outcome(receiver.recv().await);
        });
    });
    assert_eq!(results, ["Some(3)"]);
}

// What happens before what.

#[test]
fn a_message_publishes_what_was_written_before_it_was_sent() {
    fn body(is_received: bool) {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            let cell = Arc::new(Plain::default());
            let written = Arc::clone(&cell);
            let writer = spawn(async move {
                written.set(1);
                sender.send(1).await.unwrap();
            });
            if is_received {
                assert_eq!(receiver.recv().await, Some(1));
            }
            let _ = cell.get();
            writer.await.unwrap();
        });
    }
    holds(|| body(true));
    fails(FailureKind::DataRace, || body(false));
}

#[test]
fn the_end_of_a_task_publishes_what_it_has_written() {
    holds(|| {
        block_on(async {
            let cell = Arc::new(Plain::default());
            let written = Arc::clone(&cell);
            spawn(async move { written.set(1) }).await.unwrap();
            assert_eq!(cell.get(), 1);
        });
    });
}

#[test]
fn a_wake_up_publishes_what_was_written_before_it() {
    /// The flag and the waker are Relaxed and real, so that only the wake-up orders anything.
    fn body(reads_after_one_poll: bool) {
        let cell = Arc::new(Plain::default());
        let waker = Arc::new(std::sync::Mutex::new(None::<Waker>));
        let (written, kept) = (Arc::clone(&cell), Arc::clone(&waker));
        let begun = Arc::new(AtomicBool::new(false));
        let registered = Arc::clone(&begun);
        let writer = thread::spawn(move || {
            if registered.load(SeqCst) {
                written.set(1);
                let waker = kept.lock().unwrap().take();
                waker.unwrap().wake();
            }
        });
        let mut polls = 0;
        let waits = std::future::poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                *waker.lock().unwrap() = Some(context.waker().clone());
                begun.store(true, SeqCst);
                if reads_after_one_poll {
                    let _ = cell.get();
                }
                return Poll::Pending;
            }
            Poll::Ready(cell.get())
        });
        let woken = thread::spawn({
            // Who comes too late for the flag is woken here.
            let waker = Arc::clone(&waker);
            let begun = Arc::clone(&begun);
            move || {
                while !begun.load(SeqCst) {
                    thread::yield_now();
                }
                drop(writer.join());
                let left = waker.lock().unwrap().take();
                if let Some(waker) = left {
                    waker.wake();
                }
            }
        });
        block_on(waits);
        woken.join().unwrap();
    }
    holds(|| body(false));
    fails(FailureKind::DataRace, || body(true));
}

// Endings.

/// Checks that the failing executions of a body leave nothing.
fn leaves_nothing(kind: FailureKind, body: impl Fn(Live<()>) + Clone + Send + Sync + 'static) {
    for engine in [
        Engine::Dpor,
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ] {
        let live = Live::new(());
        let (kept, body) = (Live::clone(&live), body.clone());
        let explorer = Explorer::new(engine).past_failures().max_executions(500);
        let report = explorer.explore(move || body(Live::clone(&kept)));
        assert_eq!(
            report.failure().map(|failure| failure.kind),
            Some(kind),
            "{report:?}"
        );
        assert_eq!(
            Live::strong_count(&live),
            1,
            "something is left: {report:?}"
        );
    }
}

/// Tasks that wait in every way, with something alive in each.
async fn waiting_tasks(live: Live<()>) -> mpsc::Sender<(Live<()>, Option<mpsc::Sender<()>>)> {
    let (sender, mut receiver) = mpsc::channel(1);
    let (full, waiting) = (sender.clone(), Live::clone(&live));
    let (other, mut others) = mpsc::channel(1);
    // A message that holds its own channel.
    sender
        .send((Live::clone(&live), Some(other.clone())))
        .await
        .unwrap();
    drop(spawn(async move {
        full.send((Live::clone(&waiting), None)).await.unwrap();
        drop(waiting);
    }));
    let waiting = Live::clone(&live);
    drop(spawn(async move {
        others.recv().await;
        drop(waiting);
    }));
    let waiting = Live::clone(&live);
    drop(spawn(async move {
        let forever = spawn(async move {
            std::future::pending::<()>().await;
            drop(waiting);
        });
        forever.await.unwrap();
        receiver.recv().await;
    }));
    sender
}

#[test]
fn a_deadlock_of_tasks_leaves_nothing() {
    leaves_nothing(FailureKind::Deadlock, |live| {
        block_on(async {
            let sender = waiting_tasks(live).await;
            drop(sender);
            // Its end would cancel them.
            std::future::pending::<()>().await;
        });
    });
}

#[test]
fn a_panic_beside_tasks_leaves_nothing() {
    leaves_nothing(FailureKind::Panic, |live| {
        block_on(async {
            let _sender = waiting_tasks(live).await;
            panic!("in the main task");
        });
    });
}

#[test]
fn a_destructor_may_use_tasks_in_a_failed_execution() {
    struct Uses(
        Live<()>,
        mpsc::Sender<Live<()>>,
        future::task::JoinHandle<()>,
    );
    impl Drop for Uses {
        fn drop(&mut self) {
            let _ = poll(std::pin::pin!(self.1.send(Live::clone(&self.0))));
            let _ = poll(Pin::new(&mut self.2));
            let _ = self.1.try_send(Live::clone(&self.0));
        }
    }
    leaves_nothing(FailureKind::Panic, |live| {
        block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            let task = spawn(async move {
                while receiver.recv().await.is_some() {
                    future::task::yield_now().await;
                }
            });
            let _uses = Uses(live, sender, task);
            future::task::yield_now().await;
            panic!("in the main task");
        });
    });
}

#[test]
fn a_loop_that_only_wakes_hits_the_bound_on_steps() {
    let explorer = Explorer::new(Engine::Random)
        .max_executions(3)
        .max_steps(100);
    let report = explorer.explore(|| {
        block_on(async {
            let (sender, _receiver) = mpsc::channel::<u8>(1);
            let _sender = sender.named("unused");
            let waker = std::future::poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            drop(spawn(async move {
                loop {
                    waker.wake_by_ref();
                }
            }));
        });
    });
    assert_eq!((report.violations, report.truncated), (0, 3), "{report:?}");
}

#[cfg(feature = "loom")]
/// Explores a body under loom, up to so many executions.
fn under_loom(body: impl Fn() + Send + Sync + 'static) -> racelab::Report {
    Explorer::new(Engine::Loom)
        .max_executions(20_000)
        .explore(body)
}

#[cfg(feature = "loom")]
#[test]
fn tasks_and_channels_run_under_loom_as_well() {
    let failure = under_loom(|| wait_for_a_flag(Flag::poll_checking_first));
    let failure = failure.failure().expect("a wake-up can be lost");
    assert_eq!(failure.kind, FailureKind::Deadlock);
    let bodies: [fn(); 4] = [
        || wait_for_a_flag(Flag::poll_registering_first),
        || {
            block_on(async {
                let (sender, mut receiver) = mpsc::channel(1);
                let producer = spawn(async move {
                    sender.send(1).await.unwrap();
                    sender.send(2).await.unwrap();
                });
                assert_eq!(receiver.recv().await, Some(1));
                assert_eq!(receiver.recv().await, Some(2));
                assert_eq!(receiver.recv().await, None);
                producer.await.unwrap();
            });
        },
        || {
            let (sender, receiver) = racelab::channel::bounded(0);
            let consumers = [receiver.clone(), receiver]
                .map(|receiver| thread::spawn(move || receiver.iter().count()));
            sender.send(1).unwrap();
            sender.send(2).unwrap();
            drop(sender);
            let got = consumers.map(|consumer| consumer.join().unwrap());
            assert_eq!(got.iter().sum::<usize>(), 2);
        },
        || {
            let (queue, cell) = (Arc::new(racelab::queue::SegQueue::new()), Plain::default());
            let (items, cell) = (Arc::clone(&queue), Arc::new(cell));
            let written = Arc::clone(&cell);
            let producer = thread::spawn(move || {
                written.set(1);
                items.push(());
            });
            if queue.pop().is_some() {
                assert_eq!(cell.get(), 1);
            }
            producer.join().unwrap();
        },
    ];
    for body in bodies {
        let report = under_loom(body);
        assert!(report.executions > 1, "{report:?}");
        assert_eq!(report.violations, 0, "{report:?}");
    }
}
