//! Waiting for several channels at once.

use std::fmt;
use std::mem;
use std::ptr;
use std::thread::panicking;
use std::time::{Duration, Instant};

use crossbeam_channel as real;
use crossbeam_channel::{
    ReadyTimeoutError, RecvError, SelectTimeoutError, SendError, TryReadyError, TrySelectError,
};

use crate::execution::is_running;
use crate::model::select::{self, Claim, Manner, Side, Waits};
use crate::trace::ObjectId;

use super::modelled::{Receiver, Sender};

/// Like [`crossbeam_channel::Select`]: waits until one of several operations is possible, and selects
/// it.
///
/// In an execution, a select is a step that is possible while one of its operations is, and each of
/// those that are possible is explored, or the first one if it is biased. To complete a send is a step
/// of its own. There is no time: where none of its operations is possible, a select that waits for some
/// time can time out, and one with a channel of [`after`](super::after) or [`tick`](super::tick) can
/// receive from that.
///
/// ```
/// use racelab::channel::{self, Select};
///
/// let (sender, receiver) = channel::unbounded();
/// let (_other, nothing) = channel::unbounded::<u8>();
/// sender.send(1).unwrap();
/// let mut select = Select::new();
/// select.recv(&nothing);
/// let index = select.recv(&receiver);
/// let selected = select.select();
/// assert_eq!(selected.index(), index);
/// assert_eq!(selected.recv(&receiver), Ok(1));
/// ```
#[derive(Clone)]
pub struct Select<'a> {
    operations: Vec<Added<'a>>,
    next_index: usize,
    is_biased: bool,
}

/// An operation of a select.
#[derive(Clone, Copy)]
struct Added<'a> {
    index: usize,
    end: &'a dyn Selectable,
    /// Where the end is, which has to be named again to complete the operation.
    address: usize,
}

/// An end of a channel, whatever its messages are.
pub(super) trait Selectable {
    /// Adds a real end to a real select.
    fn add<'a>(&'a self, select: &mut real::Select<'a>);

    /// What a select waits for in the current execution.
    #[track_caller]
    fn waits_for(&self) -> WaitsFor;
}

/// What makes an operation of a select possible.
#[derive(Clone, Copy)]
pub(super) enum WaitsFor {
    Side(Side),
    /// That the time of this channel passes, which may be at any moment.
    Time(ObjectId),
    /// Nothing does: its time has passed.
    Nothing,
}

/// How a selected operation is completed.
pub(super) enum Chosen<'a> {
    Real(real::SelectedOperation<'a>),
    Modelled(Claim),
    Time(ObjectId),
    Completed,
}

impl<'a> Select<'a> {
    /// A select without operations, which takes any of those that are possible.
    pub fn new() -> Self {
        Select {
            operations: Vec::new(),
            next_index: 0,
            is_biased: false,
        }
    }

    /// A select without operations, which takes the first of those that are possible.
    pub fn new_biased() -> Self {
        Select {
            is_biased: true,
            ..Select::new()
        }
    }

