//! Safe: nothing is shared. One process sends messages through a pipe, and another one receives them.

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{Connection, InheritedEnd, Pool, PoolSettings, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::printing::{Printer, Printing};

/// What is sent, up to the message that says that it is the last.
const MESSAGES: [&str; 4] = ["hello", "hey", "hru?", END];
const END: &str = "END";

/// The name of the process that sends.
const SENDER: &str = "sender";

/// A process sends messages to another one.
pub(super) fn run(terminal: Option<Arc<dyn Terminal>>) {
    let [(sender, its), (receiver, others)] = Connection::pair().needed();
    let mut workers = PoolSettings {
        names: vec![SENDER.to_owned(), "receiver".to_owned()],
        inherited: its.into_iter().chain(others).collect(),
        ..PoolSettings::workers(2)
    };
    let printing = Printing::begin(terminal, &mut workers);
    let setup = (sender, receiver, printing.of_processes());
    let mut pool = Pool::<Talker>::start_with(workers, setup, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    // Each process is given one task, and knows its part.
    let received = pool.map([(), ()]).needed().concat();
    pool.finish().needed();
    printing.end("");
    outcome(&received);
    assert_eq!(received, MESSAGES);
}

/// A process at one end of the pipe.
pub(crate) struct Talker {
    connection: Connection,
    sends: bool,
    printer: Printer,
}

impl Work for Talker {
    const NAME: &'static str = "send-and-receive";
    const TRIES: u32 = 1;
    /// The end of the sender, that of the receiver, and what to print with.
    type Setup = (InheritedEnd, InheritedEnd, Option<InheritedEnd>);
    type Task = ();
    /// What was received.
    type Answer = Vec<String>;

    fn start((sender, receiver, printer): Self::Setup, name: &str) -> Result<Self, String> {
        let printer = Printer::take(printer.as_ref())?;
        let take = |end| Connection::take(end).map_err(|error| error.to_string());
        // Both are inherited. That of the other process is closed here, so that nobody waits for a
        // message of one that has ended.
        let (sender, receiver) = (take(&sender)?, take(&receiver)?);
        let sends = name == SENDER;
        Ok(Talker {
            connection: if sends { sender } else { receiver },
            sends,
            printer,
        })
    }

    fn run(&mut self, (): (), _lane: &mut Recorder) -> Result<Vec<String>, String> {
        if self.sends {
            self.send()?;
            Ok(Vec::new())
        } else {
            self.receive()
        }
    }
}

impl Talker {
    fn send(&mut self) -> Result<(), String> {
        for message in MESSAGES {
            let sent = self.connection.send(&message.to_owned());
            sent.map_err(|error| error.to_string())?;
            self.printer
                .print(&format!("Sent the message: {message}"))?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<String>, String> {
        let mut received = Vec::new();
        loop {
            let message = self.connection.receive::<String>();
            let message = message.map_err(|error| error.to_string())?;
            received.push(message.clone());
            if message == END {
                return Ok(received);
            }
            let line = format!("Received the message: {message}");
            self.printer.print(&line)?;
        }
    }
}
