//! The threads of rayon, which take work from each other.

use std::sync::{Mutex, PoisonError};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::timing::{Failed, Recorder, Timeline};

/// Lets this many threads of rayon do all pieces of a work, each of which can take half of what
/// another one has left.
///
/// # Errors
///
/// If the threads cannot be started, or if a piece cannot be done.
pub(in crate::timing) fn on_rayon<P: Sync, A: Send>(
    threads: usize,
    pieces: &[P],
    timeline: &Timeline,
    run: impl Fn(&P, &mut Recorder) -> Result<A, Failed> + Sync,
) -> Result<Vec<A>, Failed> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| {
        Failed::NotGiven(format!(
            "rayon cannot start {threads} threads: {error}; ask for fewer, or allow more processes and \
             threads (`ulimit -u`)"
        ))
    })?;
    let lanes: Vec<_> = (0..threads)
        .map(|place| {
            let lane = timeline.lane(place, format!("rayon {}", place + 1));
            Mutex::new(lane)
        })
        .collect();
    pool.install(|| {
        let pieces = pieces.par_iter();
        let answers = pieces.map(|piece| {
            let place = rayon::current_thread_index().expect("the pool runs this");
            let lane = lanes[place].lock();
            let mut lane = lane.unwrap_or_else(PoisonError::into_inner);
            run(piece, &mut lane)
        });
        answers.collect()
    })
}
