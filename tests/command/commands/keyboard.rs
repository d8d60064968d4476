//! `racelab run` with a person at the keyboard, by the other end of a terminal.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, Stdio};

use crate::support::{command, words};

/// What a person presses to end the input.
const CTRL_D: &str = "\u{4}";

/// Somebody at a terminal on which a command runs.
struct Person {
    terminal: File,
    /// What the terminal has shown.
    seen: String,
    process: Child,
}

impl Person {
    /// Runs a command on a terminal of this width.
    fn at(columns: u16, line: &str) -> Self {
        let (terminal, of_command) = terminal(columns);
        let stream = || Stdio::from(of_command.try_clone().unwrap());
        let process = command()
            .args(words(line))
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        Person {
            terminal,
            seen: String::new(),
            process,
        }
    }

    fn types(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).unwrap();
    }

    /// Reads until the terminal has shown a text this many times.
    fn sees(&mut self, text: &str, times: usize) {
        while self.seen.matches(text).count() < times {
            assert!(self.reads(), "{text:?} is not in {:?}", self.seen);
        }
    }

    /// Reads what is there next, if the command has not ended.
    fn reads(&mut self) -> bool {
        let mut bytes = [0; 1000];
        match self.terminal.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                let text = String::from_utf8_lossy(&bytes[..count]);
                // A terminal ends its lines so.
                self.seen += &text.replace("\r\n", "\n");
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            // What a terminal says when nobody has its other end any more.
            Err(_) => false,
        }
    }

    /// Reads up to the end of the command: its exit code, and all that the terminal has shown.
    fn ends(mut self) -> (i32, String) {
        while self.reads() {}
        let code = self.process.wait().unwrap().code();
        (code.expect("it was not killed"), self.seen)
    }
}

/// A terminal: the end of the person, and that of a command.
#[expect(unsafe_code, reason = "std makes no terminals")]
fn terminal(columns: u16) -> (File, OwnedFd) {
    let size = libc::winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let (mut person, mut command) = (-1, -1);
    // SAFETY: the pointers to the two numbers and to the size are valid for the call. The others may
    // be null, which stands for no name and no settings.
    let made = unsafe {
        libc::openpty(
            &raw mut person,
            &raw mut command,
            std::ptr::null_mut(),
            std::ptr::null(),
            &raw const size,
        )
    };
    assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the call has opened both descriptors, and nothing else has them.
    unsafe { (File::from_raw_fd(person), OwnedFd::from_raw_fd(command)) }
}

#[test]
fn a_person_is_told_how_to_end_the_input_and_asked_until_then() {
    let mut person = Person::at(80, "racelab run queue-consumer/mpsc");
    person.sees("Ctrl-D ends the input.\nQueue item: ", 1);
    person.types("apples\n");
    // The consumer prints while the next item is asked for.
    person.sees("Queue item: ", 2);
    person.sees("From queue apples\n", 1);
    person.types(CTRL_D);
    let (code, seen) = person.ends();
    assert!(seen.contains("outcome  [\"apples\"]"), "{seen}");
    assert_eq!(seen.matches("Ctrl-D").count(), 1, "{seen}");
    assert_eq!(code, 0);
}

#[test]
fn a_person_is_asked_for_nine_items_or_as_many_as_were_wished() {
    for (flags, items) in [("", 9), (" --items 2", 2)] {
        let mut person = Person::at(80, &format!("racelab run queue-consumer/mpsc{flags}"));
        for item in 1..=items {
            person.sees("Queue item: ", item);
            person.types(&format!("{item}\n"));
        }
        let (code, seen) = person.ends();
        assert_eq!(seen.matches("Queue item: ").count(), items, "{seen}");
        assert_eq!(seen.matches("From queue ").count(), items, "{seen}");
        assert_eq!(code, 0);
    }
}

#[test]
fn an_event_loop_has_a_prompt_of_its_own() {
    let mut person = Person::at(80, "racelab run event-loop/worker --seconds 0.1");
    person.sees("Key: ", 1);
    person.types("a\n");
    person.sees("Key a, answered after 0.", 1);
    person.types(CTRL_D);
    let (code, seen) = person.ends();
    assert!(seen.contains("Sum 6666656666670000000\n"), "{seen}");
    assert_eq!(code, 0);
}

#[test]
fn a_terminal_of_20_columns_is_enough() {
    for line in [
        "racelab run queue-consumer/mpsc",
        "racelab run event-loop/worker --seconds 0 -v",
    ] {
        let mut person = Person::at(20, line);
        person.sees(": ", 1);
        person.types(&format!("a\n{CTRL_D}"));
        assert_eq!(person.ends().0, 0, "{line}");
    }
    for line in [
        "racelab run shared-list/mutex",
        "racelab show shared-list/unsafe-vec",
        "racelab list",
        "racelab run processes/manager",
    ] {
        assert_eq!(Person::at(20, line).ends().0, 0, "{line}");
    }
}
