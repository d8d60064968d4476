//! The queue with a bound.

use std::borrow::Cow;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::mpsc::TrySendError;

use crossbeam_queue as real;

use crate::Named;
use crate::execution::Binding;
use crate::model::channel::{self, Messages};

/// Like [`crossbeam_queue::ArrayQueue`]: a queue with a bound, for many producers and consumers.
pub struct ArrayQueue<T> {
    binding: Binding,
    capacity: usize,
    items: Items<T>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the real queue keeps its ends on cache lines of their own"
)]
enum Items<T> {
    Real(real::ArrayQueue<T>),
    Modelled(Messages<T>),
}

impl<T> ArrayQueue<T> {
    /// Makes an empty queue that holds at most `cap` items.
    ///
    /// # Panics
    ///
    /// If `cap` is 0.
    #[track_caller]
    pub fn new(cap: usize) -> Self {
        assert!(cap > 0, "capacity must be non-zero");
        let binding = channel::bind("ArrayQueue", Some(cap));
        let items = if binding.is_real() {
            Items::Real(real::ArrayQueue::new(cap))
        } else {
            Items::Modelled(Messages::new())
        };
        ArrayQueue {
            binding,
            capacity: cap,
            items,
        }
    }

    /// Adds an item behind the others, if there is room for it. One step.
    ///
    /// # Errors
    ///
    /// If the queue is full: the item.
    #[track_caller]
    pub fn push(&self, value: T) -> Result<(), T> {
        match (&self.items, self.binding.object()) {
            (Items::Real(real), _) => real.push(value),
            (Items::Modelled(items), Some(queue)) => {
                let pushed = items.try_send(queue, value);
                pushed.map_err(|error| match error {
                    TrySendError::Full(value) | TrySendError::Disconnected(value) => value,
                })
            }
            (Items::Modelled(_), None) => Err(value),
        }
    }

    /// Adds an item behind the others, and takes out the first one if the queue is full. One step.
    #[track_caller]
    pub fn force_push(&self, value: T) -> Option<T> {
        match (&self.items, self.binding.object()) {
            (Items::Real(real), _) => real.force_push(value),
            (Items::Modelled(items), Some(queue)) => items.force_send(queue, value),
            (Items::Modelled(_), None) => Some(value),
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

    /// Whether there is no room. One step.
    #[track_caller]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity
    }

    /// How many items the queue can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<T> UnwindSafe for ArrayQueue<T> {}
impl<T> RefUnwindSafe for ArrayQueue<T> {}

impl<T> fmt::Debug for ArrayQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("ArrayQueue { .. }")
    }
}

impl<T> Named for ArrayQueue<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.binding.name(name.into());
        self
    }
}

impl<T> IntoIterator for ArrayQueue<T> {
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
