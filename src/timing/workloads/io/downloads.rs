//! Downloads by worker processes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Connections;
use super::blocking::Session;
use super::page::Page;
use crate::timing::Recorder;
use crate::timing::processes::Work;

/// What a worker process has: its session, and the pages that it is asked for.
#[derive(Debug)]
pub(crate) struct Downloads {
    session: Session,
    pages: Vec<Page>,
}

/// What each worker process is started with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The pages.
    pub(super) pages: Vec<Page>,
    /// How long a download may take.
    pub(super) timeout: Duration,
    /// Whether a connection serves several downloads.
    pub(super) connections: Connections,
}

/// A download that was made.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Download {
    /// Which of the pages it was.
    pub(super) page: usize,
    /// The checksum of its body.
    pub(super) checksum: u64,
}

impl Work for Downloads {
    const NAME: &'static str = "io";
    type Setup = Setup;
    /// Which of the pages to download.
    type Task = usize;
    type Answer = Download;

    fn start(setup: Setup, _name: &str) -> Result<Self, String> {
        Ok(Downloads {
            session: Session::new(setup.timeout, setup.connections),
            pages: setup.pages,
        })
    }

    fn run(&mut self, page: usize, lane: &mut Recorder) -> Result<Download, String> {
        let checksum = self.pages[page].download(&self.session, lane);
        checksum
            .map(|checksum| Download { page, checksum })
            .map_err(|failed| failed.to_string())
    }
}
