//! Safe: a manager process has the list, and all others append to it by messages.

use std::process;

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{InheritedEnd, Manager, Pool, PoolSettings, Proxy, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::numbers_of;
use super::printing::{Printer, Printing};

/// `processes` processes bring `items` numbers each into one list.
pub(super) fn run(processes: usize, items: usize, terminal: Option<Arc<dyn Terminal>>) {
    let manager = Manager::start().needed();
    let address = manager.address().to_owned();
    let mut list = Proxy::connect(&address).needed();
    let mut workers = PoolSettings::workers(processes);
    let printing = Printing::begin(terminal, &mut workers);
    let setup = (address, printing.of_processes());
    let mut pool = Pool::<Appender>::start_with(workers, setup, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map((0..processes).map(|process| numbers_of(process, items)))
        .needed();
    pool.finish().needed();
    let mut list = list.list().needed();
    printing.end(&format!("From main {} {list:?}\n", process::id()));
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, numbers_of(0, processes * items));
}

/// A process that appends numbers to the list.
pub(crate) struct Appender {
    list: Proxy,
    printer: Printer,
}

impl Work for Appender {
    const NAME: &'static str = "append-by-the-manager";
    const TRIES: u32 = 1;
    type Setup = (String, Option<InheritedEnd>);
    type Task = Vec<u64>;
    type Answer = ();

    fn start((address, printer): Self::Setup, _name: &str) -> Result<Self, String> {
        let list = Proxy::connect(&address).map_err(|error| error.to_string())?;
        let printer = Printer::take(printer.as_ref())?;
        Ok(Appender { list, printer })
    }

    fn run(&mut self, numbers: Vec<u64>, _lane: &mut Recorder) -> Result<(), String> {
        for number in numbers {
            self.list
                .append(number)
                .map_err(|error| error.to_string())?;
        }
        let list = self.list.list().map_err(|error| error.to_string())?;
        let line = format!("From child {} {list:?}", process::id());
        self.printer.print(&line)
    }
}
