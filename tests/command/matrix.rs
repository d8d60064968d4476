//! The whole matrix: every variant of the gallery under every engine, against what is expected.

use std::time::Duration;

use racelab::exhibits::{self, Exhibit, Expectation, Kind, Missing, Variant};
use racelab::trace::LeftOut;
use racelab::{Bound, Coverage, Engine, Explorer, FailureKind, Report, Verdict};

fn variants() -> impl Iterator<Item = (&'static Exhibit, &'static Variant)> {
    exhibits::ALL.iter().flat_map(|exhibit| {
        let variants = exhibit.variants.iter();
        variants.map(|variant| (*exhibit, variant))
    })
}

/// An exploration that is as short as the expectation allows.
fn explorer(variant: &Variant, engine: Engine) -> Explorer {
    let explorer = Explorer::new(engine).spurious(variant.spurious);
    match engine {
        _ if engine.is_random() => explorer.max_executions(1_000),
        Engine::Threads => {
            let explorer = explorer.max_executions(50);
            match variant.kind {
                // What stands still once stands still for ever.
                Kind::Unsafe { .. } | Kind::Undefined { .. } => {
                    explorer.stall_limit(Duration::from_millis(500))
                }
                Kind::Safe => explorer,
            }
        }
        _ => explorer,
    }
}

#[test]
fn every_variant_comes_out_as_expected_under_every_engine_that_can_run_it() {
    for (exhibit, variant) in variants() {
        for engine in variant.engines() {
            let size = exhibit.default_size();
            let body = variant.body;
            let report = explorer(variant, engine).explore(move || body(size));
            let expected = variant.expected_under(engine);
            assert!(
                expected.is_met_by(&report),
                "{variant} under {engine}: {expected} was expected\n{report}"
            );
            // The same, said in another way.
            match (variant.kind, engine) {
                (Kind::Safe, _) => assert!(report.failure().is_none(), "{variant}, {engine}"),
                (_, Engine::Threads) => {
                    assert!(!matches!(report.verdict, Verdict::Holds), "{variant}");
                }
                _ => assert!(report.failure().is_some(), "{variant}, {engine}"),
            }
        }
    }
}

#[test]
fn reduction_judges_every_variant_that_enumeration_can_run() {
    for (exhibit, variant) in variants() {
        let [reduced, all] = [Engine::Dpor, Engine::Dfs].map(|engine| {
            let is_run = variant.runs_under(engine).is_ok();
            let (body, size) = (variant.body, exhibit.default_size());
            is_run.then(|| {
                let explorer = Explorer::new(engine).spurious(variant.spurious);
                explorer.past_failures().explore(move || body(size))
            })
        });
        let (Some(reduced), Some(all)) = (&reduced, &all) else {
            assert_eq!(reduced.is_some(), all.is_some(), "{variant}");
            continue;
        };
        let values = |report: &Report| {
            let outcomes = report.outcomes.iter();
            outcomes
                .map(|outcome| outcome.value.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(reduced.verdict.name(), all.verdict.name(), "{variant}");
        if reduced.coverage == Coverage::Bounded(Bound::LeftOut(LeftOut::AfterRaces)) {
            // It says that what follows a race is missing.
            let kind = all.failure().map(|failure| failure.kind);
            assert_eq!(kind, Some(FailureKind::DataRace), "{variant}");
        } else {
            assert_eq!(reduced.coverage, all.coverage, "{variant}");
            assert_eq!(values(reduced), values(all), "{variant}");
        }
        let smallest = [reduced, all].map(|report| {
            let failure = report.failure();
            failure.map(|failure| (failure.kind, failure.preemptions, failure.minimal))
        });
        assert_eq!(smallest[0], smallest[1], "{variant}");
        assert_eq!(
            Some(reduced.executions),
            reduced.traces,
            "{variant}: {reduced}"
        );
    }
}

#[test]
fn a_model_engine_is_missing_only_for_what_it_cannot_run() {
    for (_, variant) in variants() {
        for &engine in Engine::ALL {
            let is_undefined = matches!(variant.kind, Kind::Undefined { .. });
            match variant.runs_under(engine) {
                Ok(()) => assert!(engine.is_model() || !is_undefined, "{variant}, {engine}"),
                Err(Missing::UndefinedBehaviour) => {
                    assert!(!engine.is_model() && is_undefined, "{variant}, {engine}");
                }
                Err(missing) => assert!(engine.is_model(), "{variant}, {engine}: {missing}"),
            }
        }
    }
}

#[test]
fn what_is_expected_follows_from_the_kind_and_the_engine() {
    for (_, variant) in variants() {
        let expected = [Engine::Dpor, Engine::Surw, Engine::Threads]
            .map(|engine| variant.expected_under(engine));
        let as_documented = match variant.kind {
            Kind::Safe => [
                Expectation::Holds,
                Expectation::Inconclusive,
                Expectation::Inconclusive,
            ],
            Kind::Unsafe { .. } | Kind::Undefined { .. } => [
                Expectation::Violated,
                Expectation::Violated,
                Expectation::Any,
            ],
        };
        assert_eq!(expected, as_documented, "{variant}");
    }
}
