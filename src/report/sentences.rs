//! What is said of a search: its bounds, its reasons and what it left out, in sentences.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::trace::{LeftOut, Operation};
use crate::verdict::{Bound, Cause, Coverage, Difference, Engine, Loop, Reason, Report, Sharing};

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::MaxExecutions(1) => f.write_str("the bound of 1 execution"),
            Bound::MaxExecutions(max) => write!(f, "the bound of {} executions", grouped(*max)),
            Bound::TimeLimit(limit) => write!(f, "the time limit of {}", in_words(*limit)),
            Bound::MaxSteps(steps) => write!(
                f,
                "the bound of {} steps an execution",
                grouped(*steps as u64)
            ),
            Bound::Interrupted => f.write_str("an interrupt"),
            Bound::Preemptions(1) => f.write_str("the bound of 1 preemption"),
            Bound::Preemptions(max) => write!(f, "the bound of {max} preemptions"),
            Bound::LeftOut(kind) => write!(f, "{kind}, which the engine does not explore"),
            Bound::CutFailures => f.write_str("failures that end an execution early"),
            Bound::OneExecution => f.write_str("a replay is one execution"),
            Bound::Runs(1) => f.write_str("the bound of 1 run"),
            Bound::Runs(runs) => write!(f, "the bound of {} runs", grouped(*runs)),
            Bound::Crashes(crashes) => write!(f, "{} crashes", grouped(*crashes)),
            Bound::Timeouts(1) => f.write_str("1 time-out"),
            Bound::Timeouts(runs) => write!(f, "{} time-outs", grouped(*runs)),
            Bound::Shard(shard) => write!(f, "the end of {shard}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Bound(Bound::OneExecution) => {
                f.write_str("this execution does not fail; a replay says nothing of the others")
            }
            Reason::Bound(Bound::LeftOut(LeftOut::WakeOrder)) => f.write_str(
                "no interleaving fails in which the thread that has waited longest is woken; loom \
                 does not explore the other orders, `--engine dpor` does",
            ),
            Reason::Bound(Bound::LeftOut(LeftOut::Timeouts)) => f.write_str(
                "no interleaving fails in which no wait times out; loom has no time-outs, \
                 `--engine dpor` has",
            ),
            Reason::Bound(Bound::LeftOut(LeftOut::Rendezvous)) => f.write_str(
                "no interleaving fails in which each offer at a rendezvous finds a receiver that \
                 waits; loom does not explore the others, `--engine dpor` does",
            ),
            Reason::Bound(Bound::LeftOut(LeftOut::ForgottenLoads)) => f.write_str(
                "no execution of loom's fails, but its reduction can miss interleavings here: a \
                 thread writes an atomic that another one has read before, and of the earlier reads \
                 loom knows only the last; `--engine dpor` misses none, but has no stale values",
            ),
            Reason::Bound(Bound::MaxSteps(steps)) => write!(
                f,
                "an execution did not end within {} steps: the body may never end, or needs a \
                 larger bound (`--max-steps`, `Explorer::max_steps`)",
                grouped(*steps as u64)
            ),
            Reason::Bound(Bound::Runs(runs)) => no_run_failed(f, *runs, ""),
            Reason::Runs { made, bound } => no_run_failed(f, *made, &format!(" before {bound}")),
            Reason::Bound(Bound::Shard(shard)) => write!(
                f,
                "only {shard} was explored, in which nothing fails: merge it with the others \
                 (`racelab merge`)"
            ),
            Reason::Shard { shard, why } => write!(f, "{shard}: {why}"),
            Reason::Bound(bound) => write!(
                f,
                "{bound} was reached before every interleaving was explored"
            ),
            Reason::NotDeterministic { step } => write!(
                f,
                "the body is not deterministic: with the same choices, step {step} differed; let it \
                 do the same in each execution: usual causes are the order of a HashMap (take a \
                 BTreeMap), Instant and SystemTime, random numbers (seed them in the body), \
                 addresses, and state that outlives the closure"
            ),
            Reason::Stuck { waited, last } => {
                write!(f, "the body made no step for {}", in_words(*waited))?;
                if let Some((thread, operation, at)) = last {
                    write!(
                        f,
                        "; the last was {thread} {operation} at {}:{}",
                        at.file(),
                        at.line()
                    )?;
                }
                f.write_str(
                    "; likely causes are an endless loop without an operation of racelab in it, and \
                     what blocks and is not racelab's: std's Mutex, Condvar, mpsc or thread::sleep, \
                     or real I/O left in the body",
                )
            }
            Reason::NotConfirmed { message, searched } => not_confirmed(f, message, *searched),
            Reason::Doubtful { message } => write!(
                f,
                "this execution fails ({}), but by a stale value, and every access is SeqCst, \
                 which loom only approximates: it may not be possible",
                message.lines().next().unwrap_or_default()
            ),
            Reason::Endless { run, waited } => write!(
                f,
                "run {} did not end within {}: a deadlock, a livelock or an endless loop",
                grouped(*run),
                in_words(*waited)
            ),
            Reason::Crashed(how) => write!(
                f,
                "the process in which the engine ran {how}: a destructor that panics while its \
                 thread is unwound does that, and so does an error of the engine"
            ),
            Reason::Unsupported(what) | Reason::Misused(what) | Reason::Diverged(what) => {
                f.write_str(what)
            }
        }
    }
}

