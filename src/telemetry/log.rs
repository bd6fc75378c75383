//! Log lines, and the way from spans to traces.
//!
//! Lines and traces have filters of their own: a quiet log must not cut the traces, and a talkative one must not fill the
//! collector. Only this service's spans become traces; those of the exporter's own connection would feed on themselves.

use std::io::{self, IsTerminal};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use super::Error;
use crate::config::{Log, LogFormat};

/// Becomes the subscriber of the process.
pub(super) fn install(config: &Log, traces: Option<&SdkTracerProvider>) -> Result<(), Error> {
    let spans = traces.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("customer_profile"))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_target("customer_profile", Level::INFO))
    });
    let lines = lines(config, io::stderr, io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(spans).try_init().map_err(Error::of("log"))
}

/// The layer that writes lines, coloured or not.
fn lines<S, W>(config: &Log, writer: W, colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match config.format {
        LogFormat::Pretty => layer.with_ansi(colours).with_filter(filter).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str) -> String {
        let written = Lines::default();
        let writer = written.clone();
        let config = Log { format, filter: filter.to_owned() };
        let subscriber = tracing_subscriber::registry().with(lines(&config, move || writer.clone(), false));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("call", method = "GetProfile");
            span.in_scope(|| tracing::info!(status = "OK", "answered"));
            tracing::debug!("a detail");
        });
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_carries_its_fields_and_those_of_its_span() {
        let text = written(LogFormat::Json, "info");
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{text}");
        let said = ["/level", "/message", "/status", "/span/method"].map(|at| lines[0].pointer(at).unwrap().as_str());
        assert_eq!(said, [Some("INFO"), Some("answered"), Some("OK"), Some("GetProfile")]);
    }

    #[test]
    fn the_filter_decides_which_lines_are_written() {
        assert_eq!(written(LogFormat::Pretty, "warn"), "");
        assert_eq!(written(LogFormat::Pretty, "debug").lines().count(), 2);
    }
}
