//! Explorations for checks, which look for failures also where not everything can be explored.

use std::sync::Arc;
use std::time::Instant;

use crate::check::DEFAULT_CHECK_TIME;
use crate::report::plural;
use crate::verdict::{Bound, Engine, Reason, Report, Verdict};

use super::Explorer;
use super::divided::FanOut;

/// What goes on where a search of everything was cut.
const SAMPLERS: [Engine; 2] = [Engine::Surw, Engine::Random];

/// What an exploration for a check has come to.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) report: Report,
    /// The random engines that have gone on after it without a failure, with their executions.
    sampled: Vec<(Engine, u64)>,
}

impl From<Report> for Checked {
    fn from(report: Report) -> Self {
        Checked {
            report,
            sampled: Vec::new(),
        }
    }
}

impl Checked {
    /// The executions that came to their end, under whichever engine.
    pub(crate) fn executions(&self) -> u64 {
        let sampled = self.sampled.iter().map(|(_, executions)| executions);
        self.report.executions + sampled.sum::<u64>()
    }

    /// What the random engines have run, if they have.
    pub(crate) fn sampled(&self) -> Option<String> {
        let sampled = self.sampled.iter();
        let sampled = sampled.map(|(engine, executions)| {
            format!("{} of {engine}", plural(*executions, "execution"))
        });
        let sampled: Vec<String> = sampled.collect();
        (!sampled.is_empty()).then(|| format!("{} did not fail either", sampled.join(" and ")))
    }
}

impl Explorer {
    /// Whether everything has to be explored for a check to pass.
    pub(crate) fn requires_complete(&self) -> bool {
        self.requires_complete
    }

    /// Whether random engines go on after it if it is cut.
    pub(super) fn is_sampled_after(&self) -> bool {
        self.is_check && matches!(self.engine, Engine::Dpor | Engine::Dfs)
    }

    /// Explores for a check: with a limit on time, and with random engines in what is left of it.
    pub(crate) fn explore_for_check(&self, body: impl Fn() + Send + Sync + 'static) -> Checked {
        let start = Instant::now();
        let limit = self.time_limit.unwrap_or(DEFAULT_CHECK_TIME);
        let explorer = Explorer {
            is_check: true,
            ..self.clone().time_limit(limit)
        };
        let body: Arc<dyn Fn() + Send + Sync> = Arc::new(body);
        let explore = |explorer: &Explorer| {
            let body = Arc::clone(&body);
            explorer.explore(move || body())
        };
        let mut checked = Checked::from(explore(&explorer));
        if !explorer.is_sampled_after() || !is_cut(&checked.report) {
            return checked;
        }
        for (engine, shares) in SAMPLERS.into_iter().zip([2, 1]) {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            let sampler = Explorer {
                max_executions: explorer.max_executions,
                fan_out: FanOut::default(),
                ..explorer.clone().on(engine).time_limit(left / shares)
            };
            let report = explore(&sampler);
            if !matches!(&report.verdict, Verdict::Inconclusive(Reason::Bound(_))) {
                return Checked::from(report);
            }
            checked.sampled.push((engine, report.executions));
        }
        checked
    }
}

/// Whether a bound cut it that says nothing of what would have followed.
fn is_cut(report: &Report) -> bool {
    matches!(
        report.verdict,
        Verdict::Inconclusive(Reason::Bound(Bound::MaxSteps(_) | Bound::TimeLimit(_)))
    )
}
