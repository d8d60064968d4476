//! Names for the objects of a trace.

use std::borrow::Cow;

/// Gives an object a name, by which traces call it.
///
/// Without the feature `engine`, and outside an execution, it does nothing.
///
/// ```
/// use racelab::Named;
/// use racelab::sync::Mutex;
///
/// let balance = Mutex::new(100).named("balance");
/// ```
pub trait Named: Sized {
    /// Names the object.
    #[cfg(feature = "engine")]
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self;

    /// Names the object: without the feature `engine`, there is nothing to do.
    #[cfg(not(feature = "engine"))]
    fn named(self, _name: impl Into<Cow<'static, str>>) -> Self {
        self
    }
}

#[cfg(not(feature = "engine"))]
mod unnamed {
    use std::sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8,
        AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    };
    use std::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, mpsc};

    use super::Named;

    macro_rules! unnamed {
        ($($name:ty)*) => { $(impl Named for $name {})* };
    }

    unnamed! {
        AtomicBool AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize
        AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize Barrier Condvar Once
    }
    impl<T> Named for AtomicPtr<T> {}
    impl<T> Named for Mutex<T> {}
    impl<T> Named for RwLock<T> {}
    impl<T: ?Sized> Named for std::sync::Arc<T> {}
    impl<T> Named for OnceLock<T> {}
    impl<T, F> Named for LazyLock<T, F> {}
    #[cfg(feature = "parking_lot")]
    impl<T> Named for crate::parking_lot::Mutex<T> {}
    #[cfg(feature = "parking_lot")]
    impl<T> Named for crate::parking_lot::RwLock<T> {}
    #[cfg(feature = "parking_lot")]
    impl<T> Named for crate::parking_lot::ReentrantMutex<T> {}
    #[cfg(feature = "parking_lot")]
    impl Named for crate::parking_lot::Condvar {}
    #[cfg(feature = "parking_lot")]
    impl Named for crate::parking_lot::Once {}
    impl<T> Named for mpsc::Sender<T> {}
    impl<T> Named for mpsc::SyncSender<T> {}
    impl<T> Named for mpsc::Receiver<T> {}
    impl<T> Named for crate::cell::UnsafeCell<T> {}
    #[cfg(feature = "channel")]
    impl<T> Named for crossbeam_channel::Sender<T> {}
    #[cfg(feature = "channel")]
    impl<T> Named for crossbeam_channel::Receiver<T> {}
    #[cfg(feature = "queue")]
    impl<T> Named for crossbeam_queue::ArrayQueue<T> {}
    #[cfg(feature = "queue")]
    impl<T> Named for crossbeam_queue::SegQueue<T> {}
    #[cfg(feature = "future")]
    impl<T> Named for tokio::sync::mpsc::Sender<T> {}
    #[cfg(feature = "future")]
    impl<T> Named for tokio::sync::mpsc::Receiver<T> {}
}
