//! `model show`, `model status`, `model versions`.

use std::process::ExitCode;

use crate::cli::client::answered;
use crate::cli::output;
use crate::cli::query::QueryArgs;
use crate::grpc::v1;

/// Maximum number of versions listed.
const MAX_VERSIONS: i32 = 100;

pub(super) async fn file(version: Option<i64>, query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let request = v1::GetModelRequest {
        version: version.unwrap_or_default(),
    };
    let answer = answered(client.models().get_model(client.request(request)?).await)?;
    query.print("GetModelResponse", &answer, |answer| {
        let file = answer.model.as_ref().map(|model| model.file.clone());
        Ok(file.unwrap_or_default())
    })
}

pub(super) async fn status(query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let request = v1::GetModelRequest { version: 0 };
    let answer = answered(client.models().get_model(client.request(request)?).await)?;
    query.print("GetModelResponse", &answer, |answer| {
        Ok(status_shown(answer))
    })
}

fn status_shown(answer: &v1::GetModelResponse) -> String {
    let version = answer.model.as_ref().map_or(0, |model| model.version);
    if answer.expression_failures.is_empty() {
        return format!("version {version}: no expression failed");
    }
    let mut table = output::table(&["expression", "failed", "elements left out", "first reason"]);
    for failure in &answer.expression_failures {
        table.add_row([
            failure.path.clone(),
            failure.failure_count.to_string(),
            failure.left_out_count.to_string(),
            output::plain(&failure.reason),
        ]);
    }
    format!(
        "version {version}: expressions that failed on values, since this server read the model\n\n{}",
        output::lines(&table)
    )
}

pub(super) async fn versions(query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let request = v1::ListModelVersionsRequest {
        page_size: MAX_VERSIONS,
        page_token: String::new(),
    };
    let answer = answered(
        client
            .models()
            .list_model_versions(client.request(request)?)
            .await,
    )?;
    query.print("ListModelVersionsResponse", &answer, |answer| {
        Ok(versions_shown(answer))
    })
}

fn versions_shown(answer: &v1::ListModelVersionsResponse) -> String {
    let mut table = output::table(&["version", "stored", "active since", "weights", "note"]);
    for model in &answer.models {
        let since = model
            .activate_time
            .as_ref()
            .map(output::time)
            .unwrap_or_default();
        let since = if model.in_force {
            format!("{since}, now")
        } else {
            since
        };
        let weights = match model.weights_origin() {
            v1::WeightsOrigin::Shipped => "shipped",
            v1::WeightsOrigin::Trained => "trained",
            v1::WeightsOrigin::LearnedFrequencies => "learned frequencies",
            v1::WeightsOrigin::Unspecified => "",
        };
        let stored = model
            .create_time
            .as_ref()
            .map(output::time)
            .unwrap_or_default();
        table.add_row([
            model.version.to_string(),
            stored,
            since,
            weights.to_owned(),
            output::plain(&model.note),
        ]);
    }
    output::lines(&table)
}
