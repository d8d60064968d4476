//! Whether all that is stable stands in the list of std's interface, by the documentation that comes
//! with the toolchain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The modules, each with what comes before the name of a function in the list.
const MODULES: [(&str, &str); 6] = [
    ("cell", "cell"),
    ("sync", "sync"),
    ("sync/atomic", "atomic"),
    ("sync/mpsc", "mpsc"),
    ("thread", "thread"),
    ("hint", "hint"),
];

/// Traits that nobody can name, or that belong to `std::os`.
const OTHER_TRAITS: [&str; 11] = [
    "AsHandle",
    "AsRawHandle",
    "CoerceUnsized",
    "DispatchFromDyn",
    "Drop",
    "Freeze",
    "IntoRawHandle",
    "JoinHandleExt",
    "PinCoerceUnsized",
    "StructuralPartialEq",
    "UnsafeUnpin",
];

/// What is between two marks, all of them, in their order.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    let parts = text.split(begin).skip(1);
    parts.filter_map(move |part| part.split_once(end).map(|(inside, _)| inside))
}

/// HTML as plain text.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for (index, part) in html.split('<').enumerate() {
        text += match part.split_once('>') {
            Some((_, text)) => text,
            None if index == 0 => part,
            None => "",
        };
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

/// A text without what is in angle brackets.
fn without_generics(text: &str) -> String {
    let mut depth = 0;
    let mut before = ' ';
    let mut kept = String::new();
    for sign in text.chars() {
        let is_arrow = sign == '>' && matches!(before, '-' | '=');
        before = sign;
        match sign {
            '<' => depth += 1,
            '>' if !is_arrow => depth -= 1,
            _ if depth == 0 => kept.push(sign),
            _ => {}
        }
    }
    kept.replace("::::", "::")
}

/// The name of a type or a trait, without its path, its generics and what it borrows.
fn name(text: &str) -> String {
    let text = without_generics(text);
    let text = text.trim().trim_start_matches('&').trim();
    let text = text.strip_prefix("'a ").unwrap_or(text);
    text.rsplit("::").next().unwrap_or(text).to_owned()
}

/// What is to be in the list, in the words of [`listed`].
fn documented(root: &Path) -> BTreeSet<String> {
    let read = |page: &Path| {
        fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
    };
    let mut all = BTreeSet::new();
    let mut types = Vec::new();
    for (module, prefix) in MODULES {
        let index = read(&root.join(module).join("index.html"));
        for entry in between(&index, "<dt", "</dt>") {
            let page = between(entry, "href=\"", "\"").next();
            let mut parts = page.into_iter().flat_map(|page| page.split('.'));
            let (Some(kind), Some(item)) = (parts.next(), parts.next()) else {
                continue;
            };
            match kind {
                _ if entry.contains("stab unstable") => {}
                "struct" | "enum" => types.push(format!("{module}/{kind}.{item}.html")),
                "type" => {
                    all.insert(format!("type {item}"));
                }
                "fn" | "constant" => {
                    all.insert(format!("{prefix}::{item}"));
                }
                _ => {}
            }
        }
    }
    for page in types {
        let item = page.split('.').nth(1).expect("kind, name and ending");
        of_type(item, &read(&root.join(&page)), &mut all);
    }
    all
}

/// Adds what a type has, as its page says.
fn of_type(item: &str, page: &str, all: &mut BTreeSet<String>) {
    all.insert(format!("type {item}"));
    let (own, traits) = page
        .split_once("id=\"trait-implementations\"")
        .unwrap_or((page, ""));
    let (_, own) = own.split_once("id=\"implementations\"").unwrap_or_default();
    let own = own.split("id=\"deref-methods").next().unwrap_or(own);
    for section in own.split("<section id=\"method.").skip(1) {
        if section.contains("stab unstable") {
            continue;
        }
        let header = between(section, "<h4 class=\"code-header\">", "</h4>").next();
        let header = plain(header.expect("a method has a header"));
        let (before, after) = header.split_once("fn ").expect("it is a function");
        let method = after.split(['<', '(']).next().expect("it has a name");
        all.insert(format!("{item}::{method}"));
        if before.contains("const ") {
            all.insert(format!("const {item}::{method}"));
        }
    }
    let traits = traits.split("id=\"blanket-implementations\"").next();
    for section in traits
        .into_iter()
        .flat_map(|traits| between(traits, "<section id=\"impl-", "</section>"))
    {
        let header = between(section, "<h3 class=\"code-header\">", "</h3>").next();
        let header = plain(header.expect("an implementation has a header"));
        let header = header.split("where ").next().unwrap_or(&header);
        let header = without_generics(header);
        let Some((implemented, of)) = header.trim_start_matches("impl").split_once(" for ") else {
            continue;
        };
        let implemented = implemented.trim();
        let is_other = OTHER_TRAITS.contains(&implemented.trim_start_matches('!'));
        if name(of) == item && !is_other {
            all.insert(format!("{implemented} for {item}"));
        }
    }
}

