//! `racelab worker`: one worker process, which a pool of this command has started.

use std::io::{IsTerminal, stdin};

use clap::Args;

use crate::exhibits::processes::works::{
    AddByFetchAdd, AddByLoadAndStore, AddByReadAndWrite, AddUnderFileLock, AppendByManager,
    AppendToCopy, AppendToFile, DownloadBySession, SendAndReceive,
};
use crate::timing::processes::{List, Work, serve};
use crate::timing::workloads::{Adder, FindPrimes, Talker, Waiter};

use super::error::{Error, Exit};

/// The work that workers do, by its name.
const WORKS: &[(&str, fn() -> !)] = &[
    entry::<AddByFetchAdd>(),
    entry::<AddByLoadAndStore>(),
    entry::<AddByReadAndWrite>(),
    entry::<AddUnderFileLock>(),
    entry::<Adder>(),
    entry::<AppendByManager>(),
    entry::<AppendToCopy>(),
    entry::<AppendToFile>(),
    entry::<DownloadBySession>(),
    entry::<FindPrimes>(),
    entry::<List>(),
    entry::<SendAndReceive>(),
    entry::<Talker>(),
    entry::<Waiter>(),
    #[cfg(network)]
    entry::<crate::timing::workloads::io::Downloads>(),
];

/// Do work for the command that has started this process.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// What to do
    name: String,
}

impl Worker {
    /// Does the work up to its end, and ends the process.
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let mut works = WORKS.iter();
        match works.find(|(name, _)| *name == self.name) {
            Some((_, serve)) if !stdin().is_terminal() => serve(),
            _ => Err(Error::Usage(
                "this is not for people: other commands start it, and talk to it on its standard \
                 input"
                    .to_owned(),
            )),
        }
    }
}

const fn entry<W: Work>() -> (&'static str, fn() -> !) {
    (W::NAME, serve::<W>)
}
