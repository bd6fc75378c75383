//! Scopes: what a credential may do. Every method of the proto files names the one that it needs.

use std::fmt;

macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $scope:ident = $name:literal, $reads:literal;)+) => {
        /// A part of the API that a credential may use.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Scope {
            $($(#[doc = $doc])+ $scope,)+
        }

        impl Scope {
            /// All scopes, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$scope,)+];

            /// Its name in the proto files, in API keys and in tokens.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$scope => $name,)+
                }
            }

            /// Whether its methods answer with what is known of customers. A credential that is
            /// bound to a purpose calls only those of them that take a purpose.
            #[must_use]
            pub fn reads_customers(self) -> bool {
                match self {
                    $(Self::$scope => $reads,)+
                }
            }
        }
    };
}

scopes! {
    /// The audit log: callers, and the customers that they asked about.
    AuditRead = "audit.read", true;
    /// Metrics of one customer or of all.
    ExperienceRead = "experience.read", true;
    /// Merging, splitting, deciding about pairs, taking decisions back.
    IdentityDecide = "identity.decide", false;
    /// Explanations, pairs that wait, households, the history of decisions.
    IdentityRead = "identity.read", true;
    /// Putting a model in force, or training one.
    ModelsApply = "models.apply", false;
    /// Plans: the changes that a model would make.
    ModelsPlan = "models.plan", true;
    /// Models and their mappings.
    ModelsRead = "models.read", false;
    /// Preferences, consents, and whether a contact is permitted.
    PreferencesRead = "preferences.read", true;
    /// Setting preferences, recording consents.
    PreferencesWrite = "preferences.write", false;
    /// Erasing customers, and taking their tombstones away.
    PrivacyErase = "privacy.erase", false;
    /// All that is known of a customer, to be given out.
    PrivacyExport = "privacy.export", true;
    /// Receipts of erasures.
    PrivacyRead = "privacy.read", false;
    /// Profiles, timelines, objects and contexts of customers that the caller names.
    ProfilesRead = "profiles.read", true;
    /// Finding customers by names and other words.
    ProfilesSearch = "profiles.search", true;
    /// Changes of all profiles, as they happen.
    ProfilesWatch = "profiles.watch", true;
    /// Dead letters, publishing them again, resetting a publication.
    PublicationsManage = "publications.manage", true;
    /// How publishing goes.
    PublicationsRead = "publications.read", false;
    /// Segments and their members.
    SegmentsRead = "segments.read", true;
    /// Saying what a source knows.
    StatementsWrite = "statements.write", false;
}

impl Scope {
    /// The scope of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|scope| scope.name() == name).copied()
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    /// Whether a scope is in the set.
    #[must_use]
    pub fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let bits = scopes.into_iter().map(|scope| 1 << scope as u32);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = Scope::ALL.iter().filter(|scope| self.has(**scope));
        f.debug_set().entries(has).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_found_by_its_name_and_alone_in_its_set() {
        assert!(Scope::ALL.len() <= 32);
        for scope in Scope::ALL {
            assert_eq!(Scope::of_name(scope.name()), Some(*scope));
            let alone = Scopes::from_iter([*scope]);
            let has = Scope::ALL.iter().filter(|other| alone.has(**other));
            assert_eq!(has.collect::<Vec<_>>(), [scope]);
        }
        assert_eq!(Scope::of_name("profiles.*"), None);
    }
}
