//! Safe: each process has a session of its own, made by the initialiser that runs once in it.

use std::net::SocketAddr;

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{InheritedEnd, Pool, PoolSettings, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::numbers_of;
use super::printing::{Printer, Printing};
use super::site::{Session, Site};

/// `processes` processes download `items` pages each.
pub(super) fn run(processes: usize, items: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::open().needed();
    let mut workers = PoolSettings::workers(processes);
    let printing = Printing::begin(terminal, &mut workers);
    let setup = (site.address(), printing.of_processes());
    let mut pool = Pool::<Reader>::start_with(workers, setup, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    let pages: Vec<_> = (0..processes)
        .map(|process| numbers_of(process, items))
        .collect();
    let read = pool.map(pages.clone()).needed();
    pool.finish().needed();
    printing.end("");
    outcome(&read);
    assert_eq!(read, pages);
}

/// A process that downloads pages.
pub(crate) struct Reader {
    name: String,
    session: Session,
    printer: Printer,
}

impl Work for Reader {
    const NAME: &'static str = "download-by-a-session";
    const TRIES: u32 = 1;
    type Setup = (SocketAddr, Option<InheritedEnd>);
    type Task = Vec<u64>;
    /// The numbers of the pages that came as answers.
    type Answer = Vec<u64>;

    fn start((site, printer): Self::Setup, name: &str) -> Result<Self, String> {
        let session = Session::open(site).map_err(|error| error.to_string())?;
        Ok(Reader {
            name: name.to_owned(),
            session,
            printer: Printer::take(printer.as_ref())?,
        })
    }

    fn run(&mut self, pages: Vec<u64>, _lane: &mut Recorder) -> Result<Vec<u64>, String> {
        let mut read = Vec::new();
        for page in pages {
            let body = self.session.download(page);
            let body = body.map_err(|error| format!("cannot download page {page}: {error}"))?;
            let (name, size) = (&self.name, body.len());
            self.printer
                .print(&format!("{name}: Read {size} from /{page}"))?;
            let number = body.trim().parse();
            read.push(number.map_err(|_| format!("the answer for page {page} is not a page"))?);
        }
        Ok(read)
    }
}
