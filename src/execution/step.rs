//! How an operation of a thread goes: announced, chosen, performed, recorded.

use std::sync::atomic::Ordering;

use crate::memory::Access;
use crate::model::{self, Done, Effect};
use crate::trace::{Event, LeftOut, Operation, Schedule};

use super::next_step::{NextStep, Requirement};
use super::root::Doomed;
use super::waiting::Write;
use super::{Ending, Execution, Runtime, with};

/// How an operation is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// After the scheduler chose it, as a step.
    Scheduled,
    /// At once, as an event: the thread is unwinding a panic of its own.
    Unscheduled,
    /// In turn, or at once in the destructors of a panic, and without a trace: the search is done
    /// with the execution, which runs on.
    RunningOn,
    /// At once and without a trace: the execution is doomed.
    Silent,
}

/// After this number of operations that the destructors of one panic did without a turn, they are taken to
/// wait for another thread.
const MAX_OPERATIONS_PANICKING: u32 = 1_000;

/// After having been unwound this often, a thread is taken to catch that each time and to go on.
const MAX_TIMES_UNWOUND: u32 = 1_000;

/// Does one operation of the current thread: announces it, lets the scheduler
/// choose, and performs it, with the number of the way it goes.
///
/// `perform` runs while the execution is borrowed and must not run user code.
/// In a doomed execution it can be called although the requirement of the
/// operation does not hold.
#[inline]
pub(crate) fn step<R>(next: NextStep, perform: impl FnOnce(&mut Execution, u32) -> R) -> R {
    let perform = |execution: &mut Execution, alternative, _| perform(execution, alternative);
    take(&next, None, true, perform, Execution::finish)
}

/// Like [`step`], for an access of an atomic. If the engine has a memory of its own, `perform` is
/// also given what the access has read there.
#[inline]
pub(crate) fn step_on_memory<R>(
    next: NextStep,
    access: Access,
    perform: impl FnOnce(&mut Execution, u32, Option<u64>) -> R,
) -> R {
    take(&next, Some(access), true, perform, Execution::finish_access)
}

/// Like [`step`], for an operation of a destructor that std's would do too, which is always
/// possible.
///
/// It never unwinds, since not every collection drops all of its items when the destructor of one
/// does. In an execution that was doomed meanwhile, the next operation of the thread does.
pub(crate) fn step_in_drop<R>(next: NextStep, perform: impl FnOnce(&mut Execution, u32) -> R) -> R {
    let perform = |execution: &mut Execution, alternative, _| perform(execution, alternative);
    take(&next, None, false, perform, Execution::finish)
}

/// Like [`step_on_memory`], in a destructor, as [`step_in_drop`].
pub(crate) fn step_on_memory_in_drop<R>(
    next: NextStep,
    access: Access,
    perform: impl FnOnce(&mut Execution, u32, Option<u64>) -> R,
) -> R {
    take(
        &next,
        Some(access),
        false,
        perform,
        Execution::finish_access,
    )
}

/// Unwinds the current thread if the execution is doomed and the thread does not unwind already, or
/// if it was to be unwound in a destructor that must not unwind.
pub(crate) fn leave_doomed() {
    let leaves = with(|execution| {
        let panics = execution.is_panicking();
        let lingers = std::mem::take(&mut execution.current_mut().lingers);
        lingers || (execution.is_doomed() && !panics)
    });
    if leaves {
        unwind();
    }
}

