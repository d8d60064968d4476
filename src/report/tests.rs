//! Traces that are long, wide or strange, as text.

use std::panic::Location;
use std::time::Duration;

use crate::trace::{
    Blocked, Event, ObjectId, ObjectInfo, Operation, ThreadId, ThreadInfo, Trace, Value,
};
use crate::verdict::{
    Coverage, Failure, FailureKind, MemoryModel, Outcome, Report, SpuriousWakeUps, Verdict,
};

use super::rows::rows;
use super::style::Style;
use super::table::table;
use super::text::{Subject, outcomes, text};

/// A trace of so many threads, with objects of these names.
#[track_caller]
fn trace(threads: usize, objects: &[Option<&str>]) -> Trace {
    let made_at = Location::caller();
    let objects = objects.iter().zip(1..).map(|(name, rank)| ObjectInfo {
        kind: "AtomicBool",
        name: name.map(|name| name.to_owned().into()),
        rank,
        made_at,
    });
    Trace {
        threads: vec![ThreadInfo { name: None }; threads],
        objects: objects.collect(),
        events: Vec::new(),
    }
}

impl Trace {
    /// Adds an event that is no step.
    #[track_caller]
    fn event(&mut self, thread: u32, operation: Operation, object: u32) -> &mut Event {
        self.events.push(Event {
            step: None,
            thread: ThreadId(thread),
            operation,
            object: Some(ObjectId(object)),
            target: None,
            read: None,
            stale: None,
            written: None,
            result: None,
            ordering: None,
            at: Location::caller(),
        });
        self.events.last_mut().expect("one was added")
    }

    /// Adds a step.
    #[track_caller]
    fn step(&mut self, thread: u32, operation: Operation, object: u32) {
        let step = u32::try_from(self.steps()).expect("it is a short trace") + 1;
        self.event(thread, operation, object).step = Some(step);
    }

    /// Adds a load that finds `false`.
    #[track_caller]
    fn load(&mut self, thread: u32, object: u32) {
        self.step(thread, Operation::Load, object);
        self.events.last_mut().expect("one was added").read = Some(Value::Bool(false));
    }
}

fn shown(trace: &Trace, style: &Style) -> String {
    let rows = rows(trace, None, style);
    table(trace, &rows, style)
}

fn lines(trace: &Trace) -> Vec<String> {
    let shown = shown(trace, &Style::default());
    shown.lines().map(str::to_owned).collect()
}

fn failing(trace: Trace, kind: FailureKind, message: &str) -> Report {
    let failure = Failure {
        kind,
        message: message.to_owned(),
        at: Some("src/lib.rs:7".to_owned()),
        thread: (kind == FailureKind::Panic).then_some(ThreadId::MAIN),
        trace,
        schedule: Some("0".parse().expect("it is a schedule")),
        preemptions: Some(0),
        minimal: None,
        minimise_executions: 0,
        is_nondeterministic: false,
        blocked: Vec::new(),
        race: None,
        why: None,
        notes: Vec::new(),
    };
    Report {
        verdict: Verdict::Violated(Box::new(failure)),
        engine: None,
        memory_model: MemoryModel::Sc,
        spurious: SpuriousWakeUps::LeftOut,
        seed: 0,
        executions: 1,
        blocked: 0,
        traces: None,
        doubted: 0,
        truncated: 0,
        violations: 1,
        outcomes: Vec::new(),
        coverage: Coverage::FirstFailure,
        max_steps: 10,
        left_out: Vec::new(),
        unchecked_cells: 0,
        waited: 0,
        division: None,
        replayed: None,
        sharing: None,
        intrusion: None,
        loops: Vec::new(),
        difference: None,
        elapsed: Duration::ZERO,
    }
}

fn rendered(report: &Report) -> String {
    text(report, &Subject::default(), &Style::default())
}

mod merging {
    use super::*;

