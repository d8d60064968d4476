//! Waiting for several channels of crossbeam's at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use racelab::channel::{self, Receiver, Select, Sender, select, select_biased};
use racelab::sync::Arc;
use racelab::{Engine, Explorer, FailureKind, Report, Verdict, outcome, replay, thread};

use super::plain::Plain;
use super::same_as_std::{Op, agree, ops};
use super::{explore, fails, holds, outcomes};

/// Programs with more interleavings are left out.
const MOST: u64 = 5_000;

const MOMENT: Duration = Duration::from_millis(1);

/// Selects of one thread that take the first possible operation: which one of several another takes,
/// crossbeam leaves to chance.
macro_rules! program {
    ($channel:ident, $ops:ident) => {{
        let ends = [
            $channel::bounded(1),
            $channel::bounded(2),
            $channel::unbounded(),
        ];
        let mut senders: Vec<_> = ends
            .iter()
            .map(|(sender, _)| Some(sender.clone()))
            .collect();
        let mut receivers: Vec<_> = ends
            .iter()
            .map(|(_, receiver)| Some(receiver.clone()))
            .collect();
        drop(ends);
        let never = $channel::never::<u8>();
        let mut seen = Vec::new();
        for &(op, a, b, which) in $ops {
            let channel = usize::from(b) % 3;
            match op % 8 {
                0 if which % 4 == 0 => senders[channel] = None,
                1 if which % 4 == 0 => receivers[channel] = None,
                0..=2 => {
                    if let Some(sender) = &senders[channel] {
                        seen.push(format!("{:?}", sender.try_send(a)));
                    }
                }
                _ => {
                    let mut select = $channel::Select::new_biased();
                    let mut added = Vec::new();
                    select.recv(&never);
                    added.push((false, 3));
                    for bit in 0..6 {
                        let channel = (bit + channel) % 3;
                        if which & (1 << bit) == 0 {
                            continue;
                        }
                        match (&senders[channel], &receivers[channel]) {
                            (Some(sender), _) if bit < 3 => {
                                added.push((true, channel));
                                select.send(sender);
                            }
                            (_, Some(receiver)) if bit >= 3 => {
                                added.push((false, channel));
                                select.recv(receiver);
                            }
                            _ => {}
                        }
                    }
                    if added.len() > 2 && a % 3 == 0 {
                        select.remove(1);
                    }
                    seen.push(format!("{select:?} {:?}", select.try_ready()));
                    seen.push(format!("{:?}", select.ready_timeout(Duration::ZERO)));
                    let selected = match op % 3 {
                        0 => select.try_select().ok(),
                        1 => select.select_timeout(Duration::ZERO).ok(),
                        _ => select.select_deadline(Instant::now()).ok(),
                    };
                    if let Some(selected) = selected {
                        let index = selected.index();
                        let (sends, channel) = added[index];
                        seen.push(match (&senders[channel], &receivers[channel]) {
                            (Some(sender), _) if sends => {
                                format!("{index} {:?}", selected.send(sender, a))
                            }
                            (_, Some(receiver)) => format!("{index} {:?}", selected.recv(receiver)),
                            _ => unreachable!("what was added is there"),
                        });
                    }
                }
            }
        }
        seen
    }};
}

fn with_crossbeam(ops: &[Op]) -> Vec<String> {
    program!(crossbeam_channel, ops)
}

fn with_racelab(ops: &[Op]) -> Vec<String> {
    program!(channel, ops)
}

/// What a thread of a random program does, each with its channel.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send(usize),
    Receive(usize),
    /// A select that receives from both channels.
    Select,
    SelectBiased,
    /// A select that sends to this channel or receives from the other one, or does neither.
    Try(usize),
    SelectForSomeTime,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..2_usize).prop_map(Act::Send),
        (0..2_usize).prop_map(Act::Receive),
        Just(Act::Select),
        Just(Act::SelectBiased),
        (0..2_usize).prop_map(Act::Try),
        Just(Act::SelectForSomeTime),
    ]
}

/// Both ends of two channels, which all threads share, so that no ends are dropped while they run.
type Ends = Arc<[(Sender<usize>, Receiver<usize>); 2]>;

/// Does what a thread does, and returns what it has seen.
fn act_all(acts: &[Act], thread: usize, ends: &Ends) -> String {
    let sender = |channel: usize| &ends[channel].0;
    let receiver = |channel: usize| &ends[channel].1;
    let mut seen = String::new();
    for (step, act) in acts.iter().enumerate() {
        let message = 10 * thread + step;
        seen += &match *act {
            Act::Send(channel) => format!("{:?}; ", sender(channel).send(message)),
            Act::Receive(channel) => format!("{:?}; ", receiver(channel).recv()),
            Act::Select => select! {
                recv(receiver(0)) -> message => format!("0 {message:?}; "),
                recv(receiver(1)) -> message => format!("1 {message:?}; "),
            },
            Act::SelectBiased => select_biased! {
                recv(receiver(1)) -> message => format!("1 {message:?}; "),
                recv(receiver(0)) -> message => format!("0 {message:?}; "),
            },
            Act::SelectForSomeTime => select! {
                recv(receiver(0)) -> message => format!("0 {message:?}; "),
                recv(receiver(1)) -> message => format!("1 {message:?}; "),
                default(MOMENT) => "timed out; ".to_owned(),
            },
            Act::Try(channel) => select! {
                send(sender(channel), message) -> sent => format!("sent {sent:?}; "),
                recv(receiver(1 - channel)) -> message => format!("got {message:?}; "),
                default => "neither; ".to_owned(),
            },
        };
    }
    seen
}

