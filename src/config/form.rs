//! Forms: how the text of a value becomes a value, and how the form is named when it does not.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::url::DatabaseUrl;

/// How a value is written.
pub(super) struct Form<T> {
    /// Completes "must be …".
    pub(super) name: &'static str,
    /// Reads it; none if it is not of the form.
    pub(super) parse: fn(&str) -> Option<T>,
    /// Written without quotes in TOML.
    pub(super) bare: bool,
    /// May hold a password: the text is never repeated.
    pub(super) secret: bool,
}

impl<T> Form<T> {
    const fn new(name: &'static str, parse: fn(&str) -> Option<T>) -> Self {
        Self {
            name,
            parse,
            bare: false,
            secret: false,
        }
    }

    const fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFormat {
    /// For people at a terminal.
    Pretty,
    /// One JSON object a line, for collectors.
    Json,
}

/// Which calls get a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestLog {
    /// All.
    All,
    /// Those that are not answered `OK`.
    Errors,
    /// None.
    None,
}

/// Which calls are traced: OpenTelemetry's samplers, by their names in `OTEL_TRACES_SAMPLER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceSampler {
    /// `always_on`
    AlwaysOn,
    /// `always_off`
    AlwaysOff,
    /// `traceidratio`
    Ratio,
    /// `parentbased_always_on`
    ParentOrOn,
    /// `parentbased_always_off`
    ParentOrOff,
    /// `parentbased_traceidratio`
    ParentOrRatio,
}

/// Headers of requests. Values may be secret, so `Debug` shows names alone.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Headers(pub Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Headers {
    /// Reads `name=value,name=value` with percent-encoded values. Source: W3C Baggage, as the
    /// OpenTelemetry specification of the OTLP exporter says.
    fn parse(text: &str) -> Option<Self> {
        let header = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let name = http::HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            let value = percent_decoded(value.trim())?;
            http::HeaderValue::from_str(&value).ok()?;
            Some((name.as_str().to_owned(), value))
        };
        text.split(',')
            .filter(|part| !part.trim().is_empty())
            .map(header)
            .collect::<Option<_>>()
            .map(Self)
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

pub(super) const TRACE_SAMPLER: Form<TraceSampler> = Form::new(
    "`always_on`, `always_off`, `traceidratio`, `parentbased_always_on`, `parentbased_always_off` or `parentbased_traceidratio`",
    |text| match text {
        "always_on" => Some(TraceSampler::AlwaysOn),
        "always_off" => Some(TraceSampler::AlwaysOff),
        "traceidratio" => Some(TraceSampler::Ratio),
        "parentbased_always_on" => Some(TraceSampler::ParentOrOn),
        "parentbased_always_off" => Some(TraceSampler::ParentOrOff),
        "parentbased_traceidratio" => Some(TraceSampler::ParentOrRatio),
        _ => None,
    },
);

pub(super) const HEADERS: Form<Headers> = Form::new(
    "headers such as `name=value,name=value` with percent-encoded values, or empty",
    Headers::parse,
)
.secret();

pub(super) const ADDRESS: Form<SocketAddr> = Form::new(
    "an address with a port, such as `127.0.0.1:50051` or `[::1]:50051`",
    |text| text.parse().ok(),
);

pub(super) const COUNT: Form<usize> = Form::new("a whole number", |text| text.parse().ok()).bare();

pub(super) const STREAMS: Form<u32> = Form::new("a whole number", |text| text.parse().ok()).bare();

pub(super) const SWITCH: Form<bool> =
    Form::new("`true` or `false`", |text| text.parse().ok()).bare();

pub(super) const RATIO: Form<f64> = Form::new("a number", |text| text.parse().ok()).bare();

pub(super) const SIZE: Form<usize> =
    Form::new("a size such as `64KiB`, `4MiB` or `1GiB`", |text| {
        usize::try_from(parse_size(text)?).ok()
    });

pub(super) const BYTES: Form<u32> = Form::new("a size such as `64KiB` or `1MiB`", |text| {
    u32::try_from(parse_size(text)?).ok()
});

pub(super) const DURATION: Form<Duration> =
    Form::new("a duration such as `500ms`, `30s` or `5m`", parse_duration);

pub(super) const DATABASE: Form<DatabaseUrl> = Form::new(
    "a URL of a database, `sqlite://FILE` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`",
    DatabaseUrl::parse,
)
.secret();

pub(super) const OPTIONAL_FILE: Form<Option<PathBuf>> = Form::new("a file, or empty", |text| {
    Some((!text.is_empty()).then(|| PathBuf::from(text)))
});

pub(super) const OPTIONAL_ENDPOINT: Form<Option<String>> =
    Form::new("a URL such as `http://127.0.0.1:4317`, or empty", |text| {
        let good = |text: &str| {
            url::Url::parse(text)
                .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
        };
        match text {
            "" => Some(None),
            text => good(text).then(|| Some(text.to_owned())),
        }
    });

pub(super) const NAME: Form<String> = Form::new("a name that is not empty", |text| {
    (!text.trim().is_empty()).then(|| text.to_owned())
});

pub(super) const LOG_FORMAT: Form<LogFormat> = Form::new("`pretty` or `json`", |text| match text {
    "pretty" => Some(LogFormat::Pretty),
    "json" => Some(LogFormat::Json),
    _ => None,
});

pub(super) const REQUEST_LOG: Form<RequestLog> =
    Form::new("`all`, `errors` or `none`", |text| match text {
        "all" => Some(RequestLog::All),
        "errors" => Some(RequestLog::Errors),
        "none" => Some(RequestLog::None),
        _ => None,
    });

pub(super) const LOG_FILTER: Form<String> = Form::new(
    "a filter such as `info` or `info,customer_profile::ingest=debug`",
    |text| {
        tracing_subscriber::EnvFilter::builder()
            .parse(text)
            .is_ok()
            .then(|| text.to_owned())
    },
);

/// `64KiB`: a whole number and a binary unit; bytes when it has none.
fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

/// `30s`, `1h 30m`; a bare number has no unit and is refused, for it would be taken for
/// milliseconds by one reader and for seconds by another.
fn parse_duration(text: &str) -> Option<Duration> {
    let friendly = text.chars().any(|c| c.is_ascii_lowercase());
    let signed: jiff::SignedDuration = if friendly {
        text.parse().ok()?
    } else {
        return None;
    };
    Duration::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        let read = |text| (SIZE.parse)(text);
        assert_eq!(
            [
                read("12"),
                read("3B"),
                read("2KiB"),
                read("4 MiB"),
                read("1GiB")
            ],
            [Some(12), Some(3), Some(2048), Some(4 << 20), Some(1 << 30)]
        );
        for bad in [
            "",
            "KiB",
            "4MB",
            "4 mib",
            "-1",
            "1.5MiB",
            "99999999999GiB",
            "4KiBKiB",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_need_a_unit_and_are_not_negative() {
        let read = |text| (DURATION.parse)(text);
        assert_eq!(
            [read("500ms"), read("30s"), read("1h 30m"), read("0s")],
            [
                Some(Duration::from_millis(500)),
                Some(Duration::from_secs(30)),
                Some(Duration::from_mins(90)),
                Some(Duration::ZERO)
            ]
        );
        for bad in ["", "30", "s", "-3s", "30 apples", "3 days"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
