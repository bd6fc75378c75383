//! Credentials for tests, and calls of any method under them.

use customer_profile::auth::ApiKey;
use customer_profile::grpc::FILE_DESCRIPTOR_SET;
use customer_profile::store::{Store, StoredApiKey};
use profile_core::records::{TenantId, Timestamp};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::Code;

use super::wire::Wire;

/// The rights of a test's key.
#[derive(Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub(crate) tenants: &'a [&'a str],
    pub(crate) scopes: &'a [&'a str],
    pub(crate) purpose: Option<&'a str>,
    pub(crate) roles: &'a [&'a str],
    pub(crate) expire_time: Option<Timestamp>,
}

impl<'a> Grant<'a> {
    pub(crate) fn new(tenants: &'a [&'a str], scopes: &'a [&'a str]) -> Self {
        Self {
            tenants,
            scopes,
            purpose: None,
            roles: &[],
            expire_time: None,
        }
    }

    /// Stores a key, and answers it.
    pub(crate) async fn key(self, store: &dyn Store) -> ApiKey {
        let key = ApiKey::random().expect("random bytes");
        let tenant = |name: &&str| TenantId::new(name).expect("a name");
        let stored = StoredApiKey {
            id: key.id.clone(),
            name: "test".to_owned(),
            hash: key.hash(),
            tenants: self.tenants.iter().map(tenant).collect(),
            scopes: self.scopes.iter().map(|name| (*name).to_owned()).collect(),
            purpose: self.purpose.map(str::to_owned),
            roles: self.roles.iter().map(|name| (*name).to_owned()).collect(),
            create_time: Timestamp::from_micros(1),
            expire_time: self.expire_time,
            revoke_time: None,
        };
        assert!(store.record_api_key(&stored).await.expect("a write"));
        key
    }
}

/// All methods of this project's services.
pub(crate) fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let services: Vec<_> = pool.services().collect();
    services
        .iter()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// `package.Service/Method`.
pub(crate) fn path(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// The scope that a method declares.
pub(crate) fn scope(method: &MethodDescriptor) -> String {
    let pool = method.parent_pool();
    let option = pool
        .get_extension_by_name("customer.profile.v1.scope")
        .expect("the option");
    let options = method.options();
    let value = options.get_extension(&option);
    value.as_str().expect("a text").to_owned()
}

/// The code of a call with an empty request; that of a stream that goes on is `Ok`.
pub(crate) async fn code(wire: &mut Wire, path: &str, metadata: &[(&str, &str)]) -> Code {
    sent(wire, path, metadata, &[]).await
}

/// The same, with this message.
pub(crate) async fn sent(
    wire: &mut Wire,
    path: &str,
    metadata: &[(&str, &str)],
    message: &[u8],
) -> Code {
    let mut call = wire
        .begin_with(path, |mut request| {
            for (key, value) in metadata {
                request = request.header(*key, *value);
            }
            request
        })
        .await;
    let length = u32::try_from(message.len()).expect("a length");
    let framed = [&[0], &length.to_be_bytes()[..], message].concat();
    // A call that is refused already does not take it.
    drop(call.body.send_data(framed.into(), true));
    let (head, mut body) = call.answer.await.expect("an answer").into_parts();
    let status = |headers: &http::HeaderMap| {
        let code = headers.get("grpc-status")?;
        Some(Code::from_bytes(code.as_bytes()))
    };
    if let Some(code) = status(&head.headers) {
        return code;
    }
    if let Some(part) = body.data().await {
        part.expect("a part of the answer");
        return Code::Ok;
    }
    let trailers = body.trailers().await.expect("an end").expect("a status");
    status(&trailers).expect("a status")
}

/// The metadata of a credential.
pub(crate) fn bearer(key: &ApiKey) -> String {
    format!("Bearer {}", key.expose())
}