/// Announces an operation, waits until it is its turn, and performs it. If the execution is doomed,
/// the thread is unwound instead, unless it must not be or is already.
#[inline]
fn take<R>(
    next: &NextStep,
    access: Option<Access>,
    may_unwind: bool,
    perform: impl FnOnce(&mut Execution, u32, Option<u64>) -> R,
    finish: impl FnOnce(&mut Execution, &NextStep, Mode) -> bool,
) -> R {
    let (mode, engine) = with(|execution| execution.announce(next));
    let read = engine.and_then(|engine| wait(engine, next, access, mode));
    let act = |execution: &mut Execution, mode| {
        let alternative = execution.begin(next, mode);
        let result = perform(execution, alternative, read);
        let wrote = finish(execution, next, mode);
        (result, mode, wrote, execution.runtime)
    };
    // Mostly it can be done at once, while the execution is looked at.
    let performed = with(|execution| {
        let (mode, can_go_on) = match engine {
            Some(_) => execution.take_up(next, mode),
            None => (mode, true),
        };
        if can_go_on && (mode != Mode::Silent || !may_unwind) {
            Ok(act(execution, mode))
        } else {
            Err((act, can_go_on))
        }
    });
    let (result, mode, wrote, runtime) = performed.unwrap_or_else(|(act, can_go_on)| {
        unwind_or_stay(next, engine.filter(|_| !can_go_on), may_unwind);
        with(|execution| act(execution, Mode::Silent))
    });
    if mode == Mode::Unscheduled {
        runtime.done_unwinding(next, wrote);
    } else {
        runtime.done(next, wrote);
    }
    result
}

/// Waits until it is the turn of the current thread, and returns what it has read from the memory of
/// the engine.
fn wait(engine: &dyn Runtime, next: &NextStep, access: Option<Access>, mode: Mode) -> Option<u64> {
    if mode == Mode::Silent {
        engine.let_others_unwind();
        None
    } else {
        engine.take_turn(next, access)
    }
}

/// The current thread has an operation to do in a doomed execution. Leaves it behind in its engine if
/// it cannot go on at all, or unwinds it if that may be.
#[cold]
fn unwind_or_stay(next: &NextStep, stuck_in: Option<&'static dyn Runtime>, may_unwind: bool) {
    if let Some(engine) = stuck_in {
        engine.leave_behind();
        end_process(next);
    }
    if may_unwind {
        leave_doomed();
    }
}

/// A destructor waits for what will not happen: a lock that the thread of another one holds, which
/// waits in its turn, a future that nobody wakes, a value that nobody changes. To give it a lock that
/// is held would break what a lock is for, to give up the future leaves no result, and to unwind is
/// not possible; nor, in this engine, to leave the thread where it is.
#[expect(
    clippy::print_stderr,
    reason = "there will be no report to hold the message"
)]
fn end_process(next: &NextStep) -> ! {
    let (file, line) = (next.at.file(), next.at.line());
    let (ending, schedule) = with(|execution| {
        let schedule = Schedule::from(execution.schedule.clone()).with_cells(execution.cells);
        (execution.ending.clone(), schedule)
    });
    let failure = ending.map_or_else(|| "none".to_owned(), |ending| ending.to_string());
    eprintln!(
        "racelab: destructors wait for each other while a failed execution is unwound, one of \
         them at {file}:{line}, and there is no way to go on.\n  failure   {failure}\n  \
         schedule  {schedule}"
    );
    std::process::abort()
}

/// Ends the execution from inside a thread under test.
pub(crate) fn give_up(ending: Ending) -> ! {
    let runtime = with(|execution| {
        execution.end(ending);
        execution.is_doomed().then_some(execution.runtime)
    });
    // The threads are unwound in an order that the engine knows. If the execution goes on, only this
    // one is.
    if let Some(runtime) = runtime {
        runtime.let_others_unwind();
    }
    unwind()
}

/// Unwinds the current thread, quietly.
fn unwind() -> ! {
    let (catches_all, runtime) = with(|execution| {
        let thread = execution.current_mut();
        thread.panics = true;
        thread.times_unwound += 1;
        let catches_all = thread.times_unwound > MAX_TIMES_UNWOUND;
        (catches_all, execution.runtime)
    });
    if catches_all {
        runtime.leave_behind();
    }
    std::panic::resume_unwind(Box::new(Doomed))
}

impl Execution {
    /// Publishes what the current thread is about to do. Returns how it is to be done, and the
    /// engine if it has to decide first.
    fn announce(&mut self, next: &NextStep) -> (Mode, Option<&'static dyn Runtime>) {
        if std::thread::panicking() || !self.is_explored() {
            return self.announce_otherwise(next);
        }
        if !matches!(next.requires, Requirement::Nothing) && !self.met(self.current, next.requires)
        {
            self.note_blocking(next);
        }
        self.touch_arrival(next);
        self.publish(next, false);
        (Mode::Scheduled, Some(self.runtime))
    }

