//! Unsafe: each process has a copy of the list, and the list of the main process stays empty.

use std::process;

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{InheritedEnd, Pool, PoolSettings, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::numbers_of;
use super::printing::{Printer, Printing};

/// `processes` processes bring `items` numbers each into one list.
pub(super) fn run(processes: usize, items: usize, terminal: Option<Arc<dyn Terminal>>) {
    let list = Vec::new();
    let mut workers = PoolSettings::workers(processes);
    let printing = Printing::begin(terminal, &mut workers);
    let setup = (list.clone(), printing.of_processes());
    let mut pool = Pool::<Appender>::start_with(workers, setup, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map((0..processes).map(|process| numbers_of(process, items)))
        .needed();
    pool.finish().needed();
    let mut list = list;
    printing.end(&format!("From main {} {list:?}\n", process::id()));
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, numbers_of(0, processes * items));
}

/// A process that appends numbers to the list.
pub(crate) struct Appender {
    list: Vec<u64>,
    printer: Printer,
}

impl Work for Appender {
    const NAME: &'static str = "append-to-a-copy";
    const TRIES: u32 = 1;
    type Setup = (Vec<u64>, Option<InheritedEnd>);
    type Task = Vec<u64>;
    type Answer = ();

    fn start((list, printer): Self::Setup, _name: &str) -> Result<Self, String> {
        let printer = Printer::take(printer.as_ref())?;
        Ok(Appender { list, printer })
    }

    fn run(&mut self, numbers: Vec<u64>, _lane: &mut Recorder) -> Result<(), String> {
        for number in numbers {
            self.list.push(number);
        }
        let list = &self.list;
        let line = format!("From child {} {list:?}", process::id());
        self.printer.print(&line)
    }
}
