//! Random delays before the operations of a thread that runs on the real machine.

use std::cell::{Cell, RefCell};
use std::hint::spin_loop;
use std::thread;

use rand::RngCore;
use rand_pcg::Pcg32;

/// Of so many operations one is preceded by a yield to another thread of its core, and one by a
/// pause.
const ONE_OF: u32 = 4;

/// The longest pause, in turns of an empty loop: a microsecond or a few, which is long beside an
/// operation and short beside the start of a thread.
const LONGEST: u32 = 64;

thread_local! {
    /// Whether this thread is delayed. Apart from the numbers, since every operation looks at it.
    static IS_DELAYED: Cell<bool> = const { Cell::new(false) };
    /// Where the random numbers of this thread come from.
    static NUMBERS: RefCell<Option<Pcg32>> = const { RefCell::new(None) };
}

/// Delays the operations of the calling thread from now on. The same seed and the same place of the
/// thread in its run give the same delays.
pub(super) fn begin(seed: u64, place: u64) {
    NUMBERS.set(Some(Pcg32::new(seed, place)));
    IS_DELAYED.set(true);
}

/// Delays the calling thread before an operation, if it is one that is delayed.
#[inline]
pub(super) fn before_operation() {
    if IS_DELAYED.get() {
        delay();
    }
}

#[cold]
fn delay() {
    let number = NUMBERS.with_borrow_mut(|numbers| numbers.as_mut().map(RngCore::next_u32));
    let Some(number) = number else { return };
    match number % ONE_OF {
        0 => thread::yield_now(),
        1 => (0..(number / ONE_OF) % LONGEST).for_each(|_| spin_loop()),
        _ => {}
    }
}
