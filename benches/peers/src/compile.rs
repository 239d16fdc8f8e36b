//! What a cached function costs the compiler: crates of 200 functions of four signatures, plain, cached by chorde, cached by
//! `cached`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::measure::{Outcome, Wanted, figure, print};

const FUNCTIONS: usize = 200;
const ROUNDS: usize = 3;
const COMMANDS: [&[&str]; 3] = [&["check"], &["build"], &["build", "--release"]];

/// Arguments, result and body, in turn.
const SIGNATURES: [(&str, &str, &str); 4] = [
    ("x: u64, name: String", "String", "format!(\"{x}{name}\")"),
    ("x: u32", "u64", "u64::from(x)"),
    ("text: String", "Vec<u8>", "text.into_bytes()"),
    ("x: i64, flag: bool", "Option<String>", "flag.then(|| x.to_string())"),
];

struct Subject {
    name: &'static str,
    head: &'static str,
    attribute: &'static str,
    /// What comes before `fn`.
    qualifiers: &'static str,
    /// What comes before the first function and after the last.
    around: (&'static str, &'static str),
    receiver: &'static str,
}

const OURS: &str = "use chorde::prelude::*; use std::sync::LazyLock; \
    static CACHE: LazyLock<chorde::InprocClient> = LazyLock::new(|| chorde::InprocClient::new(1000));";
static SUBJECTS: [Subject; 6] = [
    Subject { name: "plain", head: "", attribute: "", ..PLAIN },
    Subject { name: "chorde", head: OURS, attribute: "#[cached(client = CACHE, ttl = 300)]", ..PLAIN },
    Subject {
        name: "cached",
        head: "use cached::macros::cached;",
        attribute: "#[cached(max_size = 1000, ttl_secs = 300)]",
        ..PLAIN
    },
    Subject {
        name: "chorde_async",
        head: OURS,
        attribute: "#[cached(client = CACHE, ttl = 300)]",
        qualifiers: "async",
        ..PLAIN
    },
    Subject {
        name: "cached_async",
        head: "use cached::macros::cached;",
        attribute: "#[cached(max_size = 1000, ttl_secs = 300)]",
        qualifiers: "async",
        ..PLAIN
    },
    Subject {
        name: "chorde_methods",
        head: OURS,
        attribute: "#[cached(client = CACHE, ttl = 300, skip(self))]",
        around: ("#[derive(Clone)] pub struct Handle; impl Handle {", "}"),
        receiver: "&self, ",
        ..PLAIN
    },
];
const PLAIN: Subject = Subject { name: "", head: "", attribute: "", qualifiers: "", around: ("", ""), receiver: "" };

fn write(subject: &Subject, folder: &Path) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let dependencies =
        format!("chorde = {{ path = {root:?} }}\ncached = {{ version = \"4.1.0\", features = [\"async\"] }}");
    write_crate(folder, &dependencies, &source(subject, FUNCTIONS)?)
}

fn write_crate(folder: &Path, dependencies: &str, source: &str) -> Outcome {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().replace([',', ' '], "");
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"subject_{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         {dependencies}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), source)?;
    Ok(())
}

fn source(subject: &Subject, functions: usize) -> Outcome<String> {
    let mut source = format!("{}\n", subject.head);
    let Subject { attribute, qualifiers, around: (before, after), receiver, .. } = subject;
    writeln!(source, "{before}")?;
    for number in 0..functions {
        let (arguments, result, body) = SIGNATURES[number % SIGNATURES.len()];
        writeln!(source, "{attribute}\npub {qualifiers} fn f{number}({receiver}{arguments}) -> {result} {{ {body} }}")?;
    }
    writeln!(source, "{after}")?;
    Ok(source)
}

