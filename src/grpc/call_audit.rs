//! One call as the audit log learns of it: gathered while it is served, noted when it is over.
//!
//! The layers know who calls, and how the call ended; the context of the call
//! ([`CallContext`](super::call_context::CallContext)) knows what was asked and of whom the answer
//! speaks, since each request and each answer passes through it. Each message of a stream is an
//! entry of its own, when it is given: a stream may last for days.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use profile_core::records::TenantId;
use tonic::Code;

use super::methods::Method;
use super::naming::Naming;
use crate::audit::{Entry, Journal};
use crate::auth::{Credential, Failure, Scope};
use crate::clock::Clock;
use crate::telemetry::metrics::name_of;

/// Where calls leave their entries, and the time.
#[derive(Clone)]
pub struct AuditTrail {
    /// The entries that are not written yet.
    pub journal: Arc<Journal>,
    /// The time of an entry.
    pub clock: Arc<dyn Clock>,
}

/// A call of a credential, on its way to the log of a tenant.
pub(super) struct CallAudit {
    trail: AuditTrail,
    tenant: TenantId,
    credential: Arc<Credential>,
    method: Method,
    request_id: String,
    gathered: Mutex<Gathered>,
}

/// The longest text that an entry takes of a request, in characters; names of purposes, views and
/// fields have 64 at most.
const MAX_CHARS: usize = 128;
/// The most fields of a mask that an entry takes.
const MAX_FIELDS: usize = 100;
/// Stands for the rest of what was cut.
const REST: &str = "…";

/// A text of a request as an entry takes it.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => [&text[..end], REST].concat(),
        None => text.to_owned(),
    }
}

fn cut_list(texts: &[String]) -> Vec<String> {
    let kept = texts.iter().take(MAX_FIELDS).map(|text| cut(text));
    let rest = (texts.len() > MAX_FIELDS).then(|| REST.to_owned());
    kept.chain(rest).collect()
}

#[derive(Default)]
struct Gathered {
    purpose: String,
    fields: Vec<String>,
    withheld: Vec<String>,
    customers: Vec<String>,
    refusal: &'static str,
}

impl CallAudit {
    pub(super) fn new(
        trail: AuditTrail,
        tenant: TenantId,
        credential: Arc<Credential>,
        (method, request_id): (Method, String),
    ) -> Self {
        Self {
            trail,
            tenant,
            credential,
            method,
            request_id,
            gathered: Mutex::default(),
        }
    }

    /// The call asks for this. It is the caller's word, and cut where it is longer than any that
    /// can be answered.
    pub(super) fn asks(&self, purpose: &str, fields: &[String]) {
        let mut gathered = self.gathered();
        gathered.purpose = cut(purpose);
        gathered.fields = cut_list(fields);
    }

    /// The call is answered with this; the roles did not see some fields.
    pub(super) fn answers(&self, answer: &impl Naming, withheld: Vec<String>) {
        let mut gathered = self.gathered();
        answer.customers(&mut |customer| {
            // The same one comes in a row mostly; the rest is seen to at the end.
            let is_new = gathered
                .customers
                .last()
                .is_none_or(|last| last != customer);
            if !customer.is_empty() && is_new {
                gathered.customers.push(customer.to_owned());
            }
        });
        gathered.withheld = withheld;
    }

    /// Whether too many entries wait.
    pub(super) fn is_behind(&self) -> bool {
        self.trail.journal.is_full()
    }

    /// The call is refused for who makes it.
    pub(super) fn refused(&self, why: Failure) {
        self.gathered().refusal = why.name();
    }

    /// A message of a stream is given.
    pub(super) fn gave_message(&self) {
        let mut gathered = self.gathered();
        let customers = std::mem::take(&mut gathered.customers);
        let withheld = std::mem::take(&mut gathered.withheld);
        if !customers.is_empty() {
            self.note(&gathered, customers, withheld, Code::Ok);
        }
    }

    /// The call is over.
    pub(super) fn ended(&self, code: Code) {
        let mut gathered = self.gathered();
        let customers = std::mem::take(&mut gathered.customers);
        let withheld = std::mem::take(&mut gathered.withheld);
        self.note(&gathered, customers, withheld, code);
    }

    fn note(
        &self,
        gathered: &Gathered,
        mut customers: Vec<String>,
        withheld: Vec<String>,
        code: Code,
    ) {
        customers.sort_unstable();
        customers.dedup();
        let credential = &self.credential;
        let scope = self.method.scope();
        let entry = Entry {
            time: self.trail.clock.now(),
            credential: credential.name.clone(),
            subject: credential.subject.clone(),
            method: self.method.short_name().into(),
            scope: scope.map_or("", Scope::name).into(),
            roles: credential.roles.clone(),
            purpose: gathered.purpose.clone(),
            fields: gathered.fields.clone(),
            withheld,
            customers,
            code: name_of(code).into(),
            refusal: gathered.refusal.into(),
            request_id: self.request_id.clone(),
        };
        self.trail.journal.note(&self.tenant, entry);
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_says_takes_no_more_than_its_place() {
        assert_eq!(cut("service"), "service");
        let long = cut(&"ä".repeat(1_000_000));
        assert!(long.chars().count() == MAX_CHARS + 1 && long.ends_with(REST));
        let few = vec!["name".to_owned(); MAX_FIELDS];
        assert_eq!(cut_list(&few), few);
        let many = cut_list(&vec!["name".to_owned(); 5000]);
        assert_eq!(
            (many.len(), many.last()),
            (MAX_FIELDS + 1, Some(&REST.to_owned()))
        );
    }
}
