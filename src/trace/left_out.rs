//! Behaviours of a program that an execution could have had, and that no search looks at.

/// A kind of behaviour that was possible and is not explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftOut {
    /// An ordering weaker than `SeqCst` was executed, and allows to read older values.
    StaleValues,
    /// A thread waited for a notification or parked, and could have been woken spuriously.
    SpuriousWakeUps,
    /// An operation that can fail spuriously did so, and could have done it again at once.
    RepeatedFailures,
    /// A wait timed out, and could have done it again at once.
    RepeatedTimeouts,
    /// A thread was woken spuriously, waited again with nothing changed, and could have been woken
    /// spuriously again.
    RepeatedWakeUps,
    /// A thread went round a loop that found nothing new, and could have gone round it again. In each
    /// round it may have changed what a lock guards, which nobody sees.
    RepeatedRounds,
    /// A thread went round a loop that undoes what it writes, and others that rested were not shown more
    /// of these rounds.
    UndoneRounds,
    /// A wait with a time limit could have timed out.
    Timeouts,
    /// A compare-and-swap that may fail spuriously could have done so.
    SpuriousFailures,
    /// Several threads waited for one notification, and another one could have been woken.
    WakeOrder,
    /// An offer at a rendezvous could have found the other end not there yet.
    Rendezvous,
    /// An ordering weaker than `SeqCst` was executed, and allows more than loom explores: to read
    /// a value before it is stored (load buffering), or one older than the last seven.
    LoadBuffering,
    /// A thread wrote an atomic that others had read, after a read that is ordered before its write:
    /// loom's reduction forgets the other reads then.
    ForgottenLoads,
    /// Several threads executed `SeqCst` fences: to loom each of them synchronises with those before
    /// it, which the memory model does not say.
    StrictFences,
    /// A thread yielded again with nothing written in between, and loom let others go first.
    Yields,
    /// What a thread would have done after a data race, and others because of it. A search that goes
    /// on past failures with reduction would need that to find the other orders.
    AfterRaces,
    /// A destructor that the last drop of an `Arc` ran accessed what other threads had accessed. They
    /// are taken to have done so through clones that they have dropped since; if it was in another
    /// way, it is a data race.
    LastDrops,
    /// A destructor that the last drop of an `Arc` of std ran accessed what other threads had
    /// accessed, and the accesses were explored in each order. Which thread drops last is explored
    /// only as far as other steps decide it; `sync::counted::Arc` has steps of its own.
    DropOrders,
    /// A data race was found in a program whose functions have no names, as after `strip = true`. It
    /// is none if the last drop of an `Arc` runs the second access, in a destructor.
    NamelessFunctions,
    /// A thread came to read a lock while another one waited to write, and could have had to wait
    /// behind it, or have failed if it does not wait.
    WaitingWriters,
}

impl LeftOut {
    /// All kinds.
    pub const ALL: [LeftOut; 20] = [
        LeftOut::StaleValues,
        LeftOut::SpuriousWakeUps,
        LeftOut::RepeatedFailures,
        LeftOut::RepeatedTimeouts,
        LeftOut::RepeatedWakeUps,
        LeftOut::RepeatedRounds,
        LeftOut::UndoneRounds,
        LeftOut::Timeouts,
        LeftOut::SpuriousFailures,
        LeftOut::WakeOrder,
        LeftOut::Rendezvous,
        LeftOut::LoadBuffering,
        LeftOut::ForgottenLoads,
        LeftOut::StrictFences,
        LeftOut::Yields,
        LeftOut::AfterRaces,
        LeftOut::LastDrops,
        LeftOut::DropOrders,
        LeftOut::NamelessFunctions,
        LeftOut::WaitingWriters,
    ];

    /// Whether a search that leaves this out is not complete.
    ///
    /// Of the others a report says only that they are not explored.
    pub fn bounds(self) -> bool {
        match self {
            LeftOut::Timeouts
            | LeftOut::WakeOrder
            | LeftOut::Rendezvous
            | LeftOut::ForgottenLoads
            | LeftOut::AfterRaces => true,
            LeftOut::StaleValues
            | LeftOut::SpuriousWakeUps
            | LeftOut::RepeatedFailures
            | LeftOut::RepeatedTimeouts
            | LeftOut::RepeatedWakeUps
            | LeftOut::RepeatedRounds
            | LeftOut::UndoneRounds
            | LeftOut::SpuriousFailures
            | LeftOut::LoadBuffering
            | LeftOut::StrictFences
            | LeftOut::Yields
            | LeftOut::LastDrops
            | LeftOut::DropOrders
            | LeftOut::NamelessFunctions
            | LeftOut::WaitingWriters => false,
        }
    }

    /// Whether it is a way to go that was taken once, or up to three times, and could have been taken
    /// any number of times. Repeated spurious wake-ups are allowed: a thread that waits in a
    /// loop, as it has to, waits again.
    pub fn is_repetition(self) -> bool {
        matches!(
            self,
            LeftOut::RepeatedFailures | LeftOut::RepeatedTimeouts | LeftOut::RepeatedRounds
        )
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            LeftOut::StaleValues => "stale-values",
            LeftOut::SpuriousWakeUps => "spurious-wake-ups",
            LeftOut::RepeatedFailures => "repeated-failures",
            LeftOut::RepeatedTimeouts => "repeated-timeouts",
            LeftOut::RepeatedWakeUps => "repeated-wake-ups",
            LeftOut::RepeatedRounds => "repeated-rounds",
            LeftOut::UndoneRounds => "undone-rounds",
            LeftOut::Timeouts => "time-outs",
            LeftOut::SpuriousFailures => "spurious-failures",
            LeftOut::WakeOrder => "wake-order",
            LeftOut::Rendezvous => "rendezvous",
            LeftOut::LoadBuffering => "load-buffering",
            LeftOut::ForgottenLoads => "forgotten-loads",
            LeftOut::StrictFences => "strict-fences",
            LeftOut::Yields => "yields",
            LeftOut::AfterRaces => "after-races",
            LeftOut::LastDrops => "last-drops",
            LeftOut::DropOrders => "drop-orders",
            LeftOut::NamelessFunctions => "nameless-functions",
            LeftOut::WaitingWriters => "waiting-writers",
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOutSet(u32);

impl LeftOutSet {
    pub(crate) fn add(&mut self, kind: LeftOut) {
        self.0 |= 1 << kind as u8;
    }

    pub(crate) fn add_all(&mut self, other: LeftOutSet) {
        self.0 |= other.0;
    }

    pub(crate) fn remove(&mut self, kind: LeftOut) {
        self.0 &= !(1 << kind as u8);
    }

    /// The first kind that makes a search incomplete.
    pub(crate) fn bound(self) -> Option<LeftOut> {
        LeftOut::ALL
            .into_iter()
            .find(|kind| kind.bounds() && self.has(*kind))
    }

    pub(crate) fn has(self, kind: LeftOut) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub(crate) fn to_vec(self) -> Vec<LeftOut> {
        LeftOut::ALL
            .into_iter()
            .filter(|kind| self.has(*kind))
            .collect()
    }
}
