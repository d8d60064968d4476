//! A scale from 0 on, and the marks on it.

/// About how many marks an axis has at most.
const MARKS: f64 = 6.0;

/// A linear scale from 0 to the largest number that is shown, as lengths in a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// The largest number on the axis.
    end: f64,
    /// How long the axis is.
    length: f64,
}

impl Axis {
    /// The axis on which the largest of these numbers is at its end. Of numbers that are not
    /// finite or not positive nothing is seen.
    pub(super) fn up_to(numbers: impl IntoIterator<Item = f64>, length: f64) -> Self {
        let numbers = numbers.into_iter().filter(|number| number.is_finite());
        let end = numbers.fold(0.0, f64::max);
        // Below that, a step would be no number.
        let end = if end > 1e-12 { end } else { 1.0 };
        Axis { end, length }
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
        number.clamp(0.0, self.end) / self.end * self.length
    }

    /// Where the marks are, and what they say, if the numbers are seconds.
    pub(super) fn marks(self) -> Vec<(f64, String)> {
        let step = self.step();
        let (per_second, unit) = match self.end {
            end if end >= 1.0 => (1.0, "s"),
            end if end >= 1e-3 => (1e3, "ms"),
            end if end >= 1e-6 => (1e6, "µs"),
            _ => (1e9, "ns"),
        };
        let decimals = (0..=3).find(|decimals| {
            let shift = step * per_second * 10_f64.powi(*decimals);
            (shift - shift.round()).abs() < 1e-6
        });
        let decimals = usize::try_from(decimals.unwrap_or(3)).unwrap_or(0);
        let marks = (0..).map(|index| f64::from(index) * step);
        let marks = marks.take_while(|number| *number <= self.end * 1.000_001);
        let marks = marks.map(|number| {
            let text = match number {
                0.0 => "0".to_owned(),
                // Nobody measures that.
                number if number >= 1e7 => format!("{number:.0e} s"),
                number => format!("{:.decimals$} {unit}", number * per_second),
            };
            (self.at(number), text)
        });
        marks.collect()
    }

    /// The way from mark to mark: 1, 2 or 5 in one of the places of decimal numbers.
    fn step(self) -> f64 {
        let least = self.end / MARKS;
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
        let axis = Axis::up_to([end], 100.0);
        axis.marks().into_iter().map(|(_, text)| text).collect()
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

    proptest! {
        #[test]
        fn marks_are_few_and_on_the_axis(end in 1e-9..1e6_f64) {
            let marks = Axis::up_to([end], 100.0).marks();
            prop_assert!((2..=8).contains(&marks.len()), "{marks:?}");
            for (place, _) in marks {
                prop_assert!((0.0..=100.0).contains(&place));
            }
        }
    }
}
