//! What the environment says of a check.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::explorer::Explorer;
use crate::trace::Schedule;
use crate::verdict::{Engine, SpuriousWakeUps};

use super::parse_duration;

/// How the names of all variables begin.
const PREFIX: &str = "RACELAB_";

/// Names that are less alike than this are no typing errors of each other.
const ALIKE: f64 = 0.7;

/// The variables that there are.
const KNOWN: [&str; 11] = [
    "RACELAB_ENGINE",
    "RACELAB_JOBS",
    "RACELAB_MAX_EXECUTIONS",
    "RACELAB_MAX_STEPS",
    "RACELAB_PREEMPTIONS",
    "RACELAB_REPLAY",
    "RACELAB_REQUIRE",
    "RACELAB_SEED",
    "RACELAB_SPURIOUS",
    "RACELAB_SUMMARY",
    "RACELAB_TIME_LIMIT",
];

/// The variables of the process that are meant for the lab.
pub(super) fn variables() -> Vec<(OsString, OsString)> {
    let is_ours = |name: &OsString| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    env::vars_os().filter(|(name, _)| is_ours(name)).collect()
}

/// The settings of a check, with what the environment has changed.
pub(super) struct Environment {
    pub(super) explorer: Explorer,
    /// Whether everything has to be explored.
    pub(super) requires_complete: bool,
    /// The one execution to run, if it is not all.
    pub(super) replay: Option<Schedule>,
    /// The file to which a line of each check is added.
    pub(super) summary: Option<PathBuf>,
}

impl Environment {
    /// Changes the settings of a test as these variables say.
    pub(super) fn read(
        mut explorer: Explorer,
        test: &str,
        variables: &[(OsString, OsString)],
    ) -> Result<Self, String> {
        let variables = Variables::new(variables)?;
        if let Some(name) = variables.text("RACELAB_ENGINE")? {
            let engine: Result<Engine, _> = name.parse();
            explorer = explorer.on(engine.map_err(|error| format!("RACELAB_ENGINE: {error}"))?);
        }
        if let Some(executions) = variables.number(
            "RACELAB_MAX_EXECUTIONS",
            1..=u64::MAX,
            "a number of executions, from 1 on",
        )? {
            explorer = explorer.max_executions(executions);
        }
        if let Some(steps) = variables.number(
            "RACELAB_MAX_STEPS",
            1..=u64::MAX,
            "a number of steps, from 1 on",
        )? {
            // A larger bound than there can be is taken for the largest.
            explorer = explorer.max_steps(usize::try_from(steps).unwrap_or(usize::MAX));
        }
        if let Some(preemptions) = variables.number(
            "RACELAB_PREEMPTIONS",
            0..=u64::from(u8::MAX),
            "a number of preemptions, from 0 to 255",
        )? {
            explorer = explorer.preemption_bound(u8::try_from(preemptions).unwrap_or(u8::MAX));
        }
        if let Some(jobs) = variables.number(
            "RACELAB_JOBS",
            1..=1024,
            "a number of threads, from 1 to 1024",
        )? {
            explorer = explorer.jobs(usize::try_from(jobs).unwrap_or(1));
        }
        if let Some(seed) =
            variables.number("RACELAB_SEED", 0..=u64::MAX, "a number from 0 to 2^64 - 1")?
        {
            explorer = explorer.seed(seed);
        }
        explorer = match variables.text("RACELAB_SPURIOUS")? {
            None => explorer,
            Some("on") => explorer.spurious(SpuriousWakeUps::Explored),
            Some("off") => explorer.spurious(SpuriousWakeUps::LeftOut),
            Some(other) => {
                return Err(format!("RACELAB_SPURIOUS={other}: write `on` or `off`"));
            }
        };
        if let Some(text) = variables.text("RACELAB_TIME_LIMIT")? {
            let limit = parse_duration(text);
            explorer =
                explorer.time_limit(limit.map_err(|error| format!("RACELAB_TIME_LIMIT: {error}"))?);
        }
        let requires_complete = match variables.text("RACELAB_REQUIRE")? {
            None => false,
            Some("complete") => true,
            Some(other) => {
                return Err(format!(
                    "RACELAB_REQUIRE={other}: the only value is `complete`"
                ));
            }
        };
        let replay = match variables.text("RACELAB_REPLAY")? {
            Some(text) => replay_for(test, text)?,
            None => None,
        };
        Ok(Environment {
            explorer,
            requires_complete,
            replay,
            summary: variables.raw("RACELAB_SUMMARY").map(PathBuf::from),
        })
    }
}

