//! Values that each task has for itself.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::marker::PhantomPinned;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::thread;

/// Like tokio's macro of this name: declares values that each task has for itself, while a
/// `LocalKey::scope` runs.
///
/// ```
/// use racelab::future;
///
/// future::task_local! {
///     static REQUEST: u32;
/// }
///
/// let seen = future::block_on(REQUEST.scope(7, async { REQUEST.get() }));
/// assert_eq!(seen, 7);
/// assert!(REQUEST.try_with(|_| ()).is_err());
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __task_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $vis static $name: $crate::future::task::LocalKey<$type> = {
            $crate::thread_local! {
                static __RACELAB_KEY: ::std::cell::RefCell<::std::option::Option<$type>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }
            $crate::future::task::LocalKey::__new(&__RACELAB_KEY)
        };
        $($crate::__task_local! { $($rest)* })?
    };
}

/// Like [`tokio::task::LocalKey`]: a value that a task has for itself, declared with
/// [`task_local!`](crate::future::task_local).
///
/// Nothing of it is an operation, since no other task can see it.
pub struct LocalKey<T: 'static>(&'static thread::LocalKey<RefCell<Option<T>>>);

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn __new(slot: &'static thread::LocalKey<RefCell<Option<T>>>) -> Self {
        LocalKey(slot)
    }

    /// Lets a future have this value while it is polled.
    pub fn scope<F: Future>(&'static self, value: T, f: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(f),
            pinned: PhantomPinned,
        }
    }

    /// Lets a closure have this value.
    ///
    /// # Panics
    ///
    /// In a closure of [`with`](Self::with) of the same key, and when the thread ends.
    #[track_caller]
    pub fn sync_scope<F, R>(&'static self, value: T, f: F) -> R
    where
        F: FnOnce() -> R,
    {
        self.swapped(&mut Some(value), f)
            .unwrap_or_else(cannot_enter)
    }

    /// Gives access to the value.
    ///
    /// # Panics
    ///
    /// Outside of scopes.
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        let result = self.try_with(f).ok();
        result.expect("cannot access a task-local storage value without setting it first")
    }

    /// Gives access to the value.
    ///
    /// # Errors
    ///
    /// Outside of scopes.
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let result = self.0.try_with(|value| value.borrow().as_ref().map(f));
        result.ok().flatten().ok_or(AccessError)
    }

    /// Runs `f` while the value in the slot is the current one. `None` if that is not possible.
    fn swapped<R>(&'static self, value: &mut Option<T>, f: impl FnOnce() -> R) -> Option<R> {
        let _back = Swapped::begin(self, value)?;
        Some(f())
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A copy of the value.
    ///
    /// # Panics
    ///
    /// Outside of scopes.
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A copy of the value.
    ///
    /// # Errors
    ///
    /// Outside of scopes.
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("LocalKey { .. }")
    }
}

/// The time in which a value is the current one, and the one before waits in its place.
struct Swapped<'a, T: 'static> {
    key: &'static LocalKey<T>,
    value: &'a mut Option<T>,
}

impl<'a, T> Swapped<'a, T> {
    fn begin(key: &'static LocalKey<T>, value: &'a mut Option<T>) -> Option<Self> {
        let mut swapped = Swapped { key, value };
        if swapped.swap() {
            Some(swapped)
        } else {
            mem::forget(swapped);
            None
        }
    }

    fn swap(&mut self) -> bool {
        let swapped = self.key.0.try_with(|slot| {
            let slot = slot.try_borrow_mut();
            slot.map(|mut slot| mem::swap(&mut *slot, self.value))
        });
        matches!(swapped, Ok(Ok(())))
    }
}

impl<T> Drop for Swapped<'_, T> {
    fn drop(&mut self) {
        self.swap();
    }
}

#[track_caller]
fn cannot_enter<R>() -> R {
    panic!("cannot enter a task-local scope: its value is borrowed, or the thread ends")
}

pin_project! {
    /// Like [`tokio::task::futures::TaskLocalFuture`]: a future that has a value of its own.
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        value: Option<T>,
        #[pin]
        future: Option<F>,
        #[pin]
        pinned: PhantomPinned,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Its destructors see the value too.
            let _ = this.key.swapped(this.value, || this.future.set(None));
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value, after the future has ended or before it has begun.
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let polled = this.key.swapped(this.value, || {
            let future = this.future.as_mut().as_pin_mut();
            let polled = future
                .expect("`TaskLocalFuture` polled after completion")
                .poll(context);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        });
        polled.unwrap_or_else(cannot_enter)
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture")
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

/// There is no value, since this is outside of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl Error for AccessError {}
