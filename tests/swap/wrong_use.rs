//! What the compiler says to who takes the façade for something else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the compiler, which only checks the file.
fn compile(file: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "--emit", "metadata"]);
    rustc.args(["--crate-type", "lib", "--out-dir"]);
    rustc.arg(folder).args(arguments).arg(file);
    rustc.output().expect("there is a rustc")
}

/// What the compiler says of code that has this line, for the library as it is without features.
fn said_of(line: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wrong_use");
    fs::create_dir_all(&folder).unwrap();
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let compiled = compile(
        &library,
        &folder,
        &["--crate-name", "racelab", "--cap-lints", "allow"],
    );
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    let file = folder.join("user.rs");
    let code = format!("pub fn f(cell: &racelab::cell::UnsafeCell<u32>) {{\n    {line}\n}}\n");
    fs::write(&file, code).unwrap();
    let metadata = folder.join("libracelab.rmeta");
    let metadata = format!("racelab={}", metadata.display());
    let compiled = compile(&file, &folder, &["--extern", &metadata]);
    String::from_utf8(compiled.stderr).unwrap()
}

#[test]
fn who_lets_go_of_the_pointer_of_get_is_told_of_the_accesses_that_are_checked() {
    let said = said_of("cell.get();");
    assert!(said.contains("`with` and `with_mut`"), "{said}");
    assert_eq!(said_of("let _pointer: *mut u32 = cell.get();"), "");
}
