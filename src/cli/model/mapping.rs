//! `model test-mapping`: what a mapping makes of a payload.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::active_models::ModelFile;
use crate::cli::client::answered;
use crate::cli::output;
use crate::cli::query::QueryArgs;
use crate::clock::{Clock, SystemClock};
use crate::grpc::{note_reason_name, tested_mapping, v1};

/// Name of the message that is printed as JSON.
const ANSWER: &str = "TestMappingResponse";

pub(super) async fn test(
    payload: &Path,
    (source, kind): (String, String),
    model: Option<&Path>,
    query: &QueryArgs,
) -> anyhow::Result<ExitCode> {
    let payload = std::fs::read(payload).with_context(|| payload.display().to_string())?;
    let answer = if let Some(file) = model {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let model = match ModelFile::parse(&text) {
            Ok(file) => file.model,
            Err(errors) => {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                bail!("{} has mistakes: {}", file.display(), errors.join("; "));
            }
        };
        if let Err(violation) = model.check_mapping(&source, &kind) {
            bail!("{violation}");
        }
        tested_mapping(&model, (&source, &kind), &payload, SystemClock.now())
    } else {
        let client = query.connect().await?;
        let request = client.request(v1::TestMappingRequest {
            source,
            kind,
            payload: payload.into(),
        })?;
        answered(client.models().test_mapping(request).await)?
    };
    query.print(ANSWER, &answer, |answer| Ok(shown(answer)))?;
    let is_refused = !answer.violations.is_empty()
        || answer
            .statements
            .iter()
            .any(|made| !made.violations.is_empty());
    Ok(if is_refused {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The statements, each followed by what is to be said of it, and what is not said.
fn shown(answer: &v1::TestMappingResponse) -> String {
    let mut lines: Vec<String> = Vec::new();
    for made in &answer.statements {
        let statement = made.statement.clone().unwrap_or_default();
        match output::json("Statement", &statement) {
            Ok(json) => lines.push(json),
            Err(error) => lines.push(format!("  not shown: {error}")),
        }
        lines.extend(made.violations.iter().map(refused));
        lines.extend(made.notes.iter().map(|note| {
            let reason = note_reason_name(note.reason());
            let (field, why) = (output::plain(&note.field), output::plain(&note.description));
            format!("  not used as it is said ({reason}), {field}: {why}")
        }));
        if made.omitted_note_count > 0 {
            lines.push(format!("  {} more notes", made.omitted_note_count));
        }
    }
    lines.extend(answer.violations.iter().map(refused));
    lines.extend(answer.omissions.iter().map(|omission| {
        let (field, why) = (
            output::plain(&omission.field),
            output::plain(&omission.reason),
        );
        format!("left out, {field}: {why}")
    }));
    if !answer.unread_fields.is_empty() {
        let names: Vec<_> = answer
            .unread_fields
            .iter()
            .map(|name| output::plain(name))
            .collect();
        lines.push(format!("fields that are not read: {}", names.join(", ")));
    }
    if answer.statements.is_empty() {
        lines.push("no statements".to_owned());
    }
    lines.join("\n")
}

fn refused(violation: &v1::Violation) -> String {
    let (field, why) = (
        output::plain(&violation.field),
        output::plain(&violation.description),
    );
    format!("  refused, {field}: {why}")
}