/// The operations of a round that are named, from the first on.
const NAMED_OF_ROUND: usize = 6;

/// How often a thread went round, and by which places.
pub(crate) fn looping(found: &Loop) -> String {
    let Loop {
        thread,
        rounds,
        round,
    } = found;
    let named = round.iter().take(NAMED_OF_ROUND);
    let named = named.map(|(operation, at)| format!("{operation} {at}"));
    let mut places = named.collect::<Vec<_>>().join(", ");
    if round.len() > NAMED_OF_ROUND {
        places += &format!(" and {} more", round.len() - NAMED_OF_ROUND);
    }
    format!("{thread} went round {} times: {places}", grouped(*rounds))
}

/// Where executions with the same choices went apart, and why, most likely.
pub(crate) fn differing(difference: &Difference) -> String {
    let Difference { one, other, cause } = difference;
    let did = |(thread, operation, at): &(String, Operation, &Location<'_>)| {
        format!("{thread} did {operation} {}:{}", at.file(), at.line())
    };
    match cause {
        Cause::Decision => format!(
            "{} in one execution and {} in another: what decides between them is likely an Instant, \
             a random number, or state that outlives the closure",
            did(one),
            did(other)
        ),
        Cause::Order => format!(
            "{} on another object or value in each execution: likely the order of a HashMap or \
             HashSet, or state that outlives the closure",
            did(one)
        ),
        Cause::Value => format!(
            "{} with another value in each execution: likely an Instant, a SystemTime or a random \
             number",
            did(one)
        ),
    }
}

/// What is wrong with what a body uses of the lab, if anything is.
pub(crate) fn remark(sharing: Sharing) -> Option<&'static str> {
    match sharing {
        Sharing::Unused => Some(
            "the body used nothing of racelab: use `racelab::sync` and `racelab::thread` in place of \
             std's, in the body and in what it calls",
        ),
        Sharing::OneThread => Some(
            "the body started no thread of racelab: start those that are to be interleaved with \
             `racelab::thread` or `racelab::future`",
        ),
        Sharing::Nothing => Some(
            "its threads share nothing of racelab, so that no order of them was explored: use \
             `racelab::sync` and `racelab::cell` for what they share",
        ),
        Sharing::Objects => None,
    }
}

