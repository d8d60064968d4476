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
    /// The first thread that has executed a `SeqCst` fence.
    fenced: Option<ThreadId>,
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
    Atomic(Tracked),
    Cell(Rc<UnsafeCell<()>>),
    /// A mutex of the façade, or the monitor of something else.
    Lock(Lock),
}

/// An atomic of loom's, and its loads since the last other access.
pub(super) struct Tracked {
    pub(super) atomic: Rc<dyn Atomic>,
    loads: Vec<Load>,
}

#[derive(Clone, Copy)]
struct Load {
    thread: ThreadId,
    /// The operations that the thread had done.
    operations: u32,
}

impl Tracked {
    pub(super) fn new(atomic: Rc<dyn Atomic>) -> Self {
        Tracked {
            atomic,
            loads: Vec::new(),
        }
    }
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
    /// The operations that it has begun.
    pub(super) operations: u32,
    /// Whether another thread has waited for its end.
    pub(super) is_joined: bool,
    /// For its park token.
    pub(super) monitor: Option<Rc<Mutex<()>>>,
}

impl Model {
    pub(super) fn clear(&mut self) {
        self.objects.clear();
        self.threads.clear();
        self.parked.clear();
        self.fenced = None;
        self.unseen = None;
        self.needs_monitors = false;
    }

    /// Notes a `SeqCst` fence of a thread, and returns whether another one has executed one before.
    pub(super) fn fences_after_others(&mut self, thread: ThreadId) -> bool {
        *self.fenced.get_or_insert(thread) != thread
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

    pub(super) fn atomic(&mut self, object: ObjectId) -> &mut Tracked {
        match self.object(object) {
            Some(Primitive::Atomic(atomic)) => atomic,
            _ => unreachable!("an atomic is made before it is accessed"),
        }
    }

    /// Notes that a thread has loaded an atomic.
    pub(super) fn loaded(&mut self, atomic: ObjectId, thread: ThreadId) {
        let operations = self.thread(thread).operations;
        self.atomic(atomic).loads.push(Load { thread, operations });
    }

    /// Notes an access of an atomic that is not only a load. Returns whether loom's search can have
    /// lost an interleaving by it.
    ///
    /// The search has to try such an access before each load of another thread that is not ordered
    /// before it. But of all the accesses loom knows the last one only. If that one is ordered
    /// before this one, as a load of the same thread is, the loads of others before it are
    /// forgotten. It can be only if its thread has done something since, or was joined.
    pub(super) fn stored(&mut self, atomic: ObjectId, thread: ThreadId) -> bool {
        let loads = std::mem::take(&mut self.atomic(atomic).loads);
        let Some(last) = loads.last() else {
            return false;
        };
        let loader = self.thread(last.thread);
        let can_be_ordered =
            last.thread == thread || loader.operations > last.operations || loader.is_joined;
        let is_of_another = |load: &Load| ![thread, last.thread].contains(&load.thread);
        can_be_ordered && loads.iter().any(is_of_another)
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
