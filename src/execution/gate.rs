//! Lets the threads of a run on real threads begin together.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire};
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread waits for the others. The body may have something to do for one thread before
/// it starts the next, so that there must be an end to it.
const LIMIT: Duration = Duration::from_millis(1);

/// How often a thread looks before it lets others have its core: a few microseconds, in which the
/// main thread starts another one.
const LOOKS: u32 = 500;

/// What threads wait at until the last of them is there.
#[derive(Debug, Default)]
pub(super) struct Gate {
    expected: usize,
    arrived: AtomicUsize,
    /// How long a thread waits.
    limit: Duration,
}

impl Gate {
    /// A gate for this number of threads. For less than two it is always open.
    pub(super) fn new(expected: usize) -> Self {
        Gate::with_limit(expected, LIMIT)
    }

    fn with_limit(expected: usize, limit: Duration) -> Self {
        Gate {
            expected,
            arrived: AtomicUsize::new(0),
            limit,
        }
    }

    /// Waits until all threads are there, or for as long as the limit says.
    pub(super) fn pass(&self) {
        if self.expected < 2 || self.arrived.fetch_add(1, AcqRel) + 1 >= self.expected {
            return;
        }
        let start = Instant::now();
        let mut looks = 0;
        while self.arrived.load(Acquire) < self.expected {
            looks += 1;
            if looks % LOOKS != 0 {
                spin_loop();
                continue;
            }
            if start.elapsed() >= self.limit {
                return;
            }
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;

    #[test]
    fn nobody_passes_before_the_last_is_there() {
        for _ in 0..20 {
            let gate = Gate::with_limit(3, Duration::MAX);
            let arrived = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        arrived.fetch_add(1, SeqCst);
                        gate.pass();
                        assert_eq!(arrived.load(SeqCst), 3);
                    });
                }
            });
        }
    }

    #[test]
    fn who_waits_in_vain_goes_on_when_the_limit_is_over() {
        let limit = Duration::from_millis(20);
        let start = Instant::now();
        Gate::with_limit(2, limit).pass();
        assert!(start.elapsed() >= limit);
        Gate::new(2).pass();
        Gate::new(1).pass();
        Gate::default().pass();
    }
}
