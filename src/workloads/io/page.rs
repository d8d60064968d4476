//! What is downloaded, and what it has to be.

use serde::{Deserialize, Serialize};

use super::content::{Content, body_of};
use super::problem::Problem;
use crate::workloads::Failed;

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

    /// The checksum of a body of this page.
    ///
    /// # Errors
    ///
    /// If the body is another one than it should be.
    pub(super) fn check(&self, body: &[u8]) -> Result<u64, Problem> {
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

    /// The line that tells of a download.
    pub(super) fn line(&self, body: &[u8]) -> String {
        format!("Read {} from {}", body.len(), self.url)
    }

    /// The failure of a run, of which a download of this page came to nothing.
    pub(super) fn failed(&self, problem: &Problem) -> Failed {
        Failed::Broken(format!("cannot download {}: {problem}", self.url))
    }
}
