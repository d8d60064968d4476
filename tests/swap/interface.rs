// What is stable of `std::sync`, `std::thread`, `std::hint` and `std::cell`, each with its
// signature. The including module decides what `std` is, and leaves out `only_of_std!` if it is
// another one.

use ::std::cell::{Cell, RefCell};
use ::std::error::Error;
use ::std::fmt::{Debug, Display, Pointer};
use ::std::hash::Hash;
use ::std::io;
use ::std::num::NonZero;
use ::std::ops::{Deref, DerefMut};
use ::std::panic::{RefUnwindSafe, UnwindSafe};
use ::std::time::Duration;

use std::cell::{self, UnsafeCell};
use std::hint;
use std::sync::atomic::{
    self, AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use std::sync::mpsc::{
    self, IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender,
    TryIter, TryRecvError, TrySendError,
};
use std::sync::{
    self, Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once,
    OnceLock, OnceState, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    TryLockResult, WaitTimeoutResult, Weak,
};
use std::thread::{
    self, AccessError, Builder, JoinHandle, LocalKey, Scope, ScopedJoinHandle, Thread, ThreadId,
};

/// All of it.
pub(super) const PARTS: [fn(); 10] = [
    types,
    atomics,
    barriers,
    cells,
    channels,
    hints,
    initialised_once,
    locks,
    thread_locals,
    threads,
];

/// Functions and constants.
macro_rules! signatures {
    ($($item:path: $signature:ty;)*) => {$(
        let _: $signature = $item;
    )*};
}

/// Functions that are `const`.
macro_rules! const_functions {
    ($($function:path: ($($name:ident: $argument:ty),*) -> $result:ty;)*) => {$({
        const fn constant($($name: $argument),*) -> $result {
            $function($($name),*)
        }
        let _: fn($($argument),*) -> $result = constant;
    })*};
}

/// Functions that are `const`, but not with the feature `loom`, which has to see objects being made.
macro_rules! constructors {
    ($($functions:tt)*) => {
        #[cfg(not(feature = "loom"))]
        const_functions! { $($functions)* }
        #[cfg(feature = "loom")]
        functions! { $($functions)* }
    };
}

#[cfg(feature = "loom")]
macro_rules! functions {
    ($($function:path: ($($name:ident: $argument:ty),*) -> $result:ty;)*) => {$(
        let _: fn($($argument),*) -> $result = $function;
    )*};
}

/// Types that are std's, or are as good as that.
macro_rules! types_of_std {
    ($($type:ty: $of_std:ty;)*) => {$(
        let _: fn($type) -> $of_std = |same| same;
    )*};
}

macro_rules! traits {
    ($($type:ty: $($bound:path),*;)*) => {$($({
        fn implements<T: $bound + ?Sized>() {}
        implements::<$type>();
    })*)*};
}

/// Traits that a type must not have: which `lacks` is meant would be ambiguous then.
macro_rules! not_traits {
    ($($type:ty: $($bound:path),*;)*) => {$($({
        trait Lacks<A> {
            fn lacks() {}
        }
        struct It;
        impl<T: ?Sized> Lacks<()> for T {}
        impl<T: ?Sized + $bound> Lacks<It> for T {}
        let _: fn() = <$type as Lacks<_>>::lacks;
    })*)*};
}

fn types() {
    types_of_std! {
        Arc<u8>: ::std::sync::Arc<u8>;
        LockResult<u8>: ::std::sync::LockResult<u8>;
        Ordering: ::std::sync::atomic::Ordering;
        PoisonError<u8>: ::std::sync::PoisonError<u8>;
        RecvError: ::std::sync::mpsc::RecvError;
        RecvTimeoutError: ::std::sync::mpsc::RecvTimeoutError;
        SendError<u8>: ::std::sync::mpsc::SendError<u8>;
        TryLockError<u8>: ::std::sync::TryLockError<u8>;
        TryLockResult<u8>: ::std::sync::TryLockResult<u8>;
        TryRecvError: ::std::sync::mpsc::TryRecvError;
        TrySendError<u8>: ::std::sync::mpsc::TrySendError<u8>;
        Weak<u8>: ::std::sync::Weak<u8>;
        cell::BorrowError: ::std::cell::BorrowError;
        cell::BorrowMutError: ::std::cell::BorrowMutError;
        cell::Cell<u8>: ::std::cell::Cell<u8>;
        cell::LazyCell<u8>: ::std::cell::LazyCell<u8>;
        cell::OnceCell<u8>: ::std::cell::OnceCell<u8>;
        cell::Ref<'static, u8>: ::std::cell::Ref<'static, u8>;
        cell::RefCell<u8>: ::std::cell::RefCell<u8>;
        cell::RefMut<'static, u8>: ::std::cell::RefMut<'static, u8>;
        thread::Result<u8>: ::std::thread::Result<u8>;
    }
}

fn locks() {
    constructors! {
        Condvar::new: () -> Condvar;
        Mutex::new: (value: u8) -> Mutex<u8>;
        RwLock::new: (value: u8) -> RwLock<u8>;
    }
    signatures! {
        Condvar::wait: fn(&Condvar, MutexGuard<'static, u8>) -> LockResult<MutexGuard<'static, u8>>;
        Condvar::wait_while: fn(&Condvar, MutexGuard<'static, u8>, fn(&mut u8) -> bool)
            -> LockResult<MutexGuard<'static, u8>>;
        Condvar::wait_timeout: fn(&Condvar, MutexGuard<'static, u8>, Duration)
            -> LockResult<(MutexGuard<'static, u8>, WaitTimeoutResult)>;
        Condvar::wait_timeout_ms: fn(&Condvar, MutexGuard<'static, u8>, u32)
            -> LockResult<(MutexGuard<'static, u8>, bool)>;
        Condvar::wait_timeout_while:
            fn(&Condvar, MutexGuard<'static, u8>, Duration, fn(&mut u8) -> bool)
                -> LockResult<(MutexGuard<'static, u8>, WaitTimeoutResult)>;
        Condvar::notify_one: fn(&Condvar);
        Condvar::notify_all: fn(&Condvar);

        Mutex::lock: fn(&Mutex<[u8]>) -> LockResult<MutexGuard<'_, [u8]>>;
        Mutex::try_lock: fn(&Mutex<[u8]>) -> TryLockResult<MutexGuard<'_, [u8]>>;
        Mutex::is_poisoned: fn(&Mutex<[u8]>) -> bool;
        Mutex::clear_poison: fn(&Mutex<[u8]>);
        Mutex::into_inner: fn(Mutex<u8>) -> LockResult<u8>;
        Mutex::get_mut: fn(&mut Mutex<[u8]>) -> LockResult<&mut [u8]>;

        RwLock::read: fn(&RwLock<[u8]>) -> LockResult<RwLockReadGuard<'_, [u8]>>;
        RwLock::try_read: fn(&RwLock<[u8]>) -> TryLockResult<RwLockReadGuard<'_, [u8]>>;
        RwLock::write: fn(&RwLock<[u8]>) -> LockResult<RwLockWriteGuard<'_, [u8]>>;
        RwLock::try_write: fn(&RwLock<[u8]>) -> TryLockResult<RwLockWriteGuard<'_, [u8]>>;
        RwLock::is_poisoned: fn(&RwLock<[u8]>) -> bool;
        RwLock::clear_poison: fn(&RwLock<[u8]>);
        RwLock::into_inner: fn(RwLock<u8>) -> LockResult<u8>;
        RwLock::get_mut: fn(&mut RwLock<[u8]>) -> LockResult<&mut [u8]>;
        RwLockWriteGuard::downgrade:
            fn(RwLockWriteGuard<'static, [u8]>) -> RwLockReadGuard<'static, [u8]>;

        WaitTimeoutResult::timed_out: fn(&WaitTimeoutResult) -> bool;
    }
    traits! {
        Condvar: Debug, Default, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        Mutex<u8>: Debug, Default, From<u8>, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        Mutex<Cell<u8>>: RefUnwindSafe, Send, Sync, UnwindSafe;
        Mutex<[u8]>: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        MutexGuard<'_, [u8]>: Debug, Deref<Target = [u8]>, DerefMut, RefUnwindSafe, Sync, Unpin,
            UnwindSafe;
        MutexGuard<'_, str>: Display;
        RwLock<u8>: Debug, Default, From<u8>, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        RwLock<[u8]>: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        RwLockReadGuard<'_, [u8]>: Debug, Deref<Target = [u8]>, RefUnwindSafe, Sync, Unpin,
            UnwindSafe;
        RwLockReadGuard<'_, str>: Display;
        RwLockWriteGuard<'_, [u8]>: Debug, Deref<Target = [u8]>, DerefMut, RefUnwindSafe, Sync,
            Unpin, UnwindSafe;
        RwLockWriteGuard<'_, str>: Display;
        WaitTimeoutResult: Clone, Copy, Debug, Eq, PartialEq, RefUnwindSafe, Send, Sync, Unpin,
            UnwindSafe;
    }
    not_traits! {
        MutexGuard<'_, u8>: Send;
        MutexGuard<'_, Cell<u8>>: Sync;
        RwLock<Cell<u8>>: Sync;
        RwLockReadGuard<'_, u8>: Send;
        RwLockWriteGuard<'_, u8>: Send;
    }
}

fn barriers() {
    constructors! {
        Barrier::new: (threads: usize) -> Barrier;
    }
    signatures! {
        Barrier::wait: fn(&Barrier) -> BarrierWaitResult;
        BarrierWaitResult::is_leader: fn(&BarrierWaitResult) -> bool;
    }
    traits! {
        Barrier: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        BarrierWaitResult: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    }
}

fn initialised_once() {
    const_functions! {
        LazyLock::new: (initialiser: fn() -> u8) -> LazyLock<u8>;
        Once::new: () -> Once;
        OnceLock::new: () -> OnceLock<u8>;
    }
    signatures! {
        LazyLock::force: fn(&LazyLock<u8>) -> &u8;
        LazyLock::force_mut: fn(&mut LazyLock<u8>) -> &mut u8;
        LazyLock::get: fn(&LazyLock<u8>) -> Option<&u8>;
        LazyLock::get_mut: fn(&mut LazyLock<u8>) -> Option<&mut u8>;

        Once::call_once: fn(&Once, fn());
        Once::call_once_force: fn(&Once, fn(&OnceState));
        Once::is_completed: fn(&Once) -> bool;
        Once::wait: fn(&Once);
        Once::wait_force: fn(&Once);
        sync::ONCE_INIT: Once;
        OnceState::is_poisoned: fn(&OnceState) -> bool;

        OnceLock::get: fn(&OnceLock<u8>) -> Option<&u8>;
        OnceLock::get_mut: fn(&mut OnceLock<u8>) -> Option<&mut u8>;
        OnceLock::set: fn(&OnceLock<u8>, u8) -> Result<(), u8>;
        OnceLock::get_or_init: fn(&OnceLock<u8>, fn() -> u8) -> &u8;
        OnceLock::wait: fn(&OnceLock<u8>) -> &u8;
        OnceLock::into_inner: fn(OnceLock<u8>) -> Option<u8>;
        OnceLock::take: fn(&mut OnceLock<u8>) -> Option<u8>;
    }
    traits! {
        LazyLock<u8>: Debug, Default, Deref<Target = u8>, DerefMut, RefUnwindSafe, Send, Sync,
            Unpin, UnwindSafe;
        Once: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        OnceState: Debug, Send, Unpin, UnwindSafe;
        OnceLock<u8>: Clone, Debug, Default, Eq, From<u8>, PartialEq, RefUnwindSafe, Send, Sync,
            Unpin, UnwindSafe;
    }
    not_traits! {
        LazyLock<Cell<u8>>: Sync;
        OnceLock<Cell<u8>>: Sync;
        OnceState: RefUnwindSafe, Sync;
    }
}

/// What all atomic types have.
macro_rules! atomic {
    ($($atomic:ident: $value:ty;)*) => {$({
        constructors! {
            $atomic::new: (value: $value) -> $atomic;
        }
        signatures! {
            $atomic::get_mut: fn(&mut $atomic) -> &mut $value;
            $atomic::into_inner: fn($atomic) -> $value;
            $atomic::as_ptr: fn(&$atomic) -> *mut $value;
            $atomic::load: fn(&$atomic, Ordering) -> $value;
            $atomic::store: fn(&$atomic, $value, Ordering);
            $atomic::swap: fn(&$atomic, $value, Ordering) -> $value;
            $atomic::compare_and_swap: fn(&$atomic, $value, $value, Ordering) -> $value;
            $atomic::compare_exchange: fn(&$atomic, $value, $value, Ordering, Ordering)
                -> Result<$value, $value>;
            $atomic::compare_exchange_weak: fn(&$atomic, $value, $value, Ordering, Ordering)
                -> Result<$value, $value>;
            $atomic::fetch_update:
                fn(&$atomic, Ordering, Ordering, fn($value) -> Option<$value>)
                    -> Result<$value, $value>;
            $atomic::try_update:
                fn(&$atomic, Ordering, Ordering, fn($value) -> Option<$value>)
                    -> Result<$value, $value>;
            $atomic::update: fn(&$atomic, Ordering, Ordering, fn($value) -> $value) -> $value;
        }
        traits! {
            $atomic: Debug, Default, From<$value>, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        }
        only_of_std! {
            const_unsafe_functions! {
                // There is more to an atomic of the lab than its value.
                $atomic::from_ptr: (value: *mut $value) -> &'static $atomic;
            }
            const_functions! {
                // The value is that of the execution, if there is one.
                $atomic::as_ptr: (atomic: &$atomic) -> *mut $value;
                $atomic::into_inner: (atomic: $atomic) -> $value;
            }
        }
    })*};
}

macro_rules! integer {
    ($($integer:ident: $value:ty;)*) => {
        atomic! { $($integer: $value;)* }
        $(signatures! {
            $integer::fetch_add: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_sub: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_and: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_nand: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_or: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_xor: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_max: fn(&$integer, $value, Ordering) -> $value;
            $integer::fetch_min: fn(&$integer, $value, Ordering) -> $value;
        })*
    };
}

fn atomics() {
    type AtomicPtr = atomic::AtomicPtr<u32>;

    integer! {
        AtomicI8: i8;
        AtomicI16: i16;
        AtomicI32: i32;
        AtomicI64: i64;
        AtomicIsize: isize;
        AtomicU8: u8;
        AtomicU16: u16;
        AtomicU32: u32;
        AtomicU64: u64;
        AtomicUsize: usize;
    }
    atomic! {
        AtomicBool: bool;
        AtomicPtr: *mut u32;
    }
    signatures! {
        AtomicBool::fetch_and: fn(&AtomicBool, bool, Ordering) -> bool;
        AtomicBool::fetch_nand: fn(&AtomicBool, bool, Ordering) -> bool;
        AtomicBool::fetch_not: fn(&AtomicBool, Ordering) -> bool;
        AtomicBool::fetch_or: fn(&AtomicBool, bool, Ordering) -> bool;
        AtomicBool::fetch_xor: fn(&AtomicBool, bool, Ordering) -> bool;

        AtomicPtr::fetch_ptr_add: fn(&AtomicPtr, usize, Ordering) -> *mut u32;
        AtomicPtr::fetch_ptr_sub: fn(&AtomicPtr, usize, Ordering) -> *mut u32;
        AtomicPtr::fetch_byte_add: fn(&AtomicPtr, usize, Ordering) -> *mut u32;
        AtomicPtr::fetch_byte_sub: fn(&AtomicPtr, usize, Ordering) -> *mut u32;
        AtomicPtr::fetch_and: fn(&AtomicPtr, usize, Ordering) -> *mut u32;
        AtomicPtr::fetch_or: fn(&AtomicPtr, usize, Ordering) -> *mut u32;
        AtomicPtr::fetch_xor: fn(&AtomicPtr, usize, Ordering) -> *mut u32;

        atomic::compiler_fence: fn(Ordering);
        atomic::fence: fn(Ordering);
        atomic::spin_loop_hint: fn();
    }
    traits! {
        atomic::AtomicPtr<Cell<u8>>: Pointer, RefUnwindSafe, Send, Sync, Unpin;
    }
    not_traits! {
        atomic::AtomicPtr<Cell<u8>>: UnwindSafe;
    }
    #[cfg(not(feature = "loom"))]
    signatures! {
        atomic::ATOMIC_BOOL_INIT: AtomicBool;
        atomic::ATOMIC_ISIZE_INIT: AtomicIsize;
        atomic::ATOMIC_USIZE_INIT: AtomicUsize;
    }
}

fn channels() {
    signatures! {
        mpsc::channel: fn() -> (Sender<u8>, Receiver<u8>);
        mpsc::sync_channel: fn(usize) -> (SyncSender<u8>, Receiver<u8>);
        Sender::send: fn(&Sender<u8>, u8) -> Result<(), SendError<u8>>;
        SyncSender::send: fn(&SyncSender<u8>, u8) -> Result<(), SendError<u8>>;
        SyncSender::try_send: fn(&SyncSender<u8>, u8) -> Result<(), TrySendError<u8>>;
        Receiver::recv: fn(&Receiver<u8>) -> Result<u8, RecvError>;
        Receiver::try_recv: fn(&Receiver<u8>) -> Result<u8, TryRecvError>;
        Receiver::recv_timeout: fn(&Receiver<u8>, Duration) -> Result<u8, RecvTimeoutError>;
        Receiver::iter: fn(&Receiver<u8>) -> Iter<'_, u8>;
        Receiver::try_iter: fn(&Receiver<u8>) -> TryIter<'_, u8>;
    }
    traits! {
        Sender<Cell<u8>>: Clone, Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        SyncSender<Cell<u8>>: Clone, Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        Receiver<Cell<u8>>: Debug, IntoIterator<Item = Cell<u8>>, RefUnwindSafe, Send, Unpin,
            UnwindSafe;
        &Receiver<u8>: IntoIterator<Item = u8>;
        Iter<'_, u8>: Debug, Iterator<Item = u8>, RefUnwindSafe, Unpin, UnwindSafe;
        TryIter<'_, u8>: Debug, Iterator<Item = u8>, RefUnwindSafe, Unpin, UnwindSafe;
        IntoIter<u8>: Debug, Iterator<Item = u8>, RefUnwindSafe, Send, Unpin, UnwindSafe;
    }
    not_traits! {
        Receiver<u8>: Sync;
        Iter<'_, u8>: Send, Sync;
        TryIter<'_, u8>: Send, Sync;
        IntoIter<u8>: Sync;
    }
}

fn threads() {
    signatures! {
        thread::available_parallelism: fn() -> io::Result<NonZero<usize>>;
        thread::current: fn() -> Thread;
        thread::panicking: fn() -> bool;
        thread::park: fn();
        thread::park_timeout: fn(Duration);
        thread::park_timeout_ms: fn(u32);
        thread::scope: fn(for<'s> fn(&'s Scope<'s, 'static>) -> u8) -> u8;
        thread::sleep: fn(Duration);
        thread::sleep_ms: fn(u32);
        thread::spawn: fn(fn() -> u8) -> JoinHandle<u8>;
        thread::yield_now: fn();

        Builder::new: fn() -> Builder;
        Builder::name: fn(Builder, String) -> Builder;
        Builder::stack_size: fn(Builder, usize) -> Builder;
        Builder::spawn: fn(Builder, fn() -> u8) -> io::Result<JoinHandle<u8>>;
        Builder::spawn_unchecked: unsafe fn(Builder, fn() -> u8) -> io::Result<JoinHandle<u8>>;
        Builder::spawn_scoped: fn(Builder, &'static Scope<'static, 'static>, fn() -> u8)
            -> io::Result<ScopedJoinHandle<'static, u8>>;

        JoinHandle::thread: fn(&JoinHandle<u8>) -> &Thread;
        JoinHandle::join: fn(JoinHandle<u8>) -> thread::Result<u8>;
        JoinHandle::is_finished: fn(&JoinHandle<u8>) -> bool;

        Scope::spawn: fn(&'static Scope<'static, 'static>, fn() -> u8)
            -> ScopedJoinHandle<'static, u8>;
        ScopedJoinHandle::thread: for<'a> fn(&'a ScopedJoinHandle<'static, u8>) -> &'a Thread;
        ScopedJoinHandle::join: fn(ScopedJoinHandle<'static, u8>) -> thread::Result<u8>;
        ScopedJoinHandle::is_finished: fn(&ScopedJoinHandle<'static, u8>) -> bool;

        Thread::unpark: fn(&Thread);
        Thread::id: fn(&Thread) -> ThreadId;
        Thread::name: fn(&Thread) -> Option<&str>;
    }
    traits! {
        AccessError: Clone, Copy, Debug, Display, Eq, Error, PartialEq, RefUnwindSafe, Send, Sync,
            Unpin, UnwindSafe;
        Builder: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        JoinHandle<*mut u8>: Debug, Send, Sync, Unpin;
        Scope<'_, '_>: Debug, RefUnwindSafe, Send, Sync, Unpin;
        ScopedJoinHandle<'_, u8>: Debug, Send, Sync, Unpin;
        Thread: Clone, Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
        ThreadId: Clone, Copy, Debug, Eq, Hash, PartialEq, RefUnwindSafe, Send, Sync, Unpin,
            UnwindSafe;
    }
    not_traits! {
        JoinHandle<u8>: RefUnwindSafe, UnwindSafe;
        Scope<'_, '_>: UnwindSafe;
        ScopedJoinHandle<'_, u8>: RefUnwindSafe, UnwindSafe;
    }
}

fn thread_locals() {
    std::thread_local! {
        static CELL: Cell<u8> = const { Cell::new(0) };
        static REF_CELL: RefCell<Vec<u8>> = RefCell::new(vec![1]);
    }
    signatures! {
        CELL: LocalKey<Cell<u8>>;
        REF_CELL: LocalKey<RefCell<Vec<u8>>>;
    }
    signatures! {
        LocalKey::with: fn(&'static LocalKey<String>, fn(&String) -> usize) -> usize;
        LocalKey::try_with: fn(&'static LocalKey<String>, fn(&String) -> usize)
            -> Result<usize, AccessError>;
        LocalKey::<Cell<u8>>::get: fn(&'static LocalKey<Cell<u8>>) -> u8;
        LocalKey::<Cell<u8>>::replace: fn(&'static LocalKey<Cell<u8>>, u8) -> u8;
        LocalKey::<Cell<u8>>::set: fn(&'static LocalKey<Cell<u8>>, u8);
        LocalKey::<Cell<u8>>::take: fn(&'static LocalKey<Cell<u8>>) -> u8;
        LocalKey::<RefCell<u8>>::replace: fn(&'static LocalKey<RefCell<u8>>, u8) -> u8;
        LocalKey::<RefCell<u8>>::set: fn(&'static LocalKey<RefCell<u8>>, u8);
        LocalKey::<RefCell<u8>>::take: fn(&'static LocalKey<RefCell<u8>>) -> u8;
        LocalKey::with_borrow: fn(&'static LocalKey<RefCell<u8>>, fn(&u8) -> u8) -> u8;
        LocalKey::with_borrow_mut: fn(&'static LocalKey<RefCell<u8>>, fn(&mut u8) -> u8) -> u8;
    }
    traits! {
        LocalKey<*mut u8>: Debug, RefUnwindSafe, Send, Sync, Unpin, UnwindSafe;
    }
}

fn hints() {
    signatures! {
        hint::assert_unchecked: unsafe fn(bool);
        hint::black_box: fn(u8) -> u8;
        hint::cold_path: fn();
        hint::select_unpredictable: fn(bool, u8, u8) -> u8;
        hint::spin_loop: fn();
        hint::unreachable_unchecked: unsafe fn() -> !;
    }
}

fn cells() {
    constructors! {
        UnsafeCell::new: (value: u8) -> UnsafeCell<u8>;
    }
    const_functions! {
        UnsafeCell::get_mut: (cell: &mut UnsafeCell<[u8]>) -> &mut [u8];
        UnsafeCell::into_inner: (cell: UnsafeCell<String>) -> String;
        UnsafeCell::raw_get: (cell: *const UnsafeCell<u8>) -> *mut u8;
    }
    signatures! {
        UnsafeCell::get: fn(&UnsafeCell<[u8]>) -> *mut [u8];
    }
    traits! {
        UnsafeCell<u8>: Debug, Default, From<u8>, Send, Unpin, UnwindSafe;
        UnsafeCell<[u8]>: Debug, Send, Unpin, UnwindSafe;
    }
    not_traits! {
        UnsafeCell<u8>: RefUnwindSafe, Sync;
    }
    only_of_std! {
        const_functions! {
            // It counts the cells of the execution, if there is one, whose accesses are not seen.
            UnsafeCell::get: (cell: &UnsafeCell<u8>) -> *mut u8;
            // There is more to a cell of the lab than its value.
            UnsafeCell::from_mut: (value: &mut u8) -> &mut UnsafeCell<u8>;
            // Where the value is in a cell depends on how it is aligned, which a pointer to a value
            // of unknown size does not tell.
            UnsafeCell::raw_get: (cell: *const UnsafeCell<[u8]>) -> *mut [u8];
        }
    }
}
