//! What the processes print: each writes a line into one pipe when it happens, and at the other end
//! of the pipe is the terminal of the program.

use std::mem;

use crate::exhibits::Terminal;
use crate::sync::Arc;
use crate::thread::{self, JoinHandle};
use crate::timing::processes::{Connection, InheritedEnd, PoolSettings};

use super::needed::Needed;

/// The terminal's end of the pipe. There is no pipe if there is no terminal.
pub(super) struct Printing {
    terminal: Option<Arc<dyn Terminal>>,
    of_processes: Option<InheritedEnd>,
    copying: Option<JoinHandle<()>>,
}

/// A process's end of the pipe.
pub(crate) struct Printer(Option<Connection>);

impl Printing {
    /// Lets the processes inherit their end. [`of_processes`](Self::of_processes) tells them which
    /// that is.
    pub(super) fn begin(terminal: Option<Arc<dyn Terminal>>, processes: &mut PoolSettings) -> Self {
        let Some(terminal) = terminal else {
            return Printing {
                terminal: None,
                of_processes: None,
                copying: None,
            };
        };
        let [(here, own), (there, inherited)] = Connection::pair().needed();
        // The connection takes them by their numbers, and closes them: nobody else may.
        own.into_iter().for_each(mem::forget);
        let mut connection = Connection::take(&here).needed();
        processes.inherited.extend(inherited);
        let to = Arc::clone(&terminal);
        let copy = move || {
            // Up to the end of the last process that can print.
            while let Ok(line) = connection.receive::<String>() {
                to.write(&line);
            }
        };
        Printing {
            terminal: Some(terminal),
            of_processes: Some(there),
            copying: Some(thread::Builder::new().spawn(copy).needed()),
        }
    }

    /// What a process is to be told, so that it can print.
    pub(super) fn of_processes(&self) -> Option<InheritedEnd> {
        self.of_processes.clone()
    }

    /// Waits until all is printed of the processes, which have ended. A last line of the main process
    /// comes behind that.
    pub(super) fn end(self, last: &str) {
        if let Some(copying) = self.copying {
            copying.join().unwrap();
        }
        if let Some(terminal) = self.terminal {
            terminal.write(last);
        }
    }
}

impl Printer {
    /// Takes the end that this process has inherited, if the program has a terminal.
    pub(super) fn take(end: Option<&InheritedEnd>) -> Result<Self, String> {
        let connection = end.map(Connection::take).transpose();
        Ok(Printer(connection.map_err(|error| error.to_string())?))
    }

    /// Prints a line, at once. Lines of several processes do not mix: a line is one write, shorter
    /// than what a pipe takes as a whole.
    pub(super) fn print(&mut self, line: &str) -> Result<(), String> {
        match &mut self.0 {
            Some(connection) => connection.send(&format!("{line}\n")),
            None => Ok(()),
        }
        .map_err(|error| error.to_string())
    }
}
