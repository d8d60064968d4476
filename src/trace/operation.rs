//! The closed vocabulary of visible actions.

use std::fmt;

/// A visible action of a thread.
///
/// The list is closed, and each operation has one kebab-case name, which is
/// what [`Display`](fmt::Display) writes and what JSON holds.
///
/// ```
/// use racelab::trace::Operation;
///
/// assert_eq!(Operation::TryLock.to_string(), "try-lock");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An atomic load.
    Load,
    /// An atomic store.
    Store,
    /// An atomic read-modify-write that always writes (`fetch_add`, `swap`, …).
    Rmw,
    /// An atomic compare-and-swap, whether it succeeded or not.
    Cas,
    /// A memory fence.
    Fence,
    /// The acquisition of a mutex.
    Lock,
    /// An attempt to acquire a mutex, whether it succeeded or not.
    TryLock,
    /// The release of a mutex.
    Unlock,
    /// The acquisition of a read-write lock for reading.
    ReadLock,
    /// The acquisition of a read-write lock for writing.
    WriteLock,
    /// The release of a mutex together with the start of waiting on a condition variable.
    Wait,
    /// The end of waiting: the return of a notified or taken-over thread. Of a task, that it is
    /// woken: its waker was used.
    Wake,
    /// A notification of one waiting thread.
    NotifyOne,
    /// A notification of all waiting threads.
    NotifyAll,
    /// A message put into a channel, an item into a queue, the result of a task.
    Send,
    /// A message taken out of a channel, an item out of a queue.
    Receive,
    /// One end of a channel dropped, which the other end can see.
    Disconnect,
    /// The start of another thread.
    Spawn,
    /// The end of waiting for another thread to finish.
    Join,
    /// The consumption of the thread's park token.
    Park,
    /// The handing of a park token to another thread.
    Unpark,
    /// An arrival at a barrier.
    Barrier,
    /// The start of a one-time initialisation, its end, or a look at whether it is done.
    Once,
    /// A read of a plain cell.
    CellRead,
    /// A write of a plain cell.
    CellWrite,
    /// A hint that the thread waits for another one (`yield_now`, `spin_loop`).
    Yield,
    /// A sleep, whose length has no meaning under a model.
    Sleep,
    /// The end of a wait whose time ran out.
    Timeout,
    /// A poll of a future.
    Poll,
    /// A choice among operations of channels that found none possible, reserved room to send, or only
    /// looked. One that received is a [`Receive`](Self::Receive).
    Select,
    /// A request that a task be cancelled where it waits next.
    Abort,
}

impl Operation {
    /// The whole vocabulary.
    pub const ALL: [Operation; 31] = [
        Operation::Load,
        Operation::Store,
        Operation::Rmw,
        Operation::Cas,
        Operation::Fence,
        Operation::Lock,
        Operation::TryLock,
        Operation::Unlock,
        Operation::ReadLock,
        Operation::WriteLock,
        Operation::Wait,
        Operation::Wake,
        Operation::NotifyOne,
        Operation::NotifyAll,
        Operation::Send,
        Operation::Receive,
        Operation::Disconnect,
        Operation::Spawn,
        Operation::Join,
        Operation::Park,
        Operation::Unpark,
        Operation::Barrier,
        Operation::Once,
        Operation::CellRead,
        Operation::CellWrite,
        Operation::Yield,
        Operation::Sleep,
        Operation::Timeout,
        Operation::Poll,
        Operation::Select,
        Operation::Abort,
    ];

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Load => "load",
            Operation::Store => "store",
            Operation::Rmw => "rmw",
            Operation::Cas => "cas",
            Operation::Fence => "fence",
            Operation::Lock => "lock",
            Operation::TryLock => "try-lock",
            Operation::Unlock => "unlock",
            Operation::ReadLock => "read-lock",
            Operation::WriteLock => "write-lock",
            Operation::Wait => "wait",
            Operation::Wake => "wake",
            Operation::NotifyOne => "notify-one",
            Operation::NotifyAll => "notify-all",
            Operation::Send => "send",
            Operation::Receive => "receive",
            Operation::Disconnect => "disconnect",
            Operation::Spawn => "spawn",
            Operation::Join => "join",
            Operation::Park => "park",
            Operation::Unpark => "unpark",
            Operation::Barrier => "barrier",
            Operation::Once => "once",
            Operation::CellRead => "cell-read",
            Operation::CellWrite => "cell-write",
            Operation::Yield => "yield",
            Operation::Sleep => "sleep",
            Operation::Timeout => "timeout",
            Operation::Poll => "poll",
            Operation::Select => "select",
            Operation::Abort => "abort",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_at_the_place_of_its_number() {
        for (number, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, number);
        }
    }

    #[test]
    fn names_are_kebab_case_and_different() {
        let mut names = Operation::ALL.map(Operation::name).to_vec();
        assert!(
            names
                .iter()
                .all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Operation::ALL.len());
    }
}
