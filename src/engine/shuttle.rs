//! Sequentially consistent executions under shuttle: its runner, its coroutines, and its schedulers.
//!
//! Only shuttle's bare scheduling point and bare spawn are used. Between its runner and the scheduler
//! that chooses stands a wrapper. It asks the execution what is possible, as the driver of our own
//! coroutines does, and shows the scheduler only the tasks of threads whose next step can run: so
//! events, clocks, races and deadlocks are recorded as under our own engines, and what shuttle has
//! chosen is a schedule as any other. A step that can go in several ways, as one that may time out,
//! is what shuttle calls random data: its scheduler draws the way.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{self, Location, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{env, io, mem, thread};

use corosensei::stack::DefaultStack;
use shuttle::scheduler::{
    PctScheduler, RandomScheduler, RoundRobinScheduler, Schedule, Scheduler, Task, TaskId,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use shuttle_engine::runtime::execution::ExecutionState;
use shuttle_engine::runtime::thread::switch as shuttle_switch;

use crate::execution::{self, Execution, NextStep, Refusal, Runtime};
use crate::memory::Access;
use crate::trace::{Choice, Operation, ThreadId};

use super::turnstile::Turnstile;
use super::{Conduct, Coroutines, Point, STACK_SIZE, Search, panic_hook, stack_overflow};

/// How many orderings of steps a bug may need, for shuttle's PCT: as many as for our own.
const DEPTH: usize = 3;

/// Variables of the environment by which shuttle's schedulers do other than what they are told.
const VARIABLES: [&str; 2] = ["SHUTTLE_RANDOM_SEED", "SHUTTLE_ALWAYS_PERSIST_SEED"];

/// Who chooses the steps of executions on shuttle's runtime.
pub(crate) trait Chooser<S>: Send + 'static {
    /// How the executions are to be run.
    fn conduct(&self, search: &S) -> Conduct;

    /// Hears that an execution begins.
    fn begin(&mut self) {}

    /// Chooses the next step, or `None` to abandon the execution.
    fn choose(&mut self, search: &mut S, point: &Point<'_>, asked: &Asked<'_>) -> Option<Choice>;
}

/// What shuttle asks its scheduler.
pub(crate) struct Asked<'a> {
    /// The tasks that could run, to shuttle.
    runnable: &'a [&'a Task],
    /// Whether a thread has yielded since the last choice.
    has_yielded: bool,
}

/// The search itself.
pub(crate) struct Itself;

impl<S: super::Scheduler> Chooser<S> for Itself {
    fn conduct(&self, search: &S) -> Conduct {
        search.conduct()
    }

    fn choose(&mut self, search: &mut S, point: &Point<'_>, _asked: &Asked<'_>) -> Option<Choice> {
        search.choose(point)
    }
}

/// A scheduler of shuttle's.
pub(crate) struct ShuttleScheduler {
    /// Never dropped, since the random one prints its seed then, unless it has run all executions
    /// that it was made for. It owns little.
    scheduler: ManuallyDrop<Box<dyn Scheduler + Send>>,
    /// Whether the last execution that it has heard of had a choice between threads, if there was
    /// one.
    is_used_up: bool,
}

impl ShuttleScheduler {
    /// shuttle's random walk.
    pub(crate) fn random(seed: u64) -> Result<Self, String> {
        Self::of(|| RandomScheduler::new_from_seed(seed, usize::MAX))
    }

    /// shuttle's probabilistic concurrency testing.
    pub(crate) fn pct(seed: u64) -> Result<Self, String> {
        Self::of(|| PctScheduler::new_from_seed(seed, DEPTH, usize::MAX))
    }

    fn of<S: Scheduler + Send + 'static>(scheduler: impl FnOnce() -> S) -> Result<Self, String> {
        match VARIABLES.iter().find(|name| env::var_os(name).is_some()) {
            Some(name) => Err(format!(
                "the variable {name} is set, by which shuttle's schedulers do not keep to the seed \
                 of the search or write files: unset it"
            )),
            None => Ok(ShuttleScheduler {
                scheduler: ManuallyDrop::new(Box::new(scheduler())),
                is_used_up: true,
            }),
        }
    }
}

impl<S> Chooser<S> for ShuttleScheduler {
    fn conduct(&self, _search: &S) -> Conduct {
        Conduct::default()
    }

    fn begin(&mut self) {
        // Without a choice there was nothing to learn for it, and its PCT panics.
        if mem::replace(&mut self.is_used_up, false) {
            self.scheduler
                .new_execution()
                .expect("it was made for any number of executions");
        }
    }

