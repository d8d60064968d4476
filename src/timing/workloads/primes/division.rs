//! How a range of numbers is divided between workers.
//!
//! Large numbers need more divisions than small ones, so that ranges of the same length are not
//! equally heavy.

use std::ops::Range;

use super::trial_division::rounds;

/// Into how many parts a range is cut whose weights are looked at.
const PARTS: u64 = 1_000;

/// One of so many numbers is weighed: those that leave 1. As this is a prime, they are as often
/// prime, or divisible by something else, as any.
const SAMPLE: u64 = 97;

/// Up to so many ranges, all ways to give them to cores are tried.
const MOST_TRIED: usize = 10;

/// So many ranges of the same length.
pub(super) fn same_length(below: u64, ranges: usize) -> Vec<Range<u64>> {
    let ranges = ranges as u64;
    let bound = |place: u64| {
        let bound = u128::from(below) * u128::from(place) / u128::from(ranges);
        u64::try_from(bound).expect("it is not above the end of the range")
    };
    (0..ranges)
        .map(|place| bound(place)..bound(place + 1))
        .collect()
}

/// So many ranges of about the same weight.
pub(super) fn same_weight(below: u64, ranges: usize) -> Vec<Range<u64>> {
    let parts = same_length(below, usize::try_from(PARTS.min(below.max(1))).unwrap_or(1));
    let weights: Vec<u64> = parts.iter().map(weight).collect();
    let whole: u64 = weights.iter().sum();
    let mut divided = Vec::with_capacity(ranges);
    let (mut start, mut before) = (0, 0);
    for (part, weight) in parts.iter().zip(&weights) {
        before += weight;
        let goal = u128::from(whole) * (divided.len() as u128 + 1) / ranges as u128;
        if u128::from(before) >= goal && divided.len() + 1 < ranges {
            divided.push(start..part.end);
            start = part.end;
        }
    }
    divided.push(start..below);
    divided.resize(ranges, below..below);
    divided
}

/// How heavy a range is: the rounds of divisions of a sample of its numbers.
pub(super) fn weight(range: &Range<u64>) -> u64 {
    // The first one that is not below the start.
    let first = range.start.saturating_sub(1).div_ceil(SAMPLE);
    let numbers = (first..).map(|place| place * SAMPLE + 1);
    numbers.take_while(|n| *n < range.end).map(rounds).sum()
}

/// The least share of all the weight that the busiest core has, when every range is left to one
/// core.
///
/// Of many ranges not all ways to give them to cores are tried: then it is what no way can be below,
/// an equal part of the weight or the heaviest range.
pub(super) fn share_of_busiest(ranges: &[Range<u64>], cores: usize) -> f64 {
    let weights: Vec<u64> = ranges.iter().map(weight).collect();
    let whole: u64 = weights.iter().sum();
    let cores = cores.max(1);
    let least = if weights.len() <= MOST_TRIED {
        least_load(&weights, &mut vec![0; cores])
    } else {
        let heaviest = weights.iter().copied().max().unwrap_or(0);
        heaviest.max(whole.div_ceil(cores as u64))
    };
    ratio(least, whole.max(1))
}

/// Tries all ways to give the weights to the cores that have these loads already.
fn least_load(weights: &[u64], loads: &mut Vec<u64>) -> u64 {
    let Some((weight, rest)) = weights.split_first() else {
        return loads.iter().copied().max().unwrap_or(0);
    };
    let mut least = u64::MAX;
    for core in 0..loads.len() {
        loads[core] += weight;
        least = least.min(least_load(rest, loads));
        loads[core] -= weight;
        if loads[core] == 0 {
            // All that are still empty are alike.
            break;
        }
    }
    least
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is used for an ideal time, which is no exact number"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_follow_on_each_other_and_cover_all(
            below in 0..5_000_000_u64,
            ranges in 1..40_usize,
        ) {
            for divided in [same_length(below, ranges), same_weight(below, ranges)] {
                prop_assert_eq!(divided.len(), ranges);
                let mut end = 0;
                for range in &divided {
                    prop_assert_eq!(range.start, end);
                    prop_assert!(range.end >= range.start);
                    end = range.end;
                }
                prop_assert_eq!(end, below);
            }
        }
    }

    proptest! {
        #[test]
        fn weights_add_up(bounds in proptest::array::uniform3(0..200_000_u64)) {
            let mut bounds = bounds;
            bounds.sort_unstable();
            let [start, middle, end] = bounds;
            prop_assert_eq!(weight(&(start..middle)) + weight(&(middle..end)), weight(&(start..end)));
        }
    }

    #[test]
    fn thirds_are_not_equally_heavy_and_two_halves_of_the_weight_are() {
        let thirds: Vec<u64> = same_length(3_000_000, 3).iter().map(weight).collect();
        assert!(2 * thirds[2] > 3 * thirds[0], "{thirds:?}");
        let halves: Vec<u64> = same_weight(3_000_000, 2).iter().map(weight).collect();
        assert!(halves[0].abs_diff(halves[1]) * 50 < halves[0], "{halves:?}");
    }

    proptest! {
        #[test]
        fn no_core_has_less_than_an_equal_part_or_the_heaviest_range(
            ranges in 1..300_usize,
            cores in 1..9_usize,
        ) {
            let divided = same_weight(1_000_000, ranges);
            let share = share_of_busiest(&divided, cores);
            let weights: Vec<u64> = divided.iter().map(weight).collect();
            let whole = weights.iter().sum();
            let heaviest = ratio(weights.into_iter().max().unwrap_or(0), whole);
            let least = heaviest.max(ratio(1, cores as u64));
            prop_assert!(share >= least - 1e-9 && share <= 1.0, "{} of {}", share, least);
        }
    }

    #[test]
    fn two_cores_cannot_do_thirds_in_half_of_the_time() {
        let share = share_of_busiest(&same_length(3_000_000, 3), 2);
        assert!((0.54..0.58).contains(&share), "{share}");
        let all = share_of_busiest(&same_length(3_000_000, 3), 1);
        assert!((all - 1.0).abs() < 1e-9, "{all}");
    }
}
