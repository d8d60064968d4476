//! Where and when figures were measured, so that a picture of them can be made again.

use std::time::SystemTime;
use std::{env, fs};

use serde::{Deserialize, Serialize};

use crate::report::plural;

/// Where and when figures were measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The command that has measured them, as a shell takes it.
    pub(crate) command: String,
    /// When it began, as `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub(crate) date: String,
    /// The name of the processor, or of its architecture where the system does not tell.
    pub(crate) processor: String,
    /// The version of racelab.
    pub(crate) version: String,
}

impl Origin {
    /// The running command, on this machine, now.
    pub(crate) fn here() -> Self {
        Origin {
            command: command(env::args()),
            date: httpdate::fmt_http_date(SystemTime::now()),
            processor: processor().unwrap_or_else(|| env::consts::ARCH.to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// All of it but the command: `Sun, 06 Nov 1994 08:49:37 GMT; i486, 1 core; racelab 0.1.0`.
    pub(crate) fn circumstances(&self, cores: usize) -> String {
        let Origin {
            date,
            processor,
            version,
            ..
        } = self;
        let cores = plural(cores as u64, "core");
        format!("{date}; {processor}, {cores}; racelab {version}")
    }
}

/// A command of this program with its arguments, quoted where a shell would take them apart.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let arguments: Vec<String> = arguments.skip(1).collect();
    let words = ["racelab"].into_iter();
    let words = words.chain(arguments.iter().map(String::as_str));
    // No argument has a zero byte in it.
    shlex::try_join(words).unwrap_or_default()
}

/// What Linux calls the processor.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_that_a_shell_takes() {
        let words = ["/bin/racelab", "time", "io", "--plot", "my file.html"];
        assert_eq!(
            command(words.into_iter().map(str::to_owned)),
            "racelab time io --plot 'my file.html'"
        );
    }

    #[test]
    fn the_processor_has_a_name() {
        assert!(!Origin::here().processor.is_empty());
    }
}
