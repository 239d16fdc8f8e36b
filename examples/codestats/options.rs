//! The command line, and the files that it means.

use std::env;
use std::path::{Path, PathBuf};

const USAGE: &str = "\
usage: codestats [--files N] [--passes N] [--memcached SERVER] [FOLDER ...]

Counts the items, functions and unsafe blocks of the .rs files below the folders,
several times over, through a cached function.

  --files N    at most N files, chosen at random (default 3000)
  --passes N   go through all files N times (default 4)
  --memcached HOST:PORT
               keep the counts on this server, where the next run finds them;
               `own` starts a server for this run
  FOLDER ...   where to look (default: this workspace, and what cargo has downloaded)";

pub(crate) struct Options {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) passes: usize,
    pub(crate) memcached: Option<String>,
}

impl Options {
    /// Reads the arguments; the error is a text for the terminal.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut most, mut passes, mut memcached, mut folders) = (3000, 4, None, Vec::new());
        while let Some(arg) = args.next() {
            if arg == "--memcached" {
                memcached = Some(args.next().ok_or_else(|| format!("{arg} needs a server\n\n{USAGE}"))?);
                continue;
            }
            let mut number = || {
                let number = args.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
                number.ok_or_else(|| format!("{arg} needs a number above 0\n\n{USAGE}"))
            };
            match arg.as_str() {
                "--files" => most = number()?,
                "--passes" => passes = number()?,
                "--help" | "-h" => return Err(USAGE.into()),
                option if option.starts_with('-') => return Err(format!("unknown option {option}\n\n{USAGE}")),
                folder => folders.push(PathBuf::from(folder)),
            }
        }
        if let Some(missing) = folders.iter().find(|folder| !folder.is_dir()) {
            return Err(format!("{} is no folder\n\n{USAGE}", missing.display()));
        }
        if folders.is_empty() {
            folders = default_folders();
        }
        let mut files: Vec<PathBuf> = folders.iter().flat_map(|folder| sources(folder)).collect();
        fastrand::shuffle(&mut files);
        files.truncate(most);
        if files.is_empty() { Err("no .rs files there".into()) } else { Ok(Self { files, passes, memcached }) }
    }
}

/// This workspace, and the sources of crates where cargo keeps them, if it does.
fn default_folders() -> Vec<PathBuf> {
    let home = env::home_dir().map(|home| home.join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let registry = cargo.map(|cargo| cargo.join("registry/src")).filter(|sources| sources.is_dir());
    [Some(PathBuf::from(env!("CARGO_MANIFEST_DIR"))), registry].into_iter().flatten().collect()
}

/// Finds the `.rs` files below a folder, outside of `target` and of hidden folders. What cannot be read is passed over.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(entries) = folders.pop().map(std::fs::read_dir) {
        for entry in entries.into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
