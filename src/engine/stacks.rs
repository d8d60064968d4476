//! The stacks of threads under test, which are kept from one search to the next.
//!
//! To map a stack, and to touch its pages for the first time, takes longer than a short execution.

use std::sync::{Mutex, PoisonError};

use corosensei::stack::DefaultStack;

use crate::execution::Refusal;

use super::STACK_SIZE;

/// The most stacks that are kept while no search needs them. What was written to them stays in memory.
const MAX_KEPT: usize = 64;

/// The stacks that no search has.
static KEPT: Mutex<Vec<DefaultStack>> = Mutex::new(Vec::new());

/// The stacks of one search that no thread has.
pub(super) struct Stacks(Vec<DefaultStack>);

impl Stacks {
    pub(super) const fn new() -> Self {
        Stacks(Vec::new())
    }

    /// A stack for another thread.
    pub(super) fn take(&mut self) -> DefaultStack {
        self.0.pop().or_else(take_kept).unwrap_or_else(|| {
            DefaultStack::new(STACK_SIZE).unwrap_or_else(|error| {
                Refusal::of_memory("for the stack of another thread under test", &error).unwind()
            })
        })
    }

    /// Gets a stack back from a thread that has ended.
    pub(super) fn give_back(&mut self, stack: DefaultStack) {
        self.0.push(stack);
    }
}

fn take_kept() -> Option<DefaultStack> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

impl Drop for Stacks {
    fn drop(&mut self) {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_KEPT - kept.len();
        let surplus = self.0.split_off(self.0.len().min(room));
        kept.append(&mut self.0);
        // The system is to take the rest back while nobody waits for the lock.
        drop(kept);
        drop(surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_stacks_are_kept_than_the_bound() {
        let mut stacks = Stacks::new();
        let taken: Vec<_> = (0..=MAX_KEPT).map(|_| stacks.take()).collect();
        for stack in taken {
            stacks.give_back(stack);
        }
        drop(stacks);
        // Searches of other tests take some of them.
        let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).len();
        assert!(kept <= MAX_KEPT, "{kept}");
    }
}