    #[test]
    fn a_spinning_thread_is_one_row_with_its_first_and_last_step() {
        let mut trace = trace(2, &[Some("flag")]);
        trace.step(1, Operation::Store, 0);
        for _ in 0..50 {
            trace.load(0, 0);
        }
        trace.step(1, Operation::Store, 0);
        assert_eq!(
            lines(&trace),
            [
                "  step   main                             T1",
                "     1                                    store flag",
                "  2–51   load  flag → false  (50 times)",
                "    52                                    store flag",
            ]
        );
    }

    #[test]
    fn two_threads_that_spin_in_turn_are_shown_once_and_counted() {
        let mut trace = trace(2, &[Some("a"), Some("b")]);
        for _ in 0..40 {
            trace.load(0, 0);
            trace.load(1, 1);
        }
        trace.step(0, Operation::Store, 0);
        assert_eq!(
            lines(&trace),
            [
                "  step   main              T1",
                "     1   load  a → false",
                "     2                     load  b → false",
                "     …   these 2 again, 39 times, up to step 80",
                "    81   store a",
            ]
        );
    }

    #[test]
    fn what_comes_twice_is_not_merged() {
        let mut trace = trace(1, &[Some("a")]);
        trace.load(0, 0);
        trace.load(0, 0);
        assert_eq!(lines(&trace).len(), 3);
    }

    #[test]
    fn other_values_are_other_rows() {
        let mut trace = trace(1, &[Some("n")]);
        for value in 0..5 {
            trace.step(0, Operation::Store, 0);
            trace.events[value].written = Some(value.into());
        }
        assert_eq!(lines(&trace).len(), 6);
    }

    #[test]
    fn a_switch_is_never_lost() {
        let mut trace = trace(3, &[Some("a")]);
        for _ in 0..3 {
            trace.load(1, 0);
        }
        for _ in 0..3 {
            trace.load(2, 0);
        }
        let lines = lines(&trace);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].starts_with("   1–3 "), "{lines:?}");
        assert!(lines[2].starts_with("   4–6 "), "{lines:?}");
    }

    #[test]
    fn events_that_are_no_steps_are_merged_too() {
        let mut trace = trace(1, &[Some("flag"), Some("cell")]);
        for _ in 0..10 {
            trace.load(0, 0);
            trace.event(0, Operation::CellRead, 1);
        }
        for _ in 0..5 {
            trace.event(0, Operation::CellWrite, 1);
        }
        assert_eq!(
            lines(&trace),
            [
                "  step   main",
                "     1   load flag → false",
                "         cell-read cell",
                "     …   these 2 again, 9 times, up to step 10",
                "         cell-write cell  (5 times)",
            ]
        );
    }

    #[test]
    fn wide_step_numbers_make_their_column_wider() {
        let mut trace = trace(2, &[Some("a")]);
        trace.step(0, Operation::Store, 0);
        for _ in 0..9_000 {
            trace.load(1, 0);
        }
        trace.step(0, Operation::Store, 0);
        assert_eq!(
            lines(&trace),
            [
                "    step   main      T1",
                "       1   store a",
                "  2–9001             load  a → false  (9000 times)",
                "    9002   store a",
            ]
        );
    }
}

mod names {
    use super::*;

    #[test]
    fn an_object_without_a_name_has_its_place_of_creation() {
        let made_at = line!() + 1;
        let mut trace = trace(1, &[None, Some("n"), None, None]);
        for object in [0, 1, 3] {
            trace.step(0, Operation::Store, object);
        }
        let text = rendered(&failing(trace, FailureKind::Panic, "no"));
        assert!(text.contains("     1   store AtomicBool#1\n"), "{text}");
        let made = |rank: u32| {
            let file = file!();
            format!("  AtomicBool#{rank} was made at {file}:{made_at}\n")
        };
        assert!(text.contains(&(made(1) + &made(4))), "{text}");
        // It is in no row, so that nobody asks.
        assert!(!text.contains("AtomicBool#3"), "{text}");
    }

