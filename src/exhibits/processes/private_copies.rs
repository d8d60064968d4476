//! Unsafe: each process has a copy of the list, and the list of the main process stays empty.

use crate::outcome;
use crate::timing::processes::{Pool, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::numbers_of;

/// `processes` processes bring `items` numbers each into one list.
pub(super) fn run(processes: usize, items: usize) {
    let list = Vec::new();
    let mut pool = Pool::<Appender>::start(processes, list.clone(), &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map((0..processes).map(|process| numbers_of(process, items)))
        .needed();
    pool.finish().needed();
    let mut list = list;
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, numbers_of(0, processes * items));
}

/// A process that appends numbers to the list.
pub(crate) struct Appender {
    list: Vec<u64>,
}

impl Work for Appender {
    const NAME: &'static str = "append-to-a-copy";
    const TRIES: u32 = 1;
    type Setup = Vec<u64>;
    type Task = Vec<u64>;
    type Answer = ();

    fn start(list: Vec<u64>, _name: &str) -> Result<Self, String> {
        Ok(Appender { list })
    }

    fn run(&mut self, numbers: Vec<u64>, _lane: &mut Recorder) -> Result<(), String> {
        for number in numbers {
            self.list.push(number);
        }
        Ok(())
    }
}
