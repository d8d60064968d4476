//! Partial order sampling.
//!
//! X. Yuan, J. Yang, R. Gu: Partial Order Aware Concurrency Sampling, CAV 2018. Each step that a
//! thread is about to do has a random priority, and the possible one with the highest is done. Then
//! those that depend on it draw new ones. So an order of steps that does not matter is not drawn for
//! again and again, and a step can be late or early as a whole, however many steps of others there
//! are.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::engine::Point;
use crate::execution::Touches;
use crate::trace::ThreadId;

use super::sampling::Walk;

/// Does the step with the highest priority.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pos {
    /// The priority of what each thread is about to do, if it was drawn already.
    priorities: Vec<Option<f64>>,
}

impl Walk for Pos {
    fn begin(&mut self, _generator: &mut Pcg64Mcg) {
        self.priorities.clear();
    }

    fn choose(
        &mut self,
        point: &Point<'_>,
        threads: &[ThreadId],
        generator: &mut Pcg64Mcg,
    ) -> ThreadId {
        let execution = point.execution;
        self.priorities.resize(execution.thread_count(), None);
        for (thread, _) in execution.threads() {
            if execution.next_of(thread).is_some() {
                // A thread that has to wait is about to do something as well.
                self.priorities[thread.index()].get_or_insert_with(|| generator.r#gen());
            }
        }
        let priority = |thread: &ThreadId| self.priorities[thread.index()].unwrap_or_default();
        let highest = threads
            .iter()
            .max_by(|one, other| priority(one).total_cmp(&priority(other)));
        let chosen = *highest.expect("a thread can go on");
        self.priorities[chosen.index()] = None;
        let Some(done) = execution.next_of(chosen) else {
            return chosen;
        };
        let done = execution.announced_touches(chosen, done);
        for (thread, _) in execution.threads() {
            let touches = execution
                .next_of(thread)
                .map(|next| execution.announced_touches(thread, next));
            if touches.is_some_and(|touches| conflict(&done, &touches)) {
                self.priorities[thread.index()] = None;
            }
        }
        chosen
    }
}

/// Whether the order of two steps of different threads can matter.
fn conflict(one: &Touches, other: &Touches) -> bool {
    one.iter().any(|(spot, mode)| {
        let mut same = other.iter().filter(|(theirs, _)| theirs == spot);
        same.any(|(_, theirs)| mode.conflicts(*theirs))
    })
}
