//! Rounds of a loop that undo what they have written, as the wait for a read-write lock does that counts
//! the reader in, sees a writer, and counts it out again.
//!
//! To others, each write of such a round is a change. Two threads that go round so would be news to each
//! other for ever. So a thread that has done the same in two rounds, has read the same, and has left all
//! atomics as they were, rests as one that only looks. When it goes on, its writes are only *passing* as
//! long as it does and reads nothing else: of the threads that rest, they wake only those whose last look
//! was between a passing write and its undoing. These are woken when it is undone.
//!
//! Two rounds are the same if they write the same. What they only look at can differ, as in a round that
//! waits for a spin lock: that is a loop of its own, with yields of its own.
//!
//! What others can do between the steps of a round is explored in the first two.
//!
//! If a thread does something else in the middle of a round in which it has written in passing, although
//! it has read nothing new, that was wrong: the place of its yield is remembered, as those of threads
//! that were wrongly taken to spin are.

use std::ptr;

use smallvec::SmallVec;

use crate::execution::{Execution, Object, Spot, Thread};
use crate::memory::Accessed;
use crate::model::{Done, State, atomic};
use crate::trace::{Event, LeftOut, ObjectId, Operation, ThreadId, Value};

use super::Waiting;
use super::spinning::STEPS_ALONE;

/// A round has this number of steps at most.
const STEPS: usize = 16;

/// Two rounds are looked for among this number of events.
const EVENTS: usize = 256;

/// How a write changes what others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execution) enum Write {
    Lasting,
    /// Its round is going to undo it.
    Passing,
    /// It undoes what its round has written.
    Undoing,
}

/// What a thread has written to an object in passing, and not undone yet.
#[derive(Clone, Copy, Debug)]
pub(in crate::execution) struct Passing {
    thread: ThreadId,
    /// The difference to what was there.
    by: u64,
}

/// The rounds of a thread that undoes what it writes in each of them.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// The steps that write, in their order, which is the same in each round. Empty if the thread does
    /// not go round so.
    writes: SmallVec<[Visit; 4]>,
    /// All steps of the rounds. Those that only look come in any order, as often as it takes: a round can
    /// have another loop in it, which waits for a lock.
    visits: Vec<Visit>,
    /// Which values atomics had at these steps, without what the thread itself and others in passing had
    /// written.
    values: SmallVec<[(Visit, u64); 4]>,
    /// How many of the writes are done in this round.
    done: usize,
    /// What it has found of the atomics, and by how much it has changed them.
    found: SmallVec<[Found; 2]>,
    /// What of that it had not found in a round before.
    news: SmallVec<[(Visit, u64); 2]>,
    /// Whether it has found all as in a round before.
    is_same: bool,
    /// Whether others have changed an atomic in the meantime: also if it has the same value again, it may
    /// be a lock, and what it guards another value.
    has_changed: bool,
    /// To how many atomics it has written in passing, and has not undone it.
    passing: usize,
    /// Where the thread yielded before the round, how often it had changed plain data then, and how often
    /// it may do so in a round.
    place: usize,
    plain_writes: u32,
    plain_writes_in_round: u32,
    /// Whether the last round has found all as it was before.
    pub(super) has_repeated: bool,
}

/// What a round has found of an atomic.
#[derive(Clone, Copy, Debug)]
struct Found {
    atomic: ObjectId,
    /// Its value when the round came to it, without what others had written in passing.
    value: u64,
    /// By how much the round has changed it.
    by: u64,
}

/// A step of a round: its place, and the object that it is on.
type Visit = (usize, Option<ObjectId>);

fn visit(event: &Event) -> Visit {
    (ptr::from_ref(event.at).addr(), event.object)
}

impl Rounds {
    /// Forgets everything.
    #[inline]
    pub(super) fn reset(&mut self) {
        // Most threads never yield.
        if self.place != 0 {
            self.stop();
            self.place = 0;
            self.plain_writes = 0;
            self.plain_writes_in_round = 0;
        }
    }

    fn stop(&mut self) {
        self.writes.clear();
        self.visits.clear();
        self.values.clear();
        self.has_repeated = false;
        self.begin();
    }

    /// A round begins.
    fn begin(&mut self) {
        self.done = 0;
        self.found.clear();
        self.news.clear();
        self.is_same = true;
        self.has_changed = false;
        self.passing = 0;
    }

