//! Two processes, with pipes of the system between them.
//!
//! No lanes are recorded. A read or a write of a pipe copies the message, and blocks if there is
//! none or no room: to know which of both took the time, each message would need one more call of
//! the system, to ask first, and that would be in what is measured.

use std::io;
use std::thread;

use serde::{Deserialize, Serialize};

use super::Talked;
use super::link::{Asked, Link, Streamed, add_up, answer, ask, stream};
use crate::timing::processes::{Connection, Finished, InheritedEnd, Pool, PoolSettings, Work};
use crate::timing::{Failed, Recorder, Timeline, Waits};

/// A process at one end of a connection.
#[derive(Debug)]
pub(crate) struct Talker {
    connection: Connection,
}

/// Which part of the talk a process has.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// It sends so many messages to be added up, and then so many to be answered.
    Sender(u64, u64),
    /// It adds up so many messages, and then answers so many.
    Receiver(u64, u64),
}

impl Link for Connection {
    fn send(&mut self, message: u64, _waits: &mut Waits) -> io::Result<()> {
        Connection::send(self, &message)
    }

    fn receive(&mut self, _waits: &mut Waits) -> io::Result<u64> {
        Connection::receive(self)
    }
}

impl Work for Talker {
    const NAME: &'static str = "talk";
    // Half of a connection cannot be replaced.
    const TRIES: u32 = 1;
    type Setup = InheritedEnd;
    type Task = Part;
    /// What the sender has seen.
    type Answer = Option<(Streamed, Asked)>;

    fn start(end: InheritedEnd, _name: &str) -> Result<Self, String> {
        let connection = Connection::take(&end).map_err(|error| error.to_string())?;
        Ok(Talker { connection })
    }

    fn run(&mut self, part: Part, lane: &mut Recorder) -> Result<Self::Answer, String> {
        let link = &mut self.connection;
        let mut talk = || match part {
            Part::Sender(messages, asked) => {
                let streamed = stream(link, messages, lane)?;
                let asked = ask(link, asked, lane)?;
                Ok(Some((streamed, asked)))
            }
            Part::Receiver(messages, asked) => {
                add_up(link, messages, lane)?;
                answer(link, asked, lane)?;
                Ok(None)
            }
        };
        talk().map_err(|error: io::Error| error.to_string())
    }
}

/// Sends messages from one process to another.
pub(super) fn in_processes(messages: u64, asked: u64) -> Result<(Talked, Finished), Failed> {
    let [here, there] = Connection::pair().map_err(|error| {
        Failed::NotGiven(format!(
            "cannot make a pipe: {error}; allow more open files (`ulimit -n`)"
        ))
    })?;
    let start = |name: &str, (end, inherited)| {
        let settings = PoolSettings {
            names: vec![name.to_owned()],
            inherited,
            ..PoolSettings::workers(1)
        };
        Pool::<Talker>::start_with(settings, end, &Timeline::off())
    };
    let mut sender = start("sender", here)?;
    let mut receiver = start("receiver", there)?;
    sender.wait_until_ready()?;
    receiver.wait_until_ready()?;
    let sent = thread::scope(|scope| {
        let receive = || receiver.map([Part::Receiver(messages, asked)]);
        let received = thread::Builder::new().spawn_scoped(scope, receive);
        let received = received.map_err(|error| {
            Failed::NotGiven(format!(
                "the system cannot start a thread that waits for the receiver: {error}; allow more \
                 processes and threads (`ulimit -u`)"
            ))
        })?;
        let sent = sender.map([Part::Sender(messages, asked)]);
        let received = received.join();
        let received =
            received.unwrap_or_else(|_| Err(Failed::Broken("a thread panicked".to_owned())));
        match (sent, received) {
            // If one process is lost, the other one says only that it is gone.
            (Err(sent), Err(received)) => Err(Failed::Broken(format!("{sent}; {received}"))),
            (sent, received) => received.and(sent),
        }
    })?;
    let (mut first, second) = (sender.finish()?, receiver.finish()?);
    first.memory += second.memory;
    first.lost_workers.extend(second.lost_workers);
    match sent.into_iter().flatten().next() {
        Some((streamed, asked)) => Ok((Talked { streamed, asked }, first)),
        None => Err(Failed::Broken(
            "the sender has not said what it saw".to_owned(),
        )),
    }
}
