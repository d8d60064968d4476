//! What the checks of a project's tests have explored, as a table and as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::verdict::{Engine, Verdict};

use super::check_line::{COMPLETE, CheckLine, CheckResult};
use super::sentences::{grouped, plural};
use super::style::{BOLD, GREEN, RED, Style, YELLOW, paint, wrapped};

/// The name of the JSON's form.
const SCHEMA: &str = "racelab/test/1";

/// What the checks have explored, as JSON.
#[derive(Debug, Serialize)]
pub struct Checks<'a> {
    schema: &'static str,
    checks: Vec<Check<'a>>,
}

/// A check, as JSON.
#[derive(Debug, Serialize)]
struct Check<'a> {
    target: &'a str,
    test: &'a str,
    at: &'a str,
    engine: &'a str,
    memory_model: &'a str,
    passed: bool,
    verdict: &'a str,
    executions: u64,
    complete: bool,
    searched: &'a str,
    seconds: f64,
    message: &'a str,
}

impl<'a> Checks<'a> {
    /// The checks of these lines.
    pub(crate) fn new(lines: &'a [CheckLine]) -> Self {
        let check = |line: &'a CheckLine| Check {
            target: &line.target,
            test: &line.test,
            at: &line.at,
            engine: &line.engine,
            memory_model: &line.memory_model,
            passed: line.result == CheckResult::Passed,
            verdict: &line.verdict,
            executions: line.executions,
            complete: line.searched == COMPLETE,
            searched: &line.searched,
            seconds: line.time.as_secs_f64(),
            message: &line.sentence,
        };
        Checks {
            schema: SCHEMA,
            checks: lines.iter().map(check).collect(),
        }
    }
}

/// How far a check came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Complete,
    /// A random engine explored some executions, which is all that it can do.
    Random,
    /// A search of everything was cut.
    Cut,
    Failed,
}

impl Extent {
    const ALL: [Extent; 4] = [
        Extent::Complete,
        Extent::Random,
        Extent::Cut,
        Extent::Failed,
    ];

    fn of(line: &CheckLine) -> Self {
        let is_exhaustive = |engine: Engine| engine.is_exhaustive();
        if line.result == CheckResult::Failed {
            Extent::Failed
        } else if line.searched == COMPLETE {
            Extent::Complete
        } else if line.engine.parse().is_ok_and(is_exhaustive) {
            Extent::Cut
        } else {
            Extent::Random
        }
    }

    /// What is said of the checks that came so far.
    fn name(self) -> &'static str {
        match self {
            Extent::Complete => "complete",
            Extent::Random => "sampled",
            Extent::Cut => "not complete",
            Extent::Failed => "failed",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Extent::Complete | Extent::Random => GREEN,
            Extent::Cut => YELLOW,
            Extent::Failed => RED,
        }
    }

    /// The colour of a row, if it is set off.
    fn of_row(self) -> Option<&'static str> {
        (self >= Extent::Cut).then(|| self.color())
    }
}

/// Renders the checks: for each binary a table, in which a line is a check, or a check under several
/// engines where there are several; what was not explored completely, and what failed; and how many.
pub(crate) fn text(lines: &[CheckLine], style: &Style) -> String {
    let engines = engines(lines);
    let named = named(lines);
    let rows = match engines.as_slice() {
        [_] => single(&named),
        engines => by_engine(&named, engines),
    };
    let mut out = tables(&rows, style);
    for (extent, what) in [
        (Extent::Failed, sentence as fn(&CheckLine) -> &str),
        (Extent::Cut, |line| &line.searched),
    ] {
        out += &listed(extent, &named, what, style);
    }
    out + &summary(lines, style)
}

/// The engines of the lines with their memory models, in the order in which they first stand there.
fn engines(lines: &[CheckLine]) -> Vec<(&str, &str)> {
    let mut engines = Vec::new();
    for line in lines {
        let engine = (line.engine.as_str(), line.memory_model.as_str());
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    engines
}

/// A table: the heads of its columns behind that of the names, and its rows by binary.
struct Rows<'a> {
    heads: Vec<String>,
    targets: BTreeMap<&'a str, Vec<Row>>,
}

struct Row {
    name: String,
    cells: Vec<String>,
    color: Option<&'static str>,
}

/// One line a check.
fn single<'a>(named: &[Named<'a>]) -> Rows<'a> {
    let heads = ["engine", "model", "executions", "time", "verdict"];
    let mut targets: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for Named {
        target,
        name,
        checks,
    } in named
    {
        for line in checks {
            targets.entry(target).or_default().push(Row {
                name: name.clone(),
                cells: vec![
                    line.engine.clone(),
                    line.memory_model.clone(),
                    grouped(line.executions),
                    time(line.time),
                    verdict(line),
                ],
                color: Extent::of(line).of_row(),
            });
        }
    }
    Rows {
        heads: heads.map(str::to_owned).to_vec(),
        targets,
    }
}

