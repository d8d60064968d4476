//! A report as text: verdict, smallest trace, why, fix, how minimal, what was searched, replay.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::trace::{LeftOut, ObjectId, Schedule, Trace};
use crate::verdict::{
    Bound, Coverage, Engine, Failure, Outcome, Reason, Report, SpuriousWakeUps, Verdict,
};

use super::rows::rows;
use super::sentences::{differing, faster, grouped, looping, plural, remark};
use super::style::{BOLD, GREEN, RED, Style, YELLOW, label, labelled, paint, printable, wrapped};
use super::table::table;

/// What a report is about.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Its name, as `counter/load-store`. It can be empty.
    pub name: String,
    /// How large it is, as `--threads 2 --ops 1`: what holds of that may not hold of more. It can be
    /// empty.
    pub size: String,
    /// What to do about its failure. It can be empty.
    pub fix: String,
    /// How to replay a failure: a text in which `{schedule}` stands for the schedule.
    pub replay: String,
}

/// Renders a report.
///
/// ```
/// use racelab::report::{Style, Subject, text};
/// use racelab::{Engine, Explorer};
///
/// let report = Explorer::new(Engine::Dpor).explore(|| assert!(1 + 1 == 3, "arithmetic fails"));
/// let subject = Subject { name: "sum".to_owned(), ..Subject::default() };
/// let text = text(&report, &subject, &Style::default());
/// assert!(text.starts_with("sum   VIOLATED   arithmetic fails\n"));
/// ```
pub fn text(report: &Report, subject: &Subject, style: &Style) -> String {
    let mut out = head(report, subject, style);
    let mut facts = Vec::new();
    match &report.verdict {
        Verdict::Violated(failure) => {
            if failure.schedule.is_some() {
                out += "\n";
                out += &traced(&failure.trace, Some(failure), style);
            } else {
                // There is no table to show it in.
                facts.extend(failure.at.clone().map(|at| ("at", at)));
            }
            facts.extend(failure.why.clone().map(|why| ("why", why)));
            if !subject.fix.is_empty() {
                facts.push(("fix", subject.fix.clone()));
            }
            facts.extend(minimal(failure).map(|minimal| ("minimal", minimal)));
        }
        Verdict::Inconclusive(_) => {
            if let Some(trace) = &report.replayed {
                out += "\n";
                out += &traced(trace, None, style);
            }
        }
        Verdict::Holds => {}
    }
    if !matches!(report.verdict, Verdict::Violated(_)) && !subject.size.is_empty() {
        facts.push(("size", subject.size.clone()));
    }
    facts.push(("searched", searched(report)));
    let difference = report.difference.as_ref().map(differing);
    facts.extend(difference.map(|difference| ("differs", difference)));
    facts.extend(report.loops.iter().map(|found| ("loop", looping(found))));
    facts.extend(warning(report).map(|warning| ("warning", warning)));
    facts.extend(unseen(report).map(|unseen| ("unseen", unseen)));
    facts.extend(faster(report).map(|faster| ("faster", faster.to_owned())));
    out += "\n";
    for (label, fact) in facts {
        out += &labelled(label, &fact, style);
    }
    if let Some(failure) = report.failure()
        && !subject.replay.is_empty()
    {
        // Not wrapped, so that it can be pasted.
        let replay = match &failure.schedule {
            Some(schedule) => {
                printable(&subject.replay).replace("{schedule}", &schedule.to_string())
            }
            None => "not possible: real threads".to_owned(),
        };
        out += &format!("  {}{replay}\n", label("replay", style));
    }
    out
}

impl fmt::Display for Report {
    /// The report as [`text`] renders it, without a name, 80 columns wide and without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = Subject {
            replay: "racelab::replay(&\"{schedule}\".parse()?, body)".to_owned(),
            ..Subject::default()
        };
        f.write_str(&text(self, &subject, &Style::default()))
    }
}

