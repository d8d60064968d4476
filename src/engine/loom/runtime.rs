//! How loom does the operations of the façade.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::{Mutex, MutexGuard, atomic};
use loom::thread as loom_thread;

use crate::execution::{
    Alternatives, Ending, Execution, NextStep, RacesWith, Requirement, Runtime, Thread, message_of,
    with,
};
use crate::memory::{Access, AtomicType};
use crate::trace::{LeftOut, ObjectId, Operation, ThreadId};

use super::gave_up;
use super::memory::new_atomic;
use super::model::{MODEL, Mutexes, Primitive, Tracked};
use crate::engine::{STACK_SIZE, stack_overflow};

/// The threads of an execution that loom can run, with the main thread.
pub(super) const MAX_THREADS: usize = loom::MAX_THREADS;

/// The stack of a spawned thread, as loom wants it: in words.
const STACK_WORDS: usize = STACK_SIZE / size_of::<usize>();

/// Which monitor an operation takes.
#[derive(Clone, Copy)]
enum Monitor {
    Object(ObjectId),
    Token(ThreadId),
}

/// The engine, as executions see it.
pub(super) struct LoomRuntime;

impl Runtime for LoomRuntime {
    fn take_turn(&self, next: &NextStep, access: Option<&Access>) -> Option<u64> {
        let unseen = MODEL.with_borrow(|model| model.unseen);
        let me = with(|execution| {
            note_left_out(execution, next);
            if let Some(reason) = unsupported(execution, next).or(unseen.map(lost_sight)) {
                execution.end(Ending::Unsupported(reason));
            }
            execution.notice_standstill();
            execution.me()
        });
        if with(|execution| execution.is_doomed()) {
            return None;
        }
        match catch_unwind(AssertUnwindSafe(|| take_turn(me, next, access))) {
            Ok(read) => {
                stack_overflow::note_stack();
                with(|execution| execution.resume(me));
                read
            }
            Err(payload) => {
                with(|execution| {
                    execution.set_current(me);
                    execution.end(gave_up(&*payload));
                });
                None
            }
        }
    }

    fn let_others_unwind(&self) {
        let me = with(|execution| execution.me());
        let has_to_wait = |execution: &mut Execution| {
            // If all of them wait, the youngest goes on.
            let goes_first =
                |(id, other): (_, &Thread)| !other.finished && (!other.waits_unwinding || id > me);
            let mut others = execution.threads().filter(|(id, _)| *id != me);
            execution.thread(me).waits_unwinding && others.any(goes_first)
        };
        while with(has_to_wait) {
            loom_thread::yield_now();
            with(|execution| execution.set_current(me));
        }
    }

    fn spawn(&self, thread: ThreadId, f: Box<dyn FnOnce()>) {
        let builder = loom_thread::Builder::new().stack_size(STACK_WORDS);
        let start = Startable(f);
        let handle = builder.spawn(move || {
            let start = start;
            stack_overflow::note_stack();
            with(|execution| execution.start(thread));
            (start.0)();
        });
        let handle = handle.expect("loom starts every thread");
        MODEL.with_borrow_mut(|model| model.thread(thread).handle = Some(handle));
    }

    fn done(&self, next: &NextStep, wrote: bool) {
        let released = match (next.operation, next.requires, next.object) {
            (Operation::Unlock, _, Some(mutex))
            | (Operation::Wait, Requirement::Held(mutex), _) => Some(mutex),
            _ => None,
        };
        let can_be_woken = MODEL.with_borrow_mut(|model| {
            if let Some(object) = released
                && let Some(Primitive::Lock(lock)) = model.object(object)
            {
                lock.release();
            }
            wrote && !model.parked.is_empty()
        });
        if can_be_woken {
            wake();
        }
    }

    fn done_unwinding(&self, next: &NextStep, wrote: bool) {
        let is_seen = next.operation == Operation::Unlock && !uses_monitors();
        if wrote && !is_seen {
            MODEL.with_borrow_mut(|model| model.unseen = Some(next.at));
        }
        self.done(next, wrote);
    }

    fn ended(&self) {
        with(Execution::notice_standstill);
        wake();
    }

    fn doomed(&self) {
        MODEL.with_borrow_mut(|model| {
            for (_, thread) in model.parked.drain(..) {
                thread.unpark();
            }
            // Who waits for a lock cannot be unwound otherwise.
            for object in model.objects.iter_mut().flatten() {
                if let Primitive::Lock(lock) = object {
                    lock.release();
                }
            }
        });
    }

    fn must_see_made(&self) -> bool {
        true
    }

    fn made_atomic(&self, atomic: ObjectId, is: AtomicType, value: u64) {
        let made = Primitive::Atomic(Tracked::new(new_atomic(is, value)));
        MODEL.with_borrow_mut(|model| *model.object(atomic) = Some(made));
    }