    pub(super) fn is_followed(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether the thread has written in passing, and not undone it.
    pub(super) fn is_open(&self) -> bool {
        self.passing > 0
    }

    /// Does a step that writes. Returns whether it is one of the round.
    fn write(&mut self, visit: Visit) -> bool {
        let is_one = self.writes.get(self.done) == Some(&visit);
        self.done += 1;
        is_one
    }

    /// Does a step that only looks. Returns whether it can be one of the round: in the middle of what a
    /// round undoes, only if it was one before.
    fn look(&mut self, visit: Visit) -> bool {
        if self.visits.contains(&visit) {
            return true;
        }
        let is_one = !self.is_open() && self.visits.len() < STEPS;
        if is_one {
            self.visits.push(visit);
        }
        is_one
    }

    /// Accesses an atomic: it has this value, which the thread may have seen, and is changed by so much.
    /// Returns by how much the round has changed it now, and whether it was found as before.
    fn access(
        &mut self,
        visit: Visit,
        atomic: ObjectId,
        value: u64,
        is_seen: bool,
        by: u64,
    ) -> (u64, bool) {
        let index = self.found.iter().position(|found| found.atomic == atomic);
        let index = index.unwrap_or_else(|| {
            self.found.push(Found {
                atomic,
                value,
                by: 0,
            });
            self.found.len() - 1
        });
        let found = &mut self.found[index];
        let value = value.wrapping_sub(found.by);
        let seen = (visit, value);
        let is_known = self.values.contains(&seen);
        self.is_same &= is_known && found.value == value;
        found.by = found.by.wrapping_add(by);
        if is_seen && !is_known {
            self.news.push(seen);
        }
        (found.by, is_known)
    }

    /// What the thread has left an atomic as in this round, if it has accessed it.
    fn expected(&self, atomic: ObjectId) -> Option<u64> {
        let found = self.found.iter().find(|found| found.atomic == atomic)?;
        Some(found.value.wrapping_add(found.by))
    }

    /// The round ends. It is one like those before if it has done the same and has undone it, and from
    /// then on it is known what it has found.
    fn end(&mut self) {
        let is_undone = self.found.iter().all(|found| found.by == 0);
        if self.done != self.writes.len() || !is_undone {
            self.stop();
            return;
        }
        self.has_repeated = self.is_same;
        for found in std::mem::take(&mut self.news) {
            if !self.values.contains(&found) {
                self.values.push(found);
            }
        }
        self.begin();
    }
}

impl Execution {
    /// Whether the rounds of the current thread are followed.
    #[inline]
    pub(in crate::execution) fn follows_rounds(&self) -> bool {
        self.follows_any_rounds && self.thread(self.me()).waiting.rounds.is_followed()
    }

    /// Follows the round of the current thread by a step, and says how that has changed what others
    /// see.
    #[inline]
    pub(in crate::execution) fn follow_round(&mut self, done: &Done<'_>) -> Write {
        if self.follows_any_rounds || yields(done.event) {
            self.follow_step(done)
        } else {
            Write::Lasting
        }
    }

    fn follow_step(&mut self, done: &Done<'_>) -> Write {
        let Done { event, earlier, .. } = *done;
        let place = ptr::from_ref(event.at).addr();
        if yields(event) {
            self.end_round(place, earlier);
            return Write::Lasting;
        }
        if !self.follows_rounds() {
            return Write::Lasting;
        }
        match self.atomic(event) {
            Some(atomic) => self.follow_access(event, atomic),
            None => {
                let rounds = &mut self.current_mut().waiting.rounds;
                if !only_looks(event) || !rounds.look(visit(event)) {
                    self.leave_round();
                }
                Write::Lasting
            }
        }
    }

    /// The atomic that an event accesses, if it is an access.
    fn atomic(&self, event: &Event) -> Option<ObjectId> {
        let is_atomic = |object: &ObjectId| matches!(self.object(*object).state, State::Atomic(_));
        event.object.filter(is_atomic)
    }

    fn follow_access(&mut self, event: &Event, atomic: ObjectId) -> Write {
        let me = self.me();
        let Accessed { read, written, .. } = self.accessed;
        let by = written.map_or(0, |written| written.wrapping_sub(read));
        let rounds = &mut self.current_mut().waiting.rounds;
        let is_one = match by {
            0 => rounds.look(visit(event)),
            _ => rounds.write(visit(event)),
        };
        if !is_one {
            self.leave_round();
            return Write::Lasting;
        }
        let others = self.object(atomic).passing.iter();
        let others = others.filter(|passing| passing.thread != me);
        let value = others.fold(read, |value, passing| value.wrapping_sub(passing.by));
        let version = self.object(atomic).version;
        let waiting = &mut self.current_mut().waiting;
        let has_changed = waiting.has_missed(Spot::Object(atomic), version);
        let rounds = &mut waiting.rounds;
        rounds.has_changed |= has_changed;
        let is_seen = event.read.is_some();
        let (sum, is_known) = rounds.access(visit(event), atomic, value, is_seen, by);
        if by == 0 {
            return Write::Lasting;
        }
        let passing = &mut self.object_mut(atomic).passing;
        let before = passing.len();
        passing.retain(|passing| passing.thread != me);
        let was_passing = passing.len() < before;
        let write = if sum == 0 && was_passing {
            Write::Undoing
        } else if sum != 0 && is_known {
            passing.push(Passing {
                thread: me,
                by: sum,
            });
            Write::Passing
        } else {
            Write::Lasting
        };
        let rounds = &mut self.current_mut().waiting.rounds;
        rounds.passing -= usize::from(was_passing);
        rounds.passing += usize::from(write == Write::Passing);
        write
    }

