//! The park token of a thread: to park is possible while it is there, and takes it.
//!
//! Where spurious wake-ups are explored, a step before it begins to wait, and can end the wait at once.

use crate::execution::{
    Alternatives, Execution, Mode, NextStep, Requirement, Spot, Touches, step, with,
};
use crate::trace::{EventResult, Operation, ThreadId};

use super::{Announced, Done, Primitive};

/// The park tokens of all threads, which are no objects.
#[derive(Debug)]
pub(super) struct Token;

impl Token {
    /// Whose token an operation is on.
    fn of(next: &NextStep, thread: ThreadId) -> Spot {
        Spot::Token(next.target.unwrap_or(thread))
    }
}

impl Primitive for Token {
    /// Nobody sees that a thread begins to wait.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        if at.next.operation != Operation::Wait {
            touches.push((Token::of(at.next, at.thread), Mode::Write));
        }
    }

    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::WakeUp => 2,
            _ => 1,
        }
    }

    fn has_changed(&self, done: &Done<'_>) -> bool {
        done.next.operation != Operation::Wait && done.has_succeeded()
    }

    fn changes(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        [Some(Token::of(done.next, done.event.thread)), None]
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        match done.next.operation {
            Operation::Wait => [None; 2],
            _ => self.changes(done),
        }
    }
}

/// Takes the token of the current thread, as a step; or times out, where that is an alternative: to
/// the thread that is a spurious wake-up.
#[track_caller]
pub(crate) fn park(alternatives: Alternatives) {
    if matches!(alternatives, Alternatives::None) && wakes_spuriously() {
        return;
    }
    let next = NextStep::new(Operation::Park)
        .requires(Requirement::Token)
        .or(alternatives);
    step(next, |execution, alternative| {
        execution.leave_out_wake_up();
        match alternative {
            0 => execution.current_mut().has_token = false,
            _ => execution.note(|event| event.operation = Operation::Timeout),
        }
    });
}

/// Begins to wait, as a step, where spurious wake-ups are explored. Returns whether the wait ends
/// spuriously, which it can do at any time: at once is as good.
#[track_caller]
fn wakes_spuriously() -> bool {
    if !with(|execution| execution.wakes_spuriously()) {
        return false;
    }
    let next = NextStep::new(Operation::Wait).or(Alternatives::WakeUp);
    step(next, |execution, alternative| {
        if alternative == 0 {
            return false;
        }
        execution.note(|event| {
            event.operation = Operation::Park;
            event.result = Some(EventResult::Spurious);
        });
        true
    })
}

/// Hands a thread its token, as a step.
#[track_caller]
pub(crate) fn unpark(thread: ThreadId) {
    step(
        NextStep::new(Operation::Unpark).of(thread),
        |execution, _| execution.thread_mut(thread).has_token = true,
    );
}

/// Who takes the token learns what those knew who have ever handed it over.
pub(crate) fn order_unpark(execution: &mut Execution, parked: ThreadId) {
    let known = execution.current_mut().knowledge.clock.clone();
    execution.thread_mut(parked).token.join(&known);
}

/// See [`order_unpark`].
pub(crate) fn order_park(execution: &mut Execution) {
    let thread = execution.current_mut();
    thread.knowledge.clock.join(&thread.token);
}
