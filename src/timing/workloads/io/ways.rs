//! The ways to download: one after another, by threads, by tasks and by processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::downloads::{Downloads, Setup};
use super::page::Page;
use super::{Io, PATIENCE, asynchronous, blocking};
use crate::timing::processes::{Finished, Pool, PoolSettings};
use crate::timing::workers::on_threads;
use crate::timing::workers::{on_event_loop, recorded_event_loop};
use crate::timing::workloads::Lines;
use crate::timing::{Failed, Method, Recorder, Timeline, Way};

/// What all downloads of a run came to.
pub(super) struct Downloaded {
    /// The checksum of each body.
    pub(super) checksums: Vec<u64>,
    /// What is known of worker processes, if there were any.
    pub(super) workers: Option<Finished>,
}

impl Io {
    /// Makes all downloads in a way, of these pages in turn.
    ///
    /// # Errors
    ///
    /// If one fails, or if the workers cannot be started.
    pub(super) fn download_all(
        &self,
        way: &Way,
        pages: &Arc<[Page]>,
        timeline: &Timeline,
    ) -> Result<Downloaded, Failed> {
        let checksums = match way.method {
            Method::Sync => self.one_after_another(pages, timeline)?,
            Method::Threads => self.by_threads(way.workers, pages, timeline)?,
            Method::Async => {
                let session = asynchronous::Session::new(self.timeout, self.settings.connections);
                self.by_tasks(way.workers, &Library::Async(session), pages, timeline)?
            }
            Method::AsyncBlocking => {
                let library = Library::Blocking(Arc::new(self.session()));
                self.by_tasks(way.workers, &library, pages, timeline)?
            }
            Method::Processes => return self.by_processes(way.workers, pages, timeline),
            Method::Rayon => return Err(Failed::no_method("io", way.method)),
        };
        Ok(Downloaded {
            checksums,
            workers: None,
        })
    }

    fn one_after_another(&self, pages: &[Page], timeline: &Timeline) -> Result<Vec<u64>, Failed> {
        let session = self.session();
        let mut lane = timeline.lane(0, "main");
        self.downloads(pages)
            .map(|page| download(&session, page, &mut lane, self.settings.lines.as_ref()))
            .collect()
    }

    /// Each thread has a session of its own.
    fn by_threads(
        &self,
        workers: usize,
        pages: &[Page],
        timeline: &Timeline,
    ) -> Result<Vec<u64>, Failed> {
        on_threads(
            workers,
            &self.downloads(pages).collect::<Vec<&Page>>(),
            timeline,
            |_| Ok(self.session()),
            |session, page, lane| download(session, page, lane, self.settings.lines.as_ref()),
        )
    }

    /// All tasks share a session. With as many tasks as downloads, all downloads are under way at
    /// once, if the library lets others get on.
    fn by_tasks(
        &self,
        workers: usize,
        library: &Library,
        pages: &Arc<[Page]>,
        timeline: &Timeline,
    ) -> Result<Vec<u64>, Failed> {
        let runtime = recorded_event_loop(timeline)?;
        let next = Arc::new(AtomicUsize::new(0));
        let tasks = (0..workers).map(|place| {
            let mut lane = timeline.lane(place, format!("task {}", place + 1));
            let (library, pages) = (library.clone(), Arc::clone(pages));
            let (next, lines) = (Arc::clone(&next), self.settings.lines.clone());
            let items = self.settings.items;
            async move {
                let mut checksums = Vec::new();
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= items {
                        return Ok(checksums);
                    }
                    let page = &pages[number % pages.len()];
                    checksums.push(library.download(page, &mut lane).await?);
                    if let Some(lines) = &lines {
                        lines(&page.line());
                    }
                }
            }
        });
        Ok(on_event_loop(&runtime, tasks)?.concat())
    }

    /// Each process has a session of its own, made when it starts.
    fn by_processes(
        &self,
        workers: usize,
        pages: &[Page],
        timeline: &Timeline,
    ) -> Result<Downloaded, Failed> {
        let workers = PoolSettings {
            // The worker itself gives up before that, and says what it waited for.
            time: self.timeout.saturating_add(PATIENCE),
            ..PoolSettings::workers(workers)
        };
        let setup = Setup {
            pages: pages.to_vec(),
            timeout: self.timeout,
            connections: self.settings.connections,
        };
        let mut pool = Pool::<Downloads>::start_with(workers, setup, timeline)?;
        let tasks = (0..self.settings.items).map(|number| number % pages.len());
        let downloads = pool.map_and_tell(tasks, |worker, download| {
            if let Some(lines) = &self.settings.lines {
                lines(&format!("{worker}: {}", pages[download.page].line()));
            }
        })?;
        Ok(Downloaded {
            checksums: downloads.iter().map(|download| download.checksum).collect(),
            workers: Some(pool.finish()?),
        })
    }

    /// The page of each download.
    fn downloads<'a>(&self, pages: &'a [Page]) -> impl Iterator<Item = &'a Page> {
        pages.iter().cycle().take(self.settings.items)
    }

    fn session(&self) -> blocking::Session {
        blocking::Session::new(self.timeout, self.settings.connections)
    }
}

/// What tasks download with.
#[derive(Clone, Debug)]
enum Library {
    /// One that lets the event loop go on while it waits.
    Async(asynchronous::Session),
    /// One that blocks its thread. While a task waits so does the event loop, and no other task gets
    /// on.
    Blocking(Arc<blocking::Session>),
}

impl Library {
    async fn download(&self, page: &Page, lane: &mut Recorder) -> Result<u64, Failed> {
        match self {
            Library::Async(session) => page.download_as_task(session, lane).await,
            Library::Blocking(session) => {
                let checksum = page.download(session, lane)?;
                // The next task has its turn.
                tokio::task::yield_now().await;
                Ok(checksum)
            }
        }
    }
}

/// Downloads a page and tells of it.
fn download(
    session: &blocking::Session,
    page: &Page,
    lane: &mut Recorder,
    lines: Option<&Lines>,
) -> Result<u64, Failed> {
    let checksum = page.download(session, lane)?;
    if let Some(lines) = lines {
        lines(&page.line());
    }
    Ok(checksum)
}
