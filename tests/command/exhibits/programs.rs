//! The programs run on real threads. What an unsafe one comes to is left to the machine.

use super::*;

/// A terminal with these lines to read.
struct Script {
    lines: Mutex<Vec<&'static str>>,
    written: Mutex<Vec<String>>,
}

impl Terminal for Script {
    fn write(&self, text: &str) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push(text.to_owned());
    }

    fn read_line(&self, _prompt: &str) -> Option<String> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        (!lines.is_empty()).then(|| lines.remove(0).to_owned())
    }

    fn settings(&self) -> Settings {
        Settings {
            seconds: Some(Duration::from_millis(10)),
            ..Settings::default()
        }
    }
}

/// Runs a program, and returns what it has written and whether it ended without a panic.
fn run(variant: &Variant, lines: &[&'static str]) -> (String, bool) {
    let terminal = Arc::new(Script {
        lines: Mutex::new(lines.to_vec()),
        written: Mutex::new(Vec::new()),
    });
    let program = AssertUnwindSafe(|| (variant.program)(Arc::clone(&terminal) as _));
    let is_fine = panic::catch_unwind(program).is_ok();
    let written = terminal.written.lock();
    let written = written.unwrap_or_else(PoisonError::into_inner);
    (written.concat(), is_fine)
}

/// Runs the programs of an exhibit that have defined behaviour and must come to an end.
/// `is_right` says whether what a safe one has written is right.
fn run_all(exhibit: &str, lines: &[&'static str], is_right: impl Fn(&Variant, &str) -> bool) {
    let can_hang = [
        "lost-wakeup",
        "one-sentinel",
        "never-gives-back",
        "leaked-permit",
    ];
    for variant in variants().filter(|variant| variant.exhibit == exhibit) {
        if matches!(variant.kind, Kind::Undefined { .. }) || can_hang.contains(&variant.name) {
            continue;
        }
        let (written, is_fine) = run(variant, lines);
        if variant.kind == Kind::Safe {
            assert!(is_fine, "{variant}");
            assert!(
                is_right(variant, &written),
                "{variant} has written {written:?}"
            );
        }
    }
}

#[test]
fn of_the_counter() {
    run_all("counter", &[], |_, written| written.is_empty());
}

#[test]
fn of_the_shared_list() {
    run_all("shared-list", &[], |_, written| written.is_empty());
}

#[test]
fn of_the_print_lock() {
    run_all("print-lock", &[], |variant, written| {
        let mut lines: Vec<&str> = written.split_inclusive('\n').collect();
        lines.sort_unstable();
        // One of them prints all lines twice, in two ways.
        let is_twice = variant.name == "one-after-another";
        lines.dedup_by(|a, b| is_twice && a == b);
        lines
            .into_iter()
            .eq((1..=5).map(|n| format!("After 1 second: {n}\n")))
    });
}

#[test]
fn of_the_session() {
    // 160 downloads, of pages of two sizes in turn.
    let size = |page: usize| if page % 2 == 1 { 10_490 } else { 278 };
    let lines = (1..=160).map(|page| format!("Read {} from /{page}\n", size(page)));
    let mut expected: Vec<String> = lines.collect();
    expected.sort_unstable();
    run_all("session", &[], |_, written| {
        let mut lines: Vec<&str> = written.split_inclusive('\n').collect();
        lines.sort_unstable();
        lines == expected
    });
}

#[test]
fn of_the_event_loop() {
    // 20 times the sum of the squares below a million: 20 · 999999 · 1000000 · 1999999 / 6.
    const SUM: &str = "Sum 6666656666670000000\n";
    for keys in [&[][..], &["a", "b", "c"]] {
        let keys_of = |written: &str| written.replacen(SUM, "", 1);
        let lines: Vec<String> = keys.iter().map(|key| format!("Key {key}\n")).collect();
        run_all("event-loop", keys, |_, written| {
            written.contains(SUM) && keys_of(written) == lines.concat()
        });
    }
}

#[test]
fn of_the_queue_consumer() {
    run_all("queue-consumer", &["a", "b", "c"], |_, written| {
        written == "From queue a\nFrom queue b\nFrom queue c\n"
    });
}

#[test]
fn of_the_queue_consumer_without_an_item() {
    run_all("queue-consumer", &[], |_, written| written.is_empty());
}

#[test]
fn of_the_pool() {
    // 5 threads with 3 queries each.
    run_all("pool", &[], |_, written| {
        let of = |thread| {
            let asks = format!("Thread {thread} asks on connection ");
            written
                .lines()
                .filter(|line| line.starts_with(&asks))
                .count()
        };
        (1..=5).all(|thread| of(thread) == 3) && written.lines().count() == 15
    });
}

#[test]
fn that_share_nothing_fail_always() {
    let (_, is_fine) = run(named("shared_list", "private_copies"), &[]);
    assert!(!is_fine);
}
