//! A labelled set: a folder with `records.csv`, `truth.csv` (`record_id`, `cluster_id`, …) and a
//! `README.md`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use customer_profile::sources::files::{FileReader, Options, Position};
use serde_json::Value as Json;

use crate::measure::{Figures, Placed, measure};

/// What the README of a set says when pairs within one source tell nothing.
const ACROSS: &str = "cross-source pairs only";

/// A labelled set.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) records: PathBuf,
    /// The rows, as they are imported.
    pub(crate) rows: Vec<Json>,
    ids: Vec<String>,
    sources: Vec<String>,
    truth: HashMap<String, String>,
    across: bool,
}

impl Set {
    /// Reads a set.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let records = folder.join("records.csv");
        let rows = rows(&records)?;
        let truth = clusters_by_id(&self::rows(&folder.join("truth.csv"))?)?;
        let ids = rows
            .iter()
            .map(|row| text(row, "record_id"))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(id) = ids.iter().find(|id| !truth.contains_key(*id)) {
            return Err(anyhow!(
                "{}: the truth does not tell of the record {id}",
                folder.display()
            ));
        }
        let sources = rows
            .iter()
            .map(|row| text(row, "source").unwrap_or_default())
            .collect();
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        Ok(Self {
            name,
            records,
            rows,
            ids,
            sources,
            truth,
            across: readme.contains(ACROSS),
        })
    }

    /// The keys of the records, in order of rows.
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// How right a partition is: the cluster of each row, in their order.
    pub(crate) fn measure(&self, clusters: &[String]) -> Figures {
        let placed = self.ids.iter().zip(clusters).zip(&self.sources);
        let placed: Vec<Placed<'_>> = placed
            .map(|((id, found), source)| Placed {
                found,
                truth: &self.truth[id],
                source,
            })
            .collect();
        measure(&placed, self.across)
    }
}

fn rows(file: &Path) -> anyhow::Result<Vec<Json>> {
    let reader = FileReader::open(file, &Options::default(), Position::START)
        .with_context(|| file.display().to_string())?;
    let rows = reader.map(|row| {
        let row = row.with_context(|| file.display().to_string())?;
        row.payload
            .map_err(|violation| anyhow!("{}:{}: {violation}", file.display(), row.line))
    });
    rows.collect()
}

fn clusters_by_id(rows: &[Json]) -> anyhow::Result<HashMap<String, String>> {
    rows.iter()
        .map(|row| Ok((text(row, "record_id")?, text(row, "cluster_id")?)))
        .collect()
}

fn text(row: &Json, column: &str) -> anyhow::Result<String> {
    let value = row.get(column).and_then(Json::as_str);
    value
        .map(str::to_owned)
        .ok_or_else(|| anyhow!("a row has no `{column}`"))
}