    /// The current thread yields. That ends a round, and begins another one, if it has written anything:
    /// else it waits in a loop of its own in the middle of a round.
    fn end_round(&mut self, place: usize, earlier: &[Event]) {
        if self.current_mut().waiting.rounds.is_open() {
            self.leave_round();
        }
        let waiting = &mut self.current_mut().waiting;
        let rounds = &mut waiting.rounds;
        let only_looks = if rounds.is_followed() {
            rounds.done == 0
        } else {
            waiting.has_yielded
        };
        if only_looks {
            rounds.has_repeated = false;
            return;
        }
        let is_patient = self.patience.has(place);
        let thread = self.current_mut();
        let plain_writes = thread.plain_writes;
        let rounds = &mut thread.waiting.rounds;
        let in_round = plain_writes - rounds.plain_writes;
        let is_repeated = in_round == 0 || in_round == rounds.plain_writes_in_round;
        let is_another = place != rounds.place || !is_repeated;
        (rounds.place, rounds.plain_writes) = (place, plain_writes);
        rounds.plain_writes_in_round = in_round;
        if is_patient || is_another {
            rounds.stop();
            return;
        }
        if rounds.is_followed() {
            rounds.end();
        } else if let Some(found) = self.rounds_of(self.me(), earlier) {
            self.current_mut().waiting.rounds = Rounds {
                place,
                plain_writes,
                plain_writes_in_round: in_round,
                ..found
            };
        }
        if self.current_mut().waiting.rounds.is_followed() {
            self.follows_any_rounds = true;
            self.left_out.add(LeftOut::UndoneRounds);
            if in_round > 0 {
                self.left_out.add(LeftOut::RepeatedRounds);
            }
            self.watch_round();
        }
    }

    /// What the thread has looked at in its rounds, it has seen.
    fn watch_round(&mut self) {
        let waiting = &mut self.current_mut().waiting;
        let Waiting {
            rounds,
            known,
            watched,
            ..
        } = waiting;
        watched.clear();
        for (_, object) in &rounds.visits {
            let spot = object.map(Spot::Object);
            let is_watched = watched.iter().any(|look| Some(look.spot) == spot);
            let look = known.iter().find(|look| Some(look.spot) == spot);
            watched.extend(look.filter(|_| !is_watched).copied());
        }
    }

    /// The rounds of a thread, if the last two have written the same, and have undone it.
    fn rounds_of(&self, me: ThreadId, earlier: &[Event]) -> Option<Rounds> {
        // The yield is one of them.
        let events = earlier.iter().rev().take(EVENTS - 1);
        // Events that are not steps, as reads of plain data, are not followed.
        let is_mine = |event: &&Event| event.thread == me && event.step.is_some();
        let mine: SmallVec<[&Event; EVENTS]> = events.filter(is_mine).collect();
        let [before, last] = self.last_two_rounds(&mine)?;
        let mut rounds = Rounds::default();
        for (round, is_last) in [(before, false), (last, true)] {
            rounds.begin();
            for event in round.iter().rev().filter(|event| !yields(event)) {
                let visit = visit(event);
                let Some(atomic) = self.atomic(event) else {
                    rounds.look(visit);
                    continue;
                };
                let read = event.read.and_then(bits);
                let written = event.written.and_then(bits);
                // A store has not seen what it overwrites: it is what the thread has written last.
                let value = read.or_else(|| rounds.expected(atomic))?;
                let by = written.map_or(0, |written| written.wrapping_sub(value));
                if by != 0 && !is_last {
                    rounds.writes.push(visit);
                }
                if by != 0 && !rounds.write(visit) {
                    return None;
                }
                rounds.look(visit);
                rounds.access(visit, atomic, value, true, by);
            }
            rounds.end();
        }
        // What others had written in passing then is not known any more.
        let passes = |(_, object): &Visit| object.is_some_and(|it| self.object(it).passes(me));
        rounds.has_repeated &= !rounds.visits.iter().any(passes);
        rounds.is_followed().then_some(rounds)
    }

