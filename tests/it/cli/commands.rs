//! Questions to a running server, and commands that need none.

use tempfile::TempDir;

use super::{HEADER, database, dir, import, write};
use crate::support::program::{command, run, say};
use crate::support::server::TestServer;

/// A server that knows Ann, by two records and two orders.
fn server() -> (TempDir, TestServer) {
    let dir = dir();
    write(
        dir.path(),
        "web.csv",
        format!("{HEADER}w1,Ann,Müller,ann@shop.com,,,,Bonn,,\nw2,Ann,Miller,Ann@shop.com,,,,,,\n"),
    );
    import(dir.path(), "web.csv", &[]).ok();
    write(
        dir.path(),
        "orders.csv",
        "order_id,customer_id,order_date,quantity,total\n1,w1,1998-01-01,1,19.90\n2,w2,1998-03-01,2,5.00\n",
    );
    let url = database(dir.path());
    run(
        dir.path(),
        [
            "import",
            "orders.csv",
            "--source",
            "web",
            "--kind",
            "orders",
            "--database-url",
            &url,
        ],
    )
    .ok();
    let server = TestServer::start(&url);
    (dir, server)
}

/// Without what differs from run to run.
fn steady(json: &str) -> serde_json::Value {
    let mut json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    blank(&mut json);
    json
}

fn blank(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(entries) => {
            for (name, value) in entries {
                if [
                    "receiveTime",
                    "createTime",
                    "updateTime",
                    "age",
                    "readToken",
                ]
                .contains(&name.as_str())
                {
                    *value = "…".into();
                }
                blank(value);
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(blank),
        _ => {}
    }
}

const PREFERENCES_MODEL: &str = "identifiers: { email: { priority: 1, normalize: email } }\ntraits: { name: }\n\
         channels: { email: { contact_point: email }, phone: { voice: true } }\n\
         purposes: { news: { marketing: true, traits: name } }\n\
         sources:\n  crm:\n    records:\n      people:\n        key: id\n        identifiers: { email: mail }\n        \
         traits: { name: name }\n        \
         preferences: { language: lang, accessibility.large_print: large == 'yes', topics.arts: arts == 'yes' }\n        \
         consents: { purpose: news, contact_point: { email: mail }, status: news }\n";

#[test]
fn how_a_customer_wants_to_be_treated_is_shown_with_needs_first() {
    let (dir, server) = server();
    let at = &server.address;
    let nothing = say(
        dir.path(),
        &format!("preferences email:ann@shop.com --server {at}"),
    )
    .ok();
    assert!(nothing.contains("no preferences or consents"), "{nothing}");
    write(dir.path(), "model.yaml", PREFERENCES_MODEL);
    write(
        dir.path(),
        "people.csv",
        "id,mail,name,lang,large,arts,news\n7,bea@x.com,Bea,de,yes,no,granted\n",
    );
    let url = format!("sqlite://{}", dir.path().join("bea.db").display());
    let import = format!(
        "import people.csv --source crm --kind people --model model.yaml --database-url {url}"
    );
    say(dir.path(), &import).ok();
    let server = TestServer::start(&url);
    let at = &server.address;
    let shown = say(
        dir.path(),
        &format!("preferences email:bea@x.com --server {at}"),
    )
    .ok();
    let places: Vec<Option<usize>> = [
        "large_print",
        "language",
        "topics.arts",
        "crm/7",
        "news",
        "granted",
    ]
    .map(|part| shown.find(part))
    .into();
    assert!(
        places.iter().all(Option::is_some) && places[0] < places[1],
        "{shown}"
    );
    let shown = say(dir.path(), &format!("get email:bea@x.com --server {at}")).ok();
    assert!(shown.find("large_print") < shown.find("Bea"), "{shown}");
    let bound = say(
        dir.path(),
        &format!("get email:bea@x.com --purpose news --server {at}"),
    )
    .ok();
    // Not even that there are needs.
    assert!(
        !bound.contains("large_print") && !bound.contains("accessibility"),
        "{bound}"
    );
    let asked = format!("permission email:bea@x.com --purpose news --server {at} --channel");
    let told = say(dir.path(), &format!("{asked} email")).ok();
    assert_eq!(
        told,
        "yes: nothing speaks against it, at bea@x.com, stated by crm/7\n"
    );
    // A no is an answer, not an error.
    assert_eq!(
        say(dir.path(), &format!("{asked} email --topic arts")).failed(1),
        ""
    );
}

#[test]
fn get_shows_a_person_by_any_key() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = say(dir.path(), &format!("get email:ANN@shop.com --server {at}")).ok();
    let expected = [
        "2 records, from the store",
        "given_name",
        "web/w1",
        "customer_id",
        "ann@shop.com",
    ];
    assert!(expected.iter().all(|part| shown.contains(part)), "{shown}");
    let name = shown.split(',').next().expect("a name").to_owned();
    for key in ["record:web/w2", "customer_id:w1", &name] {
        let again = say(dir.path(), &format!("get {key} --server {at}")).ok();
        assert!(again.starts_with(&name), "{key}: {again}");
    }
    let full = say(
        dir.path(),
        &format!("get record:web/w2 --full --server {at}"),
    )
    .ok();
    assert!(full.contains("shared:email"), "{full}");
    let fresh = say(
        dir.path(),
        &format!("get record:web/w2 --fresh --server {at}"),
    )
    .ok();
    assert!(fresh.contains("from the store"), "{fresh}");
}

