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
mod fault;
mod page;
mod problem;
mod requests;
mod server;
#[cfg(test)]
mod tests;
mod thread_clock;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::event_loop::{event_loop, on_event_loop};
use super::thread_pool::on_threads;
use super::{Done, Failed, Method, Recorder, Timeline, Way, Workload};
use delays::Delays;
use page::Page;

pub use fault::{Fault, FaultKind};
pub use requests::Serve;
pub use server::{Server, ServerSettings};

/// How much longer than it has to a download may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to download, and how.
#[derive(Clone)]
pub(crate) struct Settings {
    /// From where.
    pub(crate) source: Source,
    /// How many downloads there are, of all pages in turn.
    pub(crate) items: usize,
    /// The ways to do it.
    pub(crate) ways: Vec<Way>,
    /// What is told of each download, if anything: `Read 278 from http://…`. It is called by the
    /// thread that has downloaded, while the time is taken.
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
    settings: Settings,
    pages: Arc<[Page]>,
    server: Option<Server>,
    timeout: Duration,
}

impl Io {
    /// Starts the server, or sees what the addresses answer.
    ///
    /// # Errors
    ///
    /// If the server cannot be started, as on a port that is taken; if there are no addresses; if
    /// one is no http address or cannot be downloaded from.
    pub(crate) fn new(settings: Settings) -> Result<Self, Failed> {
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

    /// The page of the download with this number.
    fn page(&self, number: usize) -> &Page {
        &self.pages[number % self.pages.len()]
    }

    fn download_all(&self, way: &Way, timeline: &Timeline) -> Result<u64, Failed> {
        match way.method {
            Method::Sync => self.one_after_another(timeline),
            Method::Threads => self.by_threads(way.workers, timeline),
            Method::Async => self.by_tasks(way.workers, timeline),
            Method::Processes | Method::Rayon => Err(Failed::Refused(format!(
                "`io` has no method `{}`",
                way.method
            ))),
        }
    }

    fn one_after_another(&self, timeline: &Timeline) -> Result<u64, Failed> {
        let session = blocking::Session::new(self.timeout);
        let mut lane = timeline.lane(0, "main");
        let mut sum = 0_u64;
        for number in 0..self.settings.items {
            let checksum = self.download(&session, self.page(number), &mut lane)?;
            sum = sum.wrapping_add(checksum);
        }
        Ok(sum)
    }

    /// Each thread has a session of its own.
    fn by_threads(&self, workers: usize, timeline: &Timeline) -> Result<u64, Failed> {
        let pages: Vec<&Page> = (0..self.settings.items)
            .map(|number| self.page(number))
            .collect();
        let checksums = on_threads(
            workers,
            &pages,
            timeline,
            |_| Ok(blocking::Session::new(self.timeout)),
            |session, page, lane| self.download(session, page, lane),
        )?;
        Ok(checksums.into_iter().fold(0, u64::wrapping_add))
    }

    fn download(
        &self,
        session: &blocking::Session,
        page: &Page,
        lane: &mut Recorder,
    ) -> Result<u64, Failed> {
        let body = lane.wait(|| session.download(&page.url));
        let body = body.map_err(|problem| page.failed(&problem))?;
        let checksum = lane.work(|| page.check(&body));
        let checksum = checksum.map_err(|problem| page.failed(&problem))?;
        if let Some(lines) = &self.settings.lines {
            lines(&page.line(&body));
        }
        Ok(checksum)
    }

    /// All tasks share a session.
    fn by_tasks(&self, workers: usize, timeline: &Timeline) -> Result<u64, Failed> {
        let runtime = event_loop()?;
        let session = asynchronous::Session::new(self.timeout);
        let next = Arc::new(AtomicUsize::new(0));
        let tasks = (0..workers).map(|place| {
            let mut lane = timeline.lane(place, format!("task {}", place + 1));
            let (session, pages) = (session.clone(), Arc::clone(&self.pages));
            let (next, lines) = (Arc::clone(&next), self.settings.lines.clone());
            let items = self.settings.items;
            async move {
                let mut sum = 0_u64;
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= items {
                        return Ok(sum);
                    }
                    let page = &pages[number % pages.len()];
                    let body = lane.wait_for(session.download(&page.url)).await;
                    let body = body.map_err(|problem| page.failed(&problem))?;
                    let checksum = lane.work(|| page.check(&body));
                    sum = sum.wrapping_add(checksum.map_err(|problem| page.failed(&problem))?);
                    if let Some(lines) = &lines {
                        lines(&page.line(&body));
                    }
                }
            }
        });
        let sums = on_event_loop(&runtime, tasks)?;
        Ok(sums.into_iter().fold(0, u64::wrapping_add))
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
        let Some(server) = &self.server else {
            let sum = self.download_all(way, timeline)?;
            return Ok(Done {
                checksum: text(sum),
                ..Done::default()
            });
        };
        server.reset();
        let cpu_before = server.cpu_time();
        let sum = self.download_all(way, timeline)?;
        if server.served() != self.items() {
            return Err(Failed::Broken(format!(
                "{} pages were downloaded, but the server has answered {} requests",
                self.items(),
                server.served()
            )));
        }
        Ok(Done {
            checksum: text(sum),
            peak_in_flight: Some(server.peak_in_flight()),
            cpu_of_others: server.cpu_time().saturating_sub(cpu_before),
            ..Done::default()
        })
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

fn text(checksum: u64) -> String {
    format!("{checksum:016x}")
}
