//! Descriptors that a child process has from its parent.

use std::io;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// What a child can inherit.
#[cfg(unix)]
pub(crate) type Descriptor = std::os::fd::OwnedFd;

/// What a child could inherit: it cannot, on this system.
#[cfg(windows)]
pub(crate) type Descriptor = std::os::windows::io::OwnedHandle;

/// The number by which a child has a descriptor, which is the one that it has in the parent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Inherited(pub(super) i32);

impl Inherited {
    /// The number of a descriptor.
    ///
    /// # Errors
    ///
    /// If children inherit nothing on this system.
    pub(crate) fn of(descriptor: &Descriptor) -> io::Result<Self> {
        #[cfg(unix)]
        let number = Ok(std::os::fd::AsRawFd::as_raw_fd(descriptor));
        #[cfg(not(unix))]
        let number = self::descriptor(-1).and(Ok(-1));
        number.map(Inherited)
    }

    /// Takes it, in the child that has inherited it. It must not be taken twice.
    ///
    /// # Errors
    ///
    /// If it was not inherited.
    pub(crate) fn take(self) -> io::Result<Descriptor> {
        descriptor(self.0)
    }
}

/// The descriptor that the parent had this process inherit by a number.
#[cfg(unix)]
#[expect(unsafe_code, reason = "an inherited descriptor is only a number")]
fn descriptor(number: i32) -> io::Result<Descriptor> {
    use std::os::fd::FromRawFd;
    // SAFETY: `fcntl` with `F_GETFD` takes numbers and touches no memory.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and it was open when the process began, since the parent had it inherited
    // by this number. So nothing in this process has opened it, and nothing but this takes it.
    Ok(unsafe { Descriptor::from_raw_fd(number) })
}

#[cfg(not(unix))]
fn descriptor(_number: i32) -> io::Result<Descriptor> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Lets a command inherit descriptors. No other process that is started meanwhile inherits them.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "std lets a child inherit nothing but its standard streams"
)]
pub(crate) fn inherit(command: &mut Command, descriptors: &[Descriptor]) {
    use std::os::fd::AsRawFd;
    use std::os::unix::process::CommandExt;
    if descriptors.is_empty() {
        return;
    }
    let numbers: Vec<i32> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let inherit = move || {
        for number in &numbers {
            // SAFETY: `fcntl` with `F_SETFD` takes numbers and touches no memory.
            if unsafe { libc::fcntl(*number, libc::F_SETFD, 0) } == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec only what is safe in a signal handler may be called. `fcntl`
    // is, the list is only read, and an error of the system is made without an allocation.
    unsafe { command.pre_exec(inherit) };
}

#[cfg(not(unix))]
pub(crate) fn inherit(_command: &mut Command, _descriptors: &[Descriptor]) {}
