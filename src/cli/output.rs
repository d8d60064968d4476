//! Where results go: standard output or a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::report::Style;

use super::error::Error;
use super::options::{self, Format, FormatChoice, Look};

/// Where results go.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) format: Format,
    target: Target,
    color: bool,
}

/// Something that can be written.
#[derive(Debug)]
pub(super) enum Target {
    Stdout,
    /// A file that is there, or can be made.
    File(PathBuf),
    /// What cannot be replaced, as a device or a pipe. It stays open: the reader of a pipe would
    /// take it for the end if it were closed and opened again.
    Device(PathBuf, File),
}

impl Output {
    /// Looks at once whether the output can be written, since a search may take long.
    pub(super) fn open(options: &options::Output) -> Result<Self, Error> {
        let path = options.output.as_deref();
        let target = match path.filter(|path| *path != Path::new("-")) {
            None => Target::Stdout,
            Some(path) => Target::open(path)?,
        };
        let color = match options.color {
            clap::ColorChoice::Always => true,
            clap::ColorChoice::Never => false,
            clap::ColorChoice::Auto => {
                matches!(target, Target::Stdout)
                    && AutoStream::choice(&io::stdout()) != ColorChoice::Never
            }
        };
        Ok(Output {
            format: match options.format {
                FormatChoice::Json => Format::Json,
                FormatChoice::Text | FormatChoice::Markdown => Format::Text,
            },
            target,
            color,
        })
    }

    /// How the table of a trace looks on this output.
    pub(super) fn style(&self, look: &Look) -> Style {
        Style {
            ascii: look.ascii,
            detail: look.detail,
            ..self.plain_style()
        }
    }

    /// How other text looks on this output.
    pub(super) fn plain_style(&self) -> Style {
        let is_terminal = matches!(self.target, Target::Stdout) && io::stdout().is_terminal();
        let width = is_terminal.then(terminal_size::terminal_size).flatten();
        let width = width.map_or(80, |(width, _)| usize::from(width.0));
        Style {
            width,
            color: self.color,
            ..Style::default()
        }
    }

    /// Refuses another file of the command that is the one to which results go: one would replace the
    /// other.
    pub(super) fn refuse_if_same(&self, flag: &str, other: &Path) -> Result<(), Error> {
        let (Target::File(path) | Target::Device(path, _)) = &self.target else {
            return Ok(());
        };
        if place(path) != place(other) {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{flag} and -o are the same file, {}: give two",
            other.display()
        )))
    }

    /// Whether results go where a program prints.
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self.target, Target::Stdout)
    }

    /// Writes a value as JSON.
    pub(super) fn write_json(&self, value: &impl Serialize) -> Result<(), Error> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
        self.write(&format!("{text}\n"))
    }

    /// Writes a whole result.
    pub(super) fn write(&self, text: &str) -> Result<(), Error> {
        self.target.write(text)
    }
}

impl Target {
    /// Looks at once whether a file can be written. Nothing is left of the attempt.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        target(path).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes all of it.
    pub(super) fn write(&self, text: &str) -> Result<(), Error> {
        let (path, written) = match self {
            Target::Stdout => return write_stdout(text).map_err(Error::of_stdout),
            Target::File(path) => (path, write_file(path, text)),
            Target::Device(path, file) => (path, (&*file).write_all(text.as_bytes())),
        };
        written.map_err(|source| Error::File {
            path: path.clone(),
            source,
        })
    }
}

/// Where a file is, or would be, by whichever way it was named.
fn place(path: &Path) -> PathBuf {
    if let Ok(place) = fs::canonicalize(path) {
        return place;
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
    let name = path.file_name().unwrap_or_default();
    folder.map_or_else(|_| path.to_owned(), |folder| folder.join(name))
}

/// Opens what cannot be replaced, and tries whether a file could be written. Nothing is left of
/// the attempt, since there may never be a result.
fn target(path: &Path) -> io::Result<Target> {
    let is_new = !fs::exists(path)?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(is_new).open(path)?;
    if is_new {
        fs::remove_file(path)?;
    }
    Ok(if is_new || file.metadata()?.is_file() {
        Target::File(path.to_owned())
    } else {
        Target::Device(path.to_owned(), file)
    })
}

fn write_stdout(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a file in one go, so that what was in it is not lost if the disk is full.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let (path, permissions) = match fs::metadata(path) {
        Ok(metadata) => (fs::canonicalize(path)?, Some(metadata.permissions())),
        Err(_) => (path.to_owned(), None),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let new = path.with_file_name(name);
    let replaced = fs::write(&new, text).and_then(|()| {
        if let Some(permissions) = permissions {
            fs::set_permissions(&new, permissions)?;
        }
        fs::rename(&new, &path)
    });
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced
}
