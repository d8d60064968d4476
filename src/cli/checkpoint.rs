//! What is known of a search, in a file, from which the same command goes on.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::Hasher;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use fnv::FnvHasher;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Division;
use crate::explorer::Keeper;
use crate::search::Record;

use super::error::Error;

const SCHEMA: &str = "racelab/checkpoint/1";

/// What stands between the content of a file and the checksum of all before it, and what ends it.
const CHECKSUM: (&str, &str) = (",\"checksum\":\"", "\"}");

/// What says how the search is divided, which is known only when it is.
const DIVISION: [&str; 2] = ["parts", "digest"];

/// A checkpoint, as it is in its file, but for the checksum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    schema: String,
    /// What the search is of: the program, its size, and everything that decides what is explored.
    search: Map<String, Value>,
    known: Record,
}

/// The checkpoint of a running search.
///
/// A thread of its own writes it, so that the search does not wait for a slow disk.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    search: Map<String, Value>,
    /// What was in the file.
    content: Option<Content>,
    /// The file as it was read, which no other process goes on from meanwhile.
    held: Option<File>,
    /// Whether it is said from where the search goes on.
    is_text: bool,
    refused: Option<Error>,
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Writer {
    records: Sender<Record>,
    thread: JoinHandle<io::Result<()>>,
}

impl Checkpoint {
    /// Reads the file if there is one, which has to be of this search. How it is divided is
    /// compared later.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no checkpoint, is one of another search, or is in use.
    pub(super) fn open(
        path: &Path,
        search: Map<String, Value>,
        is_text: bool,
    ) -> Result<Self, Error> {
        let (content, held) = match read(path)? {
            None => (None, None),
            Some((content, file)) => {
                let is_division = |key: &str| DIVISION.contains(&key);
                let keys = content.search.keys().chain(search.keys());
                let keys = keys.map(String::as_str).filter(|key| !is_division(key));
                // What says most comes first.
                for key in ["version", "exhibit"].into_iter().chain(keys) {
                    compare(path, key, content.search.get(key), search.get(key))?;
                }
                (Some(content), Some(file))
            }
        };
        Ok(Checkpoint {
            path: path.to_owned(),
            search,
            content,
            held,
            is_text,
            refused: None,
            writer: None,
        })
    }

    /// Waits until all is written.
    ///
    /// # Errors
    ///
    /// Why the search did not take place, or why its end could not be written.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        let Some(Writer { records, thread }) = self.writer.take() else {
            return Ok(());
        };
        drop(records);
        let written = thread.join().expect("the writer does not panic");
        written.map_err(|source| self.cannot_write(source))
    }

    /// Whether the search did not take place.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    fn cannot_write(&self, source: io::Error) -> Error {
        Error::File {
            path: self.path.clone(),
            source,
        }
    }

    fn begin(&mut self, division: Division) -> Result<Record, Error> {
        let digest = format!("{:016x}", division.digest);
        self.search
            .insert("parts".to_owned(), division.parts.into());
        self.search.insert("digest".to_owned(), digest.into());
        let record = match self.content.take() {
            None => Record::default(),
            Some(content) => {
                for key in DIVISION {
                    let (its, ours) = (content.search.get(key), self.search.get(key));
                    compare(&self.path, key, its, ours)?;
                }
                content.known
            }
        };
        let executions = record.executions();
        if self.is_text && executions > 0 {
            // A search does not need anybody who hears of it.
            let _ = writeln!(anstream::stderr(), "resumed after {executions} executions");
        }
        let mut file = Target {
            path: self.path.clone(),
            search: self.search.clone(),
            held: self.held.take(),
        };
        // At once: better an error now than after hours.
        let written = file.write(&record);
        written.map_err(|source| {
            if is_in_use(&source) {
                in_use(&self.path)
            } else {
                self.cannot_write(source)
            }
        })?;
        let (records, received) = channel();
        let thread = thread::Builder::new().name("checkpoint".to_owned());
        let thread = thread.spawn(move || write_all(file, &received));
        let thread = thread.map_err(|error| {
            Error::Refused(format!(
                "cannot start a thread that writes the checkpoint: {error}; allow more processes \
                 and threads (`ulimit -u`)"
            ))
        })?;
        self.writer = Some(Writer { records, thread });
        Ok(record)
    }
}

impl Keeper for Checkpoint {
    fn open(&mut self, division: Division) -> Option<Record> {
        match self.begin(division) {
            Ok(record) => Some(record),
            Err(error) => {
                self.refused = Some(error);
                None
            }
        }
    }

    fn refuse(&mut self, why: String) {
        let path = self.path.display();
        self.refused = Some(Error::Usage(format!(
            "the checkpoint {path} is of another program, or damaged: {why}; remove it to begin \
             again"
        )));
    }

    fn keep(&mut self, record: Record) {
        if let Some(writer) = &self.writer {
            // The writer ends only after this one.
            let _ = writer.records.send(record);
        }
    }
}

