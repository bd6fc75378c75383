mod world;

use phonenumber::Type;
use phonenumber::metadata::DATABASE;

use super::*;

fn read(raw: &str, region: &str) -> Result<String, Unread> {
    let numbers = canonical(&super::super::clean(raw), Some(region))?;
    let values: Vec<&str> = numbers.iter().map(|it| it.value.as_str()).collect();
    Ok(values.join(" | "))
}

fn us(raw: &str) -> Option<String> {
    read(raw, "US").ok()
}

#[test]
fn spellings_of_one_number_become_one() {
    for raw in [
        "686.855.5928",
        "6868555928",
        "1-686-855-5928",
        "+1 (686) 855 5928",
        "tel:+1-686-855-5928",
    ] {
        assert_eq!(us(raw).as_deref(), Some("+16868555928"), "{raw}");
    }
    assert_eq!(
        read("089 123456", "DE").ok().as_deref(),
        Some("+4989123456")
    );
    assert_eq!(us("+49 89 123456").as_deref(), Some("+4989123456"));
}

#[test]
fn the_leading_zero_of_italian_numbers_stays() {
    assert_eq!(
        read("06 698 12345", "IT").ok().as_deref(),
        Some("+390669812345")
    );
    assert!(is_canonical("+390669812345"));
}

#[test]
fn an_extension_is_another_line() {
    assert_eq!(
        us("686-855-5928 ext. 12").as_deref(),
        Some("+16868555928;ext=12")
    );
    assert!(is_canonical("+16868555928;ext=12"));
    assert!(!is_canonical("+16868555928;ext="));
}

#[test]
fn what_cannot_be_a_number_has_no_form() {
    for raw in [
        "",
        "none",
        "12",
        "555-0100",
        "+1 123 456 7890",
        "+999 123456789",
        "12345678901234567890",
    ] {
        assert_eq!(us(raw), None, "{raw}");
    }
    assert!(!is_canonical("6868555928"));
    assert!(!is_canonical("+1686855592"));
}

#[test]
fn regions_are_those_with_a_numbering_plan() {
    assert!(is_region("US") && is_region("DE"));
    assert!(!is_region("us") && !is_region("ZZ") && !is_region(""));
}

