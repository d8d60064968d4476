//! The current execution: everything that the lab knows while code under test runs.
//!
//! An engine runs all threads of an execution on one OS thread, so a
//! `thread_local!` identifies the execution. Every visible action of the code
//! under test passes [`step`] or [`Execution::record`]: there it is announced to the scheduler
//! before it happens, and recorded when it happens.
//!
//! An execution that fails or is given up is *doomed*: each of its threads is
//! unwound with a private payload that the root of the thread catches. Until
//! then, the operations that its destructors do take effect without being
//! scheduled or recorded.

mod binding;
mod choices;
mod object;
mod pulse;
mod root;
mod thread;
mod waiting;

use std::cell::{self, RefCell};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::trace::{
    Blocked, Choice, Event, EventResult, ObjectId, ObjectInfo, Operation, ThreadId, ThreadInfo,
    Trace, Value,
};

pub(crate) use binding::Binding;
pub(crate) use choices::Offer;
pub(crate) use object::{Cell, Channel, Hold, Object, State};
pub(crate) use pulse::{LastEvent, Pulse};
pub(crate) use root::{message_of, run_body, run_thread};
pub(crate) use thread::Thread;

thread_local! {
    /// Boxed, since it goes back and forth between here and the engine.
    static CURRENT: RefCell<Option<Box<Execution>>> = const { RefCell::new(None) };
    /// The number of the current execution, 0 outside. Apart from [`CURRENT`], since every
    /// operation of every object looks at it.
    static CURRENT_NUMBER: cell::Cell<u64> = const { cell::Cell::new(0) };
}

/// What the execution needs of the engine that runs it.
#[derive(Clone, Copy)]
pub(crate) struct Scheduling {
    /// Lets the scheduler decide who goes on. Returns when the calling thread does.
    pub(crate) switch: fn(),
    /// Starts a thread, without a scheduling point.
    pub(crate) spawn: fn(Box<dyn FnOnce()>),
}

/// The next operation of a thread, as it announces it before it does it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextStep {
    pub(crate) operation: Operation,
    pub(crate) object: Option<ObjectId>,
    pub(crate) target: Option<ThreadId>,
    pub(crate) ordering: Option<Ordering>,
    pub(crate) at: &'static Location<'static>,
    /// What must be so for the operation to be possible.
    pub(crate) requires: Requirement,
    /// Which other ways the operation can go.
    pub(crate) alternatives: Alternatives,
}

impl NextStep {
    /// An operation that is always possible, called for at the caller's caller.
    #[track_caller]
    pub(crate) fn new(operation: Operation) -> Self {
        NextStep {
            operation,
            object: None,
            target: None,
            ordering: None,
            at: Location::caller(),
            requires: Requirement::Nothing,
            alternatives: Alternatives::None,
        }
    }

    pub(crate) fn on(self, object: ObjectId) -> Self {
        NextStep {
            object: Some(object),
            ..self
        }
    }

    pub(crate) fn of(self, target: ThreadId) -> Self {
        NextStep {
            target: Some(target),
            ..self
        }
    }

    pub(crate) fn ordered(self, ordering: Ordering) -> Self {
        NextStep {
            ordering: Some(ordering),
            ..self
        }
    }

    pub(crate) fn requires(self, requires: Requirement) -> Self {
        NextStep { requires, ..self }
    }

    pub(crate) fn or(self, alternatives: Alternatives) -> Self {
        NextStep {
            alternatives,
            ..self
        }
    }

    pub(crate) fn at(self, at: &'static Location<'static>) -> Self {
        NextStep { at, ..self }
    }
}

/// What must be so for an operation to be possible. A thread whose next
/// operation is impossible is not offered to the search.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Requirement {
    Nothing,
    /// The mutex is not held.
    Free(ObjectId),
    /// The thread was notified or its wait timed out, and the mutex is not held.
    Woken {
        mutex: ObjectId,
    },
    /// The thread has finished.
    Finished(ThreadId),
    /// The channel holds a message, or has no sender left.
    Message(ObjectId),
    /// The channel has room for a message, or has no receiver left.
    Room(ObjectId),
    /// The message with this number was taken, or the channel has no receiver left.
    Taken(ObjectId, u64),
    /// The thread has a park token.
    Token,
}

