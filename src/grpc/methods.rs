//! The register of methods, read from the descriptors of the proto files: whatever is declared
//! there has a name of its own in metrics, logs and traces, the deadline rule that fits it, and an
//! entry in the health service.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor, ServiceDescriptor};

use super::FILE_DESCRIPTOR_SET;
use crate::auth::Scope;

/// The method name of all calls to methods that this server does not have, so that logs and figures
/// are bounded.
const OTHER: &str = "_OTHER";

/// The package of this project's services.
const OWN_PACKAGE: &str = "customer.profile.v1.";

/// The health service.
const HEALTH: &str = "grpc.health.v1.Health";

/// The option by which a method names its scope.
const SCOPE: &str = "customer.profile.v1.scope";

/// The stream of changes. It lasts and mostly waits, so it has limits of its own.
const WATCH: &str = "customer.profile.v1.ProfileService/WatchProfiles";

/// A method, as metrics, logs and traces name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Method {
    /// `package.Service/Method`, or `_OTHER`.
    pub(super) name: &'static str,
    /// Whether the caller, the server or both send a stream. Only unary calls get a default
    /// deadline.
    pub(super) streams: bool,
    /// Whether the caller sends a stream.
    pub(super) sends_stream: bool,
    /// The credential that it needs.
    pub(super) access: Access,
}

/// The credential that a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// The health service needs no credential: load balancers ask it, and it tells only whether the
    /// server serves.
    Open,
    /// Any: reflection, and methods that do not exist.
    Credential,
    /// One with this scope.
    Scope(Scope),
    /// No credential suffices: the method names no scope that this version knows.
    Nobody,
}

/// How calls of a method are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Towards `grpc.max_concurrent_requests`.
    Work,
    /// Among streams, which mostly wait.
    Stream,
    /// Among those of the health service, or an overloaded server would be restarted.
    Health,
    /// Among watches, which have limits of their own.
    Watch,
}

impl Method {
    /// The method of a request path.
    pub(super) fn of_path(path: &str) -> Self {
        let found = METHODS.get(path.trim_start_matches('/'));
        found.copied().unwrap_or(Self {
            name: OTHER,
            streams: false,
            sends_stream: false,
            access: Access::Credential,
        })
    }

    /// Its name without the package: `Service/Method`.
    pub(super) fn short_name(&self) -> &'static str {
        let is_own = self.name.strip_prefix(OWN_PACKAGE);
        is_own.unwrap_or(self.name)
    }

    /// The scope that it needs.
    pub(super) fn scope(&self) -> Option<Scope> {
        match self.access {
            Access::Scope(scope) => Some(scope),
            Access::Open | Access::Credential | Access::Nobody => None,
        }
    }

    /// How its calls are counted.
    pub(super) fn class(&self) -> Class {
        match self.name {
            WATCH => Class::Watch,
            name if name.starts_with(HEALTH) => Class::Health,
            _ if self.streams => Class::Stream,
            _ => Class::Work,
        }
    }

    /// Whether this server does not have it.
    pub(super) fn is_unknown(&self) -> bool {
        self.name == OTHER
    }

    /// Whether it is of this project's own services, and not of a library's.
    pub(super) fn is_own(&self) -> bool {
        self.name.starts_with(OWN_PACKAGE)
    }
}

/// The names of this project's services, in order: what the health service reports on, beside the
/// server as a whole.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    OWN_SERVICES.iter().map(String::as_str)
}

static OWN_SERVICES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut names: Vec<String> = services(&[FILE_DESCRIPTOR_SET])
        .iter()
        .map(|service| service.full_name().to_owned())
        .collect();
    names.sort_unstable();
    names
});

/// The descriptors of all services of this server, also those of libraries.
const SETS: [&[u8]; 4] = [
    FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

/// Each method by its name.
static METHODS: LazyLock<HashMap<&'static str, Method>> = LazyLock::new(|| {
    let pool = pool();
    let scope = pool.get_extension_by_name(SCOPE);
    let services: Vec<_> = pool.services().collect();
    let methods = services.iter().flat_map(ServiceDescriptor::methods);
    methods
        .map(|method| {
            let service = method.parent_service().full_name().to_owned();
            // Once for all, and few.
            let name: &'static str = format!("{service}/{}", method.name()).leak();
            let access = match name {
                _ if service == HEALTH => Access::Open,
                _ if service.starts_with(OWN_PACKAGE) => declared(&method, scope.as_ref()),
                _ => Access::Credential,
            };
            let described = Method {
                name,
                streams: method.is_client_streaming() || method.is_server_streaming(),
                sends_stream: method.is_client_streaming(),
                access,
            };
            (name, described)
        })
        .collect()
});

/// The credential that one of this project's methods needs, by its option.
fn declared(method: &MethodDescriptor, scope: Option<&ExtensionDescriptor>) -> Access {
    let options = method.options();
    let scope = scope
        .filter(|scope| options.has_extension(scope))
        .and_then(|scope| Scope::of_name(options.get_extension(scope).as_str()?));
    scope.map_or(Access::Nobody, Access::Scope)
}

