//! How likely each interleaving is under a strategy, against what the papers say of small programs.

use std::collections::BTreeMap;
use std::sync::{Mutex as RealMutex, PoisonError};

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{Engine, Explorer, outcome, thread};

use super::programs::reorder;

const EXECUTIONS: u32 = 10_000;

/// The order of steps in an execution, of which the lab knows nothing: a letter for each.
#[derive(Default)]
struct Order(RealMutex<String>);

impl Order {
    fn add(&self, letter: char) {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push(letter);
    }

    fn record(self) {
        outcome(self.0.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
}

/// How often each order came out.
fn orders(engine: Engine, body: fn()) -> BTreeMap<String, f64> {
    let explorer = Explorer::new(engine).max_executions(EXECUTIONS.into());
    let report = explorer.seed(3).explore(body);
    assert!(report.failure().is_none(), "{report}");
    let outcomes = report.outcomes.into_iter();
    outcomes
        .map(|outcome| {
            let order = outcome.value.trim_matches('"').to_owned();
            (order, f64::from(u32::try_from(outcome.executions).unwrap()))
        })
        .collect()
}

/// The statistic of a chi-square test against `expected` equally likely orders, and where it would
/// be by chance in one of a million cases: five standard deviations above its mean.
fn chi_square(orders: &BTreeMap<String, f64>, expected: u32) -> (f64, f64) {
    let mean = f64::from(EXECUTIONS) / f64::from(expected);
    let seen: f64 = orders.values().map(|n| (n - mean).powi(2) / mean).sum();
    let unseen = f64::from(expected) - f64::from(u32::try_from(orders.len()).unwrap());
    let freedom = f64::from(expected - 1);
    (seen + unseen * mean, freedom + 5.0 * (2.0 * freedom).sqrt())
}

/// Holds shares against probabilities, within five standard deviations, and the executions that a
/// strategy learns from apart.
fn assert_shares(name: &str, orders: &BTreeMap<String, f64>, probabilities: &[(&str, f64)]) {
    let executions = f64::from(EXECUTIONS);
    for (order, probability) in probabilities {
        let share = orders.get(*order).copied().unwrap_or_default() / executions;
        let deviation = (probability * (1.0 - probability) / executions).sqrt();
        let lessons = 16.0 / executions;
        assert!(
            (share - probability).abs() <= 5.0 * deviation + lessons,
            "{name}: {order} has a share of {share}, expected {probability}"
        );
    }
    let sum: f64 = probabilities
        .iter()
        .map(|(_, probability)| probability)
        .sum();
    assert!((sum - 1.0).abs() < 1e-9, "{name}: all orders are named");
}

/// Two threads of three steps. The start of the second is a step as well.
fn straight() {
    let order = Order::default();
    let (a, b) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let steps = |n: &AtomicUsize, letter| {
            for _ in 0..3 {
                n.store(1, SeqCst);
                order.add(letter);
            }
        };
        let (a, b) = (&a, &b);
        scope.spawn(move || steps(a, 'a'));
        scope.spawn(move || steps(b, 'b'));
        order.add('s');
    });
    order.record();
}

#[test]
fn urw_is_uniform_over_the_interleavings_and_a_random_walk_is_not() {
    // Three steps, among the start and the three steps of the other thread: 7 choose 3.
    let all = 35;
    let (statistic, bound) = chi_square(&orders(Engine::Urw, straight), all);
    assert!(statistic < bound, "{statistic} is not below {bound}");
    let (statistic, bound) = chi_square(&orders(Engine::Random, straight), all);
    assert!(statistic > bound, "{statistic} is not above {bound}");
}

/// Two threads of three steps on one object, between others: few in one, many in the other.
fn selective() {
    let order = Order::default();
    let shared = AtomicUsize::new(0);
    thread::scope(|scope| {
        for (letter, others) in [('a', 1), ('b', 7)] {
            let (order, shared) = (&order, &shared);
            scope.spawn(move || {
                let own = AtomicUsize::new(0);
                for _ in 0..3 {
                    for _ in 0..others {
                        own.store(1, SeqCst);
                    }
                    shared.store(1, SeqCst);
                    order.add(letter);
                }
            });
        }
    });
    order.record();
}

#[test]
fn surw_is_uniform_over_the_interleavings_of_the_steps_on_one_object() {
    // 6 choose 3.
    let all = 20;
    let (statistic, bound) = chi_square(&orders(Engine::Surw, selective), all);
    assert!(statistic < bound, "{statistic} is not below {bound}");
    for engine in [Engine::Random, Engine::Urw] {
        let (statistic, bound) = chi_square(&orders(engine, selective), all);
        assert!(
            statistic > bound,
            "{engine}: {statistic} is not above {bound}"
        );
    }
}

