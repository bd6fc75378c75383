//! Forms whose values are taken further: by a function, with their place, or later.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Form;
use super::many::List;
use crate::model::file::reader::{At, Place, Reader};
use crate::model::file::schema::Definitions;
use crate::model::file::tree::Node;

/// A form whose value a function takes further.
pub(in crate::model::file) struct Then<F: Form, T> {
    form: F,
    then: fn(F::Value, &At<'_>, &mut Reader) -> Option<T>,
}

pub(in crate::model::file) fn then<F: Form, T>(
    form: F,
    then: fn(F::Value, &At<'_>, &mut Reader) -> Option<T>,
) -> Then<F, T> {
    Then { form, then }
}

/// Values without order, each once.
pub(in crate::model::file) fn set<F: Form<Value: Ord>>(
    list: List<F>,
) -> Then<List<F>, BTreeSet<F::Value>> {
    then(list, |values, _, _| Some(values.into_iter().collect()))
}

impl<F: Form, T> Form for Then<F, T> {
    type Value = T;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<T> {
        let value = self.form.read(at, reader)?;
        (self.then)(value, at, reader)
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        self.form.schema(definitions)
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(in crate::model::file) struct Located<T> {
    pub(in crate::model::file) value: T,
    pub(in crate::model::file) place: Place,
}

/// A form whose value keeps its place, for what is checked later.
pub(in crate::model::file) struct Locating<F>(F);

pub(in crate::model::file) fn located<F: Form>(form: F) -> Locating<F> {
    Locating(form)
}

impl<F: Form> Form for Locating<F> {
    type Value = Located<F::Value>;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Self::Value> {
        let value = self.0.read(at, reader)?;
        let place = at.place();
        Some(Located { value, place })
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        self.0.schema(definitions)
    }
}

/// A value that is read later, or not at all.
pub(in crate::model::file) struct Deferred<F> {
    form: F,
    node: Node,
    path: String,
}

impl<F: Form> Deferred<F> {
    pub(in crate::model::file) fn read(&self, reader: &mut Reader) -> Option<F::Value> {
        self.form.read(&self.at(), reader)
    }

    pub(in crate::model::file) fn place(&self) -> Place {
        self.at().place()
    }

    fn at(&self) -> At<'_> {
        At {
            node: &self.node,
            path: self.path.clone(),
        }
    }
}

/// A form whose value is read later.
pub(in crate::model::file) struct Deferring<F>(fn() -> F);

pub(in crate::model::file) fn deferred<F: Form>(form: fn() -> F) -> Deferring<F> {
    Deferring(form)
}

impl<F: Form> Form for Deferring<F> {
    type Value = Deferred<F>;

    fn read(&self, at: &At<'_>, _: &mut Reader) -> Option<Self::Value> {
        Some(Deferred {
            form: (self.0)(),
            node: at.node.clone(),
            path: at.path.clone(),
        })
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        (self.0)().schema(definitions)
    }
}
