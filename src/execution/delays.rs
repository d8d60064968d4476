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
    static DELAYS: RefCell<Option<Delays>> = const { RefCell::new(None) };
}

/// The delays of a thread.
struct Delays {
    /// Where the random numbers come from.
    numbers: Pcg32,
    /// Whether there was an operation. The first is not delayed, since threads that have begun
    /// together would only be set apart.
    has_begun: bool,
}

/// Delays the operations of the calling thread from now on. The same seed and the same place of the
/// thread in its run give the same delays.
pub(super) fn begin(seed: u64, place: u64) {
    DELAYS.set(Some(Delays {
        numbers: Pcg32::new(seed, place),
        has_begun: false,
    }));
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
    let number = DELAYS.with_borrow_mut(|delays| {
        let delays = delays.as_mut()?;
        let has_begun = std::mem::replace(&mut delays.has_begun, true);
        has_begun.then(|| delays.numbers.next_u32())
    });
    let Some(number) = number else { return };
    match number % ONE_OF {
        0 => thread::yield_now(),
        1 => (0..(number / ONE_OF) % LONGEST).for_each(|_| spin_loop()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that are drawn for some operations of a thread.
    fn drawn(seed: u64, place: u64) -> Vec<u32> {
        begin(seed, place);
        (0..3).for_each(|_| before_operation());
        let next = |delays: &mut Option<Delays>| delays.as_mut().unwrap().numbers.next_u32();
        let drawn = (0..4).map(|_| DELAYS.with_borrow_mut(next)).collect();
        IS_DELAYED.set(false);
        DELAYS.set(None);
        drawn
    }

    #[test]
    fn the_delays_are_those_of_the_seed_and_of_the_thread() {
        assert_eq!(drawn(7, 1), drawn(7, 1));
        assert_ne!(drawn(7, 1), drawn(7, 2));
        assert_ne!(drawn(7, 1), drawn(8, 1));
    }

    #[test]
    fn the_first_operation_draws_nothing() {
        begin(7, 1);
        before_operation();
        let mut fresh = Pcg32::new(7, 1);
        let next = |delays: &mut Option<Delays>| delays.as_mut().unwrap().numbers.next_u32();
        assert_eq!(DELAYS.with_borrow_mut(next), fresh.next_u32());
        IS_DELAYED.set(false);
        DELAYS.set(None);
    }

    #[test]
    fn a_thread_without_delays_has_none() {
        before_operation();
        assert!(DELAYS.with_borrow(Option::is_none));
    }
}