#[test]
fn get_shows_what_was_known_at_a_time() {
    let (dir, server) = server();
    let at = &server.address;
    let now = say(
        dir.path(),
        &format!("get record:web/w1 --as-of 9999-01-01T00:00:00Z --server {at}"),
    )
    .ok();
    assert!(now.contains("2 records, as of the write at 20"), "{now}");
    let before = say(
        dir.path(),
        &format!("get record:web/w1 --as-of 1998-01-01T00:00:00Z --server {at}"),
    )
    .failed(1);
    assert!(before.contains("no profile answers"), "{before}");
    say(
        dir.path(),
        &format!("get record:web/w1 --as-of yesterday --server {at}"),
    )
    .failed(2);
}

#[test]
fn get_answers_programs_in_protobufs_json() {
    let (dir, server) = server();
    let answer = say(
        dir.path(),
        &format!(
            "get email:ann@shop.com --output json --server {}",
            server.address
        ),
    )
    .ok();
    insta::assert_snapshot!(format!("{:#}", steady(&answer)));
}

#[test]
fn timeline_shows_what_happened_and_says_when_there_is_more() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = say(
        dir.path(),
        &format!("timeline email:ann@shop.com --server {at}"),
    )
    .ok();
    let lines: Vec<&str> = shown.lines().skip(3).collect();
    assert_eq!(
        lines,
        [
            "1998-03-01 05:00:00  order_placed  web/w2  2   currency=USD order_id=2 quantity=2 total=5.00",
            "1998-01-01 05:00:00  order_placed  web/w1  1   currency=USD order_id=1 quantity=1 total=19.90",
        ],
        "{shown}"
    );
    let one = say(
        dir.path(),
        &format!("timeline email:ann@shop.com --limit 1 --server {at}"),
    )
    .ok();
    assert!(one.ends_with("there are more; raise --limit\n"), "{one}");
    let until = "--until 1998-02-01T00:00:00Z --type order_placed --output json";
    let answer = say(
        dir.path(),
        &format!("timeline email:ann@shop.com {until} --server {at}"),
    )
    .ok();
    insta::assert_snapshot!(format!("{:#}", steady(&answer)["events"]));
    let none = say(
        dir.path(),
        &format!("timeline email:ann@shop.com --type return --server {at}"),
    )
    .ok();
    assert!(none.ends_with(": no events\n"), "{none}");
}

#[test]
fn timeline_shows_objects_and_counts() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = say(
        dir.path(),
        &format!("timeline email:ann@shop.com --objects --counts --server {at}"),
    )
    .ok();
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .skip(2)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let expected = [
        "TYPE EVENTS",
        "order_placed 2",
        "",
        "UPDATED (UTC) KIND ID STATUS EVENTS FIELDS",
        "1998-03-01 05:00:00 order 2 placed 1 currency=USD order_id=2 quantity=2 total=5.00",
        "1998-01-01 05:00:00 order 1 placed 1 currency=USD order_id=1 quantity=1 total=19.90",
    ];
    assert_eq!(
        lines.iter().map(|line| line.join(" ")).collect::<Vec<_>>(),
        expected,
        "{shown}"
    );
    let found = "--text 19.9 --source web --limit 1";
    let found = say(
        dir.path(),
        &format!("timeline email:ann@shop.com {found} --server {at}"),
    )
    .ok();
    assert!(
        found.contains("order_id=1 ") && !found.contains("order_id=2 "),
        "{found}"
    );
    let none = say(
        dir.path(),
        &format!("timeline email:ann@shop.com --channel chat --server {at}"),
    )
    .ok();
    assert!(none.ends_with(": no events\n"), "{none}");
}

