//! Values that each thread has for itself.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::ptr::NonNull;
use std::thread as real;

use crate::execution::{Identity, Kept, LocalState, is_running, with};

/// Like [`std::thread_local!`]: declares values that each thread has for itself.
///
/// In an execution each modelled thread has its own, which is destroyed before the thread has
/// finished. Outside, and on threads that the lab does not run, it is a real one.
///
/// ```
/// use std::cell::Cell;
///
/// racelab::thread_local! {
///     static DEPTH: Cell<u32> = const { Cell::new(0) };
///     static NAMES: Vec<String> = Vec::new();
/// }
///
/// DEPTH.set(DEPTH.get() + 1);
/// assert_eq!(DEPTH.get(), 1);
/// assert!(NAMES.with(Vec::is_empty));
/// ```
#[macro_export]
macro_rules! thread_local {
    () => {};
    (
        $(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = const $init:block
        $(; $($rest:tt)*)?
    ) => {
        $(#[$attribute])*
        $vis static $name: $crate::thread::LocalKey<$type> = {
            ::std::thread_local! {
                static __RACELAB_REAL: $type = const $init;
            }
            fn __racelab_init() -> $type {
                const $init
            }
            $crate::thread::LocalKey::__new(__RACELAB_REAL, __racelab_init)
        };
        $($crate::thread_local! { $($rest)* })?
    };
    (
        $(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr
        $(; $($rest:tt)*)?
    ) => {
        $(#[$attribute])*
        $vis static $name: $crate::thread::LocalKey<$type> = {
            fn __racelab_init() -> $type {
                $init
            }
            ::std::thread_local! {
                static __RACELAB_REAL: $type = __racelab_init();
            }
            $crate::thread::LocalKey::__new(__RACELAB_REAL, __racelab_init)
        };
        $($crate::thread_local! { $($rest)* })?
    };
}

/// Like [`std::thread::LocalKey`]: a value that each thread has for itself, declared with
/// [`thread_local!`](crate::thread_local).
///
/// Nothing of it is an operation, since no other thread can see it.
pub struct LocalKey<T: 'static> {
    identity: Identity,
    /// The real one, for use outside of executions.
    real: real::LocalKey<T>,
    init: fn() -> T,
}

/// Like [`std::thread::AccessError`]: the value was destroyed, since its thread ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl Error for AccessError {}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn __new(real: real::LocalKey<T>, init: fn() -> T) -> Self {
        LocalKey {
            identity: Identity::new(),
            real,
            init,
        }
    }

    /// Gives access to the value of the current thread, which is made if it is not there.
    ///
    /// # Panics
    ///
    /// If it was destroyed, since the thread ends.
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => destroyed(error),
        }
    }

    /// Like [`with`](Self::with), but without a panic.
    ///
    /// # Errors
    ///
    /// If the value was destroyed, since the thread ends.
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        if !is_running() {
            return self.real.try_with(f).map_err(|_| AccessError);
        }
        let value = self.value_or(self.init)?;
        Ok(f(value))
    }

    /// The value of the current thread in an execution, made by `init` if it is not there.
    fn value_or(&'static self, init: impl FnOnce() -> T) -> Result<&'static T, AccessError> {
        let key = self.identity.number();
        let found = with(|execution| execution.current_mut().locals.find(key));
        let place: NonNull<()> = match found {
            LocalState::Alive(place) => place,
            LocalState::Destroyed => return Err(AccessError),
            LocalState::Nothing => {
                // User code, as is the destructor of what the initialiser itself may have put in.
                let value = init();
                #[expect(unsafe_code, reason = "the execution keeps the value without its type")]
                // SAFETY: the value borrows nothing that does not live forever.
                let value = unsafe { Kept::new(value) };
                let place = value.place();
                drop(with(|execution| {
                    execution.current_mut().locals.put(key, value)
                }));
                place
            }
        };
        #[expect(unsafe_code, reason = "the execution keeps the value without its type")]
        // SAFETY: the value is of this type, since it has the number of this key. It is destroyed
        // by its own thread, when all that ran on it has returned. That the lifetime is longer does
        // not show: the reference is only lent to closures that run on the thread.
        Ok(unsafe { place.cast::<T>().as_ref() })
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value. If it is not there it is made of this one, and not by its initialiser.
    ///
    /// # Panics
    ///
    /// If it was destroyed, since the thread ends.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        if is_running() {
            self.set_with(value, Cell::new, Cell::set);
        } else {
            self.real.set(value);
        }
    }

    /// A copy of the value.
    ///
    /// # Panics
    ///
    /// If it was destroyed, since the thread ends.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value and leaves the default one.
    ///
    /// # Panics
    ///
    /// If it was destroyed, since the thread ends.
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Sets the value and returns the old one.
    ///
    /// # Panics
    ///
    /// If it was destroyed, since the thread ends.
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Gives access to the value in the cell.
    ///
    /// # Panics
    ///
    /// If the value is borrowed exclusively, or was destroyed, since the thread ends.
    #[track_caller]
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Gives exclusive access to the value in the cell.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, or was destroyed, since the thread ends.
    #[track_caller]
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value. If it is not there it is made of this one, and not by its initialiser.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, or was destroyed, since the thread ends.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        if is_running() {
            let set = |cell: &RefCell<T>, value| *cell.borrow_mut() = value;
            self.set_with(value, RefCell::new, set);
        } else {
            self.real.set(value);
        }
    }

    /// Takes the value and leaves the default one.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, or was destroyed, since the thread ends.
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Sets the value and returns the old one.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, or was destroyed, since the thread ends.
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<C: 'static> LocalKey<C> {
    /// Sets what is in the cell of the current thread in an execution, or makes a new one.
    #[track_caller]
    fn set_with<T>(&'static self, value: T, new: impl FnOnce(T) -> C, set: impl FnOnce(&C, T)) {
        let mut value = Some(value);
        let cell = self.value_or(|| new(value.take().expect("nobody has taken it")));
        match (cell, value) {
            (Ok(cell), Some(value)) => set(cell, value),
            (Ok(_), None) => {}
            (Err(error), _) => destroyed(error),
        }
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

#[cold]
#[track_caller]
fn destroyed(error: AccessError) -> ! {
    panic!("cannot access a Thread Local Storage value during or after destruction: {error:?}")
}