    fn choose(&mut self, _search: &mut S, point: &Point<'_>, asked: &Asked<'_>) -> Option<Choice> {
        let ways_of = |thread: ThreadId| {
            let ways = point.choices.iter();
            ways.filter(move |choice| choice.thread == thread)
        };
        let able = asked.runnable.iter().copied();
        let able = able.filter(|task| ways_of(thread_of(task.id())).next().is_some());
        let able: Vec<&Task> = able.collect();
        self.is_used_up |= able.len() > 1;
        // The one that has made the last step, and not one that has been started since.
        let last = TaskId::from(point.last.unwrap_or(ThreadId::MAIN).index());
        let scheduler = &mut self.scheduler;
        let task = scheduler.next_task(&able, Some(last), asked.has_yielded)?;
        let mut ways = ways_of(thread_of(task));
        match ways.clone().count() {
            1 => ways.next().copied(),
            several => {
                let drawn = scheduler.next_u64() % several as u64;
                ways.nth(usize::try_from(drawn).expect("it is less than a usize"))
                    .copied()
            }
        }
    }
}

/// Lets shuttle install its panic hook now, and takes it away.
///
/// It does so once in a process, at its first run, and prints lines for every panic from then on. To
/// be called before the lab's hook is installed, which would be behind it otherwise.
pub(super) fn forestall_hook() {
    // Not a random one, which reads the environment.
    Runner::new(RoundRobinScheduler::new(1), config()).run(|| {});
    drop(panic::take_hook());
}

/// Runs executions of `program` on shuttle's runtime until the search wants no more, and returns it.
pub(crate) fn run_on_shuttle<S: Search + 'static>(
    program: &Coroutines,
    chooser: impl Chooser<S>,
    search: S,
) -> S {
    panic_hook::install();
    stack_overflow::install();
    let driver = Arc::new(Mutex::new(Some(Driver {
        program: program.clone(),
        chooser,
        turnstile: Turnstile::new(search),
        has_yielded: false,
    })));
    // On an OS thread of its own, which can be left behind together with threads under test.
    loop {
        let (left_behind, is_left_behind) = channel();
        let worker = thread::Builder::new().name("racelab".to_owned()).spawn({
            let driver = Arc::clone(&driver);
            let body = Arc::clone(&program.body);
            move || run_here(&driver, left_behind, body)
        });
        let worker = worker.unwrap_or_else(|error| Refusal::of_thread(&error).unwind());
        match is_left_behind.recv() {
            Ok(None) => continue,
            Ok(Some(refusal)) => refusal.unwind(),
            Err(_) => {}
        }
        worker
            .join()
            .unwrap_or_else(|payload: Box<dyn Any + Send>| resume_unwind(payload));
        let driver = lock(&driver).take();
        return driver.expect("only here it is taken").turnstile.search;
    }
}

/// Maps and unmaps a number of stacks, to know whether the system has the memory: shuttle maps them itself,
/// and panics where it cannot.
pub(super) fn probe_stacks(stacks: usize) -> io::Result<()> {
    let stacks = (0..stacks).map(|_| DefaultStack::new(STACK_SIZE));
    stacks.collect::<io::Result<Vec<_>>>().map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs executions on this OS thread, until no more are wanted or it is left behind.
fn run_here<S: Search + 'static, C: Chooser<S>>(
    driver: &Arc<Mutex<Option<Driver<S, C>>>>,
    left_behind: Sender<Option<Refusal>>,
    body: Arc<dyn Fn() + Send + Sync>,
) {
    // A panic of the lab itself must not leave an execution behind.
    let _end = Leave;
    LEAVE_BEHIND.set(Some(Box::new({
        let driver = Arc::clone(driver);
        move |refusal: Option<Refusal>| {
            if let Some(driver) = &mut *lock(&driver)
                && refusal.is_none()
            {
                driver.abandon();
            }
            // Nobody listens any more if the search was taken for stuck.
            let _ = left_behind.send(refusal);
        }
    })));
    let scheduler = Wrapper {
        driver: Arc::clone(driver),
        idle: None,
    };
    if let Err(error) = probe_stacks(1) {
        Refusal::of_memory("for the stack of the main thread", &error).unwind();
    }
    Runner::new(scheduler, config()).run(move || {
        stack_overflow::note_stack();
        execution::run_body(&*body);
    });
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK_SIZE;
    // The lab has its own replay and its own bound on steps.
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Leaves the current execution when it is dropped.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        drop(LEAVE_BEHIND.take());
        drop(execution::leave());
    }
}

/// Gives up an OS thread, for the reason that something was refused or another one.
type LeaveBehind = Box<dyn FnOnce(Option<Refusal>)>;

thread_local! {
    /// Set while a thread gives its turn back. shuttle has scheduling points of its own, in its spawn
    /// and behind the end of its main task, which are not the lab's.
    static GIVES_TURN_BACK: Cell<bool> = const { Cell::new(false) };
    /// Gives up this OS thread: the search goes on with another one, or ends with what was refused.
    static LEAVE_BEHIND: RefCell<Option<LeaveBehind>> = const { RefCell::new(None) };
    /// How many threads there have been at most in one execution on this OS thread: shuttle keeps their
    /// stacks.
    static MOST_THREADS: Cell<usize> = const { Cell::new(0) };
}

/// The engine as the threads see it: they give their turn back to shuttle.
struct Turns;

