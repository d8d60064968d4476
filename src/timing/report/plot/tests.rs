//! Pictures of timings made by hand, and what must hold of all.

#![expect(clippy::cast_precision_loss, reason = "texts are short")]

use expect_test::expect_file;
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::json;

use super::super::samples::{self, row, timing};
use super::figure::{Layout, NARROW, WIDE};
use super::{html, svg};
use crate::timing::{Activity, Lane, Span, TimedWay, Timing};

/// What the text of pictures and pages is never smaller than, in pixels.
const TEXT: f64 = 12.0;

#[test]
fn pictures_are_as_in_the_golden_files() {
    for (name, timing) in [("sleep", samples::sleep()), ("primes", samples::primes())] {
        expect_file![format!("../golden/{name}.svg")].assert_eq(&svg(&timing));
    }
    expect_file!["../golden/sleep.html"].assert_eq(&html(&samples::sleep()));
}

fn all() -> [Timing; 6] {
    [
        samples::io(),
        samples::cpu(),
        samples::primes(),
        samples::sleep(),
        samples::pipe(),
        samples::interrupted(),
    ]
}

#[test]
fn pictures_of_all_samples_are_sound() {
    for timing in all() {
        assert_sound(&svg(&timing));
        assert_sound(&html(&timing));
    }
}

#[test]
fn each_item_has_its_tick() {
    for timing in all() {
        let page = html(&timing);
        let page = parsed(&page).unwrap();
        let ways = page
            .descendants()
            .filter(|node| node.has_tag_name("details"));
        let rows = timing.rows.iter().filter(|row| !row.lanes.is_empty());
        let mut ways = ways.zip(rows).peekable();
        assert!(ways.peek().is_some() || timing.workload == "pipe");
        for (way, row) in ways {
            for (class, layout) in [("wide", WIDE), ("narrow", NARROW)] {
                let mut drawings = way.children().filter(|node| has_class(node, class));
                let drawing = drawings.next().expect("it is drawn for each layout");
                assert_ticks(drawing, row, layout);
            }
        }
    }
}

/// Whether each lane of a way has a tick where each item ended, and no other.
fn assert_ticks(drawing: Node<'_, '_>, row: &TimedWay, layout: Layout) {
    let groups = drawing.descendants().filter(|node| node.has_tag_name("g"));
    let groups = groups.filter(|group| group.children().any(|node| node.has_tag_name("title")));
    let lanes = row.thread_of_tasks.iter().chain(&row.lanes).take(40);
    let mut compared = 0;
    for (group, lane) in groups.zip(lanes) {
        let label = group.descendants().find(|node| node.has_tag_name("text"));
        let left = label
            .unwrap()
            .attribute("x")
            .unwrap()
            .parse::<f64>()
            .unwrap()
            + 10.0;
        let width = (layout.width - left - 40.0).floor();
        let mut ends: Vec<f64> = lane
            .items()
            .map(|item| item.last().unwrap().end / row.end() * width)
            .map(|end| left + end.floor().min(width - 1.0))
            .collect();
        ends.dedup();
        let ticks = |class: &str| -> Vec<f64> {
            let path = group.descendants().find(|node| has_class(node, class));
            let bands = path.map(|path| corners(&path).unwrap()).unwrap_or_default();
            let columns = bands.chunks(2).flat_map(|corners| {
                let [from, to] = [corners[0][0], corners[1][0]];
                std::iter::successors(Some(from), move |x| Some(x + 1.0).filter(|x| *x < to - 0.5))
            });
            columns.collect()
        };
        let (single, several) = (ticks("item"), ticks("items"));
        let mut ticks = [&single[..], &several].concat();
        ticks.sort_by(f64::total_cmp);
        assert_eq!(ticks.len(), ends.len(), "{} of {}", lane.name, row.label());
        for (tick, end) in ticks.iter().zip(&ends) {
            assert!((tick - end).abs() <= 1.0, "{tick} in place of {end}");
        }
        let items = lane.items().count();
        assert_eq!(several.is_empty(), items == single.len(), "{}", lane.name);
        compared += 1;
    }
    assert_eq!(
        compared,
        (row.lanes.len() + row.thread_of_tasks.iter().len()).min(40)
    );
}

