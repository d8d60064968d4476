//! What the system refuses is no failure of a program and no error of the lab.

use std::fs;
use std::os::unix::fs::PermissionsExt;
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

#[test]
fn threads_and_processes_that_the_system_does_not_start_are_said_with_what_to_do() {
    // The other user may not be let into the folder where the command was built.
    let name = format!("racelab-limits-{}", std::process::id());
    let copy = std::env::temp_dir().join(name);
    fs::copy(command().get_program(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let program = copy.to_str().unwrap();
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
    fs::remove_file(&copy).unwrap();
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
