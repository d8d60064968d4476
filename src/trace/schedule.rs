//! What the scheduler chose, as a line of text that replays it.

use std::fmt;
use std::str::FromStr;

use super::ThreadId;

/// What the scheduler chose at one step: a thread, and which way of the thread's next operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice {
    /// The thread that does its next operation.
    pub thread: ThreadId,
    /// Which way the operation goes. 0 is the normal one; others are a time-out, a weak
    /// compare-and-swap that fails, or the rank of the waiting thread that is woken.
    pub alternative: u32,
}

impl Choice {
    /// The normal way of the thread's next operation.
    pub fn of(thread: ThreadId) -> Self {
        Choice {
            thread,
            alternative: 0,
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alternative {
            0 => write!(f, "{}", self.thread.0),
            alternative => write!(f, "{}~{alternative}", self.thread.0),
        }
    }
}

/// What the scheduler chose in an execution: one [`Choice`] per step.
///
/// The text is one thread number per step, separated by dots, with `*n` for a
/// choice that is made `n` times in a row, and `~k` for the `k`-th way of a
/// step. A schedule without steps is written `-`. Where the accesses of cells are steps as well, it
/// begins with `cells:`. An execution of loom is `loom:K`, the `K`-th of its search, or
/// `loom:K/bound=P` with a bound on preemptions.
///
/// ```
/// use racelab::trace::Schedule;
///
/// let schedule: Schedule = "0.0.1.2*2.1.0*3".parse()?;
/// assert_eq!(schedule.len(), 9);
/// assert_eq!(schedule.to_string(), "0*2.1.2*2.1.0*3");
/// # Ok::<(), racelab::trace::ParseScheduleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule {
    choices: Vec<Choice>,
    cells: CellAccesses,
    loom: Option<LoomExecution>,
}

/// Whether the scheduler is asked before an access of a cell.
///
/// It need not be as long as two accesses that can change places race, whichever comes first. After
/// the last drop of an `Arc` that is not so: what comes before it is ordered, what comes after it
/// races.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CellAccesses {
    #[default]
    Unscheduled,
    Steps,
}

/// Which execution of loom's, whose search always takes the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct LoomExecution {
    /// Its number, from 1 on.
    pub number: u64,
    /// The bound on preemptions of the search.
    pub preemption_bound: Option<u8>,
}

impl fmt::Display for LoomExecution {
    /// As `loom:7`, or `loom:7/bound=2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loom:{}", self.number)?;
        match self.preemption_bound {
            Some(bound) => write!(f, "/bound={bound}"),
            None => Ok(()),
        }
    }
}

impl Schedule {
    /// The largest number of steps that a schedule can have.
    pub const MAX_STEPS: usize = 1_000_000;

    /// The choices, in the order of the steps.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The execution of loom that this stands for, in place of choices.
    pub fn loom(&self) -> Option<LoomExecution> {
        self.loom
    }

    pub(crate) fn cells(&self) -> CellAccesses {
        self.cells
    }

    /// The same, for an execution in which the accesses of cells are this.
    pub(crate) fn with_cells(self, cells: CellAccesses) -> Self {
        Schedule { cells, ..self }
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.choices.len()
    }

    /// Whether there is no step at all.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }
}

impl From<LoomExecution> for Schedule {
    fn from(execution: LoomExecution) -> Self {
        Schedule {
            loom: Some(execution),
            ..Schedule::default()
        }
    }
}

impl From<Vec<Choice>> for Schedule {
    fn from(choices: Vec<Choice>) -> Self {
        Schedule {
            choices,
            ..Schedule::default()
        }
    }
}

/// What a schedule begins with in which the accesses of cells are steps.
const WITH_CELLS: &str = "cells:";

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(execution) = self.loom {
            return execution.fmt(f);
        }
        if self.cells == CellAccesses::Steps {
            f.write_str(WITH_CELLS)?;
        }
        if self.is_empty() {
            return f.write_str("-");
        }
        for (index, run) in self.choices.chunk_by(|a, b| a == b).enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write!(f, "{}", run[0])?;
            if run.len() > 1 {
                write!(f, "*{}", run.len())?;
            }
        }
        Ok(())
    }
}

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseScheduleError {
    part: String,
    position: usize,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Empty,
    Thread,
    Alternative,
    Repeat,
    TooLong,
    Loom,
}

impl fmt::Display for ParseScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseScheduleError {
            part,
            position,
            problem,
        } = self;
        // Quoted with escapes and cut, so that any text makes one readable line.
        let shown: String = part.chars().take(24).collect();
        let dots = if shown.len() < part.len() { "…" } else { "" };
        write!(f, "malformed schedule: part {position}, {shown:?}{dots}, ")?;
        match problem {
            Problem::Empty => f.write_str("is empty")?,
            Problem::Thread => f.write_str("does not begin with a thread number")?,
            Problem::Alternative => f.write_str("has no number after `~`")?,
            Problem::Repeat => f.write_str("needs a number of at least 1 after `*`")?,
            Problem::Loom => {
                return f
                    .write_str("is no execution of loom; one looks like loom:7 or loom:7/bound=2");
            }
            Problem::TooLong => {
                write!(f, "makes it longer than {} steps", Schedule::MAX_STEPS)?;
            }
        }
        f.write_str("; a schedule looks like 0*2.1.2*2.1.0*3")
    }
}

impl std::error::Error for ParseScheduleError {}