    fn made_cell(&self, cell: ObjectId) {
        let made = Primitive::Cell(Rc::new(UnsafeCell::new(())));
        MODEL.with_borrow_mut(|model| *model.object(cell) = Some(made));
    }

    fn race(&self, cell: ObjectId, writes: bool) -> Option<Result<(), RacesWith>> {
        let cell = MODEL.with_borrow_mut(|model| match model.object(cell) {
            Some(Primitive::Cell(cell)) => Some(Rc::clone(cell)),
            _ => None,
        })?;
        let me = with(|execution| execution.me());
        let access = catch_unwind(AssertUnwindSafe(|| {
            if writes {
                cell.with_mut(|_| ());
            } else {
                cell.with(|_| ());
            }
        }));
        Some(access.map_err(|payload| other_thread(&message_of(&*payload), me)))
    }
}

/// The first operation of a thread, which is started on the same OS thread.
struct Startable(Box<dyn FnOnce()>);

#[expect(unsafe_code, reason = "loom's builder asks for more than loom needs")]
// SAFETY: loom runs all threads of an execution on the OS thread that explores.
unsafe impl Send for Startable {}

/// The thread that is not `me` in what loom says of a data race: `thread #1 @ …`.
fn other_thread(message: &str, me: ThreadId) -> RacesWith {
    let numbers = message.split("thread #").skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().map(ThreadId)
    });
    numbers.into_iter().find(|thread| *thread != me)
}

/// What loom cannot run.
fn unsupported(execution: &Execution, next: &NextStep) -> Option<String> {
    let at = next.at;
    match (next.operation, next.alternatives) {
        (Operation::Spawn, _) if execution.thread_count() >= MAX_THREADS => Some(format!(
            "loom runs at most {} spawned threads, and {at} spawns one more",
            MAX_THREADS - 1
        )),
        (_, Alternatives::Unfinished) => Some(format!(
            "under loom nobody can ask whether a thread has finished, as {at} does"
        )),
        (_, Alternatives::Branches(_)) => Some(format!(
            "loom polls the branches of a `select!` in one order only, and {at} has one that is not `biased`"
        )),
        _ => None,
    }
}

/// Why there is no way on when a panic was caught, during which destructors did operations.
fn lost_sight(at: &'static Location<'static>) -> String {
    format!(
        "a panic is caught, and while it unwound a destructor did an operation at {at}, which loom \
         cannot follow"
    )
}

/// Notes which ways of an operation loom does not go.
fn note_left_out(execution: &mut Execution, next: &NextStep) {
    let left_out = match next.alternatives {
        Alternatives::BehindWriters if execution.writer_before(next).is_some() => {
            LeftOut::WaitingWriters
        }
        // Unsupported, or noted when it is known who waits.
        Alternatives::None
        | Alternatives::BehindWriters
        | Alternatives::Unfinished
        | Alternatives::Sides { .. }
        | Alternatives::Branches(_)
        | Alternatives::Waiters
        | Alternatives::WakeUp => return,
        Alternatives::Timeout | Alternatives::Expiry(_) => LeftOut::Timeouts,
        Alternatives::Spurious(_) => LeftOut::SpuriousFailures,
        Alternatives::Unmet => LeftOut::Rendezvous,
    };
    execution.leave_out(left_out);
}

