//! A coffee house: what to offer now, in one read; and who is about to stay away.

use std::collections::BTreeMap;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, value::Kind};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use serde_json::{Value as Json, json};

use crate::support::clock::{SetClock, instant};
use crate::support::service::{Service, by_identifier};
use crate::support::stores::{Kind as StoreKind, TestStore};

const MODEL: &str = r#"
time_zone: Europe/Vienna
identifiers:
  card: { priority: 1, belongs_to: person, unique: true }
  email: { priority: 2, normalize: email }
traits:
  given_name: { personal: true, match: given_name }
  loyalty_tier: {}
  points: {}
computed:
  visits_30d: { count: order_placed, window: 30d }
  visits_this_month: { count: order_placed, window: this_month }
  visits: { count: order_placed }
  spent_365d: { sum: order_placed, value: total, window: 365d }
  average_order: { average: order_placed, value: total }
  dearest_order: { max: order_placed, value: total }
  first_visit: { first: order_placed }
  last_shop: { last: order_placed, value: shop }
  favourite: { most_frequent: order_placed, value: "products.map(p, p.sku)" }
  favourites_mornings:
    { most_frequent: order_placed, value: "products.map(p, p.sku)", where: event.hour < 11, window: 90d, top: 3 }
  shops: { distinct: order_placed, value: shop }
  offers_used: { most_frequent: offer_used, value: offer, window: this_month, top: 10 }
  days_since_visit: { days_since: order_placed }
segments:
  regulars: { when: computed.visits_30d >= 3 && preferences.language == 'de', description: They come every week. }
  staying_away: { when: computed.visits >= 3 && computed.days_since_visit > 20 }
  gold: { when: traits.loyalty_tier == 'gold' }
views:
  till:
    sections:
      guest: [traits.given_name, identifiers.email]
      loyalty: [traits.loyalty_tier, traits.points, computed.offers_used]
      affinities: [computed.favourites_mornings, computed.favourite]
    segments: "*"
    objects: { order: 2 }
purposes:
  service:
    { consent: not_needed, traits: "*", computed: "*", segments: "*", identifiers: [email], events: "*" }
  offers:
    consent: not_needed
    accessibility: false
    traits: [given_name, loyalty_tier, points]
    computed: [favourites_mornings, offers_used]
    segments: [regulars]
sources:
  till:
    records:
      cards:
        key: card
        identifiers: { card: card, email: email }
        traits: { given_name: name, loyalty_tier: tier, points: points }
        preferences: { language: language, accessibility.sign_language: signs }
    events:
      receipts:
        type: order_placed
        id: number
        time: at
        record: card
        properties: { order_id: number, products: products, shop: shop, total: decimal(total), currency: "'EUR'" }
      offers: { type: offer_used, id: id, time: at, record: card, properties: { offer: offer } }
"#;

async fn start(store: Arc<dyn Store>, clock: Arc<SetClock>) -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    let service = Service::start_at(store, model, clock).await;
    let card = |card: &str, tier: &str| json!({"card": card, "name": "Theresa", "tier": tier, "points": 140, "language": "de", "signs": "ogs"});
    service
        .say_payloads("till", "cards", &[card("7", "gold"), card("8", "green")])
        .await;
    service
}

fn receipt(number: u32, card: &str, at: &str, sku: &str, total: &str) -> Json {
    let shop = if number.is_multiple_of(2) {
        "Graben"
    } else {
        "Naschmarkt"
    };
    json!({"number": number.to_string(), "card": card, "at": at, "shop": shop, "total": total, "products": [{"sku": sku}, {"sku": "water"}]})
}

async fn profile(service: &Service, card: &str, purpose: &str) -> v1::GetProfileResponse {
    let key = Some(by_identifier("card", card));
    let request = v1::GetProfileRequest {
        key,
        purpose: purpose.to_owned(),
        ..Default::default()
    };
    service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
}

/// A value as a person reads it.
fn shown(value: &v1::Value) -> String {
    match value.kind.as_ref().expect("a kind") {
        Kind::StringValue(text) | Kind::DecimalValue(text) => text.clone(),
        Kind::Int64Value(number) => number.to_string(),
        Kind::BoolValue(flag) => flag.to_string(),
        Kind::TimeValue(time) => time.to_string(),
        Kind::ListValue(list) => list.values.iter().map(shown).collect::<Vec<_>>().join(" "),
        Kind::MapValue(_) => "map".to_owned(),
    }
}