impl FromStr for Schedule {
    type Err = ParseScheduleError;

    /// # Errors
    ///
    /// If the text is not a schedule, or stands for more than [`Schedule::MAX_STEPS`] steps.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(steps) = text.strip_prefix(WITH_CELLS) {
            return parse_choices(steps).map(|steps| steps.with_cells(CellAccesses::Steps));
        }
        if let Some(execution) = text.strip_prefix("loom:") {
            let execution = parse_loom(execution).ok_or_else(|| ParseScheduleError {
                part: text.to_owned(),
                position: 1,
                problem: Problem::Loom,
            })?;
            return Ok(Schedule::from(execution));
        }
        parse_choices(text)
    }
}

/// Parses a schedule without a prefix.
fn parse_choices(text: &str) -> Result<Schedule, ParseScheduleError> {
    if text == "-" {
        return Ok(Schedule::default());
    }
    let mut choices = Vec::new();
    for (index, part) in text.split('.').enumerate() {
        let error = |problem| ParseScheduleError {
            part: part.to_owned(),
            position: index + 1,
            problem,
        };
        let (choice, count) = parse_part(part).map_err(error)?;
        // Compared before anything is allocated: the text may ask for terabytes.
        if count > Schedule::MAX_STEPS - choices.len() {
            return Err(error(Problem::TooLong));
        }
        choices.resize(choices.len() + count, choice);
    }
    Ok(Schedule::from(choices))
}

/// Parses `N`, `N~k`, `N*m` or `N~k*m`.
fn parse_part(part: &str) -> Result<(Choice, usize), Problem> {
    if part.is_empty() {
        return Err(Problem::Empty);
    }
    let (step, count) = match part.split_once('*') {
        Some((step, count)) => (step, parse_count(count)?),
        None => (part, 1),
    };
    let (thread, alternative) = match step.split_once('~') {
        Some((thread, alternative)) => (
            thread,
            parse_number(alternative).ok_or(Problem::Alternative)?,
        ),
        None => (step, 0),
    };
    let thread = ThreadId(parse_number(thread).ok_or(Problem::Thread)?);
    Ok((
        Choice {
            thread,
            alternative,
        },
        count,
    ))
}

/// An execution of loom, behind its prefix.
fn parse_loom(text: &str) -> Option<LoomExecution> {
    let (number, bound) = match text.split_once("/bound=") {
        Some((number, bound)) => (number, Some(bound)),
        None => (text, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(number) || !bound.is_none_or(is_number) {
        return None;
    }
    Some(LoomExecution {
        number: number.parse().ok().filter(|number| *number > 0)?,
        preemption_bound: bound.map(str::parse).transpose().ok()?,
    })
}

/// A repeat. One that is too large for the machine is only too long, not malformed.
fn parse_count(text: &str) -> Result<usize, Problem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::Repeat);
    }
    match text.parse() {
        Ok(0) => Err(Problem::Repeat),
        Ok(count) => Ok(count),
        Err(_) => Err(Problem::TooLong),
    }
}

/// Digits only: `FromStr` of integers would also take a sign.
fn parse_number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Problem {
        text.parse::<Schedule>().unwrap_err().problem
    }

    #[test]
    fn a_repeat_and_an_alternative_combine() {
        let schedule: Schedule = "3~1*2.0".parse().unwrap();
        let timed_out = Choice {
            thread: ThreadId(3),
            alternative: 1,
        };
        assert_eq!(
            schedule.choices(),
            [timed_out, timed_out, Choice::of(ThreadId::MAIN)]
        );
        assert_eq!(schedule.to_string(), "3~1*2.0");
    }

    #[test]
    fn the_empty_schedule_has_a_text() {
        assert_eq!(Schedule::default().to_string(), "-");
        assert_eq!("-".parse(), Ok(Schedule::default()));
    }

    #[test]
    fn that_accesses_of_cells_are_steps_is_in_the_text() {
        for text in ["cells:0*2.1", "cells:-"] {
            let schedule = text.parse::<Schedule>().unwrap();
            assert_eq!(schedule.cells(), CellAccesses::Steps);
            assert_eq!(schedule.to_string(), text);
        }
        assert_eq!(problem("cells:cells:0"), Problem::Thread);
        assert_eq!(problem("cells:loom:7"), Problem::Thread);
    }

    #[test]
    fn an_execution_of_loom_is_a_schedule() {
        for text in ["loom:7", "loom:18446744073709551615/bound=2"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn malformed_text_is_refused_by_its_problem() {
        assert_eq!(problem(""), Problem::Empty);
        assert_eq!(problem("0..1"), Problem::Empty);
        assert_eq!(problem("one"), Problem::Thread);
        assert_eq!(problem("+1"), Problem::Thread);
        assert_eq!(problem("0~"), Problem::Alternative);
        assert_eq!(problem("0*0"), Problem::Repeat);
        assert_eq!(problem("0*-1"), Problem::Repeat);
        assert_eq!(problem("0*99999999999"), Problem::TooLong);
        assert_eq!(problem("0*99999999999999999999999999"), Problem::TooLong);
        assert_eq!(problem("0*600000.1*600000"), Problem::TooLong);
        for text in [
            "loom:",
            "loom:0",
            "loom:x",
            "loom:-1",
            "loom:1/bound=",
            "loom:1/bound=256",
        ] {
            assert_eq!(problem(text), Problem::Loom, "{text}");
        }
    }
}
