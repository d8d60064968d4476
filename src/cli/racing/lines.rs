//! Starts a child that makes runs, and reads the lines that it writes.

use std::io::{self, PipeReader, Read, pipe};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::child::Process;

use super::super::runs::Message;

/// How long what a child says is gathered before it is read: to be woken for each run would take
/// the cores from the runs.
const GATHER: Duration = Duration::from_millis(5);

/// The longest line of a child that is kept.
const LONGEST: usize = 1 << 24;

/// How much is kept of what a child said before it crashed.
const LONGEST_SAID: usize = 200;

/// A line of what a child says.
pub(super) enum Line {
    Message(Message),
    /// What the system or the runtime said.
    Text(String),
}

/// Starts a child, and with it what it says, on both outputs.
pub(super) fn start(mut command: Command) -> io::Result<(Process, PipeReader)> {
    let (reader, writer) = pipe()?;
    command.stderr(writer.try_clone()?).stdout(writer);
    // The other end of the pipe is closed here with the command.
    Ok((Process::start(command)?, reader))
}

/// Reads lines to the end, those of a while at once.
pub(super) fn read(mut reader: PipeReader, tell: &dyn Fn(Vec<Line>) -> bool) {
    let mut chunk = vec![0; 1 << 16];
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let read = match reader.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        rest.extend_from_slice(&chunk[..read]);
        let whole = match rest.iter().rposition(|&byte| byte == b'\n') {
            _ if read == 0 => rest.len(),
            Some(last) => last + 1,
            // Not to fill the memory with what a damaged child says.
            None if rest.len() > LONGEST => rest.len(),
            None => 0,
        };
        let texts = rest[..whole].split(|&byte| byte == b'\n');
        let found: Vec<Line> = texts.filter_map(line).collect();
        rest.drain(..whole);
        if !found.is_empty() && !tell(found) {
            return;
        }
        if read == 0 {
            return;
        }
        thread::sleep(GATHER);
    }
}

fn line(bytes: &[u8]) -> Option<Line> {
    if let Ok(message) = serde_json::from_slice(bytes) {
        return Some(Line::Message(message));
    }
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().take(LONGEST_SAID).collect();
    (!text.is_empty()).then_some(Line::Text(text))
}
