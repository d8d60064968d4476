//! The current execution: everything that the lab knows while code under test runs.
//!
//! An engine runs all threads of an execution on one OS thread, so that a `thread_local!`
//! identifies the execution. Every visible action of the code under test passes [`step`]: there it
//! is announced to the scheduler before it happens, and recorded when it happens. Only accesses of
//! plain cells are recorded without being announced.
//!
//! What an execution shows ends where it fails or is given up, but its threads do not: they run on,
//! in turn and unrecorded, to their own ends. Only where they have none, in a deadlock or a loop
//! that does not end within the bound on steps, is the execution *doomed*: each of its threads is
//! unwound with a private payload that the root of the thread catches. Until then, the operations
//! that its destructors do take effect without being scheduled or recorded.

mod behind_writers;
mod binding;
mod choices;
mod closing;
mod cores;
mod delays;
mod ending;
mod footprint;
mod gate;
mod guarded;
mod happens_before;
mod identity;
mod kept;
mod locals;
mod next_step;
mod object;
mod publications;
mod pulse;
mod real_run;
mod recorded;
mod refusal;
mod root;
mod running;
mod runtime;
mod step;
mod thread;
mod waiting;

use std::borrow::Cow;
use std::cell::Cell;
use std::iter;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use ending::{Failed, Phase};
use footprint::Footprints;

use crate::memory::Accessed;
use crate::model::State;
use crate::trace::{
    Blocked, CellAccesses, Choice, Clock, Event, LeftOut, LeftOutSet, ObjectId, ObjectInfo,
    ThreadId, ThreadInfo, Trace, Value,
};

pub(crate) use binding::Binding;
pub(crate) use choices::Offer;
pub(crate) use closing::close;
pub(crate) use ending::Ending;
pub(crate) use footprint::{Mode, Spot, Touch, Touches};
pub(crate) use guarded::Guarded;
pub(crate) use happens_before::Knowledge;
pub(crate) use identity::Identity;
pub(crate) use kept::Kept;
pub(crate) use locals::LocalState;
pub(crate) use next_step::{Alternatives, NextStep, Requirement};
pub(crate) use object::{Object, Origin};
pub(crate) use publications::Maker;
use publications::Publications;
pub(crate) use pulse::{LastEvent, Pulse};
pub(crate) use real_run::{Conditions, Panic, RealRun, Record};
use recorded::{Lineage, Recorded};
pub(crate) use refusal::Refusal;
#[cfg(feature = "cli")]
pub(crate) use refusal::refuse;
#[cfg(feature = "future")]
pub(crate) use root::{caught_panic, fail_of_caught, is_doom};
pub(crate) use root::{message_of, run_body, run_thread};
pub(crate) use running::intrusion;
pub(crate) use runtime::{RacesWith, Runtime};
pub(crate) use step::{
    give_up, leave_doomed, step, step_in_drop, step_on_memory, step_on_memory_in_drop,
};
pub(crate) use thread::Thread;
pub(crate) use waiting::{Look, Patience};

