//! Threads that wait by looking again and again, or by timing out again and again.
//!
//! Such a thread could go on for ever with nothing new happening, so that to enumerate it is
//! impossible. So it is kept what each thread has looked at, and whether it has found anything new: of
//! that follows when it spins (`spinning.rs`), what a critical section is to it (`sections.rs`), and
//! whether it takes a way once more that it could take without end (`stalls.rs`).
//!
//! A step that changes nothing is a look, also one that could have changed something: a
//! read-modify-write that stores what it has read. So is a whole critical section.
//!
//! All of this depends only on what the thread has seen and on the spots that it has looked at, and
//! not on what others do elsewhere: so it is the same in all executions of one trace.

mod polls;
mod sections;
mod spinning;
mod stalls;
mod undone;

use std::panic::Location;
use std::ptr;

use crate::model::{Done, State};
use crate::trace::{EventResult, ObjectId, Operation, ThreadId};

use super::{Execution, Spot, Thread};

use sections::Section;
use spinning::Rest;
use stalls::Stall;
use undone::Rounds;

pub(super) use spinning::GoOn;
pub(crate) use spinning::Patience;
pub(super) use undone::{Passing, Write};

/// After this number of looks in a row at the same few things, with nothing new, a thread without a yield
/// is taken to spin.
const QUIET_LOOKS: u32 = 100;

/// The same of rounds of such a loop, which come back to the same look.
const QUIET_ROUNDS: u32 = 2;

/// How many things a spinning thread without a yield may look at in turn.
const WATCHED: usize = 4;

/// How many things a thread knows of which nobody has ever changed, the last ones that it has looked
/// at. Who makes new ones in a loop would know ever more.
const KNOWN: usize = 16;

/// How a thread waits.
#[derive(Debug, Default)]
pub(in crate::execution) struct Waiting {
    /// What it has seen last of the things that it has looked at.
    known: Vec<Look>,
    /// What it has looked at since it yielded last, or since it was seen to look at the same.
    watched: Vec<Look>,
    /// Whether it has yielded, and changed nothing since.
    has_yielded: bool,
    /// Whether it has seen anything new since it yielded last.
    has_news: bool,
    /// How often it has looked in a row with nothing new.
    quiet: u32,
    /// The place of the first of these looks, and what that was at.
    quiet_from: Option<(usize, Spot)>,
    rest: Option<Rest>,
    /// Where it took a way that it could repeat without end, since it last saw anything new.
    stalls: Vec<Stall>,
    /// The writes in the execution when it yielded last.
    yielded_at: Option<u64>,
    /// The critical sections that it has begun since it has changed anything else.
    sections: Vec<Section>,
    /// What `quiet` was before each of those that it is in.
    quiet_outside: Vec<u32>,
    /// Where it has last repeated one of them, since it saw anything new.
    repeated: Option<usize>,
    rounds: Rounds,
}

/// What a thread has seen of a spot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) spot: Spot,
    /// How often the spot had been changed.
    version: u32,
    /// The thread, if others had written to it in passing then.
    pub(crate) in_passing: Option<ThreadId>,
    /// The step of the look, from 0 on.
    pub(crate) step: u32,
}

impl Execution {
    /// Notices when the current thread only waits for another one to write.
    ///
    /// One yield is not enough: the looks after it may find something new.
    pub(in crate::execution) fn note_waiting(&mut self, done: &Done<'_>, spots: [Option<Spot>; 2]) {
        let Done { event, .. } = *done;
        let step = self.last_step();
        let [first, second] = spots;
        let look = |spot| self.look_at(spot);
        let seen = [first.map(look), second.map(look)];
        let place = ptr::from_ref(event.at).addr();
        let writes = self.writes;
        let is_lock = seen.map(|look| look.is_some_and(|look| self.is_lock(look.spot)));
        let waiting = &mut self.current_mut().waiting;
        let (mut looks, mut has_news, mut has_changed) = (false, false, false);
        for (look, is_lock) in seen.iter().zip(is_lock) {
            let Some(look) = look else { continue };
            looks = true;
            let known = waiting.look(*look);
            let is_new = known != Some(look.version);
            has_news |= is_new;
            if is_new && !is_lock {
                waiting.note_fresh_news();
            }
            // What nobody has ever changed tells nothing of others.
            has_changed |= known.unwrap_or(0) != look.version;
        }
        // What failed spuriously can succeed in the next round, with nothing new.
        has_news |= event.result == Some(EventResult::FailedSpuriously);
        waiting.note_news(has_news);
        waiting.note_looks(done, step, has_changed);
        let yields = matches!(event.operation, Operation::Yield | Operation::Sleep);
        let spins = if yields {
            waiting.yielded_at = Some(writes);
            waiting.yield_between_polls();
            waiting.quiet += u32::from(waiting.watched.is_empty());
            let only_looks = waiting.has_yielded && !waiting.has_news;
            (only_looks || waiting.rounds.has_repeated) && !waiting.watched.is_empty()
        } else {
            if looks && !has_news {
                waiting.note_quiet(place, first.or(second));
            }
            false
        };
        let spins = spins || waiting.quiet > QUIET_LOOKS;
        if spins || yields {
            self.note_spinning(spins, yields, place);
        }
    }

