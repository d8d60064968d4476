//! A scale from 0 on, and the marks on it.

/// About how many marks an axis has at most, and at least.
const MARKS: [f64; 2] = [3.0, 6.0];

/// How far marks are apart at least that are side by side, in pixels.
pub(super) const SIDE_BY_SIDE: f64 = 72.0;

/// How far marks are apart at least that are one above the other, in pixels.
pub(super) const ABOVE_EACH_OTHER: f64 = 36.0;

/// A number that is this many times as large as every other one dwarfs them.
const DWARFS: f64 = 4.0;

/// What a broken axis has beyond its last number, in pixels: room for the break.
const BEYOND: f64 = 44.0;

/// How far from the end of the axis the break is.
const BREAK: f64 = 22.0;

/// A linear scale from 0 to the largest number that is shown, as lengths in a picture.
///
/// If one number dwarfs the others, the axis can be broken: it is made for the others, and what
/// is beyond them is at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// The largest number on the axis.
    end: f64,
    /// How long the axis is up to that number.
    length: f64,
    /// How long it is with what is beyond a break.
    whole: f64,
}

/// What the numbers of an axis are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// Times, in seconds.
    Seconds,
    /// How many there are.
    Count,
}

impl Axis {
    /// The axis on which the largest of these numbers is at its end. Of numbers that are not
    /// finite or not positive nothing is seen.
    pub(super) fn up_to(numbers: impl IntoIterator<Item = f64>, length: f64) -> Self {
        let numbers = numbers.into_iter().filter(|number| number.is_finite());
        let end = numbers.fold(0.0, f64::max);
        // Below that, a step would not be a number.
        let end = if end > 1e-12 { end } else { 1.0 };
        Axis {
            end,
            length,
            whole: length,
        }
    }

    /// As [`up_to`](Self::up_to), but broken if one of the numbers dwarfs all others.
    pub(super) fn broken(numbers: impl IntoIterator<Item = f64>, length: f64) -> Self {
        let numbers = numbers.into_iter().filter(|number| number.is_finite());
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        match numbers[..] {
            [.., second, first] if second > 1e-12 && first >= DWARFS * second => Axis {
                whole: length,
                ..Axis::up_to([second], length - BEYOND)
            },
            _ => Axis::up_to(numbers, length),
        }
    }

    /// Whether something is beyond a break.
    pub(super) fn is_broken(self) -> bool {
        self.whole > self.length
    }

    /// Whether a number is beyond the break.
    pub(super) fn is_beyond(self, number: f64) -> bool {
        self.is_broken() && number > self.end
    }

    /// Where the break is.
    pub(super) fn break_at(self) -> f64 {
        self.whole - BREAK
    }

    /// The largest number on the axis.
    pub(super) fn end(self) -> f64 {
        self.end
    }

    /// Where a number is: from 0 to the length of the axis.
    pub(super) fn at(self, number: f64) -> f64 {
        if number.is_nan() {
            return 0.0;
        }
        if self.is_beyond(number) {
            return self.whole;
        }
        number.clamp(0.0, self.end) / self.end * self.length
    }

    /// Where the marks are, and what they say. They are this many pixels apart at least, if there
    /// are more than a few.
    pub(super) fn marks(self, scale: Scale, apart: f64) -> Vec<(f64, String)> {
        let step = self.step(apart);
        let (per_one, unit) = match (scale, self.end) {
            (Scale::Seconds, end) if end >= 1.0 => (1.0, " s"),
            (Scale::Seconds, end) if end >= 1e-3 => (1e3, " ms"),
            (Scale::Seconds, end) if end >= 1e-6 => (1e6, " µs"),
            (Scale::Seconds, _) => (1e9, " ns"),
            (Scale::Count, end) if end >= 1e6 => (1e-6, " million"),
            (Scale::Count, end) if end >= 1e3 => (1e-3, " thousand"),
            (Scale::Count, _) => (1.0, ""),
        };
        let decimals = (0..=3).find(|decimals| {
            let shift = step * per_one * 10_f64.powi(*decimals);
            (shift - shift.round()).abs() < 1e-6
        });
        let decimals = usize::try_from(decimals.unwrap_or(3)).unwrap_or(0);
        let marks = (0..).map(|index| f64::from(index) * step);
        let marks = marks.take_while(|number| *number <= self.end * 1.000_001);
        let marks = marks.map(|number| {
            let text = match number {
                0.0 => "0".to_owned(),
                // Nobody measures that.
                number if number * per_one >= 1e7 => format!("{:.0e}{unit}", number * per_one),
                number => format!("{:.decimals$}{unit}", number * per_one),
            };
            (self.at(number), text)
        });
        marks.collect()
    }

    /// The way from mark to mark: 1, 2 or 5 in one of the places of decimal numbers.
    fn step(self, apart: f64) -> f64 {
        let [fewest, most] = MARKS;
        let least = self.end / (self.length / apart).clamp(fewest, most);
        let place = 10_f64.powf(least.log10().floor());
        let steps = [1.0, 2.0, 5.0].map(|digit| digit * place);
        let step = steps.into_iter().find(|step| *step >= least * 0.999_999);
        step.unwrap_or(10.0 * place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(end: f64) -> Vec<String> {
        let axis = Axis::up_to([end], 600.0);
        axis.marks(Scale::Seconds, SIDE_BY_SIDE)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn marks_are_round_numbers_in_one_unit() {
        assert_eq!(texts(3.441), ["0", "1 s", "2 s", "3 s"]);
        assert_eq!(
            texts(1.2),
            ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s", "1.2 s"]
        );
        assert_eq!(texts(0.0382), ["0", "10 ms", "20 ms", "30 ms"]);
        assert_eq!(texts(0.000_2), ["0", "50 µs", "100 µs", "150 µs", "200 µs"]);
    }

    #[test]
    fn an_axis_of_nothing_has_a_length() {
        for numbers in [vec![], vec![0.0], vec![f64::NAN, f64::INFINITY, -1.0]] {
            let axis = Axis::up_to(numbers, 100.0);
            assert!((axis.at(0.5) - 50.0).abs() < 1e-9);
        }
    }

    #[test]
    fn one_number_that_dwarfs_the_others_is_beyond_a_break() {
        let axis = Axis::broken([0.25, 13.0, 0.4], 100.0);
        assert!(axis.is_broken() && axis.is_beyond(13.0) && !axis.is_beyond(0.4));
        assert!((axis.at(13.0) - 100.0).abs() < 1e-9);
        assert!(axis.at(0.4) < axis.break_at());
        for numbers in [&[1.0, 3.9][..], &[5.0], &[0.0, 1.0], &[1.0, 9.0, 9.0]] {
            assert!(!Axis::broken(numbers.iter().copied(), 100.0).is_broken());
        }
    }

    #[test]
    fn counts_are_told_in_thousands_and_millions() {
        let texts = |end: f64| -> Vec<String> {
            let marks = Axis::up_to([end], 600.0).marks(Scale::Count, SIDE_BY_SIDE);
            marks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(45e6)[..2], ["0", "10 million"]);
        assert_eq!(texts(4500.0)[1], "1 thousand");
        assert_eq!(texts(4.0)[1], "1");
    }

    proptest! {
        #[test]
        fn marks_are_few_and_on_the_axis(end in 1e-9..1e6_f64) {
            let marks = Axis::up_to([end], 100.0).marks(Scale::Seconds, SIDE_BY_SIDE);
            prop_assert!((2..=8).contains(&marks.len()), "{marks:?}");
            for (place, _) in marks {
                prop_assert!((0.0..=100.0).contains(&place));
            }
        }
    }
}
