//! loom's side of the objects and threads of an execution.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::rc::Rc;

use loom::cell::UnsafeCell;
use loom::sync::{Mutex, MutexGuard};
use loom::thread as loom_thread;

use crate::trace::{ObjectId, ThreadId};

use super::memory::Atomic;

thread_local! {
    /// loom's side of the objects of the current execution.
    pub(super) static MODEL: RefCell<Model> = RefCell::default();
}

/// loom's side of an execution.
#[derive(Default)]
pub(super) struct Model {
    /// By [`ObjectId`].
    pub(super) objects: Vec<Option<Primitive>>,
    /// By [`ThreadId`].
    threads: Vec<ModelThread>,
    /// Where a destructor did what loom has not seen, while a panic unwound its thread.
    pub(super) unseen: Option<&'static Location<'static>>,
    /// How the façade's mutexes are modelled.
    pub(super) mutexes: Mutexes,
    /// Whether that has turned out to be wrong.
    pub(super) needs_monitors: bool,
    /// The threads that wait for something to change.
    pub(super) parked: Vec<(ThreadId, loom_thread::Thread)>,
}

/// What the façade's mutexes are on loom's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mutexes {
    /// Mutexes of loom's, the fewest executions. To loom a `try_lock` that is about to be done waits
    /// for the mutex, and to unlock is no access, so that it would not see every failing attempt.
    #[default]
    Loom,
    /// Monitors, where every attempt and every unlock is an access.
    Monitors,
}

/// What an object is on loom's side.
pub(super) enum Primitive {
    Atomic(Rc<dyn Atomic>),
    Cell(Rc<UnsafeCell<()>>),
    /// A mutex of the façade, or the monitor of something else.
    Lock(Lock),
}

/// A mutex of loom's, and its guard while it is held across steps.
#[derive(Default)]
pub(super) struct Lock {
    guard: Option<ManuallyDrop<MutexGuard<'static, ()>>>,
    mutex: Option<Rc<Mutex<()>>>,
}

#[derive(Default)]
pub(super) struct ModelThread {
    pub(super) handle: Option<loom_thread::JoinHandle<()>>,
    /// For its park token.
    pub(super) monitor: Option<Rc<Mutex<()>>>,
}

impl Model {
    pub(super) fn clear(&mut self) {
        self.objects.clear();
        self.threads.clear();
        self.parked.clear();
        self.unseen = None;
        self.needs_monitors = false;
    }

    /// Like a drop, which does nothing that needs loom.
    pub(super) fn forget(mut self) {
        self.clear();
    }

    pub(super) fn object(&mut self, object: ObjectId) -> &mut Option<Primitive> {
        let index = object.index();
        if self.objects.len() <= index {
            self.objects.resize_with(index + 1, || None);
        }
        &mut self.objects[index]
    }

    pub(super) fn thread(&mut self, thread: ThreadId) -> &mut ModelThread {
        let index = thread.index();
        if self.threads.len() <= index {
            self.threads.resize_with(index + 1, ModelThread::default);
        }
        &mut self.threads[index]
    }

    pub(super) fn atomic(&mut self, object: ObjectId) -> Rc<dyn Atomic> {
        match self.object(object) {
            Some(Primitive::Atomic(atomic)) => Rc::clone(atomic),
            _ => unreachable!("an atomic is made before it is accessed"),
        }
    }

    pub(super) fn lock(&mut self, object: ObjectId) -> &mut Lock {
        let object = self.object(object);
        match object.get_or_insert_with(|| Primitive::Lock(Lock::default())) {
            Primitive::Lock(lock) => lock,
            _ => unreachable!("the object is a lock or has a monitor"),
        }
    }
}

impl Lock {
    /// loom's mutex, which is made when it is first needed: unlike an atomic, it does not matter
    /// by whom.
    pub(super) fn mutex(&mut self) -> Rc<Mutex<()>> {
        let mutex = self.mutex.get_or_insert_with(|| Rc::new(Mutex::new(())));
        Rc::clone(mutex)
    }

    /// Keeps the mutex held.
    #[expect(unsafe_code, reason = "a lock is held from one step to another")]
    pub(super) fn hold(&mut self, guard: MutexGuard<'_, ()>) {
        // SAFETY: the guard borrows the mutex that is beside it, which is behind a pointer of its
        // own and not dropped nor replaced before the guard: `release` drops the guard, and
        // `Model::clear` drops the mutex only together with the guard, which then is not used any
        // more, not even by its destructor.
        let guard =
            unsafe { std::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
        self.guard = Some(ManuallyDrop::new(guard));
    }

    pub(super) fn release(&mut self) {
        if let Some(guard) = self.guard.take() {
            drop(ManuallyDrop::into_inner(guard));
        }
    }
}