#[test]
fn object_shows_an_order_with_its_course() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = say(dir.path(), &format!("object order 2 --server {at}")).ok();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].starts_with("order 2: placed, of profiles/"),
        "{shown}"
    );
    assert_eq!(
        lines[1], "currency=USD order_id=2 quantity=2 total=5.00",
        "{shown}"
    );
    assert!(
        lines[4].starts_with("1998-03-01 05:00:00  order_placed  web/w2  2 "),
        "{shown}"
    );
    let of_ann = say(
        dir.path(),
        &format!("object order 2 --customer email:ann@shop.com --output json --server {at}"),
    )
    .ok();
    assert_eq!(steady(&of_ann)["object"]["status"], "placed");
    let none = say(dir.path(), &format!("object order 3 --server {at}")).failed(1);
    assert!(none.contains("OBJECT_NOT_FOUND"), "{none}");
}

#[test]
fn model_events_tells_what_may_be_said_of_events() {
    let (dir, server) = server();
    let at = &server.address;
    let all = say(dir.path(), &format!("model events --server {at}")).ok();
    assert!(
        all.contains("shipment_delivered") && all.contains("A parcel arrived."),
        "{all}"
    );
    let one = say(
        dir.path(),
        &format!("model events order_paid --server {at}"),
    )
    .ok();
    let order = one
        .lines()
        .find(|line| line.starts_with("order_id "))
        .expect("its id");
    assert_eq!(
        order.split_whitespace().collect::<Vec<_>>().join(" "),
        "order_id id id of the order The order."
    );
    assert!(
        one.contains("list of map") && one.contains("  .price "),
        "{one}"
    );
    let none = say(
        dir.path(),
        &format!("model events mug_glazed --server {at}"),
    )
    .failed(1);
    assert!(none.contains("no event type `mug_glazed`"), "{none}");
}

#[test]
fn metrics_tell_what_a_customer_and_all_buy_and_what_is_missing() {
    let (dir, server) = server();
    let at = &server.address;
    // The pass of the server's start may have come before the customer.
    say(dir.path(), &format!("metrics --refresh --server {at}")).ok();
    let ann = say(
        dir.path(),
        &format!("metrics email:ann@shop.com --server {at}"),
    )
    .ok();
    for part in [
        "rfm",
        "2 purchases, 24.90 USD",
        "24.9 USD so far",
        "nps",
        "365d",
        "BG/NBD: 1 customers bought on more",
    ] {
        assert!(ann.contains(part), "{part}: {ann}");
    }
    let all = say(dir.path(), &format!("metrics --refresh --server {at}")).ok();
    assert!(all.starts_with("1 customer, computed at "), "{all}");
    let json = say(dir.path(), &format!("metrics --output json --server {at}")).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["metrics"]["lifetimeValue"]["historic"], "24.9");
    let wrong = say(
        dir.path(),
        &format!("metrics --segment nobody --server {at}"),
    )
    .failed(1);
    assert!(
        wrong.contains("the model declares no segment `nobody`"),
        "{wrong}"
    );
}

#[test]
fn search_says_what_each_hit_was_found_by() {
    let (dir, server) = server();
    let at = &server.address;
    let shown = run(dir.path(), ["search", "ann mul", "--server", at]).ok();
    assert!(shown.contains("family_name"), "{shown}");
    let by_identifier = run(
        dir.path(),
        ["search", "ann@shop.com", "--output", "json", "--server", at],
    )
    .ok();
    assert_eq!(
        steady(&by_identifier)["hits"][0]["foundBy"][0]["identifierType"],
        "email"
    );
    assert_eq!(
        run(dir.path(), ["search", "zzz", "--server", at]).ok(),
        "no matches\n"
    );
}

#[test]
fn a_refusal_is_told_in_words_and_with_its_reason() {
    let (dir, server) = server();
    let at = &server.address;
    let told = |line: &str| say(dir.path(), &format!("{line} --server {at}")).failed(1);
    insta::assert_snapshot!(told("get email:nobody@shop.com"), @"error: no profile answers to the key (NOT_FOUND, PROFILE_NOT_FOUND)");
    insta::assert_snapshot!(told("get shoe:44"), @"error: key.identifier.type: the model declares no identifier type `shoe` (INVALID_ARGUMENT, NOT_DECLARED)");
    insta::assert_snapshot!(told("get profiles/7"), @"error: key.name: must be `profiles/{id}` with the id as a UUID (INVALID_ARGUMENT, MALFORMED)");
    insta::assert_snapshot!(told("search x"), @"error: query: must have 2 to 256 bytes, without U+0000 (INVALID_ARGUMENT, MALFORMED)");
    insta::assert_snapshot!(told("get record:web/w1 --tenant other"), @"error: no profile answers to the key (NOT_FOUND, PROFILE_NOT_FOUND)");
}

