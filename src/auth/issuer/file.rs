//! The file of issuers (TOML): whom the server trusts, and what their claims mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use profile_core::records::TenantId;
use serde::Deserialize;
use url::{Host, Url};

use super::claims::{Claims, Purpose, Roles, Tenants};
use super::keys::{IssuerKeys, Source};
use super::{Issuer, Options};
use crate::auth::Scope;

/// Why a file of issuers cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct IssuerError {
    path: PathBuf,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    audiences: Vec<String>,
    keys_file: Option<PathBuf>,
    keys_url: Option<String>,
    keys_ca: Option<PathBuf>,
    algorithms: Vec<String>,
    tenants: Option<Vec<String>>,
    tenant_claim: Option<String>,
    tenant_names: Option<BTreeMap<String, String>>,
    scope_claim: Option<String>,
    scopes: Option<BTreeMap<String, Vec<String>>>,
    purpose: Option<String>,
    purpose_claim: Option<String>,
    roles: Option<Vec<String>>,
    role_claim: Option<String>,
    role_names: Option<BTreeMap<String, String>>,
}

/// Reads a file of issuers.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_issuers(path: &Path, options: Options) -> Result<Vec<Arc<Issuer>>, IssuerError> {
    let wrong = |problem| IssuerError {
        path: path.to_owned(),
        problem,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let file: File = toml_edit::de::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let mut issuers: Vec<Arc<Issuer>> = Vec::new();
    for entry in file.issuer {
        let name = entry.issuer.clone();
        if issuers.iter().any(|issuer| issuer.is(&name)) {
            return Err(wrong(format!("issuer {name}: it is there twice")));
        }
        let issuer = entry.issuer(options);
        let issuer = issuer.map_err(|problem| wrong(format!("issuer {name}: {problem}")))?;
        issuers.push(Arc::new(issuer));
    }
    Ok(issuers)
}

impl Entry {
    fn issuer(self, options: Options) -> Result<Issuer, String> {
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err("`audiences` must name this server as the issuer does".to_owned());
        }
        let source = source(self.keys_file, self.keys_url, self.keys_ca)?;
        Ok(Issuer {
            algorithms: algorithms(&self.algorithms)?,
            audiences: self.audiences,
            claims: Claims {
                tenants: tenants(self.tenants, self.tenant_claim, self.tenant_names)?,
                scope_claim: self.scope_claim.unwrap_or_else(|| "scope".to_owned()),
                scopes: self.scopes.map(scopes).transpose()?,
                roles: roles(self.roles, self.role_claim, self.role_names)?,
                purpose: match (self.purpose, self.purpose_claim) {
                    (None, None) => Purpose::None,
                    (Some(purpose), None) => Purpose::Fixed(purpose.into()),
                    (None, Some(claim)) => Purpose::Claim(claim),
                    _ => return Err("`purpose` and `purpose_claim` exclude each other".to_owned()),
                },
            },
            keys: IssuerKeys::new(&self.issuer, source, options),
            name: self.issuer,
        })
    }
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, String> {
    let algorithm = |name: &String| {
        Algorithm::from_str(name)
            .ok()
            .filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
            .ok_or_else(|| {
                format!(
                    "`algorithms`: {name} is none of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA"
                )
            })
    };
    if names.is_empty() {
        return Err("`algorithms` must name those by which the issuer signs".to_owned());
    }
    names.iter().map(algorithm).collect()
}

fn source(
    file: Option<PathBuf>,
    url: Option<String>,
    ca: Option<PathBuf>,
) -> Result<Source, String> {
    let url = match (file, url) {
        (Some(file), None) => return Ok(Source::File(file)),
        (None, Some(url)) => url,
        _ => return Err("one of `keys_file` and `keys_url` must be given".to_owned()),
    };
    let url = Url::parse(&url)
        .ok()
        .filter(is_safe)
        .ok_or("`keys_url` must be https://…")?;
    let mut client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if let Some(path) = ca {
        let pem = std::fs::read(&path)
            .map_err(|error| format!("`keys_ca`: {}: {error}", path.display()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem);
        let certificates = certificates.map_err(|error| format!("`keys_ca`: {error}"))?;
        client = client.tls_certs_only(certificates);
    }
    let client = client.build().map_err(|error| error.to_string())?;
    Ok(Source::Url(url, client))
}

/// Keys that come over an open network unencrypted would be anybody's.
fn is_safe(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

fn tenants(
    fixed: Option<Vec<String>>,
    claim: Option<String>,
    names: Option<BTreeMap<String, String>>,
) -> Result<Tenants, String> {
    let tenant = |name: &str| TenantId::new(name).ok_or_else(|| format!("`{name}` is no tenant"));
    match (fixed, claim, names) {
        (Some(fixed), None, None) if !fixed.is_empty() => {
            let fixed: Result<_, _> = fixed.iter().map(|name| tenant(name)).collect();
            Ok(Tenants::Fixed(fixed?))
        }
        (None, Some(claim), names) => {
            let meant = |(value, name): (String, String)| Ok((value, tenant(&name)?));
            let names = names.map(|names| names.into_iter().map(meant).collect());
            let names = names.transpose().map_err(|error: String| error)?;
            Ok(Tenants::Claim { claim, names })
        }
        _ => Err("`tenants` must name tenants, or `tenant_claim` the claim that does".to_owned()),
    }
}

fn roles(
    fixed: Option<Vec<String>>,
    claim: Option<String>,
    names: Option<BTreeMap<String, String>>,
) -> Result<Roles, String> {
    match (fixed, claim, names) {
        (None, None, None) => Ok(Roles::Fixed(Arc::default())),
        (Some(fixed), None, None) if !fixed.is_empty() => Ok(Roles::Fixed(fixed.into())),
        (None, Some(claim), names) => Ok(Roles::Claim { claim, names }),
        _ => Err(
            "`roles` must name roles, or `role_claim` the claim that does, with or without \
             `role_names`"
                .to_owned(),
        ),
    }
}

fn scopes(meant: BTreeMap<String, Vec<String>>) -> Result<BTreeMap<String, Vec<Scope>>, String> {
    let scope = |name: &String| {
        Scope::of_name(name).ok_or_else(|| format!("`scopes`: `{name}` is no scope"))
    };
    meant
        .into_iter()
        .map(|(value, names)| Ok((value, names.iter().map(scope).collect::<Result<_, _>>()?)))
        .collect()
}
