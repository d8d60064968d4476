//! The side of the parent: gives tasks to workers, and replaces those that are lost.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{self, BufReader};
use std::mem;
use std::process::{ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use crate::child::{self, Descriptor, Event, Process, Supervisor, crash, inherit};
use crate::report::in_words;
use crate::timing::{Lane, Span};

use super::messages::{Answer, Request, receive, send};
use super::worker::NOT_GIVEN;
use super::{Failed, Message, Timeline, Work};

/// Worker processes that do work of one kind.
///
/// A worker has one task at a time, and the next one is taken from its source when a worker is free.
/// A worker that is killed, panics or takes too long is replaced, and its task is given to another
/// one. All workers are killed when the pool is dropped.
#[derive(Debug)]
pub struct Pool<W: Work> {
    settings: PoolSettings,
    setup: W::Setup,
    timeline: Timeline,
    places: Vec<Place<W>>,
    workers: Supervisor<Answer<W::Answer>>,
    lost: Vec<String>,
}

/// Which workers a pool has, and what it puts up with.
#[derive(Debug)]
pub struct PoolSettings {
    /// The names of the workers, and of their lanes.
    pub names: Vec<String>,
    /// What the workers inherit that are started at first. One that takes the place of a lost one
    /// does not have it, so that the work must have one try.
    pub(crate) inherited: Vec<Descriptor>,
    /// How long a worker may take to start, for a task, and to end.
    pub time: Duration,
}

/// What is known of a pool that has done its work.
#[derive(Debug, Default)]
pub struct Finished {
    /// The most memory that each worker had, added up, in bytes. That of lost workers is not known.
    pub memory: u64,
    /// The workers that were lost and replaced, in sentences.
    pub lost_workers: Vec<String>,
}

/// Where a worker works. If it is lost, another one takes the place, and goes on with the lane.
#[derive(Debug)]
struct Place<W: Work> {
    name: String,
    requests: Sender<Request<W::Setup, W::Task>>,
    doing: Doing<W::Task>,
    /// How many workers were lost here while they started, one after another.
    lost_at_start: u32,
    /// What the worker said before it ended by a panic.
    panic: Option<String>,
    spans: Vec<Span>,
}

/// What is heard of a worker.
type Heard<W> = Event<Answer<<W as Work>::Answer>>;

#[derive(Debug)]
enum Doing<T> {
    /// It runs the initialiser.
    Starting,
    /// It waits for a task.
    Nothing,
    /// It works.
    Task(Job<T>),
    /// It was asked to end.
    Ending,
}

/// A task, and what became of it so far.
#[derive(Clone, Debug)]
struct Job<T> {
    /// Its place among the tasks.
    index: usize,
    task: T,
    /// How many workers were lost with it.
    losses: u32,
}

impl PoolSettings {
    /// So many workers, `process 1` and so on, and limits that no proper work comes to.
    pub fn workers(workers: usize) -> Self {
        PoolSettings {
            names: (1..=workers)
                .map(|place| format!("process {place}"))
                .collect(),
            inherited: Vec::new(),
            time: Duration::from_secs(5 * 60),
        }
    }
}

impl<W: Work> Pool<W> {
    /// Starts workers, `process 1` and so on, and does not wait for their initialisers. What they
    /// record is added to the timeline in the end.
    ///
    /// # Errors
    ///
    /// As [`start_with`](Self::start_with).
    pub(crate) fn start(
        workers: usize,
        setup: W::Setup,
        timeline: &Timeline,
    ) -> Result<Self, Failed> {
        Self::start_with(PoolSettings::workers(workers), setup, timeline)
    }

    /// Starts workers with other settings.
    ///
    /// # Errors
    ///
    /// If there are to be no workers, or if the system starts no more processes.
    pub fn start_with(
        settings: PoolSettings,
        setup: W::Setup,
        timeline: &Timeline,
    ) -> Result<Self, Failed> {
        let workers = settings.names.len();
        if workers == 0 {
            return Err(Failed::Refused(
                "there must be at least one worker process".to_owned(),
            ));
        }
        let mut pool = Pool {
            settings,
            setup,
            timeline: timeline.clone(),
            places: Vec::new(),
            workers: Supervisor::of(workers),
            lost: Vec::new(),
        };
        for place in 0..workers {
            let requests = pool.spawn(place).map_err(|error| {
                let place = place + 1;
                Failed::NotGiven(format!(
                    "cannot start worker process {place} of {workers}: {error}; take fewer workers, or \
                     allow more processes and threads (`ulimit -u`)"
                ))
            })?;
            pool.places.push(Place {
                name: pool.settings.names[place].clone(),
                requests,
                doing: Doing::Starting,
                lost_at_start: 0,
                panic: None,
                spans: Vec::new(),
            });
        }
        // Whoever is at the other end of a pipe sees its end with the end of the worker.
        pool.settings.inherited.clear();
        Ok(pool)
    }

    /// Waits until the initialiser of each worker has run. If there are as many tasks as workers
    /// then, each worker is given one.
    ///
    /// # Errors
    ///
    /// If an initialiser fails, or too many workers are lost.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), Failed> {
        let is_starting = |place: &Place<W>| matches!(place.doing, Doing::Starting);
        while self.places.iter().any(is_starting) {
            match self.hear()? {
                (place, Event::Said(answer)) => self.note(place, answer)?,
                (place, Event::Ended(end)) => drop(self.replace(place, end)?),
            }
        }
        Ok(())
    }

    /// Does all tasks: the answers, in the order of the tasks. A task is taken from its source when
    /// a worker is free for it.
    ///
    /// # Errors
    ///
    /// If a task or an initialiser fails, or too many workers are lost.
    pub fn map(
        &mut self,
        tasks: impl IntoIterator<Item = W::Task>,
    ) -> Result<Vec<W::Answer>, Failed> {
        self.map_and_tell(tasks, |_, _| ())
    }

    /// Does all tasks, as [`map`](Self::map), and tells of each answer when it comes: the name of
    /// the worker, and the answer.
    ///
    /// # Errors
    ///
    /// As [`map`](Self::map).
    pub(crate) fn map_and_tell(
        &mut self,
        tasks: impl IntoIterator<Item = W::Task>,
        mut tell: impl FnMut(&str, &W::Answer),
    ) -> Result<Vec<W::Answer>, Failed> {
        let mut tasks = tasks.into_iter().enumerate().fuse();
        let mut again: VecDeque<Job<W::Task>> = VecDeque::new();
        let mut answers: Vec<Option<W::Answer>> = Vec::new();
        let mut answered = 0;
        loop {
            while let Some(place) = self.free_place() {
                let new = || {
                    let (index, task) = tasks.next()?;
                    Some(Job {
                        index,
                        task,
                        losses: 0,
                    })
                };
                let Some(job) = again.pop_front().or_else(new) else {
                    break;
                };
                if job.index >= answers.len() {
                    answers.resize_with(job.index + 1, || None);
                }
                self.ask(place, Request::Run(job.task.clone()), Doing::Task(job));
            }
            // That a worker is free means that there is no task left to give.
            if answered == answers.len() && self.free_place().is_some() {
                return Ok(answers.into_iter().flatten().collect());
            }
            match self.hear()? {
                (place, Event::Said(Answer::Done { answer, spans })) => {
                    if let Some(index) = self.done(place, spans) {
                        tell(&self.places[place].name, &answer);
                        answers[index] = Some(answer);
                        answered += 1;
                    }
                }
                (place, Event::Said(answer)) => self.note(place, answer)?,
                (place, Event::Ended(end)) => again.extend(self.replace(place, end)?),
            }
        }
    }

    /// Ends all workers, waits until they have ended, and adds their lanes to the timeline.
    ///
    /// # Errors
    ///
    /// If a worker cannot be waited for.
    pub fn finish(mut self) -> Result<Finished, Failed> {
        self.wait_until_ready()?;
        for place in 0..self.places.len() {
            self.ask(place, Request::End, Doing::Ending);
        }
        let mut memory = 0;
        let mut left = self.places.len();
        while left > 0 {
            match self.hear()? {
                (_, Event::Said(Answer::Ended { peak_memory })) => memory += peak_memory,
                (place, Event::Said(answer)) => self.note(place, answer)?,
                (place, Event::Ended(end)) => {
                    left -= 1;
                    if !end.is_some_and(|status| status.success()) {
                        self.lost.push(self.how_it_was_lost(place, end));
                    }
                }
            }
        }
        for (index, Place { name, spans, .. }) in self.places.into_iter().enumerate() {
            self.timeline.add(index, Lane { name, spans });
        }
        Ok(Finished {
            memory,
            lost_workers: self.lost,
        })
    }

    /// Starts a process, and the initialiser in it: the way to ask it for more.
    fn spawn(&mut self, place: usize) -> io::Result<Sender<Request<W::Setup, W::Task>>> {
        let mut command = child::command()?;
        command.args(["worker", W::NAME]).stdout(Stdio::piped());
        inherit(&mut command, &self.settings.inherited);
        let process = Process::start(command)?;
        let stdin = process.take_input().expect("it is piped");
        let stdout = process.take_output().expect("it is piped");
        let (requests, to_send) = channel();
        let began = self.timeline.records_since();
        let start = Request::Start {
            name: self.settings.names[place].clone(),
            began: began.and_then(nanoseconds),
            setup: self.setup.clone(),
        };
        // Nobody is gone yet who could read it.
        let _ = requests.send(start);
        self.workers.watch(place, process, move |tell| {
            talk(stdin, stdout, &to_send, tell);
        })?;
        self.workers.allow_silence(place, Some(self.settings.time));
        Ok(requests)
    }

    fn free_place(&self) -> Option<usize> {
        let is_free = |place: &Place<W>| matches!(place.doing, Doing::Nothing);
        self.places.iter().position(is_free)
    }

    /// Waits until a worker has said something, or has ended: its place, and which of the two.
    fn hear(&mut self) -> Result<(usize, Heard<W>), Failed> {
        let event = self.workers.next(Duration::MAX);
        let event = event.map_err(|error| broken("a worker process", &error))?;
        Ok(event.expect("it is waited for without a limit"))
    }

    fn ask(&mut self, place: usize, request: Request<W::Setup, W::Task>, doing: Doing<W::Task>) {
        self.workers.allow_silence(place, Some(self.settings.time));
        self.places[place].doing = doing;
        // It cannot be sent if the worker has ended, and then that is heard.
        let _ = self.places[place].requests.send(request);
    }

    /// The worker in a place has done its task: the place of that among the tasks.
    fn done(&mut self, place: usize, spans: Vec<Span>) -> Option<usize> {
        self.places[place].spans.extend(spans);
        match self.rests(place) {
            Doing::Task(job) => Some(job.index),
            _ => None,
        }
    }

    /// Notes what a worker has said that is not the result of a task.
    fn note(&mut self, index: usize, answer: Answer<W::Answer>) -> Result<(), Failed> {
        let place = &mut self.places[index];
        match answer {
            Answer::Ready => {
                place.lost_at_start = 0;
                self.rests(index);
            }
            Answer::Refused(error) | Answer::Failed(error) => {
                return Err(broken(&place.name, &error));
            }
            Answer::Panicked(panic) => place.panic = Some(panic),
            // Nobody has asked for it in this state.
            Answer::Done { .. } | Answer::Ended { .. } => {}
        }
        Ok(())
    }

    /// Nothing is asked of the worker in a place any more: what it has done.
    fn rests(&mut self, place: usize) -> Doing<W::Task> {
        self.workers.allow_silence(place, None);
        mem::replace(&mut self.places[place].doing, Doing::Nothing)
    }

    /// How the worker in a place was lost, which has ended so.
    fn how_it_was_lost(&self, place: usize, end: Option<ExitStatus>) -> String {
        let Place { name, panic, .. } = &self.places[place];
        match (panic, end) {
            (Some(panic), _) => format!("{name} panicked: {panic}"),
            (None, Some(status)) => format!("{name} {}", crash(status)),
            (None, None) => {
                format!(
                    "{name} did not answer within {}",
                    in_words(self.settings.time)
                )
            }
        }
    }

    /// Puts another worker in the place of one that has ended: the task that the lost one had.
    fn replace(
        &mut self,
        index: usize,
        end: Option<ExitStatus>,
    ) -> Result<Option<Job<W::Task>>, Failed> {
        let name = &self.settings.names[index];
        let not_given = |what: &str| {
            Failed::NotGiven(format!(
                "{what}; take fewer workers, or allow more processes and threads (`ulimit -u`)"
            ))
        };
        if end.and_then(|end| end.code()) == Some(NOT_GIVEN) {
            return Err(not_given(&format!("{name} cannot start a thread")));
        }
        let how = self.how_it_was_lost(index, end);
        self.lost.push(how.clone());
        let place = &mut self.places[index];
        let (losses, job) = match mem::replace(&mut place.doing, Doing::Starting) {
            Doing::Starting => {
                place.lost_at_start += 1;
                (place.lost_at_start, None)
            }
            Doing::Task(mut job) => {
                job.losses += 1;
                (job.losses, Some(job))
            }
            Doing::Nothing | Doing::Ending => (0, None),
        };
        if losses >= W::tries(&self.setup) {
            let at = if job.is_some() {
                "with a task"
            } else {
                "at its start"
            };
            let s = if losses == 1 { "" } else { "s" };
            return Err(Failed::Broken(format!(
                "{how} {at}; given up after {losses} lost worker{s}"
            )));
        }
        let started = self.spawn(index);
        let requests = started.map_err(|error| {
            let name = &self.settings.names[index];
            not_given(&format!(
                "cannot start another worker process as {name}: {error}"
            ))
        })?;
        let place = &mut self.places[index];
        place.requests = requests;
        place.panic = None;
        Ok(job)
    }
}

/// Sends requests and hands over the answers, in turns, up to the end of one of the sides.
fn talk<S: Message, T: Message, A: Message>(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    requests: &Receiver<Request<S, T>>,
    tell: &dyn Fn(Answer<A>) -> bool,
) {
    let mut stdout = BufReader::new(stdout);
    for request in requests {
        // What goes wrong here is that the worker is gone, and how that was, its status says.
        if send(&mut stdin, &request).is_err() {
            return;
        }
        let Ok(Some(answer)) = receive(&mut stdout) else {
            return;
        };
        let is_last = matches!(answer, Answer::Panicked(_) | Answer::Ended { .. });
        if !tell(answer) || is_last {
            return;
        }
    }
}

fn broken(name: &str, error: &impl Display) -> Failed {
    Failed::Broken(format!("{name}: {error}"))
}

/// The nanoseconds from 1970 to a moment.
fn nanoseconds(moment: SystemTime) -> Option<u64> {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    since.as_nanos().try_into().ok()
}
