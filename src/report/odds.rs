//! What runs on real threads came to: how often each result came, how sure the share of bad runs
//! is, and how common the bug is among the interleavings.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::verdict::{Report, Verdict};

use super::sentences::{grouped, plural};
use super::share::{Share, percent};
use super::style::{Style, label, labelled, printable};
use super::text::{Subject, head, searched};

/// More results than these are only counted together.
const MOST_ROWS: usize = 12;

/// The widest that a result is shown.
const WIDEST: usize = 28;

/// The longest bar, in columns.
const LONGEST_BAR: usize = 20;

/// What runs on real threads came to, beside their report.
#[derive(Clone, Debug)]
pub struct Odds {
    /// The size at which the variant was run, as it is asked for: `--threads 2 --ops 1`.
    pub size: String,
    /// How often the runs that came to an end did so in which way.
    pub ended: Vec<EndedRuns>,
    /// How often the process ended in a run, by how it did.
    pub crashes: Vec<Crash>,
    /// The runs that did not end.
    pub timeouts: u64,
    /// Why there could be no more runs, if something other than a bound ended them.
    pub ended_early: Option<String>,
    /// How many of the interleavings are bad, or why that is not known.
    pub theory: Result<Theory, String>,
}

/// Runs that came to an end in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRuns {
    /// What they recorded as their result.
    pub outcome: Option<String>,
    /// Whether they failed.
    pub failed: bool,
    /// How many there were.
    pub runs: u64,
}

/// Runs whose process ended in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crash {
    /// The name of the signal, as `SIGSEGV`, or how it ended without one.
    pub signal: String,
    /// How many there were.
    pub runs: u64,
    /// The first line that was said at the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// What a search past failures has counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Theory {
    /// The variant whose traces they are.
    pub variant: String,
    /// The traces that were explored.
    pub traces: u64,
    /// Those that fail.
    pub bad: u64,
    /// Whether there are no others.
    pub complete: bool,
    /// `on` where spurious wake-ups were explored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spurious: Option<&'static str>,
}

/// The odds in JSON, beside the keys of the report.
#[derive(Debug, Serialize)]
pub struct OddsValue {
    /// The runs that came to their end and recorded no outcome. With those of the outcomes, the
    /// crashes and the time-outs they are all executions.
    without_outcome: u64,
    crashes: Vec<Crash>,
    timeouts: u64,
    bad_share: Option<f64>,
    bad_share_interval: Option<(f64, f64)>,
    ended_early: Option<String>,
    theory: Option<Theory>,
}

/// Puts the odds of a report into their JSON form.
pub fn json(report: &Report, odds: &Odds) -> OddsValue {
    let bad = bad(report);
    let without_outcome = odds.ended.iter().filter(|ended| ended.outcome.is_none());
    OddsValue {
        without_outcome: without_outcome.map(|ended| ended.runs).sum(),
        crashes: odds.crashes.clone(),
        timeouts: odds.timeouts,
        bad_share: bad.value(),
        bad_share_interval: bad.interval(),
        ended_early: odds.ended_early.clone(),
        theory: odds.theory.as_ref().ok().cloned(),
    }
}

/// Renders the report of runs on real threads with their odds.
pub fn text(report: &Report, odds: &Odds, subject: &Subject, style: &Style) -> String {
    let mut out = head(report, subject, style);
    if report.executions > 0 {
        out += "\n";
        out += &histogram(report.executions, odds, style);
    }
    let mut facts = Vec::new();
    if let Verdict::Violated(failure) = &report.verdict {
        facts.extend(failure.at.clone().map(|at| ("at", at)));
    }
    facts.extend(bad_runs(bad(report)).map(|bad| ("bad", bad)));
    for crash in &odds.crashes {
        if let Some(says) = &crash.says {
            facts.push(("said", format!("{says} ({})", crash.signal)));
        }
    }
    facts.push(("size", odds.size.clone()));
    facts.push(("theory", theory(report, odds)));
    facts.extend(meaning(report, odds).map(|meaning| ("means", meaning)));
    if matches!(report.verdict, Verdict::Violated(_)) && !subject.fix.is_empty() {
        facts.push(("fix", subject.fix.clone()));
    }
    // Otherwise the verdict says so.
    if let (Some(why), Verdict::Violated(_)) = (&odds.ended_early, &report.verdict) {
        facts.push(("ended", format!("early: {why}")));
    }
    facts.push(("searched", searched(report)));
    out += "\n";
    for (name, fact) in facts {
        out += &labelled(name, &fact, style);
    }
    if report.failure().is_some() {
        let replay = label("replay", style);
        out += &format!("  {replay}not possible: real threads\n");
    }
    out
}

