//! What the model file says of segments.

use super::forms::{Located, located, text};
use super::keys::keys;
use super::reader::{Fields, Reader, Section};
use crate::model::{Segment, scope};

keys! {
    /// A segment: the customers of whom a condition holds.
    pub(super) struct SegmentKeys as "Segment" => Segment: segment {
        /// The condition: CEL over `traits`, `computed`, `preferences` and `experience`, such as
        /// `computed.revenue_365d > 1000 && experience.nps.last >= 9`. Unknown values are null.
        /// Accessibility needs are not to be had.
        when: Located<String> = required as located(text());
        /// What it is, in words.
        description: String = empty as text();
    }
}

fn segment(keys: SegmentKeys, _: &Fields<'_>, reader: &mut Reader) -> Option<Segment> {
    let Located { value, place } = keys.when;
    let traits = reader.declared.names(Section::Traits);
    let names = scope::of_customers(
        traits,
        reader.declared.computed.clone(),
        reader.declared.is_measured,
    );
    Segment::parse(&value, keys.description, &names, &mut reader.allowance)
        .map_err(|wrong| reader.mistakes(&place, &value, wrong))
        .ok()
}
