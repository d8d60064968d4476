//! `check`: a test of all interleavings in one call.

mod environment;
mod summary;

use std::io::{self, Write};
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::execution::{self, Ending};
use crate::explorer::{Checked, Explorer};
use crate::report::{
    COMPLETE, CheckLine, CheckResult, Style, Subject, all_interleavings, faster, looping, one_line,
    plural, remark, text,
};
use crate::trace::LeftOut;
use crate::verdict::{Bound, Coverage, Engine, Reason, Report, Sharing, Verdict};

use environment::Environment;
use summary::Summary;

/// How long a check may take, if nothing else is said.
pub const DEFAULT_CHECK_TIME: Duration = Duration::from_secs(10);

/// Explores `body` and panics with the rendered failure if any interleaving breaks it.
///
/// It explores for [`DEFAULT_CHECK_TIME`] at most. [`Explorer::check`] is the same with other settings.
///
/// # What it passes
///
/// A body that holds, in silence. If nothing failed, but a limit of time, executions, steps or
/// preemptions has cut the search before everything was explored, it passes as well, and says so in
/// one line on stderr: `RACELAB_REQUIRE=complete` or [`Explorer::require_complete`] makes that fail.
/// Where executions hit the bound on their steps or are very long, as those of loops that poll, the
/// search stops after half of the time, and the rest goes to the engines `surw` and `random`, which
/// find what the search would have come to too late.
///
/// It warns, in one line, of threads that share nothing of racelab: no order of them was explored that
/// could make a difference.
///
/// It fails whenever it could not check, and says what to do: if the body used nothing of racelab; if no
/// execution came to its end; if the body does not do the same in each execution, or makes no step for
/// [`DEFAULT_STALL_LIMIT`](crate::DEFAULT_STALL_LIMIT); if a thread that racelab did not start, of a
/// thread pool for example, uses its objects; and if it does what the engine cannot run.
///
/// # The environment
///
/// It changes the settings of all checks, without a change of the tests:
///
/// | variable | meaning |
/// |---|---|
/// | `RACELAB_ENGINE` | the engine: `dpor` if nothing is said, `dfs`, `random`, `pct`, `urw`, `pos`, `surw`, `threads` for real ones, with the feature `loom` also `loom`, and with `shuttle` also `shuttle` and `shuttle-pct` |
/// | `RACELAB_MAX_EXECUTIONS` | stop after this many executions, or runs on real threads |
/// | `RACELAB_TIME_LIMIT` | stop after so long: `20ms`, `10s`, a bare number is seconds |
/// | `RACELAB_MAX_STEPS` | cut executions that make more steps |
/// | `RACELAB_PREEMPTIONS` | explore only executions with at most this many preemptions |
/// | `RACELAB_JOBS` | explore with this many threads |
/// | `RACELAB_SEED` | the seed of random choices |
/// | `RACELAB_SPURIOUS` | `on` or `off`: whether spurious wake-ups are explored; `on` if nothing is said |
/// | `RACELAB_REQUIRE=complete` | fail if not everything was explored, time-outs, spurious failures and rounds of a loop under a lock that are repeated, last drops that were not checked, and attempts to read behind a waiting writer included |
/// | `RACELAB_REPLAY=test_name@schedule` | replay one execution, in the test of that name |
/// | `RACELAB_SUMMARY` | add a line of each check to this file, since some runners of tests hide what a passing test prints; `cargo racelab test` makes a table of it |
///
/// Any other variable that begins with `RACELAB_` is an error.
///
/// ```
/// use racelab::sync::{Arc, Mutex};
/// use racelab::thread;
///
/// racelab::check(|| {
///     let balance = Arc::new(Mutex::new(100));
///     let other = thread::spawn({
///         let balance = Arc::clone(&balance);
///         move || *balance.lock().unwrap() -= 30
///     });
///     *balance.lock().unwrap() -= 20;
///     other.join().unwrap();
///     assert_eq!(*balance.lock().unwrap(), 50);
/// });
/// ```
///
/// # Panics
///
/// If an interleaving fails, or if it could not check, as said above; if a variable of the environment
/// is malformed, or the file of the summary cannot be written; and on an error of the lab itself.
#[track_caller]
pub fn check<F: Fn() + Send + Sync + 'static>(body: F) {
    Explorer::new(Engine::Dpor).check(body);
}

