//! Log lines, and the way from spans to traces.
//!
//! Lines and traces have filters of their own: a quiet log must not cut the traces, and a talkative
//! one must not fill the collector. Only this service's spans become traces; those of the
//! exporter's own connection would feed on themselves.
//!
//! Lines go through a [queue](writer) that never blocks, and are [limited](limit) by kind.

mod limit;
mod panics;
mod traced;
mod writer;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

use self::limit::{LimitFilter, PlaceLimit};
use self::traced::Traced;
use self::writer::Writer;
use super::{Error, Metrics, otlp};
use crate::config::{Log, LogFormat};

pub(crate) use limit::{Budget, REQUESTS};

/// The log of this process. A process has one subscriber, and a panic or an early end must find its
/// queue.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Puts another filter in force.
type SetFilter = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

/// The log of this process, while it runs.
struct Lines {
    writer: Writer,
    limit: Arc<PlaceLimit>,
    set_filter: SetFilter,
}

/// Becomes the subscriber of the process.
pub(super) fn install(
    config: &Log,
    traces: Option<&SdkTracerProvider>,
    metrics: &Metrics,
) -> Result<(), Error> {
    let limit = Arc::new(PlaceLimit::new(max_lines(config)));
    let reported = limit.clone();
    let output = open(config.file.as_deref()).map_err(Error::of("log file"))?;
    let colours = is_coloured(
        config,
        io::stderr().is_terminal(),
        std::env::var_os("NO_COLOR").as_deref(),
    );
    let writer = Writer::start(output, move || reported.report()).map_err(Error::of("log"))?;
    let (filter, handle) = reload::Layer::new(filter(config));
    let lines = lines(
        config.format,
        filter.and(LimitFilter(limit.clone())),
        writer.clone(),
        colours,
    );
    let spans = traces.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("customer_profile"))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_target("customer_profile", Level::INFO))
    });
    let refusals = traces.map(|_| otlp::refusals());
    let subscriber = tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .with(refusals);
    subscriber.try_init().map_err(Error::of("log"))?;
    panics::log();
    let (lost, left_out) = (writer.clone(), limit.clone());
    metrics.observe_log(move || lost.lost(), move || left_out.left_out());
    metrics.observe_episode(writer.output());
    let set_filter: SetFilter =
        Box::new(move |filter| handle.reload(filter).map_err(|error| error.to_string()));
    // The subscriber above is the only one of the process, so this is the first and only time.
    let _ = LINES.set(Lines {
        writer,
        limit,
        set_filter,
    });
    Ok(())
}

/// Puts the settings of another configuration in force, or changes nothing: `log.filter`,
/// `log.file` and `log.max_lines_per_second`. The file is opened again in any case, since it may
/// have another name by now.
///
/// # Errors
/// Why the file cannot be opened.
pub(super) fn reload(config: &Log) -> Result<(), String> {
    let Some(lines) = LINES.get() else {
        return Ok(());
    };
    let output = match &config.file {
        Some(file) => Some(
            open(Some(file)).map_err(|error| format!("log.file {}: {error}", file.display()))?,
        ),
        None => None,
    };
    (lines.set_filter)(filter(config))?;
    lines.limit.set_max_per_second(max_lines(config));
    if let Some(output) = output {
        lines.writer.redirect(output);
    }
    Ok(())
}

/// Waits until the lines of this process are written, at most `bound`. Nothing to wait for where it
/// has no log.
pub(crate) fn flush(bound: Duration) {
    if let Some(lines) = LINES.get() {
        lines.writer.flush(bound);
    }
}

/// The last lines: what was left out, then a [`flush`].
pub(crate) fn finish(bound: Duration) {
    if let Some(lines) = LINES.get() {
        lines.limit.report();
        lines.writer.flush(bound);
    }
}

/// Whether lines of this process go through the queue.
pub(crate) fn is_installed() -> bool {
    LINES.get().is_some()
}

