//! A channel in an execution: what the channels of std, crossbeam and their like have in common.
//!
//! What decides who can go on is in the execution's [`State`]; the messages are in the façade's
//! object. To send, to receive and to drop an end are steps. To clone an end is none, since nobody can see it.

use std::collections::VecDeque;
use std::sync::mpsc::{TryRecvError, TrySendError};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Binding, Execution, Mode, NextStep, Requirement, Spot, Touches, leave_doomed,
    step, step_in_drop, with,
};
use crate::trace::{Clock, EventResult, LeftOut, ObjectId, Operation, ThreadId};

use super::{Announced, Done, Order, Primitive, State};

/// A channel with many producers and many consumers.
///
/// Messages are numbered in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Channel {
    /// `None` is unbounded. With 0 a sender waits until its message is taken.
    pub(crate) capacity: Option<usize>,
    /// How many messages were sent: the number of the next one.
    pub(crate) sent: u64,
    /// The messages that are in it.
    pub(crate) letters: VecDeque<Letter>,
    /// The places that selects have reserved, which nobody else can take.
    pub(crate) reserved: usize,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    /// The message that was put in or taken last.
    moved: u64,
    clocks: Clocks,
}

/// A message in a channel.
#[derive(Debug)]
pub(crate) struct Letter {
    number: u64,
    /// Who can take it, if that is not everybody: those who waited when it was handed to one of
    /// them.
    waiting: Option<Vec<ThreadId>>,
}

/// What those who use a channel learn of each other.
#[derive(Debug, Default)]
struct Clocks {
    /// What is known to the thread that takes a message in the channel, with its number.
    messages: VecDeque<(u64, Clock)>,
    /// What was known to the thread that took a message, for those that wait for that or for the room.
    taken: VecDeque<(u64, Clock)>,
    /// What was known to those who dropped an end.
    dropped: Clock,
}

impl Channel {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Channel {
            capacity,
            sent: 0,
            letters: VecDeque::new(),
            reserved: 0,
            senders: 1,
            receivers: 1,
            moved: 0,
            clocks: Clocks::default(),
        }
    }

    /// Puts a message in, for `waiting` or for everybody, and returns its number.
    pub(crate) fn put(&mut self, waiting: Option<Vec<ThreadId>>) -> u64 {
        let number = self.sent;
        self.sent += 1;
        self.moved = number;
        self.letters.push_back(Letter { number, waiting });
        number
    }

    /// Takes out the first message that the thread can take, and returns its number.
    pub(crate) fn take(&mut self, thread: ThreadId) -> Option<u64> {
        let index = self.letters.iter().position(|letter| letter.is_for(thread));
        let letter = self.letters.remove(index?)?;
        self.moved = letter.number;
        Some(letter.number)
    }

    /// Takes back a message that nobody has taken.
    pub(crate) fn withdraw(&mut self, number: u64) {
        self.letters.retain(|letter| letter.number != number);
        self.clocks.messages.retain(|(other, _)| *other != number);
    }

    /// Whether the message with this number is not in the channel any more.
    pub(crate) fn is_taken(&self, number: u64) -> bool {
        self.letters.iter().all(|letter| letter.number != number)
    }

    /// Whether a message can be put in without waiting for room. A rendezvous
    /// has room for any offer: there the wait comes afterwards.
    pub(crate) fn has_room(&self) -> bool {
        match self.capacity {
            None | Some(0) => true,
            Some(capacity) => self.letters.len() + self.reserved < capacity,
        }
    }

    fn seen_by(&self, thread: ThreadId) -> Glimpse {
        Glimpse {
            has_message: self.letters.iter().any(|letter| letter.is_for(thread)),
            has_room: self.has_room(),
            has_senders: self.senders > 0,
            has_receivers: self.receivers > 0,
        }
    }

    fn record(&self) -> Before {
        let letters = self.letters.iter();
        Before {
            messages: letters.map(|letter| letter.waiting.clone()).collect(),
            has_room: self.has_room(),
            has_senders: self.senders > 0,
            has_receivers: self.receivers > 0,
        }
    }

    /// Whether it has no room at all: who sends meets who receives.
    fn is_rendezvous(&self) -> bool {
        self.capacity == Some(0)
    }

    /// Whether an operation waits for somebody who offers a message.
    fn waits_to_meet(&self, next: &NextStep) -> bool {
        self.is_rendezvous()
            && next.operation == Operation::Receive
            && matches!(next.requires, Requirement::Message(_))
    }
}

