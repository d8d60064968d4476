//! How a process ended, in words.

use std::process::ExitStatus;

/// How a process ended that did not end by itself: `ended by signal 11 (SIGSEGV)`.
pub(crate) fn crash(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal_name(signal) {
            Some(name) => format!("ended by signal {signal} ({name})"),
            None => format!("ended by signal {signal}"),
        };
    }
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "ended without an exit code".to_owned(),
    }
}

/// The name of the signal that ended a process: `SIGSEGV`. Without one, how it ended:
/// `exit code 7`.
pub(crate) fn signal(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = signal_name(signal).map(str::to_owned);
        return name.unwrap_or_else(|| format!("signal {signal}"));
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "no exit code".to_owned(),
    }
}

/// The name of the signal that ended a process, if it was one that a process does not raise by what
/// goes wrong in it: somebody has sent it, or the system, for want of memory or time.
pub(crate) fn killed_from_outside(status: ExitStatus) -> Option<String> {
    #[cfg(unix)]
    {
        let number = std::os::unix::process::ExitStatusExt::signal(&status)?;
        let is_own = matches!(
            number,
            libc::SIGSEGV
                | libc::SIGABRT
                | libc::SIGBUS
                | libc::SIGILL
                | libc::SIGFPE
                | libc::SIGTRAP
                | libc::SIGSYS
        );
        (!is_own).then(|| signal(status))
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        None
    }
}

#[cfg(unix)]
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGKILL => "SIGKILL",
        libc::SIGTERM => "SIGTERM",
        libc::SIGINT => "SIGINT",
        libc::SIGHUP => "SIGHUP",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGSYS => "SIGSYS",
        libc::SIGXCPU => "SIGXCPU",
        _ => return None,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_crash_is_put_into_words() {
        for (script, words) in [
            ("kill -SEGV $$", "ended by signal 11 (SIGSEGV)"),
            ("kill -ABRT $$", "ended by signal 6 (SIGABRT)"),
            ("kill -USR1 $$", "ended by signal 10"),
            ("exit 7", "ended with exit code 7"),
        ] {
            let status = Command::new("sh").args(["-c", script]).status().unwrap();
            assert_eq!(crash(status), words);
        }
    }

    #[test]
    fn what_a_process_does_not_raise_itself_is_from_outside() {
        for (script, from_outside) in [
            ("kill -KILL $$", Some("SIGKILL")),
            ("kill -TERM $$", Some("SIGTERM")),
            ("kill -XCPU $$", Some("SIGXCPU")),
            ("kill -SEGV $$", None),
            ("kill -ABRT $$", None),
            ("kill -ILL $$", None),
            ("exit 7", None),
            ("exit 137", None),
        ] {
            let status = Command::new("sh").args(["-c", script]).status().unwrap();
            assert_eq!(killed_from_outside(status).as_deref(), from_outside);
        }
    }
}
