//! What a server that serves one request at a time does to its clients.

use super::super::comparison::{Comparison, compare};
use super::phrase::{as_fast, be};
use super::rows::{Served, can_be_compared, distinct, served};
use crate::timing::{TimedWay, Timing};

/// Where servers of both kinds were measured: the way that suffers most from the one that serves one
/// request at a time, and that the server is the cause.
pub(super) fn servers(timing: &Timing) -> Option<String> {
    let ways = distinct(timing, |row| (row.method.as_str(), row.workers));
    let pairs = ways.into_iter().filter_map(|(method, workers)| {
        let of = |kind| {
            let mut rows = timing.rows.iter();
            rows.find(|row| {
                row.method == method && row.workers == workers && served(row) == Some(kind)
            })
        };
        let pair: (&TimedWay, &TimedWay) = (of(Served::AtOnce)?, of(Served::OneByOne)?);
        (can_be_compared(pair.0) && can_be_compared(pair.1)).then_some(pair)
    });
    let pairs: Vec<_> = pairs.collect();
    let gains = pairs
        .iter()
        .filter_map(|(at_once, one)| match compare(at_once, one) {
            Comparison::Faster(times) => Some((times, *at_once, *one)),
            _ => None,
        });
    let most = gains.max_by(|(a, ..), (b, ..)| a.total_cmp(b));
    Some(match most {
        Some((times, at_once, one)) => format!(
            "The server is the cause: {} {} {} {}, with the same clients. A server that serves \
             one request at a time lets all others wait for their turn, however many ask at once.",
            at_once.label(),
            be(at_once),
            as_fast(times),
            one.label()
        ),
        None if pairs.is_empty() => return None,
        None => {
            "It made no difference here whether the server serves one request at a time or all \
                 at once."
                .to_owned()
        }
    })
}
