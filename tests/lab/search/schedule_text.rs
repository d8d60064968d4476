//! Schedules as text: what is printed is parsed, and anything else is parsed or refused.

use proptest::prelude::*;
use racelab::trace::{Choice, Schedule, ThreadId};

fn schedules() -> impl Strategy<Value = Schedule> {
    let choice = (
        prop_oneof![0u32..4, any::<u32>()],
        prop_oneof![4 => Just(0u32), 1 => any::<u32>()],
    );
    let run = (choice, prop_oneof![Just(1usize), 1usize..20]);
    prop::collection::vec(run, 0..20).prop_map(|runs| {
        let runs = runs
            .into_iter()
            .flat_map(|((thread, alternative), length)| {
                std::iter::repeat_n(
                    Choice {
                        thread: ThreadId(thread),
                        alternative,
                    },
                    length,
                )
            });
        Schedule::from(runs.collect::<Vec<_>>())
    })
}

/// Parses without a panic, and what parses prints to a text that parses to the same.
fn parses_soundly(text: &str) -> Result<(), TestCaseError> {
    match text.parse::<Schedule>() {
        Ok(schedule) => {
            prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
        }
        Err(error) => prop_assert!(error.to_string().starts_with("malformed schedule: part ")),
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_schedule_is_parsed_from_what_it_prints(schedule in schedules()) {
        prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in ".*") {
        parses_soundly(&text)?;
    }

    #[test]
    fn any_text_of_the_characters_of_schedules_is_parsed_or_refused(text in "[0-9.*~-]{0,24}") {
        parses_soundly(&text)?;
    }

    #[test]
    fn a_damaged_schedule_is_parsed_or_refused(
        schedule in schedules(), at: prop::sample::Index, with in any::<char>()
    ) {
        let mut text: Vec<char> = schedule.to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = with;
        parses_soundly(&text.into_iter().collect::<String>())?;
    }
}