    /// The last two rounds among the events of a thread, which are the last one first, if they can be
    /// followed. What it has only looked at between two yields belongs to the round after that.
    fn last_two_rounds<'a>(&self, mine: &'a [&'a Event]) -> Option<[&'a [&'a Event]; 2]> {
        let writes = |event: &&Event| atomic::changes(event);
        let can_be_followed = |event: &&Event| only_looks(event) || self.atomic(event).is_some();
        let end = mine.iter().position(|event| yields(event))?;
        // Most loops only look.
        if !mine[..end].iter().any(writes) {
            return None;
        }
        let before = end + mine[end..].iter().position(writes)?;
        let end = mine[..before].iter().rposition(|event| yields(event))?;
        let (last, before) = (&mine[..end], &mine[end + 1..]);
        // It may have done something else before.
        let mut left = last.iter().filter(|event| writes(event)).count();
        let mut is_of_round = |event: &&Event| {
            let is_over = writes(event) && left == 0;
            left -= usize::from(writes(event) && left > 0);
            !is_over && !yields(event) && can_be_followed(event)
        };
        let length = before.iter().take_while(|event| is_of_round(event)).count();
        let is_followed = |event: &&Event| yields(event) || can_be_followed(event);
        last.iter()
            .all(is_followed)
            .then_some([&before[..length], last])
    }

    /// Whether nothing but what was undone was written for as long as a thread goes on alone.
    pub(in crate::execution) fn has_not_written_for_long(&self) -> bool {
        self.follows_any_rounds && self.schedule.len() - self.wrote_at > STEPS_ALONE as usize
    }

    /// Whether the thread only looks, or undoes what it writes.
    pub(in crate::execution) fn goes_round(&self, thread: &Thread) -> bool {
        self.rests(thread) || thread.waiting.rounds.is_followed()
    }

    /// The current thread may have changed plain data. If it does so more often than in its rounds, what it
    /// has written in its last step is no passing write: a lock that it holds, say, to change what that
    /// guards.
    pub(crate) fn note_plain_write(&mut self) {
        let thread = self.current_mut();
        thread.plain_writes += 1;
        let rounds = &mut thread.waiting.rounds;
        let in_round = thread.plain_writes - rounds.plain_writes;
        if !rounds.is_open() || in_round <= rounds.plain_writes_in_round {
            return;
        }
        self.end_passing();
        self.begin_lasting();
        self.wrote();
    }

    /// What the current thread has written in passing lasts, and it does not go round any more.
    fn end_passing(&mut self) {
        let me = self.me();
        let rounds = &mut self.current_mut().waiting.rounds;
        let found = std::mem::take(&mut rounds.found);
        rounds.stop();
        for Found { atomic, .. } in found {
            let object = self.object_mut(atomic);
            object.passing.retain(|passing| passing.thread != me);
            object.version += 1;
        }
    }

    /// The current thread does something that is not of its rounds. What it has written in passing then
    /// lasts. If it has read nothing new in this round, it was wrong to take it for passing.
    #[cold]
    pub(super) fn leave_round(&mut self) {
        let rounds = &mut self.current_mut().waiting.rounds;
        let (place, was_passing) = (rounds.place, rounds.is_open());
        let has_news = !rounds.is_same || rounds.has_changed;
        if !was_passing {
            rounds.stop();
            return;
        }
        self.end_passing();
        if self.is_explored() && !has_news {
            self.patience.add(place);
            self.gained_patience = true;
        }
    }
}

/// The bits of a value. Those of a pointer are not known.
fn bits(value: Value) -> Option<u64> {
    match value {
        Value::Unsigned(value) => Some(value),
        Value::Signed(value) => Some(value.cast_unsigned()),
        Value::Bool(value) => Some(value.into()),
        Value::Pointer(_) => None,
    }
}

/// Whether it is no access of an atomic, and can be a step of a round all the same.
fn only_looks(event: &Event) -> bool {
    matches!(event.operation, Operation::Fence | Operation::CellRead)
}

fn yields(event: &Event) -> bool {
    matches!(event.operation, Operation::Yield | Operation::Sleep)
}

impl Object {
    /// Whether others than this thread have written to it in passing.
    #[inline]
    pub(super) fn passes(&self, thread: ThreadId) -> bool {
        !self.passing.is_empty() && self.passing.iter().any(|it| it.thread != thread)
    }
}
