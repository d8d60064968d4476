//! What is downloaded, and what it has to be.

use serde::{Deserialize, Serialize};

use super::content::{Content, body_of};
use super::problem::Problem;
use super::{asynchronous, blocking};
use crate::timing::{Failed, Recorder};

/// A page: its address, and what it contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    /// Its address.
    pub(super) url: String,
    content: Content,
    source: Source,
}

/// How it is known what a page contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Source {
    /// The server has it from us.
    Known,
    /// It was downloaded before.
    Downloaded,
}

impl Page {
    /// A page of the embedded server.
    pub(super) fn of_server(url: String, size: usize) -> Self {
        Page {
            url,
            content: Content::of(&body_of(size)),
            source: Source::Known,
        }
    }

    /// A page of which nothing is known but what was downloaded.
    pub(super) fn downloaded(url: String, body: &[u8]) -> Self {
        Page {
            url,
            content: Content::of(body),
            source: Source::Downloaded,
        }
    }

    /// Downloads the page and checks the body: its checksum.
    ///
    /// # Errors
    ///
    /// If the download fails, or its body is not the expected one.
    pub(super) fn download(
        &self,
        session: &blocking::Session,
        lane: &mut Recorder,
    ) -> Result<u64, Failed> {
        let body = lane.wait(|| session.download(&self.url));
        self.check_download(body, lane)
    }

    /// Downloads the page and checks the body, as a task: its checksum.
    ///
    /// # Errors
    ///
    /// As [`download`](Self::download).
    pub(super) async fn download_as_task(
        &self,
        session: &asynchronous::Session,
        lane: &mut Recorder,
    ) -> Result<u64, Failed> {
        let body = lane.wait_for(session.download(&self.url)).await;
        self.check_download(body, lane)
    }

    /// The line that tells of a download.
    pub(super) fn line(&self) -> String {
        format!("Read {} from {}", self.content.length, self.url)
    }

    fn check_download(
        &self,
        body: Result<Vec<u8>, Problem>,
        lane: &mut Recorder,
    ) -> Result<u64, Failed> {
        let checksum = body.and_then(|body| lane.work(|| self.check(&body)));
        checksum
            .map_err(|problem| Failed::Broken(format!("cannot download {}: {problem}", self.url)))
    }

    /// The checksum of a body, if it is the one of this page.
    fn check(&self, body: &[u8]) -> Result<u64, Problem> {
        let found = Content::of(body);
        if found == self.content {
            return Ok(found.checksum);
        }
        Err(match self.source {
            Source::Downloaded => Problem::Changes,
            Source::Known if found.length == self.content.length => Problem::Checksum(found.length),
            Source::Known => Problem::Length {
                read: found.length,
                expected: self.content.length,
            },
        })
    }
}
