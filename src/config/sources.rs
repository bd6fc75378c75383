//! The layers: file, environment, flags. Each is read into `(key, text, origin)`; the last one of a
//! key counts.

use std::{collections::BTreeMap, ffi::OsString, fs, path::Path};

use toml_edit::{Document, Item, TableLike, Value};

use super::{
    Config, ConfigArgs, ConfigError, Origin, declare::Key, form::Form, sections::SECTIONS,
    standard, warnings::contradictions,
};

/// Every variable of this service begins so. A key's variable has two underscores between section
/// and key; so variables that Kubernetes sets for a service of the same name
/// (`CUSTOMER_PROFILE_SERVICE_HOST`) are never taken for keys.
pub(super) const PREFIX: &str = "CUSTOMER_PROFILE_";

/// The keys said, and what was wrong with the saying.
#[derive(Default)]
pub(super) struct Reader {
    given: BTreeMap<String, (String, Origin)>,
    errors: Vec<ConfigError>,
}

impl Config {
    /// [`Config::load`] with the environment as an argument.
    pub(super) fn from_layers(
        args: &ConfigArgs,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader::default();
        let environment: Vec<(OsString, OsString)> = environment.into_iter().collect();
        reader.standard(&environment);
        if let Some(path) = &args.config {
            reader.file(path);
        }
        reader.environment(environment);
        for (key, value, origin) in args.given() {
            reader.say(key, value.to_owned(), origin);
        }
        let config = Self::read(&mut reader);
        for (keys, problem) in config.iter().flat_map(contradictions) {
            let said = keys.iter().find_map(|key| reader.given.get(*key));
            let origin = said.map_or(Origin::Default, |(_, origin)| origin.clone());
            reader.wrong(origin, problem);
        }
        config
            .filter(|_| reader.errors.is_empty())
            .ok_or(reader.errors)
    }
}

impl Reader {
    /// What the variables that many programs share say about keys of this one. Everything else
    /// goes over it.
    fn standard(&mut self, environment: &[(OsString, OsString)]) {
        for said in standard::said(environment) {
            let origin = Origin::Environment(said.variable.to_owned());
            match said.value {
                Ok((key, text)) => self.say(key, text, origin),
                Err(problem) => self.wrong(origin, problem),
            }
        }
    }

    fn wrong(&mut self, origin: Origin, problem: String) {
        self.errors.push(ConfigError { origin, problem });
    }

    fn say(&mut self, key: &str, text: String, origin: Origin) {
        if find(key).is_some() {
            self.given.insert(key.to_owned(), (text, origin));
        } else {
            self.wrong(origin, unknown(key));
        }
    }

    fn file(&mut self, path: &Path) {
        let origin = |line| Origin::File(path.to_owned(), line);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.wrong(origin(None), format!("it cannot be read: {error}")),
        };
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let document = match Document::parse(text.as_str()) {
            Ok(document) => document,
            Err(error) => {
                let line = error.span().map(|span| line(span.start));
                return self.wrong(
                    origin(line),
                    format!("it is not TOML: {}", error.message().trim()),
                );
            }
        };
        for (section, item) in document.iter() {
            let Some(table) = item.as_table_like() else {
                let line = item.span().map(|span| line(span.start));
                self.wrong(origin(line), unknown(section));
                continue;
            };
            self.table(section, table, |item| {
                origin(item.span().map(|span| line(span.start)))
            });
        }
    }

    fn table(&mut self, section: &str, table: &dyn TableLike, origin: impl Fn(&Item) -> Origin) {
        for (key, item) in table.iter() {
            let name = format!("{section}.{key}");
            match scalar(item) {
                Some(text) => self.say(&name, text, origin(item)),
                None if find(&name).is_some() => {
                    self.wrong(
                        origin(item),
                        format!("`{name}` takes one value, not a table or a list"),
                    );
                }
                None => self.wrong(origin(item), unknown(&name)),
            }
        }
    }

    fn environment(&mut self, environment: impl IntoIterator<Item = (OsString, OsString)>) {
        let mut variables: Vec<_> = environment
            .into_iter()
            .filter_map(|(name, value)| {
                let name = name
                    .into_string()
                    .ok()
                    .filter(|name| name.starts_with(PREFIX))?;
                Some((name, value))
            })
            .collect();
        variables.sort();
        for (name, value) in variables {
            let rest = name[PREFIX.len()..].to_lowercase();
            let origin = Origin::Environment(name.clone());
            match (rest.split_once("__"), value.into_string()) {
                (Some((section, key)), Ok(text)) => {
                    let path = format!("{section}.{key}");
                    match path.strip_suffix("_file").and_then(find) {
                        Some(key) if find(&path).is_none() => self.content(key, &text, origin),
                        _ => self.say(&path, text, origin),
                    }
                }
                (Some((section, key)), Err(_)) => {
                    self.wrong(origin, format!("`{section}.{key}` is not UTF-8"));
                }
                (None, _) => {
                    if let Some(key) = with_one_underscore(&rest) {
                        self.wrong(
                            origin,
                            format!(
                                "it has no effect; `{}` sets `{}`",
                                key.variable(),
                                key.path()
                            ),
                        );
                    }
                }
            }
        }
    }

    /// The value of a key is what a file holds, without the end of its last line: a secret that is
    /// mounted, and in no environment.
    fn content(&mut self, key: &Key, file: &str, origin: Origin) {
        let path = key.path();
        let direct = Origin::Environment(key.variable());
        if matches!(self.given.get(&path), Some((_, said)) if *said == direct) {
            return self.wrong(origin, format!("`{}` is set too", key.variable()));
        }
        match fs::read_to_string(file) {
            Ok(text) => self.say(
                &path,
                text.trim_end_matches(['\r', '\n']).to_owned(),
                origin,
            ),
            Err(error) => self.wrong(origin, format!("`{path}`: {file} cannot be read: {error}")),
        }
    }

    /// The value of a key: what was said last, or the default.
    pub(super) fn read<T: PartialOrd>(
        &mut self,
        section: &str,
        name: &str,
        form: &Form<T>,
        default: &str,
        range: Option<(&str, &str)>,
    ) -> Option<T> {
        let path = format!("{section}.{name}");
        let (text, origin) = self
            .given
            .get(&path)
            .cloned()
            .unwrap_or_else(|| (default.to_owned(), Origin::Default));
        let within = |value: &T| {
            range.is_none_or(
                |(low, high)| match ((form.parse)(low), (form.parse)(high)) {
                    (Some(low), Some(high)) => low <= *value && *value <= high,
                    _ => false,
                },
            )
        };
        let value = (form.parse)(&text).filter(within);
        if value.is_none() {
            let said = if form.secret {
                String::new()
            } else {
                format!(", not `{text}`")
            };
            let allowed = range
                .map(|(low, high)| format!(", from {low} to {high}"))
                .unwrap_or_default();
            self.wrong(
                origin,
                format!("`{path}` must be {}{allowed}{said}", form.name),
            );
        }
        value
    }
}

