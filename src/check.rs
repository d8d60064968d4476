//! `check`: a test of all interleavings in one call.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use crate::explorer::Explorer;
use crate::report::{Style, Subject, faster, plural, text};
use crate::trace::Schedule;
use crate::verdict::{Engine, Reason, Report, Verdict};

/// How long a check may take, if nothing else is said.
pub const DEFAULT_CHECK_TIME: Duration = Duration::from_secs(10);

/// Explores `body` and panics with the rendered failure if any interleaving breaks it.
///
/// It explores for [`DEFAULT_CHECK_TIME`] at most. If nothing failed but not everything was
/// explored, it passes and says so in one line on stderr.
///
/// The environment changes its settings without a change of the test:
///
/// | variable | meaning |
/// |---|---|
/// | `RACELAB_ENGINE` | the engine: `dpor` if nothing is said, `dfs`, `random`, `pct`, `urw`, `pos`, `surw`, `threads` for real ones, with the feature `loom` also `loom`, and with `shuttle` also `shuttle` and `shuttle-pct` |
/// | `RACELAB_MAX_EXECUTIONS` | stop after this many executions, or runs on real threads |
/// | `RACELAB_TIME_LIMIT` | stop after so long: `20ms`, `10s`, a bare number is seconds |
/// | `RACELAB_SEED` | the seed of random choices |
/// | `RACELAB_REQUIRE=complete` | fail if not everything was explored, time-outs and spurious failures that come again at once included |
/// | `RACELAB_REPLAY=test_name@schedule` | replay one execution, in the test of that name |
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
/// If an interleaving fails; if the body uses the lab wrongly, by an object made outside of it for
/// example; if a variable of the environment is malformed; and on an error of the lab itself.
#[track_caller]
pub fn check<F: Fn() + Send + Sync + 'static>(body: F) {
    let name = std::thread::current().name().unwrap_or("main").to_owned();
    let settings = match Environment::read(&name, |variable| env::var_os(variable)) {
        Ok(settings) => settings,
        Err(error) => panic!("racelab: {error}"),
    };
    let report = match &settings.replay {
        Some(schedule) => settings.explorer.replay(schedule, body),
        None => settings.explorer.explore(body),
    };
    if let Some(message) = settings.complaint(&report, &name) {
        panic!("{message}");
    }
    if let Verdict::Inconclusive(reason) = &report.verdict {
        say(&name, reason, &report);
    }
}

fn say(name: &str, reason: &Reason, report: &Report) {
    let executions = plural(report.executions, "execution");
    let faster = faster(report).map(|faster| format!("; {faster}"));
    let faster = faster.unwrap_or_default();
    // Not with `eprintln!`: the test harness would keep that to itself, since the test passes, and
    // nobody would learn that it proves nothing.
    let _ = writeln!(
        io::stderr(),
        "racelab: {name} is inconclusive after {executions}: {reason}{faster}"
    );
}

/// What the environment says.
struct Environment {
    explorer: Explorer,
    requires_complete: bool,
    replay: Option<Schedule>,
}

