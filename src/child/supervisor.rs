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
    ears: Sender<Heard<S>>,
}

/// What is heard of a child.
#[derive(Debug)]
pub(crate) enum Event<S> {
    /// It says something.
    Said(S),
    /// It has ended, and its place is free. `None` if it had to be killed, since it was silent for
    /// too long or did not end by itself.
    Ended(Option<ExitStatus>),
}

/// The number of a child, and what it says. `None` if nothing more will be heard of it.
type Heard<S> = (u64, Option<S>);

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

impl<S: Send + 'static> Supervisor<S> {
    /// A supervisor with this number of places, all of them free.
    pub(crate) fn of(places: usize) -> Self {
        let (ears, heard) = channel();
        Supervisor {
            places: (0..places).map(|_| None).collect(),
            started: 0,
            heard,
            ears,
        }
    }

    /// Watches a child in a place. `listen` runs on a thread of its own, up to the end of what the
    /// child says, and hands that over; it is told whether anybody still listens.
    ///
    /// # Errors
    ///
    /// If the system starts no more threads.
    pub(crate) fn watch(
        &mut self,
        place: usize,
        process: Process,
        listen: impl FnOnce(&dyn Fn(S) -> bool) + Send + 'static,
    ) -> io::Result<()> {
        self.started += 1;
        let (number, ear) = (self.started, self.ears.clone());
        thread::Builder::new().spawn(move || {
            listen(&|said| ear.send((number, Some(said))).is_ok());
            // Nobody listens if the supervisor is gone.
            let _ = ear.send((number, None));
        })?;
        self.places[place] = Some(Watched {
            process,
            number,
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

    /// Whether the child in a place was killed here. What it had said before may still be heard.
    pub(crate) fn was_killed(&self, place: usize) -> bool {
        self.places[place]
            .as_ref()
            .is_some_and(|child| child.was_killed)
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
            // Who has said something is not silent.
            while let Ok(heard) = self.heard.try_recv() {
                if let Some(event) = self.said(heard) {
                    return Ok(Some(event));
                }
            }
            if let Some(event) = self.ended()? {
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
    fn said(&mut self, (number, said): Heard<S>) -> Option<(usize, Event<S>)> {
        let mut places = self.places.iter_mut().enumerate();
        let (place, child) = places.find_map(|(place, child)| {
            let child = child.as_mut().filter(|child| child.number == number)?;
            Some((place, child))
        })?;
        if said.is_none() {
            child.has_closed = true;
            child.silent = Duration::ZERO;
        }
        Some((place, Event::Said(said?)))
    }

    /// A child that has ended, or of which nothing more is awaited. Kills those that were silent for
    /// too long.
    fn ended(&mut self) -> io::Result<Option<(usize, Event<S>)>> {
        for (place, watched) in self.places.iter_mut().enumerate() {
            let Some(child) = watched else { continue };
            if child.limit().is_some_and(|limit| child.silent >= limit) {
                if child.was_killed {
                    *watched = None;
                    return Ok(Some((place, Event::Ended(None))));
                }
                child.process.kill();
                child.was_killed = true;
                child.silent = Duration::ZERO;
            }
            if child.has_closed
                && let Some(status) = child.process.ended()?
            {
                let status = Some(status).filter(|_| !child.was_killed);
                *watched = None;
                return Ok(Some((place, Event::Ended(status))));
            }
        }
        Ok(None)
    }
}

impl Watched {
    /// How long it is waited for it.
    fn limit(&self) -> Option<Duration> {
        match (self.was_killed, self.has_closed) {
            (true, _) => Some(LAST),
            (false, true) => Some(GRACE),
            (false, false) => self.limit,
        }
    }

    /// How long it can be waited until there is to be looked at the child.
    fn longest_wait(&self) -> Duration {
        if self.has_closed {
            return TICK;
        }
        let left = self.limit().map(|limit| limit.saturating_sub(self.silent));
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
        let listen = move |tell: &dyn Fn(String) -> bool| {
            let mut bytes = [0; 9];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                tell(String::from_utf8_lossy(&bytes[..read]).into_owned());
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
        assert!(matches!(next(&mut children), Event::Ended(None)));
    }

    #[test]
    fn a_child_that_is_killed_has_ended_though_another_process_has_its_output() {
        let mut children = Supervisor::of(1);
        watch(&mut children, "sleep 20 & wait");
        children.allow_silence(0, Some(Duration::from_millis(20)));
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
