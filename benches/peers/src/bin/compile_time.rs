//! What a cached function costs the compiler: crates of 200 functions of four signatures, plain, cached by chorde, cached by
//! `cached`.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const FUNCTIONS: usize = 200;
const ROUNDS: usize = 3;

/// Arguments, result and body, in turn.
const SIGNATURES: [(&str, &str, &str); 4] = [
    ("x: u64, name: String", "String", "format!(\"{x}{name}\")"),
    ("x: u32", "u64", "u64::from(x)"),
    ("text: String", "Vec<u8>", "text.into_bytes()"),
    ("x: i64, flag: bool", "Option<String>", "flag.then(|| x.to_string())"),
];

type Outcome<T> = Result<T, Box<dyn Error>>;

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
const SUBJECTS: [Subject; 6] = [
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

fn write(subject: &Subject, folder: &Path) -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"subject_{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         chorde = {{ path = {:?} }}\ncached = {{ version = \"4.1.0\", features = [\"async\"] }}\n",
        subject.name,
        root.canonicalize()?
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let mut source = format!("{}\n", subject.head);
    let Subject { attribute, qualifiers, around: (before, after), receiver, .. } = subject;
    writeln!(source, "{before}")?;
    for number in 0..FUNCTIONS {
        let (arguments, result, body) = SIGNATURES[number % SIGNATURES.len()];
        writeln!(source, "{attribute}\npub {qualifiers} fn f{number}({receiver}{arguments}) -> {result} {{ {body} }}")?;
    }
    writeln!(source, "{after}")?;
    fs::write(folder.join("src/lib.rs"), source)?;
    Ok(())
}

/// Compiles the crate alone, everything below it being compiled; returns seconds.
fn compile(folder: &Path, target: &Path, arguments: &[&str]) -> Outcome<f64> {
    let source = folder.join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    fs::write(&source, format!("{text}\n"))?;
    let began = Instant::now();
    let status = Command::new(env!("CARGO"))
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

fn main() -> Outcome<()> {
    let base: PathBuf = std::env::temp_dir().join(format!("chorde-compile-time-{}", std::process::id()));
    let target = base.join("target");
    println!("milliseconds per function over plain ones: {FUNCTIONS} functions, best of {ROUNDS} interleaved rounds");
    for arguments in [&["check"][..], &["build"], &["build", "--release"]] {
        let mut best = [f64::MAX; SUBJECTS.len()];
        for round in 0..=ROUNDS {
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
        println!("cargo {}: plain crate {:.2} s", arguments.join(" "), best[0]);
        for (subject, seconds) in SUBJECTS.iter().zip(best).skip(1) {
            println!("  {:20}{:7.1}", subject.name, (seconds - best[0]) * 1000.0 / FUNCTIONS as f64);
        }
    }
    fs::remove_dir_all(base)?;
    Ok(())
}
