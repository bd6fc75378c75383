//! The manual: a TOML file with every key, its text, range and default.

use std::fmt::Write;

use super::declare::Key;
use super::sections::SECTIONS;

/// A configuration file that says what the defaults say, with every key explained.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# customer-profile: every key with its default. Name the file by --config or CUSTOMER_PROFILE_CONFIG.\n\
         # Environment variables go over the file, flags over both.\n",
    );
    for section in SECTIONS {
        text.push('\n');
        comment(&mut text, section.doc);
        let _ = writeln!(text, "[{}]", section.name);
        for key in section.keys {
            text.push('\n');
            comment(&mut text, key.doc);
            explain(&mut text, key);
        }
    }
    text
}

fn comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(text, "#{line}");
    }
}

// Writing to a `String` cannot fail.
fn explain(text: &mut String, key: &Key) {
    let range = key
        .range
        .map(|(low, high)| format!(", from {low} to {high}"))
        .unwrap_or_default();
    let _ = writeln!(text, "# Is {}{range}.", key.form);
    let _ = writeln!(text, "# {}", key.variable());
    let quote = if key.bare { "" } else { "\"" };
    let _ = writeln!(text, "{} = {quote}{}{quote}", key.name, key.default);
}

#[cfg(test)]
mod tests {
    use std::{fs, net::SocketAddr, time::Duration};

    use super::*;
    use crate::config::{Config, ConfigArgs};

    #[test]
    fn the_manual_says_what_the_defaults_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customer-profile.toml");
        fs::write(&path, reference()).unwrap();
        let args = ConfigArgs {
            config: Some(path),
            ..Default::default()
        };
        assert_eq!(Config::from_layers(&args, []), Ok(Config::defaults()));
    }

    #[test]
    fn the_file_for_kubernetes_is_read_without_error() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/k8s/base/customer-profile.toml"
        );
        let args = ConfigArgs {
            config: Some(path.into()),
            ..Default::default()
        };
        let config = Config::from_layers(&args, []).unwrap();
        assert_eq!(config.grpc.address, SocketAddr::from(([0u16; 8], 50051)));
        // A certificate is the cluster's own: see docs/kubernetes.md.
        let warnings = config.warnings();
        assert!(
            matches!(&warnings[..], [one] if one.contains("tls.certificate is empty")),
            "{warnings:?}"
        );
    }

    #[test]
    fn every_key_is_in_the_manual_with_its_variable_and_its_text() {
        let manual = reference();
        let keys = SECTIONS.iter().flat_map(|section| section.keys);
        assert!(keys.clone().count() > 25);
        for key in keys {
            for part in [
                format!("\n{} = ", key.name),
                format!("# {}\n", key.variable()),
                format!("#{}\n", key.doc[0]),
            ] {
                assert!(manual.contains(&part), "{part}");
            }
        }
    }

    #[test]
    fn the_defaults_are_those_that_readers_of_the_documents_know() {
        let config = Config::defaults();
        assert_eq!(
            config.grpc.address,
            SocketAddr::from(([127, 0, 0, 1], 50051))
        );
        assert_eq!(
            config.operations.address,
            SocketAddr::from(([127, 0, 0, 1], 9464))
        );
        assert_eq!(config.grpc.max_receive_bytes, 4 << 20);
        assert_eq!(config.cache.max_staleness, Duration::from_secs(2));
        assert_eq!(
            (config.model.path, config.telemetry.otlp_endpoint),
            (None, None)
        );
    }

    #[test]
    fn a_key_is_explained_with_form_range_and_variable() {
        let manual = reference();
        let at = manual.find("# How long a call waits for a free").unwrap();
        let explained: Vec<_> = manual[at..].lines().take(4).collect();
        insta::assert_snapshot!(explained.join("\n"), @r#"
        # How long a call waits for a free connection before it is answered UNAVAILABLE.
        # Is a duration such as `500ms`, `30s` or `5m`, from 10ms to 5m.
        # CUSTOMER_PROFILE_DATABASE__ACQUIRE_TIMEOUT
        acquire_timeout = "2s"
        "#);
    }
}
