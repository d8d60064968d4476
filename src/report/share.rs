//! A share of all runs, and how sure it is.

/// The quantile of the normal distribution for a confidence of 95 %, one half of the rest on each
/// side.
const Z: f64 = 1.959_963_984_540_054;

/// How many of some things are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many are.
    pub part: u64,
    /// How many there are.
    pub of: u64,
}

impl Share {
    /// The share, from 0 to 1. `None` of nothing.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody counts beyond the integers of an f64"
    )]
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.part as f64 / self.of as f64)
    }

    /// The interval in which the probability lies with a confidence of 95 %, if the things are
    /// independent: the score interval of Wilson. It stays between 0 and 1, and says something also
    /// where no thing or each is of the kind. `None` of nothing.
    ///
    /// E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    /// Journal of the American Statistical Association 22 (1927), 209–212.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody counts beyond the integers of an f64"
    )]
    pub fn interval(self) -> Option<(f64, f64)> {
        let share = self.value()?;
        let n = self.of as f64;
        let scale = 1.0 + Z * Z / n;
        let middle = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        // At the ends exactly, which rounding would miss.
        let low = if self.part == 0 { 0.0 } else { middle - half };
        let high = if self.part == self.of {
            1.0
        } else {
            middle + half
        };
        Some((low.clamp(0.0, share), high.clamp(share, 1.0)))
    }
}

/// A share in percent, with the digits that say something: of two `0.0012 %`, `50 %`, `99.98 %`.
pub(super) fn percent(share: f64, digits: u8) -> String {
    let percent = share * 100.0;
    // What is near to 100 is told by what is missing from it.
    let told = percent.min(100.0 - percent);
    if told <= 0.0 {
        return format!("{percent:.0} %");
    }
    // As many behind the point as bring that many before it. What would be rounded up to one more
    // has enough.
    let enough = 10_f64.powi(i32::from(digits) - 1) - 0.05;
    let mut places = 0;
    let mut scaled = told;
    while scaled < enough && places < 12 {
        scaled *= 10.0;
        places += 1;
    }
    let text = format!("{percent:.places$}");
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
        None => &text,
    };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(part: u64, of: u64) -> (f64, f64) {
        Share { part, of }.interval().unwrap()
    }

    #[test]
    fn the_interval_is_that_of_wilson_by_hand() {
        // For none of n the upper end is z² / (n + z²).
        for (part, of, low, high) in [
            (0, 10, 0.0, 0.277_533),
            (10, 10, 0.722_467, 1.0),
            (5, 10, 0.236_593, 0.763_407),
            (1, 100, 0.001_767, 0.054_486),
            (1, 1, 0.206_549, 1.0),
        ] {
            let (got_low, got_high) = interval(part, of);
            assert!((got_low - low).abs() < 2e-6, "{part} of {of}: {got_low}");
            assert!((got_high - high).abs() < 2e-6, "{part} of {of}: {got_high}");
        }
    }

    #[test]
    fn of_nothing_nothing_is_known() {
        let nothing = Share { part: 0, of: 0 };
        assert_eq!((nothing.value(), nothing.interval()), (None, None));
    }

    #[test]
    fn percent_has_as_many_digits_as_say_something() {
        for (share, text) in [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.5, "50 %"),
            (2.0 / 3.0, "67 %"),
            (0.000_012_34, "0.0012 %"),
            (0.011, "1.1 %"),
            (0.999_877, "99.988 %"),
            (0.0999, "10 %"),
            (0.9, "90 %"),
            (1.0 / 1_000_000.0, "0.0001 %"),
        ] {
            assert_eq!(percent(share, 2), text, "{share}");
        }
        assert_eq!(percent(0.100_1, 3), "10 %");
        assert_eq!(percent(0.096_8, 3), "9.68 %");
        assert_eq!(percent(0.103_6, 3), "10.4 %");
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_share_and_stays_within_its_bounds(
            part in 0_u64..1_000_000,
            rest in 0_u64..1_000_000,
        ) {
            prop_assume!(part + rest > 0);
            let share = Share { part, of: part + rest };
            let (low, high) = share.interval().unwrap();
            let value = share.value().unwrap();
            prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0);
        }

        #[test]
        fn the_interval_narrows_with_more_runs(part in 0_u64..1_000, rest in 0_u64..1_000) {
            prop_assume!(part + rest > 0);
            let width = |times: u64| {
                let (low, high) = interval(part * times, (part + rest) * times);
                high - low
            };
            prop_assert!(width(1) > width(2) && width(2) > width(100));
        }
    }
}
