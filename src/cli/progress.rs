//! Shows how far a search is, and stops it on a signal.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Progress;
use crate::report::grouped;

use super::signals::stop_on_signal;

/// What takes longer than this shows progress.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What is being done, if that is one of several things.
#[derive(Debug, Default)]
pub(super) struct Stage(Mutex<Option<Doing>>);

/// What is being done, and how far it is.
#[derive(Clone, Debug)]
enum Doing {
    /// Executions, which are counted elsewhere.
    Executions(String),
    /// Something else, with its count.
    Counted(String),
}

impl Stage {
    /// Notes what executions are run for. How many there were is added where it is shown.
    pub(super) fn set(&self, stage: String) {
        self.note(Doing::Executions(stage));
    }

    /// Notes what is being done that is no execution, with how far it is.
    pub(super) fn set_in_full(&self, stage: String) {
        self.note(Doing::Counted(stage));
    }

    fn note(&self, doing: Doing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(doing);
    }

    fn get(&self) -> Option<Doing> {
        let stage = self.0.lock();
        stage.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs `work` while its progress is shown on stderr, if that is a terminal.
///
/// The first Ctrl-C, SIGTERM or SIGHUP lets the search stop and report what it knows, the second one ends
/// the process.
pub(super) fn with_progress<T>(progress: &Progress, stage: &Stage, work: impl FnOnce() -> T) -> T {
    stop_on_signal(progress.clone());
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        let shown = thread::Builder::new().spawn_scoped(scope, move || {
            let start = Instant::now();
            if is_done.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{spinner} {msg}").expect("the template is valid"),
            );
            let first = Sample::of(progress, start);
            while is_done.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout)
            {
                bar.set_message(match stage.get() {
                    None => line(first, Sample::of(progress, start)),
                    Some(stage) => stage_line(&stage, progress.executions()),
                });
                bar.tick();
            }
            bar.finish_and_clear();
        });
        // Where the system starts no thread for it, nothing is shown.
        drop(shown);
        let result = work();
        drop(done);
        result
    })
}

/// How far a search is at a moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    executions: u64,
    share_done: Option<f64>,
}

impl Sample {
    fn of(progress: &Progress, start: Instant) -> Self {
        Sample {
            at: start.elapsed(),
            executions: progress.executions(),
            share_done: progress.share_done(),
        }
    }
}

/// How far a search is, how fast it goes, and what is left of it, as far as that can be told from
/// what was done since the first sample: a search that goes on from a checkpoint has done the rest
/// before.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates for people, in which the last digits mean nothing"
)]
fn line(first: Sample, now: Sample) -> String {
    let mut parts = vec![format!("{} executions", grouped(now.executions))];
    let seconds = now.at.saturating_sub(first.at).as_secs_f64();
    if seconds > 0.0 {
        let rate = now.executions.saturating_sub(first.executions) as f64 / seconds;
        parts.push(format!("{} a second", grouped(rate.round() as u64)));
    }
    if let Some(share) = now.share_done
        && share > 0.0
        && share <= 1.0
    {
        // Not 100 before all is done.
        parts.push(format!("{} % done", (share * 100.0).floor()));
        let all = now.executions as f64 / share;
        parts.push(format!("about {} in all", grouped(significant(all))));
        let gained = share - first.share_done.unwrap_or(0.0);
        if gained > 0.0 {
            parts.push(format!("{} left", time((1.0 - share) * seconds / gained)));
        }
    }
    parts.join(", ") + "; Ctrl-C stops and reports"
}

/// A number with its first two digits, as an estimate has no more.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is too large for a number is as good as endless"
)]
fn significant(number: f64) -> u64 {
    let number = number as u64;
    let digits = number.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(1));
    (number / unit).saturating_mul(unit)
}

/// A time that is left, in the largest unit that says something.
fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds if seconds < 3_153_600_000.0 => format!("{:.0} days", seconds / 86_400.0),
        _ => "more than 100 years".to_owned(),
    }
}

fn stage_line(stage: &Doing, executions: u64) -> String {
    let far = match stage {
        Doing::Executions(stage) => format!("{stage}: {} executions", grouped(executions)),
        Doing::Counted(stage) => stage.clone(),
    };
    far + "; Ctrl-C stops and reports"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: u64, executions: u64, share_done: Option<f64>) -> Sample {
        Sample {
            at: Duration::from_secs(seconds),
            executions,
            share_done,
        }
    }

    #[test]
    fn a_line_says_how_far_it_is_and_what_is_left() {
        let first = sample(1, 0, Some(0.0));
        assert_eq!(
            line(first, sample(3, 12_345, Some(0.375))),
            "12,345 executions, 6,173 a second, 37 % done, about 32,000 in all, 3 s left; Ctrl-C \
             stops and reports"
        );
    }

    #[test]
    fn what_was_done_before_counts_neither_for_the_rate_nor_for_the_time() {
        let first = sample(1, 90_000, Some(0.9));
        assert_eq!(
            line(first, sample(2, 91_000, Some(0.91))),
            "91,000 executions, 1,000 a second, 91 % done, about 100,000 in all, 9 s left; Ctrl-C \
             stops and reports"
        );
    }

    #[test]
    fn nothing_is_estimated_where_nothing_is_known() {
        let first = sample(1, 0, None);
        for share in [None, Some(0.0), Some(1.5)] {
            assert_eq!(
                line(first, sample(2, 10, share)),
                "10 executions, 10 a second; Ctrl-C stops and reports"
            );
        }
        assert_eq!(line(first, first), "0 executions; Ctrl-C stops and reports");
    }

    #[test]
    fn what_is_no_execution_is_not_called_one() {
        let stage = Stage::default();
        let line = || stage_line(&stage.get().unwrap(), 3_855);
        stage.set("traces of a/b".to_owned());
        assert_eq!(
            line(),
            "traces of a/b: 3,855 executions; Ctrl-C stops and reports"
        );
        stage.set_in_full("3,855 of 9,000 runs".to_owned());
        assert_eq!(line(), "3,855 of 9,000 runs; Ctrl-C stops and reports");
    }

    #[test]
    fn an_estimate_has_two_digits_and_a_unit() {
        assert_eq!(significant(0.0), 0);
        assert_eq!(significant(7.0), 7);
        assert_eq!(significant(1_234_567.0), 1_200_000);
        assert_eq!(significant(1e300), 18_000_000_000_000_000_000);
        assert_eq!(time(3.4), "3 s");
        assert_eq!(time(600.0), "10 min");
        assert_eq!(time(36_000.0), "10 h");
        assert_eq!(time(864_000.0), "10 days");
        assert_eq!(time(1e300), "more than 100 years");
    }
}