/// Which other ways an operation can go, apart from the normal one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alternatives {
    None,
    /// While it is impossible, it can time out: alternative 1.
    Timeout,
    /// It can fail without a cause, while the atomic has this value: alternative 1.
    Spurious(Value),
    /// It concerns one of the threads that wait on its object: alternative `k` is the `k`-th.
    Waiters,
    /// It can find nobody at the other end: alternative 1.
    Unmet,
}

/// How an execution came to its end before all threads had finished.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// A panic reached the root of a thread.
    Panicked {
        thread: ThreadId,
        message: String,
        at: Option<String>,
    },
    /// No thread can go on.
    Deadlocked,
    /// All threads that could go on wait, by reading again and again, for another one.
    Livelocked,
    /// The bound on the steps of an execution was hit.
    OutOfSteps,
    /// The search wants no more of this execution.
    Abandoned,
    /// The code under test does what the lab cannot run.
    Unsupported(String),
    /// The code under test uses the lab wrongly.
    Misused(String),
}

/// How an operation is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// After the scheduler chose it, as a step.
    Scheduled,
    /// At once, as an event: the thread is unwinding a panic of its own.
    Unscheduled,
    /// At once and without a trace: the execution is doomed.
    Silent,
}

/// What is known of the execution that runs on this OS thread.
pub(crate) struct Execution {
    number: u64,
    scheduling: Scheduling,
    max_steps: usize,
    pulse: Arc<Pulse>,
    threads: Vec<Thread>,
    /// Threads that were started and have not announced anything yet.
    starting: Vec<ThreadId>,
    objects: Vec<Object>,
    /// The addresses that atomic pointers held, in the order of their appearance.
    addresses: Vec<usize>,
    current: ThreadId,
    alternative: u32,
    events: Vec<Event>,
    schedule: Vec<Choice>,
    preemptions: u32,
    /// How often anything was changed that another thread could see.
    writes: u64,
    /// A thread that spins and goes on alone.
    alone: Option<waiting::Alone>,
    /// Whether a time-out was left out that could have come again.
    leaves_timeouts_out: bool,
    /// Whether an ordering weaker than `SeqCst` was executed.
    has_weak_orderings: bool,
    /// A cell that several threads accessed, one of them writing: whether they raced is not known.
    unchecked_cell: Option<ObjectId>,
    outcome: Option<String>,
    ending: Option<Ending>,
    /// Who was where when nobody could go on.
    blocked: Vec<Blocked>,
}

/// Whether an execution runs on this OS thread.
pub(crate) fn is_running() -> bool {
    CURRENT_NUMBER.get() != 0
}

/// Gives access to the current execution. It must not be asked for twice, nor
/// held across a switch: user code never runs inside.
///
/// # Panics
///
/// Outside an execution.
pub(crate) fn with<R>(f: impl FnOnce(&mut Execution) -> R) -> R {
    CURRENT.with_borrow_mut(|current| f(current.as_mut().expect("an execution is running")))
}

/// Like [`with`], but `None` where there is no execution or it is being looked at.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    CURRENT.with(|current| Some(f(current.try_borrow_mut().ok()?.as_mut()?)))
}

/// Makes an execution the current one of this OS thread.
pub(crate) fn enter(execution: Box<Execution>) {
    CURRENT_NUMBER.set(execution.number);
    CURRENT.set(Some(execution));
}

/// Ends the current execution, if there is one, and returns it.
pub(crate) fn leave() -> Option<Box<Execution>> {
    CURRENT_NUMBER.set(0);
    CURRENT.take()
}

/// Does one operation of the current thread: announces it, lets the scheduler
/// choose, and performs it, with the number of the way it goes.
///
/// `perform` runs while the execution is borrowed and must not run user code.
/// In a doomed execution it can be called although the requirement of the
/// operation does not hold.
pub(crate) fn step<R>(next: NextStep, perform: impl FnOnce(&mut Execution, u32) -> R) -> R {
    let mode = prepare(next);
    if mode == Mode::Silent {
        leave_doomed();
    }
    act(next, mode, perform)
}

