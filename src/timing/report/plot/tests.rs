//! Pictures of timings made by hand, and what must hold of all.

#![expect(clippy::cast_precision_loss, reason = "texts are short")]

use expect_test::expect_file;
use proptest::prelude::*;
use roxmltree::{Document, Node};
use serde_json::json;

use super::super::samples::{self, row, timing};
use super::{html, svg};
use crate::timing::{Activity, Lane, Span, TimedWay, Timing};

#[test]
fn pictures_are_as_in_the_golden_files() {
    for (name, timing) in [("sleep", samples::sleep()), ("primes", samples::primes())] {
        expect_file![format!("../golden/{name}.svg")].assert_eq(&svg(&timing));
    }
    expect_file!["../golden/sleep.html"].assert_eq(&html(&samples::sleep()));
}

#[test]
fn pictures_of_all_samples_are_sound() {
    let all = [
        samples::io(),
        samples::cpu(),
        samples::primes(),
        samples::sleep(),
        samples::pipe(),
        samples::interrupted(),
    ];
    for timing in all {
        assert_sound(&svg(&timing));
    }
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    assert_sound(&svg(&timing("io", &json!({}), Vec::new())));
    assert_sound(&svg(&timing(
        "io",
        &json!({}),
        vec![row("sync", 1, &[0.0])],
    )));
}

#[test]
fn there_is_a_chart_of_a_sweep_only_if_there_is_one() {
    assert!(svg(&samples::io()).contains("Sweep of threads"));
    assert!(!svg(&samples::primes()).contains("Sweep of"));
}

#[test]
fn what_data_says_is_no_markup() {
    let hostile = "</title><script>alert(1)</script> & \"x\" \u{0}";
    let rows = ["sync", "threads"].map(|method| TimedWay {
        variant: Some(hostile.to_owned()),
        lanes: vec![lane(hostile, 3, 1.0)],
        ..row(method, 1, &[1.0, 2.0])
    });
    let timing = timing(hostile, &json!({"url": hostile}), rows.into());
    assert_sound(&svg(&timing));
    let page = html(&timing);
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn a_page_loads_nothing() {
    let page = html(&samples::io());
    for word in ["src=", "href=", "url(", "@import", "<script", "http"] {
        assert!(!page.contains(word), "{word} is in the page");
    }
}

#[test]
fn a_page_shows_the_table_the_conclusion_and_every_picture() {
    let timing = samples::io();
    let page = html(&timing);
    assert_eq!(
        page.matches("<th scope=\"row\">").count(),
        timing.rows.len()
    );
    assert!(page.contains("4.55 times as fast as 20 threads"));
    assert_eq!(page.matches("<svg ").count(), 3);
    assert!(page.contains("2 cores"));
    assert!(page.contains("latency 20ms"));
}

#[test]
fn ten_thousand_lanes_are_a_small_file() {
    let lanes = (0..10_000).map(|n| lane(&format!("task {n}"), 16, 0.1));
    let rows = vec![TimedWay {
        lanes: lanes.collect(),
        ..row("async", 10_000, &[1.6])
    }];
    let svg = svg(&timing("sleep", &json!({}), rows));
    assert_sound(&svg);
    assert!(svg.contains("… 9,960 more"));
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
}

#[test]
fn lanes_of_very_many_spans_are_a_small_file() {
    let rows: Vec<TimedWay> = (1..=30)
        .map(|workers| TimedWay {
            lanes: (0..40).map(|_| lane("thread", 500, 4e-3)).collect(),
            ..row("threads", workers, &[2.0])
        })
        .collect();
    let svg = svg(&timing("io", &json!({}), rows));
    assert_sound(&svg);
    assert!(svg.len() < 4_000_000, "{} bytes", svg.len());
}

/// A lane of so many pieces of work with a wait after each.
fn lane(name: &str, count: u32, each: f64) -> Lane {
    let spans = (0..count).flat_map(|n| {
        let start = f64::from(n) * each;
        let middle = start + each * 0.4;
        [
            (start, middle, Activity::Work),
            (middle, start + each, Activity::Wait),
        ]
    });
    let spans = spans.map(|(start, end, activity)| Span {
        start,
        end,
        activity,
        cpu: Some(0.5 * (end - start)),
        begins_item: activity == Activity::Work,
    });
    Lane {
        name: name.to_owned(),
        spans: spans.collect(),
    }
}

fn assert_sound(svg: &str) {
    if let Err(why) = check(svg) {
        panic!("{why}");
    }
}

/// Whether a text is XML of which everything that is drawn is in the picture.
fn check(svg: &str) -> Result<(), String> {
    let document = Document::parse(svg).map_err(|error| error.to_string())?;
    let root = document.root_element();
    let size = numbers(root.attribute("viewBox").unwrap_or_default())?;
    let [0.0, 0.0, width, height] = size[..] else {
        return Err(format!("the view box is {size:?}"));
    };
    for node in root.descendants().filter(Node::is_element) {
        let mut offset = [0.0, 0.0];
        for group in node.ancestors() {
            if let Some(transform) = group.attribute("transform") {
                let by = transform
                    .trim_start_matches("translate(")
                    .trim_end_matches(')');
                let by = numbers(by)?;
                offset = [offset[0] + by[0], offset[1] + by[1]];
            }
        }
        for [x, y] in corners(&node)? {
            let [x, y] = [x + offset[0], y + offset[1]];
            let is_inside = (0.0..=width).contains(&x) && (0.0..=height).contains(&y);
            if !is_inside {
                return Err(format!("{node:?} is at {x}, {y} of {width}, {height}"));
            }
        }
    }
    Ok(())
}

/// Points between which an element is. Of a text, where it most likely ends.
fn corners(node: &Node<'_, '_>) -> Result<Vec<[f64; 2]>, String> {
    let at = |name: &str| -> Result<f64, String> {
        let value = numbers(node.attribute(name).unwrap_or_default())?;
        value
            .first()
            .copied()
            .ok_or(format!("{node:?} has no {name}"))
    };
    Ok(match node.tag_name().name() {
        "rect" => {
            let [x, y] = [at("x")?, at("y")?];
            vec![[x, y], [x + at("width")?, y + at("height")?]]
        }
        "line" => vec![[at("x1")?, at("y1")?], [at("x2")?, at("y2")?]],
        "circle" => {
            let [x, y, r] = [at("cx")?, at("cy")?, at("r")?];
            vec![[x - r, y - r], [x + r, y + r]]
        }
        "polyline" | "polygon" => {
            let points = numbers(node.attribute("points").unwrap_or_default())?;
            points.chunks(2).map(|point| [point[0], point[1]]).collect()
        }
        "text" => {
            let [x, y] = [at("x")?, at("y")?];
            let width = node.text().unwrap_or_default().chars().count() as f64 * 6.5;
            let start = match node.attribute("text-anchor") {
                Some("end") => x - width,
                Some("middle") => x - width / 2.0,
                _ => x,
            };
            vec![[start, y - 10.0], [start + width, y + 3.0]]
        }
        "path" => {
            let path = node.attribute("d").unwrap_or_default();
            let mut corners = Vec::new();
            for band in path.split('M').skip(1) {
                let band = band.trim_end_matches('z').replace(['h', 'v'], " ");
                let [x, y, width, height, _] = numbers(&band)?[..] else {
                    return Err(format!("{band} is no band"));
                };
                corners.extend([[x, y], [x + width, y + height]]);
            }
            corners
        }
        _ => Vec::new(),
    })
}

/// The finite numbers in a text.
fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let text = text.replace(',', " ");
    let numbers = text.split_whitespace().map(|number| match number.parse() {
        Ok(number) if f64::is_finite(number) => Ok(number),
        _ => Err(format!("{number} is no finite number")),
    });
    numbers.collect()
}

