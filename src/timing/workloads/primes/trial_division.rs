//! Primes by trial division, and what it costs.

use std::ops::Range;

/// The primes of a range, in order.
pub(super) fn primes_in(range: Range<u64>) -> Vec<u64> {
    range.filter(|n| is_prime(*n)).collect()
}

/// Whether a number is prime: it is divided by 2, by 3, and by 6k ± 1 up to its root.
pub(super) fn is_prime(n: u64) -> bool {
    if n < 4 {
        return n > 1;
    }
    if n.is_multiple_of(2) || n.is_multiple_of(3) {
        return false;
    }
    let mut divisor = 5;
    while divisor * divisor <= n {
        if n.is_multiple_of(divisor) || n.is_multiple_of(divisor + 2) {
            return false;
        }
        divisor += 6;
    }
    true
}

/// How many rounds of divisions [`is_prime`] needs for a number.
pub(super) fn rounds(n: u64) -> u64 {
    if n < 4 || n.is_multiple_of(2) || n.is_multiple_of(3) {
        return 1;
    }
    let mut rounds = 1;
    let mut divisor = 5;
    while divisor * divisor <= n {
        rounds += 1;
        if n.is_multiple_of(divisor) || n.is_multiple_of(divisor + 2) {
            break;
        }
        divisor += 6;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_prime_if_nothing_divides_it(n in 0..100_000_u64) {
            let has_divisor = (2..n).take_while(|d| d * d <= n).any(|d| n.is_multiple_of(d));
            prop_assert_eq!(is_prime(n), n > 1 && !has_divisor);
        }
    }
}