    /// The same where a thread panics, or the execution has ended as far as the search is concerned.
    fn announce_otherwise(&mut self, next: &NextStep) -> (Mode, Option<&'static dyn Runtime>) {
        let panics = self.is_panicking();
        let is_met = self.met(self.current, next.requires);
        let waits = self.note_operation(panics) || !is_met;
        if panics && waits {
            self.current_mut().has_waited_panicking = true;
            // The steps of a panic belong to the one that it came of, so that there is no place
            // in the schedule for the steps of others in between. If the panic reaches the root of
            // the thread, it is the failure all the same.
            self.end(Ending::Unsupported(format!(
                "a destructor waits at {} while a panic unwinds its thread, which the lab cannot run",
                next.at
            )));
        }
        if self.is_doomed() {
            let waits = panics && waits;
            self.current_mut().waits_unwinding |= waits;
            return (Mode::Silent, waits.then_some(self.runtime));
        }
        if panics && !waits {
            // At once, and so in the normal way.
            self.alternative = 0;
            let mode = if self.is_explored() {
                Mode::Unscheduled
            } else {
                Mode::RunningOn
            };
            return (mode, None);
        }
        let mode = if self.is_explored() {
            if !is_met {
                self.note_blocking(next);
            }
            self.touch_arrival(next);
            Mode::Scheduled
        } else {
            Mode::RunningOn
        };
        self.publish(next, panics);
        (mode, Some(self.runtime))
    }

