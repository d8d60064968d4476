//! What a body says of its own result.

use std::fmt::Debug;

use crate::execution::{self, RealRun};

/// Records a result of the running execution, for outcome tables.
///
/// Several results of one execution are joined with commas: first those of the main thread, then
/// those of the threads that it spawned, in the order in which it spawned them, then those of the
/// threads that the first of these spawned, and so on; those of one thread in the order in which it
/// recorded them. So an outcome does not depend on which thread was the first to record. To see
/// that, record what the threads have read. Runs on real threads record outcomes in the same way.
/// Outside of both it does nothing.
///
/// ```
/// use racelab::{Engine, Explorer};
///
/// let report = Explorer::new(Engine::Dpor).explore(|| racelab::outcome(6 * 7));
/// assert_eq!(report.outcomes[0].value, "42");
/// ```
pub fn outcome(value: impl Debug) {
    if execution::is_running() {
        // Formatted outside of the execution, since that is code of the user's.
        let value = format!("{value:?}");
        execution::with(|execution| execution.add_outcome(&value));
    } else {
        RealRun::add_outcome(|| format!("{value:?}"));
    }
}
