//! What another OS thread can see of a running execution: whether it makes steps, and the last one.

use std::panic::Location;
use std::ptr;
use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

use crate::trace::{Operation, ThreadId};

/// Shared between the OS thread that runs executions and the ones that watch it.
///
/// The parts are not read together. They are only read when nothing has beaten for seconds, or
/// where an approximate count is good enough.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    beats: AtomicU64,
    executions: AtomicU64,
    last_thread: AtomicU32,
    last_operation: AtomicU32,
    last_place: AtomicPtr<Location<'static>>,
    /// How much of the search is done, as the bits of an `f64` from 0 on, or not a number.
    share_done: AtomicU64,
    interrupted: AtomicBool,
    /// The bytes that executions have left behind: stacks of threads, values of statics.
    left_behind: AtomicUsize,
}

/// The last event before silence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastEvent {
    pub(crate) thread: ThreadId,
    pub(crate) operation: Operation,
    pub(crate) at: &'static Location<'static>,
}

impl Pulse {
    /// Forgets the exploration before this one. A wish to interrupt stays.
    pub(crate) fn begin(&self) {
        self.left_behind.store(0, Relaxed);
        self.executions.store(0, Relaxed);
        self.share_done.store(f64::NAN.to_bits(), Relaxed);
        self.last_place.store(ptr::null_mut(), Relaxed);
    }

    /// Says that an event happens now.
    pub(super) fn beat(
        &self,
        thread: ThreadId,
        operation: Operation,
        at: &'static Location<'static>,
    ) {
        self.last_thread.store(thread.0, Relaxed);
        self.last_operation.store(operation as u32, Relaxed);
        self.last_place.store(ptr::from_ref(at).cast_mut(), Relaxed);
        self.touch();
    }

    /// Says that the engine is alive, between events.
    pub(crate) fn touch(&self) {
        // Only one OS thread writes, so that no locked addition is needed.
        self.beats.store(self.beats.load(Relaxed) + 1, Relaxed);
    }

    /// Says how many executions were finished.
    pub(crate) fn count(&self, executions: u64) {
        self.show(executions);
        self.touch();
    }

    /// Says how many executions were finished by others, which beat for themselves.
    pub(crate) fn show(&self, executions: u64) {
        self.executions.store(executions, Relaxed);
    }

    /// Says how much of the search is done, from 0 to 1, if that is known.
    pub(crate) fn publish_share(&self, share: Option<f64>) {
        let share = share.unwrap_or(f64::NAN);
        self.share_done.store(share.to_bits(), Relaxed);
    }

    /// How much of the search is done, from 0 to 1, if that is known.
    pub(crate) fn share_done(&self) -> Option<f64> {
        let share = f64::from_bits(self.share_done.load(Relaxed));
        (!share.is_nan()).then_some(share)
    }

    /// Takes over the last event of another pulse, one of several that this one stands for.
    pub(crate) fn follow(&self, other: &Pulse) {
        let place = other.last_place.load(Relaxed);
        self.last_thread
            .store(other.last_thread.load(Relaxed), Relaxed);
        self.last_operation
            .store(other.last_operation.load(Relaxed), Relaxed);
        self.last_place.store(place, Relaxed);
    }

    /// Grows as long as anything happens.
    pub(crate) fn beats(&self) -> u64 {
        self.beats.load(Relaxed)
    }

    /// The executions that were finished.
    pub(crate) fn executions(&self) -> u64 {
        self.executions.load(Relaxed)
    }

    /// The last event, if there was one.
    pub(crate) fn last_event(&self) -> Option<LastEvent> {
        let place = self.last_place.load(Relaxed);
        #[expect(
            unsafe_code,
            reason = "a static reference has to pass through an atomic"
        )]
        // SAFETY: the pointer is null, or was made from a `&'static Location<'static>` in `beat`.
        let at = unsafe { place.as_ref() }?;
        let operation = Operation::ALL[self.last_operation.load(Relaxed) as usize];
        Some(LastEvent {
            thread: ThreadId(self.last_thread.load(Relaxed)),
            operation,
            at,
        })
    }

    /// Says that a stack of a thread or the value of a static was left behind, with its size in bytes.
    pub(crate) fn leave_behind(&self, bytes: usize) {
        self.left_behind.fetch_add(bytes, Relaxed);
    }

    /// The bytes that were left behind.
    pub(crate) fn left_behind(&self) -> usize {
        self.left_behind.load(Relaxed)
    }

    /// Asks the search to stop.
    pub(crate) fn interrupt(&self) {
        self.interrupted.store(true, Relaxed);
    }

    /// Whether the search was asked to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }
}