impl Primitive for Channel {
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        let next = at.next;
        let Some(channel) = next.object else { return };
        let mode = match next.operation {
            Operation::Load => Mode::Read,
            _ => Mode::Write,
        };
        touches.push((Spot::Object(channel), mode));
        if let Requirement::Taken(channel, number) = next.requires {
            touches.push((Spot::Taken(channel, number), Mode::Read));
        }
        if matches!(next.alternatives, Alternatives::Unmet) {
            touches.push((Spot::Receivers(channel), Mode::Read));
        }
        touches.extend(self.arrival(next));
    }

    /// Threads that wait to receive come in any order.
    fn arrival(&self, next: &NextStep) -> Option<(Spot, Mode)> {
        let channel = next.object.filter(|_| self.waits_to_meet(next));
        channel.map(|channel| (Spot::Receivers(channel), Mode::Share))
    }

    /// A receiver that is about to wait may be there already or not.
    fn ways(&self, at: &Announced<'_>) -> u32 {
        let meets = matches!(at.next.alternatives, Alternatives::Unmet)
            && at.next.object.is_some_and(|channel| {
                let receivers = at.execution.waiting_receivers(channel);
                receivers.is_some()
            });
        // Only who looks at a channel of time receives so.
        let looks_at_time = matches!(at.next.alternatives, Alternatives::Unmet)
            && at.next.operation == Operation::Receive;
        if meets || looks_at_time { 2 } else { 1 }
    }

    fn touched(&self, done: &Done<'_>, spot: Spot, _before: &super::Before) -> Option<Mode> {
        let reads_if = |reads| if reads { Mode::Read } else { Mode::Write };
        Some(match (spot, done.event.operation) {
            (Spot::Taken(..), _) | (Spot::Object(_), Operation::Load) => Mode::Read,
            (Spot::Receivers(_), _) => match done.next.alternatives {
                Alternatives::Unmet => Mode::Read,
                _ => Mode::Share,
            },
            (_, Operation::Send | Operation::Receive) => reads_if(done.has_failed()),
            // An offer that is withdrawn.
            (_, Operation::Timeout) => reads_if(done.next.operation != Operation::Wake),
            (_, Operation::Wake) if !done.has_failed() => return None,
            _ => Mode::Write,
        })
    }

    /// Who takes an offer lets go on who has made it.
    fn allowed(&self, done: &Done<'_>) -> SmallVec<[Spot; 2]> {
        let takes = self.is_rendezvous()
            && done.event.operation == Operation::Receive
            && !done.has_failed();
        let channel = done.event.object.filter(|_| takes);
        channel
            .map(|channel| Spot::Taken(channel, self.moved))
            .into_iter()
            .collect()
    }

    /// Others do not find an offer any more that has timed out.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        match done.event.operation {
            Operation::Load => false,
            Operation::Timeout => done.next.operation == Operation::Wake,
            _ => !done.has_failed(),
        }
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let channel = done.event.object;
        let may_be_unmet = matches!(done.next.alternatives, Alternatives::Unmet);
        let meets = channel.filter(|_| may_be_unmet);
        [channel.map(Spot::Object), meets.map(Spot::Receivers)]
    }

    fn glimpse(&self, thread: ThreadId) -> Option<super::Glimpse> {
        Some(super::Glimpse::Channel(self.seen_by(thread)))
    }

    fn has_happened(&self, number: u64) -> bool {
        self.is_taken(number)
    }

    fn before(&self) -> super::Before {
        super::Before::Channel(Box::new(self.record()))
    }

    /// Who takes a message learns what its sender knew, and who sends into the room of an earlier
    /// one what its receiver knew.
    fn order(&mut self, order: &mut Order<'_>) {
        let (capacity, moved) = (self.capacity, self.moved);
        let known = &mut order.knowledge.clock;
        let clocks = &mut self.clocks;
        match (order.event.operation, order.event.result) {
            // The end of a rendezvous.
            (Operation::Wake, Some(EventResult::Disconnected)) => known.join(&clocks.dropped),
            (Operation::Wake, _) => {
                if let Requirement::Taken(_, number) = order.requires
                    && let Some(taken) = remove(&mut clocks.taken, number)
                {
                    known.join(&taken);
                }
            }
            (_, Some(EventResult::Failed)) => {}
            (Operation::Disconnect, _) => clocks.dropped.join(known),
            (Operation::Send | Operation::Receive, Some(EventResult::Disconnected)) => {
                known.join(&clocks.dropped);
            }
            (Operation::Send, _) => {
                if let Some(capacity @ 1..) = capacity {
                    // In a full queue it takes the place of the oldest message.
                    if clocks.messages.len() >= capacity
                        && let Some((number, message)) = clocks.messages.pop_front()
                    {
                        known.join(&message);
                        clocks.taken.push_back((number, known.clone()));
                    }
                    // There is room since the message in that place was taken.
                    let earlier = moved.checked_sub(capacity as u64);
                    let taken = earlier.and_then(|number| remove(&mut clocks.taken, number));
                    if let Some(taken) = taken {
                        known.join(&taken);
                    }
                }
                clocks.messages.push_back((moved, known.clone()));
            }
            (Operation::Receive, _) => {
                if let Some(message) = remove(&mut clocks.messages, moved) {
                    known.join(&message);
                }
                if capacity.is_some() {
                    clocks.taken.push_back((moved, known.clone()));
                }
            }
            _ => {}
        }
    }
}