/// Like [`step`], for an operation of a destructor that std's would do too, which is always
/// possible.
///
/// It never unwinds, since not every collection drops all of its items when the destructor of one
/// does. In an execution that was doomed meanwhile, the next operation of the thread does.
pub(crate) fn step_in_drop<R>(next: NextStep, perform: impl FnOnce(&mut Execution, u32) -> R) -> R {
    let mode = prepare(next);
    act(next, mode, perform)
}

/// Unwinds the current thread if the execution is doomed and the thread does not unwind already.
pub(crate) fn leave_doomed() {
    let leaves = with(|execution| {
        let lingers = std::mem::take(&mut execution.current_mut().lingers);
        lingers || (execution.is_doomed() && !std::thread::panicking())
    });
    if leaves {
        unwind();
    }
}

/// Announces an operation and waits until it is its turn.
fn prepare(next: NextStep) -> Mode {
    let (mode, switch) = with(|execution| execution.announce(next));
    let Some(switch) = switch else { return mode };
    switch();
    let (mode, is_locked) = with(|execution| {
        if !execution.is_doomed() {
            return (mode, false);
        }
        let is_locked = match next.requires {
            Requirement::Free(mutex) | Requirement::Woken { mutex } => !execution.is_free(mutex),
            _ => false,
        };
        let thread = execution.current_mut();
        thread.lingers |= mode == Mode::Scheduled;
        // Of a destructor that had to wait, it is the turn when the other threads have ended.
        let waited = std::mem::take(&mut thread.waits_unwinding);
        (Mode::Silent, waited && is_locked)
    });
    if is_locked {
        end_process(next);
    }
    mode
}

/// Two destructors wait for locks that the threads of each other hold. To give one of them a lock
/// that is held would break what a lock is for, and to unwind is not possible.
#[expect(
    clippy::print_stderr,
    reason = "there will be no report to hold the message"
)]
fn end_process(next: NextStep) -> ! {
    let (file, line) = (next.at.file(), next.at.line());
    eprintln!(
        "racelab: destructors wait for each other while a failed execution is unwound, one of \
         them at {file}:{line}; there is no way to go on"
    );
    std::process::abort()
}

fn act<R>(next: NextStep, mode: Mode, perform: impl FnOnce(&mut Execution, u32) -> R) -> R {
    with(|execution| {
        let alternative = execution.begin(&next, mode);
        let result = perform(execution, alternative);
        execution.finish(mode);
        result
    })
}

/// Ends the execution from inside a thread under test.
pub(crate) fn give_up(ending: Ending) -> ! {
    let switch = with(|execution| {
        execution.end(ending);
        execution.scheduling.switch
    });
    // The threads are unwound in an order that the scheduler knows.
    switch();
    unwind()
}

/// Unwinds the current thread of a doomed execution, quietly.
fn unwind() -> ! {
    std::panic::resume_unwind(Box::new(root::Doomed))
}

impl Execution {
    pub(crate) fn new(
        number: u64,
        scheduling: Scheduling,
        max_steps: usize,
        pulse: Arc<Pulse>,
    ) -> Self {
        Execution {
            number,
            scheduling,
            max_steps,
            pulse,
            threads: vec![Thread::new(None)],
            starting: vec![ThreadId::MAIN],
            objects: Vec::new(),
            addresses: Vec::new(),
            current: ThreadId::MAIN,
            alternative: 0,
            events: Vec::new(),
            schedule: Vec::new(),
            preemptions: 0,
            writes: 0,
            alone: None,
            leaves_timeouts_out: false,
            has_weak_orderings: false,
            unchecked_cell: None,
            outcome: None,
            ending: None,
            blocked: Vec::new(),
        }
    }

    /// Makes room for the next execution, keeping the memory of this one.
    pub(crate) fn reset(&mut self, number: u64) {
        self.number = number;
        self.threads.clear();
        self.threads.push(Thread::new(None));
        self.starting.clear();
        self.starting.push(ThreadId::MAIN);
        self.objects.clear();
        self.addresses.clear();
        self.current = ThreadId::MAIN;
        self.alternative = 0;
        self.events.clear();
        self.schedule.clear();
        self.preemptions = 0;
        self.writes = 0;
        self.alone = None;
        self.leaves_timeouts_out = false;
        self.has_weak_orderings = false;
        self.unchecked_cell = None;
        self.outcome = None;
        self.ending = None;
        self.blocked.clear();
    }

