//! What busy loops leave of a machine.

use super::super::units::digits;
use super::phrase::{list, title};
use crate::report::plural;
use crate::timing::{TimedWay, Timing};

/// A core that was used for less than this share of the time is not named.
const USED: f64 = 0.005;

/// For each way, how much of the machine its loops kept busy, and on which cores.
pub(super) fn busy(timing: &Timing) -> Vec<String> {
    let sentences = timing.rows.iter().map(|row| of_way(row, timing.cores));
    let mut sentences: Vec<String> = sentences.flatten().collect();
    let moved = timing
        .rows
        .iter()
        .any(|row| row.workers == 1 && on_cores(row).len() > 1);
    if moved {
        sentences.push(
            "One loop is on one core at a time; the system moves it, so that a monitor that shows \
             each core shows several that are partly busy."
                .to_owned(),
        );
    }
    sentences
}

fn of_way(row: &TimedWay, cores: usize) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "there are not so many cores")]
    let share = row.cores_busy()? / cores.max(1) as f64;
    let loops = plural(row.workers as u64, "busy loop");
    let on_cores = on_cores(row);
    let on_cores = if on_cores.is_empty() {
        String::new()
    } else {
        format!(", {}", list(&on_cores))
    };
    Some(format!(
        "{} kept {} of {} busy, {} % of the machine{on_cores}.",
        title(&loops),
        digits(row.cores_busy()?, 3),
        plural(cores as u64, "core"),
        digits(share * 100.0, 2),
    ))
}

/// The cores on which the loops were, each with its share of the time.
fn on_cores(row: &TimedWay) -> Vec<String> {
    let cores = row.seconds_on_cores.iter().enumerate();
    let shares = cores.map(|(core, seconds)| (core, seconds / row.seconds));
    let used = shares.filter(|(_, share)| *share >= USED);
    let texts = used
        .map(|(core, share)| format!("core {core} for {} % of the time", digits(share * 100.0, 2)));
    texts.collect()
}