#[test]
fn a_wrong_command_line_is_usage_and_says_what_is_right() {
    let dir = dir();
    for (line, part) in [
        (
            "get ann@shop.com",
            "expected TYPE:VALUE, record:SOURCE/KEY or profiles/ID",
        ),
        ("get email:a@b.c --tenant Ann!", "a tenant is named by"),
        (
            "timeline email:a@b.c --since yesterday",
            "expected a time like",
        ),
        ("timeline email:a@b.c --limit 0", "--limit"),
        ("import a.csv", "--source"),
        (
            "import a.csv --source web --kind customers --server http://x --database-url sqlite://a.db",
            "cannot be used",
        ),
        ("serve --grpc-adress 127.0.0.1:0", "--grpc-address"),
        ("get", "Usage"),
        ("unknown", "unrecognized"),
    ] {
        let told = say(dir.path(), line).failed(2);
        assert!(told.contains(part), "{line}: {told}");
    }
}

#[test]
fn no_server_is_told_with_what_to_do() {
    let dir = dir();
    let told = say(dir.path(), "get email:a@b.c --server http://127.0.0.1:1").failed(1);
    assert!(
        told.starts_with("error: no server answers at http://127.0.0.1:1 ("),
        "{told}"
    );
    assert!(told.contains("customer-profile serve"), "{told}");
    let told = say(dir.path(), "get email:a@b.c --server ftp://127.0.0.1:1").failed(1);
    assert!(told.contains("expected http://"), "{told}");
}

#[test]
fn the_examples_of_config_and_model_are_taken_as_they_are_printed() {
    let dir = dir();
    write(dir.path(), "c.toml", say(dir.path(), "config").ok());
    say(dir.path(), "migrate --config c.toml").ok();
    write(dir.path(), "m.yaml", say(dir.path(), "model example").ok());
    let told = say(dir.path(), "model check m.yaml").ok();
    assert_eq!(
        told,
        "m.yaml: no mistakes: 6 sources, 5 identifier types, 14 traits, 4 channels, 5 purposes\n"
    );
    let schema: serde_json::Value =
        serde_json::from_str(&say(dir.path(), "model schema").ok()).expect("JSON");
    assert!(schema["properties"]["sources"].is_object(), "{schema}");
}

#[test]
fn model_check_tells_every_mistake_where_it_is() {
    let dir = dir();
    write(
        dir.path(),
        "m.yaml",
        "identifiers:\n  email: { priority: 0 }\nsources:\n  web: { trust: high }\n",
    );
    let checked = say(dir.path(), "model check m.yaml");
    assert_eq!(checked.code, Some(1));
    assert_eq!(
        checked.out,
        "m.yaml:2:22: identifiers.email.priority: must be a whole number from 1 to 99\n\
         m.yaml:4:17: sources.web.trust: must be a whole number from 0 to 100\n"
    );
    let json = say(dir.path(), "model check m.yaml --output json");
    assert_eq!(json.code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(
        (&json["errors"][1]["line"], &json["errors"][1]["column"]),
        (&4.into(), &17.into())
    );
    assert!(
        say(dir.path(), "model check none.yaml")
            .failed(1)
            .starts_with("error: none.yaml: No such file")
    );
}

#[test]
fn migrate_makes_the_schema_and_check_tells_without_touching() {
    let dir = dir();
    let url = database(dir.path());
    let check = || say(dir.path(), &format!("migrate --check --database-url {url}"));
    assert!(check().failed(1).contains("there is no such database yet"));
    assert!(!dir.path().join("cp.db").exists());
    write(dir.path(), "cp.db", "");
    assert!(
        check()
            .failed(1)
            .contains("the database schema is not right: it is missing")
    );
    say(dir.path(), &format!("migrate --database-url {url}")).ok();
    say(dir.path(), &format!("migrate --database-url {url}")).ok();
    assert!(check().ok().ends_with("the schema is up to date\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = dir();
    let mut child = command(dir.path(), ["config"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
