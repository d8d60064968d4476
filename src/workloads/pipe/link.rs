//! What a sender and a receiver do, whatever is between them.

use std::io;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// One end of what is between a sender and a receiver.
pub(super) trait Link {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn send(&mut self, message: u64) -> io::Result<()>;

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn receive(&mut self) -> io::Result<u64>;
}

/// What a stream of messages came to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Streamed {
    /// The sum of what has arrived.
    pub(super) sum: u64,
    /// From the first message to the answer that all have arrived.
    pub(super) time: Duration,
}

/// What messages came to that were answered one by one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The sum of the answers.
    pub(super) sum: u64,
    /// From the first message to the last answer.
    pub(super) time: Duration,
}

/// The sender of a stream.
pub(super) fn stream(link: &mut impl Link, messages: u64) -> io::Result<Streamed> {
    let start = Instant::now();
    for message in 0..messages {
        link.send(message)?;
    }
    let sum = link.receive()?;
    let time = start.elapsed();
    Ok(Streamed { sum, time })
}

/// The receiver of a stream.
pub(super) fn add_up(link: &mut impl Link, messages: u64) -> io::Result<()> {
    let mut sum = 0;
    for _ in 0..messages {
        sum += link.receive()?;
    }
    link.send(sum)
}

/// The sender of messages that are answered.
pub(super) fn ask(link: &mut impl Link, messages: u64) -> io::Result<Asked> {
    let start = Instant::now();
    let mut sum = 0;
    for message in 0..messages {
        link.send(message)?;
        sum += link.receive()?;
    }
    let time = start.elapsed();
    Ok(Asked { sum, time })
}

/// The receiver of messages that it answers.
pub(super) fn answer(link: &mut impl Link, messages: u64) -> io::Result<()> {
    for _ in 0..messages {
        let message = link.receive()?;
        link.send(message + 1)?;
    }
    Ok(())
}
