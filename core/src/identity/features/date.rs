//! Dates of birth, as the model reads them.

pub(in crate::identity) use crate::model::Date;
