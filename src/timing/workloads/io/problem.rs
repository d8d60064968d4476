//! Why a download came to nothing, in words.

use std::error::Error;
use std::io;
use std::time::Duration;

use hyper::header::{HeaderMap, LOCATION};

/// The largest body that is downloaded, in bytes: all that are under way at once are in memory.
pub(super) const MOST_BYTES: u64 = 256 << 20;

/// Why a download came to nothing. The message goes on after the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    /// Nobody listens.
    #[error(
        "nothing listens there (connection refused): check the address and that its server runs"
    )]
    Refused,
    /// The name of the host means nothing.
    #[error("no such host: check the address")]
    UnknownHost,
    /// The connection was reset.
    #[error("the server reset the connection")]
    Reset,
    /// The connection was closed before there was an answer.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// The connection was closed before all of the body was there.
    #[error("the server closed the connection in the body, after {read} bytes{}", of_announced(*.announced))]
    CutShort {
        /// How many bytes had come.
        read: u64,
        /// How many were announced, if that was done.
        announced: Option<u64>,
    },
    /// The answer is none.
    #[error("the server answered {0}")]
    Status(String),
    /// The server sends the client elsewhere.
    #[error("the server answered {status}, to {location}: give that address, if it is an http one")]
    Moved {
        /// The status.
        status: String,
        /// The address.
        location: String,
    },
    /// It took too long.
    #[error("the whole answer was not there within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The process has too many files open.
    #[error("too many open files: raise the limit with `ulimit -n`, or take fewer workers")]
    TooManyFiles,
    /// The body is larger than what is downloaded.
    #[error("the body has more than {} MiB, which is too much", MOST_BYTES >> 20)]
    TooLarge,
    /// The body is not the one it should be, as its length shows.
    #[error("the body has {read} bytes, and should have {expected}")]
    Length {
        /// How many bytes there are.
        read: u64,
        /// How many there should be.
        expected: u64,
    },
    /// The body is not the one it should be, although its length is right.
    #[error("the body has the right length ({0} bytes), but its checksum is wrong")]
    Checksum(u64),
    /// The site has another body each time.
    #[error(
        "the body is not that of the first download: this site answers differently each time, so nothing can be checked; give an address that always has the same answer"
    )]
    Changes,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// What an error of the system means.
    pub(super) fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Problem::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Problem::Reset,
            io::ErrorKind::UnexpectedEof => Problem::Closed,
            _ if error.raw_os_error() == Some(TOO_MANY_FILES) => Problem::TooManyFiles,
            // There is no kind for it: std and tokio begin their message so.
            _ if error.to_string().starts_with("failed to lookup address") => Problem::UnknownHost,
            _ => Problem::Other(error.to_string()),
        }
    }

    /// What an error means that has others below it.
    pub(super) fn of_chain(error: &(dyn Error + 'static)) -> Self {
        let mut last = error;
        loop {
            if let Some(error) = last.downcast_ref::<io::Error>() {
                return Problem::of_io(error);
            }
            if let Some(error) = last.downcast_ref::<hyper::Error>()
                && (error.is_incomplete_message() || error.is_closed() || error.is_canceled())
            {
                return Problem::Closed;
            }
            match last.source() {
                Some(source) => last = source,
                None => return Problem::Other(last.to_string()),
            }
        }
    }

    /// What is known when the body ended where it should not.
    pub(super) fn in_body(self, read: u64, announced: Option<u64>) -> Self {
        match self {
            Problem::Closed => Problem::CutShort { read, announced },
            other => other,
        }
    }

    /// What a status means, other than that all is well.
    pub(super) fn of_status(status: hyper::StatusCode, headers: &HeaderMap) -> Self {
        let status = status.to_string();
        let location = headers.get(LOCATION);
        match location.and_then(|location| location.to_str().ok()) {
            Some(location) => Problem::Moved {
                status,
                location: location.to_owned(),
            },
            None => Problem::Status(status),
        }
    }
}

#[cfg(unix)]
const TOO_MANY_FILES: i32 = libc::EMFILE;

/// `WSAEMFILE`.
#[cfg(not(unix))]
const TOO_MANY_FILES: i32 = 10024;

fn of_announced(bytes: Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| format!(" of {bytes}"))
}
