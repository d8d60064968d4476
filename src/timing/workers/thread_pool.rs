//! A pool of threads, which take pieces of work one after the other.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ScopedJoinHandle};

use crate::timing::{Failed, Recorder, Timeline};

/// Lets this many threads do all pieces of a work. Each takes the next piece when it is done with
/// one. The answers are in the order of the pieces.
///
/// Each thread first makes what it needs for itself with `start`, given its place among the threads.
///
/// # Errors
///
/// If the system cannot start that many threads, if a thread cannot be prepared, or if a piece
/// cannot be done: the first of these that is met in the order of the threads.
pub(in crate::timing) fn on_threads<S, P: Sync, A: Send>(
    threads: usize,
    pieces: &[P],
    timeline: &Timeline,
    start: impl Fn(usize) -> Result<S, Failed> + Sync,
    run: impl Fn(&mut S, &P, &mut Recorder) -> Result<A, Failed> + Sync,
) -> Result<Vec<A>, Failed> {
    let next = AtomicUsize::new(0);
    let work = |place: usize| -> Result<Vec<(usize, A)>, Failed> {
        let mut lane = timeline.lane(place, format!("thread {}", place + 1));
        let mut state = start(place)?;
        let mut answers = Vec::new();
        loop {
            // The pieces are there before the threads, so that nothing else has to be seen.
            let piece = next.fetch_add(1, Relaxed);
            let Some(task) = pieces.get(piece) else {
                return Ok(answers);
            };
            let answer = run(&mut state, task, &mut lane);
            if answer.is_err() {
                // Nobody needs the rest.
                next.store(pieces.len(), Relaxed);
            }
            answers.push((piece, answer?));
        }
    };
    let mut answers = thread::scope(|scope| {
        let started: Vec<io::Result<ScopedJoinHandle<_>>> = (0..threads)
            .map(|place| {
                let work = &work;
                thread::Builder::new().spawn_scoped(scope, move || work(place))
            })
            .collect();
        let mut answers = Vec::with_capacity(pieces.len());
        for started in started {
            let thread = started.map_err(|error| {
                Failed::NotGiven(format!(
                    "the system cannot start {threads} threads: {error}; ask for fewer, or allow more \
                     processes and threads (`ulimit -u`)"
                ))
            })?;
            match thread.join() {
                Ok(done) => answers.extend(done?),
                Err(_) => return Err(Failed::Broken("a thread panicked".to_owned())),
            }
        }
        Ok(answers)
    })?;
    answers.sort_by_key(|(piece, _)| *piece);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn answers_come_in_the_order_of_the_pieces(
            pieces in proptest::collection::vec(any::<u32>(), 0..200),
            threads in 1..8_usize,
        ) {
            let timeline = Timeline::recording();
            let answers = on_threads(threads, &pieces, &timeline, Ok, |_, piece, lane| {
                Ok(lane.work(|| u64::from(*piece) * 2))
            });
            let doubled: Vec<u64> = pieces.iter().map(|piece| u64::from(*piece) * 2).collect();
            prop_assert_eq!(answers, Ok(doubled));
            let lanes = timeline.take_lanes();
            prop_assert_eq!(lanes.len(), threads);
            let spans: usize = lanes.iter().map(|lane| lane.spans.len()).sum();
            prop_assert_eq!(spans, pieces.len());
        }
    }

    #[test]
    fn a_piece_that_cannot_be_done_fails_the_work() {
        let pieces: Vec<u32> = (0..100).collect();
        let broken = Failed::Broken("50 is too much".to_owned());
        let answers = on_threads(
            4,
            &pieces,
            &Timeline::off(),
            Ok,
            |_, piece, _| match piece {
                50 => Err(broken.clone()),
                piece => Ok(*piece),
            },
        );
        assert_eq!(answers, Err(broken));
    }
}