/// Takes out what is known with a message.
fn remove(clocks: &mut VecDeque<(u64, Clock)>, number: u64) -> Option<Clock> {
    let index = clocks.iter().position(|(other, _)| *other == number)?;
    clocks.remove(index).map(|(_, clock)| clock)
}

impl Letter {
    fn is_for(&self, thread: ThreadId) -> bool {
        match &self.waiting {
            Some(waiting) => waiting.contains(&thread),
            None => true,
        }
    }
}

/// What one thread sees of a channel.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
pub(crate) struct Glimpse {
    /// Whether there is a message that it can take.
    has_message: bool,
    has_room: bool,
    has_senders: bool,
    has_receivers: bool,
}

impl Glimpse {
    pub(super) fn allows(self, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Message(_) => self.has_message || !self.has_senders,
            Requirement::Room(_) => self.has_room || !self.has_receivers,
            // That it was taken is asked elsewhere.
            _ => !self.has_receivers,
        }
    }
}

/// What a channel was like before a step, for whichever thread.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    /// The threads that could take a message: `None` are all.
    messages: Vec<Option<Vec<ThreadId>>>,
    has_room: bool,
    has_senders: bool,
    has_receivers: bool,
}

impl Before {
    pub(super) fn glimpse(&self, thread: ThreadId) -> Glimpse {
        let is_for = |takers: &Option<Vec<ThreadId>>| {
            takers
                .as_ref()
                .is_none_or(|takers| takers.contains(&thread))
        };
        Glimpse {
            has_message: self.messages.iter().any(is_for),
            has_room: self.has_room,
            has_senders: self.has_senders,
            has_receivers: self.has_receivers,
        }
    }
}

/// Binds a new channel. Without a capacity it is unbounded.
#[track_caller]
pub(crate) fn bind(kind: &'static str, capacity: Option<usize>) -> Binding {
    Binding::new(kind, |_| State::Channel(Box::new(Channel::new(capacity))))
}

/// The messages on their way, with their numbers.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds
/// the lock, so that nobody ever waits for it.
#[derive(Debug)]
pub(crate) struct Messages<T>(Mutex<VecDeque<(u64, T)>>);

/// Whether a wait has an end of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// It waits for as long as it takes.
    None,
    /// It can time out, whatever the time is.
    Time,
}

impl Limit {
    fn alternatives(self) -> Alternatives {
        match self {
            Limit::None => Alternatives::None,
            Limit::Time => Alternatives::Timeout,
        }
    }
}

impl<T> Messages<T> {
    pub(crate) fn new() -> Self {
        Messages(Mutex::new(VecDeque::new()))
    }

    /// Sends a message, and waits until there is room for it, as a step. To an offer without room
    /// there are two: its end is one of its own.
    ///
    /// # Errors
    ///
    /// The message comes back as disconnected, if nobody is going to receive it, or as full, if
    /// the wait timed out.
    #[track_caller]
    pub(crate) fn send(
        &self,
        channel: ObjectId,
        message: T,
        limit: Limit,
    ) -> Result<(), TrySendError<T>> {
        let next = NextStep::new(Operation::Send)
            .on(channel)
            .requires(Requirement::Room(channel))
            .or(limit.alternatives());
        // Outside of the closure, so that it is never dropped while the execution is borrowed.
        let mut message = Some(message);
        // In a doomed execution there may be no room. The message is put in all the same, since a
        // destructor that takes an error for impossible would end the process.
        let sent = step(next, |execution, alternative| {
            if alternative == 1 {
                execution.note(|event| event.operation = Operation::Timeout);
                return Err(Absent::NoRoom);
            }
            let number = self.put(execution, channel, &mut message)?;
            Ok((number, state(execution, channel).capacity == Some(0)))
        });
        match (sent, message) {
            (Ok((number, true)), _) => self.hand_over(channel, number, next, limit),
            (Err(Absent::NoRoom), Some(message)) => Err(TrySendError::Full(message)),
            (Err(Absent::NoReceiver), Some(message)) => Err(TrySendError::Disconnected(message)),
            _ => Ok(()),
        }
    }

