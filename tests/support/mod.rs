//! Runs the real binary, as a user would.

#![allow(
    dead_code,
    reason = "each test target uses its own part of this module"
)]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// What a process left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Asserts what holds of every run: it ends by itself, and never with a panic of ours.
    pub(crate) fn of(output: &Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        let run = Run {
            code: output.status.code().expect("it was not killed by a signal"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        for trace in ["panicked at", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!run.stderr.contains(trace), "a panic of ours: {run:?}");
        }
        run
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Asserts that nothing was said on stderr.
    #[track_caller]
    pub(crate) fn quiet(self) -> Run {
        assert_eq!(self.stderr, "", "{self:?}");
        self
    }

    /// Asserts a refusal: exit code 2, nothing on stdout, and a short message with `text` in it.
    #[track_caller]
    pub(crate) fn refused(self, text: &str) -> Run {
        let run = self.exits(2);
        assert_eq!(run.stdout, "", "{run:?}");
        assert!(run.stderr.contains(text), "{run:?}");
        assert!(run.stderr.len() < 1000, "too long: {run:?}");
        run
    }

    /// The one line of stdout that begins with this label.
    #[track_caller]
    pub(crate) fn fact(&self, label: &str) -> &str {
        let found = self
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(&format!("  {label} ")));
        found
            .unwrap_or_else(|| panic!("no {label} in {self:?}"))
            .trim()
    }
}

/// The command, without what the environment of the tests would change in it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_racelab"));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    // What would be there if something of ours panicked should be seen.
    command.env("RUST_BACKTRACE", "1").stdin(Stdio::null());
    command
}

/// Runs the command with these arguments.
pub(crate) fn racelab<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    Run::of(
        &command()
            .args(args)
            .output()
            .expect("the binary can be run"),
    )
}

/// Runs a command as it would be written, apart from quotes, which are not understood.
pub(crate) fn line(line: &str) -> Run {
    racelab(words(line))
}

/// The arguments in a line that begins with `racelab`.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("racelab"), "{line}");
    words
}

/// A folder of one test's own, which goes away with it.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{test}-{}", std::process::id()));
        // Left from a process of the same number, if there is one.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the folder can be made");
        Folder(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of the files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder can be read");
        let mut names: Vec<String> = entries
            .map(|entry| {
                let name = entry.expect("the folder can be read").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
