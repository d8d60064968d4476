//! Several children at once: what each says, whether it is silent for too long, and how it ends.

use std::io;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::Process;

/// How long a child may take to end that has closed its output, and nobody waits longer for the
/// output of one that was killed: another process may have it.
const GRACE: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_secs(1);

/// How often it is looked whether a child has ended that has closed its output.
const TICK: Duration = Duration::from_millis(1);

/// How often the time of silence is added up at least.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Child processes that are heard together. `S` is what they say.
///
/// Each has a place, which is a number. All are killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Supervisor<S> {
    places: Vec<Option<Watched>>,
    /// How many children there have been: the number of the next one.
    started: u64,
    heard: Receiver<Heard<S>>,
    /// Where new children are heard.
    heard_from: Sender<Heard<S>>,
}

/// What is heard of a child.
#[derive(Debug)]
pub(crate) enum Event<S> {
    /// It says something.
    Said(S),
    /// It was silent for too long, and is killed. What it has said before may still be heard.
    Overdue,
    /// It has ended, and its place is free. `None` if it had to be killed, since it was silent for
    /// too long or did not end by itself.
    Ended(Option<ExitStatus>),
}

/// How what a child says reaches its supervisor.
#[derive(Debug)]
pub(crate) struct Ear<S> {
    /// The number of the child.
    child: u64,
    heard: Sender<Heard<S>>,
}

#[derive(Debug)]
struct Heard<S> {
    child: u64,
    /// `None` if nothing more will be heard of it.
    said: Option<S>,
}

/// A child in its place.
#[derive(Debug)]
struct Watched {
    process: Process,
    number: u64,
    /// How long it may be silent. `None` if nothing is expected of it.
    limit: Option<Duration>,
    /// How long it has been silent.
    silent: Duration,
    /// Whether nothing more will be heard of it.
    has_closed: bool,
    was_killed: bool,
}

impl<S> Ear<S> {
    /// Hands over what the child says. False if nobody listens any more.
    pub(crate) fn hear(&self, said: S) -> bool {
        let child = self.child;
        let said = Some(said);
        self.heard.send(Heard { child, said }).is_ok()
    }
}

impl<S> Drop for Ear<S> {
    fn drop(&mut self) {
        let child = self.child;
        // Nobody listens if the supervisor is gone.
        let _ = self.heard.send(Heard { child, said: None });
    }
}

impl<S: Send + 'static> Supervisor<S> {
    /// Watches so many places, in which there is nobody yet.
    pub(crate) fn of(places: usize) -> Self {
        let (heard_from, heard) = channel();
        Supervisor {
            places: (0..places).map(|_| None).collect(),
            started: 0,
            heard,
            heard_from,
        }
    }

    /// Watches a child in a place. `listen` runs on a thread of its own, up to the end of what the
    /// child says.
    ///
    /// # Errors
    ///
    /// If the system starts no more threads.
    pub(crate) fn watch(
        &mut self,
        place: usize,
        process: Process,
        listen: impl FnOnce(&Ear<S>) + Send + 'static,
    ) -> io::Result<()> {
        self.started += 1;
        let ear = Ear {
            child: self.started,
            heard: self.heard_from.clone(),
        };
        thread::Builder::new().spawn(move || listen(&ear))?;
        self.places[place] = Some(Watched {
            process,
            number: self.started,
            limit: None,
            silent: Duration::ZERO,
            has_closed: false,
            was_killed: false,
        });
        Ok(())
    }

    /// Lets the child in a place be silent for so long from now on, or as long as it likes.
    pub(crate) fn allow_silence(&mut self, place: usize, limit: Option<Duration>) {
        if let Some(child) = self.places[place]
            .as_mut()
            .filter(|child| !child.was_killed)
        {
            child.limit = limit;
            child.silent = Duration::ZERO;
        }
    }

    /// Waits until there is something to tell of a child: its place, and what. `None` if there is
    /// nothing within this time.
    ///
    /// # Errors
    ///
    /// If the system does not tell whether a child has ended.
    pub(crate) fn next(&mut self, within: Duration) -> io::Result<Option<(usize, Event<S>)>> {
        let start = Instant::now();
        loop {
            // What was said comes before what became of who said it.
            if let Some(event) = self.heard.try_recv().ok().and_then(|it| self.said(it)) {
                return Ok(Some(event));
            }
            if let Some(event) = self.ended()?.or_else(|| self.overdue()) {
                return Ok(Some(event));
            }
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            let waits = self.places.iter().flatten().map(Watched::longest_wait);
            let wait = waits.min().unwrap_or(LONGEST_WAIT).min(left);
            let began = Instant::now();
            let heard = self.heard.recv_timeout(wait);
            // While this process does not run, neither does the time.
            let silent = began.elapsed().min(wait);
            for child in self.places.iter_mut().flatten() {
                child.silent += silent;
            }
            if let Some(event) = heard.ok().and_then(|it| self.said(it)) {
                return Ok(Some(event));
            }
        }
    }

    /// What is to be told of something that was heard: nothing, if it is of a child of the past.
    fn said(&mut self, heard: Heard<S>) -> Option<(usize, Event<S>)> {
        let is_child = |child: &Option<Watched>| {
            child
                .as_ref()
                .is_some_and(|child| child.number == heard.child)
        };
        let place = self.places.iter().position(is_child)?;
        if heard.said.is_none()
            && let Some(child) = &mut self.places[place]
        {
            child.has_closed = true;
            child.silent = Duration::ZERO;
        }
        Some((place, Event::Said(heard.said?)))
    }

    /// A child that has ended after it has closed its output, or of which nothing more is awaited.
    fn ended(&mut self) -> io::Result<Option<(usize, Event<S>)>> {
        for (place, watched) in self.places.iter_mut().enumerate() {
            let Some(child) = watched else { continue };
            if child.has_closed && child.silent >= GRACE && !child.was_killed {
                child.kill();
            }
            let status = match child.has_closed {
                true => child.process.ended()?,
                false => None,
            };
            let was_killed = child.was_killed;
            if status.is_some() || was_killed && child.silent >= LAST {
                *watched = None;
                return Ok(Some((place, Event::Ended(status.filter(|_| !was_killed)))));
            }
        }
        Ok(None)
    }

    /// Kills a child that was silent for too long.
    fn overdue(&mut self) -> Option<(usize, Event<S>)> {
        let mut places = self.places.iter_mut().enumerate();
        places.find_map(|(place, child)| {
            let child = child.as_mut().filter(|child| child.is_overdue())?;
            child.kill();
            Some((place, Event::Overdue))
        })
    }
}

