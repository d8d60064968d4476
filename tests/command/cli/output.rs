//! Where a report goes, and how it looks.

use super::*;

#[test]
fn a_file_gets_what_stdout_would_get() {
    let folder = Folder::new("a_file_gets");
    let file = folder.file("report.txt");
    let path = file.to_str().expect("the path is a text");
    for command in ["list", "show counter", "explore counter"] {
        let stdout = line(&format!("racelab {command}"));
        let run = line(&format!("racelab {command} -o {path}"))
            .exits(stdout.code)
            .quiet();
        assert_eq!(run.stdout, "");
        // What was there before is replaced, not appended to.
        assert_eq!(
            fs::read_to_string(&file).expect("it was written"),
            stdout.stdout
        );
    }
    assert_eq!(folder.names(), ["report.txt"]);
}

#[test]
fn a_dash_is_stdout() {
    assert_eq!(
        line("racelab explore counter -o -"),
        line("racelab explore counter")
    );
}

#[test]
fn the_options_of_the_output_can_stand_before_the_command() {
    assert_eq!(
        line("racelab --color always explore counter"),
        line("racelab explore counter --color always")
    );
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let folder = Folder::new("an_output_that");
    let missing = folder.file("missing/report.txt");
    let of = |path: &std::path::Path| {
        racelab([
            "explore".as_ref(),
            "counter".as_ref(),
            "-o".as_ref(),
            path.as_os_str(),
        ])
    };
    of(&missing).refused("missing/report.txt");
    of(&folder.file("")).refused("cannot write to");
    racelab(["list", "-o", ""]).exits(2);
    assert!(folder.names().is_empty());
}

