//! Safe: each process has a session of its own, made by the initialiser that runs once in it.

use ureq::Agent;

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{InheritedEnd, Pool, PoolSettings, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::numbers_of;
use super::printing::{Printer, Printing};
use super::site::Site;

/// `processes` processes download `items` pages each.
pub(super) fn run(processes: usize, items: usize, terminal: Option<Arc<dyn Terminal>>) {
    let site = Site::open().needed();
    let mut workers = PoolSettings::workers(processes);
    let printing = Printing::begin(terminal, &mut workers);
    let setup = (site.url(), printing.of_processes());
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
    session: Agent,
    url: String,
    printer: Printer,
}

impl Work for Reader {
    const NAME: &'static str = "download-by-a-session";
    const TRIES: u32 = 1;
    type Setup = (String, Option<InheritedEnd>);
    type Task = Vec<u64>;
    /// The numbers of the pages that came as answers.
    type Answer = Vec<u64>;

    fn start((url, printer): Self::Setup, name: &str) -> Result<Self, String> {
        let session = Agent::config_builder().proxy(None).build().new_agent();
        Ok(Reader {
            name: name.to_owned(),
            session,
            url,
            printer: Printer::take(printer.as_ref())?,
        })
    }

    fn run(&mut self, pages: Vec<u64>, _lane: &mut Recorder) -> Result<Vec<u64>, String> {
        let mut read = Vec::new();
        for page in pages {
            let answer = self.session.get(format!("{}/{page}", self.url)).call();
            let body = answer.and_then(|mut answer| answer.body_mut().read_to_string());
            let body = body.map_err(|error| format!("cannot download page {page}: {error}"))?;
            let (name, size) = (&self.name, body.len());
            self.printer
                .print(&format!("{name}: Read {size} from /{page}"))?;
            let number = body.trim().parse();
            read.push(number.map_err(|_| format!("the answer for page {page} is no page"))?);
        }
        Ok(read)
    }
}
