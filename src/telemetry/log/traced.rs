//! Log lines of traced work: each carries the ids of its trace and its span.
//!
//! Names: OpenTelemetry, "Trace Context in non-OTLP Log Formats".

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::spans;

/// A format whose lines end with `trace_id` and `span_id`.
pub(super) struct Traced<F> {
    format: F,
    /// The end of a line.
    end: &'static str,
    /// Writes the ids before that end.
    ids: fn(&mut Writer<'_>, &str, &str) -> fmt::Result,
}

impl<F> Traced<F> {
    /// Lines of text.
    pub(super) fn text(format: F) -> Self {
        Self {
            format,
            end: "\n",
            ids: |line, trace, span| write!(line, " trace_id={trace} span_id={span}"),
        }
    }

    /// Lines of JSON objects.
    pub(super) fn json(format: F) -> Self {
        Self {
            format,
            end: "}\n",
            ids: |line, trace, span| {
                write!(line, ",\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"")
            },
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for Traced<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some((trace, span)) = spans::ids() else {
            return self.format.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.format
            .format_event(context, Writer::new(&mut line), event)?;
        let Some(start) = line.strip_suffix(self.end) else {
            return writer.write_str(&line);
        };
        writer.write_str(start)?;
        (self.ids)(&mut writer, &trace, &span)?;
        writer.write_str(self.end)
    }
}
