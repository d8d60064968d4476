//! What the system refuses is no failure of a program and no error of the lab.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{Run, command, words};

/// The command, run as a user without other processes, whose limit on processes and threads is
/// `processes`.
///
/// Root may have any number, so that it is another user if it is root who runs the tests. `None` if
/// that is not possible here.
fn with_processes(program: &str, processes: u32, line: &str) -> Option<Run> {
    let id = Command::new("id").arg("-u").output().ok()?;
    let is_root = id.stdout == b"0\n";
    let mut limited = if is_root {
        let mut limited = Command::new("setpriv");
        limited.args(["--reuid=54321", "--regid=54321", "--clear-groups", "bash"]);
        limited
    } else {
        Command::new("bash")
    };
    let script = format!("ulimit -u {processes} && exec \"$@\"");
    limited.args(["-c", &script, "bash", program]);
    let output = limited.args(words(line)).stdin(Stdio::null()).output();
    Some(Run::of(&output.ok()?))
}

/// A copy of the command that another user may run, who may not be let into the folder where it was
/// built.
struct Copy(PathBuf);

impl Copy {
    fn new(test: &str) -> Self {
        let name = format!("racelab-{test}-{}", std::process::id());
        let copy = Copy(std::env::temp_dir().join(name));
        fs::copy(command().get_program(), &copy.0).unwrap();
        fs::set_permissions(&copy.0, fs::Permissions::from_mode(0o755)).unwrap();
        copy
    }

    fn program(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The command with so much memory, in kilobytes: how it ended, and all that it said. `None` if there was
/// not enough for its loader, or for what std and the C library do when a thread begins: they end the
/// process, or panic.
fn with_memory(kilobytes: u32, line: &str) -> Option<(i32, String)> {
    let script = format!("ulimit -v {kilobytes} && exec \"$@\"");
    let mut limited = Command::new("bash");
    limited
        .args(["-c", &script, "bash"])
        .arg(command().get_program());
    let output = limited.args(words(line)).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("output is UTF-8");
    let is_of_others = said.is_empty()
        || said.contains("Fatal glibc error")
        || said.contains("failed to allocate an alternative stack")
        || output.status.code() == Some(127);
    // What ends by a signal and has said something has no code.
    (!is_of_others).then(|| (output.status.code().unwrap_or(-1), said))
}

#[test]
fn threads_and_processes_that_the_system_does_not_start_are_said_with_what_to_do() {
    let copy = Copy::new("limits");
    let program = copy.program();
    for line in [
        "racelab explore counter",
        "racelab explore counter --engine dfs --jobs 8",
        "racelab explore counter --engine random",
        "racelab explore counter --engine shuttle",
        "racelab explore counter --engine loom",
        "racelab explore counter --engine threads --runs 5",
        "racelab explore counter/unsafe-cell --engine threads --runs 5",
        "racelab replay counter 0*2.1.2*2.1.0*3",
        "racelab run counter",
        "racelab verify counter/mutex",
    ] {
        let Some(run) = with_processes(program, 1, line) else {
            continue;
        };
        let said = format!("{}{}", run.stdout, run.stderr).replace("\n    ", " ");
        assert_eq!(run.code, 3, "{line}: {run:?}");
        assert!(said.contains("cannot start a "), "{line}: {run:?}");
        assert!(said.contains("(`ulimit"), "{line}: {run:?}");
        for processes in 2..=6 {
            // Some need no more than that.
            let run = with_processes(program, processes, line);
            assert_ne!(run.map(|run| run.code), Some(70), "{processes} for {line}");
        }
    }
}

#[test]
fn threads_and_processes_that_a_measurement_is_refused_are_said_with_what_to_do() {
    let copy = Copy::new("limits-of-time");
    for line in [
        "racelab time io --items 4 --latency 1ms",
        "racelab time primes --below 1000",
        "racelab time sleep --items 5 --seconds 1ms",
        "racelab time pipe --messages 10",
    ] {
        let mut refused = 0;
        for processes in [1, 3, 5, 6, 7, 8, 10, 12] {
            let Some(run) = with_processes(copy.program(), processes, line) else {
                return;
            };
            refused += u32::from(run.code == 3);
            match run.code {
                0 => assert_eq!(run.stderr, "", "{processes} for {line}: {run:?}"),
                // More than the limit are asked for, which is known before.
                2 => assert!(run.stderr.contains("too many"), "{line}: {run:?}"),
                code => {
                    assert_eq!(code, 3, "{processes} for {line}: {run:?}");
                    assert!(run.stderr.contains("cannot "), "{line}: {run:?}");
                    assert!(run.stderr.contains("(`ulimit"), "{line}: {run:?}");
                    assert_eq!(run.stderr.lines().count(), 1, "{line}: {run:?}");
                }
            }
        }
        assert!(refused > 0, "{line}");
    }
}

#[test]
fn memory_that_an_engine_is_refused_is_no_failure_and_no_error_of_the_lab() {
    for line in [
        "racelab explore counter/mutex",
        "racelab explore counter/mutex --engine dfs --threads 3",
        "racelab explore counter/mutex --engine shuttle --threads 4 --max-executions 5",
        "racelab verify counter/mutex --engine dpor --engine shuttle",
    ] {
        let mut refused = 0;
        for kilobytes in (30_000..60_000).step_by(1_500) {
            let Some((code, said)) = with_memory(kilobytes, line) else {
                continue;
            };
            assert!([0, 3].contains(&code), "{kilobytes} for {line}: {said}");
            refused += u32::from(said.contains("(`ulimit"));
        }
        assert!(refused > 0, "{line}");
    }
}

#[test]
fn memory_that_the_system_does_not_give_is_said_with_what_to_do() {
    let line = "racelab explore counter --engine loom";
    let mut refused = 0;
    for kilobytes in (50_000..100_000).step_by(5_000) {
        let script = format!("ulimit -v {kilobytes} && exec \"$@\"");
        let mut limited = Command::new("bash");
        limited
            .args(["-c", &script, "bash"])
            .arg(command().get_program());
        let run = Run::of(&limited.args(words(line)).output().unwrap());
        let said = format!("{}{}", run.stdout, run.stderr).replace("\n    ", " ");
        if run.code == 3 {
            refused += 1;
            assert!(said.contains("(`ulimit"), "{kilobytes}: {run:?}");
        } else {
            // There was enough, or not even enough for the loader.
            assert!([1, 127].contains(&run.code), "{kilobytes}: {run:?}");
        }
    }
    assert!(refused > 0);
}