/// Lets loom decide when it is the turn of the thread.
fn take_turn(me: ThreadId, next: &NextStep, access: Option<&Access>) -> Option<u64> {
    MODEL.with_borrow_mut(|model| {
        model.thread(me).operations += 1;
        if let Requirement::Finished(thread) = next.requires {
            model.thread(thread).is_joined = true;
        }
    });
    match (next.operation, next.object, next.requires) {
        (_, Some(object), _) if access.is_some() => {
            let atomic = MODEL.with_borrow_mut(|model| Rc::clone(&model.atomic(object).atomic));
            let ordering = next
                .ordering
                .expect("an access of an atomic has an ordering");
            let read = access.map(|access| atomic.access(*access, ordering));
            let forgets = MODEL.with_borrow_mut(|model| match access {
                Some(Access::Load) => {
                    model.loaded(object, me);
                    false
                }
                _ => model.stored(object, me),
            });
            if forgets {
                with(|execution| execution.leave_out(LeftOut::ForgottenLoads));
            }
            return read;
        }
        (Operation::Fence, ..) => {
            let ordering = next.ordering.expect("a fence has an ordering");
            let is_strict = ordering == Ordering::SeqCst;
            if is_strict && MODEL.with_borrow_mut(|model| model.fences_after_others(me)) {
                with(|execution| execution.leave_out(LeftOut::StrictFences));
            }
            atomic::fence(ordering);
        }
        // To loom, who yields waits until another one has gone on, which is so only of a thread that
        // yields again with nothing written.
        (Operation::Yield | Operation::Sleep, ..) => {
            if with(|execution| execution.yields_again(me)) {
                with(|execution| execution.leave_out(LeftOut::Yields));
                loom_thread::yield_now();
            }
        }
        (Operation::Join, _, Requirement::Finished(thread)) => {
            // Not in loom's join, from which a doomed execution could not wake it.
            if !with(|execution| execution.thread(thread).finished) {
                while !with(|execution| execution.is_doomed() || execution.thread(thread).finished)
                {
                    park(me);
                }
                return None;
            }
            let handle = MODEL.with_borrow_mut(|model| model.thread(thread).handle.take());
            if let Some(handle) = handle {
                handle.join().expect("what a thread panics with is caught");
            }
        }
        // To look at a mutex of loom's is to wait for it.
        (Operation::TryLock | Operation::Load, Some(object), _)
            if is_mutex(object) && !uses_monitors() =>
        {
            MODEL.with_borrow_mut(|model| model.needs_monitors = true);
            with(|execution| execution.end(Ending::Abandoned));
        }
        (_, _, Requirement::Free(lock)) if is_mutex(lock) => acquire(me, lock, next.requires),
        (Operation::Unlock, Some(object), _) if is_mutex(object) && !uses_monitors() => {}
        (Operation::Wait, Some(condvar), Requirement::Held(mutex)) => {
            pass(me, Monitor::Object(condvar), Requirement::Nothing);
            if uses_monitors() {
                pass(me, Monitor::Object(mutex), Requirement::Nothing);
            }
        }
        (_, _, Requirement::Woken { mutex }) => {
            while !with(|execution| execution.is_doomed() || execution.thread(me).woken) {
                park(me);
            }
            acquire(me, mutex, Requirement::Free(mutex));
        }
        (Operation::Park, ..) => pass(me, Monitor::Token(me), next.requires),
        (Operation::Unpark, ..) => {
            let thread = next.target.expect("an unpark has a thread");
            pass(me, Monitor::Token(thread), next.requires);
        }
        (_, Some(object), requires) => pass(me, Monitor::Object(object), requires),
        (_, None, _) => {}
    }
    if matches!(next.alternatives, Alternatives::Waiters) {
        with(|execution| execution.note_wake_order(next));
    }
    None
}

fn is_mutex(object: ObjectId) -> bool {
    with(|execution| execution.is_mutex(object))
}

/// Acquires a mutex of the façade.
fn acquire(me: ThreadId, object: ObjectId, requires: Requirement) {
    if uses_monitors() {
        pass(me, Monitor::Object(object), requires);
        return;
    }
    let mutex = MODEL.with_borrow_mut(|model| model.lock(object).mutex());
    let guard = mutex.lock().expect("loom's mutexes are never poisoned");
    hold(object, guard);
}

fn uses_monitors() -> bool {
    MODEL.with_borrow(|model| model.mutexes == Mutexes::Monitors)
}

fn hold(object: ObjectId, guard: MutexGuard<'_, ()>) {
    // In a doomed execution a thread is let pass only to be unwound.
    if !with(|execution| execution.is_doomed()) {
        MODEL.with_borrow_mut(|model| model.lock(object).hold(guard));
    }
}

/// Passes a monitor as often as it takes until what is required is so, or the execution is doomed.
///
/// Each attempt is an access of loom's, so that its search knows what it depends on.
fn pass(me: ThreadId, monitor: Monitor, requires: Requirement) {
    let mutex = MODEL.with_borrow_mut(|model| match monitor {
        Monitor::Object(object) => model.lock(object).mutex(),
        Monitor::Token(thread) => {
            let monitor = &mut model.thread(thread).monitor;
            Rc::clone(monitor.get_or_insert_with(|| Rc::new(Mutex::new(()))))
        }
    });
    loop {
        drop(mutex.lock());
        let goes_on = with(|execution| execution.is_doomed() || execution.met(me, requires));
        if goes_on {
            return;
        }
        park(me);
    }
}

/// Waits until something has changed that the thread waits for.
fn park(me: ThreadId) {
    with(|execution| {
        execution.set_current(me);
        execution.notice_standstill();
    });
    if with(|execution| execution.is_doomed()) {
        return;
    }
    let thread = loom_thread::current();
    MODEL.with_borrow_mut(|model| model.parked.push((me, thread)));
    loom_thread::park();
    with(|execution| execution.set_current(me));
}

/// Wakes the threads for which something has changed.
fn wake() {
    MODEL.with_borrow_mut(|model| {
        model.parked.retain(|(id, thread)| {
            let is_awake = with(|execution| execution.is_awake(*id));
            if is_awake {
                thread.unpark();
            }
            !is_awake
        });
    });
}
