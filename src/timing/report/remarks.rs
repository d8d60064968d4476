//! What has disturbed the measuring, beside the figures: worker processes that were lost.

use crate::timing::Timing;

/// How many lost workers of a way are told one by one.
const TOLD: usize = 5;

/// A sentence for each worker that was lost and replaced, after the name of its way: `processes:
/// process 2 ended by signal 9 (SIGKILL) with a task`. If there are many of a way, the rest is
/// counted.
pub(super) fn remarks(timing: &Timing) -> Vec<String> {
    let mut remarks = Vec::new();
    for row in &timing.rows {
        let name = row.name();
        let lost = row.lost_workers.iter().take(TOLD);
        remarks.extend(lost.map(|lost| format!("{name}: {lost}")));
        let more = row.lost_workers.len().saturating_sub(TOLD);
        if more > 0 {
            remarks.push(format!("{name}: {more} more were lost"));
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::super::samples::{row, timing};
    use super::super::{html, markdown, text};
    use super::*;
    use crate::report::Style;
    use crate::timing::TimedWay;

    const LOST: &str = "process 2 ended by signal 9 (SIGKILL) with a task";

    /// A way that has lost so many workers.
    fn losing(workers: usize) -> Timing {
        let row = TimedWay {
            lost_workers: vec![LOST.to_owned(); workers],
            ..row("processes", 2, &[1.0, 1.1, 1.2])
        };
        timing("cpu", &serde_json::json!({}), vec![row])
    }

    #[test]
    fn a_lost_worker_is_shown_in_every_format() {
        let timing = losing(1);
        let text = text(&timing, &Style::default());
        assert!(text.contains(&format!("\n  processes: {LOST}\n")), "{text}");
        let markdown = markdown(&timing);
        assert!(
            markdown.contains(&format!("\n- processes: {LOST}\n")),
            "{markdown}"
        );
        assert!(html(&timing).contains(&format!("<li>processes: {LOST}</li>")));
    }

    #[test]
    fn of_many_lost_workers_the_rest_is_counted() {
        let remarks = remarks(&losing(12));
        assert_eq!(remarks.len(), TOLD + 1);
        assert_eq!(remarks[TOLD], "processes: 7 more were lost");
    }

    #[test]
    fn without_a_loss_there_is_no_remark() {
        let timing = losing(0);
        assert!(remarks(&timing).is_empty());
        assert!(!html(&timing).contains("<ul class=\"note\">"));
    }
}