#[test]
fn sync_shows_its_160_downloads() {
    let page = html(&samples::io());
    let page = parsed(&page).unwrap();
    let way = page.descendants().find(|node| node.has_tag_name("details"));
    let ticks = way
        .unwrap()
        .descendants()
        .find(|node| has_class(node, "item"));
    assert_eq!(corners(&ticks.unwrap()).unwrap().len(), 2 * 160);
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    for timing in all() {
        for document in [svg(&timing), html(&timing)] {
            let own = document.replacen("xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
            for word in [
                "http:", "https:", "url(", "@import", "<script", "src=", "href=",
            ] {
                assert!(!own.contains(word), "{word} in {document}");
            }
        }
    }
}

#[test]
fn no_text_is_too_small_to_be_read() {
    for timing in all() {
        for document in [svg(&timing), html(&timing)] {
            let parts = document.split("font").skip(1);
            let mut sizes = parts.filter_map(|part| {
                let (declared, _) = part.split_once([';', '}'])?;
                let (before, _) = declared.split_once("px")?;
                let digits = before.rsplit([' ', ':']).next()?;
                digits.parse::<f64>().ok()
            });
            let least = sizes.by_ref().fold(f64::INFINITY, f64::min);
            assert!((TEXT..100.0).contains(&least), "{least}");
            assert!(!document.contains("font-size=\""));
            assert!(!document.contains("scale("));
            let parsed = parsed(&document).unwrap();
            // A telephone of 360 pixels with margins of 16 shows narrow pictures in their size.
            for (class, most) in [("wide", 924.0), ("narrow", 360.0)] {
                for drawing in parsed.descendants().filter(|node| has_class(node, class)) {
                    let size = numbers(drawing.attribute("viewBox").unwrap()).unwrap();
                    assert!(size[2] <= most, "{size:?}");
                }
            }
        }
    }
    const { assert!(NARROW.width <= 360.0 - 2.0 * 16.0) };
    let wide = format!(".wide {{ display: block; width: {}px; }}", WIDE.width);
    assert!(html(&samples::io()).contains(&wide));
}

#[test]
fn three_threads_on_two_cores_do_not_look_like_three_cores() {
    let page = html(&samples::primes());
    let page = parsed(&page).unwrap();
    let ways = page
        .descendants()
        .filter(|node| node.has_tag_name("details"));
    for way in ways {
        let summary = way.children().find(|node| node.has_tag_name("summary"));
        let heading = summary.unwrap().text().unwrap();
        let is_there = |class| way.descendants().any(|node| has_class(&node, class));
        let shares_cores = heading.starts_with("3 threads") || heading.starts_with("3 processes");
        assert!(is_there("work"), "{heading}");
        assert_eq!(is_there("missing"), shares_cores, "{heading}");
        assert_eq!(is_there("hatch"), shares_cores, "{heading}");
    }
    assert!(
        html(&samples::primes()).contains("where inside the item the core was missing is unknown")
    );
}

#[test]
fn sync_and_the_fastest_and_the_slowest_of_each_method_are_open() {
    let page = html(&samples::io());
    let page = parsed(&page).unwrap();
    let open = page
        .descendants()
        .filter(|node| node.attribute("open").is_some());
    let headings: Vec<&str> = open
        .filter_map(|way| way.descendants().find(|node| node.has_tag_name("summary")))
        .filter_map(|summary| summary.text())
        .collect();
    assert_eq!(
        headings,
        [
            "sync, 3.412 s",
            "5 threads, 679 ms",
            "30 threads, 133 ms",
            "160 async tasks, 38.2 ms",
            "2 processes, 1.731 s"
        ]
    );
}

#[test]
fn tasks_have_the_lane_of_the_thread_that_they_share() {
    let page = html(&samples::cpu());
    assert_eq!(page.matches(">thread<").count(), 2);
    assert!(page.contains("All tasks run on one thread, whose lane is the first."));
    assert!(!html(&samples::primes()).contains("no lanes of"));
}

#[test]
fn it_is_said_why_processes_that_pass_messages_have_no_lanes() {
    let mut timing = samples::pipe();
    assert!(!html(&timing).contains("There are no lanes of"));
    timing.rows[0].lanes = vec![lane("sender", 3, 0.001)];
    assert!(html(&timing).contains("There are no lanes of 2 processes: to know when the read"));
}

#[test]
fn messages_have_a_chart_of_how_many_and_one_of_how_long() {
    let page = html(&samples::pipe());
    for title in [
        "Messages in a second",
        "Time of a message on its way",
        "Time of each way",
    ] {
        assert!(page.contains(&format!(">{title}</h2>")), "{title}");
    }
    assert!(!html(&samples::io()).contains("Messages in a second"));
}

#[test]
fn under_each_picture_stands_what_it_was_made_from() {
    let page = html(&samples::io());
    let command = "<code>racelab time io --plot &#39;io 1.html&#39;</code>";
    assert_eq!(
        page.matches(command).count(),
        page.matches("<figure>").count()
    );
    let all = "Sun, 06 Nov 1994 08:49:37 GMT; i486, 2 cores; racelab 0.1.0";
    assert!(page.contains(all));
    assert!(svg(&samples::io()).contains(all));
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
    let answer = page.split("<strong>").nth(1).unwrap();
    assert!(answer.starts_with(&timing.conclusion[0]), "{answer}");
    assert_eq!(page.matches("<li>").count(), timing.conclusion.len() - 1);
    assert_eq!(page.matches("<figure>").count(), 4);
    // Bars, a sweep, one time axis for all, and the signs and eight ways of the lanes.
    for layout in ["wide", "narrow"] {
        let drawings = page.matches(&format!("<svg class=\"{layout}\"")).count();
        assert_eq!(drawings, 1 + 1 + 1 + 1 + 8);
    }
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

/// A picture or a page as XML.
fn parsed(document: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(document, options).map_err(|error| error.to_string())
}

fn has_class(node: &Node<'_, '_>, class: &str) -> bool {
    node.attribute("class") == Some(class)
}

/// Whether a text is XML of which everything that is drawn is in its picture.
fn check(document: &str) -> Result<(), String> {
    let document = parsed(document)?;
    let is_picture = |node: &Node<'_, '_>| node.attribute("viewBox").is_some();
    for picture in document.descendants().filter(is_picture) {
        check_picture(picture)?;
    }
    Ok(())
}

fn check_picture(picture: Node<'_, '_>) -> Result<(), String> {
    let size = numbers(picture.attribute("viewBox").unwrap_or_default())?;
    let [0.0, 0.0, width, height] = size[..] else {
        return Err(format!("the view box is {size:?}"));
    };
    for node in picture.descendants().filter(Node::is_element) {
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
        "path" if has_class(node, "hatch") => {
            let path = node.attribute("d").unwrap_or_default();
            let places = numbers(&path.replace(['M', 'L'], " "))?;
            places.chunks(2).map(|place| [place[0], place[1]]).collect()
        }
        "path" => {
            let path = node.attribute("d").unwrap_or_default();
            let mut corners = Vec::new();
            let mut at = [0.0, 0.0];
            for band in path.split(['M', 'm']).skip(1) {
                let band = band.trim_end_matches('z').replace(['h', 'v'], " ");
                let [x, y, width, height, _] = numbers(&band)?[..] else {
                    return Err(format!("{band} is not a band"));
                };
                // The first one is from the corner of the picture.
                at = [at[0] + x, at[1] + y];
                corners.extend([at, [at[0] + width, at[1] + height]]);
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
        _ => Err(format!("{number} is not a finite number")),
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
        prop_assert_eq!(check(&svg(&timing)), Ok(()));
        prop_assert_eq!(check(&html(&timing)), Ok(()));
    }

    #[test]
    fn the_same_figures_have_the_same_picture(timing in timings()) {
        prop_assert_eq!(svg(&timing), svg(&timing.clone()));
    }
}
