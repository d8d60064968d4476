//! An `Arc` whose counts are operations.
//!
//! [`sync::Arc`](crate::sync::Arc) is std's, so that `Arc<dyn Trait>` is made as ever, and the lab
//! does not see when it is cloned and dropped. Code that decides by the counts, by `strong_count`,
//! `try_unwrap`, `into_inner`, `get_mut`, `make_mut` or `Weak::upgrade`, or in which it matters who
//! drops the last one, is explored in full with the `Arc` that is here. Each of these is a step or
//! two, with the orderings that std has.
//!
//! Without the feature `engine`, both are std's.
//!
//! # Trait objects
//!
//! No type but std's own is turned into `Arc<dyn Trait>` by itself. A box of it is made one, with
//! std's as well:
//!
//! ```
//! use racelab::sync::counted::Arc;
//!
//! let shown: Arc<dyn std::fmt::Debug> = Arc::from(Box::new(7) as Box<dyn std::fmt::Debug>);
//! assert_eq!(format!("{shown:?}"), "7");
//! ```
//!
//! # What there is not
//!
//! `from_raw` and its like, since there is more to it than the value, and what makes values that are
//! not initialised yet. An `Arc` does not become a [`Pin`](std::pin::Pin).

use std::any::Any;
use std::borrow::{Borrow, Cow};
use std::cmp;
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::panic::Location;
use std::sync as real;

use crate::Named;
use crate::execution::is_running;

use super::atomic::{AtomicUsize, Ordering, fence};

/// How many weak ones there are, while somebody looks whether there are others.
const LOCKED: usize = usize::MAX;

/// The counts of std's `Arc`, which are there twice: the value is in one of std's, which says when it
/// is dropped outside of executions. In an execution, what is done to it is done together with the
/// step that says so here, so that both say the same.
struct Counts {
    strong: AtomicUsize,
    /// How many there are, and one for all strong ones together. That is not taken away with the last
    /// strong one, since nobody can tell.
    weak: AtomicUsize,
}

impl Counts {
    #[track_caller]
    fn new(strong: usize) -> real::Arc<Self> {
        real::Arc::new(Counts {
            strong: AtomicUsize::new(strong),
            weak: AtomicUsize::new(1),
        })
    }

    /// Whether there was exactly one strong one, which there is no longer.
    #[track_caller]
    fn take_last(&self, success: Ordering) -> bool {
        let taken = self
            .strong
            .compare_exchange(1, 0, success, Ordering::Relaxed);
        taken.is_ok()
    }
}

/// A part in the count of strong ones.
struct Strong {
    /// `None` if it was given up already.
    counts: Option<real::Arc<Counts>>,
    /// Where it was made, at which its drop is shown.
    at: &'static Location<'static>,
}

impl Strong {
    #[track_caller]
    fn of(counts: real::Arc<Counts>) -> Self {
        Strong {
            counts: Some(counts),
            at: Location::caller(),
        }
    }

    fn counts(&self) -> &real::Arc<Counts> {
        self.counts.as_ref().expect("only a drop gives it up")
    }
}

impl Drop for Strong {
    fn drop(&mut self) {
        if let Some(counts) = self.counts.take()
            && counts.strong.subtract_in_drop(self.at) == 1
        {
            // What others did through theirs comes before the destructor.
            counts.strong.acquire_in_drop(self.at);
        }
    }
}

/// Like [`std::sync::Arc`], with counts that are operations.
///
/// ```
/// use racelab::sync::counted::Arc;
/// use racelab::thread;
///
/// racelab::check(|| {
///     let mine = Arc::new(5);
///     let theirs = Arc::clone(&mine);
///     let thread = thread::spawn(move || Arc::into_inner(theirs));
///     let taken = [Arc::into_inner(mine), thread.join().unwrap()];
///     assert_eq!(taken.into_iter().flatten().count(), 1);
/// });
/// ```
pub struct Arc<T: ?Sized> {
    // The first field, so that it is dropped before the value.
    strong: Strong,
    value: real::Arc<T>,
}

/// A part in the count of weak ones.
struct Counted {
    /// `None` if it belongs to nothing.
    counts: Option<real::Arc<Counts>>,
    /// Where it was made, at which its drop is shown.
    at: &'static Location<'static>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(counts) = self.counts.take() {
            counts.weak.subtract_in_drop(self.at);
        }
    }
}

/// Like [`std::sync::Weak`], with counts that are operations.
pub struct Weak<T: ?Sized> {
    weak: Counted,
    value: real::Weak<T>,
}