    /// Whether the thread has yielded before, and nothing was written since, but by itself under a lock.
    pub(crate) fn yields_again(&self, thread: ThreadId) -> bool {
        self.thread(thread).waiting.yielded_at == Some(self.writes)
    }

    /// Something changed that other threads can see.
    #[inline]
    pub(crate) fn wrote(&mut self) {
        self.note_leaving();
        self.writes += 1;
        self.wrote_at = self.schedule.len();
    }

    /// The current thread has changed the spots that its operation is on.
    pub(in crate::execution) fn changed(&mut self, done: &Done<'_>, spots: [Option<Spot>; 2]) {
        if let Some(lock) = self.publishes(self.me(), done.next) {
            let lock = self.object_mut(lock);
            lock.guarded_version += 1;
            lock.guarded_news += 1;
        }
        if let (Operation::Wake, Some(mutex)) = (done.event.operation, done.next.mutex()) {
            let me = self.me();
            self.object_mut(mutex).plain_writes = (me, self.thread(me).plain_writes);
        }
        let (me, step) = (self.me(), self.last_step());
        let [first, second] = spots;
        let mut change = |spot: Spot| {
            let version = match spot {
                Spot::Object(object) => &mut self.object_mut(object).version,
                Spot::Token(thread) => &mut self.thread_mut(thread).tokens,
                _ => return None,
            };
            *version += 1;
            Some(Look {
                spot,
                version: *version,
                in_passing: match spot {
                    Spot::Object(object) => self.object(object).passes(me).then_some(me),
                    _ => None,
                },
                step,
            })
        };
        let made = [first.and_then(&mut change), second.and_then(change)];
        let waiting = &mut self.current_mut().waiting;
        for look in made.iter().flatten() {
            waiting.know(*look);
        }
        waiting.note_change(done, spots);
        waiting.begin_again();
    }

    /// The same for an access of an atomic by a thread that does not wait, which most steps are.
    #[inline]
    pub(in crate::execution) fn note_access(
        &mut self,
        atomic: ObjectId,
        writes: bool,
        at: &'static Location<'static>,
    ) {
        let (me, step) = (self.current, self.last_step());
        let follows_any_rounds = self.follows_any_rounds;
        let object = &mut self.objects[atomic.index()];
        let waiting = &mut self.threads[self.current.index()].waiting;
        object.version += u32::from(writes);
        let look = Look {
            spot: Spot::Object(atomic),
            version: object.version,
            in_passing: (follows_any_rounds && object.passes(me)).then_some(me),
            step,
        };
        if writes {
            self.writes += 1;
            waiting.know(look);
            waiting.begin_again();
            return;
        }
        let has_news = waiting.look(look) != Some(look.version);
        waiting.note_news(has_news);
        if has_news {
            waiting.note_fresh_news();
        }
        if has_news {
            return;
        }
        let place = ptr::from_ref(at).addr();
        waiting.note_quiet(place, Some(look.spot));
        if waiting.quiet > QUIET_LOOKS {
            self.note_spinning(true, false, place);
        }
    }

    /// Whether nothing has changed of what the thread has looked at.
    fn has_seen_the_last_of(&self, thread: &Thread) -> bool {
        let mut looks = thread.waiting.watched.iter();
        looks.all(|look| !self.is_outdated(look))
    }

    /// Whether there is news of what a thread has looked at.
    fn is_outdated(&self, look: &Look) -> bool {
        let is_undone = || match (look.spot, look.in_passing) {
            (Spot::Object(object), Some(thread)) => !self.object(object).passes(thread),
            _ => false,
        };
        self.version(look.spot) != look.version || is_undone()
    }

    /// What the current thread sees of a spot.
    fn look_at(&self, spot: Spot) -> Look {
        let me = self.me();
        Look {
            spot,
            version: self.version(spot),
            in_passing: match spot {
                Spot::Object(object) => self.object(object).passes(me).then_some(me),
                _ => None,
            },
            step: self.last_step(),
        }
    }

    /// The number of the last step.
    pub(super) fn last_step(&self) -> u32 {
        u32::try_from(self.schedule.len().saturating_sub(1)).expect("steps are bounded")
    }

    /// How often a spot was changed.
    #[inline]
    fn version(&self, spot: Spot) -> u32 {
        match spot {
            Spot::Object(object) => self.object(object).version,
            Spot::Guarded(lock) => self.object(lock).guarded_version,
            Spot::Token(thread) => self.thread(thread).tokens,
            Spot::End(thread) => u32::from(self.thread(thread).finished),
            // Who waits there is not counted, so that it is told by who they are.
            Spot::Receivers(channel) => self.version_of_receivers(channel),
            Spot::Start(_)
            | Spot::Result(_)
            | Spot::Woken(_)
            | Spot::Taken(..)
            | Spot::Passage(..)
            | Spot::Upgradable(_) => 0,
        }
    }

