//! The programs of the corpus of which the fewest preemptions and the probability to be hit by a
//! random walk are known exactly.

use racelab::FailureKind;
use racelab::exhibits::corpus;

/// A program and what is known of it.
pub(crate) struct KnownBug {
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
    pub(crate) kind: FailureKind,
    /// How likely a walk that is uniform over the possible steps is to fail.
    pub(crate) probability: f64,
    /// By how much the probability may be rounded.
    pub(crate) rounding: f64,
    /// The fewest with which it fails.
    pub(crate) preemptions: u32,
    /// Whether an enumeration takes too long to the first failure.
    pub(crate) is_large: bool,
}

/// A program of the corpus that panics, by its name.
macro_rules! known_bug {
    ($name:literal, $probability:literal, $preemptions:literal) => {
        KnownBug {
            name: $name,
            body: || run($name),
            kind: FailureKind::Panic,
            probability: $probability,
            rounding: 0.0005,
            preemptions: $preemptions,
            is_large: false,
        }
    };
}

impl KnownBug {
    pub(crate) const ALL: [KnownBug; 8] = [
        known_bug!("account", 0.136, 0),
        known_bug!("lazy01", 0.522, 0),
        KnownBug {
            kind: FailureKind::Deadlock,
            ..known_bug!("deadlock01", 0.375, 1)
        },
        known_bug!("bluetooth_driver", 0.097, 1),
        known_bug!("reorder_3", 0.025, 1),
        KnownBug {
            rounding: 0.00005,
            is_large: true,
            ..known_bug!("reorder_5", 0.0018, 1)
        },
        known_bug!("twostage", 0.021, 1),
        known_bug!("wronglock_3", 0.312, 1),
    ];
}

/// Runs a program of the corpus.
fn run(name: &str) {
    let mut variants = corpus::EXHIBIT.variants.iter();
    let program = variants
        .find(|variant| variant.name == name)
        .expect("the corpus has it");
    (program.body)(corpus::EXHIBIT.default_size_of(program));
}