/// One line a check, with a column for each engine.
fn by_engine<'a>(named: &[Named<'a>], engines: &[(&str, &str)]) -> Rows<'a> {
    let heads = engines
        .iter()
        .map(|(engine, model)| format!("{engine} {model}"));
    let mut targets: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for Named {
        target,
        name,
        checks,
    } in named
    {
        let cell = |(engine, model): &(&str, &str)| {
            let is_of = |line: &&&CheckLine| line.engine == *engine && line.memory_model == *model;
            let found = checks.iter().find(is_of);
            found.map_or("-".to_owned(), |line| {
                format!("{}, {}", verdict(line), grouped(line.executions))
            })
        };
        let worst = checks.iter().map(|line| Extent::of(line)).max();
        targets.entry(target).or_default().push(Row {
            cells: engines.iter().map(cell).collect(),
            color: worst.and_then(Extent::of_row),
            name: name.clone(),
        });
    }
    Rows {
        heads: heads.collect(),
        targets,
    }
}

/// The checks of one call in a test, under one engine or several.
struct Named<'a> {
    target: &'a str,
    name: String,
    checks: Vec<&'a CheckLine>,
}

/// The checks of each call, with the binary and a name: that of the test, and where in it the check
/// was called if it makes several. They are in the order of names.
fn named(lines: &[CheckLine]) -> Vec<Named<'_>> {
    type Engine<'a> = (&'a str, &'a str);
    // Under one engine, a call that is made again is another check.
    let mut again: BTreeMap<(&str, &str, &str, Engine<'_>), usize> = BTreeMap::new();
    let mut calls: BTreeMap<(&str, &str, &str, usize), Vec<&CheckLine>> = BTreeMap::new();
    for line in lines {
        let (target, test, at) = (line.target.as_str(), line.test.as_str(), line.at.as_str());
        let engine = (line.engine.as_str(), line.memory_model.as_str());
        let count = again.entry((target, test, at, engine)).or_default();
        calls
            .entry((target, test, at, *count))
            .or_default()
            .push(line);
        *count += 1;
    }
    let mut in_test: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (target, test, ..) in calls.keys() {
        *in_test.entry((target, test)).or_default() += 1;
    }
    let name = |&(target, test, at, count): &(&str, &str, &str, usize)| {
        let place = at.rsplit(':').next().unwrap_or_default();
        match (in_test[&(target, test)], count) {
            (1, _) => test.to_owned(),
            (_, 0) => format!("{test}:{place}"),
            (_, count) => format!("{test}:{place} #{}", count + 1),
        }
    };
    let calls = calls.iter();
    calls
        .map(|(call, checks)| Named {
            target: call.0,
            name: name(call),
            checks: checks.clone(),
        })
        .collect()
}

/// The verdict in a word or two. A check can fail although its search has found no failure.
fn verdict(line: &CheckLine) -> String {
    match (Extent::of(line), line.verdict.as_str()) {
        (Extent::Failed, verdict @ (Verdict::HOLDS | Verdict::INCONCLUSIVE)) => {
            format!("failed ({verdict})")
        }
        (Extent::Random, _) => "no failure".to_owned(),
        (_, verdict) => verdict.to_owned(),
    }
}

/// What is said of a check that fails, without the name of its test.
fn sentence(line: &CheckLine) -> &str {
    let begin = format!("{} fails: ", line.test);
    line.sentence.strip_prefix(&begin).unwrap_or(&line.sentence)
}

/// A time with as many digits as tell checks apart.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.9995 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    }
}

fn tables(rows: &Rows<'_>, style: &Style) -> String {
    let all = || rows.targets.values().flatten();
    let names = all().map(|row| 2 + row.name.chars().count());
    let targets = rows.targets.keys().map(|target| target.chars().count());
    let name = names.chain(targets).max().unwrap_or(0);
    let widths = rows.heads.iter().enumerate().map(|(column, head)| {
        let cells = all().map(|row| row.cells[column].chars().count());
        cells.chain([head.chars().count()]).max().unwrap_or(0)
    });
    let widths: Vec<usize> = widths.collect();
    let line = |first: &str, cells: &[String]| {
        let mut line = format!("{first:name$}");
        for ((head, cell), width) in rows.heads.iter().zip(cells).zip(&widths) {
            // Numbers and times stand below each other from the right.
            line += &if ["executions", "time"].contains(&head.as_str()) {
                format!("  {cell:>width$}")
            } else {
                format!("  {cell:width$}")
            };
        }
        line.trim_end().to_owned()
    };
    let mut out = String::new();
    for (target, rows_of_target) in &rows.targets {
        out += &paint(&line(target, &rows.heads), BOLD, style);
        out += "\n";
        for row in rows_of_target {
            let text = line(&format!("  {}", row.name), &row.cells);
            out += &row
                .color
                .map_or(text.clone(), |color| paint(&text, color, style));
            out += "\n";
        }
        out += "\n";
    }
    out
}

