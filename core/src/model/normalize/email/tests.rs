mod pasted;

use proptest::prelude::*;

use super::providers::MailProvider;
use super::*;

fn read(raw: &str) -> Result<String, Unread> {
    let clean = super::super::clean(raw);
    canonical(&clean, &MailProviders::default()).map(|addresses| joined(&addresses, " | "))
}

fn joined(addresses: &[IdentifierValue], by: &str) -> String {
    let values: Vec<&str> = addresses.iter().map(|it| it.value.as_str()).collect();
    values.join(by)
}

fn table(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(raw, expected)| read(raw).as_deref() != Ok(expected))
        .map(|(raw, expected)| format!("{raw:?}: {:?}, not {expected}", read(raw)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn spellings_of_one_address_become_one() {
    table(&[
        ("CORY.ODHAM@OUTLOOK.COM", "cory.odham@outlook.com"),
        ("Cory.Odham+shop@Googlemail.com", "coryodham@gmail.com"),
        ("cory+shop@corp.example", "cory+shop@corp.example"),
        ("mailto:ann@example.com.", "ann@example.com"),
        ("ann@MÜNCHEN.example", "ann@münchen.example"),
        ("n.\u{301}@gmail.com", "\u{144}@gmail.com"),
    ]);
}

#[test]
fn an_address_is_found_in_what_people_paste() {
    for raw in [
        "Marta Kern <marta@kern.example>",
        "\"Kern, Marta\" <marta@kern.example>",
        "Kern, Marta <Marta@Kern.example>",
        "<marta@kern.example>",
        "\"marta@kern.example\"",
        "'marta@kern.example'",
        "'marta@kern.example",
        "[marta@kern.example]",
        "(marta@kern.example)",
        "marta@kern.example;",
        "marta@kern.example,",
        "marta@kern.example.",
        "marta @kern.example",
        "marta@ kern.example",
        "mailto:marta@kern.example?subject=Hello",
        "<mailto:marta@kern.example>",
        "mailto:marta%40kern.example",
        "marta@kern.example (work)",
        "marta@kern.example work",
        "E-Mail: marta@kern.example",
        "email:marta@kern.example",
        "marta&#64;kern.example",
        "marta@kern&#46;example",
        "&lt;marta@kern.example&gt;",
        "marta(at)kern.example",
        "marta\u{200B}@kern.example",
        "ｍａｒｔａ＠kern.example",
        "marta@kern.example <marta@kern.example>",
        "marta@kern.example, MARTA@kern.example",
        "Marta Kern|marta@kern.example",
        "\u{a0}marta@kern.example\u{a0}",
    ] {
        assert_eq!(read(raw).as_deref(), Ok("marta@kern.example"), "{raw:?}");
    }
}

#[test]
fn two_addresses_of_a_field_are_two_addresses_or_none() {
    table(&[
        ("a1@x.example; b1@y.example", "a1@x.example | b1@y.example"),
        ("a1@x.example,b1@y.example", "a1@x.example | b1@y.example"),
        ("a1@x.example / b1@y.example", "a1@x.example | b1@y.example"),
        (
            "a1@x.example or b1@y.example",
            "a1@x.example | b1@y.example",
        ),
        (
            "Ann <a1@x.example>, Bob <b1@y.example>",
            "a1@x.example | b1@y.example",
        ),
    ]);
    for raw in [
        "a1@x.example <b1@y.example>",
        "a1@x.example; b1@y",
        "a1@x.exampleb1@y.example",
    ] {
        assert!(read(raw).is_err(), "{raw}: {:?}", read(raw));
    }
}

#[test]
fn domains_follow_uts_46_without_its_transition() {
    let same = |left: &str, right: &str| read(left) == read(right) && read(left).is_ok();
    assert!(same("ann@xn--mnchen-3ya.example", "ann@münchen.example"));
    assert!(same("ann@XN--MNCHEN-3YA.example", "ann@MÜNCHEN.example"));
    assert!(same("ann@例え。jp", "ann@例え.jp"));
    assert!(same("info1@xn--fa-hia.de", "info1@faß.de"));
    for (left, right) in [
        ("ann@faß.de", "ann@fass.de"),
        ("ann@straße-1.de", "ann@strasse-1.de"),
        ("ann@βόλος.gr", "ann@βόλοσ.gr"),
        ("weiß@x.de", "weiss@x.de"),
        ("ann@gmaıl.com", "ann@gmail.com"),
    ] {
        assert!(read(left).is_ok() && read(right).is_ok());
        assert!(!same(left, right), "{left} {right}");
    }
}

#[test]
fn turkish_rules_of_case_make_no_other_mailbox() {
    table(&[
        ("İBRAHİM@GMAİL.COM", "ibrahim@gmail.com"),
        ("ISIK@x.com.tr", "isik@x.com.tr"),
        ("ısık@x.com.tr", "isik@x.com.tr"),
        ("ΒΌΛΟΣ@x.gr", "βόλος@x.gr"),
        ("WEIẞ@x.de", "weiß@x.de"),
    ]);
}

#[test]
fn what_a_provider_ignores_is_ignored_there_only() {
    table(&[
        ("a.n.n+shop@gmail.com", "ann@gmail.com"),
        ("ann+shop@outlook.com", "ann@outlook.com"),
        ("an.n+shop@outlook.com", "an.n@outlook.com"),
        ("ann+x@me.com", "ann@icloud.com"),
        ("ann@mac.com", "ann@icloud.com"),
        ("a.n-n+x@pm.me", "ann@proton.me"),
        ("ann@ya.ru", "ann@yandex.ru"),
        ("a.n.n+shop@corp.example", "a.n.n+shop@corp.example"),
    ]);
}

#[test]
fn a_model_extends_the_providers_and_switches_them_off() {
    let corp = MailProvider {
        domains: vec!["corp.example".to_owned(), "gmail.com".to_owned()],
        ignored: String::new(),
        tag: Some('-'),
    };
    let with = MailProviders::default().with(corp);
    let read = |raw: &str, providers: &MailProviders| {
        canonical(raw, providers).map(|all| joined(&all, ""))
    };
    assert_eq!(
        read("a.n-x@gmail.com", &with).as_deref(),
        Ok("a.n@corp.example")
    );
    assert_eq!(
        read("a.n@googlemail.com", &with).as_deref(),
        Ok("an@googlemail.com")
    );
    assert_eq!(
        read("a.n+x@gmail.com", &MailProviders::none()).as_deref(),
        Ok("a.n+x@gmail.com")
    );
}

#[test]
fn what_is_no_address_has_no_form() {
    for raw in [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@localhost",
        "a b@example.com",
        "Marta Kern@example.com",
        "ann,smith@example.com",
        "ann@exam ple.com",
        "ann@x.co m",
        "a@b@example.com",
        "ann@-x.com",
        "ann@1.2.3.4",
        "ann@x..com",
        "ann@xn--zzzzzzz-.com",
        "+tag@gmail.com",
        "see ann@x.com, she knows",
    ] {
        assert!(read(raw).is_err(), "{raw}: {:?}", read(raw));
    }
    assert!(read(&format!("{}@example.com", "a".repeat(65))).is_err());
}

#[test]
fn an_address_that_was_not_normalised_is_not_well_formed() {
    assert!(is_well_formed("ann@example.com") && is_well_formed("ann@münchen.example"));
    assert!(!is_well_formed("Ann@example.com"));
    assert!(!is_well_formed("ann@Example.com"));
    assert!(!is_well_formed("ann@xn--mnchen-3ya.example"));
}

proptest! {
    #[test]
    fn uts46_leaves_plain_domains_as_they_are(domain in "(xn--)?[a-z0-9-]{0,8}([.][a-z0-9-]{0,8}){0,3}|[a-z.]{240,260}") {
        if is_plain_domain(&domain) {
            let read = by_uts46(&domain);
            prop_assert_eq!(read.as_deref(), Some(&*domain));
        }
    }
}
