//! Why a call is refused, before it is looked at what it asks for.

macro_rules! failures {
    ($($(#[doc = $doc:literal])+ $failure:ident = $name:literal, $answer:ident;)+) => {
        /// Why a call is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Failure {
            $($(#[doc = $doc])+ $failure,)+
        }

        impl Failure {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$failure,)+];

            /// The reason as a metric's label and in the log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$failure => $name,)+
                }
            }

            /// The part of it that the caller learns.
            #[must_use]
            pub fn answer(self) -> Answer {
                match self {
                    $(Self::$failure => Answer::$answer,)+
                }
            }
        }
    };
}

/// A refusal as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// There is no credential.
    Missing,
    /// The credential does not count; not why.
    Invalid,
    /// The server cannot tell now whether it counts.
    Unavailable,
    /// The credential lacks the method's scope.
    Scope,
    /// The credential is of another tenant.
    Tenant,
    /// The credential is of several tenants, and the call names none.
    TenantRequired,
    /// The tenant does not exist.
    TenantMissing,
    /// The credential is for another purpose.
    Purpose,
    /// The tenant's model does not declare a role of the credential.
    Role,
    /// Its roles may not look customers up so.
    Lookup,
    /// Its roles do not see everything that the method answers.
    Fields,
}

failures! {
    /// No `authorization`.
    Missing = "missing", Missing;
    /// It is no `Bearer` credential.
    Malformed = "malformed", Invalid;
    /// No key that counts has this id: unknown or revoked.
    UnknownKey = "unknown_key", Invalid;
    /// The key's secret is another one.
    WrongSecret = "wrong_secret", Invalid;
    /// The API key has reached its end.
    KeyExpired = "key_expired", Invalid;
    /// The keys could not be read lately.
    KeysUnknown = "keys_unknown", Unavailable;
    /// The token is larger than any that is taken.
    TokenTooLarge = "token_too_large", Invalid;
    /// The token cannot be read, is not signed, or holds another token.
    TokenMalformed = "token_malformed", Invalid;
    /// No issuer of this name is known.
    UnknownIssuer = "unknown_issuer", Invalid;
    /// The issuer may not sign by this algorithm.
    AlgorithmRefused = "algorithm_refused", Invalid;
    /// The issuer has no such key.
    UnknownKeyId = "unknown_key_id", Invalid;
    /// The issuer's keys were never there.
    IssuerUnavailable = "issuer_unavailable", Unavailable;
    /// The signature is another one's.
    WrongSignature = "wrong_signature", Invalid;
    /// The token is for somebody else.
    WrongAudience = "wrong_audience", Invalid;
    /// The token is expired, or does not say when it ends.
    TokenExpired = "token_expired", Invalid;
    /// The token does not hold yet.
    TokenNotYet = "token_not_yet", Invalid;
    /// The token's claims lead to no tenant, or to no purpose where they must.
    ClaimsRefused = "claims_refused", Invalid;
    /// The credential lacks the method's scope.
    ScopeMissing = "scope_missing", Scope;
    /// The credential is of another tenant.
    TenantRefused = "tenant_refused", Tenant;
    /// The credential is of several tenants, and the call names none.
    TenantRequired = "tenant_required", TenantRequired;
    /// The credential is of the tenant, and nobody has created it, or it was deleted.
    TenantMissing = "tenant_missing", TenantMissing;
    /// The credential is for another purpose, or for one and the method takes none.
    PurposeRefused = "purpose_refused", Purpose;
    /// The tenant's model does not declare a role of the credential.
    RoleUnknown = "role_unknown", Role;
    /// The roles may not look customers up by what the request names.
    LookupRefused = "lookup_refused", Lookup;
    /// The method answers everything or nothing, and the roles do not see everything.
    FieldsRefused = "fields_refused", Fields;
    /// The credential ended while a stream was open.
    Ended = "ended", Invalid;
}
