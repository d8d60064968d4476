//! The ways to download: one after another, by threads, by tasks and by processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::downloads::{Downloads, Setup};
use super::page::Page;
use super::{Io, PATIENCE, asynchronous, blocking};
use crate::timing::processes::{Finished, Pool, PoolSettings};
use crate::timing::workers::on_threads;
use crate::timing::workers::{on_event_loop, recorded_event_loop};
use crate::timing::{Failed, Method, Recorder, Timeline, Way};

/// What all downloads of a run came to.
pub(super) struct Downloaded {
    /// The checksum of each body.
    pub(super) checksums: Vec<u64>,
    /// What is known of worker processes, if there were any.
    pub(super) workers: Option<Finished>,
}

impl Io {
    /// Makes all downloads in a way.
    ///
    /// # Errors
    ///
    /// If one fails, or if the workers cannot be started.
    pub(super) fn download_all(
        &self,
        way: &Way,
        timeline: &Timeline,
    ) -> Result<Downloaded, Failed> {
        let checksums = match way.method {
            Method::Sync => self.one_after_another(timeline)?,
            Method::Threads => self.by_threads(way.workers, timeline)?,
            Method::Async => self.by_tasks(way.workers, timeline)?,
            Method::Processes => return self.by_processes(way.workers, timeline),
            Method::Rayon => {
                return Err(Failed::Refused("`io` has no method `rayon`".to_owned()));
            }
        };
        Ok(Downloaded {
            checksums,
            workers: None,
        })
    }

    fn one_after_another(&self, timeline: &Timeline) -> Result<Vec<u64>, Failed> {
        let session = blocking::Session::new(self.timeout);
        let mut lane = timeline.lane(0, "main");
        let pages = (0..self.settings.items).map(|number| self.page(number));
        pages
            .map(|page| self.download(&session, page, &mut lane))
            .collect()
    }

    /// Each thread has a session of its own.
    fn by_threads(&self, workers: usize, timeline: &Timeline) -> Result<Vec<u64>, Failed> {
        let pages = (0..self.settings.items).map(|number| self.page(number));
        on_threads(
            workers,
            &pages.collect::<Vec<&Page>>(),
            timeline,
            |_| Ok(blocking::Session::new(self.timeout)),
            |session, page, lane| self.download(session, page, lane),
        )
    }

    fn download(
        &self,
        session: &blocking::Session,
        page: &Page,
        lane: &mut Recorder,
    ) -> Result<u64, Failed> {
        let checksum = page.download(session, lane)?;
        if let Some(lines) = &self.settings.lines {
            lines(&page.line());
        }
        Ok(checksum)
    }

    /// All tasks share a session. With as many tasks as downloads, all downloads are under way at
    /// once.
    fn by_tasks(&self, workers: usize, timeline: &Timeline) -> Result<Vec<u64>, Failed> {
        let runtime = recorded_event_loop(timeline)?;
        let session = asynchronous::Session::new(self.timeout);
        let next = Arc::new(AtomicUsize::new(0));
        let tasks = (0..workers).map(|place| {
            let mut lane = timeline.lane(place, format!("task {}", place + 1));
            let (session, pages) = (session.clone(), Arc::clone(&self.pages));
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
                    checksums.push(page.download_as_task(&session, &mut lane).await?);
                    if let Some(lines) = &lines {
                        lines(&page.line());
                    }
                }
            }
        });
        Ok(on_event_loop(&runtime, tasks)?.concat())
    }

    /// Each process has a session of its own, made when it starts.
    fn by_processes(&self, workers: usize, timeline: &Timeline) -> Result<Downloaded, Failed> {
        let workers = PoolSettings {
            // The worker itself gives up before that, and says what it waited for.
            time: self.timeout.saturating_add(PATIENCE),
            ..PoolSettings::workers(workers)
        };
        let setup = Setup {
            pages: self.pages.to_vec(),
            timeout: self.timeout,
        };
        let mut pool = Pool::<Downloads>::start_with(workers, setup, timeline)?;
        let tasks = (0..self.settings.items).map(|number| number % self.pages.len());
        let downloads = pool.map_and_tell(tasks, |worker, download| {
            if let Some(lines) = &self.settings.lines {
                lines(&format!("{worker}: {}", self.pages[download.page].line()));
            }
        })?;
        Ok(Downloaded {
            checksums: downloads.iter().map(|download| download.checksum).collect(),
            workers: Some(pool.finish()?),
        })
    }

    /// The page of the download with this number.
    fn page(&self, number: usize) -> &Page {
        &self.pages[number % self.pages.len()]
    }
}