/// How people write a number: (region, text, the number, or why it is none).
fn table(rows: &[(&str, &str, Result<&str, Unread>)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(region, raw, expected)| {
            let said = read(raw, region);
            let expected = expected.map(str::to_owned);
            (said != expected).then(|| format!("{region} {raw:?}: {said:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_number_is_read_by_the_country_that_it_names() {
    table(&[
        ("US", "+49 151 21234567", Ok("+4915121234567")),
        ("US", "+86 138 1234 5678", Ok("+8613812345678")),
        ("US", "+55 11 96123-4567", Ok("+5511961234567")),
        ("US", "+353 1 234 5678", Ok("+35312345678")),
        ("US", "+43 1 58858 0", Ok("+431588580")),
        ("US", "+82 10-1234-5678", Ok("+821012345678")),
        ("US", "+20 10 01234567", Ok("+201001234567")),
        ("US", "+60 12-345 6789", Ok("+60123456789")),
        ("US", "+44 1632 960123", Ok("+441632960123")),
        ("US", "+36 1 234 5678", Ok("+3612345678")),
        ("US", "+44 (0)20 7946 0958", Ok("+442079460958")),
        ("US", "tel:+49-151-21234567", Ok("+4915121234567")),
        ("US", "011 49 151 21234567", Ok("+4915121234567")),
        ("US", "0049 151 21234567", Ok("+4915121234567")),
        ("US", "+ 00 49 151 21234567", Ok("+4915121234567")),
        ("DE", "00 1 (212) 555-1234", Ok("+12125551234")),
        ("RU", "8 10 49 151 21234567", Ok("+4915121234567")),
        ("IT", "+49 (0)89 123456", Ok("+4989123456")),
        ("US", "+39 (0)6 698 12345", Ok("+390669812345")),
        ("NZ", "tel:331-6005;phone-context=+64-3", Ok("+6433316005")),
    ]);
}

#[test]
fn an_area_code_may_begin_with_the_trunk_digit() {
    table(&[
        ("RU", "8 (812) 336-12-34", Ok("+78123361234")),
        ("RU", "(812) 336-12-34", Ok("+78123361234")),
        ("RU", "8-800-555-35-35", Ok("+78005553535")),
        ("RU", "7 812 336 12 34", Ok("+78123361234")),
        ("KZ", "8 (727) 250-12-34", Ok("+77272501234")),
        ("BY", "8 017 212-34-56", Ok("+375172123456")),
        ("LT", "8 5 212 3456", Ok("+37052123456")),
        ("HU", "06 1 234 5678", Ok("+3612345678")),
    ]);
}

#[test]
fn a_number_without_code_is_of_its_region_or_of_none() {
    table(&[
        ("DE", "0151/21234567", Ok("+4915121234567")),
        ("DE", "4915121234567", Ok("+4915121234567")),
        ("DE", "15121234567", Ok("+4915121234567")),
        ("GB", "447911123456", Ok("+447911123456")),
        ("GB", "7911123456", Ok("+447911123456")),
        ("US", "44 7911 123456", Err(Unread::NoPlan)),
        ("US", "555-0100", Err(Unread::NoPlan)),
        ("CA", "310-1234", Err(Unread::NoPlan)),
        ("DE", "234567", Err(Unread::Local)),
        ("DE", "7654321", Err(Unread::Local)),
        ("AT", "5885801", Err(Unread::Local)),
        ("GB", "7946 0958", Err(Unread::NoPlan)),
        ("FR", "42 34 56 78", Err(Unread::NoPlan)),
        ("AQ", "0151 21234567", Err(Unread::NoRegion)),
    ]);
}

#[test]
fn what_spreadsheets_make_of_a_number_is_undone_or_refused() {
    table(&[
        ("US", "6463217788.0", Ok("+16463217788")),
        ("US", "6.463217788E9", Ok("+16463217788")),
        ("US", "1.6463217788e+10", Ok("+16463217788")),
        ("US", "6,463,217,788", Ok("+16463217788")),
        ("US", "'6463217788", Ok("+16463217788")),
        ("DE", "=\"015121234567\"", Ok("+4915121234567")),
        ("US", "6.46E+09", Err(Unread::Rounded)),
        ("GB", "4.479E+11", Err(Unread::Rounded)),
        ("DE", "-21234669", Err(Unread::Letters)),
        ("US", "#ERROR!", Err(Unread::NoDigits)),
    ]);
}

#[test]
fn notes_are_read_over_and_other_letters_are_not() {
    table(&[
        ("US", "646-321-7788 (cell)", Ok("+16463217788")),
        ("US", "cell: 646-321-7788", Ok("+16463217788")),
        ("US", "646.321.7788 home", Ok("+16463217788")),
        ("DE", "Tel.: 0151 21234567 (Mutter)", Ok("+4915121234567")),
        ("DE", "0151 21234567 (privat)", Ok("+4915121234567")),
        ("RU", "моб. 8 921 123-45-67", Ok("+79211234567")),
        ("US", "1-800-FLOWERS", Err(Unread::Letters)),
        ("US", "646-321-7788 after 5", Err(Unread::Letters)),
        ("US", "646-32l-7788", Err(Unread::Letters)),
        ("US", "646-321-77xx", Err(Unread::Letters)),
        (
            "US",
            "someletters6463217788@gmail.com",
            Err(Unread::Letters),
        ),
    ]);
}

#[test]
fn extensions_are_read_as_people_write_them() {
    table(&[
        ("US", "646-321-7788 x12", Ok("+16463217788;ext=12")),
        ("US", "646-321-7788 Ext. 12", Ok("+16463217788;ext=12")),
        ("US", "646-321-7788 #12", Ok("+16463217788;ext=12")),
        ("US", "646-321-7788,,12#", Ok("+16463217788;ext=12")),
        (
            "US",
            "tel:+1-646-321-7788;ext=12",
            Ok("+16463217788;ext=12"),
        ),
        ("RU", "8 (812) 336-12-34 доб. 12", Ok("+78123361234;ext=12")),
        ("BR", "(11) 2345-6789 ramal 12", Ok("+551123456789;ext=12")),
        ("US", "+1-827-555-0109 x3422", Ok("+18275550109;ext=3422")),
    ]);
}

#[test]
fn two_numbers_of_a_field_are_two_numbers_or_none() {
    table(&[
        (
            "US",
            "646-321-7788 / 212-555-1234",
            Ok("+16463217788 | +12125551234"),
        ),
        (
            "US",
            "646-321-7788, 212-555-1234",
            Ok("+16463217788 | +12125551234"),
        ),
        (
            "GB",
            "07822-728185 or 0151 355 4839",
            Ok("+447822728185 | +441513554839"),
        ),
        (
            "US",
            "+49 151 21234567 +49 152 98765432",
            Ok("+4915121234567 | +4915298765432"),
        ),
        ("US", "646-321-7788/89", Err(Unread::SeveralNumbers)),
        ("DE", "089/123456/57", Err(Unread::SeveralNumbers)),
        ("US", "646-321-7788; 555-0100", Err(Unread::SeveralNumbers)),
    ]);
}

#[test]
fn two_forms_of_one_line_are_one_number() {
    table(&[
        ("US", "+54 9 11 2345-6789", Ok("+541123456789")),
        ("US", "+54 11 2345-6789", Ok("+541123456789")),
        ("AR", "011 15-2345-6789", Ok("+541123456789")),
        ("AR", "0343 15 555 1212", Ok("+543435551212")),
        ("US", "+52 1 55 1234 5678", Ok("+525512345678")),
        ("MX", "+5215512345678", Ok("+525512345678")),
        ("MX", "55 1234 5678", Ok("+525512345678")),
        ("US", "+55 31 9688-1234", Ok("+5531996881234")),
        ("BR", "(31) 9688-1234", Ok("+5531996881234")),
        ("BR", "0 31 99688 1234", Ok("+5531996881234")),
        ("BR", "0 15 31 99688 1234", Ok("+5531996881234")),
        ("BR", "(11) 2345-6789", Ok("+551123456789")),
    ]);
}

#[test]
fn digits_of_other_scripts_are_digits() {
    table(&[
        ("EG", "٠١٠ ٠١٢٣ ٤٥٦٧", Ok("+201001234567")),
        ("IN", "९८१०१२३४५६", Ok("+919810123456")),
        ("JP", "０９０－１２３４－５６７８", Ok("+819012345678")),
    ]);
}

const TYPES: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

/// Example numbers of all regions: (region, calling code, national number, trunk prefix).
fn examples() -> Vec<(String, String, String, String)> {
    let mut all = Vec::new();
    for code in 1_u16..=999 {
        for meta in DATABASE.by_code(&code).unwrap_or_default() {
            let examples = TYPES
                .iter()
                .filter_map(|kind| meta.descriptors().get(*kind)?.example());
            let mut examples: Vec<&str> = examples.collect();
            examples.sort_unstable();
            examples.dedup();
            // `310 1234` is dialled within Canada only.
            examples.retain(|national| {
                read::is_e164(&format!(
                    "+{code}{}",
                    read::one_form(&code.to_string(), national)
                ))
            });
            let trunk = meta.national_prefix().unwrap_or_default();
            all.extend(examples.into_iter().map(|national| {
                (
                    meta.id().to_owned(),
                    code.to_string(),
                    national.to_owned(),
                    trunk.to_owned(),
                )
            }));
        }
    }
    all
}

/// In groups as people write them.
fn grouped(national: &str, sign: &str) -> String {
    let (first, rest) = national.split_at(national.len().min(2));
    let (second, third) = rest.split_at(rest.len().min(3));
    [first, second, third].join(sign)
}

#[test]
fn no_example_number_becomes_another_one_in_any_default_region() {
    let examples = examples();
    assert!(examples.len() > 1_000);
    let (mut other, mut lost, mut ambiguous) =
        (Vec::new(), Vec::new(), std::collections::BTreeMap::new());
    for (region, code, national, _) in &examples {
        let expected = format!("+{code}{}", read::one_form(code, national));
        let spellings = [
            format!("+{code}{national}"),
            format!("+{code} {}", grouped(national, " ")),
            format!("+{code} {}", grouped(national, "-")),
            format!("+{code} ({}", grouped(national, ") "))
                .replacen(") ", ")", 1)
                .replace(") ", " "),
            format!("tel:+{code}-{}", grouped(national, "-")),
        ];
        let dialled = format!("00{code} {}", grouped(national, " "));
        for home in [
            "US", "RU", "BR", "GB", "HU", "IN", "DE", "FR", "JP", "MX", "AR", "CI",
        ] {
            for spelling in &spellings {
                match self::read(spelling, home) {
                    Ok(number) if number == expected => {}
                    Ok(number) => other.push(format!("{home}: {region} {spelling} {number}")),
                    Err(unread) => lost.push(format!("{home}: {region} {spelling} {unread:?}")),
                }
            }
            match self::read(&dialled, home) {
                Ok(number) if number != expected => {
                    other.push(format!("{home}: {region} {dialled} {number}"));
                }
                Ok(_) => {}
                Err(_) => *ambiguous.entry(home).or_insert(0) += 1,
            }
        }
    }
    assert!(
        other.is_empty(),
        "{} other: {:#?}",
        other.len(),
        &other[..other.len().min(40)]
    );
    // Where national numbers begin with 00, or callers dial a carrier behind it.
    let elsewhere = ambiguous
        .iter()
        .filter(|(home, _)| !["BR", "CI", "JP"].contains(home));
    assert_eq!(
        elsewhere.map(|(_, count)| count).sum::<usize>(),
        0,
        "with 00: {ambiguous:?}"
    );
    assert!(
        lost.is_empty(),
        "{} lost: {:#?}",
        lost.len(),
        &lost[..lost.len().min(40)]
    );
}

#[test]
fn no_example_number_becomes_another_one_in_its_own_region() {
    let examples = examples();
    let (mut other, mut lost) = (Vec::new(), Vec::new());
    for (region, code, national, trunk) in examples.iter().filter(|example| example.0 != "001") {
        let expected = format!("+{code}{}", read::one_form(code, national));
        let spellings = [
            format!("{trunk}{national}"),
            format!("{trunk}{}", grouped(national, " ")),
            format!("({trunk}) {}", grouped(national, "-")),
        ];
        for spelling in &spellings {
            match self::read(spelling, region) {
                Ok(number) if number == expected => {}
                Ok(number) => other.push(format!("{region} {spelling} {number}")),
                Err(unread) => lost.push(format!("{region} {spelling} {unread:?}")),
            }
        }
        match self::read(national, region) {
            Ok(number) if number != expected => {
                other.push(format!("{region} bare {national} {number}"));
            }
            _ => {}
        }
    }
    assert!(
        other.is_empty(),
        "{} other: {:#?}",
        other.len(),
        &other[..other.len().min(60)]
    );
    let share = lost.len() * 1_000 / (examples.len() * 3);
    assert!(
        share <= 10,
        "{share} of 1000 lost: {:#?}",
        &lost[..lost.len().min(80)]
    );
}
