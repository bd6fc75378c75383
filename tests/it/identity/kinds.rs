//! Pairs of records in the shape of what people report, kind by kind: who is one person and who are
//! two, by the built-in model.

use customer_profile::grpc::v1;

use crate::support::service::{Service, by_record, upsert};

/// The words of a record, as `name=value` divided by `|`; an identifier has its type for a name.
type Said = &'static str;

/// A kind, what its pairs have in common, and the pairs; then whether each is one person.
struct Kind {
    name: &'static str,
    common: Said,
    pairs: &'static [(Said, Said)],
    one: bool,
}

const HOUSE: Said =
    "email=the.kerns@web.de|phone=+49 341 9954321|street=Neuer Weg 22|postcode=04109|city=Leipzig";

const KINDS: &[Kind] = &[
    Kind {
        name: "siblings and couples of one house",
        common: HOUSE,
        pairs: &[
            (
                "given_name=Jean-Paul|family_name=Kern",
                "given_name=Jean-Luc|family_name=Kern",
            ),
            (
                "given_name=Marie Anne|family_name=Kern",
                "given_name=Marie Claire|family_name=Kern",
            ),
            (
                "given_name=José Luis|family_name=Kern",
                "given_name=José Antonio|family_name=Kern",
            ),
            (
                "given_name=Abdul Rahman|family_name=Kern",
                "given_name=Abdul Karim|family_name=Kern",
            ),
            (
                "given_name=Paul|family_name=Kern",
                "given_name=Paula|family_name=Kern",
            ),
            (
                "given_name=Stefan|family_name=Kern",
                "given_name=Stefanie|family_name=Kern",
            ),
            (
                "given_name=Andrea|family_name=Kern",
                "given_name=Andreas|family_name=Kern",
            ),
            (
                "given_name=Ivan|family_name=Petrov",
                "given_name=Ivana|family_name=Petrova",
            ),
            (
                "given_name=Suresh|family_name=Rao",
                "given_name=Naresh|family_name=Rao",
            ),
            (
                "given_name=伟|family_name=王",
                "given_name=薇|family_name=王",
            ),
            (
                "given_name=민준|family_name=김",
                "given_name=민서|family_name=김",
            ),
        ],
        one: false,
    },
    Kind {
        name: "father and son of one house",
        common: HOUSE,
        pairs: &[
            (
                "given_name=Robert|family_name=Hill|suffix=Sr",
                "given_name=Robert|family_name=Hill|suffix=Jr",
            ),
            (
                "given_name=Robert Sr.|family_name=Hill",
                "given_name=Robert Jr.|family_name=Hill",
            ),
            (
                "given_name=Carlos|family_name=Lima Filho",
                "given_name=Carlos|family_name=Lima Neto",
            ),
        ],
        one: false,
    },
    Kind {
        name: "one name in two spellings, of one house",
        common: HOUSE,
        pairs: &[
            (
                "given_name=Lukas|family_name=Kern",
                "given_name=Lucas|family_name=Kern",
            ),
            (
                "given_name=MARTA|family_name=KERN",
                "given_name=Marta|family_name=Kern",
            ),
            (
                "given_name=Dr. Marta|family_name=Kern",
                "given_name=Marta|family_name=Kern",
            ),
            (
                "given_name=Bob|family_name=Hill",
                "given_name=Robert|family_name=Hill",
            ),
            (
                "given_name=Jürgen|family_name=Müller",
                "given_name=Juergen|family_name=Mueller",
            ),
            (
                "given_name=Marta|family_name=Kern",
                "display_name=Kern, Marta",
            ),
        ],
        one: true,
    },
    Kind {
        name: "homes of one name and town",
        common: "given_name=John|family_name=Smith|city=Springfield|postcode=62701",
        pairs: &[
            ("street=12 Alder Grove Apt 3", "street=12 Alder Grove Apt 4"),
            ("street=12 Alder Grove #3", "street=12 Alder Grove #14"),
            (
                "street=12 Alder Grove, Unit 3",
                "street=12 Alder Grove, Unit 12",
            ),
            ("street=12a Alder Grove", "street=12b Alder Grove"),
            ("street=112 Alder Grove", "street=12 Alder Grove"),
            ("street=PO Box 112", "street=PO Box 998"),
            (
                "street=Flat 1, 12 Alder Grove",
                "street=Flat 9, 12 Alder Grove",
            ),
            ("street=Calle Mayor 5, 3º B", "street=Calle Mayor 5, 1º A"),
            ("street=ul. Długa 12/5", "street=ul. Długa 12/7"),
            ("street=12 bis rue Haute", "street=12 rue Haute"),
            (
                "street=Suite 200, 1 Main Plaza",
                "street=Suite 310, 1 Main Plaza",
            ),
            ("street=北京路12号", "street=北京路13号"),
            ("street=unknown", "street=unknown"),
            ("street=General Delivery", "street=General Delivery"),
        ],
        one: false,
    },
    Kind {
        name: "placeholders for ids",
        common: "",
        pairs: &[
            (
                "customer_id=null|given_name=Ann|family_name=Hill",
                "customer_id=null|given_name=Boris|family_name=Lang",
            ),
            (
                "customer_id=[object Object]|given_name=Ann",
                "customer_id=[object Object]|given_name=Boris",
            ),
            (
                "customer_id=-1|given_name=Ann",
                "customer_id=-1|given_name=Boris",
            ),
            (
                "customer_id=00000000-0000-0000-0000-000000000000|given_name=Ann",
                "customer_id=00000000-0000-0000-0000-000000000000|given_name=Boris",
            ),
            (
                "loyalty_id=no card 2024|given_name=Ann",
                "loyalty_id=no card 2024|given_name=Boris",
            ),
            (
                "loyalty_id=4.57632E+09|given_name=Ann",
                "loyalty_id=4.57632E+09|given_name=Boris",
            ),
            (
                "loyalty_id=55555555|given_name=Ann",
                "loyalty_id=55555555|given_name=Boris",
            ),
            (
                "email=noemail123@gmail.com",
                "email=noemail123@gmail.com|given_name=Boris",
            ),
            (
                "email=guest@guest.com",
                "email=guest@guest.com|given_name=Boris",
            ),
            (
                "email=declined@declined.com",
                "email=declined@declined.com|given_name=Boris",
            ),
            (
                "email=someone@example.com",
                "email=someone@example.com|given_name=Boris",
            ),
            (
                "device_id=00000000-0000-0000-0000-000000000000",
                "device_id=00000000-0000-0000-0000-000000000000|given_name=Boris",
            ),
            (
                "device_id=9774d56d682e549c",
                "device_id=9774d56d682e549c|given_name=Boris",
            ),
            (
                "device_id=02:00:00:00:00:00",
                "device_id=02:00:00:00:00:00|given_name=Boris",
            ),
        ],
        one: false,
    },
    Kind {
        name: "neighbouring numbers of a machine",
        common: "given_name=Jan|family_name=Wrona",
        pairs: &[
            (
                "customer_id=10010017|city=Kraków",
                "customer_id=10010018|city=Gdańsk",
            ),
            (
                "customer_id=A-20417|city=Kraków",
                "customer_id=A-20471|city=Gdańsk",
            ),
            ("postcode=10001", "postcode=90001"),
        ],
        one: false,
    },
    Kind {
        name: "namesakes with mailboxes of their name",
        common: "",
        pairs: &[
            (
                "given_name=John|family_name=Smith|email=john.smith12@gmail.com",
                "given_name=John|family_name=Smith|email=john.smith87@gmail.com",
            ),
            (
                "given_name=Peter|family_name=Müller|email=peter.mueller1@web.de",
                "given_name=Peter|family_name=Müller|email=peter.mueller1984@gmx.de",
            ),
            (
                "given_name=Minh|family_name=Nguyen|postcode=75013|email=minh.nguyen@free.fr",
                "given_name=Minh|family_name=Nguyen|postcode=75013|email=minh.n@orange.fr",
            ),
        ],
        one: false,
    },
    Kind {
        name: "one mailbox as people paste it",
        common: "",
        pairs: &[
            (
                "email=marta.kern@web.de",
                "email=Marta Kern <marta.kern@web.de>",
            ),
            ("email=marta.kern@web.de", "email=<marta.kern@web.de>"),
            ("email=marta.kern@web.de", "email=\"marta.kern@web.de\""),
            ("email=marta.kern@web.de", "email=marta.kern@web.de;"),
            ("email=marta.kern@web.de", "email=marta.kern@web.de,"),
            ("email=marta.kern@web.de", "email='marta.kern@web.de"),
            (
                "email=marta.kern@web.de",
                "email=mailto:marta.kern@web.de?subject=Hi",
            ),
            ("email=marta.kern@web.de", "email=marta.kern@web.de (work)"),
            ("email=marta.kern@web.de", "email=marta.kern&#64;web.de"),
            (
                "email=marta.kern@web.de",
                "email=\u{feff}marta.kern@web.de\u{200b}",
            ),
            ("email=marta.kern@web.de", "email=E-Mail: marta.kern@web.de"),
            (
                "email=marta@bücher-kern.de",
                "email=marta@xn--bcher-kern-9db.de",
            ),
            ("email=ibrahim@gmail.com", "email=IBRAHIM@GMAIL.COM"),
        ],
        one: true,
    },
    Kind {
        name: "mailboxes of two domains",
        common: "",
        pairs: &[
            ("email=marta@straße-kern.de", "email=marta@strasse-kern.de"),
            ("email=marta@faß.de", "email=marta@fass.de"),
        ],
        one: false,
    },
    Kind {
        name: "one telephone in two spellings",
        common: "",
        pairs: &[
            ("phone=+49 151 21234567", "phone=0049 151 21234567"),
            ("phone=+86 138 4172 5603", "phone=+8613841725603"),
            ("phone=+55 11 96123-4567", "phone=+5511961234567"),
            ("phone=+44 (0)20 7946 0958", "phone=+442079460958"),
            ("phone=+54 9 11 4172-5603", "phone=+54 11 4172-5603"),
            ("phone=tel:+1-646-321-7788", "phone=(646) 321-7788"),
            ("phone=646.321.7788", "phone=1-646-321-7788"),
            ("phone=+٤٩ ١٥١ ٢١٢٣٤٥٦٧", "phone=+4915121234567"),
        ],
        one: true,
    },
    Kind {
        name: "telephones that are not each other",
        common: "",
        pairs: &[
            ("phone=+49 151 21234567", "phone=+49 5121 234567"),
            ("phone=6463217788.0", "phone=+16463217788 0"),
            ("phone=4.47E+11", "phone=4.47E+11"),
            ("phone=321-7788", "phone=321-7788"),
        ],
        one: false,
    },
];

