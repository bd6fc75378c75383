//! `model events`: what may be said of events.

use anyhow::Context;

use crate::cli::client::{Client, ServerArgs, refused};
use crate::cli::output::{self, Format};
use crate::grpc::v1;

/// How many types are asked for at a time.
const PAGE: i32 = 500;

pub(super) async fn run(
    kind: Option<&str>,
    format: Format,
    server: &ServerArgs,
) -> anyhow::Result<()> {
    let mut event_types = all(server).await?;
    if let Some(kind) = kind {
        event_types.retain(|known| known.name == kind);
        let known = event_types
            .first()
            .with_context(|| format!("the model has no event type `{kind}`"))?;
        return match format {
            Format::Json => output::print_json("EventType", known),
            Format::Table => output::print(&one(known)),
        };
    }
    match format {
        Format::Json => {
            let answer = v1::ListEventTypesResponse {
                event_types,
                ..v1::ListEventTypesResponse::default()
            };
            output::print_json("ListEventTypesResponse", &answer)
        }
        Format::Table => output::print(&list(&event_types)),
    }
}

async fn all(server: &ServerArgs) -> anyhow::Result<Vec<v1::EventType>> {
    let client = Client::connect(&server.server, &server.tenant.tenant).await?;
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListEventTypesRequest {
            page_size: PAGE,
            page_token,
        };
        let answer = client
            .models()
            .list_event_types(client.request(request)?)
            .await;
        let answer = answer.map_err(|status| refused(&status))?.into_inner();
        all.extend(answer.event_types);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

fn list(event_types: &[v1::EventType]) -> String {
    let mut table = output::table(&["type", "object", "status", "from", "description"]);
    for kind in event_types {
        let object = kind
            .object
            .as_ref()
            .map(|object| object.kind.as_str())
            .unwrap_or_default();
        let from = if kind.built_in { "built in" } else { "model" };
        table.add_row(
            [&kind.name, object, &kind.status, from, &kind.description].map(output::plain),
        );
    }
    output::lines(&table)
}

fn one(kind: &v1::EventType) -> String {
    let mut table = output::table(&["property", "type", "says", "description"]);
    let object = kind
        .object
        .iter()
        .map(|object| (&object.property, format!("id of the {}", object.kind)));
    let related = kind
        .relates
        .iter()
        .map(|object| (&object.property, format!("id of a related {}", object.kind)));
    let words = [
        (&kind.status_property, "status".to_owned()),
        (&kind.channel_property, "channel".to_owned()),
    ];
    let says: Vec<(&String, String)> = object.chain(related).chain(words).collect();
    for property in &kind.properties {
        let said = says
            .iter()
            .find(|(name, _)| **name == property.name)
            .map(|(_, said)| said.as_str());
        let row: [&str; 4] = [
            &property.name,
            &form(property),
            said.unwrap_or_default(),
            &property.description,
        ];
        table.add_row(row.map(output::plain));
        let inner = property
            .element
            .as_ref()
            .map_or(&property.properties, |element| &element.properties);
        for entry in inner {
            let name = format!("  .{}", entry.name);
            let row: [&str; 4] = [&name, &form(entry), "", &entry.description];
            table.add_row(row.map(output::plain));
        }
    }
    format!(
        "{}\n\n{}",
        output::plain(&kind.description),
        output::lines(&table)
    )
}

fn form(property: &v1::EventProperty) -> String {
    let name = property
        .r#type()
        .as_str_name()
        .trim_start_matches("EVENT_PROPERTY_TYPE_")
        .to_lowercase();
    match (&property.element, property.one_of.as_slice()) {
        (Some(element), _) => format!("{name} of {}", form(element)),
        (None, []) => name,
        (None, texts) => texts.join(" | "),
    }
}