/// The bad runs among all.
fn bad(report: &Report) -> Share {
    Share {
        part: report.violations,
        of: report.executions,
    }
}

fn bad_runs(bad: Share) -> Option<String> {
    let (share, (low, high)) = (bad.value()?, bad.interval()?);
    Some(format!(
        "{} of {}: {}; {} to {} with a confidence of 95 % (Wilson)",
        grouped(bad.part),
        plural(bad.of, "run"),
        percent(share, 3),
        percent(low, 3),
        percent(high, 3)
    ))
}

/// How common the bug is among the interleavings.
fn theory(report: &Report, odds: &Odds) -> String {
    let theory = match &odds.theory {
        Ok(theory) => theory,
        Err(why) => return format!("not counted: {why}"),
    };
    let Theory {
        variant,
        traces,
        bad: bad_traces,
        complete,
        spurious,
    } = theory;
    if !complete {
        return format!(
            "not counted: {variant} has more than {}",
            plural(*traces, "trace")
        );
    }
    let among = Share {
        part: *bad_traces,
        of: *traces,
    };
    let Some(share) = among.value() else {
        return "not counted: there is no trace".to_owned();
    };
    let are = if *traces == 1 { "is" } else { "are" };
    let with = spurious.map_or("", |_| ", with spurious wake-ups");
    let mut text = format!(
        "{} of {} {are} bad: {} (dpor, {variant}{with})",
        grouped(*bad_traces),
        plural(*traces, "trace"),
        percent(share, 2)
    );
    if let Some(times) = bad(report).value().and_then(|real| times(share, real)) {
        text += &format!(", {times} times the share of the runs");
    }
    text
}

/// How many times a share is as large as another one, if it is at least twice as large.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio of counts, which is positive and rounded on purpose"
)]
fn times(share: f64, other: f64) -> Option<String> {
    let times = (share / other).round();
    (other > 0.0 && times >= 2.0).then(|| grouped(times as u64))
}

/// What it means that no run was bad although traces are.
fn meaning(report: &Report, odds: &Odds) -> Option<String> {
    let theory = odds.theory.as_ref().ok()?;
    if report.executions == 0 || report.violations > 0 || theory.bad == 0 {
        return None;
    }
    let why = if theory.spurious.is_some() {
        "the bug is there: the system only woke no thread spuriously, which it seldom does. It may \
         in any run, so that runs without a failure prove nothing"
    } else {
        "the bug is there: the threads only never met in the few instructions in which they would \
         have to. Another machine, more load or a longer run can let them, so that runs without a \
         failure prove nothing"
    };
    Some(why.to_owned())
}

/// A line of the histogram.
struct HistogramRow {
    name: String,
    runs: u64,
    bad: bool,
}