impl Explorer {
    /// Explores `body` and panics with the rendered failure if any interleaving breaks it, as
    /// [`check`](crate::check()) does, but with these settings. The environment can change them.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use racelab::sync::{Arc, Mutex};
    /// use racelab::{Engine, Explorer, thread};
    ///
    /// let explorer = Explorer::new(Engine::Dpor).time_limit(Duration::from_mins(1));
    /// explorer.require_complete().check(|| {
    ///     let list = Arc::new(Mutex::new(Vec::new()));
    ///     let other = thread::spawn({
    ///         let list = Arc::clone(&list);
    ///         move || list.lock().unwrap().push(1)
    ///     });
    ///     list.lock().unwrap().push(2);
    ///     other.join().unwrap();
    ///     assert_eq!(list.lock().unwrap().len(), 2);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`check`](crate::check()) does.
    #[track_caller]
    pub fn check<F: Fn() + Send + Sync + 'static>(&self, body: F) {
        if execution::is_running() {
            execution::give_up(Ending::Misused(format!(
                "a check was begun at {} inside of the body of another one: check each body by \
                 itself",
                Location::caller()
            )));
        }
        let name = std::thread::current().name().unwrap_or("main").to_owned();
        let variables = environment::variables();
        let environment = Environment::read(self.clone(), &name, &variables)
            .unwrap_or_else(|error| panic!("racelab: {error}"));
        let summary = environment
            .summary
            .as_deref()
            .map(|path| Summary::open(path).unwrap_or_else(|error| panic!("racelab: {error}")));
        let start = Instant::now();
        let checked = match &environment.replay {
            Some(schedule) => Checked::from(environment.explorer.replay(schedule, body)),
            None => environment.explorer.explore_for_check(body),
        };
        let time = start.elapsed();
        let judge = Judge {
            test: &name,
            checked: &checked,
            environment: &environment,
        };
        let result = judge.judge();
        if let Some(summary) = summary {
            summary
                .add(&judge.summarised(&result, Location::caller(), time))
                .unwrap_or_else(|error| panic!("racelab: {error}"));
        }
        match result {
            Ok(None) => {}
            Ok(Some(line)) => {
                // Not with `eprintln!`: the test harness would keep that to itself, since the test
                // passes, and nobody would learn that it proves nothing. A closed stderr is no
                // failure of the test.
                let _ = writeln!(io::stderr(), "racelab: {line}");
            }
            Err(refused) => panic!("{}", refused.message),
        }
    }
}

/// Why a check does not pass.
struct Refused {
    /// In one line.
    why: String,
    /// All that there is to say.
    message: String,
}

/// Decides whether a check passes.
struct Judge<'a> {
    test: &'a str,
    checked: &'a Checked,
    environment: &'a Environment,
}

