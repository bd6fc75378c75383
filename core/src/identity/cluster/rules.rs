//! Shared identifiers as proposals to join their holders.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::identity::context::{Context, people};
use crate::identity::features::Features;
use crate::identity::keys::BlockingKey;
use crate::model::{BelongsTo, Model};
use crate::records::{Identifier, Record};

/// A proposal to join all who hold an identifier.
pub(super) struct Rule<'a> {
    pub(super) belongs_to: BelongsTo,
    priority: u32,
    identifier: Identifier,
    /// Whether more people hold it than its type allows: it joins nobody.
    pub(super) over_shared: bool,
    /// Indexes of the records that hold it, ascending.
    pub(super) holders: Vec<usize>,
    /// Those of the records that held it before, ascending.
    pub(super) former: Vec<usize>,
    pub(super) kind: &'a str,
}

/// An identifier by type and value, most of them of one record alone.
type Held<'a> = (Cow<'a, str>, Cow<'a, str>);

/// All proposals, strongest first.
pub(super) fn all<'a>(
    records: &[(&Record, &Features)],
    context: &Context,
    model: &'a Model,
) -> Vec<Rule<'a>> {
    let mut holders: BTreeMap<Held<'_>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, (record, features)) in records.iter().enumerate() {
        for (kind, held) in record.identifier_values() {
            let key = BlockingKey::of_value(kind, &held.value);
            if features.ids.iter().any(|id| id.key == key) {
                let identifier = (kind.into(), held.value.as_str().into());
                holders.entry(identifier).or_default().0.push(index);
            }
        }
        let tells = |held: &Identifier| {
            model.links_former(held)
                && !context.is_generic(BlockingKey::of(&held.as_former()))
                && Features::tell(held, model)
        };
        for identifier in record.former_identifiers().filter(tells) {
            let Identifier { kind, value } = identifier;
            let identifier = (kind.into(), value.into());
            holders.entry(identifier).or_default().1.push(index);
        }
    }
    let mut rules: Vec<Rule<'a>> = holders
        .into_iter()
        .filter(|((kind, value), (holders, former))| {
            holders.len() + former.len() > 1
                && !context.is_generic(BlockingKey::of_value(kind, value))
        })
        .filter_map(|((kind, value), (holders, former))| {
            let identifier = Identifier::new(kind, value);
            let (name, kind) = model.identifiers.get_key_value(&identifier.kind)?;
            let people = people(holders.iter().map(|&index| records[index].1));
            Some(Rule {
                belongs_to: kind.belongs_to,
                priority: kind.priority,
                identifier,
                over_shared: kind.max_profiles.is_some_and(|max| people > max),
                holders,
                former,
                kind: name,
            })
        })
        .collect();
    rules.sort_by(|a, b| (a.priority, &a.identifier).cmp(&(b.priority, &b.identifier)));
    rules
}
