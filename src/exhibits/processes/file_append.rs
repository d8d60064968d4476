//! Safe: a process changes nothing that is in the file. It appends a line, which is one step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{Pool, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::shared_file::SharedFile;

/// What is appended.
const LINE: &str = "1 more";

/// `processes` processes append a line to one file, `updates` times each.
pub(super) fn run(processes: usize, updates: u64, terminal: Option<&Arc<dyn Terminal>>) {
    let shared = SharedFile::empty(terminal).needed();
    let path = shared.path().to_owned();
    let mut pool = Pool::<Appender>::start(processes, path, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map(vec![updates; processes]).needed();
    pool.finish().needed();
    let lines = fs::read_to_string(shared.path()).needed();
    let total = lines.lines().filter(|line| *line == LINE).count() as u64;
    outcome(total);
    assert_eq!(total, processes as u64 * updates);
}

/// A process that appends to the file.
pub(crate) struct Appender {
    file: File,
}

impl Work for Appender {
    const NAME: &'static str = "append-a-line";
    const TRIES: u32 = 1;
    type Setup = PathBuf;
    type Task = u64;
    type Answer = ();

    fn start(path: PathBuf, _name: &str) -> Result<Self, String> {
        let file = File::options().append(true).open(&path);
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Appender { file })
    }

    fn run(&mut self, updates: u64, _lane: &mut Recorder) -> Result<(), String> {
        for _ in 0..updates {
            self.append().map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl Appender {
    fn append(&mut self) -> io::Result<()> {
        self.file.write_all(format!("{LINE}\n").as_bytes())
    }
}
