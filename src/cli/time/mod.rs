//! `racelab time`: the same work done in several ways, timed side by side.

mod bar;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::Progress;
use crate::timing::{
    self, Choice, Event, Failed, Measurements, Origin, Plan, Timing, Way, Workload,
};

use self::bar::Bar;
use super::error::{Error, Exit};
use super::options::FormatChoice;
use super::output::{Output, Target};
use super::signals::stop_on_signal;

/// How often it is looked for Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

const AFTER_HELP: &str = "\
Each way is run once, then each a second time, and so on, so that what disturbs the machine for a
while disturbs all alike. Ctrl-C prints what was measured.

Exit codes: 0 measured; 1 the work failed, or its result is wrong; 2 not possible here; 3 the system
refused threads, processes, files or memory.";

/// Do the same work in several ways, and time them side by side.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Time {
    #[command(subcommand)]
    workload: Choice,
}

/// How the measuring ended.
enum MeasuringEnd {
    Done,
    Interrupted,
    Failed(Way, Failed),
}

impl Time {
    pub(super) fn run(&self, output: &Output, format: FormatChoice) -> Result<Exit, Error> {
        let (workload, measuring) = self.workload.make().map_err(refused)?;
        let plot = match &measuring.plot {
            Some(path) => {
                output.refuse_if_same("--plot", path)?;
                Some((path, Target::open(path)?))
            }
            None => None,
        };
        for way in workload.ways() {
            way.refuse_if_too_large().map_err(refused)?;
        }
        let (timing, ended) = measure(&workload, measuring.plan())?;
        if !timing.rows.is_empty() || timing.interrupted {
            match format {
                FormatChoice::Json => output.write_json(&timing)?,
                FormatChoice::Markdown => output.write(&timing::markdown(&timing))?,
                FormatChoice::Text => {
                    let mut style = output.plain_style();
                    style.ascii = measuring.ascii;
                    output.write(&timing::text(&timing, &style))?;
                }
            }
            if let Some((path, target)) = plot {
                let is_page = path
                    .extension()
                    .is_some_and(|extension| extension == "html");
                let draw = if is_page { timing::html } else { timing::svg };
                target.write(&draw(&timing))?;
            }
        }
        match ended {
            MeasuringEnd::Done => Ok(Exit::Success),
            MeasuringEnd::Interrupted => Ok(Exit::Interrupted),
            MeasuringEnd::Failed(way, Failed::Broken(why)) => {
                Err(Error::Failed(format!("{way}: {why}")))
            }
            MeasuringEnd::Failed(_, failed) => Err(refused(failed)),
        }
    }
}

/// Measures a work on a thread of its own, which is left behind on Ctrl-C: it ends with the process,
/// and its worker processes with it.
fn measure(workload: &Arc<dyn Workload>, plan: Plan) -> Result<(Timing, MeasuringEnd), Error> {
    let origin = Origin::here();
    let progress = Progress::default();
    stop_on_signal(progress.clone());
    let mut measurements = Measurements::new(&**workload, timing::cores());
    let runs = workload.ways().len() as u64 * u64::from(plan.rounds);
    let (sender, events) = channel();
    let measured = Arc::clone(workload);
    thread::Builder::new()
        .name("measuring".to_owned())
        .spawn(move || {
            timing::measure(&*measured, plan, |event| {
                // Nobody listens any more after Ctrl-C.
                let _ = sender.send(event);
            });
        })
        .map_err(|error| {
            Error::Refused(format!(
                "cannot start a thread that measures: {error}; allow more processes and threads \
                 (`ulimit -u`)"
            ))
        })?;
    let ended = collect(&events, &progress, runs, &mut measurements)?;
    let mut timing = measurements.timing(&**workload);
    timing.interrupted = matches!(ended, MeasuringEnd::Interrupted);
    timing.conclusion = timing::conclusion(&timing);
    timing.origin = Some(origin);
    Ok((timing, ended))
}

/// Collects runs until there are no more, or until Ctrl-C.
fn collect(
    events: &Receiver<Event>,
    progress: &Progress,
    runs: u64,
    measurements: &mut Measurements,
) -> Result<MeasuringEnd, Error> {
    let mut bar = Bar::new(runs);
    let mut failed = None;
    loop {
        if progress.is_interrupted() {
            return Ok(MeasuringEnd::Interrupted);
        }
        match events.recv_timeout(LOOK) {
            Ok(Event::Costs(costs)) => measurements.note_costs(costs),
            Ok(Event::Begins { round, way }) => bar.begin(round, &way),
            Ok(Event::Ended(run)) => {
                bar.end_run();
                measurements.add(*run);
            }
            Ok(Event::Failed { way, why }) => failed = Some(MeasuringEnd::Failed(way, why)),
            Err(RecvTimeoutError::Timeout) => bar.show(),
            Err(RecvTimeoutError::Disconnected) => {
                if failed.is_none() && bar.is_full() {
                    failed = Some(MeasuringEnd::Done);
                }
                let lost = || Error::Internal("the measuring thread panicked".to_owned());
                return failed.ok_or_else(lost);
            }
        }
    }
}

/// The error that what was asked for is not possible, or that the system does not let it be done.
fn refused(failed: Failed) -> Error {
    match failed {
        Failed::NotGiven(why) => Error::Refused(why),
        Failed::Refused(why) | Failed::Broken(why) => Error::Usage(why),
    }
}
