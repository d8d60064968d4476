//! Executions on coroutines of our own.
//!
//! All threads of an execution run on the OS thread of the search, each on a stack of its own. The
//! driver lets one of them run up to its next operation, asks the execution what is possible and the
//! search what to do, and lets the thread that was chosen go on.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::resume_unwind;
use std::ptr;
use std::sync::Arc;
use std::{mem, thread};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::execution::{self, Execution, NextStep, Patience, Pulse, Refusal, Runtime};
use crate::memory::Access;
use crate::trace::{CellAccesses, ThreadId};

use super::stacks::Stacks;
use super::turnstile::Turnstile;
use super::{Conduct, STACK_SIZE, Scheduler, begin, panic_hook, stack_overflow};

/// A body under test, ready to be run for any search.
#[derive(Clone)]
pub(crate) struct Coroutines {
    pub(crate) body: Arc<dyn Fn() + Send + Sync>,
    /// The bound on the steps of an execution.
    pub(crate) max_steps: usize,
    pub(crate) pulse: Arc<Pulse>,
    /// What the executions so far have shown of loops.
    pub(crate) patience: Patience,
    /// Whether waits can end without a notification.
    pub(crate) wakes_spuriously: bool,
    /// Whether the scheduler is asked before an access of a cell.
    pub(crate) cells: CellAccesses,
}

impl fmt::Debug for Coroutines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutines")
            .field("max_steps", &self.max_steps)
            .finish_non_exhaustive()
    }
}

impl Coroutines {
    /// Runs executions until the search wants no more, and returns it.
    pub(crate) fn run<S: Scheduler>(&self, search: S) -> S {
        panic_hook::install();
        stack_overflow::install();
        let mut driven = if thread::panicking() {
            Driven::UntilTainted(search)
        } else {
            self.drive(search)
        };
        loop {
            match driven {
                Driven::ToTheEnd(search) => return search,
                Driven::UntilTainted(search) => {
                    driven = thread::scope(|scope| {
                        let name = thread::current().name().unwrap_or("racelab").to_owned();
                        let worker = thread::Builder::new().name(name);
                        let worker = worker.spawn_scoped(scope, || self.drive(search));
                        let worker =
                            worker.unwrap_or_else(|error| Refusal::of_thread(&error).unwind());
                        worker
                            .join()
                            .unwrap_or_else(|payload| resume_unwind(payload))
                    });
                }
            }
        }
    }

    /// Begins an execution, in the memory of an earlier one if there was one.
    pub(super) fn begin(
        &self,
        runtime: &'static dyn Runtime,
        conduct: Conduct,
        idle: Option<Box<Execution>>,
    ) {
        begin(idle, |number| {
            Execution::new(
                number,
                runtime,
                self.max_steps,
                Arc::clone(&self.pulse),
                self.patience.clone(),
                conduct.prunes,
            )
        });
        execution::with(|execution| {
            execution.record_touches(conduct.records_from);
            execution.run_on(conduct.runs_on);
            execution.wake_spuriously(self.wakes_spuriously);
            execution.access_cells(self.cells);
        });
    }

    /// Runs executions on this OS thread.
    fn drive<S: Scheduler>(&self, search: S) -> Driven<S> {
        let mut driver = Driver {
            engine: self,
            turnstile: Turnstile::new(search),
            idle: None,
            threads: Threads(Vec::new()),
            stacks: Stacks::new(),
        };
        // A panic of the lab itself must not leave an execution behind.
        let _end = Leave;
        while driver.begin() {
            driver.drive();
            if thread::panicking() {
                return Driven::UntilTainted(driver.turnstile.search);
            }
        }
        Driven::ToTheEnd(driver.turnstile.search)
    }
}

/// How executions were run on an OS thread.
enum Driven<S> {
    ToTheEnd(S),
    /// Until a thread was left behind in the middle of a panic. std counts the panics of an OS thread,
    /// and this one will never end: from then on `std::thread::panicking()` is true on that OS
    /// thread.
    UntilTainted(S),
}

/// Leaves the current execution when it is dropped.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        STARTED.take();
        drop(execution::leave());
    }
}

/// The main function of a thread under test.
type Main = Box<dyn FnOnce()>;

/// A thread under test.
type Thread = Coroutine<(), Paused, (), DefaultStack>;

/// What a thread under test gives its turn back with.
type Turn = Yielder<(), Paused>;

/// How a thread gives its turn back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paused {
    UntilItsTurn,
    /// It was left behind.
    ForEver,
}

thread_local! {
    /// What the thread that runs now gives its turn back with.
    static YIELDER: Cell<*const Turn> = const { Cell::new(ptr::null()) };
    /// The threads that were started and have not run yet.
    static STARTED: RefCell<Vec<(ThreadId, Main)>> = const { RefCell::new(Vec::new()) };
}

/// The engine as the threads see it: they give their turn back to the driver.
struct Turns;

impl Runtime for Turns {
    fn take_turn(&self, _next: &NextStep, _access: Option<&Access>) -> Option<u64> {
        pause(Paused::UntilItsTurn);
        None
    }

    fn let_others_unwind(&self) {
        pause(Paused::UntilItsTurn);
    }