/// All runs by what they came to, the most frequent first.
fn histogram(all: u64, odds: &Odds, style: &Style) -> String {
    let mut rows: Vec<HistogramRow> = rows(odds, style);
    let others: Vec<HistogramRow> = rows.split_off(rows.len().min(MOST_ROWS));
    let text = |row: &HistogramRow| {
        let share = Share {
            part: row.runs,
            of: all,
        };
        let share = share.value().unwrap_or(0.0);
        (grouped(row.runs), percent(share, 2), share)
    };
    let widest = |cells: &mut dyn Iterator<Item = usize>, head: &str| {
        cells.max().unwrap_or(0).max(head.len())
    };
    let name_width = widest(&mut rows.iter().map(|row| row.name.width()), "outcome");
    let runs_width = widest(&mut rows.iter().map(|row| text(row).0.len()), "runs");
    let share_width = widest(&mut rows.iter().map(|row| text(row).1.len()), "share");
    // Where nothing is bad there is no need to say so.
    let bad = if rows.iter().any(|row| row.bad) {
        ["   ", "bad"]
    } else {
        [""; 2]
    };
    let mark = |is_bad: bool| if is_bad { bad[1] } else { bad[0] };
    let used = 2 + name_width + 3 + runs_width + 3 + share_width + 2 * bad[0].len() + 3;
    let bar_width = style.width.saturating_sub(used).min(LONGEST_BAR);
    let mut out = format!(
        "  outcome{}   {:>runs_width$}   {:>share_width$}\n",
        " ".repeat(name_width - "outcome".len()),
        "runs",
        "share"
    );
    for row in &rows {
        let (runs, shown, share) = text(row);
        let line = format!(
            "  {}{}   {runs:>runs_width$}   {shown:>share_width$}{}{}   {}",
            row.name,
            " ".repeat(name_width - row.name.width()),
            bad[0],
            mark(row.bad),
            bar(share, bar_width, style)
        );
        out += line.trim_end();
        out += "\n";
    }
    if !others.is_empty() {
        let runs = others.iter().map(|row| row.runs).sum();
        let bad = others.iter().filter(|row| row.bad).map(|row| row.runs);
        out += &format!(
            "  and {} in {}, {} of them bad\n",
            plural(runs, "run"),
            plural(others.len() as u64, "other way"),
            grouped(bad.sum())
        );
    }
    out
}

fn rows(odds: &Odds, style: &Style) -> Vec<HistogramRow> {
    let ended = odds.ended.iter().map(|ended| HistogramRow {
        name: match &ended.outcome {
            Some(outcome) => cut(&printable(outcome), style),
            None => "(none)".to_owned(),
        },
        runs: ended.runs,
        bad: ended.failed,
    });
    let crashes = odds.crashes.iter().map(|crash| HistogramRow {
        name: cut(&printable(&crash.signal), style),
        runs: crash.runs,
        bad: true,
    });
    let timeouts = (odds.timeouts > 0).then(|| HistogramRow {
        name: "(did not end)".to_owned(),
        runs: odds.timeouts,
        bad: true,
    });
    let mut rows: Vec<HistogramRow> = ended.chain(crashes).chain(timeouts).collect();
    rows.sort_by(|a, b| (b.runs, &a.name).cmp(&(a.runs, &b.name)));
    rows
}

/// The beginning of a text that is too wide for its column.
fn cut(text: &str, style: &Style) -> String {
    if text.width() <= WIDEST {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + style.ellipsis().len() >= WIDEST {
            break;
        }
        out.push(c);
    }
    out + style.ellipsis()
}

/// A share as a bar. One that is too small for a column is a thin line.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a few columns"
)]
fn bar(share: f64, width: usize, style: &Style) -> String {
    let columns = (share * width as f64).round() as usize;
    let (full, thin) = if style.ascii {
        ("#", ".")
    } else {
        ("█", "▏")
    };
    match columns {
        0 if share > 0.0 && width > 0 => thin.to_owned(),
        columns => full.repeat(columns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_outcome_is_cut_to_its_column() {
        let long = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]";
        assert!(cut(long, &Style::default()).width() <= WIDEST);
        assert!(cut(long, &Style::default()).ends_with('…'));
        assert_eq!(cut("[0]", &Style::default()), "[0]");
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_nothing_of_something() {
        let style = Style::default();
        assert_eq!(bar(1.0, 8, &style), "████████");
        assert_eq!(bar(0.5, 8, &style), "████");
        assert_eq!(bar(0.000_1, 8, &style), "▏");
        assert_eq!(bar(0.0, 8, &style), "");
        assert_eq!(bar(0.5, 0, &style), "");
    }

    #[test]
    fn a_ratio_is_told_where_there_is_one() {
        assert_eq!(times(0.5, 0.000_1).as_deref(), Some("5,000"));
        assert_eq!(times(0.5, 0.5), None);
        assert_eq!(times(0.5, 0.0), None);
    }
}
