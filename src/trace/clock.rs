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
        match self.0.get_mut(thread.index()) {
            Some(count) => *count += 1,
            None => self.add_first(thread),
        }
    }

    #[cold]
    fn add_first(&mut self, thread: ThreadId) {
        self.0.resize(thread.index(), 0);
        self.0.push(1);
    }

    /// Adds all that another clock knows.
    pub fn join(&mut self, other: &Clock) {
        let (mine, theirs) = (self.0.as_mut_slice(), other.0.as_slice());
        let known = mine.len();
        for (mine, theirs) in mine.iter_mut().zip(theirs) {
            *mine = (*mine).max(*theirs);
        }
        if known < theirs.len() {
            self.0.extend_from_slice(&theirs[known..]);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