/// What is in the list: functions and constants as `Once::new`, and again as `const Once::new` if it
/// is `const`, types as `type Arc`, traits as `Send for Arc` or `!Send for Rc`.
fn listed(list: &str) -> BTreeSet<String> {
    let mut code = String::new();
    for line in list.lines() {
        code += line.split("//").next().unwrap_or(line);
        code.push(' ');
    }
    // The entries of all blocks of a macro.
    let entries = |of: &str| -> Vec<(String, String)> {
        let mut entries = Vec::new();
        let begin = format!("{of}! {{");
        for (at, _) in code.match_indices(&begin) {
            if code[..at].ends_with(|last: char| last == '_' || last.is_alphanumeric()) {
                continue;
            }
            let block = &code[at + begin.len()..];
            let block = block.split('}').next().unwrap_or(block);
            for entry in block.split(';') {
                if let Some((item, is)) = entry.split_once(": ") {
                    entries.push((without_generics(item.trim()), is.trim().to_owned()));
                }
            }
        }
        entries
    };
    let names = |of: &str| -> Vec<String> {
        let names = entries(of).into_iter().map(|(name, _)| name);
        names.filter(|name| !name.contains('$')).collect()
    };
    let integers = names("integer");
    let atomics = [integers.clone(), names("atomic")].concat();
    // What is said of each type in the macros for them.
    let each = |item: &str| -> Vec<String> {
        let of = |kind: &str, types: &[String]| -> Vec<String> {
            types.iter().map(|name| item.replace(kind, name)).collect()
        };
        if item.contains("$atomic") {
            of("$atomic", &atomics)
        } else if item.contains("$integer") {
            of("$integer", &integers)
        } else {
            vec![item.to_owned()]
        }
    };
    let mut all = BTreeSet::new();
    for of in [
        "signatures",
        "const_functions",
        "const_unsafe_functions",
        "constructors",
    ] {
        for (item, _) in entries(of) {
            for item in each(&item) {
                if of != "signatures" {
                    all.insert(format!("const {item}"));
                }
                let is_of_type = item.starts_with(|first: char| first.is_ascii_uppercase());
                if let Some((of_type, _)) = item.split_once("::").filter(|_| is_of_type) {
                    all.insert(format!("type {of_type}"));
                }
                all.insert(item);
            }
        }
    }
    for (of, not) in [("traits", ""), ("not_traits", "!")] {
        for (item, bounds) in entries(of) {
            for item in each(&name(&item)) {
                all.insert(format!("type {item}"));
                for bound in without_generics(&bounds).split(',') {
                    all.insert(format!("{not}{} for {item}", name(bound)));
                }
            }
        }
    }
    for (item, _) in entries("types_of_std") {
        all.insert(format!("type {}", name(&item)));
    }
    all
}

/// The types of the list that are std's, so that they have all that std's have.
fn types_of_std(list: &str) -> BTreeSet<String> {
    let block = between(list, "types_of_std! {", "}").next();
    let entries = block.expect("there is a block of them").split(';');
    let types = entries.filter_map(|entry| entry.split_once(": "));
    types.map(|(item, _)| name(item)).collect()
}

#[test]
fn all_that_is_stable_stands_in_the_list() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(sysroot.expect("there is a rustc").stdout).unwrap();
    let root = PathBuf::from(sysroot.trim()).join("share/doc/rust/html/std");
    if !root.exists() {
        eprintln!(
            "not checked: the toolchain has no documentation (`rustup component add rust-docs`)"
        );
        return;
    }
    let list = include_str!("interface.rs");
    let of_std = types_of_std(list);
    let is_of_std = |entry: &str| {
        let entry = entry.strip_prefix("const ").unwrap_or(entry);
        let of = entry.split("::").next().unwrap_or(entry);
        let of = of.rsplit(" for ").next().unwrap_or(of);
        of_std.contains(of)
    };
    let listed = listed(list);
    let documented = documented(&root);
    let missing = documented
        .iter()
        .filter(|entry| !is_of_std(entry) && !listed.contains(*entry));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    assert!(documented.len() > 400 && missing.is_empty(), "{missing:#?}");
}
