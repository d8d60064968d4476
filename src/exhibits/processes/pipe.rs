//! Safe: nothing is shared. One process sends messages through a pipe, and another one receives them.

use serde::{Deserialize, Serialize};

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::timing::processes::{Connection, InheritedEnd, Pool, PoolSettings, Work};
use crate::timing::{Recorder, Timeline};
use crate::{outcome, thread};

use super::needed::Needed;

/// What is sent. The last one says that it is.
const MESSAGES: [&str; 4] = ["hello", "hey", "hru?", "END"];

/// A process sends messages to another one.
pub(super) fn run(terminal: Option<Arc<dyn Terminal>>) {
    let print = move |text: String| {
        if let Some(terminal) = &terminal {
            terminal.write(&text);
        }
    };
    let [here, there] = Connection::pair().needed();
    let start = |(end, inherited)| {
        let settings = PoolSettings {
            inherited,
            ..PoolSettings::workers(1)
        };
        Pool::<Talker>::start_with(settings, end, &Timeline::off()).needed()
    };
    let (mut sender, mut receiver) = (start(here), start(there));
    let print_received = print.clone();
    let receiving = thread::Builder::new().spawn(move || {
        let mut received = Vec::new();
        while received.last().is_none_or(|last| last != "END") {
            let message = receiver.map([Part::Receive]).needed().remove(0);
            print_received(format!("Received the message: {message}\n"));
            received.push(message);
        }
        receiver.finish().needed();
        received
    });
    let receiving = receiving.needed();
    for message in MESSAGES {
        let sent = sender.map([Part::Send(message.to_owned())]).needed();
        print(format!("Sent the message: {}\n", sent[0]));
    }
    sender.finish().needed();
    let received = receiving.join().unwrap();
    outcome(&received);
    assert_eq!(received, MESSAGES);
}

/// A process at one end of the pipe.
pub(crate) struct Talker {
    connection: Connection,
}

/// What it does next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// It sends this message.
    Send(String),
    /// It waits for a message.
    Receive,
}

impl Work for Talker {
    const NAME: &'static str = "send-and-receive";
    const TRIES: u32 = 1;
    type Setup = InheritedEnd;
    type Task = Part;
    /// The message.
    type Answer = String;

    fn start(end: InheritedEnd, _name: &str) -> Result<Self, String> {
        let connection = Connection::take(&end).map_err(|error| error.to_string())?;
        Ok(Talker { connection })
    }

    fn run(&mut self, part: Part, _lane: &mut Recorder) -> Result<String, String> {
        let message = match part {
            Part::Send(message) => self.connection.send(&message).map(|()| message),
            Part::Receive => self.connection.receive(),
        };
        message.map_err(|error| error.to_string())
    }
}
