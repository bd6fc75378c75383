//! Customers and times on the command line.

use std::str::FromStr;

use crate::grpc::v1::{self, profile_key::Key};

/// `profiles/ID`, `record:SOURCE/KEY` or `TYPE:VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CustomerKey(Key);

/// Its description in `--help`.
pub(super) const HELP: &str = "Customer: an identifier as TYPE:VALUE (email:ann@shop.com), a source's record as \
                               record:SOURCE/KEY, or a profile as profiles/ID";

impl FromStr for CustomerKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a customer; expected TYPE:VALUE, record:SOURCE/KEY or profiles/ID"
            )
        };
        if text.starts_with("profiles/") {
            return Ok(Self(Key::Name(text.to_owned())));
        }
        let (kind, value) = text
            .split_once(':')
            .filter(|(kind, value)| !kind.is_empty() && !value.is_empty())
            .ok_or_else(wrong)?;
        if kind != "record" {
            return Ok(Self(Key::Identifier(v1::Identifier {
                r#type: kind.to_owned(),
                value: value.to_owned(),
                ..Default::default()
            })));
        }
        let (source, key) = value.split_once('/').ok_or_else(wrong)?;
        Ok(Self(Key::Record(v1::RecordKey {
            source: source.to_owned(),
            key: key.to_owned(),
        })))
    }
}

impl From<CustomerKey> for v1::ProfileKey {
    fn from(CustomerKey(key): CustomerKey) -> Self {
        Self { key: Some(key) }
    }
}

/// An instant, as RFC 3339 has it.
pub(super) fn instant(text: &str) -> Result<prost_types::Timestamp, String> {
    let instant: jiff::Timestamp = text
        .parse()
        .map_err(|_| "expected a time like 1998-01-31T00:00:00Z".to_owned())?;
    Ok(prost_types::Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_key_is_told_by_its_form() {
        let key = |text: &str| text.parse::<CustomerKey>().map(|CustomerKey(key)| key);
        let identifier = v1::Identifier {
            r#type: "email".to_owned(),
            value: "a:b@c.d".to_owned(),
            ..Default::default()
        };
        assert_eq!(key("email:a:b@c.d"), Ok(Key::Identifier(identifier)));
        let record = v1::RecordKey {
            source: "web".to_owned(),
            key: "a/b".to_owned(),
        };
        assert_eq!(key("record:web/a/b"), Ok(Key::Record(record)));
        assert_eq!(key("profiles/7"), Ok(Key::Name("profiles/7".to_owned())));
        for wrong in ["", "ann@shop.com", "email:", ":x", "record:web"] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
