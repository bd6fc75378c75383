//! The headers of every message to the collector: those of `telemetry.otlp_headers`, each once.
//!
//! `OTEL_EXPORTER_OTLP_HEADERS` is the weakest layer of that setting. The exporter reads the
//! variable again, and its variants for one signal, which have no effect here, and puts them over
//! what it was given: a token of the configuration file would be replaced in silence. So the
//! exporter is given no headers, and what it adds is taken off before these are set.

use std::ffi::OsString;

use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::config::Headers;
use crate::telemetry::Error;

/// The variables that the exporter reads.
const VARIABLES: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
];

/// Headers of gRPC itself.
const OF_GRPC: [HeaderName; 3] = [CONTENT_TYPE, TE, USER_AGENT];

/// Sets the headers of a message.
#[derive(Debug, Clone)]
pub(super) struct OwnHeaders {
    own: HeaderMap,
    /// Names of what the exporter adds.
    added: Vec<HeaderName>,
}

impl OwnHeaders {
    /// The configured headers, in this environment.
    pub(super) fn new(
        configured: &Headers,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Error> {
        let mut own = HeaderMap::new();
        for (name, value) in &configured.0 {
            own.append(
                HeaderName::from_bytes(name.as_bytes()).map_err(Error::of("OTLP headers"))?,
                HeaderValue::from_str(value).map_err(Error::of("OTLP headers"))?,
            );
        }
        let added = environment
            .filter(|(variable, _)| VARIABLES.iter().any(|known| variable == known))
            .flat_map(|(_, text)| names(&text.to_string_lossy()))
            .filter(|name| !OF_GRPC.contains(name))
            .collect();
        Ok(Self { own, added })
    }

    fn apply(&self, headers: &mut HeaderMap) {
        for name in self.added.iter().chain(self.own.keys()) {
            headers.remove(name);
        }
        for (name, value) in &self.own {
            headers.append(name.clone(), value.clone());
        }
    }
}

impl Interceptor for OwnHeaders {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let mut headers = std::mem::take(request.metadata_mut()).into_headers();
        self.apply(&mut headers);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        Ok(request)
    }
}

/// The names in a list such as `name=value,name=value`.
fn names(text: &str) -> Vec<HeaderName> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, _)| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers that are sent, where the exporter has added some of the environment.
    fn sent(configured: &[(&str, &str)], environment: &[(&str, &str)]) -> Vec<String> {
        let configured = Headers(
            configured
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        );
        let variables = environment
            .iter()
            .map(|(name, text)| (OsString::from(name), OsString::from(text)));
        let mut own = OwnHeaders::new(&configured, variables).expect("headers");
        let mut request = Request::new(());
        let mut headers = HeaderMap::new();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        for (_, text) in environment {
            for pair in text.split(',').filter_map(|pair| pair.split_once('=')) {
                let name = HeaderName::from_bytes(pair.0.trim().as_bytes()).expect("a name");
                headers.insert(name, HeaderValue::from_str(pair.1).expect("a value"));
            }
        }
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        let request = own.call(request).expect("a request");
        let headers = request.into_parts().0.into_headers();
        let mut sent: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().expect("text")))
            .collect();
        sent.sort_unstable();
        sent
    }

    #[test]
    fn configured_headers_are_sent_once_whatever_the_environment_says() {
        let variable = "OTEL_EXPORTER_OTLP_HEADERS";
        for (configured, environment, expected) in [
            (vec![], vec![], vec!["te=trailers"]),
            (vec![("a", "1")], vec![], vec!["a=1", "te=trailers"]),
            // The variable alone: the configuration has it.
            (
                vec![("a", "1")],
                vec![(variable, "a=1")],
                vec!["a=1", "te=trailers"],
            ),
            // Another value in the file.
            (
                vec![("a", "file")],
                vec![(variable, "A = variable,b=2")],
                vec!["a=file", "te=trailers"],
            ),
            // The variable of one signal has no effect.
            (
                vec![("a", "1")],
                vec![("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=2,c=3")],
                vec!["a=1", "te=trailers"],
            ),
            // A header that is there twice on purpose.
            (
                vec![("a", "1"), ("a", "2")],
                vec![],
                vec!["a=1", "a=2", "te=trailers"],
            ),
        ] {
            assert_eq!(
                sent(&configured, &environment),
                expected,
                "{configured:?} {environment:?}"
            );
        }
    }

    #[test]
    fn headers_of_grpc_stay() {
        let environment = [("OTEL_EXPORTER_OTLP_HEADERS", "te=trailers")];
        assert_eq!(sent(&[], &environment), ["te=trailers"]);
    }
}
