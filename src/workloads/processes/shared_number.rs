//! A number in memory that processes have in common.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::{env, mem, process};

use memmap2::{MmapOptions, MmapRaw};

/// A number in memory that processes have in common, through a file that they map.
#[derive(Debug)]
pub(crate) struct SharedNumber {
    memory: MmapRaw,
    file: PathBuf,
    /// Whether this process has made the file, and it is still there.
    removes: bool,
}

impl SharedNumber {
    /// Makes the number 0, in a temporary file.
    ///
    /// # Errors
    ///
    /// If there can be no such file.
    pub(crate) fn create() -> io::Result<Self> {
        /// How many this process has made.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        loop {
            let made = MADE.fetch_add(1, Ordering::Relaxed);
            let name = format!("racelab-{}-{made}", process::id());
            let path = env::temp_dir().join(name);
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            // The file is for processes of this user only.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                // Left from a process of the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                file => return Self::make(&file?, path),
            }
        }
    }

    fn make(file: &File, path: PathBuf) -> io::Result<Self> {
        let made = file
            .set_len(mem::size_of::<AtomicU64>() as u64)
            .and_then(|()| Self::map(file, path.clone()));
        match made {
            Ok(mut number) => {
                number.removes = true;
                Ok(number)
            }
            Err(error) => {
                // That it cannot be made is what matters.
                let _ = fs::remove_file(path);
                Err(error)
            }
        }
    }

    /// The number that another process has made, in this file.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).open(file)?;
        Self::map(&opened, file.to_owned())
    }

    fn map(file: &File, path: PathBuf) -> io::Result<Self> {
        let memory = MmapOptions::new()
            .len(mem::size_of::<AtomicU64>())
            .map_raw(file)?;
        Ok(SharedNumber {
            memory,
            file: path,
            removes: false,
        })
    }

    /// The file, for another process to open.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Removes the file. Those that have opened it have the number still, and nothing is left of it
    /// when they have ended, however that is.
    ///
    /// # Errors
    ///
    /// If it cannot be removed.
    pub(crate) fn remove_file(&mut self) -> io::Result<()> {
        self.removes = false;
        fs::remove_file(&self.file)
    }
}

impl Deref for SharedNumber {
    type Target = AtomicU64;

    #[expect(unsafe_code, reason = "the memory of a mapped file has no type")]
    fn deref(&self) -> &AtomicU64 {
        // SAFETY: the pointer is to a page, so that it is aligned, of a file that is 8 bytes long and
        // not made shorter by anybody. It is valid as long as the mapping, which `self` owns. All
        // processes that have the file, which is of this user and has a name of ours, access the
        // number through this function, and so by atomic operations only; for other processes the
        // system and the processor keep to the same rules as for other threads.
        unsafe { AtomicU64::from_ptr(self.memory.as_mut_ptr().cast()) }
    }
}

impl Drop for SharedNumber {
    fn drop(&mut self) {
        if self.removes {
            // There is nobody to tell that something is left.
            let _ = fs::remove_file(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;

    #[test]
    fn whoever_opens_the_file_has_the_same_number_and_it_outlives_the_file() {
        let mut here = SharedNumber::create().unwrap();
        let there = SharedNumber::open(here.file()).unwrap();
        assert_eq!(here.fetch_add(5, SeqCst), 0);
        assert_eq!(there.fetch_add(2, SeqCst), 5);
        here.remove_file().unwrap();
        assert!(!here.file().exists());
        assert_eq!(here.load(SeqCst), 7);
        assert!(SharedNumber::open(here.file()).is_err());
        let other = SharedNumber::create().unwrap();
        assert_eq!(other.load(SeqCst), 0);
        let file = other.file().to_owned();
        drop(other);
        assert!(!file.exists());
    }
}