    /// Whether it is a lock, whose changes are that threads acquire and release it: rounds of loops repeat
    /// them.
    fn is_lock(&self, spot: Spot) -> bool {
        let Spot::Object(object) = spot else {
            return false;
        };
        matches!(
            self.object(object).state,
            State::Mutex(_) | State::ReadWrite(_)
        )
    }

    fn version_of_receivers(&self, channel: ObjectId) -> u32 {
        let receivers = self.waiting_receivers(channel);
        let threads = receivers.iter().flatten();
        threads.fold(self.object(channel).version, |sum, thread| {
            sum.wrapping_add((thread.0 + 1).wrapping_mul(0x9E37_79B1))
        })
    }
}

impl Thread {
    /// Whether it was seen to spin, or has taken a way that it could repeat without end.
    pub(in crate::execution) fn may_wait(&self) -> bool {
        self.waiting.rest.is_some() || !self.waiting.stalls.is_empty()
    }
}

impl Waiting {
    /// Forgets everything.
    pub(in crate::execution) fn reset(&mut self) {
        let Waiting {
            known,
            watched,
            has_yielded,
            has_news,
            quiet,
            quiet_from,
            rest,
            stalls,
            yielded_at,
            sections,
            quiet_outside,
            repeated,
            rounds,
        } = self;
        known.clear();
        watched.clear();
        *has_yielded = false;
        *has_news = false;
        *quiet = 0;
        *quiet_from = None;
        *rest = None;
        stalls.clear();
        *yielded_at = None;
        sections.clear();
        quiet_outside.clear();
        *repeated = None;
        rounds.reset();
    }

    /// The thread has changed something.
    #[inline]
    fn begin_again(&mut self) {
        self.forget_round();
        self.sections.clear();
        self.has_yielded = false;
        self.has_news = false;
        self.quiet = 0;
    }

    #[inline]
    fn forget_round(&mut self) {
        self.watched.clear();
        self.quiet_outside.clear();
        for section in &mut self.sections {
            section.begin_again();
        }
    }

    #[inline]
    fn note_news(&mut self, has_news: bool) {
        if has_news {
            self.has_news = true;
            self.quiet = 0;
            if self.is_in_section() {
                self.quiet_outside.fill(0);
            }
        }
    }

    /// A look finds nothing new.
    #[inline]
    fn note_quiet(&mut self, place: usize, spot: Option<Spot>) {
        let look = spot.map(|spot| (place, spot));
        if self.quiet == 0 {
            self.quiet_from = look;
        }
        let comes_back = self.quiet > 0 && self.quiet_from == look;
        self.quiet += if comes_back {
            QUIET_LOOKS.div_ceil(QUIET_ROUNDS)
        } else {
            1
        };
    }

    /// That the thread itself has changed what it has looked at is no news to it.
    fn know_own(&mut self, look: Look) {
        let looks = self.known.iter_mut().chain(&mut self.watched);
        for known in looks.filter(|known| known.spot == look.spot) {
            *known = look;
        }
    }

    /// Remembers what was seen, and returns which version of it was known.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: the look would pass through memory"
    )]
    #[inline(always)]
    fn know(&mut self, look: Look) -> Option<u32> {
        if let Some(known) = self.known.iter_mut().find(|known| known.spot == look.spot) {
            return Some(std::mem::replace(known, look).version);
        }
        self.learn(look);
        None
    }

    /// Whether a spot was changed since the thread has seen it last, if it has.
    fn has_missed(&self, spot: Spot, version: u32) -> bool {
        let known = self.known.iter().find(|known| known.spot == spot);
        known.is_some_and(|known| known.version != version)
    }

    /// Remembers what was seen for the first time.
    fn learn(&mut self, look: Look) {
        if self.known.len() >= KNOWN {
            let stalled = self.stalled_since();
            let is_idle = |known: &Look| {
                known.version == 0 && stalled.is_none_or(|stalled| known.step < stalled)
            };
            if let Some(idle) = self.known.iter().position(is_idle) {
                self.known.remove(idle);
            }
        }
        self.known.push(look);
    }

    /// Remembers a look, and returns which version of what was seen was known.
    #[inline]
    fn look(&mut self, look: Look) -> Option<u32> {
        let known = self.know(look);
        let watched = self
            .watched
            .iter_mut()
            .find(|other| other.spot == look.spot);
        match watched {
            Some(watched) => *watched = look,
            None => {
                if self.watched.len() == WATCHED && !self.has_yielded {
                    // It looks at many things: a scan, which will end.
                    self.watched.clear();
                    self.quiet = 0;
                }
                self.watched.push(look);
            }
        }
        known
    }
}