/// The first line.
pub(super) fn head(report: &Report, subject: &Subject, style: &Style) -> String {
    let (word, color, remark) = match &report.verdict {
        Verdict::Holds => ("HOLDS", GREEN, format!("in {}", all_interleavings(report))),
        Verdict::Violated(failure) => ("VIOLATED", RED, one_line(&failure.message)),
        Verdict::Inconclusive(reason) => ("INCONCLUSIVE", YELLOW, reason.to_string()),
    };
    let word = paint(word, &format!("{BOLD}{color}"), style);
    let name = match printable(&subject.name).as_str() {
        "" => String::new(),
        name => format!("{}   ", paint(name, BOLD, style)),
    };
    let line = format!("{name}{word}   {remark}");
    // What else is said is a sentence, a panic's message is what people search for.
    match &report.verdict {
        Verdict::Holds | Verdict::Inconclusive(_) => wrapped(&line, "", "    ", style),
        Verdict::Violated(_) => line + "\n",
    }
}

/// What a search has seen that has seen everything.
pub(crate) fn all_interleavings(report: &Report) -> String {
    let count = report.executions;
    match report.engine {
        // Each execution stands for all interleavings of its trace.
        Some(Engine::Dpor) => format!("every interleaving: {}", plural(count, "trace")),
        _ if count == 1 => "the only interleaving".to_owned(),
        _ => format!("all {} interleavings", grouped(count)),
    }
}

/// The message of a panic in one line: `assertion failed: left 1, right 2`.
pub(crate) fn one_line(message: &str) -> String {
    let mut lines = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = printable(lines.next().unwrap_or("a panic without a message"));
    let sides = lines.map(|line| match line.split_once(": ") {
        Some((side @ ("left" | "right"), value)) => format!("{side} {}", printable(value)),
        _ => printable(line),
    });
    let sides = sides.collect::<Vec<_>>().join(", ");
    match sides.as_str() {
        "" => first,
        sides => format!("{}: {sides}", first.trim_end_matches(':')),
    }
}

/// The table, and what its names stand for.
fn traced(trace: &Trace, failure: Option<&Failure>, style: &Style) -> String {
    let rows = rows(trace, failure, style);
    let mut out = table(trace, &rows, style);
    let unnamed = trace.objects.iter().enumerate().filter(|(index, object)| {
        let is_it = |object: Option<ObjectId>| object.is_some_and(|o| o.index() == *index);
        // What is only waited for is in no event.
        let blocked = failure.map_or(&[][..], |failure| &failure.blocked);
        let is_shown = trace.events.iter().any(|event| is_it(event.object))
            || blocked.iter().any(|blocked| is_it(blocked.object));
        object.name.is_none() && is_shown
    });
    let unnamed: Vec<String> = unnamed
        .map(|(_, object)| {
            format!(
                "  {object} was made at {}:{}\n",
                object.made_at.file(),
                object.made_at.line()
            )
        })
        .collect();
    if !unnamed.is_empty() {
        out += "\n";
        out += &unnamed.concat();
    }
    out
}

/// How small the failing execution is, and how sure that is.
fn minimal(failure: &Failure) -> Option<String> {
    let count = failure.preemptions?;
    let preemptions = plural(u64::from(count), "preemption");
    if failure.is_nondeterministic {
        return Some(format!(
            "{preemptions}; not minimised: the schedule did not fail again, so that the body is \
             not deterministic"
        ));
    }
    let is_of_loom = || failure.schedule.as_ref().and_then(Schedule::loom).is_some();
    match failure.minimal? {
        true if count == 0 && is_of_loom() => Some(format!(
            "{preemptions}; whether a failing interleaving has fewer steps is not known"
        )),
        true if count == 0 => Some(format!(
            "{preemptions}; no failing interleaving has fewer steps"
        )),
        true => Some(format!("{preemptions}; no failing interleaving has fewer")),
        false => Some(format!(
            "{preemptions}; not proved to be the smallest, after {}",
            plural(failure.minimise_executions, "execution")
        )),
    }
}

