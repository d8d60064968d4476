//! Two pipes between two worker processes, so that each can talk to the other one.

use std::io::{self, BufReader, PipeReader, PipeWriter};

use serde::{Deserialize, Serialize};

use super::Message;
use super::child::Descriptor;
use super::messages::{receive, send};

/// One end of a connection, in the worker that has it.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: BufReader<PipeReader>,
    writer: PipeWriter,
}

/// By which numbers a worker has inherited its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    reader: i32,
    writer: i32,
}

impl Connection {
    /// A new connection: what the worker at each end is to inherit, and by which numbers it finds
    /// that.
    ///
    /// # Errors
    ///
    /// If the system has no more pipes, or workers inherit nothing on it.
    pub(crate) fn pair() -> io::Result<[(End, Vec<Descriptor>); 2]> {
        let (reader, other_writer) = io::pipe()?;
        let (other_reader, writer) = io::pipe()?;
        Ok([end(reader, writer)?, end(other_reader, other_writer)?])
    }

    /// Takes the end that this worker has inherited. It must not be taken twice.
    ///
    /// # Errors
    ///
    /// If it was not inherited.
    pub(crate) fn take(end: &End) -> io::Result<Self> {
        let (reader, writer) = (inherited(end.reader)?, inherited(end.writer)?);
        Ok(Connection {
            reader: BufReader::new(PipeReader::from(reader)),
            writer: PipeWriter::from(writer),
        })
    }

    /// Sends a message, at once.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    pub(crate) fn send(&mut self, message: &impl Message) -> io::Result<()> {
        send(&mut self.writer, message)
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    pub(crate) fn receive<M: Message>(&mut self) -> io::Result<M> {
        let message = receive(&mut self.reader)?;
        message.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the other end is gone"))
    }
}

#[cfg(unix)]
fn end(reader: PipeReader, writer: PipeWriter) -> io::Result<(End, Vec<Descriptor>)> {
    use std::os::fd::AsRawFd;
    let end = End {
        reader: reader.as_raw_fd(),
        writer: writer.as_raw_fd(),
    };
    Ok((end, vec![reader.into(), writer.into()]))
}

/// A descriptor that this process has inherited.
#[cfg(unix)]
#[expect(unsafe_code, reason = "an inherited descriptor is only a number")]
fn inherited(number: i32) -> io::Result<Descriptor> {
    use std::os::fd::FromRawFd;
    // SAFETY: `fcntl` with `F_GETFD` takes numbers and touches no memory.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and it was open when the process began, since the pool had it inherited
    // by this number. So nothing in this process has opened it, and nothing but this takes it.
    Ok(unsafe { Descriptor::from_raw_fd(number) })
}

#[cfg(not(unix))]
fn end(_reader: PipeReader, _writer: PipeWriter) -> io::Result<(End, Vec<Descriptor>)> {
    Err(unsupported())
}

#[cfg(not(unix))]
fn inherited(_number: i32) -> io::Result<std::os::windows::io::OwnedHandle> {
    Err(unsupported())
}

#[cfg(not(unix))]
fn unsupported() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "on this system no pipe can be given to a worker process",
    )
}
