mod world;

use super::*;
use crate::model::country::Country;

const PLAIN: DateForm = DateForm {
    order: None,
    numbers: None,
    buddhist: false,
};

const fn ordered(order: DateOrder) -> DateForm {
    DateForm {
        order: Some(order),
        ..PLAIN
    }
}

fn counted(numbers: DateNumbers) -> DateForm {
    DateForm {
        numbers: Some(numbers),
        ..PLAIN
    }
}

fn said(raw: &str, form: DateForm, home: &str) -> Result<String, UnreadDate> {
    Date::parse(raw, form, Home::said(home), &Placeholders::default()).map(|date| date.to_string())
}

fn all(form: DateForm, home: &str, rows: &[(&str, Result<&str, UnreadDate>)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(raw, expected)| {
            let said = said(raw, form, home);
            let expected = expected.map(str::to_owned);
            (said != expected).then(|| format!("{raw:?}: {said:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// 17 May 1990, in forms that can be read in one way only.
const WITHOUT_DOUBT: &[&str] = &[
    "1990-05-17",
    "1990/5/17",
    "1990.05.17",
    "19900517",
    "1990-05-17 00:00:00",
    "1990-05-17 00:00:00.000",
    "1990-05-17 14:23:05",
    "1990-05-17T00:00:00Z",
    "1990-05-17T05:00:00.000Z",
    "1990-05-17T12:00:00Z",
    "1990-05-17T23:30:00",
    "1990-05-17T00:00:00+02:00",
    "1990-05-17 00:00:00+00",
    "1990-05-17T14:37:12Z",
    "19900517T000000Z",
    "19900517000000",
    "1990-05-17 12:00:00 AM",
    "17/05/1990",
    "05/17/1990",
    "17.05.1990",
    "17.5.90",
    "17-May-90",
    "17 May 1990",
    "17th May 1990",
    "17th of May, 1990",
    "May 17 1990 12:00AM",
    "May 17, 1990",
    "MAY 17TH 1990",
    "Thursday, May 17, 1990",
    "Thu May 17 1990 00:00:00 GMT+0200 (Central European Summer Time)",
    "Thu May 17 00:00:00 CEST 1990",
    "17. Mai 1990",
    "17 mai 1990",
    "17 de mayo de 1990",
    "17 de maio de 1990",
    "17 maggio 1990",
    "17 mei 1990",
    "17 maja 1990 r.",
    "17 мая 1990 г.",
    "17 Mayıs 1990",
    "17 maj 1990",
    "17. května 1990",
    "17. mai 1990",
    "1990年5月17日",
    "1990년 5월 17일",
    "平成2年5月17日",
    "H2.5.17",
    "民國79年5月17日",
    "１９９０－０５－１７",
    "١٧/٠٥/١٩٩٠",
    "१७/०५/१९९०",
    "'1990-05-17",
    "17 พ.ค. พ.ศ. 2533",
];

#[test]
fn forms_without_doubt_are_read_without_a_declaration() {
    for raw in WITHOUT_DOUBT {
        assert_eq!(said(raw, PLAIN, "").as_deref(), Ok("1990-05-17"), "{raw:?}");
    }
    all(
        PLAIN,
        "",
        &[
            ("1er janvier 1987", Ok("1987-01-01")),
            ("3 März 1976", Ok("1976-03-03")),
            ("1. Jänner 1987", Ok("1987-01-01")),
            ("5 sierpnia 1956", Ok("1956-08-05")),
            ("昭和17年2月26日", Ok("1942-02-26")),
            ("平成元年1月8日", Ok("1989-01-08")),
            ("05/05/1990", Ok("1990-05-05")),
            ("19371233", Ok("1937-12-33")),
        ],
    );
}

#[test]
fn the_order_is_declared_or_of_the_country_and_never_guessed() {
    let row = |expected| {
        [
            ("03/04/1990", expected),
            ("3-4-1990", expected),
            ("3/4/90", expected),
        ]
    };
    all(PLAIN, "", &row(Err(UnreadDate::Order)));
    all(PLAIN, "Canada", &row(Err(UnreadDate::Order)));
    all(PLAIN, "Atlantis", &row(Err(UnreadDate::Order)));
    all(PLAIN, "DE", &row(Ok("1990-04-03")));
    all(PLAIN, "Brasil", &row(Ok("1990-04-03")));
    all(PLAIN, "US", &row(Ok("1990-03-04")));
    all(ordered(DateOrder::DayFirst), "US", &row(Ok("1990-04-03")));
    all(ordered(DateOrder::MonthFirst), "DE", &row(Ok("1990-03-04")));
    all(PLAIN, "", &[("3.4.1990", Err(UnreadDate::Order))]);
    all(PLAIN, "US", &[("3.4.1990", Err(UnreadDate::Order))]);
    all(PLAIN, "TR", &[("3.4.1990", Ok("1990-04-03"))]);
    all(
        ordered(DateOrder::YearFirst),
        "",
        &[("90/04/03", Ok("1990-04-03"))],
    );
}

#[test]
fn what_only_a_declaration_can_tell_is_not_read_without_one() {
    all(
        PLAIN,
        "DE",
        &[
            ("17051990", Err(UnreadDate::Number)),
            ("33010", Err(UnreadDate::Number)),
            ("642902400", Err(UnreadDate::Number)),
            ("642902400000", Err(UnreadDate::Number)),
            ("17/05/2533", Err(UnreadDate::Year)),
            ("1990", Err(UnreadDate::Partial)),
            ("May 1990", Err(UnreadDate::Partial)),
            ("1990-05-16T22:00:00.000Z", Err(UnreadDate::Shifted)),
            ("1990-05-16T18:30:00.000Z", Err(UnreadDate::Shifted)),
            ("17/13/90", Ok("1990-13-17")),
        ],
    );
    all(PLAIN, "", &[("17/13/90", Err(UnreadDate::NoSuchDay))]);
    all(
        ordered(DateOrder::DayFirst),
        "",
        &[("17051990", Ok("1990-05-17"))],
    );
    all(
        ordered(DateOrder::MonthFirst),
        "",
        &[("05171990", Ok("1990-05-17"))],
    );
    all(
        counted(DateNumbers::Excel),
        "",
        &[("33010", Ok("1990-05-17")), ("33010.0", Ok("1990-05-17"))],
    );
    all(
        counted(DateNumbers::UnixSeconds),
        "",
        &[
            ("642902400", Ok("1990-05-17")),
            ("-86400000", Ok("1967-04-07")),
        ],
    );
    all(
        counted(DateNumbers::UnixMilliseconds),
        "",
        &[("642902400000", Ok("1990-05-17"))],
    );
    let buddhist = DateForm {
        buddhist: true,
        ..ordered(DateOrder::DayFirst)
    };
    all(
        buddhist,
        "",
        &[
            ("17/05/2533", Ok("1990-05-17")),
            ("25330517", Ok("1990-05-17")),
        ],
    );
}

#[test]
fn what_stands_for_no_date_says_nothing() {
    for raw in [
        "1900-01-01",
        "1970-01-01",
        "1969-12-31",
        "1904-01-01",
        "1899-12-30",
        "1899-12-31",
        "2000-01-01",
        "1980-01-01",
        "1950-01-01",
        "2001-01-01",
        "2038-01-19",
        "1970-01-01T00:00:00Z",
        "01/01/1900",
    ] {
        assert_eq!(said(raw, PLAIN, ""), Err(UnreadDate::Placeholder), "{raw}");
    }
    for raw in ["1900-02-29", "1990-02-30", "1990-00-00", "1990-05-00"] {
        assert_eq!(said(raw, PLAIN, ""), Err(UnreadDate::NoSuchDay), "{raw}");
    }
    for raw in [
        "",
        "none",
        "12",
        "1987-10-28-3",
        "Smarch 3 1990",
        "9999-12-31",
        "0001-01-01",
        "17 May 1990 or so",
    ] {
        assert!(said(raw, PLAIN, "").is_err(), "{raw}");
    }
    assert!(said("2000-02-29", PLAIN, "").is_ok() && said("1987-01-01", PLAIN, "").is_ok());
}

#[test]
fn a_country_says_the_order_of_its_dates() {
    let order = |name| Country::parse(name).and_then(Country::is_day_first);
    assert_eq!(
        (order("US"), order("DE"), order("CA")),
        (Some(false), Some(true), None)
    );
}

/// How other programs write a day, as their documentation names the form, and how a source that is
/// written so is declared.
const WRITERS: &[(&str, &str, DateForm)] = &[
    ("ISO 8601, extended", "%Y-%m-%d", PLAIN),
    ("ISO 8601, basic", "%Y%m%d", PLAIN),
    ("RFC 3339", "%Y-%m-%dT00:00:00Z", PLAIN),
    ("RFC 3339 with an offset", "%Y-%m-%dT22:00:00-05:00", PLAIN),
    ("RFC 5322", "%a, %d %b %Y 00:00:00 +0000", PLAIN),
    ("RFC 9110, IMF-fixdate", "%a, %d %b %Y 00:00:00 GMT", PLAIN),
    ("C, asctime", "%a %b %e 00:00:00 %Y", PLAIN),
    ("Go, UnixDate", "%a %b %e 00:00:00 UTC %Y", PLAIN),
    ("Go, RFC1123Z", "%a, %d %b %Y 00:00:00 +0200", PLAIN),
    ("JavaScript, toDateString", "%a %b %d %Y", PLAIN),
    ("PHP, DATE_COOKIE", "%A, %d-%b-%Y 00:00:00 UTC", PLAIN),
    ("Oracle, DD-MON-YYYY", "%d-%b-%Y", PLAIN),
    ("SQL Server, style 107", "%b %d, %Y", PLAIN),
    ("SQL Server, style 111", "%Y/%m/%d", PLAIN),
    ("SQL Server, style 112", "%Y%m%d", PLAIN),
    (
        "PostgreSQL, German",
        "%d.%m.%Y",
        ordered(DateOrder::DayFirst),
    ),
    (
        "PostgreSQL, SQL with DMY",
        "%d/%m/%Y",
        ordered(DateOrder::DayFirst),
    ),
    (
        "PostgreSQL, SQL with MDY",
        "%m/%d/%Y",
        ordered(DateOrder::MonthFirst),
    ),
    ("SAP, DATS", "%Y%m%d", PLAIN),
    ("Excel, long date", "%A, %B %d, %Y", PLAIN),
];

/// Forms that name a day and are not read: their numbers are not a year, a month and a day.
const NOT_READ: &[&str] = &["%G-W%V-%u", "%Y-%j", "%Y%j", "%U/%Y", "%s"];

fn some_day() -> impl proptest::strategy::Strategy<Value = jiff::civil::Date> {
    use proptest::strategy::Strategy;
    (1801i16..=2099, 1i8..=12, 1i8..=31).prop_filter_map("no such day", |(year, month, day)| {
        jiff::civil::Date::new(year, month, day).ok()
    })
}

proptest::proptest! {
    #[test]
    fn a_day_that_another_program_wrote_is_that_day_or_stands_for_none(day in some_day()) {
        for (writer, form, declared) in WRITERS {
            let text = day.strftime(form).to_string();
            match said(&text, *declared, "") {
                Ok(read) => proptest::prop_assert_eq!(read, day.to_string(), "{}: {}", writer, text),
                Err(UnreadDate::Placeholder) => {
                    let read = Date::new(
                        day.year().unsigned_abs().into(),
                        day.month().unsigned_abs().into(),
                        day.day().unsigned_abs().into(),
                    );
                    proptest::prop_assert!(read.is_ok_and(Date::is_placeholder), "{}: {}", writer, text);
                }
                Err(other) => proptest::prop_assert!(false, "{}: {}: {}", writer, text, other),
            }
        }
    }

    #[test]
    fn a_day_is_never_read_as_another_one_without_a_declaration(day in some_day()) {
        let forms = WRITERS.iter().map(|(_, form, _)| form).chain(NOT_READ);
        for form in forms {
            let text = day.strftime(form).to_string();
            if let Ok(read) = said(&text, PLAIN, "") {
                proptest::prop_assert_eq!(read, day.to_string(), "{}", text);
            }
        }
    }

    #[test]
    fn days_that_spreadsheets_and_clocks_count_are_the_days_they_stand_for(day in some_day()) {
        let since = |zero: jiff::civil::Date| {
            day.since(zero).map(|span| i64::from(span.get_days())).unwrap_or_default()
        };
        let excel = since(jiff::civil::date(1899, 12, 30));
        let unix = since(jiff::civil::date(1970, 1, 1)) * 86_400;
        for (text, numbers) in [
            (excel.to_string(), DateNumbers::Excel),
            // A cell with a time of day.
            (format!("{excel}.75"), DateNumbers::Excel),
            (unix.to_string(), DateNumbers::UnixSeconds),
            ((unix + 86_399).to_string(), DateNumbers::UnixSeconds),
            ((unix * 1_000).to_string(), DateNumbers::UnixMilliseconds),
        ] {
            let is_negative_cell = numbers == DateNumbers::Excel && excel < 0;
            if is_negative_cell {
                continue;
            }
            match said(&text, counted(numbers), "") {
                Ok(read) => proptest::prop_assert_eq!(read, day.to_string(), "{:?}: {}", numbers, text),
                Err(error) => proptest::prop_assert_eq!(error, UnreadDate::Placeholder, "{}", text),
            }
        }
    }
}
