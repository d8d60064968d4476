//! What all guards have in common.

/// Guards that hand out what a lock guards, or a part of it.
macro_rules! guards {
    ($($guard:ident)*) => {$(
        #[expect(unsafe_code, reason = "the guard hands out what the lock guards")]
        // SAFETY: a shared guard hands out shared references only.
        unsafe impl<T: ?Sized + Sync> Sync for $guard<'_, T> {}

        impl<T: ?Sized> Deref for $guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                self.get()
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    )*};
}

/// Guards that hand it out for changes.
macro_rules! exclusive_guards {
    ($($guard:ident)*) => {$(
        guards!($guard);

        impl<T: ?Sized> DerefMut for $guard<'_, T> {
            fn deref_mut(&mut self) -> &mut T {
                self.get_mut()
            }
        }
    )*};
}

/// How a guard becomes the guard of a part.
macro_rules! parts {
    ($mapped:ident, $get:ident: $whole:ty => $part:ty, $or_err:ident) => {
        /// Goes on with the guard of a part of what it guards.
        pub fn map<U: ?Sized, F>(s: Self, f: F) -> $mapped<'a, U>
        where
            F: FnOnce($whole) -> $part,
        {
            match Self::$or_err(s, |whole| Ok::<_, Infallible>(f(whole))) {
                Ok(mapped) => mapped,
                Err((_, never)) => match never {},
            }
        }

        /// The same, if there is such a part.
        ///
        /// # Errors
        ///
        /// If there is none: the guard as it was.
        pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<$mapped<'a, U>, Self>
        where
            F: FnOnce($whole) -> Option<$part>,
        {
            Self::$or_err(s, |whole| f(whole).ok_or(())).map_err(|(s, ())| s)
        }

        /// The same, with a reason if there is no such part.
        ///
        /// # Errors
        ///
        /// If there is none: the guard as it was, and the reason.
        #[allow(unused_mut, reason = "some guards are for reading only")]
        pub fn $or_err<U: ?Sized, F, E>(mut s: Self, f: F) -> Result<$mapped<'a, U>, (Self, E)>
        where
            F: FnOnce($whole) -> Result<$part, E>,
        {
            match f(s.$get()).map(NonNull::from) {
                Ok(part) => Ok($mapped {
                    held: s.held,
                    part,
                    of: PhantomData,
                    not_send: PhantomData,
                }),
                Err(reason) => Err((s, reason)),
            }
        }
    };
}

/// What the guards of a whole can do in between.
macro_rules! interruptions {
    () => {
        /// Releases the lock, runs `f`, and acquires the lock again.
        #[track_caller]
        pub fn unlocked<F, U>(s: &mut Self, f: F) -> U
        where
            F: FnOnce() -> U,
        {
            s.held.while_released(false, f)
        }

        /// The same. Outside of executions, the lock is handed over to the thread that has waited longest.
        #[track_caller]
        pub fn unlocked_fair<F, U>(s: &mut Self, f: F) -> U
        where
            F: FnOnce() -> U,
        {
            s.held.while_released(true, f)
        }

        /// Releases the lock and acquires it again, so that others can come in between.
        #[track_caller]
        pub fn bump(s: &mut Self) {
            s.held.while_released(true, || ());
        }
    };
}

/// How a guard is given up in a way of its own.
macro_rules! unlock_fair {
    () => {
        /// Releases the lock. Outside of executions, it is handed over to the thread that has waited longest.
        pub fn unlock_fair(s: Self) {
            s.held.release_fair();
        }
    };
}
