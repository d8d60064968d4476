//! Locks and guards can be sent and shared where `parking_lot`'s can.

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use racelab::parking_lot as lab;

/// Whether a type implements a trait: a constant of its own comes before one of a trait.
macro_rules! implements {
    ($type:ty, $trait:ident) => {{
        #[allow(dead_code, reason = "not where the type implements the trait")]
        trait Otherwise {
            const IT_DOES: bool = false;
        }
        impl<T> Otherwise for Of<T> {}
        struct Of<T>(PhantomData<T>);
        #[allow(dead_code, reason = "not where it does not")]
        impl<T: $trait> Of<T> {
            const IT_DOES: bool = true;
        }
        Of::<$type>::IT_DOES
    }};
}

macro_rules! traits {
    ($type:ty) => {
        [
            implements!($type, Send),
            implements!($type, Sync),
            implements!($type, UnwindSafe),
            implements!($type, RefUnwindSafe),
        ]
    };
}

macro_rules! same {
    ($($name:ident $(<$lifetime:lifetime>)?)*) => {$(
        same!(@ $name, $($lifetime,)? u8);
        same!(@ $name, $($lifetime,)? Cell<u8>);
        same!(@ $name, $($lifetime,)? Rc<u8>);
        same!(@ $name, $($lifetime,)? &'static mut u8);
    )*};
    (@ $name:ident, $($arguments:tt)*) => {
        assert_eq!(
            traits!(lab::$name<$($arguments)*>),
            traits!(::parking_lot::$name<$($arguments)*>),
            "Send, Sync, UnwindSafe, RefUnwindSafe of {}",
            stringify!($name<$($arguments)*>)
        );
    };
}

#[test]
fn they_can_be_sent_and_shared_where_those_of_the_crate_can() {
    same! {
        Mutex MutexGuard<'static> MappedMutexGuard<'static>
        ReentrantMutex ReentrantMutexGuard<'static> MappedReentrantMutexGuard<'static>
        RwLock RwLockReadGuard<'static> RwLockUpgradableReadGuard<'static>
        RwLockWriteGuard<'static> MappedRwLockReadGuard<'static> MappedRwLockWriteGuard<'static>
    }
    assert_eq!(traits!(lab::Condvar)[..2], [true, true]);
    assert_eq!(traits!(lab::Once)[..2], [true, true]);
    assert_eq!(traits!(lab::RawMutex)[..2], [true, true]);
    assert_eq!(traits!(lab::RawRwLock)[..2], [true, true]);
}