thread_local! {
    /// Boxed, since it goes back and forth between here and the engine, and is taken out while it is
    /// looked at. Whoever enters an execution leaves it as well, so that nothing is left for the end
    /// of the OS thread to drop: to look whether the destructor is registered would be a part of each
    /// access.
    static CURRENT: Cell<ManuallyDrop<Option<Box<Execution>>>> =
        const { Cell::new(ManuallyDrop::new(None)) };
    /// The number of the current execution, 0 outside. Apart from [`CURRENT`], since every
    /// operation of every object looks at it.
    static CURRENT_NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// What is known of the execution that runs on this OS thread.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
pub(crate) struct Execution {
    number: u64,
    runtime: &'static dyn Runtime,
    max_steps: usize,
    pulse: Arc<Pulse>,
    #[expect(
        clippy::vec_box,
        reason = "they are large, and taken from one execution to the next"
    )]
    threads: Vec<Box<Thread>>,
    /// Threads of earlier executions, kept for their memory.
    #[expect(clippy::vec_box, reason = "as above")]
    idle_threads: Vec<Box<Thread>>,
    /// Threads that were started and have not announced anything yet.
    starting: Vec<ThreadId>,
    /// Stands for what all threads have announced.
    announced: u64,
    objects: Vec<Object>,
    /// The objects that were bound where they were used, by the numbers of their identities.
    late_objects: FxHashMap<u64, ObjectId>,
    /// The values of statics that are made anew in each execution, by the numbers of their
    /// identities.
    statics: FxHashMap<u64, NonNull<()>>,
    publications: Publications,
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
    alone: Option<ThreadId>,
    patience: Patience,
    /// Whether a thread left a loop by itself in which it was taken to spin.
    gained_patience: bool,
    /// Whether choices are left out that lead nowhere new.
    prunes: bool,
    /// Whether waits can end without a notification.
    wakes_spuriously: bool,
    /// Whether the scheduler is asked before an access of a cell.
    cells: CellAccesses,
    /// The step at which something lasting was written last.
    wrote_at: usize,
    /// Whether there was a thread whose rounds undo what they write.
    pub(crate) follows_any_rounds: bool,
    /// What the last access of an atomic has read and written.
    pub(crate) accessed: Accessed,
    /// What was possible and is not explored.
    left_out: LeftOutSet,
    /// To how many cells a pointer was given away, through which accesses are not seen.
    pub(crate) unchecked_cells: u64,
    /// Whether it has waited for an object that another search used.
    pub(crate) has_waited: bool,
    recorded: Recorded,
    ending: Option<Ending>,
    phase: Phase,
    was_cut: bool,
    has_read_stale: bool,
    /// While it destroys what is left behind when all threads have finished: its engine, and how far
    /// it was.
    closing: Option<(&'static dyn Runtime, Phase)>,
    /// Who was where when nobody could go on.
    blocked: Vec<Blocked>,
    footprints: Footprints,
    /// Whether the other threads go on after a failure.
    runs_on: bool,
    failed: Option<Failed>,
}

/// What whoever looks at the current execution relies on.
const RUNS: &str = "an execution is running, and nobody looks at it";

/// Whether an execution runs on this OS thread.
pub(crate) fn is_running() -> bool {
    CURRENT_NUMBER.get() != 0
}

/// The number of the execution that runs on this OS thread, 0 if none does.
pub(crate) fn number() -> u64 {
    CURRENT_NUMBER.get()
}

/// Gives access to the current execution. It must not be asked for twice, nor
/// held across a switch: user code never runs inside.
///
/// # Panics
///
/// Outside an execution, or where it is being looked at.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&mut Execution) -> R) -> R {
    try_with(f).expect(RUNS)
}

/// Like [`with`], but `None` where there is no execution or it is being looked at.
#[inline]
pub(crate) fn try_with<R>(f: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    Borrowed::new().get().map(f)
}

/// The current execution, if there is one and nobody looks at it. It goes back to where it was when
/// this is dropped.
///
/// For [`step`] itself; all others look at it [`with`] a closure.
struct Borrowed(ManuallyDrop<Option<Box<Execution>>>);

impl Borrowed {
    #[inline]
    fn new() -> Self {
        Borrowed(CURRENT.replace(ManuallyDrop::new(None)))
    }

    #[inline]
    fn get(&mut self) -> Option<&mut Execution> {
        self.0.as_deref_mut()
    }
}

impl Drop for Borrowed {
    #[inline]
    fn drop(&mut self) {
        // Mostly there is one. Where there is none, somebody else may look at it.
        if self.0.is_some() {
            CURRENT.set(std::mem::replace(&mut self.0, ManuallyDrop::new(None)));
        }
    }
}

/// Makes an execution the current one of this OS thread.
pub(crate) fn enter(execution: Box<Execution>) {
    CURRENT_NUMBER.set(execution.number);
    running::note(execution.number);
    CURRENT.set(ManuallyDrop::new(Some(execution)));
}

/// Ends the current execution, if there is one, and returns it.
pub(crate) fn leave() -> Option<Box<Execution>> {
    CURRENT_NUMBER.set(0);
    running::note(0);
    ManuallyDrop::into_inner(CURRENT.replace(ManuallyDrop::new(None)))
}

