//! A stack whose items keep their memory when they are popped, for those that are pushed next.

use std::ops::{Deref, DerefMut};

/// The items of a stack, and behind them those that were popped.
#[derive(Debug)]
pub(super) struct Stack<T> {
    items: Vec<T>,
    /// How many of them are on the stack.
    len: usize,
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Stack {
            items: Vec::new(),
            len: 0,
        }
    }
}

impl<T: Default> Stack<T> {
    /// Puts another item on the stack, which is as it was left, or new, and has to be filled.
    pub(super) fn push(&mut self) -> &mut T {
        if self.len == self.items.len() {
            self.items.push(T::default());
        }
        self.len += 1;
        &mut self.items[self.len - 1]
    }

    /// Takes the last item off the stack.
    pub(super) fn pop(&mut self) -> Option<&mut T> {
        self.len = self.len.checked_sub(1)?;
        self.items.get_mut(self.len)
    }

    /// Takes all but the first items off the stack.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl<T> Deref for Stack<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..self.len]
    }
}

impl<T> DerefMut for Stack<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items[..self.len]
    }
}
