//! Checks what ARCHITECTURE.md says of the order of modules and crates, and the size of files.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules of a crate, the highest first.
fn order(package: &str) -> Vec<String> {
    let page = read(root().join("ARCHITECTURE.md"));
    let chapter =
        page.split(&format!("## The order of modules in {package}\n")).nth(1).expect("a chapter for the crate");
    let block =
        chapter.split("```order\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an ```order block");
    block.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Which module each name that lib.rs re-exports comes from.
fn re_exports(lib: &str) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for statement in lib.split("pub use ").skip(1) {
        let statement = statement.split(';').next().unwrap();
        let module = statement.split("::").next().unwrap().trim().to_owned();
        for name in statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty()) {
            names.insert(name.to_owned(), module.clone());
        }
    }
    names
}

/// The names that follow `crate::` in code, but for a module of tests at its end.
fn uses(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    // What a macro expands to elsewhere is no use here.
    let code = code.replace("$crate::", "");
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let group = if let Some(group) = rest.strip_prefix('{') { group.split('}').next().unwrap() } else { rest };
        let count = if rest.starts_with('{') { usize::MAX } else { 1 };
        for part in group.split(',').take(count) {
            let name: String = part.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            names.push(name);
        }
    }
    names
}

/// Which uses in a crate point upwards.
fn upward_uses(package: &str) -> Vec<String> {
    let folder = root().join(package).join("src");
    let (order, re_exports) = (order(package), re_exports(&read(folder.join("lib.rs"))));
    let rank = |module: &str| order.iter().position(|other| other == module);
    let mut wrong = Vec::new();
    for path in sources(&folder) {
        let inside = path.strip_prefix(&folder).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || inside.to_str().unwrap().contains("tests") {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("`{module}` is missing from the order in ARCHITECTURE.md"));
        for name in uses(&read(&path)) {
            let used = if rank(&name).is_some() { Some(&name) } else { re_exports.get(&name) };
            let used = used.unwrap_or_else(|| panic!("{}: cannot tell the module of `{name}`", inside.display()));
            if rank(used).unwrap() < own {
                wrong.push(format!("{package}: {} uses `{used}`, which is above `{module}`", inside.display()));
            }
        }
    }
    wrong
}

#[test]
fn modules_use_only_those_below_them() {
    let wrong = ["chorde-core", "chorde-memcache", "chorde-elasticache"].map(upward_uses).concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_depend_downward_only() {
    let below = [
        ("chorde-core", vec![]),
        ("chorde-macros", vec![]),
        ("chorde-memcache", vec!["chorde-core"]),
        ("chorde-elasticache", vec!["chorde-core", "chorde-memcache"]),
    ];
    for (package, allowed) in below {
        assert_eq!(chorde_dependencies(package), allowed, "the chorde crates that {package} depends on");
    }
}

/// The chorde crates among the dependencies of a package, but for those of its tests.
fn chorde_dependencies(package: &str) -> Vec<String> {
    let manifest = read(root().join(package).join("Cargo.toml"));
    let mut table = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = line;
        } else if table.ends_with("dependencies]") && !table.contains("dev-") && line.starts_with("chorde") {
            found.push(line.split(|c: char| c != '-' && !c.is_alphanumeric()).next().unwrap().to_owned());
        }
    }
    found
}

/// The names of the public methods in a file that return what they are called on.
fn settings(source: &str) -> Vec<String> {
    let is_setting = |rest: &&str| rest.split(['{', ';']).next().unwrap().contains("-> Self");
    let methods = source.split("\n    pub fn ").skip(1).filter(is_setting);
    methods.map(|rest| rest.split(['(', '<']).next().unwrap().to_owned()).collect()
}