/// How a search could be faster that ran out of time, if that is known.
pub(crate) fn faster(report: &Report) -> Option<&'static str> {
    let is_cut = matches!(report.coverage, Coverage::Bounded(Bound::TimeLimit(_)));
    // The others spend their time in loom, in shuttle and in the program.
    let is_ours = report.engine.is_some_and(Engine::is_divisible);
    (cfg!(unoptimised) && is_cut && is_ours).then_some(
        "racelab was built without optimisation, and is about five times as fast with `--release`, \
         or with `racelab.opt-level = 3` and `corosensei.opt-level = 3` under \
         `[profile.dev.package]` in Cargo.toml",
    )
}

/// Says what runs on real threads mean if none of them failed, and when they ended.
fn no_run_failed(f: &mut fmt::Formatter<'_>, runs: u64, when: &str) -> fmt::Result {
    match runs {
        0 => return write!(f, "no run came to its end{when}"),
        1 => write!(f, "the run did not fail{when}")?,
        runs => write!(f, "none of {} runs failed{when}", grouped(runs))?,
    }
    f.write_str("; real threads show few of the interleavings that are possible")
}

/// Says of a failure that only loom sees how far it was looked for elsewhere.
fn not_confirmed(
    f: &mut fmt::Formatter<'_>,
    message: &str,
    searched: Result<u64, u64>,
) -> fmt::Result {
    write!(
        f,
        "loom reports a failure ({}) that needs a stale value, but every access is SeqCst, which \
         loom only approximates; ",
        message.lines().next().unwrap_or_default()
    )?;
    match searched {
        Ok(all) => write!(
            f,
            "under sequential consistency none of all {} interleavings fails, so that it is no bug",
            grouped(all)
        ),
        Err(some) => write!(
            f,
            "{} interleavings under sequential consistency did not fail either, before that search \
             was cut",
            grouped(some)
        ),
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeftOut::StaleValues => {
                "the stale values that orderings weaker than SeqCst allow (try `--engine loom`)"
            }
            LeftOut::SpuriousWakeUps => "spurious wake-ups",
            LeftOut::RepeatedFailures => "spurious failures that come again at once",
            LeftOut::RepeatedTimeouts => "time-outs that come again at once",
            LeftOut::RepeatedWakeUps => "spurious wake-ups that come again at once",
            LeftOut::RepeatedRounds => {
                "further rounds of loops that poll and may change what a lock guards"
            }
            LeftOut::UndoneRounds => "further rounds of loops that undo what they write",
            LeftOut::Timeouts => "time-outs",
            LeftOut::SpuriousFailures => "spurious failures",
            LeftOut::WakeOrder => "other orders in which waiting threads are woken",
            LeftOut::Rendezvous => "offers at a rendezvous before the other end is there",
            LeftOut::LoadBuffering => "load buffering and stores before the last seven",
            LeftOut::ForgottenLoads => "interleavings that loom's reduction can miss",
            LeftOut::StrictFences => {
                "executions in which SeqCst fences do not synchronise with each other"
            }
            LeftOut::Yields => "threads that yield again going on before others",
            LeftOut::AfterRaces => "what follows a data race (try `--engine dfs`)",
            LeftOut::LastDrops => {
                "races of destructors that the last drop of an `Arc` runs with what other threads \
                 reached otherwise than through its clones"
            }
            LeftOut::DropOrders => {
                "other threads dropping an `Arc` last (use `sync::counted::Arc`)"
            }
            LeftOut::NamelessFunctions => {
                "whether the race is in the last drop of an `Arc`, and so none: the functions have no \
                 names (`strip = true`)"
            }
            LeftOut::WaitingWriters => "readers that wait, or fail, behind a thread that waits to write",
        })
    }
}

/// A count with its noun: `1 execution`, `2 executions`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}

/// A time, as `10s`. That of nothing is `0s`.
pub(crate) fn in_words(time: Duration) -> String {
    if time.is_zero() {
        return "0s".to_owned();
    }
    format!("{time:?}")
}

/// A number with its thousands set apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
    }

    #[test]
    fn no_time_is_no_seconds() {
        assert_eq!(in_words(Duration::ZERO), "0s");
        assert_eq!(in_words(Duration::from_millis(1500)), "1.5s");
    }
}
