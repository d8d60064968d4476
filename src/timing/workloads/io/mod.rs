//! Downloads: work that waits for answers.
//!
//! They come from a [`Server`] of our own, which takes as long for an answer as it is told, or from
//! addresses that the user gives.

mod address;
mod alarm;
mod answer;
mod asynchronous;
mod blocking;
mod content;
mod delays;
mod downloads;
mod fault;
mod open_files;
mod page;
mod problem;
mod requests;
mod server;
#[cfg(test)]
mod tests;
mod thread_clock;
mod ways;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::timing::{Done, Failed, Method, Timeline, Way, Workload};
use delays::Delays;
use page::Page;

pub(crate) use downloads::Downloads;
pub use fault::{Fault, FaultKind};
pub use requests::Serve;
pub use server::{Server, ServerSettings};

/// How much longer than it has to a download may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to download, and how.
#[derive(Clone)]
pub(crate) struct DownloadSettings {
    /// From where.
    pub(crate) source: Source,
    /// How many downloads there are, of all pages in turn.
    pub(crate) items: usize,
    /// The ways to do it.
    pub(crate) ways: Vec<Way>,
    /// What is told of each download, if anything: `Read 278 from http://…`, and for processes
    /// `process 1: Read 278 from http://…`. It is called while the time is taken, by each thread
    /// that has downloaded.
    pub(crate) lines: Option<Lines>,
}

/// Takes a line.
pub(crate) type Lines = Arc<dyn Fn(&str) + Send + Sync>;

/// From where downloads come.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A server that is started for them.
    Embedded(ServerSettings),
    /// Addresses of the user.
    Urls(Vec<String>),
}

/// Downloads of some pages in turn.
pub(crate) struct Io {
    settings: DownloadSettings,
    pages: Arc<[Page]>,
    server: Option<Server>,
    timeout: Duration,
}

impl Io {
    /// Starts the server, or sees what the addresses answer.
    ///
    /// # Errors
    ///
    /// If a way has more connections at once than there may be; if the server cannot be started, as
    /// on a port that is taken; if there are no addresses; if one is no http address or cannot be
    /// downloaded from.
    pub(crate) fn new(settings: DownloadSettings) -> Result<Self, Failed> {
        for way in &settings.ways {
            open_files::refuse_too_many(way, &settings.source)?;
        }
        let (server, pages, timeout) = match &settings.source {
            Source::Embedded(serving) => {
                let server = Server::start(serving)?;
                let pages: Vec<Page> = server
                    .urls()
                    .into_iter()
                    .zip(serving.sizes)
                    .map(|(url, size)| Page::of_server(url, size))
                    .collect();
                // The last one of those that wait for each other waits for all of them.
                let waits = serving.delays().shared_out(settings.items, 1);
                (Some(server), pages, PATIENCE.saturating_add(waits))
            }
            Source::Urls(urls) => (None, first_downloads(urls)?, PATIENCE),
        };
        Ok(Io {
            settings,
            pages: pages.into(),
            server,
            timeout,
        })
    }

    /// Holds the downloads against what the server has counted. A download that was made for a
    /// worker which was lost then is made again.
    fn check_counts(&self, server: &Server, lost: u64) -> Result<(), Failed> {
        let (served, items) = (server.served(), self.items());
        if (items..=items + lost).contains(&served) {
            return Ok(());
        }
        Err(Failed::Broken(format!(
            "{items} pages were downloaded, but the server has answered {served} requests"
        )))
    }
}

impl Workload for Io {
    fn name(&self) -> &'static str {
        "io"
    }

    fn parameters(&self) -> Map<String, Value> {
        let mut parameters = Map::from_iter([("items".to_owned(), json!(self.settings.items))]);
        match &self.settings.source {
            Source::Embedded(serving) => parameters.extend(serving.parameters()),
            Source::Urls(urls) => parameters.extend([("url".to_owned(), json!(urls))]),
        }
        parameters
    }

    fn ways(&self) -> Vec<Way> {
        self.settings.ways.clone()
    }

    fn items(&self) -> u64 {
        self.settings.items as u64
    }

    /// The waits of the server, shared out among the workers. What a site takes is not known.
    fn ideal(&self, way: &Way, _sync: Option<Duration>) -> Option<Duration> {
        let Source::Embedded(serving) = &self.settings.source else {
            return None;
        };
        let at_once = match (serving.serve, way.method) {
            (Serve::One, _) | (Serve::Many, Method::Sync) => 1,
            (Serve::Many, _) => way.workers.max(1),
        };
        Some(serving.delays().shared_out(self.settings.items, at_once))
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let server = self.server.as_ref();
        if let Some(server) = server {
            server.reset();
        }
        let cpu_before = server.map_or(Duration::ZERO, Server::cpu_time);
        let start = Instant::now();
        let downloaded = self.download_all(way, timeline)?;
        if let Some(lines) = &self.settings.lines {
            let seconds = start.elapsed().as_secs_f64();
            lines(&format!(
                "Downloaded {} in {seconds:.3} seconds",
                self.items()
            ));
        }
        let mut done = Done {
            checksum: sum_of(&downloaded.checksums),
            ..Done::default()
        };
        if let Some(workers) = downloaded.workers {
            done.memory_of_processes = workers.memory;
            done.lost_workers = workers.lost_workers;
        }
        if let Some(server) = server {
            self.check_counts(server, done.lost_workers.len() as u64)?;
            done.peak_in_flight = Some(server.peak_in_flight());
            done.cpu_of_others = server.cpu_time().saturating_sub(cpu_before);
        }
        Ok(done)
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("source", &self.settings.source)
            .field("items", &self.settings.items)
            .field("ways", &self.settings.ways)
            .finish_non_exhaustive()
    }
}

impl ServerSettings {
    /// The waits that the server has.
    fn delays(&self) -> Delays {
        Delays::new(self.latency, self.jitter, self.seed)
    }

    /// What it was given, by the names of the flags.
    fn parameters(&self) -> Vec<(String, Value)> {
        let mut parameters = vec![
            ("latency".to_owned(), json!(format!("{:?}", self.latency))),
            ("size".to_owned(), json!(self.sizes)),
            ("serve".to_owned(), json!(self.serve.name())),
        ];
        if !self.jitter.is_zero() {
            parameters.push(("jitter".to_owned(), json!(format!("{:?}", self.jitter))));
            parameters.push(("seed".to_owned(), json!(self.seed)));
        }
        if let Some(fault) = self.fault {
            parameters.push(("fault".to_owned(), json!(fault.kind.name())));
            parameters.push(("fault-after".to_owned(), json!(fault.after)));
        }
        parameters
    }
}

/// The pages of some addresses, each of which is downloaded once.
fn first_downloads(urls: &[String]) -> Result<Vec<Page>, Failed> {
    if urls.is_empty() {
        return Err(Failed::Refused(
            "there is no address to download from".to_owned(),
        ));
    }
    for url in urls {
        address::check(url)?;
    }
    let session = blocking::Session::new(PATIENCE);
    urls.iter()
        .map(|url| match session.download(url) {
            Ok(body) => Ok(Page::downloaded(url.clone(), &body)),
            Err(problem) => Err(Failed::Refused(format!("cannot download {url}: {problem}"))),
        })
        .collect()
}

/// The sum of the checksums of all bodies, so that it does not depend on their order.
fn sum_of(checksums: &[u64]) -> String {
    let sum = checksums.iter().copied().fold(0, u64::wrapping_add);
    format!("{sum:016x}")
}
