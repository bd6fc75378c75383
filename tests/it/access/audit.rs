//! The audit log: what is in it, whom it lets through, and whether a change of it is found.

mod killed;

use std::path::Path;
use std::sync::Arc;

use customer_profile::audit::{Entry, Journal, Keeper, Keys, new_keys};
use customer_profile::store::Store;
use profile_core::records::{TenantId, Timestamp};
use serde_json::{Value as Json, json};
use tonic::Code;

use super::roles::{Scene, WORDS};
use crate::support::access::Grant;
use crate::support::postgres::Postgres;
use crate::support::program::{Run, run};
use crate::support::server::{SECURE, TestServer};
use crate::support::stores::{Kind, TestStore, postgres};
use crate::support::wire::Wire;

/// The size of the log, and the number of entries that wait.
async fn checkpoint(scene: &mut Scene) -> (i64, i64) {
    let auditor = scene.free.clone();
    let answer = scene.ask("GetAuditCheckpoint", &json!({}), &auditor).await;
    let answer: Json = serde_json::from_str(&answer.json()).expect("JSON");
    let number = |name: &str| {
        let text = answer[name].as_str();
        text.map_or(0, |text| text.parse().expect("a number"))
    };
    (number("size"), number("waiting"))
}

/// Entries of the log of a scene, the latest first, when all that was called before is written.
async fn entries(scene: &mut Scene, request: &Json) -> Vec<Json> {
    let auditor = scene.free.clone();
    // The log is written in order: once this call is in it, all before are.
    let (size, waiting) = checkpoint(scene).await;
    while checkpoint(scene).await.0 <= size + waiting {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let found = scene.ask("ListAuditEntries", request, &auditor).await;
    assert_eq!(found.code, Code::Ok);
    let found: Json = serde_json::from_str(&found.json()).expect("JSON");
    found["entries"].as_array().cloned().unwrap_or_default()
}

fn of_method<'a>(entries: &'a [Json], method: &str) -> Vec<&'a Json> {
    let of = |entry: &&Json| {
        entry["method"]
            .as_str()
            .is_some_and(|it| it.ends_with(method))
    };
    entries.iter().filter(of).collect()
}

const DESK: &str =
    "  desk: { traits: '*', masked_identifiers: [email], lookup_identifiers: [email] }\n";

fn id(key: &str) -> &str {
    key.split('_').nth(1).expect("an id")
}

fn by(kind: &str, value: &str) -> Json {
    json!({"identifier": {"type": kind, "value": value}})
}