#[test]
fn a_command_that_is_refused_leaves_no_file_behind() {
    let folder = Folder::new("a_command_that");
    let file = folder.file("report.txt");
    let path = file.to_str().expect("the path is a text");
    line(&format!("racelab explore nothing -o {path}")).refused("unknown exhibit");
    line(&format!("racelab replay counter 7 -o {path}")).refused("thread 7");
    assert!(folder.names().is_empty());
    fs::write(&file, "old").expect("the file can be written");
    line(&format!("racelab replay counter 7 -o {path}")).refused("thread 7");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = Folder::new("a_link_stays");
    let (file, link) = (folder.file("file.txt"), folder.file("link.txt"));
    fs::write(&file, "old").expect("the file can be written");
    std::os::unix::fs::symlink(&file, &link).expect("the link can be made");
    racelab(["list".as_ref(), "-o".as_ref(), link.as_os_str()])
        .exits(0)
        .quiet();
    assert!(
        fs::symlink_metadata(&link)
            .expect("it is there")
            .is_symlink()
    );
    let written = fs::read_to_string(&file).expect("it is there");
    assert_eq!(written, line("racelab list").stdout);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("a_file_keeps");
    let file = folder.file("report.txt");
    fs::write(&file, "old").expect("the file can be written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("they can be set");
    racelab(["list".as_ref(), "-o".as_ref(), file.as_os_str()]).exits(0);
    let mode = fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_refused_and_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("a_file_without");
    let file = folder.file("report.txt");
    fs::write(&file, "old").expect("the file can be written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("they can be set");
    if fs::OpenOptions::new().write(true).open(&file).is_ok() {
        // The superuser may write everything, so that there is nothing to see.
        return;
    }
    racelab(["list".as_ref(), "-o".as_ref(), file.as_os_str()]).refused("report.txt");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
}

#[cfg(unix)]
#[test]
fn a_write_that_fails_loses_nothing() {
    let folder = Folder::new("a_write_that");
    let file = folder.file("report.txt");
    fs::write(&file, "old").expect("the file can be written");
    // Files may not grow beyond nothing, which is what a full disk looks like. The signal
    // that comes with it is ignored, so that the write itself fails.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} explore counter -o {}",
        env!("CARGO_BIN_EXE_racelab"),
        file.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .expect("there is a shell");
    Run::of(&output).refused("report.txt");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
    assert_eq!(folder.names(), ["report.txt"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_a_clear_message() {
    for command in [
        "list",
        "show counter",
        "explore counter",
        "--help",
        "help show",
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("there is a full device");
        let output = command_with(command).stdout(full).output();
        Run::of(&output.expect("the binary can be run")).refused("standard output");
    }
    line("racelab explore counter -o /dev/full").refused("/dev/full");
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_that_cannot_be_written_either_is_told_by_the_exit_code() {
    let full = || {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        full.expect("there is a full device")
    };
    for arguments in ["racelab explore nothing", "racelab explore counter/mutex"] {
        let mut command = command_with(arguments);
        let output = command.stdout(full()).stderr(full()).output();
        Run::of(&output.expect("the binary can be run")).exits(2);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_with_a_name_is_written_to() {
    let folder = Folder::new("a_pipe_with");
    let pipe = folder.file("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("there is mkfifo").success());
    let mut writer = command()
        .args(["list".as_ref(), "-o".as_ref(), pipe.as_os_str()])
        .spawn()
        .expect("the binary can be run");
    let read = fs::read_to_string(&pipe).expect("the pipe can be read");
    assert!(writer.wait().expect("it ends").success());
    assert_eq!(read, line("racelab list").stdout);
}

fn command_with(line: &str) -> std::process::Command {
    let mut command = command();
    command.args(line.split_whitespace());
    command
}

#[test]
fn a_closed_pipe_is_no_error() {
    for command in [
        "list",
        "show counter",
        "explore counter",
        "explore counter --all --format json",
        "--help",
    ] {
        into_closed_pipe(&format!("racelab {command}"))
            .exits(0)
            .quiet();
    }
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let colored = |flags: &str, variable: Option<(&str, &str)>| {
        let output = command_with(&format!("explore counter {flags}"))
            .envs(variable)
            .output()
            .expect("the binary can be run");
        Run::of(&output).exits(1).quiet().stdout.contains('\u{1b}')
    };
    let no_color = Some(("NO_COLOR", "1"));
    assert!(!colored("", None), "a pipe has no colours");
    assert!(!colored("", no_color));
    assert!(!colored("--color never", None));
    assert!(!colored("--color auto", None));
    assert!(colored("--color always", None));
    assert!(colored("--color always", no_color), "a flag is stronger");
    assert!(!colored("--color never", Some(("CLICOLOR_FORCE", "1"))));
    assert!(!colored("--format json --color always", None));
}

#[test]
fn colours_change_nothing_else() {
    let plain = line("racelab explore counter").stdout;
    let colored = line("racelab explore counter --color always").stdout;
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped += before;
        rest = after.split_once('m').expect("an escape code ends").1;
    }
    stripped += rest;
    assert_eq!(stripped, plain);
}

#[test]
fn ascii_keeps_its_promise() {
    for command in ["counter --all", "counter --threads 5", "counter --detail"] {
        let run = line(&format!("racelab explore {command} --ascii"));
        assert!(run.stdout.is_ascii(), "{run:?}");
    }
    let run = line(&format!("racelab replay counter {PASSES} --ascii"));
    assert!(run.stdout.is_ascii(), "{run:?}");
}

#[test]
fn no_line_ends_with_a_space_and_none_is_too_wide() {
    for command in [
        "list",
        "explore counter",
        "explore counter --threads 3 --ops 2",
        "explore counter --threads 5",
        "explore counter/mutex --max-executions 3",
        "replay counter 0*2.1*2.2*2.0*3",
    ] {
        let run = line(&format!("racelab {command}"));
        for line in run.stdout.lines() {
            assert_eq!(line, line.trim_end(), "{command}");
            let is_to_paste = line.starts_with("  replay ");
            assert!(is_to_paste || line.chars().count() <= 81, "{line}");
        }
    }
}
