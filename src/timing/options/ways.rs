//! The options that say in which ways a work is done.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::timing::{Failed, Method, Way};

/// The methods that a workload can be done by.
pub(super) trait Methods: fmt::Debug + Clone + Default + Send + Sync + 'static {
    /// All of them.
    const ALL: &'static [Method];
    /// Those that are measured if none is given.
    const DEFAULT: &'static [Method];
}

/// The methods for work that waits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting;

/// The methods for work that computes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Computing;

/// The methods for passing messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passing;

impl Methods for Waiting {
    const ALL: &'static [Method] = &[
        Method::Sync,
        Method::Threads,
        Method::Async,
        Method::AsyncBlocking,
        Method::Processes,
    ];
    /// All but the one that is there to show what goes wrong, and takes as long as `sync`.
    const DEFAULT: &'static [Method] = Passing::ALL;
}

impl Methods for Computing {
    const ALL: &'static [Method] = &[
        Method::Sync,
        Method::Threads,
        Method::Async,
        Method::Processes,
        Method::Rayon,
    ];
    const DEFAULT: &'static [Method] = Self::ALL;
}

impl Methods for Passing {
    const ALL: &'static [Method] = &[
        Method::Sync,
        Method::Threads,
        Method::Async,
        Method::Processes,
    ];
    const DEFAULT: &'static [Method] = Self::ALL;
}

/// The methods for loops that keep cores busy.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looping;

impl Methods for Looping {
    const ALL: &'static [Method] = &[Method::Sync, Method::Threads];
    const DEFAULT: &'static [Method] = Self::ALL;
}

/// Who does the work.
#[derive(Debug, Args)]
pub(super) struct Chosen<M: Methods> {
    /// Who does the work, several with commas between them [default: all; io, sleep: all but
    /// async-blocking, whose library blocks the event loop]
    #[arg(
        long = "method",
        value_name = "METHOD",
        value_delimiter = ',',
        value_parser = method::<M>(),
    )]
    methods: Vec<Method>,

    #[arg(skip)]
    of: PhantomData<M>,
}

/// Who does the work, and how many of them.
#[derive(Debug, Args)]
pub(super) struct Ways<M: Methods> {
    #[command(flatten)]
    chosen: Chosen<M>,

    /// How many threads or processes do it, several numbers with commas between them [default: as
    /// many as there are cores; cpu: 5 threads too; io: 5 threads; sleep: one for each wait]
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        value_parser = workers,
        allow_negative_numbers = true,
    )]
    workers: Vec<usize>,
}

impl<M: Methods> Ways<M> {
    /// The ways that are asked for. Where no numbers of workers are given, those of `threads`
    /// and `processes` are taken, the latter for rayon too. There are always `tasks` tasks.
    ///
    /// # Errors
    ///
    /// If there are numbers of workers, and none of the methods has workers.
    pub(super) fn of(
        &self,
        threads: &[usize],
        processes: &[usize],
        tasks: usize,
    ) -> Result<Vec<Way>, Failed> {
        let workers = |method| match method {
            Method::Sync => vec![1],
            Method::Async | Method::AsyncBlocking => vec![tasks],
            Method::Threads => self.workers_or(threads),
            Method::Processes | Method::Rayon => self.workers_or(processes),
        };
        let ways = self.methods()?.into_iter().flat_map(|method| {
            workers(method).into_iter().map(move |workers| Way {
                method,
                variant: None,
                workers,
            })
        });
        Ok(ways.collect())
    }

    /// The methods that are asked for, in the order of all, each once.
    pub(super) fn methods(&self) -> Result<Vec<Method>, Failed> {
        let methods = self.chosen.methods();
        let one_thread = [Method::Sync, Method::Async, Method::AsyncBlocking];
        let has_workers = |method: &Method| !one_thread.contains(method);
        if !self.workers.is_empty() && !methods.iter().any(has_workers) {
            return Err(Failed::Refused(
                "--workers is for threads and processes: sync is one thread, and async has a task \
                 for each piece of work"
                    .to_owned(),
            ));
        }
        Ok(methods)
    }

    /// The numbers of workers that are asked for, each once.
    pub(super) fn workers_or(&self, default: &[usize]) -> Vec<usize> {
        match self.workers.as_slice() {
            [] => each_once(default),
            given => each_once(given),
        }
    }
}

impl<M: Methods> Chosen<M> {
    /// The methods that are asked for, in the order of all, each once.
    pub(super) fn methods(&self) -> Vec<Method> {
        if self.methods.is_empty() {
            return M::DEFAULT.to_vec();
        }
        let methods = M::ALL.iter().copied();
        methods
            .filter(|method| self.methods.contains(method))
            .collect()
    }
}

fn method<M: Methods>() -> impl TypedValueParser<Value = Method> {
    let names = M::ALL.iter().map(|method| method.name());
    PossibleValuesParser::new(names).map(|name| {
        let mut methods = M::ALL.iter().copied();
        let method = methods.find(|method| method.name() == name);
        method.expect("clap has looked that it is one of them")
    })
}

/// The values in their order, each once.
pub(super) fn each_once<T: Copy + Eq + Hash>(values: &[T]) -> Vec<T> {
    let mut known = HashSet::new();
    let values = values.iter().copied();
    values.filter(|value| known.insert(*value)).collect()
}

/// Parses a number of workers. Whether the machine can have so many is looked at later.
fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(workers) if workers > 0 => Ok(workers),
        _ => Err("it takes numbers from 1 on, with commas between them".to_owned()),
    }
}

/// Parses a number of pieces of work.
pub(super) fn items(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(items) if (1..=1_000_000).contains(&items) => Ok(items),
        _ => Err("it takes a number from 1 to 1000000".to_owned()),
    }
}
