//! Executions on coroutines of our own.
//!
//! All threads of an execution run on the OS thread of the search, each on a stack of its own. The
//! driver lets one of them run up to its next operation, asks the execution what is possible and the
//! strategy what to do, and lets the thread that was chosen go on. Stacks are kept from one
//! execution to the next.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ptr;
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use crate::execution::{
    self, Access, Ending, Execution, NextStep, Offer, Patience, Pulse, Runtime,
};
use crate::trace::{Choice, ThreadId};

use super::{Point, STACK_SIZE, Strategy, begin, panic_hook, stack_overflow};

/// A body under test, ready to be run under any strategy.
#[derive(Clone)]
pub(crate) struct Coroutines {
    pub(crate) body: Arc<dyn Fn() + Send + Sync>,
    /// The bound on the steps of an execution.
    pub(crate) max_steps: usize,
    pub(crate) pulse: Arc<Pulse>,
    /// What the executions so far have shown of loops.
    pub(crate) patience: Patience,
}

impl fmt::Debug for Coroutines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutines")
            .field("max_steps", &self.max_steps)
            .finish_non_exhaustive()
    }
}

impl Coroutines {
    /// Runs executions until the strategy wants no more, and returns it.
    pub(crate) fn run<S: Strategy>(&self, strategy: S) -> S {
        panic_hook::install();
        stack_overflow::install();
        let mut driver = Driver {
            engine: self,
            strategy,
            idle: None,
            choices: Vec::new(),
            threads: Vec::new(),
            stacks: Vec::new(),
        };
        // A panic of the lab itself must not leave an execution behind.
        let end = Leave;
        while driver.begin() {
            driver.drive();
        }
        drop(end);
        driver.strategy
    }
}

/// Leaves the current execution when it is dropped.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        STARTED.take();
        drop(execution::leave());
    }
}

/// A thread under test.
type Thread = Coroutine<(), (), (), DefaultStack>;

thread_local! {
    /// What the thread that runs now gives its turn back with.
    static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
    /// The threads that were started and have not run yet.
    static STARTED: RefCell<Vec<(ThreadId, Box<dyn FnOnce()>)>> = const { RefCell::new(Vec::new()) };
}

/// The engine as the threads see it: they give their turn back to the driver.
struct Turns;

impl Runtime for Turns {
    fn take_turn(&self, _next: &NextStep, _access: Option<Access>) -> Option<u64> {
        give_turn_back();
        None
    }

    fn let_others_unwind(&self) {
        give_turn_back();
    }

    fn spawn(&self, thread: ThreadId, f: Box<dyn FnOnce()>) {
        STARTED.with_borrow_mut(|started| started.push((thread, f)));
    }
}

fn give_turn_back() {
    let yielder = YIELDER.get();
    #[expect(
        unsafe_code,
        reason = "the yielder of a coroutine is known to its root only"
    )]
    // SAFETY: the pointer was set when the thread that runs now began, or was resumed last. It is
    // to the yielder on its stack, which is there as long as the thread runs; and a thread only
    // gives its turn back while it runs.
    unsafe {
        (*yielder).suspend(());
    }
    arrive(yielder);
}

/// Notes that a thread runs now, on its own stack.
fn arrive(yielder: *const Yielder<(), ()>) {
    YIELDER.set(yielder);
    stack_overflow::note_stack();
}

/// Lets the threads of one execution after another take turns.
struct Driver<'a, S> {
    engine: &'a Coroutines,
    strategy: S,
    /// The last execution, kept for its memory.
    idle: Option<Box<Execution>>,
    choices: Vec<Choice>,
    /// The threads that have run and not ended, by their numbers.
    threads: Vec<Option<Thread>>,
    /// Stacks for threads to come.
    stacks: Vec<DefaultStack>,
}

impl<S: Strategy> Driver<'_, S> {
    /// Begins another execution, if one is wanted.
    fn begin(&mut self) -> bool {
        if !self.strategy.wants_execution() {
            return false;
        }
        let conduct = self.strategy.conduct();
        let Coroutines {
            max_steps,
            pulse,
            patience,
            ..
        } = self.engine;
        begin(self.idle.take(), |number| {
            Execution::new(
                number,
                &Turns,
                *max_steps,
                Arc::clone(pulse),
                patience.clone(),
                conduct.prunes,
            )
        });
        execution::with(|execution| {
            execution.record_touches(conduct.records_from);
            execution.run_on(conduct.runs_on);
        });
        true
    }

    /// Runs the execution that has begun to its end.
    fn drive(&mut self) {
        while let Some(thread) = self.next() {
            self.resume(thread);
        }
        let execution = execution::leave().expect("it has begun and not ended");
        self.strategy.finished(&execution);
        self.idle = Some(execution);
    }

    /// The thread that goes on, or `None` if all have ended.
    fn next(&mut self) -> Option<ThreadId> {
        execution::with(|execution| {
            loop {
                match execution.offer(&mut self.choices) {
                    Offer::Over => return None,
                    Offer::Continue(thread) => return Some(thread),
                    Offer::InVain => {
                        if self.strategy.conduct().abandons_vain {
                            execution.end(Ending::Abandoned);
                        }
                    }
                    Offer::Choose { running } => {
                        let point = Point {
                            step: execution.schedule().len(),
                            choices: &self.choices,
                            last: execution.schedule().last().map(|choice| choice.thread),
                            running,
                            preemptions: execution.preemptions(),
                            execution,
                        };
                        let Some(choice) = self.strategy.choose(&point) else {
                            execution.end(Ending::Abandoned);
                            continue;
                        };
                        execution.take(choice, running);
                        return Some(choice.thread);
                    }
                }
            }
        })
    }

    /// Lets a thread run up to its next operation, or to its end.
    fn resume(&mut self, id: ThreadId) {
        let index = id.index();
        if self.threads.len() <= index {
            self.threads.resize_with(index + 1, || None);
        }
        if self.threads[index].is_none() {
            self.threads[index] = Some(self.start(id));
        }
        let Some(thread) = &mut self.threads[index] else {
            return;
        };
        if thread.resume(()).as_return().is_some()
            && let Some(thread) = self.threads[index].take()
        {
            self.stacks.push(thread.into_stack());
        }
    }

    fn start(&mut self, id: ThreadId) -> Thread {
        let stack = self.stacks.pop().unwrap_or_else(new_stack);
        let started = STARTED.with_borrow_mut(|started| {
            let index = started.iter().position(|(other, _)| *other == id)?;
            Some(started.swap_remove(index).1)
        });
        match started {
            Some(f) => Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
                arrive(yielder);
                f();
            }),
            None => {
                let body = Arc::clone(&self.engine.body);
                Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
                    arrive(yielder);
                    execution::run_body(&*body);
                })
            }
        }
    }
}

fn new_stack() -> DefaultStack {
    DefaultStack::new(STACK_SIZE).unwrap_or_else(|error| {
        panic!("the system has no memory for the stack of another thread under test: {error}")
    })
}