impl Environment {
    fn read(test: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        // An empty variable counts as none, since some shells and CI systems cannot unset one.
        let variable = |name: &str| match variable(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(text) => Ok(Some(text)),
                Err(value) => Err(format!("{name}={} is not UTF-8", value.display())),
            },
        };
        let parse = |name: &str, least: u64, what: &str| -> Result<Option<u64>, String> {
            let Some(text) = variable(name)? else {
                return Ok(None);
            };
            match text.parse() {
                Ok(number) if number >= least => Ok(Some(number)),
                _ => Err(format!("{name}={text} is not {what}")),
            }
        };
        let engine = match variable("RACELAB_ENGINE")? {
            Some(name) => name
                .parse()
                .map_err(|error| format!("RACELAB_ENGINE: {error}"))?,
            None => Engine::Dpor,
        };
        let mut explorer = Explorer::new(engine).time_limit(DEFAULT_CHECK_TIME);
        if let Some(executions) = parse(
            "RACELAB_MAX_EXECUTIONS",
            1,
            "a number of executions, from 1 on",
        )? {
            explorer = explorer.max_executions(executions);
        }
        if let Some(seed) = parse("RACELAB_SEED", 0, "a number from 0 to 2^64 - 1")? {
            explorer = explorer.seed(seed);
        }
        if let Some(text) = variable("RACELAB_TIME_LIMIT")? {
            let limit = parse_duration(&text);
            explorer =
                explorer.time_limit(limit.map_err(|error| format!("RACELAB_TIME_LIMIT: {error}"))?);
        }
        let requires_complete = match variable("RACELAB_REQUIRE")?.as_deref() {
            None => false,
            Some("complete") => true,
            Some(other) => {
                return Err(format!(
                    "RACELAB_REQUIRE={other}: the only value is `complete`"
                ));
            }
        };
        let replay = match variable("RACELAB_REPLAY")? {
            Some(text) => replay_for(test, &text)?,
            None => None,
        };
        Ok(Environment {
            explorer,
            requires_complete,
            replay,
        })
    }

    /// What to panic with, if anything.
    fn complaint(&self, report: &Report, test: &str) -> Option<String> {
        let replay = match test {
            // An example or a program: its name is not known here.
            "main" => "RACELAB_REPLAY='main@{schedule}', and the same command again".to_owned(),
            test => format!("RACELAB_REPLAY='{test}@{{schedule}}' cargo test {test}"),
        };
        let subject = Subject {
            name: test.to_owned(),
            fix: String::new(),
            replay,
        };
        let rendered = || text(report, &subject, &Style::default());
        match &report.verdict {
            Verdict::Violated(_)
            | Verdict::Inconclusive(Reason::Misused(_) | Reason::Diverged(_)) => Some(rendered()),
            Verdict::Holds if !report.left_out.iter().any(|kind| kind.is_repetition()) => None,
            Verdict::Holds | Verdict::Inconclusive(_)
                if self.requires_complete && self.replay.is_none() =>
            {
                Some(format!(
                    "{}  RACELAB_REQUIRE=complete does not allow that\n",
                    rendered()
                ))
            }
            Verdict::Holds | Verdict::Inconclusive(_) => None,
        }
    }
}

/// The schedule in `test_name@schedule`, if it is for this test.
fn replay_for(test: &str, text: &str) -> Result<Option<Schedule>, String> {
    let Some((name, schedule)) = text.rsplit_once('@') else {
        return Err(format!("RACELAB_REPLAY={text}: write test_name@schedule"));
    };
    if name != test {
        return Ok(None);
    }
    let schedule = schedule
        .parse()
        .map_err(|error| format!("RACELAB_REPLAY: {error}"))?;
    Ok(Some(schedule))
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
/// If the text is no duration, or too long for one.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let error =
        || format!("`{text}` is no duration: write 20ms, 10s or 2m; a bare number is seconds");
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
    fn only_the_named_test_obeys_a_replay() {
        assert_eq!(
            replay_for("a::b", "a::b@0.1"),
            Ok(Some("0.1".parse().unwrap()))
        );
        assert_eq!(replay_for("a::c", "a::b@0.1"), Ok(None));
        assert!(
            replay_for("a::b", "a::b@x")
                .unwrap_err()
                .contains("malformed schedule")
        );
        assert!(replay_for("a::b", "0.1").is_err());
    }

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

    #[test]
    fn a_malformed_variable_is_named() {
        let only = |name: &'static str, value: &'static str| {
            Environment::read("t", move |asked| (asked == name).then(|| value.into()))
                .err()
                .unwrap_or_default()
        };
        assert!(only("RACELAB_SEED", "nine").contains("RACELAB_SEED=nine"));
        assert!(only("RACELAB_ENGINE", "dfx").contains("unknown engine `dfx`"));
        assert!(only("RACELAB_REQUIRE", "all").contains("RACELAB_REQUIRE=all"));
        assert!(only("RACELAB_TIME_LIMIT", "soon").contains("`soon` is no duration"));
        assert!(only("RACELAB_MAX_EXECUTIONS", "-3").contains("RACELAB_MAX_EXECUTIONS=-3"));
    }
}
