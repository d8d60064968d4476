//! `racelab explore --checkpoint`: what is known is kept, and the same command goes on from there.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{Folder, Run, command, line, parsed, words};

/// The line of a search with a checkpoint, as JSON.
fn search(search: &str, checkpoint: &Path) -> String {
    let checkpoint = checkpoint.display();
    format!("racelab explore {search} --format json --checkpoint {checkpoint}")
}

/// The totals of a search.
fn totals(json: &Value) -> Value {
    let mut totals = json.clone();
    for key in ["seconds", "blocked"] {
        totals[key] = Value::Null;
    }
    totals
}

/// The text of a checkpoint that was changed, with the checksum of what is in it now (FNV-1a).
fn sealed(changed: &str) -> String {
    const BEFORE: &str = ",\"checksum\":\"";
    let (content, _) = changed.rsplit_once(BEFORE).expect("it has a checksum");
    let add = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    let checksum = content.bytes().fold(0xCBF2_9CE4_8422_2325, add);
    format!("{content}{BEFORE}{checksum:016x}\"}}\n")
}

fn start(line: &str) -> Child {
    let mut command = command();
    command.args(words(line));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary can be run")
}

/// A search that takes seconds: of many executions, or under an engine that is slow.
const LONG: [&str; 3] = [
    "counter/fetch-add --engine dfs --threads 5 --all",
    "counter/mutex --engine dfs --threads 2 --ops 7 --jobs 2",
    "counter --engine dpor --threads 3 --ops 2 --all --jobs 2",
];

#[test]
fn a_search_that_is_killed_again_and_again_ends_with_the_same_totals() {
    for long in LONG {
        let undisturbed = parsed(&line(
            &format!("racelab explore {long} --jobs 1 --format json")
                .replace("--jobs 2 --jobs 1", "--jobs 1"),
        ));
        let folder = Folder::new("killed");
        let file = folder.file("c.json");
        let line = search(long, &file);
        // Moments that differ in how far the search is, and in what it is doing then.
        let mut killed = 0;
        let ended = loop {
            let mut process = start(&line);
            let before = fs::read(&file).ok();
            let kills_while_writing = killed % 3 == 1;
            let waits_for = if killed % 4 == 3 { 2 } else { 1 };
            let mut changes = 0;
            let mut last = before;
            let ended = loop {
                if process.try_wait().expect("it can be asked").is_some() {
                    break true;
                }
                if kills_while_writing && folder.file("c.json.tmp").exists() && changes > 0 {
                    break false;
                }
                let now = fs::read(&file).ok();
                if now != last {
                    last = now;
                    changes += 1;
                }
                if changes > waits_for {
                    break false;
                }
            };
            if ended {
                break process.wait_with_output().unwrap();
            }
            // SIGKILL.
            process.kill().unwrap();
            process.wait().unwrap();
            killed += 1;
        };
        assert!(killed > 0, "{long} was too short to be killed");
        let run = Run::of(&ended);
        assert_eq!(
            totals(&parsed(&run)),
            totals(&undisturbed),
            "{long}, {killed} times"
        );
        assert_eq!(folder.names(), ["c.json"], "nothing is left behind");
    }
}

#[test]
fn a_finished_one_answers_without_a_search() {
    for (program, code) in [
        ("counter --engine dfs --all", 1),
        ("counter --engine dfs", 1),
        ("counter --engine dpor", 1),
        ("counter/mutex --engine dpor --threads 3", 0),
        ("counter/mutex --engine random --max-executions 300", 3),
    ] {
        let folder = Folder::new("finished");
        let file = folder.file("c.json");
        let line_of = search(program, &file);
        let first = line(&line_of).exits(code).quiet();
        let kept = fs::read_to_string(&file).unwrap();
        // A search would find an execution more than the limit allows.
        let again = line(&line_of).exits(code).quiet();
        assert_eq!(totals(&parsed(&again)), totals(&parsed(&first)));
        assert_eq!(fs::read_to_string(&file).unwrap(), kept);
        let undivided = parsed(&line(&format!(
            "racelab explore {program} --jobs 1 --format json"
        )));
        assert_eq!(totals(&parsed(&first)), totals(&undivided));
    }
}

