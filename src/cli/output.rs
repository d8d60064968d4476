//! Where results go: standard output or a file.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::report::Style;

use super::error::Error;
use super::options::{self, Format, Look};

/// Where results go.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) format: Format,
    /// `None` is standard output.
    file: Option<PathBuf>,
    color: bool,
}

impl Output {
    /// Looks at once whether the file can be written, since a search may take long.
    pub(super) fn open(options: &options::Output) -> Result<Self, Error> {
        let file = options.output.clone().filter(|path| path != Path::new("-"));
        if let Some(path) = &file {
            let opened = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path);
            opened.map_err(|source| Error::File {
                path: path.clone(),
                source,
            })?;
        }
        let color = match options.color {
            clap::ColorChoice::Always => true,
            clap::ColorChoice::Never => false,
            clap::ColorChoice::Auto => {
                file.is_none() && AutoStream::choice(&io::stdout()) != ColorChoice::Never
            }
        };
        Ok(Output {
            format: options.format,
            file,
            color,
        })
    }

    /// How text looks on this output.
    pub(super) fn style(&self, look: &Look) -> Style {
        let is_terminal = self.file.is_none() && io::stdout().is_terminal();
        let width = is_terminal.then(terminal_size::terminal_size).flatten();
        let width = width.map_or(80, |(width, _)| usize::from(width.0));
        Style {
            width,
            ascii: look.ascii,
            detail: look.detail,
            color: self.color,
        }
    }

    /// Writes a value as JSON.
    pub(super) fn write_json(&self, value: &impl Serialize) -> Result<(), Error> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
        self.write(&format!("{text}\n"))
    }

    /// Writes a whole result.
    pub(super) fn write(&self, text: &str) -> Result<(), Error> {
        match &self.file {
            None => write_stdout(text).map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => Error::ClosedPipe,
                _ => Error::Stdout(error),
            }),
            Some(path) => {
                let written = write_file(path, text);
                written.map_err(|source| Error::File {
                    path: path.clone(),
                    source,
                })
            }
        }
    }
}

fn write_stdout(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Replaces a file in one go, so that what was in it is not lost if the disk is full.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    // A device or a pipe cannot be replaced.
    if !fs::metadata(path)?.is_file() {
        return fs::write(path, text);
    }
    // What a link points to is replaced, not the link.
    let path = fs::canonicalize(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let new = path.with_file_name(name);
    let replaced = fs::write(&new, text).and_then(|()| {
        fs::set_permissions(&new, fs::metadata(&path)?.permissions())?;
        fs::rename(&new, &path)
    });
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced
}