/// What an engine finds out about a random program: what its threads saw, and how it failed.
fn found(engine: Engine, threads: &[Vec<Act>]) -> (BTreeSet<String>, bool, Report) {
    let threads = threads.to_vec();
    let explorer = Explorer::new(engine).max_executions(MOST).past_failures();
    let report = explorer.explore(move || {
        let ends = Arc::new([channel::bounded(1), channel::bounded(1)]);
        let handles: Vec<_> = (0..)
            .zip(&threads)
            .map(|(number, acts)| {
                let (acts, ends) = (acts.clone(), Arc::clone(&ends));
                thread::spawn(move || act_all(&acts, number, &ends))
            })
            .collect();
        let seen = handles.into_iter().map(|handle| handle.join().unwrap());
        outcome(seen.collect::<Vec<_>>());
    });
    let values = report.outcomes.iter().map(|outcome| outcome.value.clone());
    let has_failed = matches!(report.verdict, Verdict::Violated(_));
    (values.collect(), has_failed, report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_select_is_the_same_as_crossbeams_in_every_world(ops in ops()) {
        agree(with_crossbeam, with_racelab, &ops)?;
    }

    #[test]
    fn reduction_loses_nothing_of_what_selects_can_see(
        threads in prop::collection::vec(prop::collection::vec(act(), 1..3), 2..4)
    ) {
        let (values, has_failed, all) = found(Engine::Dfs, &threads);
        prop_assume!(all.executions < MOST);
        let (reduced, fails, report) = found(Engine::Dpor, &threads);
        prop_assert_eq!(&reduced, &values, "{}", report);
        prop_assert_eq!(fails, has_failed, "{}", report);
    }
}

#[test]
fn each_of_the_possible_operations_is_selected() {
    let body = |is_biased: bool| {
        let (sender, receiver) = channel::bounded(1);
        let (first, second) = (channel::unbounded(), channel::unbounded());
        first.0.send(1).unwrap();
        second.0.send(2).unwrap();
        let _kept = receiver;
        outcome(if is_biased {
            select_biased! {
                recv(first.1) -> message => message.unwrap(),
                recv(second.1) -> message => message.unwrap(),
                send(sender, ()) -> sent => sent.map_or(4, |()| 3),
            }
        } else {
            select! {
                recv(first.1) -> message => message.unwrap(),
                recv(second.1) -> message => message.unwrap(),
                send(sender, ()) -> sent => sent.map_or(4, |()| 3),
            }
        });
    };
    assert_eq!(outcomes(move || body(false)), ["1", "2", "3"]);
    assert_eq!(outcomes(move || body(true)), ["1"]);
}

#[test]
fn a_select_waits_until_one_of_its_operations_is_possible() {
    let results = outcomes(|| {
        let (one, two) = (channel::bounded(1), channel::bounded(1));
        let cells = [1, 2].map(|_| Arc::new(Plain::default()));
        let senders = [one.0, two.0];
        let others: Vec<_> = senders
            .into_iter()
            .zip(cells.clone())
            .map(|(sender, cell)| {
                thread::spawn(move || {
                    cell.set(1);
                    sender.send(()).unwrap();
                })
            })
            .collect();
        let first = select! {
            recv(one.1) -> message => { message.unwrap(); 0 }
            recv(two.1) -> message => { message.unwrap(); 1 }
        };
        // Who receives by a select learns what the sender knew.
        assert_eq!(cells[first].get(), 1);
        outcome(first);
        for other in others {
            other.join().unwrap();
        }
    });
    assert_eq!(results, ["0", "1"]);
}

#[test]
fn a_select_that_nobody_lets_go_on_is_a_deadlock_and_the_failure_replays() {
    fn body() {
        let (sender, receiver) = channel::unbounded::<u8>();
        let other = thread::spawn(move || {
            select! {
                recv(receiver) -> message => assert!(message.is_ok()),
                recv(channel::never::<u8>()) -> _ => unreachable!(),
            }
        });
        other.join().unwrap();
        drop(sender);
    }
    let failure = fails(FailureKind::Deadlock, body);
    let report = explore(body).to_string();
    assert!(
        report.contains("waits for one of several channels"),
        "{report}"
    );
    let again = replay(failure.schedule.as_ref().unwrap(), body);
    let again = again.failure().expect("it fails again");
    assert_eq!((again.kind, &again.trace), (failure.kind, &failure.trace));
}

#[test]
fn a_select_takes_what_is_offered_at_a_rendezvous() {
    holds(|| {
        let (sender, receiver) = channel::bounded(0);
        let other = thread::spawn(move || sender.send(1).unwrap());
        let got = select! {
            recv(receiver) -> message => message.unwrap(),
            recv(channel::never()) -> message => message.unwrap(),
        };
        assert_eq!(got, 1);
        other.join().unwrap();
    });
}

#[test]
fn a_select_that_sends_to_a_rendezvous_is_refused() {
    let report = explore(|| {
        let (sender, _receiver) = channel::bounded(0);
        select! {
            send(sender, 1) -> _ => {}
            default => {}
        }
    });
    assert!(
        matches!(report.verdict, Verdict::Inconclusive { .. }),
        "{report:?}"
    );
    assert!(
        report.to_string().contains("capacity 0 is not modelled"),
        "{report}"
    );
}

#[test]
fn a_loop_of_looks_by_select_is_known_to_spin() {
    holds(|| {
        let (sender, receiver) = channel::unbounded();
        let other = thread::spawn(move || sender.send(1).unwrap());
        loop {
            select! {
                recv(receiver) -> message => break assert_eq!(message, Ok(1)),
                default => thread::yield_now(),
            }
        }
        other.join().unwrap();
    });
}

#[test]
fn time_passes_before_a_message_comes_or_after_it() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(1);
        let other = thread::spawn(move || sender.send(1));
        let time = channel::after(Duration::from_secs(3600));
        outcome(select! {
            recv(receiver) -> message => format!("{message:?}"),
            recv(time) -> _ => "time".to_owned(),
        });
        drop(receiver);
        let _ = other.join().unwrap();
    });
    assert_eq!(results, [r#""Ok(1)""#, r#""time""#]);
}

#[test]
fn the_message_of_a_time_comes_once_and_those_of_a_clock_again() {
    holds(|| {
        let after = channel::after(MOMENT);
        after.recv().unwrap();
        assert!(after.try_recv().is_err());
        let tick = channel::tick(MOMENT);
        tick.recv().unwrap();
        tick.recv().unwrap();
        assert!(channel::at(Instant::now()).recv().is_ok());
    });
    fails(FailureKind::Deadlock, || {
        let after = channel::after(MOMENT);
        after.recv().unwrap();
        let _ = after.recv();
    });
    fails(FailureKind::Deadlock, || {
        assert!(channel::never::<u8>().recv().is_ok());
    });
    let looks = outcomes(|| outcome(channel::after(MOMENT).try_recv().is_ok()));
    assert_eq!(looks, ["false", "true"]);
}

#[test]
fn one_of_two_threads_gets_the_message_of_a_time() {
    let body = || {
        let time = channel::after(MOMENT);
        let other = time.clone();
        let other = thread::spawn(move || other.recv_timeout(MOMENT).is_ok());
        let mine = time.try_recv().is_ok();
        outcome((mine, other.join().unwrap()));
    };
    let dpor = Explorer::new(Engine::Dpor).explore(body);
    let found = dpor.outcomes.iter().map(|outcome| outcome.value.as_str());
    assert_eq!(
        found.collect::<BTreeSet<_>>(),
        outcomes(body).iter().map(String::as_str).collect()
    );
    assert_eq!(outcomes(body), ["(false, true)", "(true, false)"]);
}

/// Runs a body that panics, outside of executions and inside.
fn panics(message: &str, body: fn()) {
    let outside = std::panic::catch_unwind(body).unwrap_err();
    let text = outside.downcast_ref::<&str>().copied();
    let text = text.or_else(|| outside.downcast_ref::<String>().map(String::as_str));
    assert_eq!(text, Some(message));
    assert_eq!(fails(FailureKind::Panic, body).message, message);
}

#[test]
fn misuses_panic_as_crossbeams_do() {
    panics("no operations have been added to `Select`", || {
        let _ = Select::new().select().recv(&channel::never::<u8>());
    });
    panics(
        "dropped `SelectedOperation` without completing the operation",
        || {
            let (sender, _receiver) = channel::bounded::<u8>(1);
            let mut select = Select::new();
            select.send(&sender);
            drop(select.select());
        },
    );
    panics("passed a receiver that wasn't selected", || {
        let (sender, receiver) = channel::bounded(1);
        sender.send(1).unwrap();
        let mut select = Select::new();
        select.recv(&receiver);
        let _ = select.select().recv(&receiver.clone());
    });
    panics("no operation with this index", || {
        let receiver = channel::never::<u8>();
        let mut select = Select::new();
        let index = select.recv(&receiver);
        select.remove(index);
        select.remove(index);
    });
}
