//! The side of the parent: gives tasks to workers, and replaces those that are lost.

use std::collections::VecDeque;
use std::fmt::Display;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};
use std::{io, mem};

use crate::report::in_words;
use crate::timing::{Lane, Span};

use super::child::{Heard, Worker, command_of};
use super::inherited::{Descriptor, inherit};
use super::messages::{Answer, Request};
use super::{Failed, Timeline, Work, crash};

/// Worker processes that do work of one kind.
///
/// A worker has one task at a time, and the next one is taken from its source when a worker is free.
/// A worker that is killed, panics or takes too long is replaced, and its task is given to another
/// one. All workers are killed when the pool is dropped.
#[derive(Debug)]
pub(crate) struct Pool<W: Work> {
    settings: PoolSettings,
    setup: W::Setup,
    timeline: Timeline,
    places: Vec<Place<W>>,
    /// How many workers there have been: the number of the next one.
    started: u64,
    heard: Receiver<Heard<W::Answer>>,
    /// Where new workers are heard.
    ears: Sender<Heard<W::Answer>>,
    lost: Vec<String>,
}

/// Which workers a pool has, and what it puts up with.
#[derive(Debug)]
pub(crate) struct PoolSettings {
    /// The names of the workers, and of their lanes.
    pub(crate) names: Vec<String>,
    /// What the workers inherit that are started at first. One that takes the place of a lost one
    /// does not have it, so that the work must have one try.
    pub(crate) inherited: Vec<Descriptor>,
    /// How long a worker may take to start, for a task, and to end.
    pub(crate) time: Duration,
}

/// What is known of a pool that has done its work.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    /// The most memory that each worker had, added up, in bytes. That of lost workers is not known.
    pub(crate) memory: u64,
    /// The workers that were lost and replaced, in sentences.
    pub(crate) lost_workers: Vec<String>,
}

