//! Threads that spin: whether they leave their loops by themselves.

use rustc_hash::FxHashMap;

use crate::engine::Point;
use crate::execution::{Execution, Mode};
use crate::search::dependence::{Footprint, add_touches};
use crate::search::identity::SpotKey;
use crate::trace::ThreadId;

use super::Dpor;

/// An execution in which a thread that spins goes on alone, to see whether it leaves its loop by
/// itself.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) thread: ThreadId,
    /// Stands for all that it had seen.
    seen: u128,
}

/// Of threads that did not leave their loops: what stands for all that they had seen, and what they
/// looked at then, with what it had come to.
pub(super) type Redundant = FxHashMap<u128, Vec<Vec<(SpotKey, u128)>>>;

impl Dpor {
    /// A thread that spins, if it is not known what it does when it goes on alone, or if nobody else
    /// can do anything.
    pub(super) fn to_be_probed(&self, point: &Point<'_>) -> Option<Probe> {
        // Mostly none does.
        point.choices.iter().find(|choice| point.rests(**choice))?;
        let resting = point.choices.iter().filter(|choice| point.rests(**choice));
        let mut probes = resting.map(|choice| Probe {
            thread: choice.thread,
            seen: self.done.past_of(choice.thread),
        });
        let only_rest = point.choices.iter().all(|choice| point.rests(*choice));
        if only_rest {
            return probes.next();
        }
        probes.find(|probe| !self.is_redundant(probe))
    }

    /// Whether the thread was let go on alone before, and would see the same now.
    fn is_redundant(&self, probe: &Probe) -> bool {
        let known = self.redundant.get(&probe.seen);
        known.into_iter().flatten().any(|looks| {
            let mut looks = looks.iter();
            looks.all(|(spot, state)| self.done.state_of(*spot) == *state)
        })
    }

    /// Remembers that a thread went on alone and did not leave its loop, and what it has looked at meanwhile. It would
    /// have seen something else before what has changed that.
    pub(super) fn learn(&mut self, probe: &Probe, execution: &Execution) {
        // It may have met something new when it went on alone.
        self.done.identities.meet(execution);
        let looks = execution.watched(probe.thread).iter();
        let mut footprint: Footprint = looks
            .map(|look| (self.done.identities.spot(look.spot), Mode::Read))
            .collect();
        let seen = footprint
            .iter()
            .map(|(key, _)| (*key, self.done.state_of(*key)));
        let seen = seen.collect();
        self.redundant.entry(probe.seen).or_default().push(seen);
        if let Some(mut announced) = self.done.announced(execution, probe.thread) {
            // To look again can be more than a look: to acquire a lock, or to store what is there.
            let touches = self.done.may_touch(execution, probe.thread, &announced);
            add_touches(&mut footprint, touches);
            announced.watched.clear();
            self.forestall(probe.thread, &announced, &footprint);
        }
    }
}
