//! What a pool and its workers say to each other.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::timing::Span;

/// The bytes that the length of a message takes, before it.
const LENGTH: usize = size_of::<u32>();

/// What a pool says to a worker. Each is answered before the next one is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request<S, T> {
    /// The first one. It is answered with [`Answer::Ready`] or [`Answer::Refused`].
    Start {
        /// The name of the worker.
        name: String,
        /// When the run began, in nanoseconds since 1970, if times are to be recorded.
        began: Option<u64>,
        /// What the initialiser is given.
        setup: S,
    },
    /// It is answered with [`Answer::Done`] or [`Answer::Failed`].
    Run(T),
    /// The last one. It is answered with [`Answer::Ended`].
    End,
}

/// What a worker says to its pool.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer<A> {
    /// The initialiser has run.
    Ready,
    /// The initialiser has failed.
    Refused(String),
    /// What a task came to, and when the worker was at work.
    Done { answer: A, spans: Vec<Span> },
    /// The task cannot be done.
    Failed(String),
    /// Something panicked, with this message and at this place. The worker ends.
    Panicked(String),
    /// The worker ends. It has had so much memory, in bytes, at the most.
    Ended { peak_memory: u64 },
}

/// The largest message, in bytes: what says that it is larger is none.
const MOST_BYTES: usize = 1 << 30;

/// Sends one message.
pub(super) fn send(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    // In one piece with its length before it, so that one call writes it if it is not long.
    let bytes = postcard::to_extend(message, vec![0; LENGTH]).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len() - LENGTH).map_err(io::Error::other)?;
    let mut bytes = bytes;
    bytes[..LENGTH].copy_from_slice(&length.to_le_bytes());
    to.write_all(&bytes)?;
    to.flush()
}

/// The next message. `None` if there is none any more: one that was cut off is none.
pub(super) fn receive<M: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<M>> {
    let mut length = [0; LENGTH];
    if !fill(from, &mut length)? {
        return Ok(None);
    }
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
    if length > MOST_BYTES {
        return Err(io::Error::other("this is no message"));
    }
    let mut bytes = vec![0; length];
    if !fill(from, &mut bytes)? {
        return Ok(None);
    }
    postcard::from_bytes(&bytes)
        .map(Some)
        .map_err(io::Error::other)
}

/// Reads as much as there is room for. False if there is no more.
fn fill(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::Activity;

    #[test]
    fn messages_arrive_as_they_were_sent_and_a_cut_one_is_none() {
        let mut sent = Vec::new();
        let texts = ["", "two\nlines", "ö \u{1f600} \r\n\0"];
        for text in texts {
            send(&mut sent, &text).unwrap();
        }
        sent.extend([3, 0, 0, 0, 2, b'a']);
        let mut from = &*sent;
        for text in texts {
            assert_eq!(receive(&mut from).unwrap(), Some(text.to_owned()));
        }
        assert_eq!(receive::<String>(&mut from).unwrap(), None);
    }

    #[test]
    fn a_sum_beyond_64_bits_arrives_whole() {
        let mut sent = Vec::new();
        let answer = Answer::Done {
            answer: u128::MAX,
            spans: Vec::new(),
        };
        send(&mut sent, &answer).unwrap();
        let received = receive::<Answer<u128>>(&mut &*sent).unwrap();
        assert!(matches!(received, Some(Answer::Done { answer, .. }) if answer == u128::MAX));
    }

    #[test]
    fn spans_arrive_with_their_processor_time() {
        let mut sent = Vec::new();
        let span = Span {
            start: 0.25,
            end: 1.5,
            activity: Activity::Work,
            cpu: Some(1.125),
            begins_item: true,
        };
        let answer = Answer::Done {
            answer: (),
            spans: vec![span],
        };
        send(&mut sent, &answer).unwrap();
        let received = receive::<Answer<()>>(&mut &*sent).unwrap();
        assert!(matches!(received, Some(Answer::Done { spans, .. }) if spans == [span]));
    }
}
