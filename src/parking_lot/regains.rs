//! Locks that a thread releases for a while, although it keeps the guard.

use std::mem;

/// Acquires a lock again when it is dropped.
///
/// The guard can be used as soon as control is back at its owner, also if that is by a panic, or
/// since the lab unwinds the thread: while it waits for the lock, for instance. So the lock is
/// acquired in any case: once more while the thread is unwound, which waits until the threads that
/// hold the lock have been unwound, or never returns.
#[derive(Debug)]
pub(super) struct Regains<F: FnMut()>(pub(super) F);

impl<F: FnMut()> Drop for Regains<F> {
    fn drop(&mut self) {
        let again = OnceMore(&mut self.0);
        (again.0)();
        mem::forget(again);
    }
}

struct OnceMore<'a, F: FnMut()>(&'a mut F);

impl<F: FnMut()> Drop for OnceMore<'_, F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
