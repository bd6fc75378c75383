//! The holders of an identifier: the present ones, and where there are none the former ones.

use profile_core::model::Model;
use profile_core::records::{Identifier, ProfileId, Sequence, TenantId};

use crate::store::{self, Store};

/// The names under which the holders of identifiers are looked up, in one read: the identifiers,
/// then those of former holders.
pub(super) fn holder_names(identifiers: &[Identifier], model: &Model) -> Vec<Identifier> {
    let former = identifiers
        .iter()
        .filter(|identifier| model.finds_former(&identifier.kind));
    let former = former.map(Identifier::as_former);
    identifiers.iter().cloned().chain(former).collect()
}

/// For each identifier its present holders, else its former ones, from what was found under each
/// name.
pub(super) fn present_or_former(
    identifiers: &[Identifier],
    names: &[Identifier],
    mut found: Vec<Vec<ProfileId>>,
) -> Vec<Vec<ProfileId>> {
    let former = found.split_off(identifiers.len().min(found.len()));
    let mut former = names[identifiers.len()..].iter().zip(former).peekable();
    let either = |(identifier, present): (&Identifier, Vec<ProfileId>)| {
        let is_next = |(name, _): &(&Identifier, _)| **name == identifier.as_former();
        match former.next_if(is_next) {
            Some((_, before)) if present.is_empty() => before,
            _ => present,
        }
    };
    identifiers.iter().zip(found).map(either).collect()
}

/// The same for one identifier, after a write.
pub(super) async fn holders_after(
    store: &dyn Store,
    tenant: &TenantId,
    identifier: &Identifier,
    write: Sequence,
    (limit, model): (usize, &Model),
) -> Result<Vec<ProfileId>, store::Error> {
    let found = store
        .find_by_identifier_after(tenant, identifier, write, limit)
        .await?;
    if !found.is_empty() || !model.finds_former(&identifier.kind) {
        return Ok(found);
    }
    let former = identifier.as_former();
    store
        .find_by_identifier_after(tenant, &former, write, limit)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_present_holder_goes_before_former_ones() {
        let model = Model::parse(
            "sources: {}\nidentifiers: { email: { priority: 1 }, id: { priority: 2, belongs_to: person } }",
        );
        let model = model.expect("a model");
        let [a, b, c] = [("email", "a"), ("id", "b"), ("email", "c")]
            .map(|(kind, value)| Identifier::new(kind, value));
        let identifiers = [a, b, c];
        let names = holder_names(&identifiers, &model);
        assert_eq!(names.len(), 5);
        let id = |number| ProfileId(uuid::Uuid::from_u128(number));
        let found = vec![vec![id(1)], vec![], vec![], vec![id(2)], vec![id(3)]];
        let holders = present_or_former(&identifiers, &names, found);
        assert_eq!(holders, [vec![id(1)], vec![], vec![id(3)]]);
    }
}
