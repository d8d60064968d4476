//! What ties a child process to its parent: a pipe that ends when the parent does.
//!
//! The parent holds its one end, the child reads at the other. The system closes what the parent
//! holds when the parent ends, whatever ends it. Linux could send the child a signal in place of that
//! (`PR_SET_PDEATHSIG`), but does so when the thread that has started the child ends.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, PipeWriter, Read};
use std::process::Command;
use std::{env, thread};

use super::Descriptor;
#[cfg(unix)]
use super::inherited::{Inherited, inherit};

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
#[cfg(unix)]
pub(super) fn tie(command: &mut Command) -> io::Result<Option<(Descriptor, PipeWriter)>> {
    let (reader, writer) = io::pipe()?;
    let reader = Descriptor::from(reader);
    command.env(LIFELINE, Inherited::of(&reader).0.to_string());
    inherit(command, std::slice::from_ref(&reader));
    Ok(Some((reader, writer)))
}

/// Ties a child to this process as far as the system allows: it inherits its standard streams only.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub(super) fn tie(command: &mut Command) -> io::Result<Option<(Descriptor, PipeWriter)>> {
    command.env(LIFELINE, "");
    Ok(None)
}

/// If this process is a child, lets it end with its parent, whatever it does then. To be called
/// before anything is opened.
///
/// # Errors
///
/// If the system starts no thread, or the parent has not left what this one reads.
pub(crate) fn end_with_parent() -> io::Result<()> {
    match env::var(LIFELINE).as_deref() {
        Err(_) | Ok("") => Ok(()),
        Ok("0") => end_with(io::stdin()),
        Ok(number) => end_with_inherited(number),
    }
}

#[cfg(unix)]
fn end_with_inherited(number: &str) -> io::Result<()> {
    let inherited = || Inherited(number.parse().map_err(io::Error::other)?).take();
    let inherited = inherited().map_err(|error| {
        let what = format!("{LIFELINE}={number} is no descriptor of a parent process: {error}");
        io::Error::new(error.kind(), what)
    })?;
    end_with(File::from(inherited))
}

#[cfg(not(unix))]
fn end_with_inherited(_number: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Ends the process when there is no more to read.
fn end_with(mut lifeline: impl Read + Send + 'static) -> io::Result<()> {
    let watch = move || {
        let mut byte = [0];
        while let Ok(1..) = lifeline.read(&mut byte) {}
        leave();
    };
    let started = thread::Builder::new().spawn(watch);
    started.map(drop).map_err(|error| {
        let what = format!("the system cannot start a thread: {error}");
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
