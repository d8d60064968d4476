//! How long the server lets each request wait.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// The waits of the requests in the order in which they arrive. There is no end of them.
///
/// They depend on nothing but the settings, so that every way to download meets the same waits.
#[derive(Clone, Debug)]
pub(super) struct Delays {
    latency: Duration,
    jitter: Duration,
    generator: Pcg64Mcg,
}

impl Delays {
    /// Waits of `latency`, and up to `jitter` more, drawn from `seed`.
    pub(super) fn new(latency: Duration, jitter: Duration, seed: u64) -> Self {
        Delays {
            latency,
            jitter,
            generator: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// How long `workers` take for so many requests if they lose no time: each makes the next
    /// request as soon as it has its answer.
    ///
    /// # Panics
    ///
    /// If there are no workers.
    pub(super) fn shared_out(self, requests: usize, workers: usize) -> Duration {
        let mut free_at: BinaryHeap<_> = (0..workers).map(|_| Reverse(Duration::ZERO)).collect();
        let mut last = Duration::ZERO;
        for delay in self.take(requests) {
            let Reverse(start) = free_at.pop().expect("there is a worker");
            let end = start.saturating_add(delay);
            last = last.max(end);
            free_at.push(Reverse(end));
        }
        last
    }
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let share = self.generator.gen_range(0.0..1.0);
        Some(self.latency.saturating_add(self.jitter.mul_f64(share)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Duration = Duration::from_millis(20);
    const JITTER: Duration = Duration::from_millis(5);

    #[test]
    fn the_same_seed_has_the_same_waits_and_another_one_has_not() {
        let drawn =
            |seed| -> Vec<Duration> { Delays::new(LATENCY, JITTER, seed).take(50).collect() };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn jitter_adds_up_to_its_maximum_and_differs() {
        let drawn: Vec<Duration> = Delays::new(LATENCY, JITTER, 0).take(1000).collect();
        assert!(
            drawn
                .iter()
                .all(|wait| (LATENCY..LATENCY + JITTER).contains(wait))
        );
        let most = drawn.iter().max().expect("there are some");
        let least = drawn.iter().min().expect("there are some");
        assert!(
            *most > *least + JITTER.mul_f64(0.9),
            "{least:?} to {most:?}"
        );
    }

    #[test]
    fn workers_share_equal_waits_in_rounds() {
        let ideal = |workers| Delays::new(LATENCY, Duration::ZERO, 0).shared_out(160, workers);
        assert_eq!(ideal(1), 160 * LATENCY);
        assert_eq!(ideal(5), 32 * LATENCY);
        assert_eq!(ideal(30), 6 * LATENCY);
        assert_eq!(ideal(160), LATENCY);
        assert_eq!(ideal(1000), LATENCY);
    }

    #[test]
    fn with_jitter_one_worker_takes_the_sum_and_one_for_each_the_longest() {
        let delays = Delays::new(LATENCY, JITTER, 3);
        let drawn: Vec<Duration> = delays.clone().take(40).collect();
        let sum: Duration = drawn.iter().sum();
        assert_eq!(delays.clone().shared_out(40, 1), sum);
        assert_eq!(Some(delays.shared_out(40, 40)), drawn.into_iter().max());
    }
}