impl Runtime for Turns {
    fn take_turn(&self, next: &NextStep, _access: Option<&Access>) -> Option<u64> {
        if matches!(next.operation, Operation::Yield | Operation::Sleep) {
            ExecutionState::request_yield();
        }
        switch();
        None
    }

    fn let_others_unwind(&self) {
        switch();
    }

    fn runs_on(&self) -> bool {
        true
    }

    /// shuttle would let the thread finish its panic at the end of the execution, or free the stack,
    /// to which others may refer. So its whole OS thread stays where it is, with all stacks on it.
    fn leave_behind(&self) {
        execution::with(Execution::leave_behind);
        leave_os_thread(None);
    }

    fn spawn(&self, thread: ThreadId, f: Box<dyn FnOnce()>) {
        reserve_stack(thread);
        let start = Box::new(|| {
            stack_overflow::note_stack();
            f();
        });
        // Tasks are started in the order of the threads, so that they have the same numbers.
        ExecutionState::spawn_thread(start, STACK_SIZE, None, None, Location::caller());
    }
}

/// Leaves this OS thread where it is, with all stacks on it.
fn leave_os_thread(refusal: Option<Refusal>) -> ! {
    let leave = LEAVE_BEHIND.take();
    leave.expect("an OS thread is left behind once")(refusal);
    loop {
        thread::park();
    }
}

/// Ends the search where the system has no memory for the stack of another thread.
fn reserve_stack(of: ThreadId) {
    let threads = of.index() + 1;
    if threads <= MOST_THREADS.get() {
        return;
    }
    if let Err(error) = probe_stacks(1) {
        // In the middle of an execution, which nobody can go on with.
        let what = "for the stack of another thread under test";
        leave_os_thread(Some(Refusal::of_memory(what, &error)));
    }
    MOST_THREADS.set(threads);
}

fn switch() {
    GIVES_TURN_BACK.set(true);
    shuttle_switch();
    stack_overflow::note_stack();
}

/// What outlives the OS thread that executions run on.
struct Driver<S, C> {
    program: Coroutines,
    chooser: C,
    turnstile: Turnstile<S>,
    /// Whether a thread has yielded since the last choice.
    has_yielded: bool,
}

impl<S: Search, C: Chooser<S>> Driver<S, C> {
    /// Begins another execution, if one is wanted, in the memory of an earlier one.
    fn begin(&mut self, idle: Option<Box<Execution>>) -> bool {
        let Turnstile { search, .. } = &mut self.turnstile;
        if !search.wants_execution() {
            return false;
        }
        self.chooser.begin();
        self.has_yielded = false;
        let conduct = self.chooser.conduct(search);
        self.turnstile.begin(&self.program, &Turns, conduct, idle);
        true
    }

    /// The current execution is left where it is.
    fn abandon(&mut self) {
        let stacks = execution::with(|execution| {
            self.turnstile.tell(execution);
            let is_left = |thread: &execution::Thread| !thread.finished || thread.is_left_behind;
            execution.threads().filter(|(_, t)| is_left(t)).count()
        });
        self.program.pulse.leave_behind(stacks * STACK_SIZE);
    }

    /// The thread that goes on, or `None` if all have ended.
    fn next(&mut self, runnable: &[&Task], is_yielding: bool) -> Option<ThreadId> {
        self.has_yielded |= is_yielding;
        execution::with(|execution| {
            self.turnstile.next(execution, |search, point| {
                let has_yielded = mem::take(&mut self.has_yielded);
                let asked = Asked {
                    runnable,
                    has_yielded,
                };
                self.chooser.choose(search, point, &asked)
            })
        })
    }
}

fn thread_of(task: TaskId) -> ThreadId {
    ThreadId(u32::try_from(usize::from(task)).expect("fewer than 2^32 threads"))
}

/// What shuttle takes for its scheduler.
struct Wrapper<S, C> {
    driver: Arc<Mutex<Option<Driver<S, C>>>>,
    /// The last execution, kept for its memory.
    idle: Option<Box<Execution>>,
}

impl<S, C> Wrapper<S, C> {
    fn with<R>(&self, f: impl FnOnce(&mut Driver<S, C>) -> R) -> R {
        f(lock(&self.driver)
            .as_mut()
            .expect("it is taken when all is over"))
    }
}

impl<S: Search, C: Chooser<S>> Scheduler for Wrapper<S, C> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if let Some(execution) = execution::leave() {
            self.with(|driver| driver.turnstile.tell(&execution));
            self.idle = Some(execution);
        }
        let idle = self.idle.take();
        self.with(|driver| driver.begin(idle))
            .then(|| Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let can_go_on = |task| runnable.iter().any(|other| other.id() == task);
        if !GIVES_TURN_BACK.replace(false) && current.is_some_and(can_go_on) {
            return current;
        }
        let next = self.with(|driver| driver.next(runnable, is_yielding));
        next.map(|thread| TaskId::from(thread.index()))
    }

    fn next_u64(&mut self) -> u64 {
        panic!("racelab: a body under the lab has no access to shuttle's random numbers")
    }
}