/// Compiles the crate alone, everything below it being compiled; returns seconds.
fn compile(folder: &Path, target: &Path, arguments: &[&str]) -> Outcome<f64> {
    let source = folder.join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    fs::write(&source, format!("{text}\n"))?;
    let began = Instant::now();
    let status = Command::new("cargo")
        .args(arguments)
        .arg("--quiet")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0")
        .status()?;
    if !status.success() {
        return Err(format!("cargo {arguments:?} failed in {}", folder.display()).into());
    }
    Ok(began.elapsed().as_secs_f64())
}

pub fn run(wanted: &Wanted) -> Outcome {
    let base = std::env::temp_dir().join(format!("chorde-compile-time-{}", std::process::id()));
    let outcome = measure(wanted, &base);
    // What is left of it does no harm.
    _ = fs::remove_dir_all(base);
    outcome
}

fn measure(wanted: &Wanted, base: &Path) -> Outcome {
    minimal(base)?;
    let target = base.join("target");
    let rounds = wanted.rounds.unwrap_or(ROUNDS);
    println!("\nMilliseconds for each of {FUNCTIONS} functions over plain ones: best of {rounds} interleaved rounds\n");
    let mut table = vec![
        std::iter::once(String::new()).chain(COMMANDS.map(|command| format!("cargo {}", command.join(" ")))).collect(),
    ];
    let mut columns = Vec::new();
    for arguments in COMMANDS {
        let mut best = [f64::MAX; SUBJECTS.len()];
        for round in 0..=rounds {
            for (subject, best) in SUBJECTS.iter().zip(&mut best) {
                let folder = base.join(subject.name);
                write(subject, &folder)?;
                let seconds = compile(&folder, &target, arguments)?;
                // The first round compiles the dependencies.
                if round > 0 {
                    *best = best.min(seconds);
                }
            }
        }
        columns.push(best);
    }
    for (index, subject) in SUBJECTS.iter().enumerate().skip(1) {
        let per_function = |best: &[f64; SUBJECTS.len()]| figure((best[index] - best[0]) * 1000.0 / FUNCTIONS as f64);
        table.push(std::iter::once(subject.name.to_owned()).chain(columns.iter().map(per_function)).collect());
    }
    print(&table);
    Ok(())
}

/// Crates of one cached function: how long all is built from nothing, and how many crates that takes.
fn minimal(base: &Path) -> Outcome {
    println!("\nA crate with one cached function, built from nothing\n");
    let mut table = vec![["", "crates", "cargo build, s", "cargo build --release, s"].map(str::to_owned).to_vec()];
    for (name, dependency, subject) in minimal_crates()? {
        let folder = base.join(format!("minimal-{name}"));
        write_crate(&folder, &dependency, &source(subject, 1)?)?;
        let mut row = vec![name.to_owned(), crates(&folder)?.to_string()];
        for arguments in [&["build"][..], &["build", "--release"]] {
            let target = base.join("minimal-target");
            row.push(figure(compile(&folder, &target, arguments)?));
            fs::remove_dir_all(target)?;
        }
        table.push(row);
    }
    print(&table);
    Ok(())
}

/// The names, what goes into the manifest, and what is written.
fn minimal_crates() -> Outcome<[(&'static str, String, &'static Subject); 3]> {
    let of = |name: &str| SUBJECTS.iter().find(|subject| subject.name == name).ok_or("no such subject");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    Ok([
        ("chorde", format!("chorde = {{ path = {root:?} }}"), of("chorde")?),
        ("cached", "cached = \"4.1.0\"".to_owned(), of("cached")?),
        ("cached, feature async", "cached = { version = \"4.1.0\", features = [\"async\"] }".to_owned(), of("cached")?),
    ])
}

/// Counts the crates that are compiled for one, itself not counted.
fn crates(folder: &Path) -> Outcome<usize> {
    let tree = Command::new("cargo")
        .args(["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"])
        .current_dir(folder)
        .output()?;
    let text = String::from_utf8(tree.stdout)?;
    let crates: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (proc-macro)")).collect();
    Ok(crates.len().saturating_sub(1))
}