impl Key {
    /// `section.key`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!(
            "{PREFIX}{}__{}",
            self.section.to_uppercase(),
            self.name.to_uppercase()
        )
    }
}

fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

fn find(path: &str) -> Option<&'static Key> {
    let (section, name) = path.split_once('.')?;
    keys().find(|key| key.section == section && key.name == name)
}

/// The key that was meant by `database_url`.
fn with_one_underscore(rest: &str) -> Option<&'static Key> {
    keys().find(|key| {
        rest.strip_prefix(key.section)
            .and_then(|rest| rest.strip_prefix('_'))
            == Some(key.name)
    })
}

fn unknown(path: &str) -> String {
    let section = path.split('.').next().unwrap_or_default();
    let list = |names: Vec<&str>| names.join(", ");
    if let Some(known) = SECTIONS.iter().find(|known| known.name == section) {
        let names = known.keys.iter().map(|key| key.name).collect();
        format!("`{path}` is no key; `{section}` has {}", list(names))
    } else {
        let names = SECTIONS.iter().map(|section| section.name).collect();
        format!("`{path}` is in no section; there are {}", list(names))
    }
}

fn scalar(item: &Item) -> Option<String> {
    match item.as_value()? {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        Value::Boolean(flag) => Some(flag.value().to_string()),
        Value::Datetime(time) => Some(time.value().to_string()),
        Value::Array(_) | Value::InlineTable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::Setting;

    fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect()
    }

    fn set(settings: &[&str]) -> ConfigArgs {
        let set = settings
            .iter()
            .map(|text| text.parse::<Setting>().unwrap())
            .collect();
        ConfigArgs {
            set,
            ..Default::default()
        }
    }

    /// The settings of the file, the variables and `--set` together; errors with the folder of the
    /// file left out.
    fn load(
        file: &str,
        variables: &[(&str, &str)],
        settings: &[&str],
    ) -> Result<Config, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        fs::write(&path, file).unwrap();
        let args = ConfigArgs {
            config: Some(path),
            ..set(settings)
        };
        let place = format!("{}/", folder.path().display());
        Config::from_layers(&args, environment(variables)).map_err(|errors| {
            errors
                .iter()
                .map(|error| error.to_string().replace(&place, ""))
                .collect()
        })
    }

    #[test]
    fn each_layer_goes_over_the_one_before() {
        let file =
            "[grpc]\naddress = '127.0.0.1:1'\nmax_concurrent_requests = 1\nlame_duck = '1s'\n";
        let variables = [
            ("CUSTOMER_PROFILE_GRPC__ADDRESS", "127.0.0.1:2"),
            ("CUSTOMER_PROFILE_GRPC__MAX_CONCURRENT_REQUESTS", "2"),
        ];
        let config = load(file, &variables, &["grpc.address=127.0.0.1:3"]).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 3));
        let grpc = config.grpc;
        assert_eq!((grpc.address, grpc.max_concurrent_requests), (address, 2));
        assert_eq!((grpc.lame_duck.as_secs(), grpc.drain.as_secs()), (1, 20));
    }

    #[test]
    fn the_last_set_counts_and_a_flag_of_its_own_goes_over_set() {
        let mut args = set(&["log.filter=warn", "log.filter=error", "log.format=pretty"]);
        args.log_format = Some("json".to_owned());
        let log = Config::from_layers(&args, []).unwrap().log;
        assert_eq!(
            (log.filter.as_str(), log.format),
            ("error", crate::config::LogFormat::Json)
        );
    }

    #[test]
    fn ten_errors_are_told_at_once_with_key_origin_and_range() {
        let file = "[grpc]\nmax_receive_bytes = '12'\ndrain = 20\nlame_duck = ['1s']\ncolour = 'red'\n\
                    [cach]\nmax_bytes = '1GiB'\n[log]\nformat = 'xml'\n[model]\npath.x = 1\n";
        let variables = [
            ("CUSTOMER_PROFILE_DATABASE__MAX_CONNECTIONS", "0"),
            ("CUSTOMER_PROFILE_DATABASE__URL", "mysql://ann:s3cret@db/x"),
            (
                "CUSTOMER_PROFILE_DATABASE_URL",
                "postgres://ann:s3cret@db/x",
            ),
            ("CUSTOMER_PROFILE_SERVICE_HOST", "10.0.0.1"),
            ("CUSTOMER_PROFILE_PORT_50051_TCP", "tcp://10.0.0.1:50051"),
        ];
        let errors = load(
            file,
            &variables,
            &["telemetry.trace_sample_ratio=1.5", "nonsense=1"],
        )
        .unwrap_err();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        file c.toml, line 4: `grpc.lame_duck` takes one value, not a table or a list
        file c.toml, line 5: `grpc.colour` is no key; `grpc` has address, max_receive_bytes, max_decoded_bytes, max_send_bytes, compress_answers, max_concurrent_requests, max_heavy_requests, max_waiting_calls, max_request_bytes_in_flight, max_answer_bytes_in_flight, default_deadline, max_deadline, message_timeout, send_timeout, stream_idle_timeout, max_connections, max_streams_per_connection, max_header_bytes, stream_window_bytes, connection_window_bytes, handshake_timeout, max_connection_idle, keep_alive_interval, keep_alive_timeout, max_connection_age, connection_age_grace, lame_duck, drain
        file c.toml, line 7: `cach.max_bytes` is in no section; there are grpc, tls, auth, audit, operations, database, model, ingest, cache, changes, computed, experience, watch, publish, log, telemetry
        file c.toml, line 11: `model.path` takes one value, not a table or a list
        environment variable CUSTOMER_PROFILE_DATABASE_URL: it has no effect; `CUSTOMER_PROFILE_DATABASE__URL` sets `database.url`
        flag --set: `nonsense` is in no section; there are grpc, tls, auth, audit, operations, database, model, ingest, cache, changes, computed, experience, watch, publish, log, telemetry
        file c.toml, line 2: `grpc.max_receive_bytes` must be a size such as `64KiB`, `4MiB` or `1GiB`, from 1KiB to 256MiB, not `12`
        file c.toml, line 3: `grpc.drain` must be a duration such as `500ms`, `30s` or `5m`, from 0s to 1h, not `20`
        environment variable CUSTOMER_PROFILE_DATABASE__URL: `database.url` must be a URL of a database, `sqlite://FILE` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`
        environment variable CUSTOMER_PROFILE_DATABASE__MAX_CONNECTIONS: `database.max_connections` must be a whole number, from 1 to 1000, not `0`
        file c.toml, line 9: `log.format` must be `pretty` or `json`, not `xml`
        flag --set: `telemetry.trace_sample_ratio` must be a number, from 0 to 1, not `1.5`
        "#);
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_with_its_line() {
        let errors = load("[grpc]\naddress = '127.0.0.1:1'\nlame_duck 1s\n", &[], &[]).unwrap_err();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        file c.toml, line 3: it is not TOML: key with no value, expected `=`
        "#);
    }

    #[test]
    fn a_file_that_is_not_there_is_told_beside_the_other_errors() {
        let args = ConfigArgs {
            config: Some("/no/such.toml".into()),
            ..set(&["grpc.drain=x"])
        };
        let errors = Config::from_layers(&args, []).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(
            errors[0]
                .to_string()
                .starts_with("file /no/such.toml: it cannot be read: ")
        );
    }

    #[test]
    fn a_value_that_is_overridden_need_not_be_right() {
        assert!(load("[grpc]\ndrain = 'x'\n", &[], &["grpc.drain=5s"]).is_ok());
    }

    #[test]
    fn flags_are_shown_without_their_values() {
        let mut args = set(&["database.url=postgres://ann:s3cret@db/x"]);
        args.database_url = Some("postgres://ann:s3cret@db/x".to_owned());
        let shown = format!("{args:?} {:?}", args.set);
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(
            shown.contains("--database-url") && shown.contains("--set"),
            "{shown}"
        );
    }
}