    /// Sends a message if there is room for it, as a step.
    ///
    /// With a capacity of 0 there is room only if a thread waits to receive. One that is about to
    /// receive may wait already or not: both ways are explored.
    ///
    /// # Errors
    ///
    /// The message comes back if the channel is full, or nobody is going to receive it.
    #[track_caller]
    pub(crate) fn try_send(&self, channel: ObjectId, message: T) -> Result<(), TrySendError<T>> {
        let next = NextStep::new(Operation::Send).on(channel);
        let is_rendezvous = with(|execution| state(execution, channel).capacity == Some(0));
        let next = if is_rendezvous {
            next.or(Alternatives::Unmet)
        } else {
            next
        };
        let mut message = Some(message);
        let is_disconnected = step(next, |execution, alternative| {
            if state(execution, channel).receivers == 0 {
                execution.note(|event| event.result = Some(EventResult::Disconnected));
                return true;
            }
            // A message that is not offered is for one of those who wait now: somebody who only
            // looks cannot take it from them.
            if is_rendezvous && execution.is_selected_from(channel) {
                execution.leave_out(LeftOut::Rendezvous);
            }
            let waiting = if is_rendezvous && alternative == 0 {
                execution.waiting_receivers(channel)
            } else {
                None
            };
            let has_room = if is_rendezvous {
                waiting.is_some()
            } else {
                state(execution, channel).has_room()
            };
            if has_room {
                let number = state(execution, channel).put(waiting);
                self.insert(number, message.take());
            }
            let result = if has_room {
                EventResult::Succeeded
            } else {
                EventResult::Failed
            };
            execution.note(|event| event.result = Some(result));
            false
        });
        match message {
            None => Ok(()),
            Some(message) if is_disconnected => Err(TrySendError::Disconnected(message)),
            Some(message) => Err(TrySendError::Full(message)),
        }
    }

    /// Sends a message into the room that a select has reserved, as a step.
    ///
    /// # Errors
    ///
    /// The message comes back if nobody is going to receive it.
    #[track_caller]
    pub(crate) fn send_into(&self, channel: ObjectId, message: T) -> Result<(), T> {
        let mut message = Some(message);
        let next = NextStep::new(Operation::Send).on(channel);
        // In a doomed execution, too, so that there is nothing to do with what it returns.
        let _ = step(next, |execution, _| {
            state(execution, channel).reserved -= 1;
            self.put(execution, channel, &mut message)
        });
        message.map_or(Ok(()), Err)
    }

    /// Sends a message, and takes out the first one if there is no room, as a step.
    #[track_caller]
    pub(crate) fn force_send(&self, channel: ObjectId, message: T) -> Option<T> {
        let mut message = Some(message);
        let next = NextStep::new(Operation::Send).on(channel);
        step(next, |execution, _| {
            let me = execution.me();
            let state = state(execution, channel);
            let first = if state.has_room() {
                None
            } else {
                state.take(me)
            };
            let first = first.and_then(|number| self.withdraw(number));
            let number = state.put(None);
            self.insert(number, message.take());
            first
        })
    }

    /// Receives a message, and waits until there is one, as a step.
    ///
    /// # Errors
    ///
    /// If there is none and no sender left; or, as empty, if the wait timed out.
    #[track_caller]
    pub(crate) fn receive(&self, channel: ObjectId, limit: Limit) -> Result<T, TryRecvError> {
        let next = NextStep::new(Operation::Receive).on(channel);
        let next = next
            .requires(Requirement::Message(channel))
            .or(limit.alternatives());
        self.take(channel, next)
    }

    /// Receives a message if there is one, as a step.
    ///
    /// # Errors
    ///
    /// If there is none.
    #[track_caller]
    pub(crate) fn try_receive(&self, channel: ObjectId) -> Result<T, TryRecvError> {
        self.take(channel, NextStep::new(Operation::Receive).on(channel))
    }