    // What the façade asks and says.

    pub(crate) fn scheduling(&self) -> Scheduling {
        self.scheduling
    }

    pub(crate) fn me(&self) -> ThreadId {
        self.current
    }

    pub(crate) fn thread(&self, thread: ThreadId) -> &Thread {
        &self.threads[thread.index()]
    }

    pub(crate) fn thread_mut(&mut self, thread: ThreadId) -> &mut Thread {
        &mut self.threads[thread.index()]
    }

    pub(crate) fn current_mut(&mut self) -> &mut Thread {
        &mut self.threads[self.current.index()]
    }

    pub(crate) fn object(&self, object: ObjectId) -> &Object {
        &self.objects[object.index()]
    }

    pub(crate) fn object_mut(&mut self, object: ObjectId) -> &mut Object {
        &mut self.objects[object.index()]
    }

    /// Adds a thread, which the engine then has to start.
    pub(crate) fn add_thread(&mut self, name: Option<String>) -> ThreadId {
        let thread = ThreadId(u32::try_from(self.threads.len()).expect("fewer than 2^32 threads"));
        self.threads.push(Thread::new(name));
        self.starting.push(thread);
        thread
    }

    /// Ends a thread that was added and is not going to be started.
    pub(crate) fn cancel_start(&mut self, thread: ThreadId) {
        self.starting.retain(|&other| other != thread);
        self.thread_mut(thread).finished = true;
    }

    /// The value that stands for an address in the trace.
    pub(crate) fn pointer(&mut self, address: usize) -> Value {
        if address == 0 {
            return Value::Pointer(0);
        }
        let known = self.addresses.iter().position(|&other| other == address);
        let index = known.unwrap_or_else(|| {
            self.addresses.push(address);
            self.addresses.len() - 1
        });
        Value::Pointer(u32::try_from(index + 1).expect("fewer than 2^32 addresses"))
    }

