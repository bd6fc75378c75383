//! Versions of the model: kept, listed, and one of them in force.

use profile_core::records::{Sequence, TenantId};

use customer_profile::store::{Activation, Changes, Error, ModelVersion, Store};

use super::build::*;

pub(super) fn version(version: i64) -> ModelVersion {
    ModelVersion {
        version,
        file: format!("# version {version}\n{}", "sources: {}\n".repeat(1_000)),
        weights: if version == 2 {
            "{\"prior\":-20}".to_owned()
        } else {
            String::new()
        },
        create_time: time(version),
        note: format!("note {version}"),
    }
}

fn activation(version: i64) -> Activation {
    Activation {
        version,
        sequence: Sequence(version),
        time: time(10 * version),
    }
}

fn added(number: i64) -> Changes {
    Changes {
        models: vec![version(number)],
        ..Changes::default()
    }
}

fn applied(number: i64) -> Changes {
    Changes {
        activation: Some(activation(number)),
        ..added(number)
    }
}

pub(crate) async fn the_model_in_force_is_told_with_every_turn_and_read(store: &dyn Store) {
    let told = async || {
        store
            .profiles(&tenant(), &[id(1)])
            .await
            .expect("a read")
            .model_version
    };
    assert_eq!(
        (
            told().await,
            store.model(&tenant(), None).await.expect("a read")
        ),
        (0, None)
    );
    for number in [1, 2] {
        let turn = store.begin(&tenant()).await.expect("a turn");
        assert_eq!(turn.model_version(), number - 1);
        turn.commit(time(9), &applied(number))
            .await
            .expect("a commit");
        assert_eq!(told().await, number);
        let by_identifier = store
            .find_by_identifiers(&tenant(), &[email("a@x")], 1)
            .await
            .expect("a read");
        let by_record = store
            .find_by_records(&tenant(), &[key("1")])
            .await
            .expect("a read");
        assert_eq!(
            (by_identifier.model_version, by_record.model_version),
            (number, number)
        );
        let mut snapshot = store.snapshot(&tenant()).await.expect("a snapshot");
        assert_eq!(snapshot.model_in_force().await.expect("a read"), number);
        let in_force = store
            .model(&tenant(), None)
            .await
            .expect("a read")
            .expect("a model");
        assert_eq!(
            (in_force.model, in_force.activation),
            (version(number), Some(activation(number)))
        );
    }
    let turn = store
        .begin(&TenantId::new("other").expect("a name"))
        .await
        .expect("a turn");
    assert_eq!(turn.model_version(), 0);
}

pub(crate) async fn versions_are_listed_latest_first(store: &dyn Store) {
    put(store, &applied(1)).await;
    put(store, &added(2)).await;
    put(store, &applied(3)).await;
    let listed = async |before, limit| {
        let listed = store
            .list_models(&tenant(), before, limit)
            .await
            .expect("a read");
        listed
            .into_iter()
            .map(|stored| (stored.model.version, stored.activation.is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(None, 9).await, [(3, true), (2, false), (1, true)]);
    assert_eq!(listed(None, 1).await, [(3, true)]);
    assert_eq!(listed(Some(3), 1).await, [(2, false)]);
    assert_eq!(listed(Some(1), 9).await, []);
    let second = store
        .model(&tenant(), Some(2))
        .await
        .expect("a read")
        .expect("a model");
    assert_eq!((second.model, second.activation), (version(2), None));
    assert_eq!(store.model(&tenant(), Some(4)).await.expect("a read"), None);
    let nobody = TenantId::new("nobody").expect("a name");
    assert_eq!(
        store.list_models(&nobody, None, 9).await.expect("a read"),
        []
    );
    assert_eq!(store.model(&nobody, Some(1)).await.expect("a read"), None);
    let mut snapshot = store.snapshot(&nobody).await.expect("a snapshot");
    assert_eq!(snapshot.model_in_force().await.expect("a read"), 0);
}

pub(crate) async fn a_version_is_stored_once_and_comes_into_force_once(store: &dyn Store) {
    put(store, &applied(1)).await;
    let again = Changes {
        activation: Some(activation(1)),
        ..Changes::default()
    };
    for changes in [added(1), again] {
        let refused = write(store, &tenant(), &changes).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
}