    /// Puts a message into the channel, and returns its number; or leaves it if nobody is going to
    /// receive it.
    fn put(
        &self,
        execution: &mut Execution,
        channel: ObjectId,
        message: &mut Option<T>,
    ) -> Result<u64, Absent> {
        let state = state(execution, channel);
        if state.receivers == 0 {
            execution.note(|event| event.result = Some(EventResult::Disconnected));
            return Err(Absent::NoReceiver);
        }
        let number = state.put(None);
        self.insert(number, message.take());
        Ok(number)
    }

    /// The second half of a send without room: waits until the message was taken.
    fn hand_over(
        &self,
        channel: ObjectId,
        number: u64,
        send: NextStep,
        limit: Limit,
    ) -> Result<(), TrySendError<T>> {
        // If the wait is ended by the end of the execution, the message goes with it. It may hold
        // an end of its own channel, which would never free the queue.
        let _offer = Offer {
            messages: self,
            number,
        };
        let next = NextStep::new(Operation::Wake)
            .on(channel)
            .at(send.at)
            .requires(Requirement::Taken(channel, number))
            .or(limit.alternatives());
        let mut message = None;
        let absent = step(next, |execution, alternative| {
            let state = state(execution, channel);
            if state.is_taken(number) {
                return None;
            }
            state.withdraw(number);
            message = self.withdraw(number);
            if alternative == 1 {
                execution.note(|event| event.operation = Operation::Timeout);
                return Some(Absent::NoRoom);
            }
            execution.note(|event| event.result = Some(EventResult::Disconnected));
            Some(Absent::NoReceiver)
        });
        let is_doomed = with(|execution| execution.is_doomed());
        match (absent, message) {
            (Some(Absent::NoRoom), Some(message)) => Err(TrySendError::Full(message)),
            (Some(Absent::NoReceiver), Some(message)) if !is_doomed => {
                Err(TrySendError::Disconnected(message))
            }
            _ => Ok(()),
        }
    }

    /// A receipt, as the step `next`.
    fn take(&self, channel: ObjectId, next: NextStep) -> Result<T, TryRecvError> {
        let is_attempt = matches!(next.requires, Requirement::Nothing);
        step(next, |execution, alternative| {
            if alternative == 1 {
                execution.note(|event| event.operation = Operation::Timeout);
                return Err(TryRecvError::Empty);
            }
            let me = execution.me();
            let state = state(execution, channel);
            let taken = state.take(me).and_then(|number| self.withdraw(number));
            let (result, noted) = match taken {
                Some(message) => (Ok(message), is_attempt.then_some(EventResult::Succeeded)),
                None if state.senders == 0 => (
                    Err(TryRecvError::Disconnected),
                    Some(EventResult::Disconnected),
                ),
                None => (Err(TryRecvError::Empty), Some(EventResult::Failed)),
            };
            execution.note(|event| event.result = noted);
            result
        })
    }

    /// The messages, in their order.
    pub(crate) fn into_vec(self) -> Vec<T> {
        let messages = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        messages.into_iter().map(|(_, message)| message).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the message with this number.
    pub(crate) fn insert(&self, number: u64, message: Option<T>) {
        self.lock().extend(message.map(|message| (number, message)));
    }

    /// Takes out all messages.
    pub(crate) fn drain(&self) -> impl Sized + use<T> {
        std::mem::take(&mut *self.lock())
    }

    /// Takes out the message with this number, if it is still there.
    pub(crate) fn withdraw(&self, number: u64) -> Option<T> {
        let mut messages = self.lock();
        let index = messages.iter().position(|(other, _)| *other == number)?;
        messages.remove(index).map(|(_, message)| message)
    }
}

/// Looks whether the time of a channel of time has passed, as a step that goes both ways.
#[track_caller]
pub(crate) fn look_at_time(channel: ObjectId) -> bool {
    let next = NextStep::new(Operation::Receive).on(channel);
    step(next.or(Alternatives::Unmet), |execution, alternative| {
        let has_passed = alternative == 0;
        execution.note(|event| {
            if has_passed {
                event.operation = Operation::Timeout;
            } else {
                event.result = Some(EventResult::Failed);
            }
        });
        has_passed
    })
}

/// How many messages are in the channel, as a step. In one without room there never are any.
#[track_caller]
pub(crate) fn len(channel: ObjectId) -> usize {
    step(
        NextStep::new(Operation::Load).on(channel),
        |execution, _| {
            let state = state(execution, channel);
            let len = match state.capacity {
                Some(0) => 0,
                _ => state.letters.len(),
            };
            execution.note(|event| event.read = Some(len.into()));
            len
        },
    )
}

/// Counts a new sender. Not an operation.
#[track_caller]
pub(crate) fn add_sender(binding: &Binding) {
    add_end(binding, |channel| channel.senders += 1);
}

/// Counts a new receiver. Not an operation.
#[track_caller]
pub(crate) fn add_receiver(binding: &Binding) {
    add_end(binding, |channel| channel.receivers += 1);
}

/// The drop of a sender, as a step. There is none for an end of another execution.
pub(crate) fn drop_sender(binding: &Binding) {
    disconnect(binding, |channel| channel.senders -= 1);
}

/// The drop of a receiver, as a step. There is none for an end of another execution.
pub(crate) fn drop_receiver<T>(binding: &Binding, messages: &Messages<T>, rest: Rest) {
    let _discard = Discard {
        binding,
        messages,
        rest,
    };
    disconnect(binding, |channel| {
        channel.receivers -= 1;
        if channel.receivers == 0 && rest == Rest::Dropped && channel.capacity != Some(0) {
            channel.letters.clear();
        }
    });
}

/// What becomes of the messages that are in a channel when its last receiver goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They are dropped with it.
    Dropped,
    /// They are dropped with the last end of the channel.
    Kept,
}

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    NoRoom,
    NoReceiver,
}

