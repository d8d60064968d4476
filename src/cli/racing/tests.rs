//! Runs by scripts, which say what a child could say and end as one could.

use super::*;

const GOOD: &str = r#"{"Ended":{"outcome":"2","failure":null}}"#;

fn job(runs: u64) -> Job {
    Job {
        variant: "a/b".to_owned(),
        threads: 2,
        ops: 1,
        first: 0,
        runs,
        together: None,
        first_core: 0,
        delays: None,
    }
}

/// Makes runs by a script, which is made from the job.
fn raced(runs: u64, stall_limit: Duration, script: &dyn Fn(&Job) -> String) -> Counted {
    let racing = Racing {
        job: job(runs),
        at_once: 1,
        stall_limit,
        deadline: None,
        command: &|job| {
            let mut command = Command::new("sh");
            command.args(["-c", &script(job)]);
            Ok(command)
        },
    };
    racing.run(&Progress::default(), &Stage::default())
}

/// Says all of it at once.
fn say(lines: &[&str]) -> String {
    format!("printf '%s\\n' '{}'", lines.join("' '"))
}

fn outcomes(counted: &Counted) -> u64 {
    counted.ended.values().sum()
}

#[test]
fn each_run_of_a_child_is_counted_once() {
    let bad = r#"{"Ended":{"outcome":"1","failure":{"message":"no","at":null}}}"#;
    let lines = [
        r#""Ready""#,
        GOOD,
        r#"{"Together":2}"#,
        bad,
        r#"{"Again":0}"#,
        r#"{"Again":1}"#,
        r#"{"Again":0}"#,
    ];
    let counted = raced(5, Duration::MAX, &|_| say(&lines));
    assert_eq!((counted.runs, counted.bad), (5, 2));
    let runs = |outcome: &str| {
        let mut ended = counted.ended.iter();
        *ended
            .find(|(ended, _)| ended.outcome.as_deref() == Some(outcome))
            .unwrap()
            .1
    };
    assert_eq!((runs("2"), runs("1")), (3, 2));
    assert!(matches!(counted.first_bad, Some(Bad::Failed(_))));
    assert_eq!(counted.stop, None);
}