impl Watched {
    fn is_overdue(&self) -> bool {
        let is_over = self.limit.is_some_and(|limit| self.silent >= limit);
        is_over && !self.was_killed && !self.has_closed
    }

    fn kill(&mut self) {
        self.process.kill();
        self.was_killed = true;
        self.silent = Duration::ZERO;
    }

    /// How long it can be waited until there is to be looked at the child.
    fn longest_wait(&self) -> Duration {
        if self.has_closed {
            return TICK;
        }
        let limit = if self.was_killed {
            Some(LAST)
        } else {
            self.limit
        };
        let left = limit.map(|limit| limit.saturating_sub(self.silent));
        left.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::process::{Command, Stdio};

    use super::super::crash;
    use super::*;

    /// How long to wait for what is to come.
    const LONG: Duration = Duration::from_secs(60);

    /// Has a script in place 0, which says all that it says at once.
    fn watch(children: &mut Supervisor<String>, script: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        let process = Process::start(command).unwrap();
        let mut output = process.take_output().unwrap();
        let listen = move |ear: &Ear<String>| {
            let mut bytes = [0; 9];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                ear.hear(String::from_utf8_lossy(&bytes[..read]).into_owned());
            }
        };
        children.watch(0, process, listen).unwrap();
    }

    fn next(children: &mut Supervisor<String>) -> Event<String> {
        children.next(LONG).unwrap().expect("something comes").1
    }

    #[test]
    fn all_that_a_child_has_said_is_heard_before_its_end() {
        let mut children = Supervisor::of(1);
        watch(&mut children, "printf 'one and two'; exit 7");
        assert!(matches!(next(&mut children), Event::Said(text) if text == "one and t"));
        assert!(matches!(next(&mut children), Event::Said(text) if text == "wo"));
        let Event::Ended(Some(status)) = next(&mut children) else {
            panic!("it ended by itself");
        };
        assert_eq!(crash(status), "ended with exit code 7");
        let nothing = children.next(Duration::ZERO).unwrap();
        assert!(nothing.is_none(), "{nothing:?}");
    }

    #[test]
    fn a_child_that_is_silent_for_longer_than_it_may_is_killed() {
        let mut children = Supervisor::of(1);
        watch(&mut children, "exec sleep 1000");
        assert!(children.next(Duration::from_millis(20)).unwrap().is_none());
        children.allow_silence(0, Some(Duration::from_millis(20)));
        assert!(matches!(next(&mut children), Event::Overdue));
        assert!(matches!(next(&mut children), Event::Ended(None)));
    }

    #[test]
    fn a_child_that_is_killed_has_ended_though_another_process_has_its_output() {
        let mut children = Supervisor::of(1);
        watch(&mut children, "sleep 20 & wait");
        children.allow_silence(0, Some(Duration::from_millis(20)));
        assert!(matches!(next(&mut children), Event::Overdue));
        assert!(matches!(next(&mut children), Event::Ended(None)));
    }

    #[test]
    fn a_child_that_closes_its_output_and_goes_on_is_killed() {
        let mut children = Supervisor::of(1);
        watch(&mut children, "exec sleep 1000 >&-");
        while !children.places[0].as_ref().unwrap().has_closed {
            assert!(children.next(Duration::from_millis(5)).unwrap().is_none());
        }
        // As if that were long ago.
        children.places[0].as_mut().unwrap().silent = GRACE;
        assert!(matches!(next(&mut children), Event::Ended(None)));
    }

    #[test]
    fn a_child_is_not_taken_for_the_one_that_had_its_place() {
        let mut children = Supervisor::of(1);
        watch(&mut children, "echo old; exec sleep 1000");
        assert!(matches!(next(&mut children), Event::Said(_)));
        // The end of the old one is heard after that.
        watch(&mut children, "read line; echo new");
        assert!(children.next(Duration::from_millis(50)).unwrap().is_none());
        drop(children.places[0].as_ref().unwrap().process.take_input());
        assert!(matches!(next(&mut children), Event::Said(text) if text == "new\n"));
        assert!(matches!(next(&mut children), Event::Ended(Some(_))));
    }
}
