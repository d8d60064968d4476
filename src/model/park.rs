//! The park token of a thread: to park is possible while it is there, and takes it.

use crate::execution::{Alternatives, Execution, Mode, NextStep, Requirement, Spot, Touches, step};
use crate::trace::{Operation, ThreadId};

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
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        touches.push((Token::of(at.next, at.thread), Mode::Write));
    }

    fn changes(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        [Some(Token::of(done.next, done.event.thread)), None]
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        self.changes(done)
    }
}

/// Takes the token of the current thread, as a step; or times out, where that is an alternative.
#[track_caller]
pub(crate) fn park(alternatives: Alternatives) {
    let next = NextStep::new(Operation::Park)
        .requires(Requirement::Token)
        .or(alternatives);
    step(next, |execution, alternative| match alternative {
        0 => execution.current_mut().has_token = false,
        _ => execution.note(|event| event.operation = Operation::Timeout),
    });
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
