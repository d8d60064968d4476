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
}
