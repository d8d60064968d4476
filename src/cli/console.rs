//! What a program of the gallery prints to and reads from: standard output and standard input.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::exhibits::{Settings, Terminal};

use super::end_process;
use super::error::Error;

/// How a person ends the input.
const END: &str = if cfg!(windows) {
    "Ctrl-Z, Enter"
} else {
    "Ctrl-D"
};

/// The terminal of a program, which may be a pipe or a file.
///
/// If something cannot be read or written, the process ends: the threads of a program cannot be
/// ended in any other way.
#[derive(Debug)]
pub(super) struct Console {
    output: Mutex<Printed>,
    /// The number of lines that were read. Held while one is.
    lines: Mutex<u64>,
    keyboard: Option<Mutex<Waiting>>,
    settings: Settings,
    timed: Mutex<Timed>,
}

/// What a program has told of its times.
#[derive(Clone, Debug, Default)]
pub(super) struct Timed {
    /// How long its parts took.
    pub(super) parts: Vec<(String, Duration)>,
    /// How long each key waited for its answer.
    pub(super) keys: Vec<(String, Duration)>,
}

/// What was printed.
#[derive(Debug)]
struct Printed {
    /// The whole text, if it is kept in place of being printed.
    kept: Option<String>,
    /// What it ends with.
    last: Option<char>,
}

/// How long a person was waited for.
#[derive(Debug, Default)]
struct Waiting {
    before: Duration,
    since: Option<Instant>,
}

/// How the output ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LastLine {
    /// Nothing was printed.
    Empty,
    /// The last line is without an end.
    Open,
    /// The last line was ended.
    Line,
}

impl Console {
    /// A console that prints.
    pub(super) fn printing(settings: Settings) -> Self {
        Console::new(settings, None)
    }

    /// A console that keeps what is printed.
    pub(super) fn keeping(settings: Settings) -> Self {
        Console::new(settings, Some(String::new()))
    }

    fn new(settings: Settings, kept: Option<String>) -> Self {
        Console {
            output: Mutex::new(Printed { kept, last: None }),
            lines: Mutex::new(0),
            keyboard: io::stdin().is_terminal().then(Mutex::default),
            settings,
            timed: Mutex::default(),
        }
    }

    /// How long the program has waited for a person, and whether it does so now.
    pub(super) fn waited(&self) -> (Duration, bool) {
        let Some(keyboard) = &self.keyboard else {
            return (Duration::ZERO, false);
        };
        let waiting = locked(keyboard);
        let now = waiting.since.map(|since| since.elapsed());
        (waiting.before + now.unwrap_or_default(), now.is_some())
    }

    /// What the program has told of its times.
    pub(super) fn timed(&self) -> Timed {
        locked(&self.timed).clone()
    }

    /// How the output ended.
    pub(super) fn end(&self) -> LastLine {
        match locked(&self.output).last {
            None => LastLine::Empty,
            Some('\n') => LastLine::Line,
            Some(_) => LastLine::Open,
        }
    }

    /// What was kept of the output.
    pub(super) fn kept(&self) -> Option<String> {
        locked(&self.output).kept.clone()
    }
}

impl Terminal for Console {
    fn write(&self, text: &str) {
        let mut output = locked(&self.output);
        output.last = text.chars().next_back().or(output.last);
        if let Some(kept) = &mut output.kept {
            kept.push_str(text);
            return;
        }
        let mut stdout = io::stdout();
        let printed = stdout.write_all(text.as_bytes());
        if let Err(error) = printed.and_then(|()| stdout.flush()) {
            end_process(&Error::of_stdout(error));
        }
    }

    fn settings(&self) -> Settings {
        self.settings.clone()
    }

    fn answer(&self, key: &str, waited: Duration) {
        let seconds = waited.as_secs_f64();
        self.write(&format!("Key {key}, answered after {seconds:.3} s\n"));
        locked(&self.timed).keys.push((key.to_owned(), waited));
    }

    fn took(&self, part: &str, time: Duration) {
        locked(&self.timed).parts.push((part.to_owned(), time));
    }

    fn read_line(&self, prompt: &str) -> Option<String> {
        let mut lines = locked(&self.lines);
        if let Some(keyboard) = &self.keyboard {
            // Not on standard output, which holds what the program prints. Nobody can be told if
            // this fails.
            let mut stderr = io::stderr().lock();
            if *lines == 0 {
                let _ = writeln!(stderr, "{END} ends the input.");
            }
            let _ = write!(stderr, "{prompt}");
            locked(keyboard).since = Some(Instant::now());
        }
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        if let Some(keyboard) = &self.keyboard {
            let mut waiting = locked(keyboard);
            let since = waiting.since.take();
            waiting.before += since.map(|since| since.elapsed()).unwrap_or_default();
        }
        if let Err(error) = read {
            end_process(&Error::Usage(format!("cannot read the input: {error}")));
        }
        if line.is_empty() {
            return None;
        }
        *lines += 1;
        if line.pop_if(|last| *last == b'\n').is_some() {
            line.pop_if(|last| *last == b'\r');
        }
        let Ok(line) = String::from_utf8(line) else {
            end_process(&Error::Usage(format!(
                "line {lines} of the input is not UTF-8, and a program reads text"
            )));
        };
        Some(line)
    }
}

/// A program can panic while it prints.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
