//! How far the measuring is, on stderr.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::timing::Way;

use super::super::progress::PATIENCE;

/// A bar that appears when the measuring takes longer than a moment, if stderr is a terminal.
#[derive(Debug)]
pub(super) struct Bar {
    started: Instant,
    /// How many runs there are in all.
    runs: u64,
    done: u64,
    stage: String,
    shown: Option<ProgressBar>,
}

impl Bar {
    /// A bar for this number of runs.
    pub(super) fn new(runs: u64) -> Self {
        Bar {
            started: Instant::now(),
            runs,
            done: 0,
            stage: String::new(),
            shown: None,
        }
    }

    /// A run of a way begins.
    pub(super) fn begin(&mut self, round: u32, way: &Way) {
        self.stage = format!("{way}, run {round}; Ctrl-C stops and reports");
        self.show();
    }

    /// A run is over.
    pub(super) fn end_run(&mut self) {
        self.done += 1;
        self.show();
    }

    /// Whether all runs are over.
    pub(super) fn is_full(&self) -> bool {
        self.done == self.runs
    }

    /// Shows how far it is now.
    pub(super) fn show(&mut self) {
        if self.shown.is_none() && self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.shown.get_or_insert_with(|| {
            let template = "{spinner} {bar:20} {pos} of {len} runs, {elapsed}: {msg}";
            let style = ProgressStyle::with_template(template).expect("the template is valid");
            let bar = ProgressBar::new(self.runs).with_style(style);
            bar.with_elapsed(self.started.elapsed())
        });
        bar.set_position(self.done);
        bar.set_message(self.stage.clone());
        bar.tick();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
