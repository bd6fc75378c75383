use crate::model::Model;
use crate::model::event::{Origin, PropertyKind};

fn parse(events: &str) -> Result<Model, String> {
    let model = Model::parse(&format!("sources: {{ shop: }}\nevents:\n{events}"));
    model.map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

#[test]
fn every_built_in_type_and_property_is_described() {
    for (name, kind) in super::built_in() {
        assert!(kind.description.ends_with('.'), "{name}");
        for (property, known) in &kind.properties {
            let wanted = property == "tags" || known.description.ends_with('.');
            assert!(wanted, "{name}.{property}");
        }
    }
}

#[test]
fn the_built_in_types_are_states_of_these_objects() {
    let mut kinds: Vec<&str> = super::built_in()
        .values()
        .filter_map(|kind| kind.object.as_ref())
        .map(|object| object.kind.as_str())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    insta::assert_snapshot!(kinds.join(" "), @"appointment call cart conversation loyalty_account note offer order payment refund return shipment subscription survey_response");
}

#[test]
fn a_type_begins_with_what_it_extends_and_adds_its_own() {
    let model = parse(
        "  customs_cleared: { extends: customs_checked, status: cleared }\n\
         \x20 customs_checked: { extends: shipment_updated, properties: { duty: money, status: { type: text, one_of: [ok] } } }\n\
         \x20 order_placed: { extends: order_placed, relates: { gift: gift_id }, properties: { gift_id: id } }\n",
    )
    .expect("a model");
    let cleared = &model.events["customs_cleared"];
    assert_eq!(
        cleared
            .object
            .as_ref()
            .map(|object| object.property.as_str()),
        Some("shipment_id")
    );
    assert_eq!(
        (
            cleared.status.fixed.as_deref(),
            cleared.status.property.as_deref()
        ),
        (Some("cleared"), Some("status"))
    );
    assert_eq!(cleared.properties["duty"].kind, PropertyKind::Money);
    assert_eq!(cleared.properties["status"].one_of, ["ok"]);
    let placed = &model.events["order_placed"];
    assert_eq!(
        placed.relates.len(),
        4,
        "those of the built-in one and its own"
    );
    assert_eq!(
        (placed.origin, model.events["order_paid"].origin),
        (Origin::Model, Origin::BuiltIn)
    );
}

#[test]
fn mistakes_in_event_types_are_told_with_line_and_column() {
    let told = parse(
        "  Mug: {}\n\
         \x20 a: { extends: b }\n\
         \x20 b: { extends: a }\n\
         \x20 c: { extends: c }\n\
         \x20 d: { object: { mug: mug_id, cup: cup }, relates: { order: total }, properties: { mug_id: id, total: money } }\n\
         \x20 e: { status: In Transit, channel_property: way, colour: red }\n\
         \x20 f: { properties: { x: float, y: { description: none }, z: { type: id, one_of: [a], of: text, properties: {} } } }\n",
    );
    insta::assert_snapshot!(told.expect_err("has mistakes"), @r"
    3:3: events.Mug: an event type is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes
    5:17: events.b.extends: extends itself: a → b → a
    6:17: events.c.extends: there is no event type `c`, in the model or built in
    7:16: events.d.object: an event is a state of one object: name one; `relates` may name several
    7:36: events.d.object.cup: must name a property of the type with an id: `cup` is none
    7:61: events.d.relates.order: must name a property of the type with an id: `total` is none
    8:16: events.e.status: a status is named in lower snake case (`in_transit`), in 1 to 64 bytes
    8:46: events.e.channel_property: must name a property of the type with a text: `way` is none
    8:51: events.e.colour: is no key that is known here: there are extends, description, properties, object, relates, status, status_property, states, channel, channel_property
    9:25: events.f.properties.x: must be one of text, id, whole, decimal, money, currency, boolean, time, list, map, any
    9:35: events.f.properties.y: `type` is required
    9:81: events.f.properties.z.one_of: `one_of` goes with `type: text` only
    9:90: events.f.properties.z.of: `of` goes with `type: list` only
    9:108: events.f.properties.z.properties: `properties` goes with `type: map` only
    ");
}
