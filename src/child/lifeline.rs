//! What ties a child process to its parent: a pipe that ends when the parent does.
//!
//! The parent holds its one end, the child reads at the other. The system closes what the parent
//! holds when the parent ends, whatever ends it. Linux could send the child a signal in place of that
//! (`PR_SET_PDEATHSIG`), but does so when the thread that has started the child ends.

use std::fs::File;
use std::io::{self, PipeWriter, Read};
use std::process::Command;
use std::{env, slice, thread};

use super::{Descriptor, Inherited, inherit};

/// Set in the environment of a child process: the number of the descriptor that ends with the
/// parent. It is empty if there is none.
const LIFELINE: &str = "RACELAB_IS_CHILD";

/// Whether this process is the child of another one of this command: whatever happens, happens here.
pub(crate) fn is_child() -> bool {
    env::var_os(LIFELINE).is_some()
}

/// Ties a child to this process by its standard input, which is a pipe from here.
pub(super) fn tie_by_input(command: &mut Command) {
    command.env(LIFELINE, "0");
}

/// Ties a child to this process by a pipe of its own. The end to read may be closed when the child
/// has been started, the other one is to be held.
pub(super) fn tie(command: &mut Command) -> io::Result<(Descriptor, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    let reader = Descriptor::from(reader);
    let number = Inherited::of(&reader).map(|inherited| inherited.0.to_string());
    command.env(LIFELINE, number.unwrap_or_default());
    inherit(command, slice::from_ref(&reader));
    Ok((reader, writer))
}

/// If this process is a child, lets it end with its parent, whatever it does then. To be called
/// before anything is opened.
///
/// # Errors
///
/// If the system starts no thread, or the parent has not left what this one reads.
pub(crate) fn end_with_parent() -> io::Result<()> {
    let mut lifeline: Box<dyn Read + Send> = match env::var(LIFELINE).as_deref() {
        Err(_) | Ok("") => return Ok(()),
        Ok("0") => Box::new(io::stdin()),
        Ok(number) => Box::new(inherited(number)?),
    };
    let watch = move || {
        let mut byte = [0];
        while let Ok(1..) = lifeline.read(&mut byte) {}
        leave();
    };
    let started = thread::Builder::new().spawn(watch);
    started.map(drop).map_err(|error| {
        let what = format!(
            "the system cannot start a thread: {error}; allow more processes and threads \
             (`ulimit -u`)"
        );
        io::Error::new(error.kind(), what)
    })
}

fn inherited(number: &str) -> io::Result<File> {
    let take = || Inherited(number.parse().map_err(io::Error::other)?).take();
    take().map(File::from).map_err(|error| {
        let what = format!("{LIFELINE}={number} is no descriptor of a parent process: {error}");
        io::Error::new(error.kind(), what)
    })
}

/// Ends the process at once, whatever has been done to it.
#[cfg(unix)]
#[expect(unsafe_code, reason = "std's exit calls what may be damaged")]
fn leave() -> ! {
    // SAFETY: the call takes a number, touches no memory of this process and does not return.
    unsafe { libc::_exit(0) }
}

#[cfg(not(unix))]
fn leave() -> ! {
    std::process::exit(0)
}
