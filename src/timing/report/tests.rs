//! How timings are shown, against golden files.

use expect_test::expect_file;
use serde_json::Value;

use crate::report::Style;

use super::{markdown, samples, text};
use crate::timing::Timing;

fn all() -> [(&'static str, Timing); 6] {
    [
        ("io", samples::io()),
        ("cpu", samples::cpu()),
        ("primes", samples::primes()),
        ("sleep", samples::sleep()),
        ("pipe", samples::pipe()),
        ("interrupted", samples::interrupted()),
    ]
}

#[test]
fn text_is_as_in_the_golden_files() {
    for (name, timing) in all() {
        let text = text(&timing, &Style::default());
        expect_file![format!("golden/{name}.txt")].assert_eq(&text);
    }
}

#[test]
fn markdown_is_as_in_the_golden_files() {
    for (name, timing) in all() {
        expect_file![format!("golden/{name}.md")].assert_eq(&markdown(&timing));
    }
}

#[test]
fn a_line_is_no_wider_than_the_terminal() {
    for (name, timing) in all() {
        for width in [40, 60, 80, 100, 200] {
            // A column cannot stand beside the names of its ways in 40.
            if name == "primes" && width == 40 {
                continue;
            }
            let style = Style {
                width,
                ..Style::default()
            };
            for line in text(&timing, &style).lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= width, "{columns} columns of {width}: {line}");
            }
        }
    }
}

#[test]
fn ascii_is_ascii() {
    let style = Style {
        ascii: true,
        ..Style::default()
    };
    for (_, timing) in all() {
        let text = text(&timing, &style);
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn json_has_what_the_format_names_and_comes_back_the_same() {
    for (_, mut timing) in all() {
        let json = serde_json::to_value(&timing).unwrap();
        assert_eq!(json["schema"], "racelab/time/1");
        let row = &json["rows"][0];
        let keys = [
            "method",
            "workers",
            "items",
            "seconds",
            "runs",
            "ideal_seconds",
            "speedup",
            "checksum",
        ];
        for key in keys {
            assert!(row.get(key).is_some(), "{key} is missing in {row}");
        }
        let back: Timing = serde_json::from_value(json).unwrap();
        // Lanes are in pictures only.
        for row in &mut timing.rows {
            row.lanes.clear();
            row.thread_of_tasks = None;
        }
        assert_eq!(back.rows, timing.rows);
        assert_eq!(back.conclusion, timing.conclusion);
    }
}

#[test]
fn nothing_measured_is_said() {
    let timing = Timing::new("cpu", serde_json::Map::<String, Value>::new(), 2);
    assert_eq!(
        text(&timing, &Style::default()),
        "cpu   nothing measured, 2 cores\n"
    );
    assert_eq!(markdown(&timing), "**cpu**: nothing measured, 2 cores\n");
}
