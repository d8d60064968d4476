//! Whether it is worth it to do the work in another way than one after another.

use crate::report::Style;

use super::super::comparison::{Comparison, compare};
use super::super::units::seconds;
use super::phrase::be;
use super::rows::{best, can_be_compared, sync};
use crate::timing::{TimedWay, Timing};

/// Whether the way to take was faster than `sync`, how much time it saved, and what it cost: how much
/// longer than its ideal it took. `None` without `sync`, or where nothing can be compared.
pub(super) fn worth(timing: &Timing, taken: Option<&TimedWay>) -> Option<String> {
    let sync = sync(timing).filter(|sync| can_be_compared(sync))?;
    let taken = taken.filter(|taken| taken.method != sync.method);
    let other = taken.or_else(|| best(timing, |row| row.method != sync.method))?;
    let style = Style::default();
    let label = other.label();
    let (save, they) = match be(other) {
        "were" => ("save", "They"),
        _ => ("saves", "It"),
    };
    let cost = cost(other).map(|cost| seconds(cost, &style));
    let cost = cost.map(|cost| {
        format!(
            " {they} took {cost} longer than the ideal: where less than that can be saved, it is \
             not worth it."
        )
    });
    let answer = if let Comparison::Faster(_) = compare(other, sync) {
        let saved = seconds(sync.seconds - other.seconds, &style);
        let all = seconds(sync.seconds, &style);
        format!("Should you at all? Yes: {label} {save} {saved} of {all}.")
    } else {
        format!(
            "Should you at all? No: {label} gained nothing over sync beyond 5 % and \
             the noise of these runs."
        )
    };
    Some(answer + &cost.unwrap_or_default())
}

/// How much longer than its ideal a way took. `None` if it has no ideal, or took no longer.
fn cost(row: &TimedWay) -> Option<f64> {
    let cost = row.seconds - row.ideal_seconds?;
    Some(cost).filter(|cost| *cost > 0.0)
}