    #[test]
    fn an_object_that_is_only_waited_for_has_its_place_of_creation() {
        let mut report = failing(trace(1, &[None]), FailureKind::Deadlock, "deadlock");
        if let Verdict::Violated(failure) = &mut report.verdict {
            failure.blocked.push(Blocked {
                thread: ThreadId::MAIN,
                operation: Operation::Receive,
                object: Some(ObjectId(0)),
                target: None,
                at: Location::caller(),
                spins: false,
                obstacle: None,
                holds: Vec::new(),
            });
        }
        let text = rendered(&report);
        assert!(text.contains("     ✗   receive AtomicBool#1 …\n"), "{text}");
        assert!(text.contains("AtomicBool#1 was made at "), "{text}");
    }

    #[test]
    fn very_long_names_make_a_list() {
        let name = "n".repeat(300);
        let mut trace = trace(2, &[Some(&name)]);
        trace.threads[1].name = Some("w".repeat(200));
        trace.load(0, 0);
        trace.load(1, 0);
        let lines = lines(&trace);
        assert_eq!(lines[0], "  step   thread");
        assert!(lines[1].contains(&format!("load {name} → false")));
        assert!(lines[2].contains(&format!("{}   load", "w".repeat(200))));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let mut trace = trace(2, &[Some("計数"), Some("n")]);
        trace.threads[1].name = Some("働き手".to_owned());
        trace.load(0, 0);
        trace.load(1, 1);
        trace.load(0, 1);
        assert_eq!(
            lines(&trace),
            [
                "  step   main                働き手",
                "     1   load 計数 → false",
                "     2                       load n → false",
                "     3   load n → false",
            ]
        );
    }

    #[test]
    fn names_and_messages_cannot_break_lines_or_move_the_cursor() {
        let mut trace = trace(2, &[Some("a\nb"), Some("\u{1b}[2J")]);
        trace.threads[1].name = Some("w\r\t".to_owned());
        trace.load(0, 0);
        trace.load(1, 1);
        let text = rendered(&failing(
            trace,
            FailureKind::Panic,
            "red: \u{1b}[31m\n  left: \u{7}",
        ));
        assert!(
            text.chars().all(|c| c == '\n' || !c.is_control()),
            "{text:?}"
        );
        assert!(text.contains(r"load a\nb → false"), "{text}");
        assert!(text.contains(r"red: \u{1b}[31m: left \u{7}"), "{text}");
    }

    #[test]
    fn outcomes_are_aligned_whatever_they_hold() {
        let outcome = |value: &str, executions| Outcome {
            value: value.to_owned(),
            executions,
        };
        assert_eq!(
            outcomes(&[outcome("\"計数\"", 1), outcome("a long outcome\n", 12_345)]),
            "\n  outcome            executions\n  \"計数\"                      1\n  \
             a long outcome\\n       12,345\n"
        );
    }
}

mod layout {
    use super::*;

    #[test]
    fn a_trace_of_thirty_threads_is_a_list() {
        let mut trace = trace(31, &[Some("n")]);
        for thread in 1..31 {
            trace.load(thread, 0);
        }
        let lines = lines(&trace);
        assert_eq!(lines.len(), 31);
        assert_eq!(lines[0], "  step   thread");
        assert_eq!(lines[1], "     1   T1       load n → false");
        assert_eq!(lines[30], "    30   T30      load n → false");
    }

    #[test]
    fn how_it_ended_is_moved_to_the_left_where_it_does_not_fit_below_its_thread() {
        let mut trace = trace(3, &[Some("a_long_name")]);
        trace.load(1, 0);
        trace.load(2, 0);
        let mut report = failing(trace, FailureKind::Panic, "no");
        if let Verdict::Violated(failure) = &mut report.verdict {
            failure.thread = Some(ThreadId(2));
            failure.at = Some("src/in/a/file/of/a/long/name.rs:7".to_owned());
        }
        let shown = text(&report, &Subject::default(), &Style::default());
        assert!(shown.contains("  step   main   T1 "), "{shown}");
        let last = "\n     ✗   T2: panicked at src/in/a/file/of/a/long/name.rs:7\n";
        assert!(shown.contains(last), "{shown}");
    }

