//! Variables that many programs share: OpenTelemetry's, and `RUST_LOG`.
//!
//! Each says something about a key of this program, and is the weakest layer: the file, the
//! program's own variables and flags go over it, since they speak to this program alone. An empty
//! variable counts as unset. A value that is not understood is an error; an OpenTelemetry variable
//! that has no effect here is named by a warning ([`without_effect`]).
//!
//! `NO_COLOR`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_BSP_*` and the limits of spans are read where they
//! are used; the resource attributes are checked here.
//!
//! Source: OpenTelemetry, "Environment Variable Specification" and "OpenTelemetry Protocol
//! Exporter".

use std::ffi::OsString;

/// The setting of one variable.
pub(super) struct Said {
    pub(super) variable: &'static str,
    /// The key and its text, or why the variable is wrong.
    pub(super) value: Result<(&'static str, String), String>,
}

/// A variable, and what its text says.
struct Standard {
    variable: &'static str,
    read: fn(&str) -> Result<(&'static str, String), String>,
}

const STANDARD: [Standard; 11] = [
    Standard {
        variable: "RUST_LOG",
        read: |text| Ok(("log.filter", text.to_owned())),
    },
    Standard {
        variable: "OTEL_SDK_DISABLED",
        read: |text| match text.to_ascii_lowercase().as_str() {
            "true" => Ok(("telemetry.export", "false".to_owned())),
            "false" => Ok(("telemetry.export", "true".to_owned())),
            _ => Err(format!("it must be `true` or `false`, not `{text}`")),
        },
    },
    // A service name of its own goes over one among the attributes.
    Standard {
        variable: "OTEL_RESOURCE_ATTRIBUTES",
        read: service_of_attributes,
    },
    Standard {
        variable: "OTEL_SERVICE_NAME",
        read: |text| Ok(("telemetry.service_name", text.to_owned())),
    },
    Standard {
        variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
        read: |text| Ok(("telemetry.otlp_endpoint", text.to_owned())),
    },
    Standard {
        variable: "OTEL_EXPORTER_OTLP_HEADERS",
        read: |text| Ok(("telemetry.otlp_headers", text.to_owned())),
    },
    Standard {
        variable: "OTEL_EXPORTER_OTLP_CERTIFICATE",
        read: |text| Ok(("telemetry.otlp_certificate", text.to_owned())),
    },
    Standard {
        variable: "OTEL_EXPORTER_OTLP_TIMEOUT",
        read: |text| Ok(("telemetry.otlp_timeout", milliseconds(text)?)),
    },
    Standard {
        variable: "OTEL_METRIC_EXPORT_INTERVAL",
        read: |text| Ok(("telemetry.metric_interval", milliseconds(text)?)),
    },
    Standard {
        variable: "OTEL_TRACES_SAMPLER",
        read: |text| Ok(("telemetry.trace_sampler", text.to_owned())),
    },
    Standard {
        variable: "OTEL_TRACES_SAMPLER_ARG",
        read: |text| Ok(("telemetry.trace_sample_ratio", text.to_owned())),
    },
];

/// OpenTelemetry variables that other code of this process reads: the SDK and the exporters.
const READ_ELSEWHERE: [&str; 8] = [
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];

/// Values of other variables that ask for what happens anyway.
const SATISFIED: [(&str, &[&str]); 5] = [
    ("OTEL_TRACES_EXPORTER", &["otlp"]),
    ("OTEL_METRICS_EXPORTER", &["otlp"]),
    ("OTEL_LOGS_EXPORTER", &["none"]),
    ("OTEL_PROPAGATORS", &["tracecontext"]),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", &["grpc"]),
];

/// The settings of an environment's standard variables, in order of precedence, weakest first.
pub(super) fn said(environment: &[(OsString, OsString)]) -> Vec<Said> {
    let mut said: Vec<Said> = STANDARD
        .iter()
        .filter_map(|standard| {
            let text = value(environment, standard.variable)?;
            let value = match text {
                Ok(text) => (standard.read)(text),
                Err(()) => Err("it is not UTF-8".to_owned()),
            };
            Some(Said {
                variable: standard.variable,
                value,
            })
        })
        // Attributes without a service name say nothing about a key.
        .filter(|said| !matches!(&said.value, Ok(("", _))))
        .collect();
    if let Some(Ok(protocol)) = value(environment, "OTEL_EXPORTER_OTLP_PROTOCOL")
        && protocol != "grpc"
    {
        said.push(Said {
            variable: "OTEL_EXPORTER_OTLP_PROTOCOL",
            value: Err(format!("it must be `grpc`, not `{protocol}`")),
        });
    }
    said
}

/// The OpenTelemetry variables that are set and have no effect on this program.
#[must_use]
pub fn without_effect(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
    let has_effect = |name: &str, text: &str| {
        text.is_empty()
            || STANDARD.iter().any(|standard| standard.variable == name)
            || READ_ELSEWHERE.contains(&name)
            || SATISFIED
                .iter()
                .any(|(known, values)| *known == name && values.contains(&text))
    };
    let mut names: Vec<String> = environment
        .into_iter()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text)))
        .filter(|(name, text)| {
            name.starts_with("OTEL_") && !has_effect(name, &text.to_string_lossy())
        })
        .map(|(name, _)| name)
        .collect();
    names.sort();
    names
}

