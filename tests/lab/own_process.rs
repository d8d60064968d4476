//! Tests that run again in a process of their own: with another environment, for what it prints,
//! or because they end it.

use std::env;
use std::process::{Command, Output};

/// Set in the process that runs one test in earnest. Not a name that the lab would take for one of its
/// own.
const CHILD: &str = "TESTS_OF_RACELAB_CHILD";

/// Whether this is the process of one test.
pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// What runs one test of this binary, named in full, with no variables of the lab.
pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a test knows its file"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("RACELAB_") {
            command.env_remove(name);
        }
    }
    command
        .args(["--exact", test])
        .env(CHILD, "1")
        .env_remove("RUST_BACKTRACE");
    command
}

/// What such a command left behind.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    let output = command.output().expect("the tests can be run again");
    // A name that no test has would pass as well.
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test\n"), "{command:?}: {text}");
    output
}