impl Execution {
    pub(crate) fn new(
        number: u64,
        runtime: &'static dyn Runtime,
        max_steps: usize,
        pulse: Arc<Pulse>,
        patience: Patience,
        prunes: bool,
    ) -> Self {
        Execution {
            number,
            runtime,
            max_steps,
            pulse,
            threads: vec![Box::default()],
            idle_threads: Vec::new(),
            starting: vec![ThreadId::MAIN],
            announced: 0,
            objects: Vec::new(),
            late_objects: FxHashMap::default(),
            statics: FxHashMap::default(),
            publications: Publications::default(),
            addresses: Vec::new(),
            current: ThreadId::MAIN,
            alternative: 0,
            events: Vec::new(),
            schedule: Vec::new(),
            preemptions: 0,
            writes: 0,
            alone: None,
            patience,
            gained_patience: false,
            prunes,
            wakes_spuriously: false,
            cells: CellAccesses::default(),
            wrote_at: 0,
            follows_any_rounds: false,
            accessed: Accessed::default(),
            left_out: LeftOutSet::default(),
            unchecked_cells: 0,
            has_waited: false,
            recorded: Recorded::default(),
            ending: None,
            phase: Phase::Explored,
            was_cut: false,
            has_read_stale: false,
            closing: None,
            blocked: Vec::new(),
            footprints: Footprints::default(),
            runs_on: false,
            failed: None,
        }
    }

    /// Makes room for the next execution, keeping the memory of this one.
    pub(crate) fn reset(&mut self, number: u64) {
        self.number = number;
        for thread in &mut self.threads {
            thread.reset();
        }
        self.idle_threads.extend(self.threads.drain(1..));
        self.starting.clear();
        self.starting.push(ThreadId::MAIN);
        self.announced = 0;
        self.objects.clear();
        self.late_objects.clear();
        self.statics.clear();
        self.publications.clear();
        self.addresses.clear();
        self.current = ThreadId::MAIN;
        self.alternative = 0;
        self.events.clear();
        self.schedule.clear();
        self.preemptions = 0;
        self.writes = 0;
        self.alone = None;
        self.gained_patience = false;
        self.left_out = LeftOutSet::default();
        self.unchecked_cells = 0;
        self.has_waited = false;
        self.recorded.clear();
        self.ending = None;
        self.phase = Phase::Explored;
        self.was_cut = false;
        self.has_read_stale = false;
        self.blocked.clear();
        self.footprints.clear();
        self.failed = None;
    }

    // What the façade asks and says.

