//! The options that say in which ways a work is done.

use std::collections::HashSet;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::timing::{Failed, Method, Way};

/// Who does the work.
#[derive(Debug, Args)]
pub(super) struct Ways<const RAYON: bool> {
    /// Who does the work, several with commas between them [default: all]
    #[arg(
        long = "method",
        value_name = "METHOD",
        value_delimiter = ',',
        value_parser = method::<RAYON>(),
    )]
    methods: Vec<Method>,

    /// How many threads or processes do it, several numbers with commas between them [default: as
    /// many as there are cores; io: 5 threads; sleep: one for each wait]
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        value_parser = workers,
        allow_negative_numbers = true,
    )]
    workers: Vec<usize>,
}

impl<const RAYON: bool> Ways<RAYON> {
    /// The ways that are asked for. Where no numbers of workers are given, there are so many
    /// threads and processes, and always so many tasks.
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
            Method::Async => vec![tasks],
            Method::Threads | Method::Rayon => self.workers_or(threads),
            Method::Processes => self.workers_or(processes),
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
        let methods = chosen::<RAYON>(&self.methods);
        let has_workers = |method: &Method| !matches!(method, Method::Sync | Method::Async);
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
        let mut workers = match self.workers.as_slice() {
            [] => default.to_vec(),
            given => given.to_vec(),
        };
        let mut known = HashSet::new();
        workers.retain(|workers| known.insert(*workers));
        workers
    }
}

/// The methods of a workload.
fn methods<const RAYON: bool>() -> impl Iterator<Item = Method> {
    let methods = Method::ALL.iter().copied();
    methods.filter(|method| RAYON || *method != Method::Rayon)
}

/// Those of the methods of a workload that are given, each once, or all of them if none is.
pub(super) fn chosen<const RAYON: bool>(given: &[Method]) -> Vec<Method> {
    let is_chosen = |method: &Method| given.is_empty() || given.contains(method);
    methods::<RAYON>().filter(is_chosen).collect()
}

pub(super) fn method<const RAYON: bool>() -> impl TypedValueParser<Value = Method> {
    let names = methods::<RAYON>().map(Method::name);
    PossibleValuesParser::new(names).map(|name| {
        let mut methods = methods::<RAYON>();
        let method = methods.find(|method| method.name() == name);
        method.expect("clap has looked that it is one of them")
    })
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
