//! Executions under the memory model of C11, on loom.
//!
//! loom has its own threads, its own memory and its own search. The façade's operations are put
//! on as few of loom's as possible: atomics are loom's, in bits; a mutex is loom's; a plain cell
//! is loom's, which tells the races. Everything else that waits is one *monitor* for each object,
//! a mutex of loom's that is taken and released: with that it is loom's choice who comes next, and
//! who finds that it cannot go on parks until that has changed.
//!
//! Who holds what and who waits for what is known from the execution, so that a deadlock is
//! noticed before loom does, which would panic.

mod memory;
mod model;
mod runtime;

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, PoisonError};

use loom::model::Builder;

use crate::execution::{self, Ending, Execution, Patience, Pulse, message_of, with};

use super::{STACK_SIZE, Search, begin, panic_hook, stack_overflow};

use self::model::{MODEL, Model, Mutexes};
use self::runtime::{LoomRuntime, MAX_THREADS};

/// How many branches loom's search may have for each step that an execution may have: a step of a
/// thread that has to wait branches more than once.
const BRANCHES_PER_STEP: usize = 4;

/// A body under test, ready to be run by loom.
#[derive(Clone)]
pub(crate) struct Loom {
    pub(crate) body: Arc<dyn Fn() + Send + Sync>,
    /// The bound on the steps of an execution.
    pub(crate) max_steps: usize,
    /// The bound on the preemptions of an execution, as loom counts them.
    pub(crate) preemption_bound: Option<u8>,
    pub(crate) pulse: Arc<Pulse>,
}

impl fmt::Debug for Loom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loom")
            .field("max_steps", &self.max_steps)
            .field("preemption_bound", &self.preemption_bound)
            .finish_non_exhaustive()
    }
}

/// A search through executions that loom has put in order.
pub(crate) trait LoomSearch: Search + 'static {
    /// Forgets what it has seen, since loom begins again and runs every execution in another way.
    /// The executions are numbered on, so that a number stands for one of either search.
    fn begin_again(&mut self);
}

/// A search that wants no more of loom's executions.
pub(crate) struct Looked<S> {
    pub(crate) search: S,
    /// Whether it has seen all that there are.
    pub(crate) is_exhausted: bool,
}

impl Loom {
    /// Runs executions until the search wants no more or all were run.
    pub(crate) fn run<S: LoomSearch>(&self, search: S) -> Looked<S> {
        panic_hook::install();
        stack_overflow::install();
        let driver = Arc::new(std::sync::Mutex::new(Driver {
            search: Some(search),
            max_steps: self.max_steps,
            pulse: Arc::clone(&self.pulse),
        }));
        let mut result = self.search(&driver);
        let begins_again = lock(&driver).begins_again();
        if begins_again {
            result = self.search(&driver);
        }
        let mut driver = lock(&driver);
        let is_exhausted = result.is_ok();
        match result {
            Ok(()) => driver.finish(),
            Err(payload) if payload.is::<NoMore>() => {}
            Err(payload) => driver.fail(&*payload),
        }
        MODEL.take().forget();
        drop(IDLE.take());
        // Taken out, since what a panic of loom's has left behind may never let go of the driver.
        let search = driver.search.take().expect("it is taken once");
        Looked {
            search,
            is_exhausted,
        }
    }

    /// Runs loom's search, until there is no execution left or it is left by a panic.
    fn search<S: LoomSearch>(
        &self,
        driver: &Arc<std::sync::Mutex<Driver<S>>>,
    ) -> std::thread::Result<()> {
        let body = Arc::clone(&self.body);
        let driver = Arc::clone(driver);
        catch_unwind(AssertUnwindSafe(|| {
            self.builder().check(move || {
                lock(&driver).begin();
                // loom gives its main thread a stack of 32 KiB, whatever the body needs.
                stacker::grow(STACK_SIZE, || {
                    stack_overflow::note_stack();
                    execution::run_body(&*body);
                });
            });
        }))
    }

