//! What `docs/fan-out.md` tells to do works: its commands are run, for every share.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Folder, Run, line};

/// The blocks of code below each heading of the page.
fn blocks() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fan-out.md");
    let text = fs::read_to_string(path).unwrap();
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut heading = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            if is_code {
                blocks.push((heading.clone(), String::new()));
            }
        } else if is_code {
            let (_, block) = blocks.last_mut().unwrap();
            *block += &format!("{line}\n");
        } else if let Some(title) = line.strip_prefix("#") {
            title
                .trim_start_matches('#')
                .trim()
                .clone_into(&mut heading);
        }
    }
    blocks
}

/// Runs a script in a folder, with the binary of this build in the path.
fn run(script: &str, folder: &Folder, variables: &[(&str, String)]) -> Run {
    let binary = Path::new(env!("CARGO_BIN_EXE_racelab"));
    let mut path = OsString::from(binary.parent().unwrap());
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(folder.file(""))
        .env("PATH", path)
        .envs(variables.iter().map(|(name, value)| (*name, value)))
        .output();
    Run::of(&output.expect("there is bash"))
}

/// What the undivided search prints.
fn whole() -> String {
    line("racelab explore counter/mutex --threads 3 --jobs 1")
        .exits(0)
        .stdout
}

#[cfg(unix)]
#[test]
fn every_way_to_fan_a_search_out_comes_to_the_verdict_of_the_whole() {
    let mut ways = 0;
    for title in ["a Slurm array", "an Indexed Job", "a matrix"] {
        let folder = Folder::new("fan-out");
        let blocks = blocks();
        let block = blocks.iter().find(|(heading, _)| heading.ends_with(title));
        let (_, block) = block.unwrap_or_else(|| panic!("nothing on {title}"));
        // Of a description in YAML, what the shell gets of it.
        let shell = block.lines().map(str::trim);
        let explores: Vec<&str> = shell
            .filter(|line| {
                let begins = ["racelab explore", "K=", "N="];
                begins.iter().any(|begin| line.starts_with(begin))
            })
            .collect();
        assert!(!explores.is_empty(), "{title}");
        for share in 1..=4 {
            let variables = [
                ("SLURM_ARRAY_TASK_ID", share.to_string()),
                ("SLURM_ARRAY_TASK_COUNT", "4".to_owned()),
                ("JOB_COMPLETION_INDEX", (share - 1).to_string()),
                ("K", share.to_string()),
            ];
            run(&explores.join("\n"), &folder, &variables)
                .exits(0)
                .quiet();
        }
        let merged = run("racelab merge shard-*.json", &folder, &[])
            .exits(0)
            .quiet();
        assert_eq!(merged.stdout, whole(), "{title}");
        ways += 1;
    }
    assert_eq!(ways, 3);
}

#[cfg(unix)]
#[test]
fn gnu_parallel_does_as_the_page_says() {
    let has_parallel = Command::new("parallel").arg("--version").output();
    if !has_parallel.is_ok_and(|output| output.stdout.starts_with(b"GNU parallel")) {
        eprintln!("skipped: GNU parallel is not installed (Debian: apt-get install parallel)");
        return;
    }
    let folder = Folder::new("parallel");
    let blocks = blocks();
    let block = blocks
        .iter()
        .find(|(heading, _)| heading.ends_with("GNU parallel"));
    let (_, script) = block.expect("the page shows it");
    let home = [("HOME", folder.file("").display().to_string())];
    let run = run(script, &folder, &home).exits(0);
    assert_eq!(run.stdout, whole());
}

#[cfg(unix)]
#[test]
fn the_first_commands_of_the_page_are_those_of_one_share_and_of_all() {
    let folder = Folder::new("by-hand");
    let blocks = blocks();
    let [(_, explore), (_, merge), ..] = blocks.as_slice() else {
        panic!("the page begins with two commands");
    };
    for share in 1..=4 {
        let explore = explore
            .replace("1/4", &format!("{share}/4"))
            .replace("shard-1", &format!("shard-{share}"));
        run(&explore, &folder, &[]).exits(3).quiet();
    }
    assert_eq!(run(merge, &folder, &[]).exits(0).quiet().stdout, whole());
}
