//! The file of `RACELAB_SUMMARY`, with a line of each check.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::report::CheckLine;

/// The name of the binary that runs, without the hash that cargo adds: `lab` for `lab-58889fde486f2812`.
pub(super) fn target() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_hash =
        |hash: &str| hash.len() == 16 && hash.chars().all(|digit| digit.is_ascii_hexdigit());
    match name.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => name.to_owned(),
        _ => name.into_owned(),
    }
}

/// The file with a line of each check.
pub(super) struct Summary<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Summary<'a> {
    /// Opens it before anything is explored, so that a wrong name does not take the time of all tests.
    pub(super) fn open(path: &'a Path) -> Result<Self, String> {
        match OpenOptions::new().append(true).create(true).open(path) {
            Ok(file) => Ok(Summary { path, file }),
            Err(error) => Err(not_written(path, &error)),
        }
    }

    /// Adds a line, at once: several processes can add to one file.
    pub(super) fn add(mut self, line: &CheckLine) -> Result<(), String> {
        let added = self.file.write_all(format!("{line}\n").as_bytes());
        added.map_err(|error| not_written(self.path, &error))
    }
}

fn not_written(path: &Path, error: &io::Error) -> String {
    format!(
        "RACELAB_SUMMARY={}: this file cannot be written: {error}",
        path.display()
    )
}