/// Times as they are measured, and some that nobody measures.
fn times() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 1e-7..100.0_f64,
        1 => Just(0.0),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(1e300)],
    ]
}

fn rows() -> impl Strategy<Value = TimedWay> {
    let method = prop::sample::select(vec!["sync", "threads", "async", "processes", "rayon"]);
    let variant = prop::option::of("[ -~]{0,60}");
    let workers = prop_oneof![1..40_usize, 1..20_000_usize];
    let runs = prop::collection::vec(times(), 1..5);
    let ideal = prop::option::of(times());
    let cpu = prop::option::of(times());
    let span = (times(), times(), any::<bool>(), cpu, any::<bool>());
    let lane = ("[^\u{0}]{0,40}", prop::collection::vec(span, 0..20));
    let lanes = prop::collection::vec(lane, 0..12);
    (method, variant, workers, runs, ideal, lanes).prop_map(
        |(method, variant, workers, runs, ideal_seconds, lanes)| TimedWay {
            variant,
            ideal_seconds,
            lanes: lanes
                .into_iter()
                .map(|(name, spans)| Lane {
                    name,
                    spans: spans
                        .into_iter()
                        .map(|(start, end, works, cpu, begins_item)| Span {
                            start,
                            end,
                            activity: if works {
                                Activity::Work
                            } else {
                                Activity::Wait
                            },
                            cpu,
                            begins_item,
                        })
                        .collect(),
                })
                .collect(),
            ..row(method, workers, &runs)
        },
    )
}

fn timings() -> impl Strategy<Value = Timing> {
    prop::collection::vec(rows(), 0..8).prop_map(|rows| timing("work", &json!({}), rows))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pictures_are_xml_in_which_all_is_in_the_picture(timing in timings()) {
        let svg = svg(&timing);
        prop_assert_eq!(check(&svg), Ok(()));
    }

    #[test]
    fn the_same_figures_have_the_same_picture(timing in timings()) {
        prop_assert_eq!(svg(&timing), svg(&timing.clone()));
    }
}