    fn runs_on(&self) -> bool {
        true
    }

    fn leave_behind(&self) {
        execution::with(Execution::leave_behind);
        pause(Paused::ForEver);
        unreachable!("a thread that was left behind is not resumed");
    }

    fn spawn(&self, thread: ThreadId, f: Main) {
        STARTED.with_borrow_mut(|started| started.push((thread, f)));
    }
}

/// Gives the turn of the thread back.
#[inline]
fn pause(how: Paused) {
    let yielder = YIELDER.get();
    #[expect(
        unsafe_code,
        reason = "the yielder of a coroutine is known to its root only"
    )]
    // SAFETY: the pointer was set when the thread that runs now began, or was resumed last. It is
    // to the yielder on its stack, which is there as long as the thread runs; and a thread only
    // gives its turn back while it runs.
    unsafe {
        (*yielder).suspend(how);
    }
    arrive(yielder);
}

/// Notes that a thread runs now, on its own stack.
#[inline]
fn arrive(yielder: *const Turn) {
    YIELDER.set(yielder);
    stack_overflow::note_stack();
}

/// Lets the threads of one execution after another take turns.
struct Driver<'a, S> {
    engine: &'a Coroutines,
    turnstile: Turnstile<S>,
    /// The last execution, kept for its memory.
    idle: Option<Box<Execution>>,
    /// The threads that have run and not ended, by their numbers.
    threads: Threads,
    /// Stacks for threads to come.
    stacks: Stacks,
}

/// Threads that have run and not ended, by their numbers.
struct Threads(Vec<Option<Thread>>);

impl Drop for Threads {
    fn drop(&mut self) {
        // If there are some, their execution was given up, as when the system refuses a stack for
        // another one. To unwind them would run their destructors outside of it.
        for thread in self.0.drain(..) {
            mem::forget(thread);
        }
    }
}

impl<S: Scheduler> Driver<'_, S> {
    /// Begins another execution, if one is wanted.
    fn begin(&mut self) -> bool {
        let Turnstile { search, .. } = &mut self.turnstile;
        if !search.wants_execution() {
            return false;
        }
        let conduct = search.conduct();
        let idle = self.idle.take();
        self.turnstile.begin(self.engine, &Turns, conduct, idle);
        true
    }

    /// Runs the execution that has begun to its end.
    fn drive(&mut self) {
        while let Some(thread) = self.next() {
            self.resume(thread);
        }
        if execution::with(|execution| execution.left_threads_behind()) {
            self.close();
        }
        let execution = execution::leave().expect("it has begun and not ended");
        self.turnstile.tell(&execution);
        self.idle = Some(execution);
    }

    /// The thread that goes on, or `None` if all have ended.
    #[inline]
    fn next(&mut self) -> Option<ThreadId> {
        let turnstile = &mut self.turnstile;
        execution::with(|execution| {
            if execution.can_repeat()
                && let Some(choice) = turnstile.search.repeats(execution)
            {
                execution.repeat(choice);
                if execution.is_explored() {
                    return Some(choice.thread);
                }
            }
            turnstile.next(execution, S::choose)
        })
    }

    /// Lets a thread run up to its next operation, or to its end.
    fn resume(&mut self, id: ThreadId) {
        let index = id.index();
        let Some(Some(thread)) = self.threads.0.get_mut(index) else {
            let started = self.start(id);
            if self.threads.0.len() <= index {
                self.threads.0.resize_with(index + 1, || None);
            }
            self.threads.0[index] = Some(started);
            return self.resume(id);
        };
        match thread.resume(()) {
            CoroutineResult::Yield(Paused::UntilItsTurn) => {}
            CoroutineResult::Yield(Paused::ForEver) => {
                // Its stack stays where it is: others may refer to what is on it.
                mem::forget(self.threads.0[index].take());
                self.engine.pulse.leave_behind(STACK_SIZE);
            }
            CoroutineResult::Return(()) => {
                if let Some(thread) = self.threads.0[index].take() {
                    self.stacks.give_back(thread.into_stack());
                }
            }
        }
    }

    /// Destroys what the threads have left, where the last one was left behind and has not done so.
    fn close(&mut self) {
        let stack = self.stacks.take();
        let mut closing: Thread = Coroutine::with_stack(stack, |yielder: &Turn, ()| {
            arrive(yielder);
            execution::close();
        });
        // Nothing in it waits for a turn.
        if closing.resume(()).as_return().is_some() {
            self.stacks.give_back(closing.into_stack());
        } else {
            mem::forget(closing);
        }
    }

    fn start(&mut self, id: ThreadId) -> Thread {
        let stack = self.stacks.take();
        let started = STARTED.with_borrow_mut(|started| {
            let index = started.iter().position(|(other, _)| *other == id)?;
            Some(started.swap_remove(index).1)
        });
        match started {
            Some(f) => Coroutine::with_stack(stack, move |yielder: &Turn, ()| {
                arrive(yielder);
                f();
            }),
            None => {
                let body = Arc::clone(&self.engine.body);
                Coroutine::with_stack(stack, move |yielder: &Turn, ()| {
                    arrive(yielder);
                    execution::run_body(&*body);
                })
            }
        }
    }
}