/// Where a worker works. If it is lost, another one takes the place, and goes on with the lane.
#[derive(Debug)]
struct Place<W: Work> {
    name: String,
    worker: Worker<W>,
    /// The number of the worker.
    number: u64,
    doing: Doing<W::Task>,
    /// Since when it is doing that.
    since: Instant,
    /// How many workers were lost here while they started, one after another.
    lost_at_start: u32,
    /// The limit, if the worker was killed since it took longer.
    took_too_long: Option<Duration>,
    /// What the worker said before it ended by a panic.
    panic: Option<String>,
    spans: Vec<Span>,
}

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
    pub(crate) fn workers(workers: usize) -> Self {
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
    /// If there are to be no workers, or if the system starts no more processes.
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
    /// As [`start`](Self::start).
    pub(crate) fn start_with(
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
        let (ears, heard) = channel();
        let mut pool = Pool {
            settings,
            setup,
            timeline: timeline.clone(),
            places: Vec::new(),
            started: 0,
            heard,
            ears,
            lost: Vec::new(),
        };
        for place in 0..workers {
            let (worker, number) = pool.spawn(place).map_err(|error| {
                let place = place + 1;
                Failed::Refused(format!(
                    "cannot start worker process {place} of {workers}: {error}; take fewer workers"
                ))
            })?;
            pool.places.push(Place {
                name: pool.settings.names[place].clone(),
                worker,
                number,
                doing: Doing::Starting,
                since: Instant::now(),
                lost_at_start: 0,
                took_too_long: None,
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
            let (place, said) = self.hear();
            match said {
                Some(answer) => self.places[place].note(answer)?,
                None => drop(self.replace(place)?),
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
    pub(crate) fn map(
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
                self.places[place].give(job);
            }
            // That a worker is free means that there is no task left to give.
            if answered == answers.len() && self.free_place().is_some() {
                return Ok(answers.into_iter().flatten().collect());
            }
            let (place, said) = self.hear();
            match said {
                Some(Answer::Done { answer, spans }) => {
                    if let Some(index) = self.places[place].done(spans) {
                        tell(&self.places[place].name, &answer);
                        answers[index] = Some(answer);
                        answered += 1;
                    }
                }
                Some(answer) => self.places[place].note(answer)?,
                None => again.extend(self.replace(place)?),
            }
        }
    }

    /// Ends all workers, waits until they have ended, and adds their lanes to the timeline.
    ///
    /// # Errors
    ///
    /// If a worker cannot be waited for.
    pub(crate) fn finish(mut self) -> Result<Finished, Failed> {
        self.wait_until_ready()?;
        for place in &mut self.places {
            place.ask(Request::End, Doing::Ending);
        }
        let mut memory = 0;
        let mut left = self.places.len();
        while left > 0 {
            let (place, said) = self.hear();
            match said {
                Some(Answer::Ended { peak_memory }) => memory += peak_memory,
                Some(answer) => self.places[place].note(answer)?,
                None => left -= 1,
            }
        }
        for (index, mut place) in self.places.into_iter().enumerate() {
            let status = place.ended()?;
            if !status.success() {
                self.lost.push(place.how_it_was_lost(status));
            }
            let Place { name, spans, .. } = place;
            self.timeline.add(index, Lane { name, spans });
        }
        Ok(Finished {
            memory,
            lost_workers: self.lost,
        })
    }

    /// Starts a process, and the initialiser in it: the process, and its number.
    fn spawn(&mut self, place: usize) -> io::Result<(Worker<W>, u64)> {
        self.started += 1;
        let mut command = command_of::<W>()?;
        inherit(&mut command, &self.settings.inherited);
        let worker = Worker::spawn(command, self.started, self.ears.clone())?;
        let began = self.timeline.records_since();
        worker.ask(Request::Start {
            name: self.settings.names[place].clone(),
            began: began.and_then(nanoseconds),
            setup: self.setup.clone(),
        });
        Ok((worker, self.started))
    }

    fn free_place(&self) -> Option<usize> {
        let is_free = |place: &Place<W>| matches!(place.doing, Doing::Nothing);
        self.places.iter().position(is_free)
    }

    /// Waits until something is heard of a worker: its place, and what it said, or `None` if it
    /// will say nothing more. Workers that take too long are killed meanwhile.
    fn hear(&mut self) -> (usize, Option<Answer<W::Answer>>) {
        loop {
            let deadlines = self.places.iter().filter_map(|place| self.time_left(place));
            let heard = match deadlines.min() {
                Some(left) => self.heard.recv_timeout(left),
                None => self.heard.recv().map_err(RecvTimeoutError::from),
            };
            match heard {
                Ok(Heard { worker, said }) => {
                    let mut places = self.places.iter();
                    if let Some(place) = places.position(|place| place.number == worker) {
                        return (place, said);
                    }
                }
                Err(_) => self.kill_the_late(),
            }
        }
    }

    fn kill_the_late(&mut self) {
        for place in 0..self.places.len() {
            if self.time_left(&self.places[place]) == Some(Duration::ZERO) {
                self.places[place].took_too_long = Some(self.settings.time);
                self.places[place].worker.kill();
            }
        }
    }

    /// How much longer a worker may take. `None` if nothing is asked of it, or if it was killed.
    fn time_left(&self, place: &Place<W>) -> Option<Duration> {
        let is_awaited = !matches!(place.doing, Doing::Nothing) && place.took_too_long.is_none();
        is_awaited.then(|| self.settings.time.saturating_sub(place.since.elapsed()))
    }

    /// Puts another worker in the place of one that has ended: the task that the lost one had.
    fn replace(&mut self, index: usize) -> Result<Option<Job<W::Task>>, Failed> {
        let place = &mut self.places[index];
        let status = place.ended()?;
        let how = place.how_it_was_lost(status);
        self.lost.push(how.clone());
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
        let (worker, number) =
            started.map_err(|error| broken(&self.settings.names[index], &error))?;
        let place = &mut self.places[index];
        place.worker = worker;
        place.number = number;
        place.since = Instant::now();
        place.took_too_long = None;
        place.panic = None;
        Ok(job)
    }
}

impl<W: Work> Place<W> {
    fn give(&mut self, job: Job<W::Task>) {
        self.ask(Request::Run(job.task.clone()), Doing::Task(job));
    }

    fn ask(&mut self, request: Request<W::Setup, W::Task>, doing: Doing<W::Task>) {
        self.doing = doing;
        self.since = Instant::now();
        self.worker.ask(request);
    }

    /// The worker has done its task: the place of that among the tasks.
    fn done(&mut self, spans: Vec<Span>) -> Option<usize> {
        self.spans.extend(spans);
        match mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Task(job) => Some(job.index),
            _ => None,
        }
    }

    /// Notes what a worker has said that is not the result of a task.
    fn note(&mut self, answer: Answer<W::Answer>) -> Result<(), Failed> {
        match answer {
            Answer::Ready => {
                self.doing = Doing::Nothing;
                self.lost_at_start = 0;
            }
            Answer::Refused(error) | Answer::Failed(error) => {
                return Err(broken(&self.name, &error));
            }
            Answer::Panicked(panic) => self.panic = Some(panic),
            // Nobody has asked for it in this state.
            Answer::Done { .. } | Answer::Ended { .. } => {}
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<ExitStatus, Failed> {
        let status = self.worker.ended();
        status.map_err(|error| broken(&self.name, &error))
    }

    /// How the worker was lost, which has ended so.
    fn how_it_was_lost(&self, status: ExitStatus) -> String {
        let name = &self.name;
        match (&self.panic, self.took_too_long) {
            (Some(panic), _) => format!("{name} panicked: {panic}"),
            (None, Some(limit)) => {
                format!("{name} did not answer within {}", in_words(limit))
            }
            (None, None) => format!("{name} {}", crash(status)),
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
