//! The register of services, made from the descriptors of the proto files.
//!
//! Each service that is declared there is a field of [`Services`], so one without a handler does
//! not compile. Routes come from here; method names, deadline rules, health and reflection come
//! from the same descriptors ([`methods`](super::methods), [`Reflection`]).

use tonic::codec::CompressionEncoding;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::pb::health_server::{Health, HealthServer};

use super::{Reflection, v1};
use crate::config;

include!(concat!(env!("OUT_DIR"), "/services.rs"));

/// A generated service within the configured bounds. (Generated services have no trait in common.)
macro_rules! bounded {
    ($service:expr, $bounds:expr) => {{
        let service = $service
            .max_decoding_message_size($bounds.max_receive_bytes)
            .max_encoding_message_size($bounds.max_send_bytes)
            .accept_compressed(CompressionEncoding::Gzip);
        if $bounds.compress_answers {
            service.send_compressed(CompressionEncoding::Gzip)
        } else {
            service
        }
    }};
}

macro_rules! register {
    ($($field:ident $handler:ident $service:ident $module:ident $server:ident;)+) => {
        /// A handler for each service that the proto files declare.
        #[derive(Debug, Clone)]
        pub struct Services<$($handler),+> {
            $(
                #[doc = concat!("Handler of `", stringify!($service), "`.")]
                pub $field: $handler,
            )+
        }

        impl<$($handler: v1::$module::$service),+> Services<$($handler),+> {
            /// Routes to the services within their bounds, to health and to reflection.
            pub fn routes(
                self,
                bounds: &config::Grpc,
                health: HealthServer<impl Health>,
            ) -> Routes {
                let mut routes = RoutesBuilder::default();
                $(routes.add_service(bounded!(v1::$module::$server::new(self.$field), bounds));)+
                routes
                    .add_service(health)
                    .add_service(Reflection::v1())
                    // Older grpcurl asks for this one only.
                    .add_service(Reflection::v1alpha());
                routes.routes()
            }
        }
    };
}

with_services!(register);
