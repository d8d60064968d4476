//! Quantities as people read them.

use crate::report::Style;
use crate::report::grouped;

/// From here on, numbers are told by their magnitude. Nobody measures such.
const HUGE: f64 = 1e9;

/// A time, in the unit that suits it: `1.234 s`, `12.3 ms`, `45 µs`.
///
/// What is no time, as a negative number, is a dash.
pub(super) fn seconds(seconds: f64, style: &Style) -> String {
    let unit = Unit::of(seconds);
    match unit.number(seconds) {
        Some(number) => format!("{number} {}", unit.name(style)),
        None => style.dash().to_owned(),
    }
}

/// Two times in the unit of the second one: `1.212–1.290 s`.
pub(super) fn range(from: f64, to: f64, style: &Style) -> String {
    let unit = Unit::of(to);
    match (unit.number(from), unit.number(to)) {
        (Some(from), Some(to)) => {
            format!("{from}{}{to} {}", style.dash(), unit.name(style))
        }
        _ => style.dash().to_owned(),
    }
}

/// A share as `±3 %`.
pub(super) fn plus_minus(share: f64, style: &Style) -> String {
    let sign = if style.ascii { "+-" } else { "±" };
    format!("{sign}{} %", digits(share * 100.0, 2))
}

/// How many times: three digits, as `4.90`, `41.2` or `1,204`, and two of what is less than a
/// tenth, as `0.021`.
pub(super) fn times(ratio: f64) -> String {
    if (1000.0..HUGE).contains(&ratio) {
        count(ratio)
    } else if ratio > 0.0 && ratio < 0.0001 {
        format!("{ratio:.1e}")
    } else if ratio > 0.0 && ratio < 0.1 {
        let decimals = 1 + zeros(ratio);
        format!("{ratio:.decimals$}")
    } else {
        digits(ratio, 3)
    }
}

/// A number to the next whole one: `12,345`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates, and NaN is 0"
)]
pub(super) fn count(number: f64) -> String {
    grouped(number.round() as u64)
}

/// Memory: `640 KiB`, `12.3 MiB`.
#[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
pub(super) fn bytes(bytes: u64) -> String {
    let mut number = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if number < 1000.0 {
            break;
        }
        number /= 1024.0;
        unit = larger;
    }
    let digits = if unit == "B" { 0 } else { decimals(number, 3) };
    format!("{number:.digits$} {unit}")
}

/// A number with this many significant digits, but all that are before the point.
pub(super) fn digits(number: f64, significant: usize) -> String {
    if number.abs() >= HUGE {
        return format!("{number:.1e}");
    }
    let decimals = decimals(number, significant);
    format!("{number:.decimals$}")
}

/// How many zeros a number below 1 begins with, the one before the point included, once it is
/// rounded to two digits.
fn zeros(number: f64) -> usize {
    let rounded = format!("{number:.1e}");
    let exponent = rounded.split_once("e-").and_then(|(_, e)| e.parse().ok());
    exponent.unwrap_or(0)
}

/// How many digits are behind the point.
fn decimals(number: f64, significant: usize) -> usize {
    // A number that is rounded up to the next power of ten has one digit more before the point.
    let rounded = format!("{:.1$e}", number, significant - 1);
    let exponent = rounded.split_once('e').and_then(|(_, e)| e.parse().ok());
    let exponent: i32 = exponent.unwrap_or(0);
    let before = usize::try_from(exponent).map_or(1, |exponent| exponent + 1);
    // Times of 0.001 s are in another unit, so that zeros in front do not matter.
    significant.saturating_sub(before)
}

/// A unit of time.
#[derive(Clone, Copy)]
enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl Unit {
    /// The largest one in which there is a digit before the point, once it is rounded.
    fn of(seconds: f64) -> Self {
        let units = [Unit::Nanoseconds, Unit::Microseconds, Unit::Milliseconds];
        let fits = |unit: &Unit| {
            let number = unit.number(seconds);
            let number = number.and_then(|number| number.parse::<f64>().ok());
            number.is_some_and(|number| number < 1000.0)
        };
        match units.into_iter().find(fits) {
            Some(_) if seconds == 0.0 => Unit::Seconds,
            Some(unit) => unit,
            None => Unit::Seconds,
        }
    }

    fn number(self, seconds: f64) -> Option<String> {
        if !seconds.is_finite() || seconds < 0.0 {
            return None;
        }
        if seconds == 0.0 {
            return Some("0".to_owned());
        }
        let (per_second, significant) = match self {
            Unit::Nanoseconds => (1e9, 1),
            Unit::Microseconds => (1e6, 2),
            Unit::Milliseconds => (1e3, 3),
            Unit::Seconds => (1.0, 4),
        };
        Some(digits(seconds * per_second, significant))
    }

    fn name(self, style: &Style) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds if style.ascii => "us",
            Unit::Microseconds => "µs",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_unit_that_suits_it() {
        let style = Style::default();
        let cases = [
            (0.0, "0 s"),
            (45e-9, "45 ns"),
            (0.000_001_5, "1.5 µs"),
            (0.000_045, "45 µs"),
            (0.000_999_9, "1.00 ms"),
            (0.0123, "12.3 ms"),
            (0.999_96, "1.000 s"),
            (1.2345, "1.234 s"),
            (9.999_9, "10.00 s"),
            (314.16, "314.2 s"),
            (98_765.0, "98765 s"),
            (3e9, "3.0e9 s"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
            (-1.0, "–"),
        ];
        for (number, text) in cases {
            assert_eq!(seconds(number, &style), text);
        }
    }

    #[test]
    fn both_ends_of_a_range_are_in_one_unit() {
        let style = Style::default();
        assert_eq!(range(0.98, 1.1, &style), "0.980–1.100 s");
        assert_eq!(range(0.000_9, 0.011, &style), "0.90–11.0 ms");
    }

    #[test]
    fn ascii_has_no_sign_of_its_own_for_micro_and_more_or_less() {
        let style = Style {
            ascii: true,
            ..Style::default()
        };
        assert_eq!(seconds(0.000_045, &style), "45 us");
        assert_eq!(range(0.001, 0.002, &style), "1.00-2.00 ms");
        assert_eq!(plus_minus(0.034, &style), "+-3.4 %");
    }

    #[test]
    fn memory_is_in_powers_of_1024() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1024, "1.00 KiB"),
            (12_900_000, "12.3 MiB"),
            (3 << 30, "3.00 GiB"),
        ];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn ratios_have_three_digits() {
        let cases = [
            (0.0, "0.00"),
            (0.000_001_2, "1.2e-6"),
            (0.000_12, "0.00012"),
            (0.002_34, "0.0023"),
            (0.0234, "0.023"),
            (0.099_9, "0.10"),
            (0.5, "0.50"),
            (4.9, "4.90"),
            (41.23, "41.2"),
            (1204.4, "1,204"),
        ];
        for (number, text) in cases {
            assert_eq!(times(number), text);
        }
    }
}
