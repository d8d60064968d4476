//! One-time initialisation: what `Once`, `OnceLock` and `LazyLock` are in an execution.
//!
//! The start of an initialiser is a step, which is possible while no other thread runs it; its end
//! is one, and to look whether it has ended is one. What it does itself lies in between.

use std::borrow::Cow;
use std::panic::Location;
use std::ptr::NonNull;

use crate::execution::{
    Execution, Identity, Kept, Mode, NextStep, Requirement, Spot, step, step_in_drop, with,
};
use crate::trace::{EventResult, ObjectId, Obstacle, Operation, ThreadId, Value};

use super::{Before, Done, Glimpse, Hold, Order, Primitive, State};

/// A one-time initialisation.
#[derive(Debug, Default)]
pub(crate) struct Initialisation {
    pub(crate) progress: Progress,
    /// What it made, if it makes a value.
    pub(crate) value: Option<Kept>,
}

/// How far a one-time initialisation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    #[default]
    Incomplete,
    /// A thread runs the initialiser.
    Running(Hold),
    /// The initialiser has panicked.
    Poisoned,
    Complete,
}

/// Which one-time initialisation of an execution an object is.
///
/// In each execution that uses it, it is a new one, and what is initialised there ends with the
/// execution. When it is dropped, the one in the current execution goes with it.
#[derive(Debug)]
pub(crate) struct OnceBinding {
    identity: Identity,
    kind: &'static str,
}

impl OnceBinding {
    #[track_caller]
    pub(crate) const fn new(kind: &'static str) -> Self {
        OnceBinding {
            identity: Identity::new(),
            kind,
        }
    }

    /// The object in the current execution, or `None` outside.
    pub(crate) fn object(&self) -> Option<ObjectId> {
        let state = |_: &mut Execution| State::Once(Initialisation::default());
        self.identity.object(self.kind, state)
    }

    /// Looks at or changes the initialisation in the current execution, if it was used there. Not
    /// an operation.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Initialisation) -> R) -> Option<R> {
        let object = self.identity.known()?;
        Some(with(|execution| change(execution.initialisation(object))))
    }

    /// Names the object in the current execution.
    pub(crate) fn name(&self, name: Cow<'static, str>) {
        Identity::name(self.object(), name);
    }

    /// Where the object was made, if that is known.
    pub(crate) fn made_at(&self) -> Option<&'static Location<'static>> {
        self.identity.made_at()
    }
}

impl Drop for OnceBinding {
    fn drop(&mut self) {
        let value = self.change(|initialisation| initialisation.value.take());
        self.identity.forget();
        // Outside of the borrow, since its destructor is user code.
        drop(value);
    }
}

impl Drop for Initialisation {
    /// Whoever drops the lock takes the value out first. Otherwise there may be references to it that
    /// live for ever, or what it borrows may be gone: it is left where it is.
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            value.leak();
        }
    }
}

impl Initialisation {
    /// Makes it as if it had not begun, and takes out what it made.
    pub(crate) fn take(&mut self) -> Option<Kept> {
        self.progress = Progress::Incomplete;
        self.value.take()
    }
}

impl Progress {
    pub(super) fn allows(self, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Initialised(_) => self == Progress::Complete,
            Requirement::Ended(_) => matches!(self, Progress::Complete | Progress::Poisoned),
            _ => !matches!(self, Progress::Running(_)),
        }
    }
}

impl Primitive for Initialisation {
    fn touched(&self, done: &Done<'_>, _spot: Spot, _before: &Before) -> Option<Mode> {
        let looks = done.event.read.is_some();
        Some(if looks { Mode::Read } else { Mode::Write })
    }

    /// Unless it was a look at whether it is done.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        done.event.read.is_none()
    }

    fn glimpse(&self, _thread: ThreadId) -> Option<Glimpse> {
        Some(Glimpse::Once(self.progress))
    }

    fn before(&self) -> Before {
        Before::Progress(self.progress)
    }

    /// Who sees an initialisation completed, or begins it after another one has failed, learns what
    /// the initialiser knew at its end.
    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        if order.event.read != Some(Value::Bool(false)) {
            known.join(order.released);
        }
        if order.event.written.is_some() {
            order.released.join(known);
        }
    }

    fn obstacle(&self, _requirement: Requirement) -> Option<Obstacle> {
        match self.progress {
            Progress::Running(hold) => Some(Obstacle::Initialiser(hold.thread)),
            _ => None,
        }
    }
}

impl Execution {
    /// The state of a one-time initialisation.
    pub(crate) fn initialisation(&mut self, object: ObjectId) -> &mut Initialisation {
        match &mut self.object_mut(object).state {
            State::Once(initialisation) => initialisation,
            other => unreachable!("{other:?} is no one-time initialisation"),
        }
    }
}

/// What an initialisation has made: the place of the value, if it makes one.
pub(crate) type Made = Option<NonNull<()>>;

/// What a thread finds that wants to initialise.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It is done.
    Done(Made),
    /// An initialiser has panicked, and there is to be no other one.
    Refused,
    /// It is the thread's own.
    Mine(Run),
}

/// What to do after an initialiser has panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterPanic {
    /// To run another one.
    Retry,
    /// To refuse.
    Refuse,
}

/// An initialiser that runs. If it is dropped before it is completed, the initialiser has panicked.
#[derive(Debug)]
pub(crate) struct Run {
    once: ObjectId,
    next: NextStep,
    /// Whether another one has panicked before.
    pub(crate) is_poisoned: bool,
}

