//! Sequentially consistent executions, on shuttle's coroutines.
//!
//! Only shuttle's bare scheduling point and bare spawn are used. One wrapper around the strategy
//! is its scheduler: it hides threads whose next step cannot run, starts threads without a step,
//! and unwinds executions that failed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use shuttle::scheduler::{Schedule as ShuttleSchedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use shuttle_engine::runtime::execution::ExecutionState;
use shuttle_engine::runtime::thread::switch as shuttle_switch;

use crate::execution::{
    self, Access, Ending, Execution, NextStep, Offer, Patience, Pulse, Runtime,
};
use crate::trace::{Choice, ThreadId};

use super::{Point, STACK_SIZE, Strategy, begin, panic_hook, stack_overflow};

/// A body under test, ready to be run under any strategy.
#[derive(Clone)]
pub(crate) struct Shuttle {
    pub(crate) body: Arc<dyn Fn() + Send + Sync>,
    /// The bound on the steps of an execution.
    pub(crate) max_steps: usize,
    pub(crate) pulse: Arc<Pulse>,
    /// What the executions so far have shown of loops.
    pub(crate) patience: Patience,
}

impl fmt::Debug for Shuttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shuttle")
            .field("max_steps", &self.max_steps)
            .finish_non_exhaustive()
    }
}

impl Shuttle {
    /// Runs executions until the strategy wants no more, and returns it.
    pub(crate) fn run<S: Strategy + 'static>(&self, strategy: S) -> S {
        panic_hook::install();
        stack_overflow::install();
        let driver = Rc::new(RefCell::new(Driver {
            strategy,
            max_steps: self.max_steps,
            pulse: Arc::clone(&self.pulse),
            patience: self.patience.clone(),
            idle: None,
            choices: Vec::new(),
        }));
        // A panic of the lab itself must not leave an execution behind.
        let end = scopeguard(|| drop(execution::leave()));
        let body = Arc::clone(&self.body);
        let runner = Runner::new(SharedDriver(Rc::clone(&driver)), config());
        runner.run(move || {
            stack_overflow::note_stack();
            execution::run_body(&*body);
        });
        drop(end);
        let driver = Rc::into_inner(driver).expect("the runner has dropped its scheduler");
        driver.into_inner().strategy
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK_SIZE;
    // The lab has its own replay, its own bound, and an own end of executions.
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Runs something when it is dropped.
fn scopeguard(f: impl FnMut()) -> impl Drop {
    struct Guard<F: FnMut()>(F);
    impl<F: FnMut()> Drop for Guard<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    Guard(f)
}

thread_local! {
    /// Set while a thread is started: shuttle's spawn contains a scheduling point, which is not
    /// one of the lab's.
    static SPAWNING: Cell<bool> = const { Cell::new(false) };
}

/// Threads on shuttle's coroutines. The scheduler sees to who goes on.
struct Coroutines;

impl Runtime for Coroutines {
    fn take_turn(&self, _next: &NextStep, _access: Option<Access>) -> Option<u64> {
        switch();
        None
    }

    fn let_others_unwind(&self) {
        switch();
    }

    fn spawn(&self, _thread: ThreadId, f: Box<dyn FnOnce()>) {
        SPAWNING.set(true);
        let start = Box::new(|| {
            stack_overflow::note_stack();
            f();
        });
        ExecutionState::spawn_thread(
            start,
            STACK_SIZE,
            None,
            None,
            std::panic::Location::caller(),
        );
        SPAWNING.set(false);
    }
}

fn switch() {
    shuttle_switch();
    stack_overflow::note_stack();
}

/// A strategy as a scheduler of shuttle's.
struct Driver<S> {
    strategy: S,
    max_steps: usize,
    pulse: Arc<Pulse>,
    patience: Patience,
    /// The last execution, kept for its memory.
    idle: Option<Box<Execution>>,
    choices: Vec<Choice>,
}

impl<S: Strategy> Driver<S> {
    fn new_execution(&mut self) -> bool {
        if let Some(execution) = execution::leave() {
            self.strategy.finished(&execution);
            self.idle = Some(execution);
        }
        if !self.strategy.wants_execution() {
            return false;
        }
        let conduct = self.strategy.conduct();
        begin(self.idle.take(), |number| {
            Execution::new(
                number,
                &Coroutines,
                self.max_steps,
                Arc::clone(&self.pulse),
                self.patience.clone(),
                conduct.prunes,
            )
        });
        execution::with(|execution| {
            execution.record_touches(conduct.records_from);
            execution.run_on(conduct.runs_on);
        });
        true
    }

    fn next_task(&mut self) -> Option<TaskId> {
        execution::with(|execution| {
            loop {
                let thread = match execution.offer(&mut self.choices) {
                    Offer::Over => return None,
                    Offer::Continue(thread) => thread,
                    Offer::InVain => {
                        if self.strategy.conduct().abandons_vain {
                            execution.end(Ending::Abandoned);
                        }
                        continue;
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
                        choice.thread
                    }
                };
                // Threads and tasks are started in the same order.
                return Some(TaskId::from(thread.index()));
            }
        })
    }
}

/// What shuttle owns of a driver. The other half gives the strategy back when the runner is done.
struct SharedDriver<S>(Rc<RefCell<Driver<S>>>);

impl<S: Strategy> Scheduler for SharedDriver<S> {
    fn new_execution(&mut self) -> Option<ShuttleSchedule> {
        self.0
            .borrow_mut()
            .new_execution()
            .then(|| ShuttleSchedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        // A start in progress is no scheduling point; nor is the point that shuttle has at the
        // end of its main task.
        let main = TaskId::from(0);
        let leaves_main = current == Some(main)
            && execution::with(|execution| execution.thread(ThreadId::MAIN).finished)
            && runnable.iter().any(|task| task.id() == main);
        if SPAWNING.get() || leaves_main {
            return current;
        }
        self.0.borrow_mut().next_task()
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("the code under test has no access to shuttle's random numbers")
    }
}
