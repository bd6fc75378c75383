//! Splink on the same set, in the same run: installed by pip into a folder of its own, pinned.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::set::Set;

const REQUIREMENTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/identity/requirements.txt"
);
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/identity/run_splink.py"
);
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/splink");

/// An installed Splink.
pub(crate) struct Splink {
    python: PathBuf,
}

impl Splink {
    /// Installs it, unless what is wanted is there.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let home = Path::new(HOME);
        let python = home.join("bin/python");
        let (wanted, marker) = (
            std::fs::read_to_string(REQUIREMENTS)?,
            home.join("installed"),
        );
        if std::fs::read_to_string(&marker).ok().as_deref() != Some(&wanted) {
            eprintln!("installing Splink into {HOME}");
            run(Command::new("python3").args(["-m", "venv", "--clear", HOME]))?;
            let install = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
                REQUIREMENTS,
            ];
            run(Command::new(&python).args(install))?;
            std::fs::write(marker, wanted)?;
        }
        Ok(Self { python })
    }

    /// The cluster of each record of a set, and how long it took from the file to the clusters.
    pub(crate) fn resolve(&self, set: &Set) -> anyhow::Result<(Vec<String>, Duration)> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("clusters.csv");
        let told = run(Command::new(&self.python)
            .arg(SCRIPT)
            .arg(&set.records)
            .arg(&file))?;
        let seconds: f64 = told
            .trim()
            .parse()
            .with_context(|| format!("seconds were expected, not {told}"))?;
        let mut clusters = HashMap::new();
        for row in csv::Reader::from_path(&file)?.deserialize() {
            let (record, cluster): (String, String) = row?;
            clusters.insert(record, cluster);
        }
        let found = set
            .ids()
            .iter()
            .map(|id| clusters.get(id).unwrap_or(id).clone());
        Ok((found.collect(), Duration::from_secs_f64(seconds)))
    }
}

/// Runs a program to its end; answers with what it printed.
fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