/// A message that waits to be taken.
struct Offer<'a, T> {
    messages: &'a Messages<T>,
    number: u64,
}

impl<T> Drop for Offer<'_, T> {
    fn drop(&mut self) {
        drop(self.messages.withdraw(self.number));
    }
}

/// Drops the messages that nobody is going to receive: they may hold senders of the channel, and
/// so the queue itself.
struct Discard<'a, T> {
    binding: &'a Binding,
    messages: &'a Messages<T>,
    rest: Rest,
}

impl<T> Discard<'_, T> {
    /// Whether the messages stay: for another receiver, for those who offer them, or for nobody.
    fn are_kept(&self) -> bool {
        let object = if self.binding.is_current() {
            self.binding.object()
        } else {
            None
        };
        object.is_some_and(|channel| {
            with(|execution| {
                let is_doomed = execution.is_doomed();
                let state = state(execution, channel);
                let stays = state.capacity == Some(0) || self.rest == Rest::Kept;
                state.receivers > 0 || (!is_doomed && stays)
            })
        })
    }
}

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        if !self.are_kept() {
            // Their destructors may take steps, so that the lock has to be free.
            drop(self.messages.drain());
        }
    }
}

#[track_caller]
fn add_end(binding: &Binding, count: impl FnOnce(&mut Channel)) {
    if let Some(channel) = binding.object() {
        // A loop that only clones and drops ends has no other place to end.
        leave_doomed();
        with(|execution| count(state(execution, channel)));
    }
}

/// The drop of an end, as a step. There is none for an end of another execution.
pub(crate) fn disconnect<R>(
    binding: &Binding,
    change: impl FnOnce(&mut Channel) -> R,
) -> Option<R> {
    if binding.is_real() || !binding.is_current() {
        return None;
    }
    let channel = binding.object()?;
    // A destructor does not know where it is called.
    let next = NextStep::new(Operation::Disconnect)
        .on(channel)
        .at(binding.made_at());
    Some(step_in_drop(next, |execution, _| {
        change(state(execution, channel))
    }))
}

pub(crate) fn state(execution: &mut Execution, channel: ObjectId) -> &mut Channel {
    match &mut execution.object_mut(channel).state {
        State::Channel(channel) => channel,
        other => unreachable!("{other:?} is no channel"),
    }
}

impl Execution {
    /// The threads that are about to receive from the channel, if they are more than the messages
    /// in it.
    pub(crate) fn waiting_receivers(&self, channel: ObjectId) -> Option<Vec<ThreadId>> {
        let State::Channel(state) = &self.object(channel).state else {
            return None;
        };
        let waiting = self.threads().filter(|(_, thread)| {
            thread.next.is_some_and(|next| {
                next.operation == Operation::Receive
                    && next.object == Some(channel)
                    && matches!(next.requires, Requirement::Message(_))
            })
        });
        let waiting: Vec<ThreadId> = waiting.map(|(id, _)| id).collect();
        (waiting.len() > state.letters.len()).then_some(waiting)
    }
}
