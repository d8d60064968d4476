//! What a pool and its workers say to each other, one line of JSON each.

use std::io::{self, BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::report::time::Span;

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

/// Sends one message.
pub(super) fn send(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    // In one piece, so that one call writes it if it is not long.
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// The next message. `None` if there is none any more: a line without an end was cut off, and is
/// none.
pub(super) fn receive<M: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<M>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_as_they_were_sent_and_a_cut_one_is_none() {
        let mut sent = Vec::new();
        let texts = ["", "two\nlines", "ö \u{1f600} \r\n\0"];
        for text in texts {
            send(&mut sent, &text).unwrap();
        }
        sent.extend(b"\"cut");
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
}
