//! Finds the parts of an exhaustive search: the beginnings of its executions, up to a depth.

use std::sync::Arc;

use crate::engine::{Conduct, Coroutines, Point, Scheduler, Search};
use crate::execution::{Execution, Pulse};
use crate::trace::Choice;

use super::division::{ENOUGH_PARTS, Steps, Tree};
use super::{Limits, Stop};

/// A depth at which there are more parts than this is too deep.
const MAX_PARTS: usize = 16 * ENOUGH_PARTS;

/// The search that has found its parts, and the parts in their order.
type Divided<S> = (S, Vec<<S as super::Divisible>::Part>);

/// Divides a search at the smallest depth at which there are parts enough, or else at the largest at
/// which there are more than before.
///
/// Depth after depth is tried, in growing strides where there is only one way to go. An execution is
/// begun for each part of each depth, and abandoned there.
///
/// # Errors
///
/// The limit that was reached before the parts were found, or that the body is not deterministic.
pub(crate) fn divide<S: Tree>(engine: &Coroutines, limits: Limits) -> Result<Divided<S>, Stop> {
    let mut found: Option<Divided<S>> = None;
    let mut steps = 1;
    let mut stride = 1;
    loop {
        let attempt = engine.run(Attempt {
            search: S::dividing(steps),
            limits,
            pulse: Arc::clone(&engine.pulse),
            begun: 0,
            cut: None,
        });
        let Attempt {
            mut search, cut, ..
        } = attempt;
        if let Some(step) = search.nondeterminism() {
            return Err(Stop::NotDeterministic { step });
        }
        match (cut, found) {
            (Some(Cut::Limit(stop)), _) => return Err(stop),
            (Some(Cut::TooManyParts), Some(before)) if stride == 1 => return Ok(before),
            (Some(Cut::TooManyParts), before) => {
                found = before;
                steps = steps - stride + 1;
                stride = 1;
            }
            (None, before) => {
                let parts = search.take_parts();
                let is_deeper = parts.iter().any(|part| part.steps() >= steps);
                if parts.len() >= ENOUGH_PARTS || !is_deeper {
                    return Ok((search, parts));
                }
                let has_grown = before.is_none_or(|(_, before)| before.len() < parts.len());
                stride = if has_grown { 1 } else { stride * 2 };
                steps += stride;
                found = Some((search, parts));
            }
        }
    }
}

/// The search for the parts of one depth.
struct Attempt<S> {
    search: S,
    limits: Limits,
    pulse: Arc<Pulse>,
    begun: usize,
    cut: Option<Cut>,
}

/// Why an attempt ended early.
enum Cut {
    Limit(Stop),
    TooManyParts,
}

impl<S: Tree> Search for Attempt<S> {
    fn wants_execution(&mut self) -> bool {
        if !self.search.wants_execution() {
            return false;
        }
        self.cut = match self.limits.reached(0, &self.pulse) {
            Some(stop) => Some(Cut::Limit(stop)),
            None => (self.begun >= MAX_PARTS).then_some(Cut::TooManyParts),
        };
        self.begun += 1;
        self.cut.is_none()
    }

    fn finished(&mut self, execution: &Execution) {
        self.pulse.touch();
        self.search.finished(execution);
    }
}

impl<S: Tree> Scheduler for Attempt<S> {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.search.choose(point)
    }

    fn repeats(&self, execution: &Execution) -> Option<Choice> {
        self.search.repeats(execution)
    }

    fn conduct(&self) -> Conduct {
        self.search.conduct()
    }
}