    pub(crate) fn runtime(&self) -> &'static dyn Runtime {
        self.runtime
    }

    #[inline]
    pub(crate) fn me(&self) -> ThreadId {
        self.current
    }

    #[inline]
    pub(crate) fn thread(&self, thread: ThreadId) -> &Thread {
        &self.threads[thread.index()]
    }

    #[inline]
    pub(crate) fn thread_mut(&mut self, thread: ThreadId) -> &mut Thread {
        &mut self.threads[thread.index()]
    }

    #[inline]
    pub(crate) fn current_mut(&mut self) -> &mut Thread {
        &mut self.threads[self.current.index()]
    }

    #[inline]
    pub(crate) fn object(&self, object: ObjectId) -> &Object {
        &self.objects[object.index()]
    }

    #[inline]
    pub(crate) fn object_mut(&mut self, object: ObjectId) -> &mut Object {
        &mut self.objects[object.index()]
    }

    /// Adds an object.
    pub(crate) fn add_object(
        &mut self,
        kind: &'static str,
        made_at: &'static Location<'static>,
        state: State,
    ) -> ObjectId {
        let origin = self.origin_of_next();
        self.add_object_from(origin, kind, made_at, state)
    }

    /// By what an object is known again that the current thread makes now.
    fn origin_of_next(&mut self) -> Origin {
        let maker = self.current;
        let thread = self.current_mut();
        thread.made += 1;
        Origin::Made(maker, thread.made)
    }

    fn add_object_from(
        &mut self,
        origin: Origin,
        kind: &'static str,
        made_at: &'static Location<'static>,
        state: State,
    ) -> ObjectId {
        let index = u32::try_from(self.objects.len()).expect("fewer than 2^32 objects");
        self.objects.push(Object {
            kind,
            name: None,
            made_at,
            state,
            released: Clock::default(),
            version: 0,
            passing: Vec::new(),
            guarded_version: 0,
            guarded_news: 0,
            guards_nothing: false,
            plain_writes: (ThreadId::MAIN, 0),
            origin,
            is_lent: false,
        });
        ObjectId(index)
    }

    /// Adds a thread, which the engine then has to start.
    pub(crate) fn add_thread(&mut self, name: Option<String>) -> ThreadId {
        let thread = ThreadId(u32::try_from(self.threads.len()).expect("fewer than 2^32 threads"));
        let current = self.current;
        let parent = self.current_mut();
        parent.spawned += 1;
        let parent = Some((current, parent.spawned));
        let mut added = self.idle_threads.pop().unwrap_or_default();
        added.parent = parent;
        added.name = name;
        self.threads.push(added);
        self.starting.push(thread);
        thread
    }

    /// The main thread begins. For an engine that starts threads when it wants to.
    pub(crate) fn start_main(&mut self) {
        self.start(ThreadId::MAIN);
    }

    /// A thread begins, and is the current one. For an engine that starts threads when it wants
    /// to.
    pub(crate) fn start(&mut self, thread: ThreadId) {
        self.starting.retain(|&other| other != thread);
        self.current = thread;
    }

    /// A thread goes on.
    pub(crate) fn set_current(&mut self, thread: ThreadId) {
        self.current = thread;
    }

    /// Ends a thread that was added and is not going to be started.
    pub(crate) fn cancel_start(&mut self, thread: ThreadId) {
        self.starting.retain(|&other| other != thread);
        self.thread_mut(thread).finished = true;
    }

    /// Where the current thread did its last operation.
    pub(crate) fn place(&self) -> Option<&'static Location<'static>> {
        let mut events = self.events.iter().rev();
        let last = events.find(|event| event.thread == self.current);
        last.map(|event| event.at)
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

    /// The place of the value that a static has in this execution, once it has one.
    pub(crate) fn static_value(&self, number: u64) -> Option<NonNull<()>> {
        self.statics.get(&number).copied()
    }

    /// Keeps the place of a value of this size in bytes, which is never freed, and returns the place
    /// of the value that the static has: if its initialiser makes steps, another thread can have made
    /// it meanwhile.
    pub(crate) fn keep_static(
        &mut self,
        number: u64,
        place: NonNull<()>,
        size: usize,
    ) -> NonNull<()> {
        self.pulse.leave_behind(size);
        *self.statics.entry(number).or_insert(place)
    }

    /// The current thread has read an address in an atomic, and stored another one, which points to
    /// what it has made of this size in bytes.
    pub(crate) fn pass_pointer(
        &mut self,
        atomic: ObjectId,
        read: usize,
        stored: Option<usize>,
        size: usize,
    ) {
        let me = self.current;
        if read != 0 {
            self.publications.read(atomic, read, me);
        }
        let Some(stored) = stored.filter(|stored| *stored != read) else {
            return;
        };
        if read != 0 {
            self.publications.replace(read, me);
        }
        if stored != 0 {
            // What is made is made before the step, and is an event of its own.
            self.advance();
            let time = self.thread(me).knowledge.clock.get(me);
            let maker = Maker { thread: me, time };
            self.publications.store(atomic, stored, size, maker);
        }
    }

    /// Who has made what lies at an address, if the current thread has the pointer to it from an atomic.
    pub(crate) fn maker_of(&self, address: usize) -> Option<Maker> {
        self.publications.maker_of(address, self.current)
    }

    /// Notes in the event of the operation that is being performed what it did.
    #[inline]
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut Event)) {
        if let Some(event) = self.events.last_mut() {
            change(event);
        }
    }

    /// Notes in the event of the operation that is being performed that it reads a value which is
    /// not the newest one of the atomic.
    pub(crate) fn note_stale(&mut self, atomic: ObjectId) {
        self.has_read_stale = true;
        let writes = |event: &Event| event.object == Some(atomic) && event.written.is_some();
        let newest = self.events.iter().rposition(writes);
        let newest = newest.and_then(|index| u32::try_from(index).ok());
        self.note(|event| event.stale = newest);
    }

    /// Notes that something was seen which need not be possible: a stale value.
    pub(crate) fn doubt(&mut self) {
        self.has_read_stale = true;
    }

    /// Adds to what the current thread has recorded as the outcome of the execution.
    pub(crate) fn add_outcome(&mut self, value: &str) {
        if self.ending.is_some() {
            return;
        }
        // What is left behind when all threads have finished is nobody's.
        let thread = match self.closing {
            Some(_) => ThreadId::MAIN,
            None => self.current,
        };
        let parent_of = |thread: ThreadId| self.thread(thread).parent;
        let ancestors = iter::successors(parent_of(thread), |(parent, _)| parent_of(*parent));
        let lineage = Lineage::upwards(ancestors.map(|(_, place)| place));
        self.recorded.add(lineage, value);
    }

    /// Lets the threads that have not failed go on after a failure, or not.
    ///
    /// What a search learns from an execution is not complete if it ends where a thread fails: the
    /// steps that others would have done are missing.
    pub(crate) fn run_on(&mut self, runs_on: bool) {
        self.runs_on = runs_on;
    }

    /// Lets waits end without a notification, as one of their ways.
    pub(crate) fn wake_spuriously(&mut self, wakes_spuriously: bool) {
        self.wakes_spuriously = wakes_spuriously;
    }

    pub(crate) fn wakes_spuriously(&self) -> bool {
        self.wakes_spuriously
    }

    /// What the current thread was about to do, and has recorded, does not take place.
    pub(crate) fn forget_last_event(&mut self) {
        if self.is_explored() {
            self.events.pop();
        }
    }

    /// Whether the scheduler is asked before an access of a cell.
    pub(crate) fn access_cells(&mut self, cells: CellAccesses) {
        self.cells = cells;
    }

    #[inline]
    pub(crate) fn cells(&self) -> CellAccesses {
        self.cells
    }

    // What the engine and the search ask.

    /// Whether it read a stale value although every access was `SeqCst`: loom takes such accesses for
    /// less than they are, so that it may not be possible.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.has_read_stale && !self.left_out.has(LeftOut::StaleValues)
    }

    pub(crate) fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }

    /// What was recorded, thread by thread, up to where it failed.
    pub(crate) fn outcome(&self) -> Option<Cow<'_, str>> {
        match &self.failed {
            Some(failed) => failed.recorded.outcome(),
            None => self.recorded.outcome(),
        }
    }

    pub(crate) fn schedule(&self) -> &[Choice] {
        &self.schedule
    }

    pub(crate) fn gained_patience(&self) -> bool {
        self.gained_patience
    }

    /// Notes what was possible and is not explored.
    pub(crate) fn leave_out(&mut self, kind: LeftOut) {
        self.left_out.add(kind);
    }

    /// Notes that the wait which begins could end without a notification, unless that is explored.
    pub(crate) fn leave_out_wake_up(&mut self) {
        if self.is_explored() && !self.wakes_spuriously {
            self.left_out.add(LeftOut::SpuriousWakeUps);
        }
    }

    pub(crate) fn left_out(&self) -> LeftOutSet {
        self.left_out
    }

    pub(crate) fn preemptions(&self) -> u32 {
        self.preemptions
    }

    /// What happened, as far as it is recorded.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Tells threads apart by who has spawned them, in the same order in all executions.
    pub(crate) fn lineage(&self, thread: ThreadId) -> Vec<u32> {
        let parents = std::iter::successors(self.thread(thread).parent, |(parent, _)| {
            self.thread(*parent).parent
        });
        let mut lineage: Vec<u32> = parents.map(|(_, number)| number).collect();
        lineage.reverse();
        lineage
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> usize {
        self.objects.len()
    }

    /// By what the object is known again in another execution.
    pub(crate) fn origin(&self, object: ObjectId) -> Origin {
        self.object(object).origin
    }

    /// How many threads were started.
    #[inline]
    pub(crate) fn thread_count(&self) -> usize {
        self.threads.len()
    }

    #[inline]
    pub(crate) fn threads(&self) -> impl Iterator<Item = (ThreadId, &Thread)> {
        let threads = self.threads.iter().map(|thread| &**thread);
        (0..).map(ThreadId).zip(threads)
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

    /// A copy of what happened, up to where it failed.
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
            events: match &self.failed {
                Some(failed) => self.events[..failed.events].to_vec(),
                None => self.events.clone(),
            },
        }
    }
}
