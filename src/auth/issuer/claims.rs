//! Tenants, scopes, purpose and roles from the claims of a token, by the issuer's settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use profile_core::records::TenantId;
use serde_json::{Map, Value};

use crate::auth::{Failure, Scope, Scopes};

/// Where tenants, scopes and the purpose come from.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) tenants: Tenants,
    /// The claim with the scopes.
    pub(super) scope_claim: String,
    /// Meaning of its values. `None`: they are names of scopes.
    pub(super) scopes: Option<BTreeMap<String, Vec<Scope>>>,
    pub(super) purpose: Purpose,
    pub(super) roles: Roles,
}

/// Where the roles of a token come from.
#[derive(Debug)]
pub(super) enum Roles {
    /// All tokens have these; without any they see everything.
    Fixed(Arc<[String]>),
    /// A claim names them, at least one.
    Claim {
        claim: String,
        /// Meaning of its values. `None`: they are names of roles.
        names: Option<BTreeMap<String, String>>,
    },
}

/// Where the tenants of a token come from.
#[derive(Debug)]
pub(super) enum Tenants {
    /// All tokens are of these.
    Fixed(Vec<TenantId>),
    /// A claim names them.
    Claim {
        claim: String,
        /// Meaning of its values. `None`: they are names of tenants.
        names: Option<BTreeMap<String, TenantId>>,
    },
}

/// Where the purpose of a token comes from.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The request may name any.
    None,
    /// All tokens are for this one.
    Fixed(Arc<str>),
    /// A claim names it, and must.
    Claim(String),
}

impl Claims {
    /// The tenants of a token.
    pub(super) fn tenants(&self, claims: &Map<String, Value>) -> Result<Vec<TenantId>, Failure> {
        let tenants = match &self.tenants {
            Tenants::Fixed(tenants) => tenants.clone(),
            Tenants::Claim { claim, names } => words(claims, claim, false)
                .into_iter()
                .filter_map(|word| match names {
                    Some(names) => names.get(word).cloned(),
                    None => TenantId::new(word),
                })
                .collect(),
        };
        if tenants.is_empty() {
            return Err(Failure::ClaimsRefused);
        }
        Ok(tenants)
    }

    /// The scopes of a token. Unknown values grant nothing.
    pub(super) fn scopes(&self, claims: &Map<String, Value>) -> Scopes {
        let words = words(claims, &self.scope_claim, true);
        match &self.scopes {
            Some(meant) => words
                .into_iter()
                .filter_map(|word| meant.get(word))
                .flatten()
                .copied()
                .collect(),
            None => words.into_iter().filter_map(Scope::of_name).collect(),
        }
    }

    /// The purpose of a token.
    pub(super) fn purpose(&self, claims: &Map<String, Value>) -> Result<Option<Arc<str>>, Failure> {
        match &self.purpose {
            Purpose::None => Ok(None),
            Purpose::Fixed(purpose) => Ok(Some(purpose.clone())),
            Purpose::Claim(claim) => match words(claims, claim, false).as_slice() {
                [purpose] if !purpose.is_empty() => Ok(Some(Arc::from(*purpose))),
                _ => Err(Failure::ClaimsRefused),
            },
        }
    }
}

impl Roles {
    /// The roles of a token. One without a role that counts would see everything: it is refused.
    pub(super) fn of(&self, claims: &Map<String, Value>) -> Result<Arc<[String]>, Failure> {
        let (claim, names) = match self {
            Self::Fixed(roles) => return Ok(roles.clone()),
            Self::Claim { claim, names } => (claim, names),
        };
        let words = words(claims, claim, true).into_iter();
        let roles: Arc<[String]> = match names {
            Some(names) => words.filter_map(|word| names.get(word).cloned()).collect(),
            None => words.map(str::to_owned).collect(),
        };
        if roles.is_empty() {
            return Err(Failure::ClaimsRefused);
        }
        Ok(roles)
    }
}