/// The known variable that an unknown one is most like, if it is like one. The engine alone has few
/// dependencies, and names none.
fn nearest(unknown: &OsStr) -> Option<&'static str> {
    #[cfg(feature = "lab")]
    let likeness_of = strsim::jaro_winkler;
    #[cfg(not(feature = "lab"))]
    let likeness_of = |_: &str, _: &str| 0.0;
    // What all begin with makes none more like another.
    let own = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_owned();
    let unknown = own(unknown.to_str()?);
    let likeness = |known: &&str| -> f64 { likeness_of(&unknown, &own(known)) };
    let most = KNOWN
        .into_iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    most.filter(|known| likeness(known) >= ALIKE)
}

/// Variables, all of which are known.
struct Variables<'a>(&'a [(OsString, OsString)]);

impl<'a> Variables<'a> {
    fn new(variables: &'a [(OsString, OsString)]) -> Result<Self, String> {
        let is_known = |name: &OsString| KNOWN.iter().any(|known| name == known);
        match variables.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => {
                let hint = nearest(name).map(|known| format!("; did you mean {known}?"));
                Err(format!(
                    "unknown variable {}: racelab knows {}{}",
                    name.display(),
                    KNOWN.join(", "),
                    hint.unwrap_or_default()
                ))
            }
            None => Ok(Variables(variables)),
        }
    }

    /// The value of a variable. An empty one counts as none, since some shells and CI systems cannot
    /// unset one.
    fn raw(&self, name: &str) -> Option<&'a OsString> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        match value.to_str() {
            Some(text) => Ok(Some(text)),
            None => Err(format!("{name}={} is not UTF-8", value.display())),
        }
    }

    fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
        what: &str,
    ) -> Result<Option<u64>, String> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(format!("{name}={text} is not {what}")),
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
    fn a_malformed_variable_is_named() {
        let only = |name: &'static str, value: &'static str| {
            let variables = [(name.into(), value.into())];
            let read = Environment::read(Explorer::new(Engine::Dpor), "t", &variables);
            read.err().unwrap_or_default()
        };
        assert!(only("RACELAB_SEED", "nine").contains("RACELAB_SEED=nine"));
        assert!(only("RACELAB_ENGINE", "dfx").contains("unknown engine `dfx`"));
        assert!(only("RACELAB_REQUIRE", "all").contains("RACELAB_REQUIRE=all"));
        assert!(only("RACELAB_TIME_LIMIT", "soon").contains("invalid duration `soon`"));
        assert!(only("RACELAB_MAX_EXECUTIONS", "-3").contains("RACELAB_MAX_EXECUTIONS=-3"));
        assert!(only("RACELAB_MAX_STEPS", "0").contains("RACELAB_MAX_STEPS=0"));
        assert!(only("RACELAB_PREEMPTIONS", "256").contains("RACELAB_PREEMPTIONS=256"));
        assert!(only("RACELAB_SPURIOUS", "1").contains("RACELAB_SPURIOUS=1"));
        assert!(only("RACELAB_JOBS", "0").contains("RACELAB_JOBS=0"));
    }

    #[test]
    fn an_unknown_variable_is_an_error_that_names_the_known_ones() {
        let variables = [("RACELAB_ENGIN".into(), "dfs".into())];
        let read = Environment::read(Explorer::new(Engine::Dpor), "t", &variables);
        let error = read.err().unwrap_or_default();
        assert!(
            error.starts_with("unknown variable RACELAB_ENGIN: "),
            "{error}"
        );
        for known in KNOWN {
            assert!(error.contains(known), "{error}");
        }
    }

    #[cfg(feature = "lab")]
    #[test]
    fn a_typing_error_is_answered_with_the_variable_that_was_meant() {
        let meant = |unknown: &str| nearest(OsStr::new(unknown));
        for known in KNOWN {
            // Without a letter, and with one too many.
            assert_eq!(meant(&known[..known.len() - 1]), Some(known));
            assert_eq!(meant(&format!("{known}S")), Some(known));
        }
        assert_eq!(meant("RACELAB_TIMELIMIT"), Some("RACELAB_TIME_LIMIT"));
        assert_eq!(meant("RACELAB_PREEMPTION"), Some("RACELAB_PREEMPTIONS"));
        assert_eq!(meant("RACELAB_QQQ"), None);
        let variables = [("RACELAB_ENGIN".into(), "dfs".into())];
        let read = Environment::read(Explorer::new(Engine::Dpor), "t", &variables);
        let error = read.err().unwrap_or_default();
        assert!(error.ends_with("; did you mean RACELAB_ENGINE?"), "{error}");
    }
}