impl<T> Arc<T> {
    /// Makes a new one.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Arc::from(real::Arc::new(value))
    }

    /// Makes a value that has a [`Weak`] to itself, which cannot be upgraded before it is made.
    #[track_caller]
    pub fn new_cyclic<F: FnOnce(&Weak<T>) -> T>(data_fn: F) -> Self {
        let counts = Counts::new(0);
        let at = Location::caller();
        let value = real::Arc::new_cyclic(|value| {
            let mut weak = Weak {
                weak: Counted {
                    counts: Some(real::Arc::clone(&counts)),
                    at,
                },
                value: value.clone(),
            };
            let made = data_fn(&weak);
            // It is the one that all strong ones have together.
            weak.weak.counts = None;
            made
        });
        counts.strong.fetch_add(1, Ordering::Release);
        Arc {
            strong: Strong::of(counts),
            value,
        }
    }

    /// The value, if this is the only one.
    ///
    /// If several threads call it, it can fail in all of them: see
    /// [`into_inner`](Self::into_inner).
    ///
    /// # Errors
    ///
    /// If there are others.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        if is_running() && !this.strong.counts().take_last(Ordering::Relaxed) {
            return Err(this);
        }
        if is_running() {
            fence(Ordering::Acquire);
        }
        let Arc { mut strong, value } = this;
        let at = strong.at;
        let counts = strong.counts.take();
        real::Arc::try_unwrap(value).map_err(|value| Arc {
            strong: Strong { counts, at },
            value,
        })
    }

    /// The value, if this is the last one; else it is dropped. Of several threads that call it, one
    /// gets the value.
    #[track_caller]
    pub fn into_inner(this: Self) -> Option<T> {
        let Arc { mut strong, value } = this;
        if let Some(counts) = strong.counts.take()
            && counts.strong.fetch_sub(1, Ordering::Release) == 1
        {
            fence(Ordering::Acquire);
        }
        real::Arc::into_inner(value)
    }
}

impl<T: Clone> Arc<T> {
    /// The value, which is cloned if this is not the only one.
    #[track_caller]
    pub fn unwrap_or_clone(this: Self) -> T {
        Arc::try_unwrap(this).unwrap_or_else(|this| (*this).clone())
    }

    /// The value, of which this has one for itself afterwards: a clone if there are others.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        if is_running() {
            if !this.strong.counts().take_last(Ordering::Acquire) {
                let clone = T::clone(this);
                *this = Arc::new(clone);
            } else if this.strong.counts().weak.load(Ordering::Relaxed) == 1 {
                this.strong.counts().strong.store(1, Ordering::Release);
            } else {
                // The value moves to a place of its own, and the weak ones have nothing any more.
                this.strong.counts = Some(Counts::new(1));
            }
        } else if real::Arc::get_mut(&mut this.value).is_none() {
            if real::Arc::strong_count(&this.value) == 1 {
                this.strong.counts = Some(Counts::new(1));
            } else {
                let clone = T::clone(this);
                *this = Arc::new(clone);
            }
        }
        real::Arc::make_mut(&mut this.value)
    }
}

impl<T: ?Sized> Arc<T> {
    /// How many strong ones there are.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        if is_running() {
            this.strong.counts().strong.load(Ordering::Relaxed)
        } else {
            real::Arc::strong_count(&this.value)
        }
    }

    /// How many weak ones there are.
    #[track_caller]
    pub fn weak_count(this: &Self) -> usize {
        if !is_running() {
            return real::Arc::weak_count(&this.value);
        }
        match this.strong.counts().weak.load(Ordering::Relaxed) {
            LOCKED => 0,
            count => count - 1,
        }
    }

    /// A weak one of this.
    #[track_caller]
    pub fn downgrade(this: &Self) -> Weak<T> {
        let counts = this.strong.counts();
        let mut count = counts.weak.load(Ordering::Relaxed);
        loop {
            if count == LOCKED {
                crate::hint::spin_loop();
                count = counts.weak.load(Ordering::Relaxed);
                continue;
            }
            match counts.weak.compare_exchange(
                count,
                count + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(newer) => count = newer,
            }
        }
        Weak {
            weak: Counted {
                counts: Some(real::Arc::clone(counts)),
                at: Location::caller(),
            },
            value: real::Arc::downgrade(&this.value),
        }
    }

    /// The value, if there is no other one, strong or weak.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        if is_running() {
            let counts = this.strong.counts();
            counts
                .weak
                .compare_exchange(1, LOCKED, Ordering::Acquire, Ordering::Relaxed)
                .ok()?;
            let is_unique = counts.strong.load(Ordering::Acquire) == 1;
            counts.weak.store(1, Ordering::Release);
            if !is_unique {
                return None;
            }
        }
        real::Arc::get_mut(&mut this.value)
    }

    /// Whether both have the same value, in one place.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        real::Arc::ptr_eq(&this.value, &other.value)
    }

    /// A pointer to the value.
    pub fn as_ptr(this: &Self) -> *const T {
        real::Arc::as_ptr(&this.value)
    }
}

