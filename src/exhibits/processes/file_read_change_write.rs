//! Unsafe: between a process's read of the file and its write another process can write, and that
//! is lost.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::exhibits::Terminal;
use crate::outcome;
use crate::sync::Arc;
use crate::timing::processes::{Pool, Work};
use crate::timing::{Recorder, Timeline};

use super::needed::Needed;
use super::shared_file::{SharedFile, read, write};

/// `processes` processes add 1 to the number in one file, `updates` times each.
pub(super) fn run(processes: usize, updates: u64, terminal: Option<&Arc<dyn Terminal>>) {
    let shared = SharedFile::empty(terminal).needed();
    let file = File::options().read(true).write(true).open(shared.path());
    let file = file.needed();
    write(&file, 0).needed();
    let path = shared.path().to_owned();
    let mut pool = Pool::<Adder>::start(processes, path, &Timeline::off()).needed();
    pool.wait_until_ready().needed();
    pool.map(vec![updates; processes]).needed();
    pool.finish().needed();
    let total = read(&file).needed();
    outcome(total);
    assert_eq!(total, processes as u64 * updates);
}

/// A process that adds to the number in the file.
pub(crate) struct Adder {
    file: File,
}

impl Work for Adder {
    const NAME: &'static str = "add-by-read-and-write";
    const TRIES: u32 = 1;
    type Setup = PathBuf;
    type Task = u64;
    type Answer = ();

    fn start(path: PathBuf, _name: &str) -> Result<Self, String> {
        let file = File::options().read(true).write(true).open(&path);
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Adder { file })
    }

    fn run(&mut self, updates: u64, _lane: &mut Recorder) -> Result<(), String> {
        for _ in 0..updates {
            self.add().map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl Adder {
    fn add(&self) -> io::Result<()> {
        let n = read(&self.file)?;
        write(&self.file, n + 1)
    }
}
