//! Objects that are bound where they are used, so that their constructors can be `const`.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use crate::model::State;
use crate::trace::ObjectId;

use super::binding::{Place, misused};
use super::{CURRENT_NUMBER, Execution, Origin, delays, is_running, running, with};

/// Tells an object of the façade apart from all others in the process, wherever it is moved, and
/// knows which object of the running execution it is.
///
/// In each execution that uses it, it is a new object, from where it is used first. An address would
/// not do: a value can be moved after it was used, and another one be made where it was.
///
/// All-zero memory is an identity that nobody has used.
pub(crate) struct Identity {
    /// 0 until it is asked for.
    number: AtomicU64,
    /// The number of the execution that used it last, and in the lowest bits its object there.
    last: AtomicU64,
    /// Who used it first, with [`IN_EXECUTION`] or without. 0 until it is used.
    first_use: AtomicU64,
    /// `None` in memory that was zeroed, and where a constant is what was made.
    made_at: Option<&'static Location<'static>>,
}

/// The bits of [`Identity::last`] that are an object.
const OBJECT_BITS: u32 = 24;

/// In [`Identity::last`], that the execution has no object yet.
const UNBOUND: u64 = (1 << OBJECT_BITS) - 1;

/// In [`Identity::first_use`], that it was in the execution of this number. Without it, it was outside
/// of executions, when the one before this number was the newest that had begun.
const IN_EXECUTION: u64 = 1 << 63;

/// Numbers are drawn in blocks, since the counter is shared by all OS threads.
const BLOCK: u64 = 1024;

impl Identity {
    /// The identity of an object that is made here.
    #[track_caller]
    pub(crate) const fn new() -> Self {
        Identity {
            number: AtomicU64::new(0),
            last: AtomicU64::new(0),
            first_use: AtomicU64::new(0),
            made_at: Some(Location::caller()),
        }
    }

    /// The identity of an object of which it is not known where it is made: it counts as made where it
    /// is used first.
    pub(crate) const fn anywhere() -> Self {
        Identity {
            number: AtomicU64::new(0),
            last: AtomicU64::new(0),
            first_use: AtomicU64::new(0),
            made_at: None,
        }
    }

    /// The object in the current execution, or `None` outside of one.
    ///
    /// `state` is only asked for where the execution does not know the object yet.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    #[track_caller]
    pub(crate) fn object(
        &self,
        kind: &'static str,
        state: impl FnOnce(&mut Execution) -> State,
    ) -> Option<ObjectId> {
        let current = CURRENT_NUMBER.get();
        if current == 0 {
            delays::before_operation();
            let first_use = self.first_use.load(Relaxed);
            if first_use == 0 {
                // It does not matter which of two uses at a time is the first.
                self.first_use.store(running::newest() + 1, Relaxed);
            } else if first_use & IN_EXECUTION != 0 {
                self.note_intrusion(kind, first_use & !IN_EXECUTION);
            }
            return None;
        }
        // Not in a closure, where it would be called from here.
        match self.seen_in(current) {
            None => Some(self.bind(kind, state, Origin::BoundLate)),
            seen => seen,
        }
    }

    /// The object that is made now in the current execution, if there is one: for an engine that has
    /// to see where objects are made.
    #[cfg(feature = "loom")]
    #[track_caller]
    pub(crate) fn made(
        &self,
        kind: &'static str,
        state: impl FnOnce(&mut Execution) -> State,
    ) -> Option<ObjectId> {
        is_running().then(|| {
            let origin = with(Execution::origin_of_next);
            self.bind(kind, state, origin)
        })
    }

    /// The object in the current execution, if that has used it. Not an operation.
    pub(crate) fn known(&self) -> Option<ObjectId> {
        let current = CURRENT_NUMBER.get();
        if current == 0 {
            return None;
        }
        self.seen_in(current).or_else(|| {
            let number = self.number.load(Relaxed);
            with(|execution| execution.late_objects.get(&number).copied())
        })
    }

    /// The next use takes the state from outside of the execution again, where it may have been
    /// changed. Not an operation.
    pub(crate) fn lend(&self) {
        if let Some(object) = self.known() {
            with(|execution| execution.object_mut(object).is_lent = true);
            self.last.store(0, Relaxed);
        }
    }

    /// The execution forgets the object, which is dropped.
    pub(crate) fn forget(&self) {
        if is_running() {
            let number = self.number.load(Relaxed);
            with(|execution| execution.late_objects.remove(&number));
        }
    }

    /// Lets the current execution have the object to itself until it ends, or returns which other one
    /// uses it, 0 if one that has waited longer is about to.
    pub(super) fn claim(&self) -> Result<(), u64> {
        let current = CURRENT_NUMBER.get();
        let last = self.last.load(SeqCst);
        let owner = last >> OBJECT_BITS;
        if owner == current {
            return Ok(());
        }
        if owner != 0 {
            if running::is_running(owner) {
                return Err(owner);
            }
            if running::others_wait_for(self.number()) {
                return Err(0);
            }
        }
        // No object has this number: it is to be bound yet.
        let claimed = current << OBJECT_BITS | UNBOUND;
        let exchanged = self.last.compare_exchange(last, claimed, SeqCst, SeqCst);
        exchanged.map(|_| ()).map_err(|other| other >> OBJECT_BITS)
    }