/// The services of descriptor sets. The sets are compiled in; one that cannot be read fails every
/// test of this module.
fn services(sets: &[&[u8]]) -> Vec<ServiceDescriptor> {
    pool_of(sets).services().collect()
}

/// All descriptors of this server.
pub(super) fn pool() -> DescriptorPool {
    pool_of(&SETS)
}

fn pool_of(sets: &[&[u8]]) -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    for set in sets {
        if let Err(error) = pool.decode_file_descriptor_set(*set) {
            tracing::error!(%error, "a compiled-in descriptor set cannot be read; its methods have no names");
        }
    }
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_of_the_descriptors_has_its_own_name() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let mut count = 0;
        for service in pool.services() {
            assert!(
                service_names().any(|name| name == service.full_name()),
                "{}",
                service.full_name()
            );
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let found = Method::of_path(&path);
                assert_eq!(format!("/{}", found.name), path);
                assert_eq!(
                    found.streams,
                    method.is_client_streaming() || method.is_server_streaming(),
                    "{path}"
                );
                assert_eq!(
                    (found.sends_stream, found.is_own()),
                    (method.is_client_streaming(), true),
                    "{path}"
                );
                count += 1;
            }
        }
        assert!(count >= 43, "{count} methods");
    }

    #[test]
    fn methods_of_the_library_services_are_known() {
        for (path, streams) in [
            ("/grpc.health.v1.Health/Check", false),
            ("/grpc.health.v1.Health/Watch", true),
            (
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                true,
            ),
            (
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                true,
            ),
        ] {
            let method = Method::of_path(path);
            assert_eq!(
                (format!("/{}", method.name).as_str(), method.streams),
                (path, streams)
            );
        }
    }

    #[test]
    fn each_method_names_a_scope_and_each_scope_has_a_method() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let mut scopes = std::collections::HashSet::new();
        for service in pool.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let scope = Method::of_path(&path).scope();
                scopes.insert(scope.unwrap_or_else(|| panic!("{path} names no scope")));
            }
        }
        assert_eq!(scopes.len(), Scope::ALL.len(), "{scopes:?}");
    }

    #[test]
    fn the_page_about_security_lists_each_scope_with_its_methods() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
        let mut services: Vec<_> = pool.services().collect();
        services.sort_by_key(|service| service.full_name().to_owned());
        let mut rows = std::collections::BTreeMap::<_, Vec<_>>::new();
        for method in services.iter().flat_map(ServiceDescriptor::methods) {
            let path = format!("{}/{}", method.parent_service().full_name(), method.name());
            let scope = Method::of_path(&path).scope().expect("a scope").name();
            let methods = rows.entry(scope).or_default();
            methods.push(format!("`{}`", method.name()));
        }
        let rows = rows
            .iter()
            .map(|(scope, methods)| format!("| `{scope}` | {} |\n", methods.join(", ")));
        let table = format!(
            "| scope | methods |\n|---|---|\n{}\n",
            rows.collect::<String>()
        );
        assert!(
            include_str!("../../docs/security.md").contains(&table),
            "docs/security.md is to have this table:\n{table}"
        );
    }

    #[test]
    fn health_is_open_and_reflection_is_for_those_who_have_a_credential() {
        for (path, access) in [
            ("/grpc.health.v1.Health/Check", Access::Open),
            ("/grpc.health.v1.Health/Watch", Access::Open),
            (
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                Access::Credential,
            ),
            (
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                Access::Credential,
            ),
            ("/grpc.health.v1.Health/Nonsense", Access::Credential),
        ] {
            assert_eq!(Method::of_path(path).access, access, "{path}");
        }
    }

    #[test]
    fn methods_that_are_not_served_share_one_name() {
        for path in [
            "/customer.profile.v1.ProfileService/Nonsense",
            "/",
            "",
            "/a/b/c",
        ] {
            assert_eq!(
                Method::of_path(path),
                Method {
                    name: "_OTHER",
                    streams: false,
                    sends_stream: false,
                    access: Access::Credential,
                }
            );
        }
    }

    #[test]
    fn what_waits_is_not_counted_among_calls_in_work() {
        for (path, class) in [
            ("/grpc.health.v1.Health/Check", Class::Health),
            ("/grpc.health.v1.Health/Watch", Class::Health),
            (
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                Class::Stream,
            ),
            (
                "/customer.profile.v1.IngestService/StreamStatements",
                Class::Stream,
            ),
            (
                "/customer.profile.v1.ProfileService/WatchProfiles",
                Class::Watch,
            ),
            (
                "/customer.profile.v1.ProfileService/GetProfile",
                Class::Work,
            ),
            ("/unknown", Class::Work),
        ] {
            assert_eq!(Method::of_path(path).class(), class, "{path}");
        }
    }
}
