//! Shows how far a search is, and stops it on Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Progress;

/// What takes longer than this shows progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is being done, if that is one of several things.
#[derive(Debug, Default)]
pub(super) struct Stage(Mutex<Option<String>>);

impl Stage {
    pub(super) fn set(&self, stage: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }

    fn get(&self) -> Option<String> {
        let stage = self.0.lock();
        stage.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs `work` while its progress is shown on stderr, if that is a terminal.
///
/// The first Ctrl-C lets the search stop and report what it knows, the second one ends the process.
pub(super) fn with_progress<T>(progress: &Progress, stage: &Stage, work: impl FnOnce() -> T) -> T {
    stop_on_interrupt(progress.clone());
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let start = Instant::now();
            if is_done.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{spinner} {msg}").expect("the template is valid"),
            );
            while is_done.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout)
            {
                bar.set_message(match stage.get() {
                    None => line(progress.executions(), start.elapsed()),
                    Some(stage) => stage_line(&stage, progress.executions()),
                });
                bar.tick();
            }
            bar.finish_and_clear();
        });
        let result = work();
        drop(done);
        result
    })
}

fn line(executions: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    // A rate for people: its last digits mean nothing.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the digits that are lost are not shown"
    )]
    let rate = executions as f64 / seconds;
    let executions = crate::verdict::grouped(executions);
    format!(
        "{executions} executions in {seconds:.0} s, {rate:.0} a second; Ctrl-C stops and reports"
    )
}

fn stage_line(stage: &str, executions: u64) -> String {
    let executions = crate::verdict::grouped(executions);
    format!("{stage}: {executions} executions; Ctrl-C stops and reports")
}

fn stop_on_interrupt(progress: Progress) {
    let interrupted = AtomicBool::new(false);
    // Without a handler Ctrl-C ends the process, which is all that can be done then.
    let _ = ctrlc::set_handler(move || {
        if interrupted.swap(true, SeqCst) {
            std::process::exit(130);
        }
        progress.interrupt();
    });
}
