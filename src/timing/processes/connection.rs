//! Two pipes between two worker processes, so that each can talk to the other one.

use std::io::{self, BufReader, PipeReader, PipeWriter};

use serde::{Deserialize, Serialize};

use crate::child::{Descriptor, Inherited};

use super::Message;
use super::messages::{receive, send};

/// One end of a connection, in the worker that has it.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: BufReader<PipeReader>,
    writer: PipeWriter,
}

/// By which numbers a worker has inherited its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InheritedEnd {
    reader: Inherited,
    writer: Inherited,
}

impl Connection {
    /// A new connection: what the worker at each end is to inherit, and by which numbers it finds
    /// that.
    ///
    /// # Errors
    ///
    /// If the system has no more pipes, or workers inherit nothing on it.
    pub(crate) fn pair() -> io::Result<[(InheritedEnd, Vec<Descriptor>); 2]> {
        let pipe = || {
            io::pipe().map_err(|error| {
                io::Error::new(error.kind(), format!("cannot make a pipe: {error}"))
            })
        };
        let (reader, other_writer) = pipe()?;
        let (other_reader, writer) = pipe()?;
        Ok([end(reader, writer)?, end(other_reader, other_writer)?])
    }

    /// Takes the end that this worker has inherited. It must not be taken twice.
    ///
    /// # Errors
    ///
    /// If it was not inherited.
    pub(crate) fn take(end: &InheritedEnd) -> io::Result<Self> {
        let (reader, writer) = (end.reader.take()?, end.writer.take()?);
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

fn end(reader: PipeReader, writer: PipeWriter) -> io::Result<(InheritedEnd, Vec<Descriptor>)> {
    let (reader, writer) = (reader.into(), writer.into());
    let end = InheritedEnd {
        reader: Inherited::of(&reader)?,
        writer: Inherited::of(&writer)?,
    };
    Ok((end, vec![reader, writer]))
}