/// What was searched, and what was not.
pub(super) fn searched(report: &Report) -> String {
    let Some(engine) = report.engine else {
        let what = match report.executions {
            0 => "no execution: none is as the schedule says",
            _ => "one execution, as the schedule says",
        };
        return format!("{what}, {}", report.memory_model);
    };
    let mut parts = vec![engine.to_string(), report.memory_model.to_string()];
    if engine.is_random() {
        parts.push(format!("seed {}", report.seed));
    }
    let shard = report.division.and_then(|division| division.shard);
    parts.extend(shard.map(|shard| shard.to_string()));
    if report.spurious == SpuriousWakeUps::Explored {
        parts.push("with spurious wake-ups".to_owned());
    }
    parts.push(match report.traces {
        Some(traces) if traces != report.executions => format!(
            "{} of {}",
            plural(report.executions, "execution"),
            plural(traces, "trace")
        ),
        _ => plural(report.executions, "execution"),
    });
    if report.blocked > 0 {
        parts.push(format!(
            "{} abandoned",
            plural(report.blocked, "repetition")
        ));
    }
    if report.doubted > 0 {
        parts.push(format!(
            "{} of them set aside, since they read stale values in spite of SeqCst",
            grouped(report.doubted)
        ));
    }
    if report.truncated > 0 {
        parts.push(format!(
            "{} cut at {} steps",
            grouped(report.truncated),
            grouped(report.max_steps as u64)
        ));
    }
    let is_counted = !matches!(report.coverage, Coverage::FirstFailure);
    if report.violations > 0 && is_counted {
        parts.push(format!("{} of them failing", grouped(report.violations)));
    }
    parts.push(match &report.coverage {
        Coverage::Complete => "complete".to_owned(),
        Coverage::FirstFailure => "stopped at the first failure".to_owned(),
        Coverage::Bounded(Bound::Shard(_)) => "all of the shard".to_owned(),
        Coverage::Bounded(bound) => format!("cut by {bound}"),
        Coverage::Ended => "ended early".to_owned(),
    });
    let mut text = parts.join(", ");
    // What the verdict does not speak of. A bound is named already.
    let bounds = |kind: &&LeftOut| report.coverage == Coverage::Bounded(Bound::LeftOut(**kind));
    let left_out: Vec<String> = report
        .left_out
        .iter()
        .filter(|kind| !bounds(kind))
        .map(ToString::to_string)
        .collect();
    if !left_out.is_empty() {
        text += &format!("; not explored: {}", left_out.join(", "));
    }
    if report.waited > 0 {
        let executions = plural(report.waited, "execution");
        text += &format!("; {executions} waited for another search that uses the same objects");
    }
    text
}

/// What is wrong with what the body uses of the lab, if that makes the verdict worth less.
fn warning(report: &Report) -> Option<String> {
    let said = match (&report.verdict, &report.intrusion) {
        // It is the reason already.
        (Verdict::Inconclusive(Reason::Misused(_)), _) | (Verdict::Violated(_), None) => None,
        (_, Some(intrusion)) => Some(intrusion.as_str()),
        // Of an execution that was cut it is not known what would have been shared.
        (_, None) => report
            .sharing
            .filter(|_| report.truncated == 0)
            .and_then(remark),
    };
    said.map(str::to_owned)
}

/// On how many cells races were not looked for, if there are any.
fn unseen(report: &Report) -> Option<String> {
    let cells = report.unchecked_cells;
    (cells > 0).then(|| {
        format!(
            "races through the pointers that `UnsafeCell::get` gave, of {}; accesses by `with` and \
             `with_mut` are checked",
            plural(cells, "cell")
        )
    })
}

/// Outcomes as a table.
///
/// Apart from [`text`], since only a search past failures has counted them all.
pub fn outcomes(outcomes: &[Outcome]) -> String {
    let values: Vec<String> = outcomes.iter().map(|o| printable(&o.value)).collect();
    let widths = values.iter().map(|value| value.width());
    let width = widths.max().unwrap_or(0).max("outcome".len());
    let mut out = format!("\n  {:width$}   executions\n", "outcome");
    for (value, Outcome { executions, .. }) in values.iter().zip(outcomes) {
        let pad = " ".repeat(width - value.width());
        out += &format!("  {value}{pad}   {:>10}\n", grouped(*executions));
    }
    out
}
