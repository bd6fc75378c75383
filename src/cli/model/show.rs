//! `model show`, `model versions`.

use crate::cli::client::{Client, ServerArgs, refused};
use crate::cli::output::{self, Format};
use crate::grpc::v1;

/// How many versions are listed.
const MAX_VERSIONS: i32 = 100;

pub(super) async fn file(
    version: Option<i64>,
    format: Format,
    server: &ServerArgs,
) -> anyhow::Result<()> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let request = v1::GetModelRequest {
        version: version.unwrap_or_default(),
    };
    let answer = client.models().get_model(client.request(request)?).await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    match format {
        Format::Json => output::print_json("GetModelResponse", &answer),
        Format::Table => output::print(&answer.model.unwrap_or_default().file),
    }
}

pub(super) async fn versions(format: Format, server: &ServerArgs) -> anyhow::Result<()> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let request = v1::ListModelVersionsRequest {
        page_size: MAX_VERSIONS,
        page_token: String::new(),
    };
    let answer = client
        .models()
        .list_model_versions(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    if format == Format::Json {
        return output::print_json("ListModelVersionsResponse", &answer);
    }
    let mut table = output::table(&["version", "stored", "in force since", "weights", "note"]);
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
    output::print(&output::lines(&table))
}
