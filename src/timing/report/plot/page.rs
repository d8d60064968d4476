//! What was measured as one page of HTML, which needs nothing but itself.

use crate::report::Style;

use super::super::columns::{columns, legend};
use super::super::remarks::remarks;
use super::super::text::{parameters, subject};
use super::canvas::{escaped, length};
use super::figure::{Figure, Layout, NARROW, Part, WIDE};
use super::{THEME, figures};
use crate::timing::Timing;

/// How the page looks apart from its pictures.
const PAGE: &str = include_str!("page.css");

/// One page with the table, the conclusion and all pictures. It loads nothing, so that it can be
/// read from a disk, without a network, and is XML, so that other programs can read it.
pub(crate) fn html(timing: &Timing) -> String {
    let title = escaped(&format!("racelab time {}", timing.workload));
    let mut about = escaped(&subject(timing));
    let parameters = parameters(timing);
    if !parameters.is_empty() {
        about += &format!("<br/>{}", escaped(&parameters));
    }
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{PAGE}{THEME}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p class=\"about\">{about}</p>\n"
    );
    if !timing.rows.is_empty() {
        out += &table(timing);
        out += &lost(timing);
    }
    out += &conclusion(timing);
    let origin = origin(timing);
    let wide = figures(timing, WIDE);
    let narrow = figures(timing, NARROW);
    for (place, (wide, narrow)) in wide.iter().zip(&narrow).enumerate() {
        out += &shown(wide, narrow, &origin, place + 1);
    }
    out + "</main>\n</body>\n</html>\n"
}

/// What follows: the answer, and a list of what else there is to say. Empty if there is nothing.
fn conclusion(timing: &Timing) -> String {
    let Some((answer, reasons)) = timing.conclusion.split_first() else {
        return String::new();
    };
    let answer = escaped(answer);
    let mut out =
        format!("<h2>What follows</h2>\n<p class=\"answer\"><strong>{answer}</strong></p>\n");
    if !reasons.is_empty() {
        let items = reasons.iter().map(|reason| {
            let reason = escaped(reason);
            format!("<li>{reason}</li>\n")
        });
        let items: String = items.collect();
        out += &format!("<ul class=\"reasons\">\n{items}</ul>\n");
    }
    out
}

/// Where and when the figures were measured. Empty if that is not known.
fn origin(timing: &Timing) -> String {
    let Some(origin) = &timing.origin else {
        return String::new();
    };
    let command = escaped(&origin.command);
    let circumstances = escaped(&origin.circumstances(timing.cores));
    format!("<p class=\"origin\"><code>{command}</code><br/>{circumstances}</p>\n")
}

fn table(timing: &Timing) -> String {
    let columns = columns(timing, &Style::default());
    let heads = columns.iter().map(|column| {
        let head = escaped(column.head);
        format!("<th scope=\"col\">{head}</th>")
    });
    let heads: String = heads.collect();
    let mut out = format!(
        "<p class=\"hint\">The table has {} columns: scroll it sideways.</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The figures\">\n<table>\n<thead><tr><th scope=\"col\">way</th>{heads}</tr></thead>\n\
         <tbody>\n",
        columns.len() + 1
    );
    for (place, row) in timing.rows.iter().enumerate() {
        let cells = columns.iter().map(|column| {
            let cell = escaped(&column.cells[place]);
            format!("<td>{cell}</td>")
        });
        let cells: String = cells.collect();
        let name = escaped(&row.name());
        out += &format!("<tr><th scope=\"row\">{name}</th>{cells}</tr>\n");
    }
    out += "</tbody>\n</table>\n</div>\n";
    out + &format!("<p class=\"note\">{}</p>\n", escaped(&legend(&columns)))
}

/// A list of what was lost. Empty if nothing was.
fn lost(timing: &Timing) -> String {
    let remarks = remarks(timing);
    if remarks.is_empty() {
        return String::new();
    }
    let items = remarks.iter().map(|remark| {
        let remark = escaped(remark);
        format!("<li>{remark}</li>\n")
    });
    let items: String = items.collect();
    format!("<ul class=\"note\">\n{items}</ul>\n")
}

/// A picture for both layouts, with its heading, its caption and what it was made from.
fn shown(wide: &Figure, narrow: &Figure, origin: &str, number: usize) -> String {
    let title = escaped(&wide.title);
    // A caption says what is in both.
    let caption = escaped(&wide.caption);
    let mut out = format!(
        "<h2 id=\"figure-{number}\">{title}</h2>\n<figure>\n\
         <figcaption id=\"caption-{number}\">{caption}</figcaption>\n"
    );
    for (part, narrow) in wide.parts.iter().zip(&narrow.parts) {
        let drawn =
            drawing(part, "wide", WIDE, number) + &drawing(narrow, "narrow", NARROW, number);
        out += &match &part.fold {
            None => drawn,
            Some(fold) => {
                let heading = escaped(&fold.heading);
                let open = if fold.is_open { " open=\"\"" } else { "" };
                format!("<details{open}>\n<summary>{heading}</summary>\n{drawn}</details>\n")
            }
        };
    }
    out + origin + "</figure>\n"
}

fn drawing(part: &Part, class: &str, layout: Layout, number: usize) -> String {
    let [width, height] = [layout.width, part.height].map(length);
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"figure-{number}\" aria-describedby=\"caption-{number}\">\n{}</svg>\n",
        part.elements
    )
}