/// A descriptor of its own, of a file or of standard error.
fn open(file: Option<&Path>) -> io::Result<File> {
    match file {
        Some(file) => OpenOptions::new().create(true).append(true).open(file),
        None => Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?)),
    }
}

/// Whether lines have colours: at a terminal, unless `NO_COLOR` is set to anything but nothing.
/// Source: no-color.org.
fn is_coloured(config: &Log, is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    config.file.is_none() && is_terminal && no_color.is_none_or(OsStr::is_empty)
}

fn max_lines(config: &Log) -> u32 {
    u32::try_from(config.max_lines_per_second).unwrap_or(u32::MAX)
}

fn filter(config: &Log) -> EnvFilter {
    EnvFilter::builder().parse_lossy(&config.filter)
}

/// The layer that writes lines, coloured or not.
fn lines<S, F, W>(
    format: LogFormat,
    filter: F,
    writer: W,
    colours: bool,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Filter<S> + Send + Sync + 'static,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(colours)
        .with_writer(writer);
    match format {
        LogFormat::Pretty => layer
            .event_format(Traced::text(fmt::format().with_ansi(colours)))
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => {
            let lines = fmt::format().json();
            layer
                .fmt_fields(JsonFields::new())
                .event_format(Traced::json(
                    lines.flatten_event(true).with_span_list(false),
                ))
                .with_filter(filter)
                .boxed()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

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
        let limit = LimitFilter(Arc::new(PlaceLimit::new(3)));
        let filter = EnvFilter::new(filter).and(limit.clone());
        let subscriber = tracing_subscriber::registry().with(lines(
            format,
            filter,
            move || writer.clone(),
            false,
        ));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("call", method = "GetProfile");
            span.in_scope(|| tracing::info!(status = "OK", "answered"));
            tracing::debug!("a detail");
            (0..50).for_each(|_| tracing::error!("a failure"));
            tracing::error!(target: "opentelemetry_sdk", "another failure to export");
            limit.0.report();
        });
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_carries_its_fields_and_those_of_its_span() {
        let text = written(LogFormat::Json, "info");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let said = ["/level", "/message", "/status", "/span/method"]
            .map(|at| lines[0].pointer(at).unwrap().as_str());
        assert_eq!(
            said,
            [
                Some("INFO"),
                Some("answered"),
                Some("OK"),
                Some("GetProfile")
            ]
        );
    }

    #[test]
    fn lines_are_coloured_at_a_terminal_that_wants_it() {
        let standard_error = crate::config::Config::defaults().log;
        let file = Log {
            file: Some("/var/log/customer-profile.log".into()),
            ..standard_error.clone()
        };
        for (config, is_terminal, no_color, expected) in [
            (&standard_error, true, None, true),
            (&standard_error, true, Some(""), true),
            (&standard_error, true, Some("1"), false),
            // The value does not matter.
            (&standard_error, true, Some("0"), false),
            (&standard_error, true, Some("false"), false),
            (&standard_error, false, None, false),
            (&file, true, None, false),
        ] {
            assert_eq!(
                is_coloured(config, is_terminal, no_color.map(OsStr::new)),
                expected,
                "{is_terminal} {no_color:?}"
            );
        }
    }

    #[test]
    fn the_filter_decides_which_lines_are_written() {
        assert_eq!(written(LogFormat::Pretty, "off"), "");
        let text = written(LogFormat::Pretty, "debug");
        let count = |part: &str| text.lines().filter(|line| line.contains(part)).count();
        assert_eq!(
            [
                count("answered"),
                count("a detail"),
                count("another failure")
            ],
            [1, 1, 0],
            "{text}"
        );
    }

    #[test]
    fn equal_lines_are_limited_and_what_was_left_out_is_said() {
        let text = written(LogFormat::Pretty, "info");
        // A second may end in between.
        assert!(
            (3..=6).contains(&text.matches(" a failure").count()),
            "{text}"
        );
        let said = text
            .lines()
            .find(|line| line.contains("left_out=4"))
            .unwrap();
        assert!(
            said.contains("lines of one kind were left out of the log"),
            "{said}"
        );
    }
}
