//! What a check has come to, as a line of text: how it is written into the file of `RACELAB_SUMMARY`, and
//! how `racelab test` reads it.

use std::fmt;
#[cfg(any(feature = "cli", test))]
use std::str::FromStr;
use std::time::Duration;

use super::style::printable;

/// What each line begins with: which fields follow.
const SCHEMA: &str = "racelab/check/1";

/// How many fields a line has.
const FIELDS: usize = 12;

/// What a check has come to: a line of the summary.
///
/// Its fields are separated by tabs, in the order in which they stand here, behind the name of the schema.
/// No field has a control character in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckLine {
    /// The binary of the test, without the hash that cargo adds.
    pub(crate) target: String,
    /// The name of the test.
    pub(crate) test: String,
    /// Where the check was called: file and line.
    pub(crate) at: String,
    /// The engine, or `replay`.
    pub(crate) engine: String,
    /// The memory model: `sc`, `c11`, or `machine` for real threads.
    pub(crate) memory_model: String,
    /// Whether the check passed.
    pub(crate) result: CheckResult,
    /// The verdict of the search: `holds`, `violated` or `inconclusive`.
    pub(crate) verdict: String,
    /// The executions that were run to their ends.
    pub(crate) executions: u64,
    /// Whether everything was explored: `complete`, or what cut the search.
    pub(crate) searched: String,
    /// How long the check took.
    pub(crate) time: Duration,
    /// The check in a sentence.
    pub(crate) sentence: String,
}

/// Whether a check passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckResult {
    Passed,
    Failed,
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CheckResult::Passed => "passed",
            CheckResult::Failed => "failed",
        })
    }
}

/// What [`CheckLine::searched`] says of a search of everything.
pub(crate) const COMPLETE: &str = "complete";

impl fmt::Display for CheckLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: [&dyn fmt::Display; FIELDS - 1] = [
            &self.target,
            &self.test,
            &self.at,
            &self.engine,
            &self.memory_model,
            &self.result,
            &self.verdict,
            &self.executions,
            &self.searched,
            &self.time.as_secs_f64(),
            &self.sentence,
        ];
        f.write_str(SCHEMA)?;
        for field in fields {
            // A tab or the end of a line in a field is written as an escape.
            write!(f, "\t{}", printable(&field.to_string()))?;
        }
        Ok(())
    }
}

#[cfg(any(feature = "cli", test))]
impl FromStr for CheckLine {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split('\t').collect();
        let error = || format!("not a line of a check: `{line}`");
        let fields: [&str; FIELDS] = fields.try_into().map_err(|_| error())?;
        let [
            schema,
            target,
            test,
            at,
            engine,
            memory_model,
            result,
            verdict,
            executions,
            searched,
            seconds,
            sentence,
        ] = fields;
        if schema != SCHEMA {
            return Err(format!(
                "the summary of the tests is of the form `{schema}`, and this command reads \
                 `{SCHEMA}`: take the same version of racelab for both"
            ));
        }
        let result = match result {
            "passed" => CheckResult::Passed,
            "failed" => CheckResult::Failed,
            _ => return Err(error()),
        };
        let seconds: f64 = seconds.parse().map_err(|_| error())?;
        Ok(CheckLine {
            target: target.to_owned(),
            test: test.to_owned(),
            at: at.to_owned(),
            engine: engine.to_owned(),
            memory_model: memory_model.to_owned(),
            result,
            verdict: verdict.to_owned(),
            executions: executions.parse().map_err(|_| error())?,
            searched: searched.to_owned(),
            time: Duration::try_from_secs_f64(seconds).map_err(|_| error())?,
            sentence: sentence.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            texts in prop::array::uniform8(any::<String>()),
            executions: u64,
            micros in 0_u64..1 << 40,
            passed: bool,
        ) {
            let [target, test, at, engine, memory_model, verdict, searched, sentence] =
                texts.map(|text| printable(&text));
            let result = if passed { CheckResult::Passed } else { CheckResult::Failed };
            let time = Duration::from_micros(micros);
            let line = CheckLine {
                target, test, at, engine, memory_model, result, verdict, executions, searched,
                time, sentence,
            };
            let read: CheckLine = line.to_string().parse().unwrap();
            let difference = read.time.abs_diff(time);
            prop_assert!(difference < Duration::from_micros(1), "{difference:?}");
            prop_assert_eq!(CheckLine { time, ..read }, line);
        }

        #[test]
        fn a_text_that_is_no_line_is_an_error(text: String) {
            prop_assert!(text.parse::<CheckLine>().is_err());
        }
    }

    #[test]
    fn a_line_of_another_version_is_said_to_be_one() {
        let line = format!("racelab/check/9{}", "\t0".repeat(FIELDS - 1));
        let error = line.parse::<CheckLine>().unwrap_err();
        assert!(
            error.contains("racelab/check/9") && error.contains(SCHEMA),
            "{error}"
        );
    }
}