/// The value of a variable that is set and not empty; `Err` where it is not UTF-8.
fn value<'e>(environment: &'e [(OsString, OsString)], name: &str) -> Option<Result<&'e str, ()>> {
    let (_, text) = environment.iter().find(|(known, _)| known == name)?;
    match text.to_str() {
        Some("") => None,
        Some(text) => Some(Ok(text)),
        None => Some(Err(())),
    }
}

fn milliseconds(text: &str) -> Result<String, String> {
    match text.parse::<u64>() {
        Ok(number) => Ok(format!("{number}ms")),
        Err(_) => Err(format!(
            "it must be a whole number of milliseconds, not `{text}`"
        )),
    }
}

/// The service name among resource attributes. Without one there is no key: `""`.
fn service_of_attributes(text: &str) -> Result<(&'static str, String), String> {
    let mut service = ("", String::new());
    for attribute in text.split(',').filter(|part| !part.trim().is_empty()) {
        match attribute.split_once('=') {
            Some((name, _)) if name.trim().is_empty() => return Err(not_attributes(attribute)),
            Some((name, value)) if name.trim() == "service.name" => {
                service = ("telemetry.service_name", value.trim().to_owned());
            }
            Some(_) => {}
            None => return Err(not_attributes(attribute)),
        }
    }
    Ok(service)
}

fn not_attributes(attribute: &str) -> String {
    format!("it must be attributes such as `name=value,name=value`; `{attribute}` is none")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Config, ConfigArgs, TraceSampler};

    fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs
            .iter()
            .map(|(name, text)| (name.into(), text.into()))
            .collect()
    }

    fn load(pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        Config::from_layers(&ConfigArgs::default(), environment(pairs))
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn standard_variables_say_what_the_own_settings_do_not() {
        let config = load(&[
            ("RUST_LOG", "debug"),
            ("OTEL_SERVICE_NAME", "profiles"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=crm"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Bearer%20s3cret",
            ),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_SAMPLER", "always_on"),
            ("OTEL_TRACES_SAMPLER_ARG", ""),
            ("OTEL_SDK_DISABLED", "TRUE"),
        ])
        .expect("a configuration");
        let telemetry = &config.telemetry;
        assert_eq!(config.log.filter, "debug");
        assert_eq!(telemetry.service_name, "profiles");
        assert_eq!(
            telemetry.otlp_endpoint.as_deref(),
            Some("https://collector:4317")
        );
        let header = ("authorization".to_owned(), "Bearer s3cret".to_owned());
        assert_eq!(telemetry.otlp_headers.0, [header]);
        assert_eq!(telemetry.otlp_timeout, Duration::from_millis(2500));
        assert_eq!(telemetry.trace_sampler, TraceSampler::AlwaysOn);
        assert!(!telemetry.export);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn the_own_settings_go_over_standard_variables() {
        let config = load(&[
            ("RUST_LOG", "debug"),
            ("CUSTOMER_PROFILE_LOG__FILTER", "warn"),
            ("OTEL_SERVICE_NAME", "profiles"),
            ("CUSTOMER_PROFILE_TELEMETRY__SERVICE_NAME", "mine"),
        ])
        .expect("a configuration");
        assert_eq!(config.log.filter, "warn");
        assert_eq!(config.telemetry.service_name, "mine");
    }

    #[test]
    fn a_value_that_is_not_understood_is_an_error_that_names_the_variable() {
        for (variable, text, problem) in [
            ("RUST_LOG", "a=b=c", "must be a filter"),
            ("OTEL_TRACES_SAMPLER", "xray", "not `xray`"),
            ("OTEL_TRACES_SAMPLER_ARG", "7", "not `7`"),
            ("OTEL_SDK_DISABLED", "yes", "not `yes`"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "must be `grpc`"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "5s", "milliseconds"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "must be a URL"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization",
                "must be headers",
            ),
            ("OTEL_RESOURCE_ATTRIBUTES", "team", "`team` is none"),
        ] {
            let errors = load(&[(variable, text)]).expect_err(variable);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains(variable), "{errors:?}");
            assert!(errors[0].contains(problem), "{errors:?}");
        }
    }

    #[test]
    fn variables_without_an_effect_are_named() {
        let told = without_effect(environment(&[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://x:4317"),
            ("OTEL_SERVICE_NAME", "profiles"),
            ("OTEL_LOGS_EXPORTER", "none"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_PROPAGATORS", ""),
            ("PATH", "/bin"),
        ]));
        assert_eq!(
            told,
            ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"]
        );
    }
}
