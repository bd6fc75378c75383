//! Copies of values that outlive what they were borrowed from.

use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelDuration, CelInt, CelList, CelMap, CelNull, CelOptional,
    CelString, CelTimestamp, CelType, CelUInt,
};
use cel::common::value::Val;

use super::number::{CelDecimal, Unkept};

/// Copies a value so that it borrows nothing; none for a value that no expression has.
pub(super) fn copied(value: &dyn Val) -> Option<Box<dyn Val>> {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return Some(Box::new(CelString::from(text.inner().to_owned())));
    }
    if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        return Some(Box::new(CelBytes::from(bytes.inner().to_vec())));
    }
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        let items = list.inner().iter().map(|item| copied(item.as_ref()));
        let items: Vec<Box<dyn Val>> = items.collect::<Option<_>>()?;
        return Some(Box::new(CelList::from(items)));
    }
    if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        let entries = map
            .inner()
            .iter()
            .map(|(key, value)| Some((key.clone().into_static(), copied(value.as_ref())?)));
        let entries: std::collections::HashMap<_, _> = entries.collect::<Option<_>>()?;
        return Some(Box::new(CelMap::from(entries)));
    }
    if let Some(optional) = value.downcast_ref::<CelOptional<'_>>() {
        return Some(Box::new(match optional.option() {
            Some(inner) => CelOptional::of(copied(inner)?),
            None => CelOptional::none(),
        }));
    }
    // The others borrow nothing.
    value.as_any()?;
    scalar(value)
}

fn scalar(value: &dyn Val) -> Option<Box<dyn Val>> {
    macro_rules! first {
        ($($kind:ty),+) => {
            $(if let Some(found) = value.downcast_ref::<$kind>() {
                return Some(found.clone_as_boxed());
            })+
        };
    }
    first!(
        CelInt,
        CelDecimal,
        CelBool,
        CelNull,
        CelTimestamp,
        CelDuration,
        CelType,
        CelDouble,
        CelUInt,
        Unkept
    );
    None
}
