//! What a sender and a receiver do, whatever is between them.

use std::io;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::timing::{Recorder, Waits};

/// How many parts of a talk are recorded, each with its work and its waiting.
const PARTS: u64 = 100;

/// One end of what is between a sender and a receiver.
pub(super) trait Link {
    /// Sends a message. What it takes until there is room for the message is a wait.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn send(&mut self, message: u64, waits: &mut Waits) -> io::Result<()>;

    /// Receives the next message. What it takes until there is one is a wait.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn receive(&mut self, waits: &mut Waits) -> io::Result<u64>;
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
pub(super) fn stream(
    link: &mut impl Link,
    messages: u64,
    lane: &mut Recorder,
) -> io::Result<Streamed> {
    let start = Instant::now();
    for_each(messages, lane, |message, waits| link.send(message, waits))?;
    let sum = lane.work_with_waits(|waits| link.receive(waits))?;
    let time = start.elapsed();
    Ok(Streamed { sum, time })
}

/// The receiver of a stream.
pub(super) fn add_up(link: &mut impl Link, messages: u64, lane: &mut Recorder) -> io::Result<()> {
    let mut sum = 0;
    for_each(messages, lane, |_, waits| {
        sum += link.receive(waits)?;
        Ok(())
    })?;
    lane.work_with_waits(|waits| link.send(sum, waits))
}

/// The sender of messages that are answered.
pub(super) fn ask(link: &mut impl Link, messages: u64, lane: &mut Recorder) -> io::Result<Asked> {
    let start = Instant::now();
    let mut sum = 0;
    for_each(messages, lane, |message, waits| {
        link.send(message, waits)?;
        sum += link.receive(waits)?;
        Ok(())
    })?;
    let time = start.elapsed();
    Ok(Asked { sum, time })
}

/// The receiver of messages that it answers.
pub(super) fn answer(link: &mut impl Link, messages: u64, lane: &mut Recorder) -> io::Result<()> {
    for_each(messages, lane, |_, waits| {
        let message = link.receive(waits)?;
        link.send(message + 1, waits)
    })
}

/// Does something for each number below `messages`, in parts that are recorded.
fn for_each(
    messages: u64,
    lane: &mut Recorder,
    mut act: impl FnMut(u64, &mut Waits) -> io::Result<()>,
) -> io::Result<()> {
    let length = messages.div_ceil(PARTS).max(1);
    let mut first = 0;
    while first < messages {
        let end = messages.min(first + length);
        lane.work_with_waits(|waits| (first..end).try_for_each(|message| act(message, waits)))?;
        first = end;
    }
    Ok(())
}