    #[test]
    fn thirty_threads_have_columns_where_there_is_room() {
        let mut trace = trace(31, &[Some("n")]);
        for thread in 1..31 {
            trace.load(thread, 0);
        }
        let style = Style {
            width: 1000,
            ..Style::default()
        };
        assert!(shown(&trace, &style).starts_with("  step   main   T1 "));
    }

    #[test]
    fn no_width_is_too_small() {
        let mut trace = trace(2, &[Some("n")]);
        trace.load(0, 0);
        trace.load(1, 0);
        let report = failing(trace, FailureKind::Panic, "a message of some words");
        for width in [0, 1, 10, 40] {
            let style = Style {
                width,
                ..Style::default()
            };
            assert!(text(&report, &Subject::default(), &style).contains("load n → false"));
        }
    }

    #[test]
    fn a_trace_without_events_is_only_its_end() {
        let text = rendered(&failing(trace(1, &[]), FailureKind::Panic, "at once"));
        assert!(
            text.contains("\n  step   main\n     ✗   panicked at src/lib.rs:7\n"),
            "{text}"
        );
    }
}

mod out_of_time {
    use expect_test::expect;

    use super::*;
    use crate::verdict::{Bound, Engine, Reason};

    fn ended(engine: Engine, bound: Bound) -> String {
        let report = Report {
            engine: Some(engine),
            coverage: Coverage::Bounded(bound),
            verdict: Verdict::Inconclusive(Reason::Bound(bound)),
            violations: 0,
            ..failing(trace(0, &[]), FailureKind::Panic, "")
        };
        text(&report, &Subject::default(), &Style::default())
    }

