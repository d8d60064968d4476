//! What users can name, in a file, so that a change of it is seen.
//!
//! The pages that `cargo doc` has written are read, since they have what macros make, and re-exports
//! in their places. To accept a change: `cargo doc --no-deps`, and then
//! `UPDATE_EXPECT=1 cargo test --test public_api -- --ignored`.
#![cfg(not(loom))]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use expect_test::expect_file;

/// What is public for the command only.
const OF_THE_COMMAND: [&str; 5] = [
    "cli::",
    "exhibits::",
    "timing::",
    "report::bench::",
    "report::schema::",
];

/// What is between two marks, all of them, in their order.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    let parts = text.split(begin).skip(1);
    parts.filter_map(move |part| part.split_once(end).map(|(inside, _)| inside))
}

/// HTML as plain text in one line.
fn plain(html: &str) -> String {
    // What a part that can be folded is called is not part of the declaration.
    let mut shown = String::new();
    for (index, part) in html.split("<summary").enumerate() {
        let folded = part.split_once("</summary>").filter(|_| index > 0);
        shown += folded.map_or(part, |(_, rest)| rest);
    }
    let mut text = String::new();
    for part in shown.split('<') {
        text += part.split_once('>').map_or(part, |(_, text)| text);
    }
    let codes = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
    ];
    for (code, sign) in codes.into_iter().chain([("ⓘ", ""), ("&amp;", "&")]) {
        text = text.replace(code, sign);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo doc --no-deps` first",
            page.display()
        )
    })
}

/// An item: its declaration, and what is implemented for it, but for what the compiler derives.
fn item(path: &str, page: &str) -> String {
    let declaration = page.split_once("<pre class=\"rust item-decl\">");
    let (head, declaration) = declaration.unwrap_or_default();
    if !head.contains("/src/racelab/") {
        // Its interface is that of another crate, and can change with it.
        return format!("{path}: of another crate\n");
    }
    let declaration = declaration.split("</pre>").next().unwrap_or_default();
    let mut text = format!("{path}: {}\n", plain(declaration));
    let written = page.split("id=\"synthetic-implementations\"").next();
    for section in between(written.unwrap_or_default(), "<section id=\"", "</section>") {
        let (attributes, content) = section.split_once('>').unwrap_or_default();
        if attributes.contains("trait-impl") {
            continue;
        }
        let indent = match attributes {
            id if id.starts_with("impl-") => "  ",
            id if id.starts_with("method.") || id.starts_with("associated") => "    ",
            _ => continue,
        };
        let heads = between(content, "class=\"code-header\">", "</h");
        text.extend(heads.map(|head| format!("{indent}{}\n", plain(head))));
    }
    text
}

#[ignore = "reads what `cargo doc` has written: CI runs both"]
#[test]
fn the_public_interface_is_the_one_in_the_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../doc/racelab");
    let all = read(&folder.join("all.html"));
    let list = all.split("<h3 id=").skip(1).collect::<String>();
    let mut items = BTreeSet::new();
    for link in between(&list, "<li><a href=\"", "</a>") {
        let (page, path) = link.split_once("\">").expect("a link has a name");
        if !OF_THE_COMMAND.iter().any(|module| path.starts_with(module)) {
            items.insert(item(path, &read(&folder.join(page))));
        }
    }
    let text: String = items.into_iter().collect();
    expect_file!["../docs/public-api.txt"].assert_eq(&text);
}