fn computed(profile: &v1::Profile) -> BTreeMap<&str, String> {
    let told = |computed: &v1::ComputedTrait| {
        assert_eq!(computed.completeness(), v1::Completeness::Complete);
        computed.value.as_ref().map_or("-".to_owned(), shown)
    };
    profile
        .computed
        .iter()
        .map(|(name, computed)| (name.as_str(), told(computed)))
        .collect()
}

async fn context(service: &Service, purpose: &str, max_bytes: i32) -> v1::GetContextResponse {
    let request = v1::GetContextRequest {
        key: Some(by_identifier("card", "7")),
        purpose: purpose.into(),
        view: "till".into(),
        include_text: true,
        max_bytes,
        ..Default::default()
    };
    service
        .contexts()
        .get_context(request)
        .await
        .expect("a context")
        .into_inner()
}

/// What the till shows when the card is read, and what an assistant is given.
async fn offered(service: &Service) {
    let offer = context(service, "offers", 0).await;
    insta::allow_duplicates!(insta::assert_snapshot!(offer.text, @r"
    Preference: Language: de [till]
    Given name: Theresa [till]
    Loyalty tier: gold [till]
    Points: 140 [till]
    Offers used: second-cup [till]
    Favourites mornings: melange, water [till]
    Segment: Regulars (They come every week.) [till]
    "));
    let sections: Vec<(&str, usize)> = offer
        .sections
        .iter()
        .map(|s| (s.section.as_str(), s.fields.len()))
        .collect();
    assert_eq!(sections, [("guest", 1), ("loyalty", 3), ("affinities", 1)]);
    assert_eq!(offer.segments, ["regulars"]);
    assert!(
        offer.accessibility.is_none(),
        "what she needs is for whoever serves her, not for offers that did not ask"
    );
    let withheld: Vec<&str> = offer
        .withheld
        .iter()
        .map(|withheld| withheld.field.as_str())
        .collect();
    assert_eq!(
        withheld,
        ["accessibility", "computed.favourite", "events", "segments"]
    );

    // Whoever serves her sees first that she signs.
    let serve = context(service, "service", 0).await;
    assert_eq!(
        serve.accessibility.as_ref().expect("needs").sign_language,
        "ogs"
    );
    insta::allow_duplicates!(insta::assert_snapshot!(serve.text, @r"
    Need: Sign language: ogs [till]
    Preference: Language: de [till]
    Given name: Theresa [till]
    Loyalty tier: gold [till]
    Points: 140 [till]
    Offers used: second-cup [till]
    Favourites mornings: melange, water [till]
    Favourite: water [till]
    Segment: Gold [till]
    Segment: Regulars (They come every week.) [till]
    Order 5: placed; currency: EUR; order id: 5; shop: Naschmarkt; total: 3.20 [till]
    Order 4: placed; currency: EUR; order id: 4; shop: Graben; total: 3.20 [till]
    "));
    let orders: Vec<&str> = serve
        .objects
        .iter()
        .map(|object| object.id.as_str())
        .collect();
    assert_eq!(orders, ["5", "4"], "the latest first");

    // Where there is little room, what comes last goes first, and is told.
    let small = context(service, "service", 256).await;
    assert!(small.accessibility.is_some() && small.text.len() <= 256);
    assert_eq!(small.omitted[0], "objects");
    assert!(
        small
            .omitted
            .contains(&"affinities.computed.favourite".to_owned()),
        "{:?}",
        small.omitted
    );
}

const RECEIPTS: [(u32, &str, &str, &str); 5] = [
    (1, "2026-09-02T06:10:00Z", "melange", "4.90"),
    (2, "2026-11-03T07:10:00Z", "melange", "4.90"),
    (3, "2026-11-10T07:20:00Z", "melange", "12.50"),
    (4, "2026-11-17T14:20:00Z", "espresso", "3.20"),
    (5, "2026-11-20T14:30:00Z", "espresso", "3.20"),
];

#[tokio::test]
async fn one_read_tells_what_to_offer_now() {
    for kind in [StoreKind::Memory, StoreKind::Sqlite, StoreKind::Postgres] {
        let ground = TestStore::start(kind).await;
        let service = start(
            ground.store.clone(),
            Arc::new(SetClock::at("2026-11-22T08:00:00Z")),
        )
        .await;
        let receipts: Vec<Json> = RECEIPTS
            .iter()
            .map(|(number, at, sku, total)| receipt(*number, "7", at, sku, total))
            .collect();
        service.say_payloads("till", "receipts", &receipts).await;
        let offer =
            json!({"id": "o1", "card": "7", "at": "2026-11-20T14:30:00Z", "offer": "second-cup"});
        service.say_payloads("till", "offers", &[offer]).await;

        let all = profile(&service, "7", "").await.profile.expect("a profile");
        let told = computed(&all)
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>();
        insta::allow_duplicates!(insta::assert_snapshot!(told.join("\n"), @r"
        average_order: 5.74
        days_since_visit: 2
        dearest_order: 12.50
        favourite: water
        favourites_mornings: melange water
        first_visit: 2026-09-02T06:10:00Z
        last_shop: Naschmarkt
        offers_used: second-cup
        shops: 2
        spent_365d: 28.70
        visits: 5
        visits_30d: 4
        visits_this_month: 4
        "));
        assert_eq!(all.segments, ["gold", "regulars"]);

        let bound = profile(&service, "7", "offers").await;
        let (seen, withheld) = (bound.profile.expect("a profile"), bound.withheld);
        assert_eq!(
            computed(&seen).into_keys().collect::<Vec<_>>(),
            ["favourites_mornings", "offers_used"]
        );
        assert_eq!(seen.segments, ["regulars"]);
        offered(&service).await;
        // That she is in another segment is not told by the list of what is withheld.
        let fields: Vec<&str> = withheld
            .iter()
            .map(|withheld| withheld.field.as_str())
            .collect();
        assert!(
            fields.contains(&"segments") && fields.contains(&"computed.visits"),
            "{fields:?}"
        );
        assert!(
            !fields.iter().any(|field| field.contains("gold")),
            "{fields:?}"
        );
        service.stop().await;
    }
}

#[tokio::test]
async fn time_passing_changes_the_answer_without_a_write() {
    let clock = Arc::new(SetClock::at("2026-11-22T08:00:00Z"));
    let service = start(Arc::new(MemoryStore::new()), clock.clone()).await;
    let receipts: Vec<Json> = RECEIPTS
        .iter()
        .map(|(number, at, sku, total)| receipt(*number, "7", at, sku, total))
        .collect();
    service.say_payloads("till", "receipts", &receipts).await;
    let mut told = Vec::new();
    for now in [
        "2026-11-22T08:00:00Z",
        // In Vienna it is the next month an hour before it is in Greenwich.
        "2026-11-30T22:59:59Z",
        "2026-11-30T23:00:00Z",
        // The visit of the 3rd of November is 30 days old on the 3rd of December, and goes at the
        // end of that day.
        "2026-12-03T22:59:59Z",
        "2026-12-03T23:00:00Z",
        "2026-12-11T12:00:00Z",
        "2027-12-01T12:00:00Z",
    ] {
        clock.set(instant(now));
        let found = profile(&service, "7", "").await.profile.expect("a profile");
        let computed = computed(&found);
        let of = |name: &str| computed[name].clone();
        told.push(format!(
            "{now}: 30 days {}, month {}, year {}, days since {}, segments {}",
            of("visits_30d"),
            of("visits_this_month"),
            of("spent_365d"),
            of("days_since_visit"),
            found.segments.join(" ")
        ));
        assert_eq!(of("visits"), "5");
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    2026-11-22T08:00:00Z: 30 days 4, month 4, year 28.70, days since 2, segments gold regulars
    2026-11-30T22:59:59Z: 30 days 4, month 4, year 28.70, days since 10, segments gold regulars
    2026-11-30T23:00:00Z: 30 days 4, month 0, year 28.70, days since 11, segments gold regulars
    2026-12-03T22:59:59Z: 30 days 4, month 0, year 28.70, days since 13, segments gold regulars
    2026-12-03T23:00:00Z: 30 days 3, month 0, year 28.70, days since 14, segments gold regulars
    2026-12-11T12:00:00Z: 30 days 2, month 0, year 28.70, days since 21, segments gold staying_away
    2027-12-01T12:00:00Z: 30 days 0, month 0, year 0, days since 376, segments gold staying_away
    ");
}