/// Starts to initialise if that is not done, as a step that waits while another thread does it.
#[track_caller]
pub(crate) fn begin(once: ObjectId, after_panic: AfterPanic) -> Turn {
    let next = NextStep::new(Operation::Once).on(once);
    step(next.requires(Requirement::Idle(once)), |execution, _| {
        let mine = Hold::mine(execution, next.at);
        let state = execution.initialisation(once);
        match state.progress {
            Progress::Complete => {
                let made = made(state);
                execution.note(|event| event.read = Some(Value::Bool(true)));
                Turn::Done(made)
            }
            Progress::Poisoned if after_panic == AfterPanic::Refuse => {
                execution.note(|event| {
                    event.read = Some(Value::Bool(false));
                    event.result = Some(EventResult::Failed);
                });
                Turn::Refused
            }
            progress => {
                state.progress = Progress::Running(mine);
                Turn::Mine(Run {
                    once,
                    next,
                    is_poisoned: progress == Progress::Poisoned,
                })
            }
        }
    })
}

/// Runs an initialiser that makes no value, if none has run. Its start is a step, which waits while
/// another one runs, and so is its end.
///
/// # Panics
///
/// If an earlier initialiser has panicked.
#[track_caller]
pub(crate) fn run(once: ObjectId, initialiser: impl FnOnce()) {
    match begin(once, AfterPanic::Refuse) {
        Turn::Done(_) => {}
        Turn::Refused => panic!("Once instance has previously been poisoned"),
        Turn::Mine(run) => {
            initialiser();
            run.complete(None);
        }
    }
}

/// Like [`run`], but also if an earlier initialiser has panicked, which this one is told.
#[track_caller]
pub(crate) fn run_forced(once: ObjectId, initialiser: impl FnOnce(bool)) {
    if let Turn::Mine(run) = begin(once, AfterPanic::Retry) {
        initialiser(run.is_poisoned);
        run.complete(None);
    }
}

/// Initialises with a value that is there, as one step that waits while another thread
/// initialises. The value is left if it is not wanted.
#[track_caller]
pub(crate) fn put(once: ObjectId, value: &mut Option<Kept>) {
    let next = NextStep::new(Operation::Once).on(once);
    step(next.requires(Requirement::Idle(once)), |execution, _| {
        let state = execution.initialisation(once);
        if state.progress == Progress::Complete {
            execution.note(|event| event.read = Some(Value::Bool(true)));
        } else {
            state.progress = Progress::Complete;
            state.value = value.take();
            execution.note(|event| event.written = Some(Value::Bool(true)));
        }
    });
}

/// Looks whether it is initialised, as a step. Returns what was made.
#[track_caller]
pub(crate) fn look(once: ObjectId) -> Option<Made> {
    look_when(once, Requirement::Nothing).0
}

/// Looks how far it has come, as a step.
#[track_caller]
pub(crate) fn look_at(once: ObjectId) -> Progress {
    step(NextStep::new(Operation::Once).on(once), |execution, _| {
        let progress = execution.initialisation(once).progress;
        let is_done = progress == Progress::Complete;
        execution.note(|event| event.read = Some(Value::Bool(is_done)));
        progress
    })
}

/// Like [`look`], but waits for what is required. Also returns whether an initialiser has panicked.
#[track_caller]
pub(crate) fn look_when(once: ObjectId, requirement: Requirement) -> (Option<Made>, bool) {
    let next = NextStep::new(Operation::Once).on(once);
    step(next.requires(requirement), |execution, _| {
        let state = execution.initialisation(once);
        let is_poisoned = state.progress == Progress::Poisoned;
        let is_done = state.progress == Progress::Complete;
        let made = is_done.then(|| made(state));
        execution.note(|event| event.read = Some(Value::Bool(is_done)));
        (made, is_poisoned)
    })
}

impl Run {
    /// Ends the initialisation, as a step, with what it has made.
    pub(crate) fn complete(self, mut value: Option<Kept>) {
        // If this is ended by the end of the execution, the value is dropped, and so is the run.
        step(self.next, |execution, _| {
            let state = execution.initialisation(self.once);
            state.progress = Progress::Complete;
            state.value = value.take();
            execution.note(|event| event.written = Some(Value::Bool(true)));
        });
        std::mem::forget(self);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        step_in_drop(self.next, |execution, _| {
            // The lab unwinds threads as well, which is not a panic of the code under test.
            let progress = if execution.is_ended_by_lab() {
                Progress::Incomplete
            } else {
                Progress::Poisoned
            };
            execution.initialisation(self.once).progress = progress;
            execution.note(|event| event.written = Some(Value::Bool(false)));
        });
    }
}

/// What an initialisation has made, for as long as its owner is borrowed.
///
/// # Safety
///
/// The value must be of this type, and belong to this owner.
#[expect(unsafe_code, reason = "the execution keeps the value without its type")]
pub(crate) unsafe fn value_of<O, T>(_owner: &O, made: Made) -> &T {
    let place = made.expect("an initialised object has a value");
    // SAFETY: of the type the caller has promised. It stays where it is until its owner is dropped
    // or borrowed exclusively, or until the execution ends, when its threads have ended.
    unsafe { place.cast::<T>().as_ref() }
}

fn made(state: &Initialisation) -> Made {
    state.value.as_ref().map(Kept::place)
}
