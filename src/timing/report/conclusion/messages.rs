//! What follows from the times of messages: how many there are in a second, and how long each is on
//! its way. One way can be the first in one of both, and not in the other.

use crate::report::Style;

use super::super::comparison::{Comparison, compare};
use super::super::units::{count, seconds};
use super::advice::{advice, rank, reason_of_messages};
use super::phrase::{as_fast, list, title};
use super::rows::{can_be_compared, sync};
use super::{has_results, ran_seldom};
use crate::timing::{TimedWay, Timing};

/// What follows, in sentences. It does not matter whether messages compute or wait, and one thread
/// alone passes none: what it takes is what the queue costs.
pub(super) fn of_messages(timing: &Timing) -> Vec<String> {
    let streamed = Ranking::of(timing, |row| {
        let rates = &row.messages_per_second_of_runs;
        let times = rates.iter().map(|rate| rate.recip()).collect();
        Some((row.messages_per_second?.recip(), times))
    });
    let answered = Ranking::of(timing, |row| {
        Some((row.latency_seconds?, row.latency_seconds_of_runs.clone()))
    });
    let mut sentences = Vec::new();
    if let (Some(streamed), Some(answered)) = (&streamed, &answered) {
        sentences.push(answer(streamed.taken(), answered.taken()));
        sentences.push(streamed.of_a_stream());
        sentences.push(answered.of_answers());
        let rows: Vec<&TimedWay> = timing.rows.iter().collect();
        let reason = reason_of_messages(streamed.taken(), &rows);
        sentences.extend(reason.map(str::to_owned));
    } else {
        // The figures of each run are not known.
        let mut passing = timing.clone();
        passing.rows.retain(|row| row.method != "sync");
        sentences.extend(advice(&passing, None));
    }
    sentences.extend(ran_seldom(timing));
    let per_message =
        |row: &TimedWay| Some(row.messages_per_second?.recip()).filter(|it| it.is_finite());
    if let Some(cost) = sync(timing).and_then(per_message) {
        sentences.push(format!(
            "One thread takes {} to put a message into a queue and to take it out again: what the \
             others take beyond that is the price of passing it on.",
            seconds(cost, &Style::default())
        ));
    }
    sentences
}

/// Which way to take, if these two are the ones for a stream and for answers.
fn answer(streamed: &TimedWay, answered: &TimedWay) -> String {
    let name = |row: &TimedWay| match row.method.as_str() {
        "async" => "async tasks".to_owned(),
        method => method.to_owned(),
    };
    if streamed.label() == answered.label() {
        return format!(
            "Take {}, for a stream of messages and for messages that are answered one by one.",
            name(streamed)
        );
    }
    format!(
        "Take {} for a stream of messages, and {} for messages that are answered one by one.",
        name(streamed),
        name(answered)
    )
}

/// The ways by the time that one message takes, the least first.
struct Ranking {
    rows: Vec<TimedWay>,
    /// The place of the one to take: of those that cannot be told from the first, the simplest.
    taken: usize,
}

impl Ranking {
    /// Ranks the ways by a time: its median, and that of each run. `None` if fewer than two ways can
    /// be compared.
    fn of(timing: &Timing, time: impl Fn(&TimedWay) -> Option<(f64, Vec<f64>)>) -> Option<Self> {
        let rows = timing.rows.iter().filter(|row| row.method != "sync");
        let rows = rows.filter(|row| has_results(row)).filter_map(|row| {
            let (seconds, runs) = time(row)?;
            Some(TimedWay {
                seconds,
                runs,
                ..row.clone()
            })
        });
        let mut rows: Vec<TimedWay> = rows.filter(can_be_compared).collect();
        rows.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let [first, _, ..] = &rows[..] else {
            return None;
        };
        let tied = (0..rows.len()).filter(|place| *place == 0 || ties(&rows[*place], first));
        let taken = tied.min_by_key(|place| rank(&rows[*place], None))?;
        Some(Ranking { rows, taken })
    }

    fn taken(&self) -> &TimedWay {
        &self.rows[self.taken]
    }

    fn of_a_stream(&self) -> String {
        let taken = self.taken();
        let rate = count(taken.messages_per_second.unwrap_or_default());
        let others = self.others("");
        format!(
            "{} passed {rate} messages in a second{others}.",
            title(&taken.label())
        )
    }

    fn of_answers(&self) -> String {
        let taken = self.taken();
        let time = seconds(taken.seconds, &Style::default());
        let others = self.others("one of ");
        format!(
            "A message of {} was on its way for {time}{others}.",
            taken.label()
        )
    }

    /// How the one to take compares with the next one, and with those that cannot be told from it.
    fn others(&self, before: &str) -> String {
        let taken = self.taken();
        let others = self.rows.iter().filter(|row| !std::ptr::eq(*row, taken));
        let next = others.clone().find_map(|row| match compare(taken, row) {
            Comparison::Faster(times) => Some((row, times)),
            _ => None,
        });
        let mut text = String::new();
        if let Some((row, times)) = next {
            text += &format!(", {} {before}{}", as_fast(times), row.label());
        }
        let tied = others.filter(|row| ties(row, taken)).map(TimedWay::label);
        let tied: Vec<String> = tied.collect();
        if !tied.is_empty() {
            text += &format!(", not distinguishable from {before}{}", list(&tied));
        }
        text
    }
}

fn ties(row: &TimedWay, other: &TimedWay) -> bool {
    matches!(compare(row, other), Comparison::Alike | Comparison::Close)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::samples::{row, timing};
    use super::*;

    /// A way that passes messages at a rate, each of which is on its way for the latency.
    fn passing(method: &str, rate: f64, latency: f64) -> TimedWay {
        let around = |value: f64| vec![value * 0.99, value, value * 1.01];
        TimedWay {
            messages_per_second: Some(rate),
            latency_seconds: Some(latency),
            messages_per_second_of_runs: around(rate),
            latency_seconds_of_runs: around(latency),
            ..row(method, 2, &[1.0, 1.1, 1.2])
        }
    }

    fn concluded(rows: Vec<TimedWay>) -> Vec<String> {
        of_messages(&timing("pipe", &json!({}), rows))
    }

    #[test]
    fn the_way_for_a_stream_need_not_be_the_way_for_answers() {
        let sentences = concluded(vec![
            passing("threads", 4e7, 20e-6),
            passing("async", 1e7, 250e-9),
            passing("processes", 2e6, 26e-6),
        ]);
        assert_eq!(
            sentences[..3],
            [
                "Take threads for a stream of messages, and async tasks for messages that are \
                 answered one by one.",
                "2 threads passed 40,000,000 messages in a second, 4.00 times as fast as 2 async \
                 tasks.",
                "A message of 2 async tasks was on its way for 250 ns, 80.0 times as fast as one \
                 of 2 threads.",
            ]
        );
    }

    #[test]
    fn one_way_can_be_the_one_for_both() {
        let sentences = concluded(vec![
            passing("threads", 4e7, 2e-6),
            passing("processes", 2e6, 26e-6),
        ]);
        assert_eq!(
            sentences[0],
            "Take threads, for a stream of messages and for messages that are answered one by one."
        );
    }

    #[test]
    fn of_ways_that_cannot_be_told_apart_the_simplest_is_taken() {
        let sentences = concluded(vec![
            passing("async", 4.02e7, 2e-6),
            passing("threads", 4e7, 3e-6),
        ]);
        assert_eq!(
            sentences[1],
            "2 threads passed 40,000,000 messages in a second, not distinguishable from 2 async \
             tasks."
        );
    }
}