fn listed(
    extent: Extent,
    named: &[Named<'_>],
    what: fn(&CheckLine) -> &str,
    style: &Style,
) -> String {
    let mut out = String::new();
    for Named { name, checks, .. } in named {
        for line in checks.iter().filter(|line| Extent::of(line) == extent) {
            let text = format!("{name} under {}: {}", line.engine, what(line));
            out += &wrapped(&text, "  ", "    ", style);
        }
    }
    match out.as_str() {
        "" => out,
        _ => format!("{}\n{out}\n", extent.name()),
    }
}

fn summary(lines: &[CheckLine], style: &Style) -> String {
    let parts = Extent::ALL.into_iter().filter_map(|extent| {
        let count = lines
            .iter()
            .filter(|line| Extent::of(line) == extent)
            .count();
        let part = format!("{} {}", grouped(count as u64), extent.name());
        (count > 0).then(|| paint(&part, &format!("{BOLD}{}", extent.color()), style))
    });
    let parts: Vec<_> = parts.collect();
    let checks = plural(lines.len() as u64, "check");
    format!("{checks}: {}\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn line(test: &str, engine: &str, verdict: &str, executions: u64) -> CheckLine {
        let result = match verdict {
            Verdict::VIOLATED => CheckResult::Failed,
            _ => CheckResult::Passed,
        };
        let searched = match verdict {
            Verdict::HOLDS => COMPLETE,
            Verdict::INCONCLUSIVE => "the time limit of 10s",
            _ => "stopped at the first failure",
        };
        CheckLine {
            target: "queue".to_owned(),
            test: test.to_owned(),
            at: "tests/queue.rs:12".to_owned(),
            engine: engine.to_owned(),
            memory_model: "sc".to_owned(),
            result,
            verdict: verdict.to_owned(),
            executions,
            searched: searched.to_owned(),
            time: Duration::from_micros(10 * executions),
            sentence: format!("{test} fails: left 1, right 2"),
        }
    }

    fn shows(lines: &[CheckLine], expected: &Expect) {
        expected.assert_eq(&text(lines, &Style::default()));
    }

    #[test]
    fn under_one_engine_each_check_is_a_line_with_its_time() {
        shows(
            &[
                line("pops_once", "dpor", "holds", 4),
                line("keeps_order", "dpor", "inconclusive", 310_200),
                line("loses_none", "dpor", "violated", 2),
                CheckLine {
                    target: "cache".to_owned(),
                    ..line("tests::fills_once", "dpor", "holds", 1)
                },
            ],
            &expect![[r"
                cache                engine  model  executions    time  verdict
                  tests::fills_once  dpor    sc              1  0.0 ms  holds

                queue                engine  model  executions    time  verdict
                  keeps_order        dpor    sc        310,200   3.1 s  inconclusive
                  loses_none         dpor    sc              2  0.0 ms  violated
                  pops_once          dpor    sc              4  0.0 ms  holds

                failed
                  loses_none under dpor: left 1, right 2

                not complete
                  keeps_order under dpor: the time limit of 10s

                4 checks: 2 complete, 1 not complete, 1 failed
            "]],
        );
    }

    #[test]
    fn under_several_engines_each_has_a_column() {
        shows(
            &[
                line("pops_once", "dpor", "holds", 4),
                line("loses_none", "dpor", "violated", 2),
                line("pops_once", "random", "inconclusive", 10_000),
            ],
            &expect![[r"
                queue         dpor sc      random sc
                  loses_none  violated, 2  -
                  pops_once   holds, 4     no failure, 10,000

                failed
                  loses_none under dpor: left 1, right 2

                3 checks: 1 complete, 1 sampled, 1 failed
            "]],
        );
    }

    #[test]
    fn the_checks_of_one_test_are_told_apart_by_their_lines() {
        let at = |at: &str| CheckLine {
            at: at.to_owned(),
            ..line("pops_once", "dpor", "holds", 4)
        };
        let lines = [
            "tests/queue.rs:12",
            "tests/queue.rs:20",
            "tests/queue.rs:20",
        ]
        .map(at);
        shows(
            &lines,
            &expect![[r"
            queue              engine  model  executions    time  verdict
              pops_once:12     dpor    sc              4  0.0 ms  holds
              pops_once:20     dpor    sc              4  0.0 ms  holds
              pops_once:20 #2  dpor    sc              4  0.0 ms  holds

            3 checks: 3 complete
        "]],
        );
    }

    #[test]
    fn a_check_that_fails_although_its_search_has_found_nothing_says_both() {
        let required = CheckLine {
            result: CheckResult::Failed,
            sentence: "pops_once fails: RACELAB_REQUIRE=complete does not allow that".to_owned(),
            ..line("pops_once", "dpor", "inconclusive", 310_200)
        };
        shows(
            &[required],
            &expect![[r"
            queue        engine  model  executions   time  verdict
              pops_once  dpor    sc        310,200  3.1 s  failed (inconclusive)

            failed
              pops_once under dpor: RACELAB_REQUIRE=complete does not allow that

            1 check: 1 failed
        "]],
        );
    }
}
