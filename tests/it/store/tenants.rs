//! What one tenant says is not there for another.

use profile_core::records::{Sequence, TenantId};

use customer_profile::store::{Changes, EventPage, Store};

use super::build::*;

fn named(name: &str) -> TenantId {
    TenantId::new(name).expect("a tenant's name")
}

/// The same keys in each tenant, with a content that tells whose they are.
fn changes(number: i64) -> Changes {
    let (shop, mine) = (key("1"), id(u128::try_from(number).expect("small")));
    let of_number = |mut said: customer_profile::store::StoredStatement| {
        said.receive_time = time(number);
        said
    };
    Changes {
        statements: vec![of_number(statement(&shop, 1, Sequence(1), 0))],
        records: vec![record(&shop, Some(mine), &number.to_string())],
        added_identifiers: vec![(email("a@x"), shop.clone())],
        added_terms: vec![term("ann", "name", &shop)],
        events: vec![profile_core::records::Event {
            receive_time: time(number),
            ..event(&shop, "e", 1)
        }],
        profiles: vec![live(mine, number), live(id(100), number)],
        memberships: vec![membership(&shop, Sequence(1), Some(mine))],
        ..Changes::default()
    }
}

pub(crate) async fn same_keys_in_two_tenants_never_mix(store: &dyn Store) {
    let tenants = [(1, named("one")), (2, named("two"))];
    for (number, tenant) in &tenants {
        write(store, tenant, &changes(*number))
            .await
            .expect("a write");
    }
    for (number, tenant) in &tenants {
        let (mine, theirs) = (
            id(u128::try_from(*number).expect("small")),
            id(u128::try_from(3 - number).expect("small")),
        );
        let profiles = store
            .profiles(tenant, &[mine, theirs])
            .await
            .expect("a read");
        assert_eq!(profiles.sequence.0, 1);
        assert_eq!(
            profiles.value[0].as_ref().expect("mine").records,
            changes(*number).records
        );
        assert_eq!(profiles.value[1], None);
        assert_eq!(
            store
                .find_by_identifiers(tenant, &[email("a@x")], 9)
                .await
                .expect("a read")
                .value,
            [[mine]]
        );
        assert_eq!(
            store
                .find_by_records(tenant, &[key("1")])
                .await
                .expect("a read")
                .value,
            [Some(mine)]
        );
        rows_are_mine(store, tenant, *number).await;
        loads_are_mine(store, tenant, *number).await;
    }
}

async fn rows_are_mine(store: &dyn Store, tenant: &TenantId, number: i64) {
    let mine = id(u128::try_from(number).expect("small"));
    let hits = store
        .find_by_terms(tenant, &beginning(&["a"], None, 9))
        .await
        .expect("a read");
    assert_eq!(
        hits.iter().map(|hit| hit.profile).collect::<Vec<_>>(),
        [mine]
    );
    let page = EventPage {
        limit: 9,
        ..EventPage::default()
    };
    assert_eq!(
        store
            .list_events(tenant, &[key("1")], &page)
            .await
            .expect("a read"),
        changes(number).events
    );
    assert_eq!(
        store
            .list_statements(tenant, &key("1"))
            .await
            .expect("a read"),
        changes(number).statements
    );
    assert_eq!(
        store
            .list_memberships(tenant, &key("1"))
            .await
            .expect("a read"),
        changes(number).memberships
    );
}

async fn loads_are_mine(store: &dyn Store, tenant: &TenantId, number: i64) {
    let mut transaction = store.begin(tenant).await.expect("a turn");
    let mine = changes(number);
    assert_eq!(
        transaction
            .reads()
            .records(&[key("1")])
            .await
            .expect("a load"),
        mine.records
    );
    let holders = transaction
        .reads()
        .holders(&[email("a@x")], 9)
        .await
        .expect("a load");
    assert_eq!(holders, [(email("a@x"), mine.records[0].clone())]);
    assert_eq!(
        transaction
            .reads()
            .profile_rows(&[id(100)])
            .await
            .expect("a load"),
        [live(id(100), number)]
    );
    // What is removed here stays there.
    let removal = Changes {
        removed_identifiers: vec![(email("a@x"), key("1"))],
        removed_terms: vec![term("ann", "name", &key("1"))],
        ..Changes::default()
    };
    transaction
        .commit(time(9), &removal)
        .await
        .expect("a commit");
}

pub(crate) async fn an_unknown_tenant_has_nothing(store: &dyn Store) {
    write(store, &named("one"), &changes(1))
        .await
        .expect("a write");
    let nobody = named("nobody");
    let profiles = store.profiles(&nobody, &[id(1)]).await.expect("a read");
    assert_eq!((profiles.sequence.0, &profiles.value[0]), (0, &None));
    assert_eq!(
        store
            .find_by_identifiers(&nobody, &[email("a@x")], 9)
            .await
            .expect("a read")
            .value,
        [vec![]]
    );
    let mut transaction = store.begin(&nobody).await.expect("a turn");
    assert_eq!(transaction.sequence().0, 1);
    assert_eq!(
        transaction
            .reads()
            .records(&[key("1")])
            .await
            .expect("a load"),
        []
    );
    let (said, happened) = (&changes(1).statements[0].key, changes(1).events[0].key());
    assert_eq!(
        transaction
            .reads()
            .known_statements(std::slice::from_ref(said))
            .await
            .expect("a load"),
        []
    );
    assert_eq!(
        transaction
            .reads()
            .known_events(&[happened])
            .await
            .expect("a load"),
        []
    );
}
