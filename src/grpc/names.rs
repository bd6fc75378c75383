//! Resource names on the wire.

use profile_core::records::ProfileId;

/// The resource name of a profile.
pub(super) fn profile_name(id: &ProfileId) -> String {
    format!("profiles/{id}")
}