/// Reads a checkpoint and locks its file. `None` if there is no file.
fn read(path: &Path) -> Result<Option<(Content, File)>, Error> {
    let shown = path.display();
    let cannot_read = |error| Error::Usage(format!("cannot read the checkpoint {shown}: {error}"));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(Error::Usage(format!(
                "the checkpoint {shown} is not a file"
            )));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot_read(error)),
    }
    let mut file = File::open(path).map_err(cannot_read)?;
    if is_held(&file) || !is_at(&file, path) {
        return Err(in_use(path));
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(cannot_read)?;
    let unsealed = String::from_utf8(text)
        .ok()
        .and_then(|text| unsealed(&text));
    let content = unsealed.and_then(|text| serde_json::from_str::<Content>(&text).ok());
    let content = content.filter(|content| content.schema == SCHEMA);
    match content {
        Some(content) => Ok(Some((content, file))),
        None => Err(Error::Usage(format!(
            "{shown} is no checkpoint of this racelab, or not the whole of one; remove it to begin \
             again"
        ))),
    }
}

/// The text of a file with the checksum of what is in it, so that what was cut or altered is known.
fn sealed(content: &Content) -> serde_json::Result<String> {
    let mut text = serde_json::to_string(content)?;
    let end = text.pop();
    debug_assert_eq!(end, Some('}'), "it is an object");
    let checksum = checksum(&text);
    let (before, after) = CHECKSUM;
    Ok(format!("{text}{before}{checksum}{after}\n"))
}

/// The content of such a text. `None` if its checksum is not that of what is in it.
fn unsealed(text: &str) -> Option<String> {
    let (before, after) = CHECKSUM;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (content, sum) = text.strip_suffix(after)?.rsplit_once(before)?;
    (sum == checksum(content)).then(|| format!("{content}}}"))
}

fn checksum(text: &str) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    format!("{:016x}", hasher.finish())
}

/// Compares a fact of two searches that have to be the same.
fn compare(path: &Path, key: &str, its: Option<&Value>, ours: Option<&Value>) -> Result<(), Error> {
    if its == ours {
        return Ok(());
    }
    let shown = |value: Option<&Value>| value.unwrap_or(&Value::Null).to_string();
    Err(Error::Usage(format!(
        "the checkpoint {} is of another search: its `{key}` is {}, not {}; remove it to begin again",
        path.display(),
        shown(its),
        shown(ours),
    )))
}

/// Writes what comes, the newest only if there is more than one, until nothing more can come.
fn write_all(mut file: Target, records: &Receiver<Record>) -> io::Result<()> {
    let mut written = Ok(());
    while let Ok(record) = records.recv() {
        let newest = records.try_iter().last().unwrap_or(record);
        // An error that goes away, as of a disk that was full for a while, leaves nothing behind.
        written = file.write(&newest);
    }
    written
}

/// The file of a checkpoint.
#[derive(Debug)]
struct Target {
    path: PathBuf,
    search: Map<String, Value>,
    /// The file as it is now, locked, if there is one.
    held: Option<File>,
}

impl Target {
    /// Replaces the file in one go: at any moment there is the old one or the new one, and this
    /// process holds it.
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let content = Content {
            schema: SCHEMA.to_owned(),
            search: self.search.clone(),
            known: record.clone(),
        };
        let text = sealed(&content)?;
        // What a link points to is replaced, not the link.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        name.push(".tmp");
        // One name for all times, so that nothing piles up when the process is killed here again
        // and again.
        let new = path.with_file_name(name);
        let file = open_alone(&new)?;
        let is_first = self.held.is_none();
        let written = write_durably(&file, &text).and_then(|()| put(&new, &path, is_first));
        if written.is_err() {
            let _ = fs::remove_file(&new);
            return written;
        }
        self.held = Some(file);
        sync_folder(&path);
        Ok(())
    }
}

/// Opens a file that no other process writes to.
fn open_alone(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    if is_held(&file) || !is_at(&file, path) {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(file)
}

fn write_durably(mut file: &File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives a new file its name: that of the one before, or one that no file has. Only who holds the new
/// file does so.
fn put(new: &Path, path: &Path, is_first: bool) -> io::Result<()> {
    if is_first && fs::exists(path)? {
        // Another process has begun the same search at the same moment.
        return Err(io::ErrorKind::WouldBlock.into());
    }
    fs::rename(new, path)
}

/// Locks a file. Returns whether another process holds it. Where files cannot be locked, none does.
fn is_held(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Whether the file still has this name: who held it may have put another one in its place before it
/// was locked.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(named)) => of(file) == of(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

fn is_in_use(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

fn in_use(path: &Path) -> Error {
    Error::Usage(format!(
        "another process goes on from the checkpoint {} at this moment: wait for its end, or give \
         this one another file",
        path.display()
    ))
}

/// Lets the new name of a file survive a loss of power. Where that is not possible, an older
/// checkpoint is found after one, which is no harm.
fn sync_folder(path: &Path) {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}