/// The texts of a claim: one or a list. A list of words may be one text with spaces, as `scope` is
/// (RFC 8693, section 4.2).
fn words<'c>(claims: &'c Map<String, Value>, claim: &str, spaced: bool) -> Vec<&'c str> {
    match find(claims, claim) {
        Some(Value::String(text)) if spaced => text.split_ascii_whitespace().collect(),
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A claim by its name, which may have dots (`https://example.com/tenant`), or by the path to it
/// (`realm_access.roles`).
fn find<'c>(claims: &'c Map<String, Value>, claim: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(claim) {
        return Some(value);
    }
    let (first, rest) = claim.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).expect("an object")
    }

    fn settings(tenants: Tenants, purpose: Purpose) -> Claims {
        Claims {
            tenants,
            scope_claim: "scope".to_owned(),
            scopes: None,
            purpose,
            roles: Roles::Fixed(Arc::default()),
        }
    }

    #[test]
    fn a_claim_is_found_by_its_name_before_the_path_to_it() {
        let token = claims(r#"{"a.b": "name", "a": {"b": "path", "c": {"d": ["x", 7, "y"]}}}"#);
        assert_eq!(words(&token, "a.b", false), ["name"]);
        assert_eq!(words(&token, "a.c.d", false), ["x", "y"]);
        assert_eq!(words(&token, "a.c", false), [""; 0]);
    }

    #[test]
    fn a_token_without_a_tenant_that_counts_is_refused() {
        let by_name = settings(
            Tenants::Claim {
                claim: "org".to_owned(),
                names: None,
            },
            Purpose::None,
        );
        let acme = TenantId::new("acme").expect("a name");
        let of = |json: &str| by_name.tenants(&claims(json));
        assert_eq!(of(r#"{"org": "acme"}"#), Ok(vec![acme.clone()]));
        // A text is one name: with a space it is none.
        for none in [
            "{}",
            r#"{"org": ""}"#,
            r#"{"org": "acme other"}"#,
            r#"{"org": ["../acme"]}"#,
            r#"{"org": 7}"#,
            r#"{"org": {"acme": true}}"#,
        ] {
            assert_eq!(of(none), Err(Failure::ClaimsRefused), "{none}");
        }
        let mapped = settings(
            Tenants::Claim {
                claim: "org".to_owned(),
                names: Some(BTreeMap::from([("org_42".to_owned(), acme.clone())])),
            },
            Purpose::None,
        );
        let of = |json: &str| mapped.tenants(&claims(json));
        assert_eq!(of(r#"{"org": ["org_42", "acme"]}"#), Ok(vec![acme]));
        assert_eq!(of(r#"{"org": "acme"}"#), Err(Failure::ClaimsRefused));
    }

    #[test]
    fn scopes_that_mean_nothing_grant_nothing() {
        let plain = settings(Tenants::Fixed(Vec::new()), Purpose::None);
        let both = Scopes::from_iter([Scope::ProfilesRead, Scope::StatementsWrite]);
        for same in [
            r#"{"scope": "openid profiles.read statements.write"}"#,
            r#"{"scope": ["profiles.read", "statements.write", "*", 7]}"#,
        ] {
            assert_eq!(plain.scopes(&claims(same)), both);
        }
        let mapped = Claims {
            scopes: Some(BTreeMap::from([(
                "agent".to_owned(),
                vec![Scope::ProfilesRead],
            )])),
            scope_claim: "realm_access.roles".to_owned(),
            ..plain
        };
        let token = claims(r#"{"realm_access": {"roles": ["agent", "models.apply"]}}"#);
        let scopes = Scopes::from_iter([Scope::ProfilesRead]);
        assert_eq!(mapped.scopes(&token), scopes);
    }

    #[test]
    fn a_token_without_a_role_that_counts_does_not_see_everything() {
        let of = |names: Option<&[(&str, &str)]>, json: &str| {
            let names = names.map(|names| {
                let names = names
                    .iter()
                    .map(|(word, role)| ((*word).to_owned(), (*role).to_owned()));
                names.collect()
            });
            let claim = "groups".to_owned();
            Roles::Claim { claim, names }
                .of(&claims(json))
                .map(|roles| roles.to_vec())
        };
        let names: &[(&str, &str)] = &[("desk", "agent"), ("qa", "steward")];
        let agent = Ok(vec!["agent".to_owned()]);
        assert_eq!(of(Some(names), r#"{"groups": ["desk", "all"]}"#), agent);
        assert_eq!(of(None, r#"{"groups": "agent"}"#), agent);
        for none in [
            "{}",
            r#"{"groups": []}"#,
            r#"{"groups": ["all", 7]}"#,
            r#"{"groups": ""}"#,
        ] {
            assert_eq!(of(Some(names), none), Err(Failure::ClaimsRefused), "{none}");
        }
        assert_eq!(of(None, "{}"), Err(Failure::ClaimsRefused));
    }

    #[test]
    fn a_purpose_that_a_claim_must_name_is_not_left_out() {
        let by_claim = settings(
            Tenants::Fixed(Vec::new()),
            Purpose::Claim("purpose".to_owned()),
        );
        let of = |json: &str| by_claim.purpose(&claims(json));
        assert_eq!(of(r#"{"purpose": "service"}"#), Ok(Some("service".into())));
        for none in ["{}", r#"{"purpose": ""}"#, r#"{"purpose": ["a", "b"]}"#] {
            assert_eq!(of(none), Err(Failure::ClaimsRefused), "{none}");
        }
    }
}
