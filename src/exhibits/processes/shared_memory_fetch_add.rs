//! Safe: the load, the addition and the store are one step, for other processes as well.

use crate::outcome;
use crate::sync::atomic::Ordering::SeqCst;
use crate::timing::processes::{Inherited, Pool, PoolSettings, SharedNumber, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;

/// `processes` processes add 1 to one number, `increments` times each.
pub(super) fn run(processes: usize, increments: u64) {
    let counter = SharedNumber::create().needed();
    let (number, inherited) = counter.to_inherit().needed();
    let workers = PoolSettings {
        inherited,
        ..PoolSettings::workers(processes)
    };
    let mut pool = Pool::<Adder>::start_with(workers, number, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map(vec![increments; processes]).needed();
    pool.finish().needed();
    let total = counter.load(SeqCst);
    outcome(total);
    assert_eq!(total, processes as u64 * increments);
}

/// A process that adds to the number.
pub(crate) struct Adder {
    counter: SharedNumber,
}

impl Work for Adder {
    const NAME: &'static str = "add-by-fetch-add";
    const TRIES: u32 = 1;
    type Setup = Inherited;
    type Task = u64;
    type Answer = ();

    fn start(number: Inherited, _name: &str) -> Result<Self, String> {
        let counter = SharedNumber::take(number).map_err(|error| error.to_string())?;
        Ok(Adder { counter })
    }

    fn run(&mut self, increments: u64, _lane: &mut Recorder) -> Result<(), String> {
        for _ in 0..increments {
            self.counter.fetch_add(1, SeqCst);
        }
        Ok(())
    }
}
