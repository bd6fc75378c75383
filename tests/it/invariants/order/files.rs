//! Folders of real files, as statements.
//!
//! A folder is a labelled set, whose `records.csv` is read by the model of the identity benchmark,
//! or has the files of `examples/retail` and a model of its own.

use std::path::{Path, PathBuf};

use customer_profile::sources::files::{FileReader, Options, Position};
use profile_core::model::Model;
use profile_core::records::{ContentHash, Draft};
use serde_json::Value as Json;

/// The model of labelled sets.
const LABELLED: &str = include_str!("../../../../benches/identity/model.yaml");
/// The model of the sample.
const SAMPLE: &str = include_str!("../../../../examples/retail/model.yaml");

/// Source, kind and name of each file of the sample.
const FILES: [(&str, &str, &str); 7] = [
    ("web", "customers", "web.csv"),
    ("pos", "customers", "pos.csv"),
    ("loyalty", "customers", "loyalty.csv"),
    ("callcentre", "customers", "callcentre.csv"),
    ("newsletter", "subscribers", "newsletter.csv"),
    ("web", "orders", "orders.csv"),
    ("helpdesk", "conversations", "conversations.ndjson"),
];

/// The statements of a folder.
pub(super) struct Files {
    pub(super) name: String,
    /// The model file.
    pub(super) model: String,
    pub(super) drafts: Vec<Draft>,
}

impl Files {
    /// Those that are named in `CUSTOMER_PROFILE_TEST_SETS`, divided by colons; else a part of the
    /// sample.
    pub(super) fn all() -> Vec<Self> {
        let Ok(folders) = std::env::var("CUSTOMER_PROFILE_TEST_SETS") else {
            return vec![Self::part_of_the_sample()];
        };
        let folders = folders.split(':').filter(|folder| !folder.is_empty());
        folders
            .map(|folder| Self::read(Path::new(folder)))
            .collect()
    }

    fn read(folder: &Path) -> Self {
        if folder.join("records.csv").exists() {
            let file = folder.join("records.csv");
            return Self::of(folder, LABELLED, &[("set", "rows", file)], |_| true);
        }
        let files = FILES.map(|(source, kind, name)| (source, kind, folder.join(name)));
        Self::of(folder, SAMPLE, &files, |_| true)
    }

    /// Families of which the names begin alike, so that they are whole, and subscribers.
    fn part_of_the_sample() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/retail");
        let part = |row: &Json| {
            let text = |name: &str| row.get(name).and_then(Json::as_str).unwrap_or_default();
            let begins = |text: &str| text.to_lowercase().starts_with(['b', 'r']);
            begins(text("last_name")) || (text("last_name").is_empty() && begins(text("email")))
        };
        let files = FILES[..5].iter();
        let files: Vec<_> = files
            .map(|(source, kind, name)| (*source, *kind, folder.join(name)))
            .collect();
        Self::of(&folder, SAMPLE, &files, part)
    }

    fn of(
        folder: &Path,
        model: &str,
        files: &[(&str, &str, PathBuf)],
        part: impl Fn(&Json) -> bool,
    ) -> Self {
        let compiled = Model::parse(model).expect("a model");
        let mut drafts: Vec<Draft> = Vec::new();
        for (source, kind, file) in files {
            let rows =
                FileReader::open(file, &Options::default(), Position::START).expect("a file");
            for row in rows {
                let payload = row.expect("a row").payload.expect("a payload");
                if part(&payload) {
                    let said = compiled.map(source, kind, &payload);
                    drafts.extend(said.expect("statements"));
                }
            }
        }
        Self {
            name: folder.display().to_string(),
            model: model.to_owned(),
            drafts,
        }
    }

    /// The model with other thresholds and another rule for a trait.
    pub(super) fn other_model(&self) -> String {
        let changed = self
            .model
            .replacen("given_name: { keep: most_frequent, ", "given_name: { ", 1)
            .replacen("given_name: { ", "given_name: { keep: longest, ", 1);
        let changed = if changed.contains("\nmatching:") {
            changed.replacen("link_probability: 0.95", "link_probability: 0.6", 1)
        } else {
            format!("{changed}\nmatching: {{ link_probability: 0.6 }}\n")
        };
        let both = changed.contains("keep: longest, ") && changed.contains("link_probability: 0.6");
        assert!(both, "the model is not changed");
        changed
    }

    /// The statements in another order.
    pub(super) fn shuffled(&self, seed: u64) -> Vec<Draft> {
        let numbered = self.drafts.iter().enumerate();
        let mut keyed: Vec<(ContentHash, &Draft)> = numbered
            .map(|(number, draft)| (ContentHash::of(&(seed, number)), draft))
            .collect();
        keyed.sort_by_key(|(place, _)| *place);
        keyed.into_iter().map(|(_, draft)| draft.clone()).collect()
    }
}
