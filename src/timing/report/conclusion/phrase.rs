//! The words of sentences about ways.

use super::super::units::{digits, times};
use crate::timing::TimedWay;

/// How a way that is so many times as fast compares, up to the name of the other one:
/// `4.90 times as fast as`, or `3.4 % faster than`.
pub(super) fn as_fast(ratio: f64) -> String {
    match percent(ratio) {
        Some(percent) => format!("{percent} % faster than"),
        None => format!("{} times as fast as", times(ratio)),
    }
}

/// How long a way takes that takes so many times as long, up to the name of the other one:
/// `4.47 times as long as`, or `3.4 % longer than`.
pub(super) fn as_long(ratio: f64) -> String {
    match percent(ratio) {
        Some(percent) => format!("{percent} % longer than"),
        None => format!("{} times as long as", times(ratio)),
    }
}

/// What is a little more than once, as per cent.
fn percent(ratio: f64) -> Option<String> {
    (ratio < 1.1).then(|| digits((ratio - 1.0) * 100.0, 2))
}

/// `was` or `were`, after the label of a way.
pub(super) fn be(row: &TimedWay) -> &'static str {
    match row.method.as_str() {
        "threads" | "async" | "async-blocking" | "processes" if row.workers != 1 => "were",
        _ => "was",
    }
}

/// `a`, `a and b`, or `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [item] => item.clone(),
        [items @ .., last] => format!("{} and {last}", items.join(", ")),
    }
}

/// A text as the beginning of a sentence.
pub(super) fn title(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_difference_is_told_in_per_cent() {
        assert_eq!(as_fast(1.034), "3.4 % faster than");
        assert_eq!(as_long(1.034), "3.4 % longer than");
        assert_eq!(as_fast(4.9), "4.90 times as fast as");
        assert_eq!(as_long(4.47), "4.47 times as long as");
    }

    #[test]
    fn the_last_of_a_list_comes_after_and() {
        let list_of = |items: &[&str]| {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            list(&items)
        };
        assert_eq!(list_of(&["a"]), "a");
        assert_eq!(list_of(&["a", "b"]), "a and b");
        assert_eq!(list_of(&["a", "b", "c"]), "a, b and c");
    }
}
