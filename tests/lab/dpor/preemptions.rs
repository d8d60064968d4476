//! The known numbers of traces within each bound on preemptions.

use super::litmus::{LOAD_BUFFERING, MESSAGE_PASSING, STORE_BUFFERING, spawned};
use super::oracle_rows::counter;
use super::reduction::{reduced, traces};

#[test]
fn each_bound_on_preemptions_has_its_traces() {
    type Body = Box<dyn Fn() -> Box<dyn Fn() + Send + Sync>>;
    let inc = |threads| -> Body { Box::new(move || Box::new(counter(threads, 1))) };
    let counter = |times| -> Body { Box::new(move || Box::new(counter(2, times))) };
    let litmus = |shape| -> Body { Box::new(move || Box::new(spawned(shape))) };
    let known: [(&str, Body, &[u64]); 7] = [
        ("inc(2)", inc(2), &[2, 4]),
        ("inc(3)", inc(3), &[6, 24, 36]),
        ("counter(2,2)", counter(2), &[2, 8, 22, 32, 34]),
        (
            "counter(2,3)",
            counter(3),
            &[2, 12, 56, 132, 236, 304, 326, 328],
        ),
        ("SB", litmus(STORE_BUFFERING), &[2, 3]),
        ("MP", litmus(MESSAGE_PASSING), &[2, 3]),
        ("LB", litmus(LOAD_BUFFERING), &[2, 3]),
    ];
    for (name, body, expected) in known {
        let within = (0u8..).zip(expected).map(|(bound, _)| {
            let report = reduced()
                .past_failures()
                .preemption_bound(bound)
                .explore(body());
            assert!(
                report.executions >= traces(&report),
                "{name} within {bound}"
            );
            traces(&report)
        });
        assert_eq!(within.collect::<Vec<_>>(), expected, "{name}");
        let all = reduced().past_failures().explore(body());
        assert_eq!(Some(&traces(&all)), expected.last(), "{name}");
    }
}
