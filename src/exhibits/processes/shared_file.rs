//! A file that processes update.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::{env, process};

use crate::exhibits::Terminal;
use crate::sync::Arc;

/// How many digits the number in the file has, so that it is always as long.
const DIGITS: usize = 20;

/// The file, for the main process: one of the user, or one that ends with this value.
pub(super) struct SharedFile {
    path: PathBuf,
    is_temporary: bool,
}

impl SharedFile {
    /// The file that the terminal names, or a new one.
    ///
    /// # Errors
    ///
    /// If there can be no such file, if another process holds a lock on it, or if it is not empty:
    /// what is in it would be lost.
    pub(super) fn empty(terminal: Option<&Arc<dyn Terminal>>) -> io::Result<Self> {
        let named = terminal.and_then(|terminal| terminal.settings().file);
        let Some(path) = named else {
            return Self::temporary();
        };
        let told =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(told)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let held = "another process holds a lock on it: wait until that has ended, or \
                            name another file";
                return Err(told(io::Error::other(held)));
            }
            Err(TryLockError::Error(error)) => return Err(told(error)),
        }
        if file.metadata().map_err(told)?.len() > 0 {
            return Err(told(io::Error::other(
                "it is not empty, and what is in it would be lost: name another file",
            )));
        }
        Ok(SharedFile {
            path,
            is_temporary: false,
        })
    }

    fn temporary() -> io::Result<Self> {
        let mut number = 0;
        loop {
            let name = format!("racelab-shared-{}-{number}", process::id());
            let path = env::temp_dir().join(name);
            match File::create_new(&path) {
                Ok(_) => {
                    return Ok(SharedFile {
                        path,
                        is_temporary: true,
                    });
                }
                // Another run of this process has it, or one of the same number was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => {
                    let folder = env::temp_dir();
                    let what = format!("cannot make a file in {}: {error}", folder.display());
                    return Err(io::Error::new(error.kind(), what));
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SharedFile {
    fn drop(&mut self) {
        if self.is_temporary {
            // Whoever looks into the folder finds a file too many then.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The number at the beginning of a file.
pub(super) fn read(mut file: &File) -> io::Result<u64> {
    let mut digits = [0; DIGITS];
    file.rewind()?;
    file.read_exact(&mut digits)?;
    let digits = String::from_utf8_lossy(&digits);
    let number = digits.trim_start().parse();
    number.map_err(|_| io::Error::other(format!("{digits:?} is not a number")))
}

/// Writes the number at the beginning of a file.
pub(super) fn write(mut file: &File, number: u64) -> io::Result<()> {
    file.rewind()?;
    file.write_all(format!("{number:DIGITS$}").as_bytes())
}