/// Calls under two credentials that are answered, refused and missed.
async fn call(scene: &mut Scene, desk: &str) {
    let free = scene.free.clone();
    let email = by("email", "wordofmail@example.com");
    let asked =
        json!({"key": email, "readMask": "traits.nickname,identifiers", "purpose": "service"});
    let phone = json!({"key": by("phone", "+493090182417")});
    let nobody = json!({"key": by("email", "nobody@example.com")});
    let search = json!({"query": "wordoftrait"});
    for (method, request, key, code) in [
        ("GetProfile", &asked, desk, Code::Ok),
        ("GetProfile", &phone, desk, Code::PermissionDenied),
        ("GetProfile", &nobody, &free, Code::NotFound),
        ("SearchProfiles", &search, &free, Code::Ok),
        ("WatchProfiles", &json!({"keys": [email]}), &free, Code::Ok),
    ] {
        assert_eq!(scene.ask(method, request, key).await.code, code, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_who_asked_what_of_whom_and_how_it_ended() {
    let mut scene = Scene::start(DESK).await;
    let (desk, free) = (scene.key(&["desk"]).await, scene.free.clone());
    call(&mut scene, &desk).await;
    let all = entries(&mut scene, &json!({"pageSize": 1000})).await;
    let profile = json!([scene.profile]);
    let reads = of_method(&all, "ProfileService/GetProfile");
    let [missed, denied, read] = reads[..] else {
        panic!("{reads:#?}");
    };
    for (field, expected) in [
        ("credential", json!(id(&desk))),
        ("scope", json!("profiles.read")),
        ("roles", json!(["desk"])),
        ("purpose", json!("service")),
        ("fields", json!(["traits.nickname", "identifiers"])),
        (
            "withheld",
            json!(["identifiers.email", "identifiers.phone", "record_keys"]),
        ),
        ("customers", profile.clone()),
        ("code", json!("OK")),
    ] {
        assert_eq!(read[field], expected, "{field}");
    }
    let told = |entry: &Json| [entry["code"].clone(), entry["refusal"].clone()];
    let refused = [json!("PERMISSION_DENIED"), json!("lookup_refused")];
    assert_eq!(
        (told(denied), &missed["code"]),
        (refused, &json!("NOT_FOUND"))
    );
    assert_eq!(missed["credential"], json!(id(&free)));
    for method in ["SearchProfiles", "IngestStatements", "WatchProfiles"] {
        let entries = of_method(&all, method);
        let names = |entry: &&Json| entry["customers"] == profile;
        assert!(entries.iter().any(names), "{method}: {entries:#?}");
    }
    // Nothing that is known of a customer is in it, whoever asks.
    let whole = Json::from(all).to_string();
    for (kind, word) in WORDS {
        let is_of_the_model = matches!(kind, "computed" | "segments");
        assert!(is_of_the_model || !whole.contains(word), "{word}: {whole}");
    }
    scene.service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_learns_who_looked_at_them_also_when_they_were_erased() {
    let mut scene = Scene::start(DESK).await;
    let (desk, free) = (scene.key(&["desk"]).await, scene.free.clone());
    call(&mut scene, &desk).await;
    let all = entries(&mut scene, &json!({"pageSize": 1000})).await;
    // A customer is found by any of their keys, and the calls of one credential by its id.
    let phone = by("phone", "+493090182417");
    let of_them = json!({"customer": phone, "pageSize": 1000});
    let of_them = entries(&mut scene, &of_them).await;
    let profile = json!([scene.profile]);
    assert!(of_them.iter().all(|entry| entry["customers"] == profile));
    assert!(of_method(&of_them, "GetProfile").len() == 1 && of_them.len() < all.len());
    let by_desk = json!({"credential": id(&desk), "pageSize": 1000});
    let by_desk = entries(&mut scene, &by_desk).await;
    assert_eq!(of_method(&by_desk, "GetProfile").len(), 2);
    let id = json!(id(&desk));
    assert!(by_desk.iter().all(|entry| entry["credential"] == id));

    let note = json!({"actor": "a clerk", "note": "case 7"});
    let erase = json!({"name": scene.profile, "note": note, "requestId": "7"});
    let erased = scene.ask("EraseProfile", &erase, &free).await;
    assert_eq!(erased.code, Code::Ok, "{}", erased.json());
    let name = json!({"customer": {"name": scene.profile}, "pageSize": 1000});
    let found = entries(&mut scene, &name).await;
    let more = "the question about them, and the erasure";
    assert_eq!(found.len(), of_them.len() + 2, "{more}");
    scene.service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_beyond_scope_and_tenant_are_in_the_log_of_the_credential() {
    let mut scene = Scene::start("").await;
    let store: &dyn Store = scene.store.as_ref();
    let key = Grant::new(&["acme"], &["segments.read"])
        .key(store)
        .await
        .expose();
    loop {
        let answer = scene.ask("ListSegments", &json!({}), &key).await;
        if answer.code == Code::Ok {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let by_name = json!({"key": {"name": scene.profile}});
    let refused = scene.ask("GetProfile", &by_name, &key).await;
    assert_eq!(refused.code, Code::PermissionDenied);
    // Reading the log needs a scope too.
    let read = scene.ask("ListAuditEntries", &json!({}), &key).await;
    assert_eq!(read.code, Code::PermissionDenied);
    let id = key.split('_').nth(1).expect("an id");
    let found = entries(&mut scene, &json!({"credential": id})).await;
    for method in ["GetProfile", "ListAuditEntries"] {
        let entry = of_method(&found, method)[0];
        let told = (&entry["code"], &entry["refusal"], &entry["customers"]);
        let refused = (
            json!("PERMISSION_DENIED"),
            json!("scope_missing"),
            Json::Null,
        );
        assert_eq!(told, (&refused.0, &refused.1, &refused.2));
    }
    scene.service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_taken_while_too_many_entries_wait() {
    let configure = |config: &mut customer_profile::config::Config| {
        config.audit.max_waiting = 3;
        config.audit.flush_interval = std::time::Duration::from_hours(1);
    };
    let store = TestStore::start(Kind::Memory).await.store;
    let key = Grant::new(&["acme"], &["segments.read"])
        .key(&*store)
        .await
        .expose();
    let service = crate::support::service::Service::start_with(store.clone(), |config| {
        config.auth.insecure = false;
        configure(config);
    })
    .await;
    let mut wire = Wire::connect(service.address, 1 << 20).await;
    let mut codes = Vec::new();
    for _ in 0..10 {
        let method = super::roles::method("ListSegments");
        codes.push(
            super::roles::ask(&mut wire, &method, &json!({}), &key)
                .await
                .code,
        );
    }
    assert_eq!(codes[..3], [Code::Ok; 3]);
    assert_eq!(codes[3..], [Code::Unavailable; 7]);
    for _ in 0..5 {
        let method = super::roles::method("ListErasures");
        let refused = super::roles::ask(&mut wire, &method, &json!({}), &key).await;
        assert_eq!(refused.code, Code::PermissionDenied);
    }
    // A stop writes what waits, and no more: what was refused is not noted.
    service.stop().await;
    let head = store
        .audit_head(&TenantId::new("acme").expect("a name"))
        .await;
    assert_eq!(head.expect("a read").size, 3);
}

/// Entries as servers write them.
async fn write(store: Arc<dyn Store>, tenant: &TenantId, keys: Keys, count: usize) {
    let journal = Arc::new(Journal::new(1_000_000));
    let mut keeper = Keeper::new(journal.clone(), store, keys);
    for id in 0..count {
        let entry = Entry {
            time: Timestamp::from_micros(1_700_000_000_000_000),
            credential: "k".into(),
            method: "ProfileService/GetProfile".into(),
            customers: vec![format!("profiles/{}", id % 100)],
            code: "OK".into(),
            request_id: id.to_string(),
            ..Entry::default()
        };
        journal.note(tenant, entry);
        if id % 977 == 0 {
            keeper.write().await;
        }
    }
    keeper.write().await;
    assert_eq!(journal.count(), 0);
}

/// Ways to change a log in its database, and what verification says of each.
const TAMPERINGS: [(&str, &str); 10] = [
    (
        "UPDATE audit_batch SET body = (SELECT b.body FROM audit_batch AS b WHERE b.first_entry = 1234) \
     WHERE first_entry = 978",
        "entry 978 was changed",
    ),
    (
        "UPDATE audit_batch SET body = '\\x00' WHERE first_entry = 978",
        "entry 978 is missing",
    ),
    (
        "UPDATE audit_batch SET customers = '' WHERE first_entry = 978",
        "entry 978 is missing",
    ),
    (
        "DELETE FROM audit_batch WHERE first_entry = 1",
        "entry 1 is missing",
    ),
    (
        "UPDATE audit_batch SET first_entry = first_entry + 1 WHERE first_entry > 9000",
        "entry 9051 was written as entry 9050",
    ),
    (
        "DELETE FROM audit_batch WHERE first_entry > 9000",
        "entry 9050 is missing",
    ),
    (
        "UPDATE audit_tile SET hashes = substr(hashes, 1, 32) WHERE level = 0 AND number = 39",
        "it has 9985 entries, and had 10000",
    ),
    (
        "UPDATE audit_tile SET hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) WHERE level = 0 AND number = 3",
        "entry 768 was changed",
    ),
    (
        "UPDATE audit_head SET size = 9000",
        "it has 9000 entries, and had 10000",
    ),
    (
        "UPDATE audit_head SET checkpoint = replace(checkpoint, E'\\n10000\\n', E'\\n9000\\n')",
        "its signature is wrong",
    ),
];

fn server(database: &Postgres, settings: &[String]) -> TestServer {
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let server = TestServer::start_unready(&database.url(), &settings);
    server.wait_for("ready");
    server
}

/// A server with a log of some entries, whose key is in a folder.
struct Audited {
    dir: tempfile::TempDir,
    database: Postgres,
    store: Arc<dyn Store>,
    server: TestServer,
    /// A credential that may read the log.
    credential: String,
    /// Arguments of the server.
    settings: Vec<String>,
}

impl Audited {
    /// A log of `count` entries, and a server that writes its own after each interval.
    async fn start(tenant: &TenantId, count: usize, interval: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let database = Postgres::start();
        let url = database.url();
        run(Path::new("/"), ["migrate", "--database-url", &url]).ok();
        let new_key = "audit new-key --name shop --private a.key --public a.pub";
        run(dir.path(), new_key.split(' ')).ok();
        let key_file = dir.path().join("a.key");
        let store: Arc<dyn Store> = Arc::new(postgres(&database).await);
        let created = store.create_tenant(tenant, Timestamp::default()).await;
        assert!(created.expect("a register"));
        let keys = Keys::read(&key_file).expect("keys");
        write(store.clone(), tenant, keys, count).await;
        let grant = Grant::new(&["acme"], &["audit.read", "segments.read"]);
        let credential = grant.key(&*store).await.expose();
        std::fs::write(dir.path().join("token"), &credential).expect("a file");
        let key_file = format!("audit.key_file={}", key_file.display());
        let interval = format!("audit.flush_interval={interval}");
        let settings = ["--set", &key_file, "--set", &interval].map(str::to_owned);
        let settings = [SECURE.map(str::to_owned).to_vec(), settings.to_vec()].concat();
        let server = server(&database, &settings);
        Self {
            dir,
            database,
            store,
            server,
            credential,
            settings,
        }
    }

    /// Another server, after `kill -9` of this one.
    fn killed_and_started(self) -> Self {
        self.server.kill();
        let server = server(&self.database, &self.settings);
        Self { server, ..self }
    }

    async fn wire(&self) -> Wire {
        let address = self.server.address.trim_start_matches("http://");
        Wire::connect(address.parse().expect("an address"), 1 << 20).await
    }

    fn ask(&self, args: &str) -> Run {
        let server = ["--server", &self.server.address, "--token-file", "token"];
        let args: Vec<&str> = args.split(' ').chain(server).collect();
        run(self.dir.path(), args)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.path().join(file), text).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tampering_with_a_log_of_ten_thousand_entries_is_found() {
    let tenant = TenantId::new("acme").expect("a name");
    // It notes what reads it, and writes nothing meanwhile.
    let audited = Audited::start(&tenant, 10_000, "1h").await;
    let sql = |text: &str| audited.database.sql(text);
    audited.write("kept.txt", &audited.ask("audit checkpoint").ok());
    let verify = "audit verify --key-file a.pub --checkpoint kept.txt";
    let sound = audited.ask(verify).ok();
    let expected = "10000 entries, each as it was written; checkpoint signed; 1 kept";
    assert!(sound.starts_with(expected), "{sound}");

    let tables = ["audit_head", "audit_batch", "audit_tile"];
    for table in tables {
        sql(&format!(
            "CREATE TABLE kept_{table} AS SELECT * FROM {table}"
        ));
    }
    for (tampering, told) in TAMPERINGS {
        sql(tampering);
        let found = audited.ask(verify);
        let said = format!("{}{}", found.out, found.err);
        assert!(
            said.contains(told),
            "{tampering}: expected `{told}`\n{said}"
        );
        found.failed(1);
        for table in tables {
            let back = format!("INSERT INTO {table} SELECT * FROM kept_{table}");
            sql(&format!("TRUNCATE {table}; {back}"));
        }
    }
    audited.write("other.pub", &new_keys("shop").1);
    let foreign = audited.ask("audit verify --key-file other.pub").failed(1);
    let unknown = "no key that is known has signed it";
    assert!(foreign.contains(unknown), "{foreign}");
    audited.ask(verify).ok();
    // Stopped, it writes what it noted: the log goes on from where it was.
    let Audited { store, server, .. } = audited;
    assert!(server.stop().success());
    let head = store.audit_head(&tenant).await.expect("a read");
    assert!(head.size > 10_000, "{head:?}");
}
