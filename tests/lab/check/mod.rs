//! `racelab::check` as its users meet it: in a test that fails, and with a changed environment.
//!
//! The binary runs itself again: what is in `child` is ignored otherwise.

mod child;
mod failures;
mod replays;
mod settings;
mod summary;
mod what_was_not_checked;

use std::ffi::OsStr;

use crate::own_process;

/// What the run of one test left behind.
#[derive(Debug)]
struct Run {
    passed: bool,
    text: String,
}

/// Runs one test of `child`, with these variables and no others of the lab's.
fn run<V: AsRef<OsStr>>(test: &str, variables: &[(&str, V)]) -> Run {
    run_with(&["--nocapture"], test, variables)
}

fn run_with<V: AsRef<OsStr>>(flags: &[&str], test: &str, variables: &[(&str, V)]) -> Run {
    let mut command = own_process::command(&format!("check::child::{test}"));
    command
        .arg("--ignored")
        .args(flags)
        .env("RUST_BACKTRACE", "0")
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let output = own_process::output(&mut command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let text = text(&output.stdout) + &text(&output.stderr);
    Run {
        passed: output.status.success(),
        text,
    }
}

const NONE: &[(&str, &str)] = &[];

impl Run {
    #[track_caller]
    fn fails(self) -> Run {
        assert!(!self.passed, "{}", self.text);
        assert_eq!(self.text.matches("panicked at").count(), 1, "{}", self.text);
        self
    }

    #[track_caller]
    fn passes(self) -> Run {
        assert!(self.passed, "{}", self.text);
        assert!(!self.text.contains("panicked at"), "{}", self.text);
        self
    }

    #[track_caller]
    fn says(self, what: &str) -> Run {
        assert!(self.text.contains(what), "no {what:?} in\n{}", self.text);
        self
    }

    /// Like [`says`](Run::says), wherever the lines break.
    #[track_caller]
    fn tells(self, what: &str) -> Run {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        assert!(
            words.join(" ").contains(what),
            "no {what:?} in\n{}",
            self.text
        );
        self
    }

    #[track_caller]
    fn omits(self, what: &str) -> Run {
        assert!(!self.text.contains(what), "{what:?} in\n{}", self.text);
        self
    }

    /// The failure as it was shown: verdict, table and why.
    fn failure(&self) -> &str {
        let start = self.text.find("   VIOLATED   ").expect("it was violated");
        let end = start
            + self.text[start..]
                .find("\n  searched ")
                .expect("the search is described");
        let end = self.text[start..end]
            .find("\n  minimal ")
            .map_or(end, |minimal| start + minimal);
        &self.text[start..end]
    }

    /// The value of `RACELAB_REPLAY` in the line that replays the failure.
    fn replay(&self) -> &str {
        let (_, rest) = self
            .text
            .split_once("  replay   RACELAB_REPLAY='")
            .expect("there is a line that replays it");
        rest.split_once('\'').expect("the quote ends").0
    }
}