impl Arc<dyn Any + Send + Sync> {
    /// One of a type, if the value has it.
    ///
    /// # Errors
    ///
    /// If the value is of another type.
    pub fn downcast<T: Any + Send + Sync>(self) -> Result<Arc<T>, Self> {
        let Arc { strong, value } = self;
        match value.downcast() {
            Ok(value) => Ok(Arc { strong, value }),
            Err(value) => Err(Arc { strong, value }),
        }
    }
}

impl<T> Weak<T> {
    /// One that belongs to nothing.
    #[track_caller]
    pub const fn new() -> Self {
        Weak {
            weak: Counted {
                counts: None,
                at: Location::caller(),
            },
            value: real::Weak::new(),
        }
    }
}

impl<T: ?Sized> Weak<T> {
    /// A strong one, if there is one still.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let counts = self.weak.counts.as_ref()?;
        if !is_running() {
            let value = self.value.upgrade()?;
            counts.strong.fetch_add(1, Ordering::Relaxed);
            return Some(Arc {
                strong: Strong::of(real::Arc::clone(counts)),
                value,
            });
        }
        let mut count = counts.strong.load(Ordering::Relaxed);
        while count != 0 {
            // std's may fail spuriously, and tries again then: that is the same but for a step.
            match counts.strong.compare_exchange(
                count,
                count + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    return Some(Arc {
                        strong: Strong::of(real::Arc::clone(counts)),
                        value: self.value.upgrade()?,
                    });
                }
                Err(newer) => count = newer,
            }
        }
        None
    }

    /// How many strong ones there are.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        match &self.weak.counts {
            Some(counts) if is_running() => counts.strong.load(Ordering::Relaxed),
            _ => self.value.strong_count(),
        }
    }

    /// How many weak ones there are, 0 if there is no strong one.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        match &self.weak.counts {
            Some(counts) if is_running() => {
                let weak = counts.weak.load(Ordering::Acquire);
                let strong = counts.strong.load(Ordering::Relaxed);
                if strong == 0 { 0 } else { weak - 1 }
            }
            _ => self.value.weak_count(),
        }
    }

    /// Whether both belong to the same value, or both to nothing.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.value.ptr_eq(&other.value)
    }

    /// A pointer to the value, which may be there no longer.
    pub fn as_ptr(&self) -> *const T {
        self.value.as_ptr()
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let counts = self.strong.counts();
        counts.strong.fetch_add(1, Ordering::Relaxed);
        Arc {
            strong: Strong::of(real::Arc::clone(counts)),
            value: real::Arc::clone(&self.value),
        }
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        if let Some(counts) = &self.weak.counts {
            counts.weak.fetch_add(1, Ordering::Relaxed);
        }
        Weak {
            weak: Counted {
                counts: self.weak.counts.clone(),
                at: Location::caller(),
            },
            value: self.value.clone(),
        }
    }
}

impl<T> Default for Weak<T> {
    #[track_caller]
    fn default() -> Self {
        Weak::new()
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: ?Sized> From<real::Arc<T>> for Arc<T> {
    /// One of std's, of which there must be no other.
    #[track_caller]
    fn from(value: real::Arc<T>) -> Self {
        Arc {
            strong: Strong::of(Counts::new(1)),
            value,
        }
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Arc::new(value)
    }
}

/// What std makes an `Arc` of.
macro_rules! from {
    ($([$($param:tt)*] $from:ty => $to:ty;)*) => {$(
        impl<$($param)*> From<$from> for Arc<$to> {
            #[track_caller]
            fn from(value: $from) -> Self {
                Arc::from(real::Arc::<$to>::from(value))
            }
        }
    )*};
}

from! {
    [T: ?Sized] Box<T> => T;
    [T] Vec<T> => [T];
    [T: Clone] &[T] => [T];
    [T, const N: usize] [T; N] => [T];
    [] &str => str;
    [] String => str;
}

impl<'a, B> From<Cow<'a, B>> for Arc<B>
where
    B: ToOwned + ?Sized,
    real::Arc<B>: From<Cow<'a, B>>,
{
    #[track_caller]
    fn from(value: Cow<'a, B>) -> Self {
        Arc::from(real::Arc::<B>::from(value))
    }
}

impl<T> FromIterator<T> for Arc<[T]> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Arc::from(real::Arc::<[T]>::from_iter(items))
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized> fmt::Pointer for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Arc<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq> Eq for Arc<T> {}

impl<T: ?Sized + PartialOrd> PartialOrd for Arc<T> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: ?Sized + Ord> Ord for Arc<T> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: ?Sized + Hash> Hash for Arc<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: ?Sized + Error> Error for Arc<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        (**self).source()
    }
}

impl<T: ?Sized> Named for Arc<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.strong.counts().strong.name(name.into());
        self
    }
}