    /// Adds an operation that sends, and returns its index.
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        self.add(s, ptr::from_ref(s).addr())
    }

    /// Adds an operation that receives, and returns its index.
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        self.add(r, ptr::from_ref(r).addr())
    }

    fn add(&mut self, end: &'a dyn Selectable, address: usize) -> usize {
        let index = self.next_index;
        self.next_index += 1;
        self.operations.push(Added {
            index,
            end,
            address,
        });
        index
    }

    /// Takes out the operation with this index.
    ///
    /// # Panics
    ///
    /// If there is none, or it was taken out before.
    pub fn remove(&mut self, index: usize) {
        let bound = self.next_index;
        assert!(index < bound, "index out of bounds; {index} >= {bound}");
        let mut operations = self.operations.iter();
        let position = operations.position(|added| added.index == index);
        let position = position.expect("no operation with this index");
        self.operations.swap_remove(position);
    }

    /// Selects an operation that is possible, if there is one. One step.
    ///
    /// # Errors
    ///
    /// If none is possible.
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        if is_running() {
            return self.choose(Waits::Never).ok_or(TrySelectError);
        }
        self.real().try_select().map(|chosen| self.chosen(chosen))
    }

    /// Waits until an operation is possible, and selects it. One step.
    ///
    /// # Panics
    ///
    /// If there are no operations.
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        self.refuse_none();
        if !is_running() {
            let chosen = self.real().select();
            return self.chosen(chosen);
        }
        self.choose(Waits::Forever).unwrap_or_else(|| {
            // In a destructor of a doomed execution, where all channels are disconnected.
            self.selected(0, Chosen::Modelled(Claim::Nothing))
        })
    }

    /// Like [`select`](Self::select), but waits for `timeout` at most.
    ///
    /// # Errors
    ///
    /// If the time is over.
    #[track_caller]
    pub fn select_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        if is_running() {
            return self.choose(Waits::ForSomeTime).ok_or(SelectTimeoutError);
        }
        let chosen = self.real().select_timeout(timeout);
        chosen.map(|chosen| self.chosen(chosen))
    }

    /// Like [`select_timeout`](Self::select_timeout), until a point in time.
    ///
    /// # Errors
    ///
    /// If the time is over.
    #[track_caller]
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        if is_running() {
            return self.choose(Waits::ForSomeTime).ok_or(SelectTimeoutError);
        }
        let chosen = self.real().select_deadline(deadline);
        chosen.map(|chosen| self.chosen(chosen))
    }

    /// The index of an operation that is possible, if there is one. One step.
    ///
    /// # Errors
    ///
    /// If none is possible.
    #[track_caller]
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        if is_running() {
            return self.look(Waits::Never).ok_or(TryReadyError);
        }
        self.real()
            .try_ready()
            .map(|position| self.index_of(position))
    }

    /// Waits until an operation is possible, and returns its index. One step.
    ///
    /// # Panics
    ///
    /// If there are no operations.
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        self.refuse_none();
        if is_running() {
            // `None` in a destructor of a doomed execution only.
            return self
                .look(Waits::Forever)
                .unwrap_or_else(|| self.index_of(0));
        }
        let position = self.real().ready();
        self.index_of(position)
    }

    /// Like [`ready`](Self::ready), but waits for `timeout` at most.
    ///
    /// # Errors
    ///
    /// If the time is over.
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        if is_running() {
            return self.look(Waits::ForSomeTime).ok_or(ReadyTimeoutError);
        }
        let ready = self.real().ready_timeout(timeout);
        ready.map(|position| self.index_of(position))
    }

    /// Like [`ready_timeout`](Self::ready_timeout), until a point in time.
    ///
    /// # Errors
    ///
    /// If the time is over.
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        if is_running() {
            return self.look(Waits::ForSomeTime).ok_or(ReadyTimeoutError);
        }
        let ready = self.real().ready_deadline(deadline);
        ready.map(|position| self.index_of(position))
    }

    fn refuse_none(&self) {
        assert!(
            !self.operations.is_empty(),
            "no operations have been added to `Select`"
        );
    }

    /// The same operations in a real select, by their positions.
    fn real(&self) -> real::Select<'a> {
        let mut real = if self.is_biased {
            real::Select::new_biased()
        } else {
            real::Select::new()
        };
        for added in &self.operations {
            added.end.add(&mut real);
        }
        real
    }

    fn index_of(&self, position: usize) -> usize {
        self.operations[position].index
    }

    fn chosen(&self, chosen: real::SelectedOperation<'a>) -> SelectedOperation<'a> {
        self.selected(chosen.index(), Chosen::Real(chosen))
    }

    fn selected(&self, position: usize, chosen: Chosen<'a>) -> SelectedOperation<'a> {
        let Added { index, address, .. } = self.operations[position];
        SelectedOperation {
            index,
            address,
            chosen,
        }
    }

    #[track_caller]
    fn choose(&self, waits: Waits) -> Option<SelectedOperation<'a>> {
        let (position, chosen) = self.step(waits, true)?;
        Some(self.selected(position, chosen))
    }

    #[track_caller]
    fn look(&self, waits: Waits) -> Option<usize> {
        let (position, _) = self.step(waits, false)?;
        Some(self.index_of(position))
    }

    /// Selects an operation in the current execution, by its position.
    #[track_caller]
    fn step(&self, waits: Waits, takes: bool) -> Option<(usize, Chosen<'a>)> {
        let (mut sides, mut positions, mut timer) = (Vec::new(), Vec::new(), None);
        for (position, added) in self.operations.iter().enumerate() {
            match added.end.waits_for() {
                WaitsFor::Side(side) => {
                    sides.push(side);
                    positions.push(position);
                }
                WaitsFor::Time(channel) => {
                    timer.get_or_insert((position, channel));
                }
                WaitsFor::Nothing => {}
            }
        }
        let timer = timer.filter(|_| waits != Waits::Never);
        let manner = Manner {
            waits: if timer.is_some() {
                Waits::ForSomeTime
            } else {
                waits
            },
            is_biased: self.is_biased,
            takes,
        };
        let selected = select::select(&sides, manner, timer.map(|(_, channel)| channel));
        let selected =
            selected.map(|selected| (positions[selected.side], Chosen::Modelled(selected.claim)));
        selected.or_else(|| timer.map(|(position, channel)| (position, Chosen::Time(channel))))
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Select::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}

/// Like [`crossbeam_channel::SelectedOperation`]: an operation that was selected, and has to be
/// completed.
///
/// # Panics
///
/// When it is dropped without having been completed.
#[must_use = "it has to be completed"]
pub struct SelectedOperation<'a> {
    index: usize,
    address: usize,
    chosen: Chosen<'a>,
}

impl SelectedOperation<'_> {
    /// The index of the operation.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Sends the message. One step.
    ///
    /// # Errors
    ///
    /// If no receiver is left. The error holds the message.
    ///
    /// # Panics
    ///
    /// If it is not this sender that was selected.
    #[track_caller]
    pub fn send<T>(mut self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        assert!(
            self.address == ptr::from_ref(s).addr(),
            "passed a sender that wasn't selected"
        );
        s.send_chosen(self.complete(), msg)
    }

    /// Receives the message. Not a step: the message was taken when it was selected.
    ///
    /// # Errors
    ///
    /// If there is no message and no sender left.
    ///
    /// # Panics
    ///
    /// If it is not this receiver that was selected.
    pub fn recv<T>(mut self, r: &Receiver<T>) -> Result<T, RecvError> {
        assert!(
            self.address == ptr::from_ref(r).addr(),
            "passed a receiver that wasn't selected"
        );
        r.receive_chosen(self.complete())
    }
}

impl<'a> SelectedOperation<'a> {
    fn complete(&mut self) -> Chosen<'a> {
        mem::replace(&mut self.chosen, Chosen::Completed)
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        let chosen = self.complete();
        let is_completed = matches!(chosen, Chosen::Completed);
        // Crossbeam's own would panic once more.
        mem::forget(chosen);
        // A second panic would end the process.
        assert!(
            is_completed || panicking(),
            "dropped `SelectedOperation` without completing the operation"
        );
    }
}