#[test]
fn what_was_kept_is_not_explored_again() {
    let folder = Folder::new("goes-on");
    let file = folder.file("c.json");
    let program = "counter/mutex --engine dfs --threads 3";
    line(&search(program, &file)).exits(0);
    // What it has come to is changed, and comes out as it is in the file.
    let kept = fs::read_to_string(&file).unwrap();
    let json: Value = serde_json::from_str(&kept).unwrap();
    let executions = json["known"]["sum"]["executions"].as_u64().unwrap();
    let sum = |executions| format!("\"sum\":{{\"executions\":{executions},");
    let changed = kept.replacen(&sum(executions), &sum(executions + 1_000), 1);
    fs::write(&file, sealed(&changed)).unwrap();
    let run = line(&search(program, &file)).exits(0);
    assert_eq!(parsed(&run)["executions"], executions + 1_000);
}

#[test]
fn a_cut_search_goes_on_where_it_was_cut() {
    let folder = Folder::new("cut");
    let file = folder.file("c.json");
    let program = "counter --engine dfs --threads 3 --all";
    let whole = parsed(&line(&format!(
        "racelab explore {program} --jobs 1 --format json"
    )));
    let cut = format!("{program} --max-executions 500");
    let run = line(&search(&cut, &file)).exits(1);
    assert_eq!(parsed(&run)["executions"], 500);
    assert_eq!(parsed(&run)["complete"], false);
    let run = line(&search(program, &file)).exits(1);
    assert_eq!(totals(&parsed(&run)), totals(&whole));
}

#[test]
fn a_search_that_is_cut_inside_its_parts_again_and_again_ends_with_the_same_totals() {
    for (program, code, steps) in [
        ("counter --engine dfs --threads 3 --all", 1, [31, 132]),
        (
            "counter --engine dpor --threads 2 --ops 4 --all",
            1,
            [71, 500],
        ),
        (
            "counter/mutex --engine dpor --threads 3 --ops 3",
            0,
            [29, 111],
        ),
    ] {
        let undisturbed = line(&format!("racelab explore {program} --jobs 1 --format json"));
        let undisturbed = parsed(&undisturbed.exits(code));
        for executions in steps {
            let folder = Folder::new("inside");
            let file = folder.file("c.json");
            let mut limit = executions;
            let mut was_inside = false;
            let ended = loop {
                let cut = format!("{program} --max-executions {limit}");
                let run = parsed(&line(&search(&cut, &file)));
                if run["complete"] == true {
                    break run;
                }
                assert_eq!(run["executions"], limit, "{program}");
                let content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
                was_inside |= content["known"]["begun"].is_object();
                limit += executions;
            };
            assert!(was_inside, "{program} was never cut inside a part");
            let mut expected = undisturbed.clone();
            expected["seconds"] = ended["seconds"].clone();
            assert_eq!(ended, expected, "{program}, each {executions}");
        }
    }
}

#[test]
fn a_checkpoint_inside_a_part_that_was_cut_anywhere_is_refused_and_left_alone() {
    let folder = Folder::new("bytes-inside");
    let file = folder.file("c.json");
    let program = "counter --engine dpor --threads 2 --ops 4 --all";
    line(&search(&format!("{program} --max-executions 71"), &file)).exits(1);
    let kept = fs::read(&file).unwrap();
    for end in (0..kept.len() - 1).step_by(kept.len() / 50) {
        fs::write(&file, &kept[..end]).unwrap();
        line(&search(program, &file)).refused("is no checkpoint of this racelab");
        assert_eq!(fs::read(&file).unwrap(), &kept[..end]);
    }
}

