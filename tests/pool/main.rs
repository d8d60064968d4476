//! Pools of worker processes. This binary is a pool and each of its workers as well, as the command
//! is: so it has a `main` of its own, and tests only if it is not told to be one of these.

#[cfg(not(loom))]
mod drill;
#[cfg(not(loom))]
#[path = "../command/support.rs"]
#[expect(dead_code, reason = "the tests of the command need more of it")]
mod support;
#[cfg(not(loom))]
mod tests;

#[cfg(not(loom))]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["worker", "drill"] => racelab::timing::serve::<drill::Drill>(),
        ["drill", plan] => println!("{}", drill::drill(drill::parse(plan))),
        _ => libtest_mimic::run(&libtest_mimic::Arguments::from_args(), tests::tests()).exit(),
    }
}

#[cfg(loom)]
fn main() {}
