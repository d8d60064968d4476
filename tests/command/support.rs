//! Runs the real binary, as a user would.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

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

/// Runs a command as it would be written, apart from quotes round blanks, which are not understood.
pub(crate) fn line(line: &str) -> Run {
    racelab(words(line))
}

/// Runs a command line whose standard output nobody reads.
pub(crate) fn into_closed_pipe(line: &str) -> Run {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command().args(words(line)).stdout(writer).output();
    Run::of(&output.unwrap())
}

/// Asserts that the text fits on a page of 80 columns, with nothing behind the last word of a line.
#[track_caller]
pub(crate) fn assert_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line, line.trim_end());
    }
}

/// The arguments in a line that begins with `racelab`.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split_whitespace();
    let mut words = words.map(|word| word.trim_matches('\''));
    assert_eq!(words.next(), Some("racelab"), "{line}");
    words
}

/// Runs a command as it would be written, in a process that can have so many open files.
#[cfg(unix)]
pub(crate) fn limited(files: u32, line: &str) -> Run {
    let mut limited = Command::new("sh");
    let script = format!("ulimit -n {files}; exec \"$@\"");
    let program = command();
    limited
        .args(["-c", &script, "sh"])
        .arg(program.get_program());
    for (variable, value) in program.get_envs() {
        match value {
            Some(value) => limited.env(variable, value),
            None => limited.env_remove(variable),
        };
    }
    let output = limited.args(words(line)).stdin(Stdio::null()).output();
    Run::of(&output.expect("there is a shell"))
}

/// Sends a process what Ctrl-C sends, when it is ready for it.
#[cfg(target_os = "linux")]
pub(crate) fn interrupt(child: &mut Child) {
    let status = format!("/proc/{}/status", child.id());
    let catches_interrupts = || {
        let status = std::fs::read_to_string(&status).expect("the process is there");
        assert!(
            !status.contains("State:\tZ"),
            "it ended before it was ready"
        );
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.expect("the system says which signals are caught");
        let caught = u64::from_str_radix(caught.trim(), 16).expect("it is a bit set");
        // Signal 2 is the second bit.
        caught & 2 != 0
    };
    while !catches_interrupts() {
        std::thread::yield_now();
    }
    send("INT", child.id());
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn send(signal: &str, process: u32) {
    let status = Command::new("kill")
        .args([format!("-{signal}"), process.to_string()])
        .status();
    assert!(status.expect("there is kill").success());
}

/// The processes that have a variable in their environment, wherever they are.
#[cfg(target_os = "linux")]
pub(crate) fn processes_with(variable: &str, value: &OsStr) -> Vec<u32> {
    use std::os::unix::ffi::OsStrExt;
    let mark = [variable.as_bytes(), b"=", value.as_bytes()].concat();
    let is_marked = |process: &u32| {
        // It is empty for a process that has ended.
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|it| it == mark)
    };
    let entries = std::fs::read_dir("/proc").expect("the system shows its processes");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_marked)
        .collect()
}

/// Whether a process has not ended.
#[cfg(target_os = "linux")]
pub(crate) fn is_alive(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat"));
    status.is_ok_and(|status| !status.contains(") Z "))
}

/// Asserts that a process comes to its end.
#[cfg(target_os = "linux")]
#[track_caller]
pub(crate) fn assert_ends(process: u32) {
    /// How long it may take at the most, on a machine that does much else.
    const LONG: Duration = Duration::from_secs(60);
    let start = Instant::now();
    while is_alive(process) {
        assert!(start.elapsed() < LONG, "it goes on");
        std::thread::yield_now();
    }
}

/// The keys of a JSON object, in their order.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The keys of the JSON object in a text, in their order.
pub(crate) fn keys(text: &str) -> Vec<String> {
    serde_json::from_str::<Keys>(text)
        .expect("it is a JSON object")
        .0
}

/// The one line of JSON on stdout.
pub(crate) fn parsed(run: &Run) -> Value {
    assert!(run.stdout.ends_with('\n'), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
    serde_json::from_str(&run.stdout).expect("the output is JSON")
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
