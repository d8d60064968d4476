//! What searches needed to find bugs: as a table, as Markdown and as JSON.

use serde::{Deserialize, Serialize};

use super::sentences::{grouped, plural};
use super::style::{BOLD, Style, paint, printable, wrapped};

/// What was measured, as `racelab/bench/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bench {
    schema: String,
    /// How many trials an engine has that is not exhaustive.
    pub trials: u64,
    /// How many executions a trial has at most.
    pub cap: u64,
    /// How many executions an exhaustive engine has at most to come to its end.
    pub exhaust_cap: u64,
    /// A row for each program and engine.
    pub rows: Vec<BenchRow>,
}

/// A program under an engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BenchRow {
    /// The full name of the program, as `corpus/account`.
    pub program: String,
    /// The name of the engine.
    pub engine: String,
    /// Whether the engine comes to an end only when everything was explored. It is deterministic
    /// then, and has one trial.
    pub exhaustive: bool,
    /// The trials.
    pub trials: u64,
    /// The trials that found the bug.
    pub found: u64,
    /// The executions up to the first bug. `None` if there is no trial.
    pub first_bug: Option<Spread>,
    /// The same, trial by trial. `None` for a trial that did not find the bug.
    pub executions: Vec<Option<u64>>,
    /// How far the engine came past all bugs. `None` if it is not exhaustive, or did not run.
    pub exhaust: Option<Exhaust>,
    /// Why the engine did not run, or what ended a search but its cap.
    pub reason: Option<String>,
}

/// How executions up to a bug are spread over trials.
///
/// The quartiles are by the nearest rank: the p-th of n quartiles is the trial in the place
/// `n * p / 4`, rounded up, when all trials are put in order. So each is a number that was measured.
/// A trial that did not find the bug comes behind all that did, and is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The first quartile.
    pub q1: Option<u64>,
    /// The second quartile.
    pub median: Option<u64>,
    /// The third quartile.
    pub q3: Option<u64>,
    /// The mean. `None` if not each trial found the bug.
    pub mean: Option<f64>,
}

/// A search past all bugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhaust {
    /// The executions that came to an end.
    pub executions: u64,
    /// The executions that were begun and then found to be like one that was run.
    pub blocked: u64,
    /// Whether everything was explored.
    pub complete: bool,
    /// Whether the cap ended it.
    pub capped: bool,
}

impl Bench {
    /// The rows of trials that had these bounds.
    pub fn new(trials: u64, cap: u64, exhaust_cap: u64, rows: Vec<BenchRow>) -> Self {
        Bench {
            schema: "racelab/bench/1".to_owned(),
            trials,
            cap,
            exhaust_cap,
            rows,
        }
    }

    /// The executions of a trial: `6`, or `> 10,000` if it did not find the bug.
    fn count(&self, executions: Option<u64>) -> String {
        match executions {
            Some(executions) => grouped(executions),
            None => format!("> {}", grouped(self.cap)),
        }
    }

    /// The median of the trials of a row. There may have been nothing to find.
    fn median(&self, row: &BenchRow, spread: &Spread) -> String {
        match row.exhaust {
            Some(Exhaust { complete: true, .. }) if row.found == 0 => "none".to_owned(),
            _ => self.count(spread.median),
        }
    }

    /// What the numbers are, in sentences.
    fn remarks(&self) -> Vec<String> {
        let cap = plural(self.cap, "execution");
        let mut remarks = Vec::new();
        if self.rows.iter().any(|row| !row.exhaustive) {
            let (trials, seeds) = match self.trials {
                1 => ("1 trial".to_owned(), "the seed 1".to_owned()),
                n => (plural(n, "trial"), format!("the seeds 1 to {}", grouped(n))),
            };
            remarks.push(format!(
                "{trials} of at most {cap}, with {seeds}. Quartiles are by the nearest rank, and a \
                 trial that does not find the bug comes last."
            ));
        }
        if self.rows.iter().any(|row| row.exhaustive) {
            remarks.push(format!(
                "An engine that explores everything is deterministic and has one trial, of at most \
                 {cap}. To exhaust a program it goes on past all bugs, for at most {}.",
                plural(self.exhaust_cap, "execution")
            ));
        }
        remarks
    }

    /// What ended a search but its cap.
    fn reasons(&self) -> impl Iterator<Item = String> {
        self.rows.iter().filter_map(|row| {
            let reason = row.reason.as_ref()?;
            let (program, engine) = (&row.program, &row.engine);
            Some(printable(&format!("{program} under {engine}: {reason}")))
        })
    }
}