impl Judge<'_> {
    /// Whether the check passes, and the line that is said if it does not prove anything.
    fn judge(&self) -> Result<Option<String>, Refused> {
        let report = &self.checked.report;
        match &report.verdict {
            Verdict::Violated(failure) => Err(Refused {
                why: one_line(&failure.message),
                message: self.rendered(),
            }),
            Verdict::Inconclusive(reason) if !self.is_limit(reason) => Err(Refused {
                why: reason.to_string(),
                message: self.rendered(),
            }),
            _ if self.environment.replay.is_some() => Ok(self.line()),
            _ if report.sharing == Some(Sharing::Unused) => {
                let why = remark(Sharing::Unused).unwrap_or_default().to_owned();
                Err(Refused {
                    message: format!("racelab: {} explored nothing: {why}", self.test),
                    why,
                })
            }
            _ if self.checked.executions() == 0 => Err(self.refused(
                "no execution came to its end, so that nothing was checked: let the body end sooner, \
                 or raise the limits",
            )),
            _ if self.environment.requires_complete && !is_complete(report) => {
                Err(self.refused("RACELAB_REQUIRE=complete does not allow that"))
            }
            _ if self.environment.explorer.requires_complete() && !is_complete(report) => {
                Err(self.refused("`Explorer::require_complete` does not allow that"))
            }
            _ => Ok(self.line()),
        }
    }

    /// Whether it is a limit that the user can change, and that cut a search under way.
    fn is_limit(&self, reason: &Reason) -> bool {
        match reason {
            Reason::Bound(Bound::OneExecution) => self.environment.replay.is_some(),
            Reason::Runs { made, .. } => *made > 0,
            // Of these loom says too much, and it is known to be none.
            Reason::Bound(_) | Reason::NotConfirmed { .. } | Reason::Doubtful { .. } => true,
            _ => false,
        }
    }

    /// What is said of a check that passes, if not everything was explored.
    fn line(&self) -> Option<String> {
        let (test, report) = (self.test, &self.checked.report);
        match &report.verdict {
            Verdict::Inconclusive(reason) => {
                let executions = plural(report.executions, "execution");
                let mut line = format!("{test} is inconclusive after {executions}: {reason}");
                let more = report.loops.first().map(looping);
                let more = more.into_iter().chain(self.checked.sampled());
                for more in more.chain(faster(report).map(str::to_owned)) {
                    line += "; ";
                    line += &more;
                }
                Some(line)
            }
            _ if self.environment.replay.is_some() => None,
            _ => {
                let remark = remark(report.sharing?)?;
                let all = all_interleavings(report);
                Some(format!("{test} holds in {all}, but {remark}"))
            }
        }
    }

    /// The check as a line of the summary.
    fn summarised(
        &self,
        result: &Result<Option<String>, Refused>,
        at: &Location<'_>,
        time: Duration,
    ) -> CheckLine {
        let (test, report) = (self.test, &self.checked.report);
        CheckLine {
            target: summary::target(),
            test: test.to_owned(),
            at: format!("{}:{}", at.file(), at.line()),
            engine: report.engine.map_or("replay", Engine::name).to_owned(),
            memory_model: report.memory_model.name().to_owned(),
            result: match result {
                Ok(_) => CheckResult::Passed,
                Err(_) => CheckResult::Failed,
            },
            verdict: report.verdict.name().to_owned(),
            executions: self.checked.executions(),
            searched: searched(report),
            time,
            sentence: match result {
                Ok(None) => format!("{test} holds in {}", all_interleavings(report)),
                Ok(Some(line)) => line.clone(),
                Err(refused) => format!("{test} fails: {}", refused.why),
            },
        }
    }

    /// The whole report, and why the check does not pass.
    fn refused(&self, why: &str) -> Refused {
        Refused {
            why: why.to_owned(),
            message: format!("{}  {why}\n", self.rendered()),
        }
    }

    fn rendered(&self) -> String {
        let test = self.test;
        let replay = match test {
            // An example or a program: its name is not known here.
            "main" => "RACELAB_REPLAY='main@{schedule}', and the same command again".to_owned(),
            test => {
                // It is the name of the thread, which can be any text.
                let quoted = test.replace('\'', r"'\''");
                let is_word = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
                let filter = if test.chars().all(is_word) {
                    test.to_owned()
                } else {
                    format!("'{quoted}'")
                };
                format!("RACELAB_REPLAY='{quoted}@{{schedule}}' cargo test {filter}")
            }
        };
        let subject = Subject {
            name: test.to_owned(),
            replay,
            ..Subject::default()
        };
        text(&self.checked.report, &subject, &Style::default())
    }
}

/// Whether everything was explored, what a search that holds may leave out included.
fn is_complete(report: &Report) -> bool {
    matches!(report.verdict, Verdict::Holds) && assumed(report).next().is_none()
}

/// What a search that holds has left out, and could have failed.
fn assumed(report: &Report) -> impl Iterator<Item = LeftOut> {
    let is_assumed = |kind: &LeftOut| {
        kind.is_repetition() || matches!(kind, LeftOut::LastDrops | LeftOut::WaitingWriters)
    };
    report.left_out.iter().copied().filter(is_assumed)
}

/// What was searched: everything, or what it was cut by.
fn searched(report: &Report) -> String {
    match (&report.verdict, &report.coverage) {
        (Verdict::Inconclusive(Reason::Bound(bound)), _) | (_, Coverage::Bounded(bound)) => {
            bound.to_string()
        }
        (Verdict::Inconclusive(reason), _) => reason.to_string(),
        (Verdict::Violated(_), _) => "stopped at the first failure".to_owned(),
        (Verdict::Holds, _) => {
            let kinds: Vec<_> = assumed(report).map(LeftOut::name).collect();
            match kinds.as_slice() {
                [] => COMPLETE.to_owned(),
                kinds => format!("all but {}", kinds.join(", ")),
            }
        }
    }
}

/// Parses a duration: `20ms`, `1.5s`, `2m`; a bare number is seconds.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(racelab::parse_duration("20ms"), Ok(Duration::from_millis(20)));
/// assert_eq!(racelab::parse_duration("1.5"), Ok(Duration::from_millis(1500)));
/// assert!(racelab::parse_duration("soon").is_err());
/// ```
///
/// # Errors
///
/// If the text is not a duration, or the duration is too long.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let error =
        || format!("invalid duration `{text}`: write 20ms, 10s or 2m; a bare number is seconds");
    let number: f64 = number.parse().map_err(|_| error())?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(error()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        for text in [
            "",
            "s",
            "-1s",
            "1 s",
            "1e3",
            "99999999999999999999h",
            "1.2.3",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
