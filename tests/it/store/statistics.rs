//! What was computed of all.

use profile_core::records::TenantId;

use customer_profile::store::Store;

use super::build::*;

pub(crate) async fn statistics_are_kept_in_place_of_those_before(store: &dyn Store) {
    let other = TenantId::new("other").expect("a name");
    let kept = async |tenant: &TenantId| store.statistics(tenant).await.expect("a read");
    assert_eq!(kept(&tenant()).await, None);
    let large = "{\"ä\":0}".repeat(100_000);
    for body in ["{}", large.as_str()] {
        store
            .keep_statistics(&tenant(), body)
            .await
            .expect("a write");
        assert_eq!(kept(&tenant()).await.as_deref(), Some(body));
    }
    assert_eq!(kept(&other).await, None);
}