#[test]
fn every_setting_of_the_client_for_memcached_is_one_for_elasticache() {
    let folder = root().join("chorde-memcache/src/client");
    let known = ["builder.rs", "builder/fast.rs"].map(|file| settings(&read(folder.join(file)))).concat();
    assert!(known.len() > 20, "{known:?}");
    let here = read(root().join("chorde-elasticache/src/client/builder.rs"));
    let is_here = |setting: &String| {
        here.contains(&format!("\n        {setting}(")) || here.contains(&format!("\n    pub fn {setting}"))
    };
    // The cluster tells its servers.
    let servers = ["servers", "server", "source"].map(str::to_owned);
    let missing: Vec<_> = known.iter().filter(|setting| !servers.contains(setting) && !is_here(setting)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn files_are_short_enough_to_be_read() {
    let mut long = Vec::new();
    for folder in [
        "src",
        "examples",
        "chorde-core/src",
        "chorde-macros/src",
        "chorde-memcache/src",
        "chorde-elasticache/src",
        "soak/src",
    ] {
        for path in sources(&root().join(folder)) {
            let lines = read(&path).lines().count();
            if lines > 600 && !path.to_str().unwrap().contains("tests") {
                long.push(format!("{} has {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "split these by concept:\n{}", long.join("\n"));
}

#[test]
fn one_module_alone_has_unsafe_code() {
    let allows = |path: &PathBuf| {
        let source = read(path);
        source.lines().any(|line| line.trim_start().starts_with("#") && line.contains("(unsafe_code"))
            && !source.contains("#![forbid(unsafe_code)]")
    };
    let folders = ["src", "chorde-core", "chorde-memcache/src", "chorde-elasticache/src", "chorde-macros/src"];
    let found: Vec<_> = folders.iter().flat_map(|folder| sources(&root().join(folder))).filter(allows).collect();
    assert_eq!(found, [root().join("chorde-core/src/clients/inproc/locks.rs")]);
}

/// The companions that a file of chorde-core declares, each with its documentation.
fn declared(file: &str) -> HashMap<String, String> {
    let source = read(root().join("chorde-core/src/function").join(file));
    let (mut found, mut doc) = (HashMap::new(), String::new());
    for line in source.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            doc.push_str(if more.is_empty() { "\n" } else { more.trim_start() });
            doc.push(' ');
        } else if !line.starts_with("#[") {
            let name: String = line.trim_start_matches("pub fn ").chars().take_while(|c| is_of_a_name(*c)).collect();
            let rest = line.trim_start_matches("pub fn ").trim_start_matches(&name);
            let is_row = line.ends_with(';') && rest.contains(" -> ") && rest.starts_with([' ']);
            if (is_row || line.starts_with("pub fn ")) && !doc.is_empty() && !name.is_empty() {
                found.insert(name, without_links(&doc));
            }
            doc.clear();
        }
    }
    found
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A text with its links replaced by their names, and paragraphs that are each one line.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    for part in text.split("](") {
        let is_first = plain.is_empty();
        plain.push_str(if is_first { part } else { part.split_once(')').unwrap().1 });
    }
    let plain = plain.replace("[`", "`").replace("[report", "report");
    plain.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The list of chorde-macros: name, documentation, and whether only plain functions have it.
fn listed() -> Vec<(String, String, bool)> {
    let source = read(root().join("chorde-macros/src/expand/list.rs"));
    let list = source.split("pub(crate) const LIST").nth(1).unwrap();
    // A text goes on after a line that ends in a backslash.
    let list = list.split("\\\n").enumerate().map(|(at, part)| if at == 0 { part } else { part.trim_start() });
    let list = list.collect::<String>().replace("\\n", "\n");
    let marked = list.replace("both(", "\u{1}both(").replace("plain(", "\u{1}plain(");
    let row = |row: &str| {
        let texts: Vec<&str> = row.split('"').skip(1).step_by(2).collect();
        assert_eq!(texts.len(), 2, "{row}");
        (texts[0].to_owned(), without_links(texts[1]), row.starts_with("plain("))
    };
    marked.split('\u{1}').skip(1).map(row).collect()
}

#[test]
fn the_companions_of_both_forms_are_those_of_one_list() {
    let whole = declared("companions.rs");
    for (file, is_async) in [("companions/plain.rs", false), ("companions/asynchronous.rs", true)] {
        let mut here = declared(file);
        here.extend(whole.clone());
        let uncached = here.remove("uncached").expect("a companion of all");
        assert!(read(root().join("chorde-macros/src/expand/docs.rs")).contains(&uncached));
        let listed = listed().into_iter().filter(|(_, _, is_plain_only)| !(is_async && *is_plain_only));
        for (name, doc, _) in listed {
            assert_eq!(here.remove(&name).as_ref(), Some(&doc), "`{name}` in {file} and in the list of chorde-macros");
        }
        assert!(here.is_empty(), "{file} has companions that the list has not: {here:?}");
    }
}
