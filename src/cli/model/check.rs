//! `model check`.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use profile_core::model::Model;

use crate::active_models::ModelFile;
use crate::cli::output::{self, Format};

pub(super) fn run(file: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (model, errors) = match ModelFile::parse(&text) {
        Ok(file) => (file.model, Vec::new()),
        Err(errors) => (Arc::default(), errors),
    };
    match format {
        Format::Json => output::print(&serde_json::to_string_pretty(
            &serde_json::json!({ "errors": errors }),
        )?)?,
        Format::Table if errors.is_empty() => {
            let Model {
                sources,
                identifiers,
                traits,
                channels,
                purposes,
                publications,
                ..
            } = model.as_ref();
            let (sources, identifiers, traits) = (sources.len(), identifiers.len(), traits.len());
            let mut found =
                format!("{sources} sources, {identifiers} identifier types, {traits} traits");
            let more = [
                (channels.len(), "channels"),
                (purposes.len(), "purposes"),
                (publications.len(), "publications"),
            ];
            for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
                write!(found, ", {count} {what}")?;
            }
            output::print(&format!("{}: no mistakes: {found}", file.display()))?;
        }
        Format::Table => {
            for error in &errors {
                output::print(&format!("{}:{error}", file.display()))?;
            }
        }
    }
    Ok(if errors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
