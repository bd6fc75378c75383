//! The database's URL, whose password is never shown.

use std::fmt;
use std::path::Path;

use url::Url;

/// Which database serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatabaseKind {
    /// One file, one server.
    Sqlite,
    /// PostgreSQL, any number of servers.
    Postgres,
}

/// Where the data is. `Display` and `Debug` leave out the password and all parameters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatabaseUrl {
    kind: DatabaseKind,
    text: String,
}

impl DatabaseUrl {
    /// Reads a URL; none if it is of no database that is known, or no URL.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let kind = match text.split_once(':')? {
            ("sqlite", rest) if !rest.trim_start_matches('/').is_empty() => DatabaseKind::Sqlite,
            ("postgres" | "postgresql", _)
                if Url::parse(text).is_ok_and(|url| url.host().is_some()) =>
            {
                DatabaseKind::Postgres
            }
            _ => return None,
        };
        Some(Self {
            kind,
            text: text.to_owned(),
        })
    }

    /// Which database it names.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.text
            .strip_prefix("sqlite:")
            .map(|rest| Path::new(rest.strip_prefix("//").unwrap_or(rest)))
    }

    /// The whole URL with its password: for the driver alone, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, Url::parse(&self.text)) {
            (DatabaseKind::Sqlite, _) => {
                f.write_str(self.text.split('?').next().unwrap_or_default())
            }
            (DatabaseKind::Postgres, Ok(url)) => {
                let port = url
                    .port()
                    .map(|port| format!(":{port}"))
                    .unwrap_or_default();
                let host = url.host_str().unwrap_or_default();
                write!(f, "{}://{host}{port}{}", url.scheme(), url.path())
            }
            (DatabaseKind::Postgres, Err(_)) => f.write_str("postgres://…"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://ann:s3cret@db:5433/customers?sslmode=require",
            "postgres://ann@db:5433/customers?password=s3cret",
            "postgres://ann:s3cret%40x@db:5433/customers",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(
                format!("{url} {url:?}"),
                "postgres://db:5433/customers postgres://db:5433/customers"
            );
            assert_eq!(url.expose(), text);
        }
    }

    #[test]
    fn databases_are_told_apart_by_scheme() {
        let kind = |text| DatabaseUrl::parse(text).map(|url| url.kind());
        assert_eq!(
            kind("sqlite://customer-profile.db"),
            Some(DatabaseKind::Sqlite)
        );
        assert_eq!(
            kind("sqlite:///var/lib/x.db?mode=rwc"),
            Some(DatabaseKind::Sqlite)
        );
        assert_eq!(kind("postgresql://h/x"), Some(DatabaseKind::Postgres));
        for bad in [
            "",
            "sqlite",
            "sqlite://",
            "mysql://h/x",
            "postgres:",
            "postgres://",
            "/var/lib/x.db",
        ] {
            assert_eq!(kind(bad), None, "{bad}");
        }
    }
}