    #[cfg(unoptimised)]
    #[test]
    fn a_search_that_is_not_optimised_names_the_packages_that_matter() {
        expect![[r"
            INCONCLUSIVE   the time limit of 10s was reached before every interleaving was
                explored

              searched dpor, sequential consistency, 1 execution, cut by the time limit of
                       10s
              faster   racelab was built without optimisation, and is about five times as
                       fast with `--release`, or with `racelab.opt-level = 3` and
                       `corosensei.opt-level = 3` under `[profile.dev.package]` in
                       Cargo.toml
        "]]
        .assert_eq(&ended(
            Engine::Dpor,
            Bound::TimeLimit(Duration::from_secs(10)),
        ));
    }

    #[cfg(not(unoptimised))]
    #[test]
    fn a_search_that_is_optimised_has_no_such_hint() {
        let text = ended(Engine::Dpor, Bound::TimeLimit(Duration::from_secs(10)));
        assert!(!text.contains("optimisation"), "{text}");
    }

    #[test]
    fn who_has_other_limits_than_time_gets_no_such_hint() {
        for (engine, bound) in [
            (Engine::Dpor, Bound::MaxExecutions(1)),
            (Engine::Threads, Bound::TimeLimit(Duration::from_secs(10))),
        ] {
            let text = ended(engine, bound);
            assert!(!text.contains("optimisation"), "{text}");
        }
    }
}

#[cfg(feature = "cli")]
mod json {
    use super::*;
    use crate::report::json::explore;
    use crate::report::schema::Parameters;

    #[test]
    fn cells_are_counted_whose_accesses_are_not_seen() {
        let size = Parameters { threads: 1, ops: 1 };
        let cells = |unchecked_cells| {
            let report = Report {
                unchecked_cells,
                ..failing(trace(1, &[]), FailureKind::Panic, "no")
            };
            let value = serde_json::to_value(explore(&report, "a/b".to_owned(), size, false));
            value.expect("a report is JSON")["unchecked_cells"].clone()
        };
        assert_eq!(cells(2), 2);
        assert_eq!(cells(0), serde_json::Value::Null);
    }

    #[test]
    fn an_event_that_is_no_step_has_a_step_of_null() {
        let mut trace = trace(1, &[Some("n")]);
        trace.step(0, Operation::Store, 0);
        trace.event(0, Operation::CellRead, 0);
        let size = Parameters { threads: 1, ops: 1 };
        let report = failing(trace, FailureKind::Panic, "no");
        let value = serde_json::to_value(explore(&report, "a/b".to_owned(), size, false));
        let steps = &value.expect("a report is JSON")["failure"]["steps"];
        assert_eq!(steps[0]["step"], 1);
        assert_eq!(steps[1]["step"], serde_json::Value::Null);
        assert_eq!(steps[1]["op"], "cell-read");
    }
}

#[cfg(feature = "cli")]
mod odds {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::report::odds::{Crash, EndedRuns, Odds, Theory, text};
    use crate::verdict::{Bound, Engine, Reason};

    fn ended(outcome: &str, failed: bool, runs: u64) -> EndedRuns {
        EndedRuns {
            outcome: Some(outcome.to_owned()),
            failed,
            runs,
        }
    }

    fn theory(traces: u64, bad: u64, complete: bool) -> Theory {
        Theory {
            variant: "counter/load-store".to_owned(),
            traces,
            bad,
            complete,
            spurious: None,
        }
    }

    /// A report of runs of which the first bad one says this.
    fn raced(runs: u64, bad: u64, message: &str) -> Report {
        let mut report = failing(trace(0, &[]), FailureKind::Panic, message);
        report.engine = Some(Engine::Threads);
        report.memory_model = MemoryModel::Machine;
        (report.executions, report.violations) = (runs, bad);
        report.coverage = Coverage::Bounded(Bound::Runs(runs));
        if bad == 0 {
            report.verdict = Verdict::Inconclusive(Reason::Bound(Bound::Runs(runs)));
        }
        report
    }

    fn assert_shown(report: &Report, odds: &Odds, style: &Style, expected: &Expect) {
        let subject = Subject {
            name: "counter/unsafe-cell".to_owned(),
            fix: "make it one step".to_owned(),
            ..Subject::default()
        };
        let text = text(report, odds, &subject, style);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
        expected.assert_eq(&text);
    }

    #[test]
    fn bad_runs_crashes_and_time_outs_stand_beside_the_traces() {
        let odds = Odds {
            size: "--threads 2 --ops 1".to_owned(),
            ended: vec![ended("1", true, 26), ended("2", false, 99_970)],
            crashes: vec![Crash {
                signal: "SIGABRT".to_owned(),
                runs: 3,
                says: Some("double free or corruption (!prev)".to_owned()),
            }],
            timeouts: 1,
            ended_early: None,
            theory: Ok(theory(4, 2, true)),
        };
        let report = raced(100_000, 30, "assertion `left == right` failed");
        let expected = expect![["
            counter/unsafe-cell   VIOLATED   assertion `left == right` failed

              outcome           runs     share
              2               99,970   99.97 %         ████████████████████
              1                   26   0.026 %   bad   ▏
              SIGABRT              3   0.003 %   bad   ▏
              (did not end)        1   0.001 %   bad   ▏

              at       src/lib.rs:7
              bad      30 of 100,000 runs: 0.03 %; 0.021 % to 0.0428 % with a confidence of
                       95 % (Wilson)
              said     double free or corruption (!prev) (SIGABRT)
              size     --threads 2 --ops 1
              theory   2 of 4 traces are bad: 50 % (dpor, counter/load-store), 1,667 times
                       the share of the runs
              fix      make it one step
              searched threads, the real machine, 100,000 executions, 30 of them failing,
                       cut by the bound of 100,000 runs
              replay   not possible: real threads
        "]];
        assert_shown(&report, &odds, &Style::default(), &expected);
    }

    #[test]
    fn what_runs_without_a_failure_mean_is_said() {
        let odds = Odds {
            size: "--threads 2 --ops 1".to_owned(),
            ended: vec![ended("2", false, 1_000)],
            crashes: Vec::new(),
            timeouts: 0,
            ended_early: None,
            theory: Ok(theory(4, 2, true)),
        };
        let ascii = Style {
            ascii: true,
            ..Style::default()
        };
        assert_shown(
            &raced(1_000, 0, ""),
            &odds,
            &ascii,
            &expect![["
                counter/unsafe-cell   INCONCLUSIVE   none of 1,000 runs failed; real threads
                    show few of the interleavings that are possible

                  outcome    runs   share
                  2         1,000   100 %   ####################

                  bad      0 of 1,000 runs: 0 %; 0 % to 0.383 % with a confidence of 95 %
                           (Wilson)
                  size     --threads 2 --ops 1
                  theory   2 of 4 traces are bad: 50 % (dpor, counter/load-store)
                  means    the bug is there: the threads only never met in the few instructions
                           in which they would have to. Another machine, more load or a longer
                           run can let them, so that runs without a failure prove nothing
                  searched threads, the real machine, 1,000 executions, cut by the bound of
                           1,000 runs
            "]],
        );
    }

    #[test]
    fn what_ended_the_runs_early_is_said_beside_a_failure() {
        let odds = Odds {
            size: "--threads 2 --ops 1".to_owned(),
            ended: vec![ended("1", true, 1), ended("2", false, 9)],
            crashes: Vec::new(),
            timeouts: 0,
            ended_early: Some("cannot start a process for the runs: no more".to_owned()),
            theory: Err("no variant".to_owned()),
        };
        let subject = Subject {
            name: "counter/unsafe-cell".to_owned(),
            ..Subject::default()
        };
        let bad =
            crate::report::odds::text(&raced(10, 1, "no"), &odds, &subject, &Style::default());
        let early = "\n  ended    early: cannot start a process for the runs: no more\n";
        assert!(bad.contains(early), "{bad}");
        // The verdict is that otherwise.
        let good = crate::report::odds::text(&raced(10, 0, ""), &odds, &subject, &Style::default());
        assert!(!good.contains("early"), "{good}");
    }

    #[test]
    fn many_outcomes_are_counted_together_and_a_search_that_was_cut_is_named() {
        let mut all: Vec<EndedRuns> = (1..=20)
            .map(|n| ended(&format!("[{}]", "0, ".repeat(n)), n % 2 == 0, 21 - n as u64))
            .collect();
        all[0].outcome = None;
        let odds = Odds {
            size: "--threads 2 --ops 1".to_owned(),
            ended: all,
            crashes: Vec::new(),
            timeouts: 0,
            ended_early: None,
            theory: Ok(theory(100_000, 7, false)),
        };
        let report = raced(210, 100, "no");
        assert_shown(
            &report,
            &odds,
            &Style::default(),
            &expect![["
                counter/unsafe-cell   VIOLATED   no

                  outcome                      runs   share
                  (none)                         20   9.5 %         ██
                  [0, 0, ]                       19     9 %   bad   ██
                  [0, 0, 0, ]                    18   8.6 %         ██
                  [0, 0, 0, 0, ]                 17   8.1 %   bad   ██
                  [0, 0, 0, 0, 0, ]              16   7.6 %         ██
                  [0, 0, 0, 0, 0, 0, ]           15   7.1 %   bad   █
                  [0, 0, 0, 0, 0, 0, 0, ]        14   6.7 %         █
                  [0, 0, 0, 0, 0, 0, 0, 0, ]     13   6.2 %   bad   █
                  [0, 0, 0, 0, 0, 0, 0, 0, …     12   5.7 %         █
                  [0, 0, 0, 0, 0, 0, 0, 0, …     11   5.2 %   bad   █
                  [0, 0, 0, 0, 0, 0, 0, 0, …     10   4.8 %         █
                  [0, 0, 0, 0, 0, 0, 0, 0, …      9   4.3 %   bad   █
                  and 36 runs in 8 other ways, 16 of them bad

                  at       src/lib.rs:7
                  bad      100 of 210 runs: 47.6 %; 41 % to 54.4 % with a confidence of 95 %
                           (Wilson)
                  size     --threads 2 --ops 1
                  theory   not counted: counter/load-store has more than 100,000 traces
                  fix      make it one step
                  searched threads, the real machine, 210 executions, 100 of them failing, cut
                           by the bound of 210 runs
                  replay   not possible: real threads
            "]],
        );
    }
}
