//! The queue without a bound.

use std::borrow::Cow;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crossbeam_queue as real;

use crate::Named;
use crate::execution::Binding;
use crate::model::channel::{self, Messages};

/// Like [`crossbeam_queue::SegQueue`]: a queue without a bound, for many producers and consumers.
///
/// With the feature `engine` its `new` is not `const`, since a queue belongs to the execution in which
/// it is made.
pub struct SegQueue<T> {
    binding: Binding,
    items: Items<T>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the real queue keeps its ends on cache lines of their own"
)]
enum Items<T> {
    Real(real::SegQueue<T>),
    Modelled(Messages<T>),
}

impl<T> SegQueue<T> {
    /// Makes an empty queue.
    #[track_caller]
    pub fn new() -> Self {
        let binding = channel::bind("SegQueue", None);
        let items = if binding.is_real() {
            Items::Real(real::SegQueue::new())
        } else {
            Items::Modelled(Messages::new())
        };
        SegQueue { binding, items }
    }

    /// Adds an item behind the others. One step.
    #[track_caller]
    pub fn push(&self, value: T) {
        match (&self.items, self.binding.object()) {
            (Items::Real(real), _) => real.push(value),
            (Items::Modelled(items), Some(queue)) => {
                let pushed = items.try_send(queue, value);
                debug_assert!(pushed.is_ok(), "there is always room");
            }
            (Items::Modelled(_), None) => {}
        }
    }

    /// Takes the first item, if there is one. One step.
    #[track_caller]
    pub fn pop(&self) -> Option<T> {
        match (&self.items, self.binding.object()) {
            (Items::Real(real), _) => real.pop(),
            (Items::Modelled(items), Some(queue)) => items.try_receive(queue).ok(),
            (Items::Modelled(_), None) => None,
        }
    }

    /// How many items there are. One step.
    #[track_caller]
    pub fn len(&self) -> usize {
        match (&self.items, self.binding.object()) {
            (Items::Real(real), _) => real.len(),
            (Items::Modelled(_), Some(queue)) => channel::len(queue),
            (Items::Modelled(_), None) => 0,
        }
    }

    /// Whether there is no item. One step.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Default for SegQueue<T> {
    #[track_caller]
    fn default() -> Self {
        SegQueue::new()
    }
}

impl<T> UnwindSafe for SegQueue<T> {}
impl<T> RefUnwindSafe for SegQueue<T> {}

impl<T> fmt::Debug for SegQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SegQueue { .. }")
    }
}

impl<T> Named for SegQueue<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.binding.name(name.into());
        self
    }
}

impl<T> IntoIterator for SegQueue<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    /// The items of a queue that nobody else can use any more. Not an operation.
    fn into_iter(self) -> Self::IntoIter {
        let items: Vec<T> = match self.items {
            Items::Real(real) => real.into_iter().collect(),
            Items::Modelled(items) => items.into_vec(),
        };
        items.into_iter()
    }
}
