//! Vector clocks.

use smallvec::SmallVec;

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
pub struct Clock(SmallVec<[u32; 8]>);

// Clocks are copied at each step: as a whole, which the derived implementation would not do.
impl Clone for Clock {
    fn clone(&self) -> Self {
        Clock(SmallVec::from_slice(&self.0))
    }

    fn clone_from(&mut self, source: &Self) {
        self.0.clear();
        self.0.extend_from_slice(&source.0);
    }
}

impl Clock {
    /// How many events of a thread are known.
    pub fn get(&self, thread: ThreadId) -> u32 {
        self.0.get(thread.index()).copied().unwrap_or(0)
    }

    /// Adds an event of a thread.
    pub fn advance(&mut self, thread: ThreadId) {
        while self.0.len() <= thread.index() {
            self.0.push(0);
        }
        self.0[thread.index()] += 1;
    }

    /// Adds all that another clock knows.
    pub fn join(&mut self, other: &Clock) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
        if let Some(rest) = other.0.get(self.0.len()..) {
            self.0.extend_from_slice(rest);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
