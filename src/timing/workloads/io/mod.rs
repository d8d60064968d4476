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

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::timing::workloads::Lines;
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
    /// Whether a connection serves several downloads.
    pub(crate) connections: Connections,
    /// The ways to do it, each with every server.
    pub(crate) ways: Vec<Way>,
    /// What is told of each download, if anything: `Read 278 from http://…`, and for processes
    /// `process 1: Read 278 from http://…`. It is called while the time is taken, by each thread
    /// that has downloaded.
    pub(crate) lines: Option<Lines>,
}

/// From where downloads come.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Servers that are started for them.
    Embedded(Vec<ServerSettings>),
    /// Addresses of the user.
    Urls(Vec<String>),
}

/// Whether a connection serves several downloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Connections {
    /// It is kept for the next one.
    Kept,
    /// Each download has a connection of its own.
    Fresh,
}

/// Downloads of some pages in turn.
pub(crate) struct Io {
    settings: DownloadSettings,
    sites: Vec<Site>,
    timeout: Duration,
}

/// From where a way downloads.
struct Site {
    pages: Arc<[Page]>,
    server: Option<Embedded>,
}

/// A server that was started for the downloads.
struct Embedded {
    settings: ServerSettings,
    server: Server,
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
        let (sites, timeout) = match &settings.source {
            Source::Embedded(servers) => {
                let sites = servers
                    .iter()
                    .map(Site::start)
                    .collect::<Result<Vec<_>, _>>()?;
                // The last one of those that wait for each other waits for all of them.
                let waits = servers
                    .iter()
                    .map(|server| server.delays().shared_out(settings.items, 1));
                (
                    sites,
                    PATIENCE.saturating_add(waits.max().unwrap_or_default()),
                )
            }
            Source::Urls(urls) => {
                let pages = first_downloads(urls)?.into();
                let site = Site {
                    pages,
                    server: None,
                };
                (vec![site], PATIENCE)
            }
        };
        Ok(Io {
            settings,
            sites,
            timeout,
        })
    }

    /// From where a way downloads.
    fn site(&self, way: &Way) -> &Site {
        let mut sites = self.sites.iter();
        let named = sites.find(|site| way.variant.is_some() && site.variant() == way.variant);
        named.unwrap_or(&self.sites[0])
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
            Source::Embedded(servers) => {
                let serve = servers.iter().map(|server| server.serve.name());
                let serve = serve.collect::<Vec<_>>().join(",");
                parameters.extend(servers.iter().flat_map(ServerSettings::parameters));
                parameters.insert("serve".to_owned(), json!(serve));
            }
            Source::Urls(urls) => parameters.extend([("url".to_owned(), json!(urls))]),
        }
        if self.settings.connections == Connections::Fresh {
            parameters.insert("connections".to_owned(), json!("fresh"));
        }
        parameters
    }

    fn ways(&self) -> Vec<Way> {
        let ways = &self.settings.ways;
        match self.sites.as_slice() {
            [_] => ways.clone(),
            sites => ways
                .iter()
                .flat_map(|way| {
                    sites.iter().map(|site| Way {
                        variant: site.variant(),
                        ..*way
                    })
                })
                .collect(),
        }
    }

    fn is_waiting(&self) -> bool {
        true
    }

    fn items(&self) -> u64 {
        self.settings.items as u64
    }

    /// The waits of the server, shared out among the workers. What a site takes is not known.
    fn ideal(&self, way: &Way, _sync: Option<Duration>) -> Option<Duration> {
        let serving = &self.site(way).server.as_ref()?.settings;
        let at_once = match (serving.serve, way.method) {
            (Serve::One, _) | (Serve::Many, Method::Sync | Method::AsyncBlocking) => 1,
            (Serve::Many, _) => way.workers.max(1),
        };
        Some(serving.delays().shared_out(self.settings.items, at_once))
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let site = self.site(way);
        let server = site.server.as_ref().map(|embedded| &embedded.server);
        if let Some(server) = server {
            server.reset();
        }
        let cpu_before = server.map_or(Duration::ZERO, Server::cpu_time);
        let start = Instant::now();
        let downloaded = self.download_all(way, &site.pages, timeline)?;
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

impl Site {
    /// Starts a server, which is where it is downloaded from.
    fn start(settings: &ServerSettings) -> Result<Self, Failed> {
        let server = Server::start(settings)?;
        let pages = server.urls().into_iter().zip(&settings.sizes);
        let pages = pages.map(|(url, size)| Page::of_server(url, *size));
        Ok(Site {
            pages: pages.collect(),
            server: Some(Embedded {
                settings: settings.clone(),
                server,
            }),
        })
    }

    /// What tells its ways from those of another server.
    fn variant(&self) -> Option<&'static str> {
        let server = self.server.as_ref();
        server.map(|embedded| embedded.settings.serve.variant())
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
    let session = blocking::Session::new(PATIENCE, Connections::Kept);
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