    /// The current thread waits for its turn from now on.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    fn publish(&mut self, next: &NextStep, panics: bool) {
        let hash = next.hash(self.current);
        self.announced ^= hash;
        let thread = self.current_mut();
        thread.next = Some(*next);
        thread.next_hash = hash;
        thread.standing = thread.standing_before(next);
        thread.waits_panicking = panics;
        if !panics {
            thread.panics = false;
            thread.operations_panicking = 0;
            thread.first_panic = None;
        }
    }

    /// Counts what the destructors of a panic do. Returns whether they do so much that they are taken
    /// to wait for another thread.
    fn note_operation(&mut self, panics: bool) -> bool {
        let events = self.events.len();
        let thread = self.current_mut();
        thread.panics = panics;
        if !panics {
            thread.operations_panicking = 0;
            return false;
        }
        if thread.operations_panicking == 0 {
            thread.events_before_panic = events;
        }
        thread.operations_panicking += 1;
        if thread.operations_panicking <= MAX_OPERATIONS_PANICKING {
            return false;
        }
        thread.operations_panicking = 0;
        thread.times_spun += 1;
        let events = thread.events_before_panic;
        if self.is_explored() {
            // Their rounds tell nothing.
            self.events.truncate(events);
        }
        true
    }

    /// It is the turn of the current thread, which has announced an operation. Returns how it is to
    /// be done now, and whether the thread can go on at all.
    #[inline]
    fn take_up(&mut self, next: &NextStep, mode: Mode) -> (Mode, bool) {
        self.current_mut().waits_panicking = false;
        if self.is_explored() {
            (mode, true)
        } else if self.is_doomed() {
            self.take_up_doomed(next, mode)
        } else {
            (Mode::RunningOn, true)
        }
    }

    fn take_up_doomed(&mut self, next: &NextStep, mode: Mode) -> (Mode, bool) {
        let me = self.current;
        let is_excluded = self.is_excluded(me, next.requires);
        let thread = self.current_mut();
        thread.lingers |= mode != Mode::Silent && !thread.panics;
        // Of a destructor that had to wait, it is the turn when the other threads have ended.
        let waited = std::mem::take(&mut thread.waits_unwinding);
        // It may have waited for what they did in their destructors. If it goes on to wait, it was
        // not that.
        let waits_for_ever = is_excluded || thread.times_spun > 1;
        (Mode::Silent, !(waited && waits_for_ever))
    }

    /// Whether the lab unwinds the current thread.
    pub(crate) fn is_ended_by_lab(&self) -> bool {
        self.is_doomed() || self.thread(self.current).times_unwound > 0
    }

    /// Records the operation that is about to be performed, and returns which way it goes.
    fn begin(&mut self, next: &NextStep, mode: Mode) -> u32 {
        let mut step = None;
        let mut alternative = self.alternative;
        match mode {
            Mode::Scheduled => {
                self.begin_footprint(next, true);
                self.note_going_on();
                let thread = &mut self.threads[self.current.index()];
                self.announced ^= thread.next_hash;
                thread.forget_next();
                thread.has_stepped = true;
                step = Some(u32::try_from(self.schedule.len()).expect("steps are bounded"));
            }
            Mode::RunningOn => {
                let thread = self.current_mut();
                thread.forget_next();
                thread.has_stepped = true;
            }
            Mode::Unscheduled => {
                self.begin_footprint(next, false);
                alternative = 0;
            }
            Mode::Silent => alternative = 0,
        }
        // Also in silence: the details that `perform` notes need an event to go to.
        self.push_event(next, step);
        alternative
    }

    /// Draws the consequences of the operation that was performed. Returns whether it changed
    /// anything that another thread can see.
    fn finish(&mut self, next: &NextStep, mode: Mode) -> bool {
        if mode == Mode::Silent {
            self.events.pop();
            return true;
        }
        let event = *self.events.last().expect("the operation was recorded");
        let polls = self.thread(self.current).task.is_some();
        self.order(&event, next);
        if mode == Mode::RunningOn {
            // What happens before what is kept, since a race still must not take place.
            self.events.pop();
            return true;
        }
        let done = Done {
            event: &event,
            next,
            polls,
        };
        let writes = match mode {
            Mode::Scheduled => self.follow_round(&done),
            _ => Write::Lasting,
        };
        self.end_footprint(&done, writes);
        match model::effect(self, &done) {
            Effect::Changed(spots) if writes != Write::Lasting => {
                self.note_waiting(&done, spots);
                true
            }
            Effect::Changed(spots) => {
                self.wrote();
                self.changed(&done, spots);
                true
            }
            Effect::Looked(spots) => {
                self.note_waiting(&done, spots);
                false
            }
            Effect::Acquired { lock, is_exclusive } => {
                self.acquired(&done, lock, is_exclusive);
                true
            }
            Effect::Released {
                lock,
                was_exclusive,
            } => {
                self.released(&done, lock, was_exclusive);
                true
            }
        }
    }

    /// The same for an access of an atomic: most are by a thread that does not wait, and nobody asks what
    /// they touch.
    fn finish_access(&mut self, next: &NextStep, mode: Mode) -> bool {
        let waits = self.thread(self.current).may_wait();
        let is_followed = waits || self.records_touches() || self.follows_rounds();
        if mode != Mode::Scheduled || is_followed {
            return self.finish(next, mode);
        }
        let event = self.events.last().expect("the operation was recorded");
        let atomic = next.object.expect("an access is of an atomic");
        let knowledge = &mut self.threads[self.current.index()].knowledge;
        let released = &mut self.objects[atomic.index()].released;
        knowledge.clock.advance(self.current);
        model::atomic::order_access(released, knowledge, event);
        let changes = model::atomic::changes(event);
        self.note_access(atomic, changes, next.at);
        changes
    }

    fn note_left_out(&mut self, next: &NextStep) {
        if next
            .ordering
            .is_some_and(|ordering| ordering != Ordering::SeqCst)
        {
            self.left_out.add(LeftOut::StaleValues);
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    pub(crate) fn push_event(&mut self, next: &NextStep, step: Option<u32>) {
        self.pulse.beat(self.current, next.operation, next.at);
        if self.is_explored() {
            self.note_left_out(next);
        }
        self.current_mut().has_yielded =
            matches!(next.operation, Operation::Yield | Operation::Sleep);
        self.events.push(Event {
            step,
            thread: self.current,
            operation: next.operation,
            object: next.object,
            target: next.target,
            read: None,
            stale: None,
            written: None,
            result: None,
            ordering: next.ordering,
            at: next.at,
        });
    }
}