#[test]
fn a_checkpoint_in_which_any_byte_was_altered_is_refused_and_left_alone() {
    let folder = Folder::new("altered");
    let file = folder.file("c.json");
    // Of the first, parts are finished; of the second, some were begun.
    for (program, limit, holds) in [
        ("counter/mutex --engine dfs", "", "ahead"),
        (
            "counter --engine dpor --threads 2 --ops 4 --all",
            " --max-executions 71",
            "begun",
        ),
    ] {
        line(&search(&format!("{program}{limit}"), &file));
        let kept = fs::read(&file).unwrap();
        let text = String::from_utf8(kept.clone()).unwrap();
        assert!(text.contains(holds), "{text}");
        // In any digit above all, with which it can mean something else; and elsewhere here and there.
        let places = (0..kept.len() - 1)
            .filter(|at| kept[*at].is_ascii_digit() || at % 17 == 0)
            .step_by(kept.len() / 200 + 1);
        for at in places {
            let mut altered = kept.clone();
            altered[at] ^= 1;
            fs::write(&file, &altered).unwrap();
            line(&search(program, &file)).refused("is no checkpoint of this racelab");
            assert_eq!(fs::read(&file).unwrap(), altered);
        }
        for altered in [[&kept[..], b" "].concat(), kept.repeat(2)] {
            fs::write(&file, &altered).unwrap();
            line(&search(program, &file)).refused("is no checkpoint of this racelab");
        }
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_resumed_search_says_how_many_executions_are_behind_it() {
    let folder = Folder::new("says");
    let file = folder.file("c.json");
    let line_of = |limit: &str| {
        let file = file.display();
        format!(
            "racelab explore counter/mutex --engine dfs --threads 3 {limit} --checkpoint {file}"
        )
    };
    line(&line_of("--max-executions 100")).exits(3).quiet();
    let run = line(&line_of("")).exits(0);
    assert_eq!(run.stderr, "resumed after 100 executions\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_process_on_the_same_checkpoint_is_refused() {
    let folder = Folder::new("second");
    let file = folder.file("c.json");
    let line_of = search(
        "counter --engine dfs --threads 4 --ops 2 --all --jobs 2",
        &file,
    );
    let first = start(&line_of);
    while !file.exists() {
        std::thread::yield_now();
    }
    for _ in 0..20 {
        line(&line_of).refused("another process goes on from the checkpoint");
    }
    crate::support::send("INT", first.id());
    let run = Run::of(&first.wait_with_output().unwrap())
        .exits(130)
        .quiet();
    assert_eq!(parsed(&run)["bound"]["kind"], "interrupted");
    assert_eq!(folder.names(), ["c.json"]);
    // It is free again, and whole.
    let next = search(
        "counter --engine dfs --threads 4 --ops 2 --all --jobs 2 --max-executions 1",
        &file,
    );
    line(&next).exits(1).quiet();
}

#[test]
fn shards_have_checkpoints_of_their_own() {
    let folder = Folder::new("shard");
    let file = folder.file("c.json");
    let first = search("counter/mutex --engine dfs --shard 1/2", &file);
    let run = line(&first).exits(3);
    assert_eq!(totals(&parsed(&line(&first))), totals(&parsed(&run)));
    let second = first.replace("1/2", "2/2");
    line(&second).refused("its `shard` is \"shard 1 of 2\", not \"shard 2 of 2\"");
}

#[test]
fn a_checkpoint_that_was_cut_at_any_byte_is_refused_and_left_alone() {
    let folder = Folder::new("bytes");
    let file = folder.file("c.json");
    let line_of = search("counter --engine dfs --threads 1 --all", &file);
    line(&line_of).exits(0);
    let kept = fs::read(&file).unwrap();
    // Without the end of the line it is whole.
    for end in 0..kept.len() - 1 {
        fs::write(&file, &kept[..end]).unwrap();
        line(&line_of).refused("is no checkpoint of this racelab, or not the whole of one");
        assert_eq!(fs::read(&file).unwrap(), &kept[..end]);
    }
    fs::write(&file, &kept).unwrap();
    line(&line_of).exits(0);
}

#[test]
fn a_checkpoint_of_another_search_is_refused_and_left_alone() {
    let folder = Folder::new("foreign");
    let file = folder.file("c.json");
    let program = "counter/mutex --engine dfs";
    line(&search(program, &file)).exits(0);
    let kept = fs::read_to_string(&file).unwrap();
    for (other, what) in [
        (
            "counter/fetch-add --engine dfs",
            "its `exhibit` is \"counter/mutex\"",
        ),
        (
            "counter/mutex --engine dpor",
            "its `engine` is \"dfs\", not \"dpor\"",
        ),
        (
            "counter/mutex --engine dfs --threads 3",
            "its `threads` is 2, not 3",
        ),
        (
            "counter/mutex --engine dfs --ops 2",
            "its `ops` is 1, not 2",
        ),
        (
            "counter/mutex --engine dfs --all",
            "its `all` is false, not true",
        ),
        (
            "counter/mutex --engine dfs --max-steps 9",
            "its `max_steps` is 10000, not 9",
        ),
        (
            "counter/mutex --engine dfs --shard 1/2",
            "its `shard` is null",
        ),
    ] {
        line(&search(other, &file)).refused(what);
        assert_eq!(fs::read_to_string(&file).unwrap(), kept);
    }
    for (from, to, what) in [
        (
            env!("CARGO_PKG_VERSION"),
            "99.0.0",
            "its `version` is \"99.0.0\"",
        ),
        (
            "checkpoint/1",
            "checkpoint/2",
            "is no checkpoint of this racelab",
        ),
        ("\"digest\":\"", "\"digest\":\"x", "its `digest` is"),
        (
            "\"violations\":0",
            "\"violations\":1",
            "does not fit its own counts",
        ),
        (
            "\"executions\":",
            "\"executions\":9999999999999999",
            "too large",
        ),
        (
            "\"left_out\":[]",
            "\"left_out\":[\"x\"]",
            "nothing is called `x`",
        ),
        (
            "\"violations\":0,\"traces\":null,\"outcomes\":{\"2\":10},\"left_out\":[],\"failure\":null",
            "\"violations\":1,\"traces\":null,\"outcomes\":{\"2\":10},\"left_out\":[],\"failure\":\"0*9\"",
            "the schedule 0*9 in it does not fail",
        ),
    ] {
        let changed = kept.replacen(from, to, 1);
        assert_ne!(changed, kept, "{from}");
        let changed = sealed(&changed);
        fs::write(&file, &changed).unwrap();
        line(&search(program, &file)).refused(what);
        assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_refused_before_the_search() {
    let folder = Folder::new("unwritable");
    let missing = folder.file("nowhere/c.json");
    line(&search("counter", &missing)).refused("cannot write to");
    line(&search("counter", &folder.file(""))).refused("is not a file");
    assert!(folder.names().is_empty());
    #[cfg(unix)]
    line(&search("counter", Path::new("/dev/full"))).refused("/dev/full is not a file");
    #[cfg(unix)]
    line(&search("counter", Path::new("/dev/null/c.json"))).refused("cannot read the checkpoint");
}

/// A disk that is full: no file may be longer than so many blocks of 512 bytes.
#[cfg(unix)]
fn on_full_disk(blocks: u32, line: &str) -> Run {
    use std::process::Command;
    let arguments = words(line).collect::<Vec<_>>().join(" ");
    let binary = env!("CARGO_BIN_EXE_racelab");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {binary} {arguments}");
    let output = Command::new("bash")
        .args(["--posix", "-c", &script])
        .output();
    Run::of(&output.expect("there is bash"))
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_at_once_and_leaves_the_old_checkpoint() {
    let folder = Folder::new("full");
    let file = folder.file("c.json");
    let line_of = search("counter/mutex --engine dfs", &file);
    on_full_disk(0, &line_of).refused("cannot write to");
    assert!(folder.names().is_empty());
    line(&line_of).exits(0);
    let kept = fs::read(&file).unwrap();
    on_full_disk(0, &line_of).refused("cannot write to");
    assert_eq!(fs::read(&file).unwrap(), kept);
    assert_eq!(folder.names(), ["c.json"]);
}

#[cfg(unix)]
#[test]
fn what_was_found_is_printed_before_the_disk_that_became_full_is_complained_of() {
    let folder = Folder::new("becomes-full");
    let file = folder.file("c.json");
    // With its failure and its outcomes the file outgrows the block that holds all that there is at
    // the beginning.
    let program = "shared-list/reserve-then-write --engine dpor --threads 3 --all";
    let run = on_full_disk(1, &search(program, &file)).exits(2);
    assert!(run.stderr.contains("cannot write to"), "{run:?}");
    assert_eq!(parsed(&run)["verdict"], "violated");
    // What was there is still there.
    let whole = line(&search(program, &file)).exits(1).quiet();
    assert_eq!(totals(&parsed(&whole)), totals(&parsed(&run)));
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_keeps_what_is_known_and_exits_with_130() {
    let folder = Folder::new("interrupted");
    let file = folder.file("c.json");
    let long = "counter --engine dfs --threads 4 --ops 2 --all --jobs 2";
    let process = start(&search(long, &file));
    while !file.exists() {
        std::thread::yield_now();
    }
    crate::support::send("INT", process.id());
    let run = Run::of(&process.wait_with_output().unwrap())
        .exits(130)
        .quiet();
    let json = parsed(&run);
    assert_eq!(json["bound"]["kind"], "interrupted");
    assert_eq!(json["complete"], false);
    let content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let kept = content["known"]["sum"]["executions"].as_u64().unwrap();
    assert!(kept <= json["executions"].as_u64().unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_asks_for_the_end_loses_no_execution_and_is_the_exit_code() {
    for (signal, code) in [("INT", 130), ("HUP", 129), ("TERM", 143)] {
        for engine in ["dfs", "dpor"] {
            let folder = Folder::new("signal");
            let file = folder.file("c.json");
            let long = format!("counter --engine {engine} --threads 4 --ops 3 --all --jobs 2");
            let process = start(&search(&long, &file));
            let written = || fs::read(&file).ok();
            while written().is_none() {
                std::thread::yield_now();
            }
            // So that there is something to lose.
            let first = written();
            while written() == first {
                std::thread::yield_now();
            }
            crate::support::send(signal, process.id());
            let run = Run::of(&process.wait_with_output().unwrap());
            let json = parsed(&run.exits(code).quiet());
            assert_eq!(json["bound"]["kind"], "interrupted", "{signal}, {engine}");
            let resumed = line(&format!(
                "racelab explore {long} --max-executions 1 --checkpoint {}",
                file.display()
            ));
            let executions = &json["executions"];
            assert_eq!(
                resumed.stderr,
                format!("resumed after {executions} executions\n"),
                "{signal}, {engine}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_the_command_was_started_to_ignore_does_not_end_it() {
    let folder = Folder::new("nohup");
    let file = folder.file("c.json");
    let line = search("counter --engine dfs --threads 4 --ops 3 --all", &file);
    let mut nohup = std::process::Command::new("sh");
    nohup.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]);
    nohup.arg(command().get_program()).args(words(&line));
    let process = nohup.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let process = process.expect("there is a shell");
    while !file.exists() {
        std::thread::yield_now();
    }
    crate::support::send("HUP", process.id());
    crate::support::send("TERM", process.id());
    let run = Run::of(&process.wait_with_output().unwrap());
    assert_eq!(parsed(&run.exits(143).quiet())["complete"], false);
}

#[test]
fn a_resumed_search_says_what_an_undisturbed_one_says_of_its_failure() {
    for program in [
        "counter --engine dpor",
        "counter --engine dfs --all",
        "queue-consumer/if-not-while --engine dpor --all",
        "queue-consumer/wait-without-loop --engine dpor",
        "counter --engine random --max-executions 300 --all",
    ] {
        let undisturbed = line(&format!("racelab explore {program}")).exits(1);
        let folder = Folder::new("says-of-failure");
        let checkpoint = format!("--checkpoint {}", folder.file("c.json").display());
        for limit in 1..6 {
            if !program.contains("--max-executions") {
                let cut =
                    format!("racelab explore {program} --max-executions {limit} {checkpoint}");
                line(&cut);
            }
        }
        // The second one finds in the file that all is explored.
        for _ in 0..2 {
            let resumed = line(&format!("racelab explore {program} {checkpoint}")).exits(1);
            for fact in ["why", "minimal", "replay"] {
                assert_eq!(resumed.fact(fact), undisturbed.fact(fact), "{program}");
            }
        }
    }
}