impl Spread {
    /// The spread over some trials. `None` if there is none.
    pub fn of(trials: &[Option<u64>]) -> Option<Self> {
        let mut sorted = trials.to_vec();
        sorted.sort_by_key(|executions| (executions.is_none(), *executions));
        let last = sorted.len().checked_sub(1)?;
        let quartile = |p: usize| {
            let place = (sorted.len() * p).div_ceil(4);
            sorted[(place - 1).min(last)]
        };
        Some(Spread {
            q1: quartile(1),
            median: quartile(2),
            q3: quartile(3),
            mean: mean(trials),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a mean is shown with one digit behind the point"
)]
fn mean(trials: &[Option<u64>]) -> Option<f64> {
    let found: Option<Vec<u64>> = trials.iter().copied().collect();
    let found = found?;
    let sum: f64 = found.iter().map(|executions| *executions as f64).sum();
    Some(sum / found.len() as f64)
}

/// Renders what was measured: for each program a line for each engine.
pub fn text(bench: &Bench, style: &Style) -> String {
    let head = [
        "engine",
        "found",
        "median",
        "quartiles",
        "mean",
        "to exhaust",
    ]
    .map(str::to_owned);
    let lines: Vec<[String; 6]> = bench.rows.iter().map(|row| bench.line(row)).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let all = lines.iter().chain([&head]);
        all.map(|line| line[column].len()).max().unwrap_or(0)
    });
    let laid_out = |line: &[String; 6]| {
        let [engine, numbers @ ..] = line;
        let mut out = format!("  {engine:0$}", widths[0]);
        for (text, width) in numbers.iter().zip(&widths[1..]) {
            out += &format!("   {text:>width$}");
        }
        out.trim_end().to_owned() + "\n"
    };
    let mut out = paint(laid_out(&head).trim_end(), BOLD, style) + "\n";
    let mut program = "";
    for (row, line) in bench.rows.iter().zip(&lines) {
        if row.program != program {
            program = &row.program;
            out += &format!("\n{}\n", paint(program, BOLD, style));
        }
        out += &laid_out(line);
    }
    out += "\n";
    for text in bench.remarks().into_iter().chain(bench.reasons()) {
        out += &wrapped(&text, "", "  ", style);
    }
    out
}

impl Bench {
    /// The cells of a line of the text: engine, found, median, quartiles, mean, to exhaust.
    fn line(&self, row: &BenchRow) -> [String; 6] {
        let found = format!("{}/{}", row.found, row.trials);
        let spread = row.first_bug.as_ref();
        // There is nothing to tell apart in one trial.
        let several = spread.filter(|_| row.trials > 1);
        let mean = several.and_then(|spread| spread.mean);
        [
            row.engine.clone(),
            found,
            spread.map_or("-".to_owned(), |spread| self.median(row, spread)),
            several
                .map(|spread| format!("{} to {}", self.count(spread.q1), self.count(spread.q3)))
                .unwrap_or_default(),
            mean.map(|mean| format!("{mean:.1}")).unwrap_or_default(),
            row.exhaust
                .map(|end| self.exhausted(end))
                .unwrap_or_default(),
        ]
    }

    fn exhausted(&self, end: Exhaust) -> String {
        match end {
            Exhaust { complete: true, .. } => grouped(end.executions),
            Exhaust { capped: true, .. } => format!("> {}", grouped(self.exhaust_cap)),
            Exhaust { .. } => "incomplete".to_owned(),
        }
    }
}

/// Renders what was measured as a table in Markdown: a line for each program and a column for each
/// engine, with the median and the quartiles; for one that is exhaustive a second column.
pub fn markdown(bench: &Bench) -> String {
    let mut engines: Vec<(&str, bool)> = Vec::new();
    let mut programs: Vec<&str> = Vec::new();
    for row in &bench.rows {
        let engine = (row.engine.as_str(), row.exhaustive);
        if !engines.contains(&engine) {
            engines.push(engine);
        }
        if !programs.contains(&row.program.as_str()) {
            programs.push(&row.program);
        }
    }
    let mut head = "| program |".to_owned();
    let mut rule = "|---|".to_owned();
    for (engine, exhaustive) in &engines {
        head += &format!(" {engine} |");
        rule += "---:|";
        if *exhaustive {
            head += &format!(" {engine}, to exhaust |");
            rule += "---:|";
        }
    }
    let mut out = format!("{head}\n{rule}\n");
    for program in programs {
        out += &format!("| {program} |");
        for (engine, exhaustive) in &engines {
            let mut rows = bench.rows.iter();
            let row = rows.find(|row| row.program == program && row.engine == *engine);
            let first = row.map(|row| bench.cell(row)).unwrap_or_default();
            out += &format!(" {first} |");
            if *exhaustive {
                let end = row.and_then(|row| row.exhaust);
                let end = end.map(|end| bench.exhausted(end)).unwrap_or_default();
                out += &format!(" {end} |");
            }
        }
        out += "\n";
    }
    out += "\nThe numbers are executions to the first bug: the median of the trials, with the first \
            and the third quartile.\n";
    for text in bench.remarks() {
        out += &format!("{text}\n");
    }
    let reasons: Vec<String> = bench.reasons().map(|text| format!("- {text}")).collect();
    if !reasons.is_empty() {
        out += &format!("\n{}\n", reasons.join("\n"));
    }
    out
}