/// Three steps of a thread, and one of the main thread that is on another object, or on the same.
fn one_among_three(is_same: bool, step: fn(&AtomicUsize)) {
    let order = Order::default();
    let (x, y) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let (x, y) = (&x, if is_same { &x } else { &y });
        let order = &order;
        scope.spawn(move || {
            for _ in 0..3 {
                step(x);
                order.add('x');
            }
        });
        step(y);
        order.add('y');
    });
    order.record();
}

#[test]
fn pos_keeps_the_priority_of_a_step_that_nothing_depends_on() {
    let independent = || one_among_three(false, |n| n.store(1, SeqCst));
    let reads = || {
        one_among_three(true, |n| {
            n.load(SeqCst);
        });
    };
    // With a priority p, the step of the main thread comes behind i others with the probability
    // (1 - p)^i * p, and behind all three with (1 - p)^3; the integrals over p are these.
    let kept = [
        ("yxxx", 1.0 / 2.0),
        ("xyxx", 1.0 / 6.0),
        ("xxyx", 1.0 / 12.0),
        ("xxxy", 1.0 / 4.0),
    ];
    assert_shares("independent", &orders(Engine::Pos, independent), &kept);
    assert_shares("reads", &orders(Engine::Pos, reads), &kept);
}

#[test]
fn pos_draws_new_priorities_for_steps_that_race() {
    let racing = || one_among_three(true, |n| n.store(1, SeqCst));
    let anew = [
        ("yxxx", 1.0 / 2.0),
        ("xyxx", 1.0 / 4.0),
        ("xxyx", 1.0 / 8.0),
        ("xxxy", 1.0 / 8.0),
    ];
    assert_shares("racing", &orders(Engine::Pos, racing), &anew);
}

/// Two threads of two steps: the main thread, and one that it has started.
fn two_by_two() {
    let order = Order::default();
    let n = AtomicUsize::new(0);
    let steps = |letter| {
        for _ in 0..2 {
            n.store(1, SeqCst);
            order.add(letter);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| steps('t'));
        steps('m');
    });
    order.record();
}

/// The probability of each order of the steps of `two_by_two`, by all draws of the paper: which
/// thread goes first, and at which of the first `k` steps with a choice priorities change.
fn orders_by_pct(k: u32) -> BTreeMap<String, f64> {
    let mut orders = BTreeMap::new();
    for first in [0, 1] {
        for changes in (1..=k).flat_map(|one| (1..=k).map(move |other| [one, other])) {
            let mut priorities = [10, 10];
            priorities[first] = 11;
            let mut left = [2, 2];
            let mut order = String::new();
            let mut choices = 0;
            while left != [0, 0] {
                let top = |priorities: [i32; 2]| usize::from(priorities[1] > priorities[0]);
                let chosen = if let Some(done) = left.iter().position(|&left| left == 0) {
                    1 - done
                } else {
                    choices += 1;
                    for (value, change) in (1..).zip(changes) {
                        if change == choices {
                            priorities[top(priorities)] = value;
                        }
                    }
                    top(priorities)
                };
                left[chosen] -= 1;
                order.push(['m', 't'][chosen]);
            }
            *orders.entry(order).or_insert(0.0) += 1.0 / f64::from(2 * k * k);
        }
    }
    orders
}

#[test]
fn pct_draws_each_order_as_often_as_all_draws_of_its_paper_do() {
    // Three steps with a choice at most, or all five of which one is the start of the thread: either
    // in half of the executions.
    let (contested, all) = (orders_by_pct(3), orders_by_pct(5));
    assert_eq!((contested.len(), all.len()), (6, 6));
    let expected: Vec<(&str, f64)> = contested
        .iter()
        .map(|(order, probability)| (order.as_str(), (probability + all[order]) / 2.0))
        .collect();
    assert_shares("pct", &orders(Engine::Pct, two_by_two), &expected);
}

#[test]
fn pct_finds_a_bug_at_least_as_often_as_its_paper_promises() {
    let explorer = Explorer::new(Engine::Pct).max_executions(EXECUTIONS.into());
    let report = explorer.past_failures().explore(|| reorder(2));
    let hits = f64::from(u32::try_from(report.violations).unwrap());
    // Four threads, and at most as many steps as an execution has: 3 spawns, 3 joins, 4 writes and
    // 4 reads. The bug needs no more than three orderings.
    let (threads, steps) = (4.0, 14.0_f64);
    let promised = f64::from(EXECUTIONS) / (2.0 * threads * steps.powi(2));
    assert!(hits >= promised, "{hits} executions fail");
}
