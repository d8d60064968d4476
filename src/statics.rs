//! Statics that are made anew in each execution.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use crate::execution::{Identity, is_running, with};

/// Declares statics that are made anew in each execution.
///
/// A static that guards data, a `Mutex<T>`, say, cannot be changed in one execution and be as it was
/// in the next. Declared with this macro, it is made again by its initialiser when an execution first
/// uses it, and outside of executions it is one static as any other. To make it is not an operation.
/// Without the feature `engine`, this declares a plain static.
///
/// As the values of statics are never dropped, each execution leaves what it has made behind. A
/// search ends as inconclusive when that is more than 256 MiB.
///
/// ```
/// use racelab::sync::Mutex;
/// use racelab::thread;
///
/// racelab::statics! {
///     static LIST: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// }
///
/// racelab::check(|| {
///     let other = thread::spawn(|| LIST.lock().unwrap().push(1));
///     LIST.lock().unwrap().push(2);
///     other.join().unwrap();
///     assert_eq!(LIST.lock().unwrap().len(), 2);
/// });
/// ```
#[macro_export]
macro_rules! statics {
    () => {};
    (
        $(#[$attribute:meta])*
        $visibility:vis static $name:ident: $type:ty = $value:expr;
        $($rest:tt)*
    ) => {
        $(#[$attribute])*
        $visibility static $name: $crate::Static<$type> = $crate::Static::__new(|| $value);
        $crate::statics! { $($rest)* }
    };
}

/// A static that was declared with [`statics!`](crate::statics).
pub struct Static<T: 'static> {
    identity: Identity,
    make: fn() -> T,
    /// The value outside of executions.
    real: OnceLock<T>,
}

impl<T> Static<T> {
    /// For the macro.
    #[doc(hidden)]
    #[track_caller]
    pub const fn __new(make: fn() -> T) -> Self {
        Static {
            identity: Identity::new(),
            make,
            real: OnceLock::new(),
        }
    }
}

impl<T> Deref for Static<T> {
    type Target = T;

    #[expect(
        unsafe_code,
        reason = "an execution keeps its statics without knowing their types"
    )]
    fn deref(&self) -> &T {
        if !is_running() {
            return self.real.get_or_init(self.make);
        }
        let number = self.identity.number();
        if let Some(place) = with(|execution| execution.static_value(number)) {
            // SAFETY: what was kept under the number of this static came out of a box of a `T`
            // below, which is never freed, and to which there are only shared references.
            return unsafe { place.cast::<T>().as_ref() };
        }
        // Outside of the borrow, since it is user code.
        let value: &'static T = Box::leak(Box::new((self.make)()));
        let place = std::ptr::NonNull::from_ref(value).cast::<()>();
        let place = with(|execution| execution.keep_static(number, place, size_of::<T>()));
        // SAFETY: as above, for the value that was made here, or meanwhile by another thread.
        unsafe { place.cast::<T>().as_ref() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Static<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