impl Bench {
    /// A cell of the table in Markdown.
    fn cell(&self, row: &BenchRow) -> String {
        let Some(spread) = &row.first_bug else {
            return "-".to_owned();
        };
        let median = self.median(row, spread);
        if row.trials == 1 {
            return median;
        }
        if row.found == 0 {
            return format!("none of {}", row.trials);
        }
        let (q1, q3) = (self.count(spread.q1), self.count(spread.q3));
        let all = format!("{median} ({q1} to {q3})");
        if row.found == row.trials {
            all
        } else {
            format!("{all}, {} of {}", row.found, row.trials)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &str, executions: &[Option<u64>], exhaust: Option<Exhaust>) -> BenchRow {
        BenchRow {
            program: "corpus/account".to_owned(),
            engine: engine.to_owned(),
            exhaustive: exhaust.is_some(),
            trials: executions.len() as u64,
            found: executions.iter().flatten().count() as u64,
            first_bug: Spread::of(executions),
            executions: executions.to_vec(),
            exhaust,
            reason: None,
        }
    }

    #[test]
    fn quartiles_are_numbers_that_were_measured() {
        let spread = |trials: &[u64]| {
            let trials: Vec<_> = trials.iter().copied().map(Some).collect();
            let Spread { q1, median, q3, .. } = Spread::of(&trials).unwrap();
            [q1, median, q3].map(Option::unwrap)
        };
        assert_eq!(spread(&[7]), [7, 7, 7]);
        assert_eq!(spread(&[9, 1]), [1, 1, 9]);
        assert_eq!(spread(&[3, 1, 2]), [1, 2, 3]);
        assert_eq!(spread(&[4, 3, 2, 1]), [1, 2, 3]);
        assert_eq!(spread(&[5, 4, 3, 2, 1]), [2, 3, 4]);
        assert_eq!(spread(&[8, 7, 6, 5, 4, 3, 2, 1]), [2, 4, 6]);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_trial_that_finds_nothing_comes_last_and_there_is_no_mean() {
        let spread = Spread::of(&[None, Some(5), None, Some(2)]).unwrap();
        let expected = Spread {
            q1: Some(2),
            median: Some(5),
            q3: None,
            mean: None,
        };
        assert_eq!(spread, expected);
        let mean = Spread::of(&[Some(1), Some(2)]).unwrap().mean;
        assert_eq!(mean, Some(1.5));
    }

    #[test]
    fn what_was_not_found_is_behind_the_cap() {
        let end = Exhaust {
            executions: 6,
            blocked: 0,
            complete: true,
            capped: false,
        };
        let rows = vec![
            row("random", &[Some(3), None, Some(1000), None], None),
            row("surw", &[None, None], None),
            row("dfs", &[Some(2)], Some(end)),
            BenchRow {
                reason: Some("it cannot".to_owned()),
                ..row("loom", &[], None)
            },
        ];
        let bench = Bench::new(4, 1000, 5000, rows);
        let text = text(&bench, &Style::default());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..7],
            [
                "  engine   found    median            quartiles   mean   to exhaust",
                "",
                "corpus/account",
                "  random     2/4     1,000         3 to > 1,000",
                "  surw       0/2   > 1,000   > 1,000 to > 1,000",
                "  dfs        1/1         2                                        6",
                "  loom       0/0         -",
            ]
        );
        let markdown = markdown(&bench);
        let lines: Vec<&str> = markdown.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "| program | random | surw | dfs | dfs, to exhaust | loom |",
                "|---|---:|---:|---:|---:|---:|",
                "| corpus/account | 1,000 (3 to > 1,000), 2 of 4 | none of 2 | 2 | 6 | - |",
            ]
        );
        assert!(markdown.ends_with("\n- corpus/account under loom: it cannot\n"));
    }
}