    fn builder(&self) -> Builder {
        // What loom reads from the environment is set here, all of it.
        let mut builder = Builder::new();
        builder.max_threads = MAX_THREADS;
        builder.max_branches = self.max_steps.saturating_mul(BRANCHES_PER_STEP);
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.preemption_bound = self.preemption_bound.map(usize::from);
        builder.checkpoint_file = None;
        // So that a data race names its threads.
        builder.location = true;
        builder.log = false;
        builder
    }
}

/// What the main thread of an execution is unwound with when no more are wanted: there is no other
/// way out of loom's loop.
struct NoMore;

/// Shows a search loom's executions.
struct Driver<S> {
    search: Option<S>,
    max_steps: usize,
    pulse: Arc<Pulse>,
}

thread_local! {
    /// The last execution, kept for its memory. Not in the driver, which loom wants to be able to
    /// move to another OS thread.
    static IDLE: RefCell<Option<Box<Execution>>> = const { RefCell::new(None) };
}

impl<S: LoomSearch> Driver<S> {
    /// Begins an execution. If no other one is wanted it does not return.
    fn begin(&mut self) {
        self.finish();
        let is_wanted = !MODEL.with_borrow(|model| model.needs_monitors);
        if !is_wanted || !self.search().wants_execution() {
            resume_unwind(Box::new(NoMore));
        }
        MODEL.with_borrow_mut(Model::clear);
        begin(IDLE.take(), |number| {
            Execution::new(
                number,
                &LoomRuntime,
                self.max_steps,
                Arc::clone(&self.pulse),
                Patience::default(),
                false,
            )
        });
        with(Execution::start_main);
    }

    /// Whether loom's search has to begin again, since mutexes have to be modelled in another way.
    fn begins_again(&mut self) -> bool {
        let needs_monitors = MODEL.with_borrow(|model| model.needs_monitors);
        if needs_monitors {
            self.finish();
            self.search().begin_again();
            MODEL.with_borrow_mut(|model| {
                model.clear();
                model.mutexes = Mutexes::Monitors;
            });
        }
        needs_monitors
    }

    /// Hands the last execution to the search.
    fn finish(&mut self) {
        if let Some(execution) = execution::leave() {
            self.search().finished(&execution);
            IDLE.set(Some(execution));
        }
    }

    /// loom has ended by a panic of its own.
    fn fail(&mut self, payload: &(dyn Any + Send)) {
        if execution::is_running() {
            // loom's panics have messages. One without is how its coroutines report this.
            let is_overflow = !payload.is::<String>() && !payload.is::<&str>();
            let ending = if is_overflow {
                Ending::Unsupported(format!(
                    "a thread overflowed its stack of {} MiB, most likely by a recursion without \
                     an end",
                    STACK_SIZE >> 20
                ))
            } else {
                gave_up(payload)
            };
            // loom is gone, so that nobody can be woken who waits there.
            MODEL.with_borrow_mut(Model::clear);
            with(|execution| execution.end(ending));
        }
        self.finish();
    }

    fn search(&mut self) -> &mut S {
        self.search.as_mut().expect("it is there during the run")
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why an execution ends at which loom has panicked.
fn gave_up(payload: &(dyn Any + Send)) -> Ending {
    let message = message_of(payload);
    Ending::Unsupported(
        if message.starts_with("Model exceeded maximum number of branches") {
            "an execution has more branches than loom can follow: it may never end, as a loop that \
         spins without a yield, or needs a larger bound (`--max-steps`, `Explorer::max_steps`)"
                .to_owned()
        } else if message.contains("Cannot allocate memory") {
            "the system has no memory for the stack of another thread under test: allow more \
             (`ulimit -v`)"
                .to_owned()
        } else {
            format!("loom gave up: {}", message.trim())
        },
    )
}