pub(super) fn statement(key: &str, said: &str) -> v1::Statement {
    const IDENTIFIERS: [&str; 5] = ["customer_id", "loyalty_id", "email", "phone", "device_id"];
    let fields = said.split('|').filter(|field| !field.is_empty());
    let fields = fields.map(|field| field.split_once('=').expect("a name and a value"));
    let (identifiers, traits): (Vec<_>, Vec<_>) =
        fields.partition(|(name, _)| IDENTIFIERS.contains(name));
    upsert(("web", key), &identifiers, &traits, 1)
}

pub(super) async fn name(service: &Service, key: &str) -> String {
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", key)),
        ..v1::GetProfileRequest::default()
    };
    let answer = service.profiles().get_profile(request).await;
    let profile = answer.expect("a profile").into_inner().profile;
    profile.expect("a profile").name
}

/// Whether two records are one person, alone in the world, whichever comes first.
async fn are_one(pair: (&str, &str), common: &str) -> [bool; 2] {
    let mut found = [false; 2];
    for (turn, found) in found.iter_mut().enumerate() {
        let service = Service::start().await;
        let mut said = [
            statement("1", &format!("{common}|{}", pair.0)),
            statement("2", &format!("{common}|{}", pair.1)),
        ];
        said.rotate_left(turn);
        for one in said {
            let answer = service.say(vec![one]).await;
            let outcome = answer.results[0].outcome();
            assert_eq!(outcome, v1::StatementOutcome::Stored, "{pair:?} {answer:?}");
        }
        *found = name(&service, "1").await == name(&service, "2").await;
    }
    found
}

#[tokio::test]
async fn pairs_of_each_kind_are_one_or_two() {
    let mut wrong = Vec::new();
    for kind in KINDS {
        for pair in kind.pairs {
            if are_one(*pair, kind.common).await != [kind.one; 2] {
                wrong.push(format!("{}: {pair:?}", kind.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