    /// Notes in the event of the operation that is being performed what it did.
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut Event)) {
        if let Some(event) = self.events.last_mut() {
            change(event);
        }
    }

    /// Records an access of a cell, which is not a step.
    pub(crate) fn access_cell(&mut self, cell: ObjectId, access: &NextStep) {
        if self.is_doomed() {
            return;
        }
        self.push_event(access, None);
        let me = self.me();
        let writes = access.operation == Operation::CellWrite;
        if let State::Cell(state) = &mut self.object_mut(cell).state
            && state.access(me, writes)
        {
            self.unchecked_cell.get_or_insert(cell);
        }
    }

    /// Adds to the outcome of the execution.
    pub(crate) fn add_outcome(&mut self, value: &str) {
        match &mut self.outcome {
            Some(outcome) => {
                outcome.push_str(", ");
                outcome.push_str(value);
            }
            None => self.outcome = Some(value.to_owned()),
        }
    }

    /// Dooms the execution, unless it is doomed already.
    pub(crate) fn end(&mut self, ending: Ending) {
        if self.ending.is_none() {
            self.ending = Some(ending);
        }
    }

    pub(crate) fn is_doomed(&self) -> bool {
        self.ending.is_some()
    }

    // What the engine and the search ask.

    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    pub(crate) fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }

    pub(crate) fn outcome(&self) -> Option<&str> {
        self.outcome.as_deref()
    }

    pub(crate) fn schedule(&self) -> &[Choice] {
        &self.schedule
    }

    pub(crate) fn unchecked_cell(&self) -> Option<ObjectInfo> {
        Some(self.object_info(self.unchecked_cell?))
    }

    pub(crate) fn leaves_timeouts_out(&self) -> bool {
        self.leaves_timeouts_out
    }

    pub(crate) fn has_weak_orderings(&self) -> bool {
        self.has_weak_orderings
    }

    pub(crate) fn preemptions(&self) -> u32 {
        self.preemptions
    }

    pub(crate) fn threads(&self) -> impl Iterator<Item = (ThreadId, &Thread)> {
        (0..).map(ThreadId).zip(&self.threads)
    }

    /// The object's name, for a sentence about it.
    pub(crate) fn object_info(&self, object: ObjectId) -> ObjectInfo {
        let Object {
            kind,
            name,
            made_at,
            ..
        } = self.object(object);
        let older = &self.objects[..object.index()];
        let rank = 1 + older.iter().filter(|other| other.kind == *kind).count();
        ObjectInfo {
            kind,
            name: name.clone(),
            rank: u32::try_from(rank).expect("fewer than 2^32 objects"),
            made_at,
        }
    }

    /// The last event.
    pub(crate) fn last_event(&self) -> Option<Event> {
        self.events.last().copied()
    }

    /// A copy of what happened.
    pub(crate) fn trace(&self) -> Trace {
        let objects = (0..self.objects.len()).map(|index| {
            self.object_info(ObjectId(
                u32::try_from(index).expect("fewer than 2^32 objects"),
            ))
        });
        Trace {
            threads: self
                .threads
                .iter()
                .map(|t| ThreadInfo {
                    name: t.name.clone(),
                })
                .collect(),
            objects: objects.collect(),
            events: self.events.clone(),
        }
    }

    // How a step goes.

    /// Publishes what the current thread is about to do. Returns how it is to be done, and the
    /// way to the scheduler if it has to decide first.
    fn announce(&mut self, next: NextStep) -> (Mode, Option<fn()>) {
        // One OS thread runs all threads, and so counts the panics of others too.
        let panicking = std::thread::panicking() && !self.thread(self.current).lingers;
        if !self.is_doomed() && !panicking {
            self.current_mut().next = Some(next);
            return (Mode::Scheduled, Some(self.scheduling.switch));
        }
        if panicking && !self.met(self.current, next.requires) {
            // A thread cannot be suspended while it unwinds, so nobody can make this possible.
            // If the panic reaches the root of the thread, it will be the failure all the same.
            self.end(Ending::Unsupported(format!(
                "a destructor waits at {} while a panic unwinds its thread, which the lab cannot run",
                next.at
            )));
            self.current_mut().waits_unwinding = true;
            return (Mode::Silent, Some(self.scheduling.switch));
        }
        let mode = if self.is_doomed() {
            Mode::Silent
        } else {
            Mode::Unscheduled
        };
        (mode, None)
    }

    /// Records the operation that is about to be performed, and returns which way it goes.
    fn begin(&mut self, next: &NextStep, mode: Mode) -> u32 {
        match mode {
            Mode::Scheduled => {
                self.current_mut().next = None;
                let step = u32::try_from(self.schedule.len()).expect("steps are bounded");
                self.push_event(next, Some(step));
                self.alternative
            }
            Mode::Unscheduled => {
                self.push_event(next, None);
                0
            }
            Mode::Silent => {
                // The details that `perform` notes need an event to go to.
                self.push_event(next, None);
                0
            }
        }
    }

    /// Draws the consequences of the operation that was performed.
    fn finish(&mut self, mode: Mode) {
        if mode == Mode::Silent {
            self.events.pop();
            return;
        }
        let event = *self.events.last().expect("the operation was recorded");
        if is_write(&event) {
            self.wrote();
        } else {
            self.note_waiting(&event);
        }
    }

    fn push_event(&mut self, next: &NextStep, step: Option<u32>) {
        self.pulse.beat(self.current, next.operation, next.at);
        self.has_weak_orderings |= next.ordering.is_some_and(|o| o != Ordering::SeqCst);
        self.events.push(Event {
            step,
            thread: self.current,
            operation: next.operation,
            object: next.object,
            target: next.target,
            read: None,
            written: None,
            result: None,
            ordering: next.ordering,
            at: next.at,
        });
    }
}

/// Whether the event changed anything that another thread can see.
fn is_write(event: &Event) -> bool {
    match event.operation {
        Operation::Load
        | Operation::Fence
        | Operation::Join
        | Operation::CellRead
        | Operation::Yield
        | Operation::Sleep
        | Operation::Timeout => false,
        _ => !matches!(
            event.result,
            Some(EventResult::Failed | EventResult::FailedSpuriously | EventResult::Disconnected)
        ),
    }
}
