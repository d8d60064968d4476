//! What was measured as one page of HTML, which needs nothing but itself.

use crate::report::Style;

use super::super::columns::{columns, legend};
use super::super::remarks::remarks;
use super::super::text::{parameters, subject};
use super::canvas::{escaped, length};
use super::figure::{Figure, WIDTH};
use super::{THEME, figures};
use crate::timing::Timing;

/// How the page looks apart from its pictures.
const PAGE: &str = include_str!("page.css");

/// One page with the table, the conclusion and all pictures. It loads nothing, so that it can be
/// read from a disk, without a network.
pub(crate) fn html(timing: &Timing) -> String {
    let title = escaped(&format!("racelab time {}", timing.workload));
    let mut about = escaped(&subject(timing));
    let parameters = parameters(timing);
    if !parameters.is_empty() {
        about += &format!("<br>{}", escaped(&parameters));
    }
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{PAGE}{THEME}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p class=\"about\">{about}</p>\n"
    );
    if !timing.rows.is_empty() {
        out += &table(timing);
        out += &lost(timing);
    }
    if !timing.conclusion.is_empty() {
        out += "<h2>What follows</h2>\n";
        let conclusion = escaped(&timing.conclusion.join(" "));
        out += &format!("<p class=\"conclusion\">{conclusion}</p>\n");
    }
    for (place, figure) in figures(timing).iter().enumerate() {
        out += &shown(figure, place + 1);
    }
    out + "</main>\n</body>\n</html>\n"
}

fn table(timing: &Timing) -> String {
    let columns = columns(timing, &Style::default());
    let heads = columns.iter().map(|column| {
        let head = escaped(column.head);
        format!("<th scope=\"col\">{head}</th>")
    });
    let heads: String = heads.collect();
    let mut out = format!(
        "<div class=\"scroll\">\n<table>\n<thead><tr><th scope=\"col\">way</th>{heads}</tr></thead>\n\
         <tbody>\n"
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

/// A picture with its heading and its caption.
fn shown(figure: &Figure, number: usize) -> String {
    let title = escaped(&figure.title);
    let caption = escaped(&figure.caption);
    let [width, height] = [WIDTH, figure.height].map(length);
    format!(
        "<h2 id=\"figure-{number}\">{title}</h2>\n<figure>\n\
         <figcaption id=\"caption-{number}\">{caption}</figcaption>\n\
         <svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-labelledby=\"figure-{number}\" aria-describedby=\"caption-{number}\">\n{}</svg>\n\
         </figure>\n",
        figure.elements
    )
}
