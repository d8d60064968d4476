//! Vector clocks.

use super::ThreadId;

/// How much of each thread's history is known: the number of its last event that happens before
/// what the clock belongs to (Mattern 1988, Fidge 1988).
///
/// ```
/// use racelab::trace::{Clock, ThreadId};
///
/// let (main, other) = (ThreadId(0), ThreadId(1));
/// let mut clock = Clock::default();
/// clock.advance(other);
/// let mut later = Clock::default();
/// later.advance(main);
/// later.join(&clock);
/// assert_eq!((later.get(main), later.get(other)), (1, 1));
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Of the first threads: as an array, since clocks are copied and joined at each step.
    first: [u32; FIRST],
    rest: Vec<u32>,
}

/// Few programs have more threads than this.
const FIRST: usize = 8;

impl Clone for Clock {
    #[inline]
    fn clone(&self) -> Self {
        Clock {
            first: self.first,
            rest: self.rest.clone(),
        }
    }

    // The derived one would give back the memory of the rest.
    #[inline]
    fn clone_from(&mut self, source: &Self) {
        self.first = source.first;
        self.rest.clone_from(&source.rest);
    }
}

impl Clock {
    /// How many events of a thread are known.
    #[inline]
    pub fn get(&self, thread: ThreadId) -> u32 {
        let index = thread.index();
        let count = match index.checked_sub(FIRST) {
            None => self.first.get(index),
            Some(index) => self.rest.get(index),
        };
        count.copied().unwrap_or(0)
    }

    /// Adds an event of a thread.
    #[expect(
        clippy::inline_always,
        reason = "a part of each event: a few instructions"
    )]
    #[inline(always)]
    pub fn advance(&mut self, thread: ThreadId) {
        let index = thread.index();
        if index >= FIRST {
            return self.advance_rest(index - FIRST);
        }
        // All at once, as the clock is copied and joined next: to read several counts where one was
        // just written has to wait for that.
        for (place, count) in self.first.iter_mut().enumerate() {
            *count += u32::from(place == index);
        }
    }

    fn advance_rest(&mut self, index: usize) {
        if self.rest.len() <= index {
            self.rest.resize(index + 1, 0);
        }
        self.rest[index] += 1;
    }

    /// Adds the events of a thread up to the one of this number.
    pub(crate) fn raise(&mut self, thread: ThreadId, number: u32) {
        let index = thread.index();
        let count = match index.checked_sub(FIRST) {
            None => &mut self.first[index],
            Some(index) => {
                if self.rest.len() <= index {
                    self.rest.resize(index + 1, 0);
                }
                &mut self.rest[index]
            }
        };
        *count = number.max(*count);
    }

    /// Adds all that another clock knows.
    #[inline]
    pub fn join(&mut self, other: &Clock) {
        for (mine, theirs) in self.first.iter_mut().zip(&other.first) {
            *mine = (*mine).max(*theirs);
        }
        if !other.rest.is_empty() {
            self.join_rest(&other.rest);
        }
    }

    fn join_rest(&mut self, rest: &[u32]) {
        if self.rest.len() < rest.len() {
            self.rest.resize(rest.len(), 0);
        }
        for (mine, theirs) in self.rest.iter_mut().zip(rest) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.first = [0; FIRST];
        self.rest.clear();
    }
}