#[test]
fn a_crash_is_counted_by_its_signal_and_the_next_child_makes_the_rest() {
    // A good run, and then a crash in the next one, if there is one.
    let script = |job: &Job| {
        let crash = match job.runs {
            1 => "",
            _ => "; echo 'double free' >&2; echo 'more' >&2; kill -SEGV $$",
        };
        say(&[r#""Ready""#, GOOD]) + crash
    };
    let counted = raced(5, Duration::MAX, &script);
    assert_eq!((counted.runs, counted.bad), (5, 2));
    assert_eq!(outcomes(&counted), 3);
    let crashes: Vec<_> = counted.crashes.into_iter().collect();
    let said = Some("double free".to_owned());
    assert_eq!(crashes, [("SIGSEGV".to_owned(), (2, said))]);
    let how = "ended by signal 11 (SIGSEGV)".to_owned();
    assert_eq!(counted.first_bad, Some(Bad::Crashed(how)));
}

#[test]
fn a_record_that_a_crash_has_cut_is_no_run() {
    let script = |job: &Job| match job.runs {
        1 => say(&[r#""Ready""#, GOOD]),
        _ => r#"printf '"Ready"\n{"Ended":{"outcome":'; kill -ABRT $$"#.to_owned(),
    };
    let counted = raced(2, Duration::MAX, &script);
    assert_eq!((counted.runs, counted.bad, outcomes(&counted)), (2, 1, 1));
    assert_eq!(counted.crashes["SIGABRT"].0, 1);
}

#[test]
fn a_child_that_ends_by_itself_before_its_runs_are_made_has_crashed() {
    let counted = raced(1, Duration::MAX, &|_| say(&[r#""Ready""#]) + "; exit 7");
    assert_eq!(counted.crashes["exit code 7"].0, 1);
    assert_eq!((counted.runs, counted.bad), (1, 1));
}

#[test]
fn a_run_that_does_not_end_is_a_time_out_and_its_child_is_killed() {
    let script = |job: &Job| match job.first {
        0 => say(&[r#""Ready""#, GOOD]) + "; exec sleep 1000",
        _ => say(&[r#""Ready""#, GOOD]),
    };
    let limit = Duration::from_millis(100);
    let counted = raced(3, limit, &script);
    assert_eq!((counted.runs, counted.bad, counted.timeouts), (3, 1, 1));
    assert_eq!(outcomes(&counted), 2);
    assert_eq!(counted.first_bad, Some(Bad::Endless));
}

#[test]
fn runs_that_never_end_are_given_up() {
    let limit = Duration::from_millis(20);
    let hangs = |_: &Job| say(&[r#""Ready""#]) + "; exec sleep 1000";
    // As if it had been waited for long enough.
    let progress = Progress::default();
    let stage = Stage::default();
    let racing = Racing {
        job: job(1_000_000),
        at_once: 2,
        stall_limit: limit,
        deadline: None,
        command: &|job| {
            let mut command = Command::new("sh");
            command.args(["-c", &hangs(job)]);
            Ok(command)
        },
    };
    let mut counting = Counting {
        racing: &racing,
        progress: &progress,
        stage: &stage,
        counted: Counted {
            timeouts: 1_499,
            ..Counted::default()
        },
        children: Supervisor::of(1),
    };
    counting.make(vec![0..1_000; 1]);
    let counted = counting.counted;
    assert_eq!(counted.stop, Some(Stop::Timeouts));
    assert_eq!((counted.runs, counted.timeouts), (1, 1_500));
}

#[test]
fn a_child_that_does_not_begin_is_an_error_with_what_it_said() {
    let counted = raced(3, Duration::MAX, &|_| {
        "echo 'no such thing' >&2; exit 3".to_owned()
    });
    let how = "the process for the runs ended with exit code 3 before the first of them: no such \
               thing";
    assert_eq!((counted.runs, counted.bad), (0, 0));
    assert_eq!(counted.stop, Some(Stop::NotBegun(how.to_owned())));
}

#[test]
fn a_signal_from_outside_is_no_crash_and_ends_the_runs() {
    // Not those that whoever runs the tests may have told them to ignore, as `nohup` does.
    for signal in ["KILL", "TERM"] {
        // Two good runs, and then in the next one.
        let script = |_: &Job| say(&[r#""Ready""#, GOOD, GOOD]) + &format!("; kill -{signal} $$");
        let counted = raced(9, Duration::MAX, &script);
        assert_eq!((counted.runs, counted.bad, outcomes(&counted)), (2, 0, 2));
        assert!(counted.crashes.is_empty());
        assert_eq!(counted.stop, Some(Stop::Killed(format!("SIG{signal}"))));
    }
}

#[test]
fn a_signal_from_outside_before_the_first_run_loses_no_count() {
    // The next child comes to no run.
    let script = |job: &Job| match job.first {
        0 => say(&[r#""Ready""#, GOOD]) + "; kill -SEGV $$",
        _ => "kill -KILL $$".to_owned(),
    };
    let counted = raced(9, Duration::MAX, &script);
    assert_eq!((counted.runs, counted.bad, outcomes(&counted)), (2, 1, 1));
    assert_eq!(counted.crashes["SIGSEGV"].0, 1);
    assert_eq!(counted.stop, Some(Stop::Killed("SIGKILL".to_owned())));
}

#[test]
fn what_was_counted_is_kept_if_the_next_child_cannot_be_started() {
    let racing = Racing {
        job: job(9),
        at_once: 1,
        stall_limit: Duration::MAX,
        deadline: None,
        command: &|job| match job.first {
            0 => {
                let mut command = Command::new("sh");
                let script = say(&[r#""Ready""#, GOOD]) + "; kill -SEGV $$";
                command.args(["-c", &script]);
                Ok(command)
            }
            _ => Err(io::Error::other("no more of them")),
        },
    };
    let counted = racing.run(&Progress::default(), &Stage::default());
    assert_eq!((counted.runs, counted.bad, outcomes(&counted)), (2, 1, 1));
    let Some(Stop::Refused(why)) = &counted.stop else {
        panic!("{:?}", counted.stop);
    };
    assert!(
        why.starts_with("cannot start a process for the runs: no more of them; allow more "),
        "{why}"
    );
}

#[test]
fn a_child_that_can_make_no_runs_says_why() {
    let lines = [r#""Ready""#, GOOD, r#"{"Unable":"no threads"}"#];
    let counted = raced(3, Duration::MAX, &|_| say(&lines));
    assert_eq!((counted.runs, counted.bad), (1, 0));
    assert_eq!(counted.stop, Some(Stop::Unable("no threads".to_owned())));
}

#[test]
fn nothing_is_begun_after_an_interrupt_or_the_time_limit() {
    let progress = Progress::default();
    let stage = Stage::default();
    let mut racing = Racing {
        job: job(3),
        at_once: 2,
        stall_limit: Duration::MAX,
        deadline: Some(Instant::now()),
        command: &|_| Err(io::Error::other("it was begun")),
    };
    let counted = racing.run(&progress, &stage);
    assert_eq!((counted.runs, counted.stop), (0, Some(Stop::TimeLimit)));
    racing.deadline = None;
    progress.interrupt();
    let counted = racing.run(&progress, &stage);
    assert_eq!((counted.runs, counted.stop), (0, Some(Stop::Interrupted)));
}

#[test]
fn runs_are_divided_evenly_and_none_is_left() {
    assert_eq!(shares(7, 3), [0..3, 3..5, 5..7]);
    assert_eq!(shares(2, 8), [0..1, 1..2]);
    assert_eq!(shares(u64::MAX, 1), vec![0..u64::MAX; 1]);
}
