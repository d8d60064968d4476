//! Safe: a manager process has the list, and all others append to it by messages.

use crate::outcome;
use crate::timing::processes::{Manager, Pool, Proxy, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::numbers_of;

/// `processes` processes bring `items` numbers each into one list.
pub(super) fn run(processes: usize, items: usize) {
    let manager = Manager::start().needed();
    let address = manager.address().to_owned();
    let mut list = Proxy::connect(&address).needed();
    let mut pool = Pool::<Appender>::start(processes, address, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map((0..processes).map(|process| numbers_of(process, items)))
        .needed();
    pool.finish().needed();
    let mut list = list.list().needed();
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, numbers_of(0, processes * items));
}

/// A process that appends numbers to the list.
pub(crate) struct Appender {
    list: Proxy,
}

impl Work for Appender {
    const NAME: &'static str = "append-by-the-manager";
    const TRIES: u32 = 1;
    type Setup = String;
    type Task = Vec<u64>;
    type Answer = ();

    fn start(address: String, _name: &str) -> Result<Self, String> {
        let list = Proxy::connect(&address).map_err(|error| error.to_string())?;
        Ok(Appender { list })
    }

    fn run(&mut self, numbers: Vec<u64>, _lane: &mut Recorder) -> Result<(), String> {
        for number in numbers {
            self.list
                .append(number)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
