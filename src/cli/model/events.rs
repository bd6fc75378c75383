//! `model events`: event types and their properties.

use std::process::ExitCode;

use anyhow::Context;

use crate::cli::client::answered;
use crate::cli::output;
use crate::cli::query::QueryArgs;
use crate::grpc::v1;

/// Page size of a request.
const PAGE: i32 = 500;

pub(super) async fn run(kind: Option<&str>, query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let mut event_types = all(query).await?;
    if let Some(kind) = kind {
        event_types.retain(|known| known.name == kind);
        let known = event_types
            .first()
            .with_context(|| format!("the model has no event type `{kind}`"))?;
        return query.print("EventType", known, |known| Ok(one(known)));
    }
    let answer = v1::ListEventTypesResponse {
        event_types,
        ..v1::ListEventTypesResponse::default()
    };
    query.print("ListEventTypesResponse", &answer, |answer| {
        Ok(list(&answer.event_types))
    })
}

async fn all(query: &QueryArgs) -> anyhow::Result<Vec<v1::EventType>> {
    let client = query.connect().await?;
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListEventTypesRequest {
            page_size: PAGE,
            page_token,
        };
        let answer = answered(
            client
                .models()
                .list_event_types(client.request(request)?)
                .await,
        )?;
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
    let mut table = output::table(&["property", "type", "role", "description"]);
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