    /// Whether an execution uses it that runs on another OS thread.
    pub(crate) fn is_used_elsewhere(&self) -> bool {
        let last = self.last.load(Relaxed) >> OBJECT_BITS;
        last != 0 && last != CURRENT_NUMBER.get() && running::is_running(last)
    }

    /// Panics, since the object is used outside of the execution that uses it, or on a thread that the
    /// lab does not run.
    #[cold]
    #[track_caller]
    pub(crate) fn refuse_other_thread(&self, kind: &'static str) {
        let used_at = Location::caller();
        let made_at = self.made_at.unwrap_or(used_at);
        misused(kind, Place::OtherThread, made_at, used_at);
    }

    /// A thread outside of executions uses the object, which the execution with this number was the
    /// first to use: it has made it, most likely.
    #[cold]
    #[track_caller]
    fn note_intrusion(&self, kind: &'static str, execution: u64) {
        let used_at = Location::caller();
        let is_running = running::intrude(execution, || intrusion(kind, used_at));
        if !is_running {
            // It outlives that, and is of no interest any more.
            self.first_use.store(1, Relaxed);
        }
    }

    /// The current execution uses the object now. If somebody outside of executions was the first to
    /// use it, and has done that since the execution has begun, then by a thread that it has started.
    fn note_first_use(&self, kind: &'static str, used_at: &'static Location<'static>) {
        let current = CURRENT_NUMBER.get();
        match self.first_use.load(Relaxed) {
            0 => self.first_use.store(current | IN_EXECUTION, Relaxed),
            first_use if first_use & IN_EXECUTION == 0 && first_use > current => {
                running::intrude(current, || intrusion(kind, used_at));
            }
            _ => {}
        }
    }

    /// Names the object in the current execution.
    pub(crate) fn name(object: Option<ObjectId>, name: Cow<'static, str>) {
        if let Some(object) = object {
            with(|execution| execution.object_mut(object).name = Some(name));
        }
    }

    /// Where the object was made.
    pub(crate) fn made_at(&self) -> Option<&'static Location<'static>> {
        self.made_at
    }

    #[inline]
    fn seen_in(&self, execution: u64) -> Option<ObjectId> {
        let last = self.last.load(Relaxed);
        let object = last & UNBOUND;
        (last >> OBJECT_BITS == execution && object != UNBOUND).then(|| {
            ObjectId(u32::try_from(object).expect("the bits of an object are fewer than 32"))
        })
    }

    #[cold]
    #[track_caller]
    fn bind(
        &self,
        kind: &'static str,
        state: impl FnOnce(&mut Execution) -> State,
        origin: Origin,
    ) -> ObjectId {
        let used_at = Location::caller();
        let made_at = self.made_at.unwrap_or(used_at);
        let number = self.number();
        self.note_first_use(kind, used_at);
        let is_late = matches!(origin, Origin::BoundLate);
        let (object, is_misused) = with(|execution| {
            let known = execution.late_objects.get(&number).copied();
            if let Some(object) = known {
                if std::mem::take(&mut execution.object_mut(object).is_lent) {
                    let state = state(execution);
                    execution.object_mut(object).state = state;
                }
                return (object, false);
            }
            let state = state(execution);
            // Of these such an engine has objects of its own from where they are made, and of locks
            // from where they are used.
            let is_seen_made = matches!(state, State::Atomic(_) | State::Cell(_));
            let is_misused = is_late && is_seen_made && execution.runtime.must_see_made();
            let object = execution.add_object_from(origin, kind, made_at, state);
            execution.late_objects.insert(number, object);
            (object, is_misused)
        });
        let last = self.last.load(Relaxed);
        if is_misused {
            let place = if last == 0 {
                Place::Outside
            } else {
                Place::EarlierExecution
            };
            misused(kind, place, made_at, used_at);
        }
        if u64::from(object.0) < UNBOUND {
            let last = CURRENT_NUMBER.get() << OBJECT_BITS | u64::from(object.0);
            self.last.store(last, Relaxed);
        }
        object
    }

    /// The number, which is never 0.
    pub(crate) fn number(&self) -> u64 {
        let known = self.number.load(Relaxed);
        if known != 0 {
            return known;
        }
        let drawn = draw();
        match self.number.compare_exchange(0, drawn, Relaxed, Relaxed) {
            Ok(_) => drawn,
            Err(other) => other,
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// What is said of an object that belongs to an execution and was used by another thread.
pub(super) fn intrusion(kind: &str, used_at: &Location<'_>) -> String {
    format!(
        "a thread that racelab did not start has used the {kind} that is used at {used_at}: start \
         threads with `racelab::thread` and tasks with `racelab::future`, and no thread pool or \
         runtime of another crate in the body"
    )
}

/// A number that was not drawn before.
fn draw() -> u64 {
    static BLOCKS: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    let next = NEXT.get();
    let next = if next.is_multiple_of(BLOCK) {
        // Numbers begin with 1.
        BLOCKS.fetch_add(1, Relaxed) * BLOCK + 1
    } else {
        next + 1
    };
    NEXT.set(next);
    next
}
