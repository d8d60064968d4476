//! What was measured, as a table in Markdown.

use crate::report::{Style, printable};

use super::columns::{columns, legend};
use super::remarks::remarks;
use super::text::{parameters, subject};
use crate::timing::Timing;

/// Renders what was measured as a table in Markdown, with a line for each row, what was lost as
/// a list, and the conclusion: the answer, and a list of what else there is to say.
pub(crate) fn markdown(timing: &Timing) -> String {
    let style = Style::default();
    let columns = columns(timing, &style);
    let mut out = format!("**{}**: {}", escaped(&timing.workload), subject(timing));
    let parameters = parameters(timing);
    if !parameters.is_empty() {
        out += &format!(" ({})", escaped(&parameters));
    }
    out += "\n";
    if timing.rows.is_empty() {
        return out;
    }
    let heads: Vec<&str> = columns.iter().map(|column| column.head).collect();
    out += &format!("\n| way | {} |\n", heads.join(" | "));
    out += &format!("|---|{}\n", "---:|".repeat(columns.len()));
    for (place, row) in timing.rows.iter().enumerate() {
        let cells = columns.iter().map(|column| column.cells[place].as_str());
        let cells: Vec<&str> = cells.collect();
        out += &format!("| {} | {} |\n", escaped(&row.name()), cells.join(" | "));
    }
    out += &format!("\n{}\n", legend(&columns));
    let remarks = remarks(timing);
    if !remarks.is_empty() {
        out += "\n";
        for remark in remarks {
            out += &format!("- {}\n", escaped(&remark));
        }
    }
    if let Some((answer, reasons)) = timing.conclusion.split_first() {
        out += &format!("\n**{}**\n", escaped(answer));
        if !reasons.is_empty() {
            out += "\n";
        }
        for reason in reasons {
            out += &format!("- {}\n", escaped(reason));
        }
    }
    out
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if matches!(
            c,
            '\\' | '|' | '<' | '>' | '&' | '*' | '_' | '`' | '[' | ']'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_table() {
        assert_eq!(escaped("a|b\n*c* <d>"), r"a\|b\\n\*c\* \<d\>");
    }
}
