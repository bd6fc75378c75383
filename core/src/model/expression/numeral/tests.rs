//! Numbers as users of importers, spreadsheets and payment interfaces report them.

use super::*;

fn told(text: &str, mark: Option<Mark>) -> String {
    match read(text, mark) {
        Ok(number) => number.to_string(),
        Err(unread) => format!("{unread:?}"),
    }
}

fn holds(mark: Option<Mark>, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, told(text, mark), expected))
        .filter(|(_, found, expected)| found != **expected)
        .map(|(text, found, expected)| format!("{text:?}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{mark:?}\n{}", wrong.join("\n"));
}

#[test]
fn a_number_is_read_exactly() {
    holds(
        None,
        &[
            ("0", "0"),
            ("12.50", "12.50"),
            (" 12.50\t", "12.50"),
            ("\u{feff}12.50\u{a0}", "12.50"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+5", "5"),
            ("-5.25", "-5.25"),
            ("- 5.25", "-5.25"),
            ("-.5", "-0.5"),
            // The point begins the fraction, however many digits it has.
            ("1.234", "1.234"),
            ("0.125", "0.125"),
            // Other minuses, and other places of it.
            ("\u{2212}5", "-5"),
            ("\u{2013}5", "-5"),
            ("50.00-", "-50.00"),
            ("1,234.56-", "-1234.56"),
            ("(50.00)", "-50.00"),
            ("(1,234.50)", "-1234.50"),
            // Groups of thousands.
            ("1,234.50", "1234.50"),
            ("1,234,567", "1234567"),
            ("12,34,567.50", "1234567.50"),
            ("1,23,456", "123456"),
            ("1'234.50", "1234.50"),
            ("1\u{2019}234\u{2019}567.5", "1234567.5"),
            ("1 234.50", "1234.50"),
            ("1\u{a0}234", "1234"),
            ("1\u{202f}234\u{202f}567", "1234567"),
            ("1\u{2009}234.5", "1234.5"),
            // Digits of other scripts.
            ("\u{ff11}\u{ff12}\u{ff0e}\u{ff15}", "12.5"),
            (
                "\u{ff0d}\u{ff11}\u{ff0c}\u{ff12}\u{ff13}\u{ff14}\u{ff0e}\u{ff15}",
                "-1234.5",
            ),
            ("\u{661}\u{662}\u{663}", "123"),
            (
                "\u{661}\u{66c}\u{662}\u{663}\u{664}\u{66b}\u{665}",
                "1234.5",
            ),
            ("\u{61c}-\u{6f1}\u{6f2}\u{66b}\u{6f5}", "-12.5"),
            ("\u{967}\u{968}.\u{969}", "12.3"),
            // Scientific notation of programs has all digits.
            ("1.5e-2", "0.015"),
            ("1E-05", "0.00001"),
            ("1.2345678E7", "12345678"),
            (
                "79228162514264337593543950335",
                "79228162514264337593543950335",
            ),
        ],
    );
}

#[test]
fn what_may_be_two_numbers_is_refused() {
    holds(
        None,
        &[
            ("1,234", "Ambiguous"),
            ("-12,500", "Ambiguous"),
            ("0,125", "Comma"),
            ("999,999", "Ambiguous"),
            ("12,5", "Comma"),
            ("12,50", "Comma"),
            ("1.234,50", "Comma"),
            ("1.234.567", "Comma"),
            ("1 234,50", "Comma"),
            ("1'234,50", "Comma"),
            ("1234,567", "Comma"),
            ("1,5E-3", "Comma"),
        ],
    );
}

#[test]
fn what_is_declared_is_read_by_it() {
    holds(
        Some(Mark::Comma),
        &[
            ("12,50", "12.50"),
            ("1.234", "1234"),
            ("1.234,50", "1234.50"),
            ("1.234.567", "1234567"),
            ("1 234,567", "1234.567"),
            ("1'234,50", "1234.50"),
            ("0,125", "0.125"),
            ("-5", "-5"),
            ("50,00-", "-50.00"),
            ("12.50", "Undeclared"),
            ("0.125", "Undeclared"),
            ("1,234.50", "Undeclared"),
            ("1,234,567", "Undeclared"),
            ("1.23E+11", "Rounded"),
        ],
    );
    holds(
        Some(Mark::Point),
        &[
            ("1,234", "1234"),
            ("1.234", "1.234"),
            ("1,234.5", "1234.5"),
            ("12,50", "Undeclared"),
            ("1.234,50", "Undeclared"),
        ],
    );
}

#[test]
fn what_is_no_number_or_more_than_one_is_refused_with_the_reason() {
    holds(
        None,
        &[
            ("", "NoNumber"),
            ("-", "NoNumber"),
            ("+", "NoNumber"),
            (".", "NoNumber"),
            (",", "NoNumber"),
            ("-.", "NoNumber"),
            ("()", "NoNumber"),
            ("NaN", "NoNumber"),
            ("Infinity", "NoNumber"),
            ("-inf", "NoNumber"),
            ("null", "NoNumber"),
            ("n/a", "NoNumber"),
            ("#N/A", "NoNumber"),
            ("$", "NoNumber"),
            ("--5", "NoNumber"),
            ("-(5)", "NoNumber"),
            ("(-5)", "NoNumber"),
            ("-5-", "NoNumber"),
            ("+5-", "NoNumber"),
            ("5+", "Beside"),
            ("1.2.3", "NoNumber"),
            ("1..2", "NoNumber"),
            ("1,,234", "NoNumber"),
            ("1,2345", "Comma"),
            ("12,3456,789", "NoNumber"),
            ("1,234,56", "NoNumber"),
            ("1234,567.5", "NoNumber"),
            ("12 34", "NoNumber"),
            ("1 234 56", "NoNumber"),
            ("1,234'567", "NoNumber"),
            ("1 234,567.5", "NoNumber"),
            ("12-20", "NoNumber"),
            ("1/2", "NoNumber"),
            ("12:30", "NoNumber"),
            ("2026-01-31", "NoNumber"),
            ("1_234.50", "NoNumber"),
            ("0x1F", "NoNumber"),
            ("0b11", "NoNumber"),
            ("5\u{b2}", "Beside"),
            ("\u{bd}", "NoNumber"),
            ("1e400", "TooLong"),
            ("123456789012345678901234567890", "TooLong"),
            ("0.12345678901234567890123456789012", "TooLong"),
        ],
    );
}

#[test]
fn what_is_beside_a_number_or_was_rounded_is_refused() {
    holds(
        None,
        &[
            ("1.23E+11", "Rounded"),
            ("1,23E+11", "Rounded"),
            ("4E+05", "Rounded"),
            ("1.234568e+17", "Rounded"),
            ("1E", "Beside"),
            ("$11", "Beside"),
            ("-$11.00", "Beside"),
            ("$-11.00", "Beside"),
            ("($5.00)", "Beside"),
            ("\u{20ac} 12.50", "Beside"),
            ("12,50 \u{20ac}", "Beside"),
            ("12.50 EUR", "Beside"),
            ("R$ 1.234,50", "Beside"),
            ("Rs. 500", "Beside"),
            ("CHF 1'234.\u{2013}", "Beside"),
            ("\u{ffe5}1,000", "Beside"),
            ("1000\u{5186}", "Beside"),
            ("2 pcs", "Beside"),
            ("1.5k", "Beside"),
            ("~5", "Beside"),
            ("12%", "Percentage"),
            ("12,5 %", "Percentage"),
            ("\u{661}\u{662}\u{66a}", "Percentage"),
        ],
    );
}

proptest::proptest! {
    /// As formatters of the three great conventions write it.
    #[test]
    fn a_formatted_number_is_itself_or_refused(number in -1_000_000_000_000_i64..1_000_000_000_000, scale in 0_u32..5) {
        let number = Decimal::new(number, scale);
        let plain_text = number.abs().to_string();
        let (whole, fraction) = plain_text.split_once('.').unwrap_or((&plain_text, ""));
        let places: Vec<char> = whole.chars().collect();
        let minus = if number.is_sign_negative() && !number.is_zero() { "-" } else { "" };
        for (group, point, mark) in [(",", ".", Mark::Point), (".", ",", Mark::Comma), ("\u{a0}", ",", Mark::Comma), ("'", ".", Mark::Point)] {
            let grouped = places.rchunks(3).rev().map(|part| part.iter().collect::<String>());
            let grouped = grouped.collect::<Vec<_>>().join(group);
            let begin = if fraction.is_empty() { "" } else { point };
            let written = format!("{minus}{grouped}{begin}{fraction}");
            proptest::prop_assert_eq!(read(&written, Some(mark)), Ok(number), "{}", written);
            if let Ok(found) = read(&written, None) {
                // Points alone are the declared reading: that a comma begins no fraction.
                let by_point = written.replace([',', '\u{a0}', '\''], "").parse().ok();
                proptest::prop_assert_eq!(Some(found), by_point, "{}", written);
            }
        }
    }
}
