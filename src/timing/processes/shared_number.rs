//! A number in memory that processes have in common.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::{env, mem, process};

use memmap2::{MmapOptions, MmapRaw};

use crate::child::{Descriptor, Inherited};

/// A number in memory that processes have in common, through a file that they map.
#[derive(Debug)]
pub(crate) struct SharedNumber {
    memory: MmapRaw,
    /// It has no name any more, so that nothing is left of it when the processes have ended.
    file: File,
}

impl SharedNumber {
    /// Makes the number 0, in a temporary file which is removed at once.
    ///
    /// # Errors
    ///
    /// If there can be no such file. It names the folder.
    pub(crate) fn create() -> io::Result<Self> {
        let create = || {
            let file = temporary_file()?;
            file.set_len(mem::size_of::<AtomicU64>() as u64)?;
            Self::map(file)
        };
        create().map_err(|error| {
            let folder = env::temp_dir();
            let what = format!(
                "cannot have memory in common by a file in {}: {error}",
                folder.display()
            );
            io::Error::new(error.kind(), what)
        })
    }

    /// What a worker is to inherit to have the number, and by which number it finds that.
    ///
    /// # Errors
    ///
    /// If the process can have no more descriptors, or workers inherit nothing on this system.
    pub(crate) fn to_inherit(&self) -> io::Result<(Inherited, Vec<Descriptor>)> {
        let file = self.file.try_clone()?.into();
        Ok((Inherited::of(&file)?, vec![file]))
    }

    /// Takes the number that this worker has inherited. It must not be taken twice.
    ///
    /// # Errors
    ///
    /// If it was not inherited.
    pub(crate) fn take(inherited: Inherited) -> io::Result<Self> {
        Self::map(File::from(inherited.take()?))
    }

    fn map(file: File) -> io::Result<Self> {
        let memory = MmapOptions::new()
            .len(mem::size_of::<AtomicU64>())
            .map_raw(&file)?;
        Ok(SharedNumber { memory, file })
    }
}

impl Deref for SharedNumber {
    type Target = AtomicU64;

    #[expect(unsafe_code, reason = "the memory of a mapped file has no type")]
    fn deref(&self) -> &AtomicU64 {
        // SAFETY: the pointer is to the beginning of a mapping, so that it is aligned. It is valid
        // as long as the mapping, which `self` owns, since nobody makes the file shorter: it has no
        // name, so that only processes have it that have inherited it, and those use it through
        // this type. It has atomic operations only, and the processor keeps to the same rules for
        // memory of several processes as for that of several threads.
        unsafe { AtomicU64::from_ptr(self.memory.as_mut_ptr().cast()) }
    }
}

/// A new file without a name.
fn temporary_file() -> io::Result<File> {
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
            // Left from a process of the same number, which was killed before it removed it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => {
                let file = file?;
                fs::remove_file(path)?;
                return Ok(file);
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;

    #[test]
    fn whoever_has_the_file_has_the_same_number() {
        let here = SharedNumber::create().unwrap();
        let there = SharedNumber::map(here.file.try_clone().unwrap()).unwrap();
        assert_eq!(here.fetch_add(5, SeqCst), 0);
        assert_eq!(there.fetch_add(2, SeqCst), 5);
        assert_eq!(here.load(SeqCst), 7);
        let other = SharedNumber::create().unwrap();
        assert_eq!(other.load(SeqCst), 0);
        drop(here);
        assert_eq!(there.load(SeqCst), 7);
    }
}
