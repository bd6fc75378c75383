//! The weights that come with the program.
//!
//! Chances are plausible for customer data of a population of millions: how often people mistype,
//! move, marry and use a second address. Name frequencies are those of the United States census
//! (1990 given names, 2010 family names; facts in the public domain), rounded; they hold well
//! enough for other countries, as what matters is which names are common.

use std::collections::BTreeMap;

use super::weights::{AgreementLevel, Field, Frequencies, MuProbability};

/// Odds of one to a million that two records are of one person.
pub(super) const PRIOR: i32 = -20_000;

/// Field and level; m in parts per thousand, u in parts per thousand million.
const CHANCES: &[(Field, AgreementLevel, u64, u64)] = &[
    (Field::GivenName, AgreementLevel::Exact, 740, 3_000_000),
    (Field::GivenName, AgreementLevel::Nickname, 60, 1_500_000),
    (Field::GivenName, AgreementLevel::Close, 80, 2_000_000),
    (Field::GivenName, AgreementLevel::Part, 10, 500_000),
    (Field::GivenName, AgreementLevel::Prefix, 15, 1_000_000),
    (Field::GivenName, AgreementLevel::Initial, 30, 3_000_000),
    (Field::GivenName, AgreementLevel::Swapped, 15, 500_000),
    (Field::GivenName, AgreementLevel::Similar, 20, 15_000_000),
    (Field::GivenName, AgreementLevel::Different, 20, 970_000_000),
    (Field::MiddleName, AgreementLevel::Exact, 700, 20_000_000),
    (Field::MiddleName, AgreementLevel::Initial, 200, 50_000_000),
    (Field::MiddleName, AgreementLevel::Close, 30, 10_000_000),
    (
        Field::MiddleName,
        AgreementLevel::Different,
        70,
        920_000_000,
    ),
    (Field::FamilyName, AgreementLevel::Exact, 840, 1_000_000),
    (Field::FamilyName, AgreementLevel::Close, 60, 700_000),
    (Field::FamilyName, AgreementLevel::Part, 15, 300_000),
    (Field::FamilyName, AgreementLevel::Prefix, 10, 500_000),
    (Field::FamilyName, AgreementLevel::Initial, 5, 400_000),
    (Field::FamilyName, AgreementLevel::Swapped, 15, 200_000),
    (Field::FamilyName, AgreementLevel::Similar, 15, 8_000_000),
    (
        Field::FamilyName,
        AgreementLevel::Different,
        40,
        988_000_000,
    ),
    (Field::BirthDate, AgreementLevel::Exact, 870, 45_000),
    (Field::BirthDate, AgreementLevel::Close, 60, 1_000_000),
    (
        Field::BirthDate,
        AgreementLevel::DayMonthSwapped,
        15,
        40_000,
    ),
    (Field::BirthDate, AgreementLevel::Similar, 30, 12_000_000),
    (Field::BirthDate, AgreementLevel::Different, 15, 986_000_000),
    (Field::Gender, AgreementLevel::Exact, 975, 500_000_000),
    (Field::Gender, AgreementLevel::Different, 25, 500_000_000),
    (Field::PersonalId, AgreementLevel::Exact, 900, 200),
    (Field::PersonalId, AgreementLevel::Close, 60, 8_000),
    (
        Field::PersonalId,
        AgreementLevel::Different,
        40,
        999_000_000,
    ),
    (Field::Email, AgreementLevel::Exact, 600, 500),
    (Field::Email, AgreementLevel::Close, 60, 2_000),
    (Field::Email, AgreementLevel::SameLocalPart, 30, 3_000),
    (Field::Email, AgreementLevel::Similar, 20, 100_000),
    (Field::Email, AgreementLevel::Different, 290, 999_000_000),
    (Field::Phone, AgreementLevel::Exact, 600, 1_000),
    (Field::Phone, AgreementLevel::Close, 40, 5_000),
    (Field::Phone, AgreementLevel::Different, 360, 999_000_000),
    (Field::Street, AgreementLevel::Exact, 500, 3_000),
    (Field::Street, AgreementLevel::Close, 180, 6_000),
    (Field::Street, AgreementLevel::Part, 40, 300_000),
    (Field::Street, AgreementLevel::Different, 280, 999_000_000),
    (Field::City, AgreementLevel::Exact, 720, 15_000_000),
    (Field::City, AgreementLevel::Close, 80, 2_000_000),
    (Field::City, AgreementLevel::Different, 200, 983_000_000),
    (Field::Postcode, AgreementLevel::Exact, 700, 2_000_000),
    (Field::Postcode, AgreementLevel::Close, 80, 8_000_000),
    (Field::Postcode, AgreementLevel::Different, 220, 990_000_000),
];

/// Shares of given names, in parts per hundred thousand.
const GIVEN: &str = "james 820 john 810 robert 780 michael 690 mary 660 william 610 david 600 richard 430 charles 390 \
    joseph 360 thomas 350 patricia 270 christopher 300 linda 260 barbara 245 daniel 290 paul 230 mark 225 elizabeth 260 \
    jennifer 300 donald 215 george 220 maria 260 kenneth 190 susan 200 steven 200 edward 200 margaret 200 brian 190 \
    ronald 180 dorothy 140 anthony 230 lisa 180 kevin 190 nancy 170 karen 170 betty 130 helen 130 jason 180 sandra 160 \
    matthew 250 gary 150 timothy 160 jose 220 donna 145 carol 140 ruth 120 larry 135 jeffrey 150 sharon 135 michelle 160 \
    laura 150 sarah 200 kimberly 150 deborah 130 jessica 220 shirley 110 cynthia 125 angela 140 melissa 140 brenda 120 \
    amy 140 anna 160 rebecca 130 virginia 100 kathleen 110 pamela 110 martha 110 debra 105 amanda 170 stephanie 140 \
    carolyn 95 christine 110 frank 150 scott 140 eric 150 stephen 140 andrew 230 raymond 120 gregory 120 joshua 200 \
    jerry 110 dennis 110 walter 90 patrick 130 peter 110 harold 75 douglas 90 henry 120 carl 80 arthur 90 ryan 170 \
    roger 75 joe 80 juan 140 jack 130 albert 75 jonathan 120 justin 140 terry 80 gerald 70 keith 80 samuel 130 \
    willie 60 ralph 60 lawrence 70 nicholas 160 roy 65 benjamin 130 bruce 60 brandon 130 adam 120 harry 90 fred 50 \
    wayne 55 billy 60 steve 60 louis 65 jeremy 80 aaron 95 randy 50 howard 50 eugene 50 carlos 110 russell 50 bobby 50 \
    victor 70 martin 65 ernest 45 phillip 55 todd 45 jesse 65 craig 45 alan 50 shawn 55 sean 70 philip 55 chris 70 \
    johnny 50 earl 35 jimmy 45 antonio 80 tyler 100 zachary 80 luis 120 jacob 130 ethan 110 noah 110 emma 130 \
    olivia 120 sophia 110 isabella 100 ava 90 mia 80 emily 160 abigail 80 madison 80 ashley 150 samantha 110 elizabeth 260 \
    alexis 60 hannah 100 rachel 100 nicole 120 heather 110 katherine 100 catherine 90 teresa 90 janet 90 diane 85 \
    alice 85 julie 95 joyce 75 evelyn 75 judith 75 kelly 90 christina 95 joan 65 lauren 85 frances 70 ann 80 jean 60 \
    megan 85 andrea 85 cheryl 75 jacqueline 70 gloria 65 janice 60 theresa 65 sara 85 rose 60 kathryn 65 judy 60 \
    beverly 50 denise 55 marie 60 amber 65 danielle 70 brittany 75 diana 65 tiffany 60 natalie 70 lori 50 grace 75 \
    kayla 65 alexander 120 logan 80 mason 80 lucas 70 oliver 80 liam 90 dylan 75 gabriel 80 jordan 80 kyle 80 \
    charlotte 75 ella 65 chloe 65 lucy 60 freddie 30 alfie 30 oscar 50";

/// Shares of family names, in parts per hundred thousand.
const FAMILY: &str = "smith 828 johnson 655 williams 551 brown 487 jones 483 garcia 395 miller 393 davis 379 rodriguez 371 \
    martinez 359 hernandez 353 lopez 296 gonzalez 285 wilson 271 anderson 266 thomas 256 taylor 254 moore 246 jackson 240 \
    martin 238 lee 235 perez 231 thompson 225 white 224 harris 211 sanchez 208 clark 191 ramirez 189 lewis 180 \
    robinson 179 walker 177 young 164 allen 164 king 158 wright 156 scott 149 torres 148 nguyen 148 hill 147 flores 147 \
    green 146 adams 145 nelson 144 baker 142 hall 138 rivera 133 campbell 131 mitchell 130 carter 127 roberts 127 \
    gomez 124 phillips 122 evans 121 turner 118 diaz 116 parker 114 cruz 113 edwards 111 collins 110 reyes 109 \
    stewart 108 morris 107 morales 107 murphy 105 cook 103 rogers 103 gutierrez 103 ortiz 102 morgan 101 cooper 100 \
    peterson 99 bailey 98 reed 97 kelly 96 howard 96 ramos 96 kim 95 cox 95 ward 94 richardson 93 watson 92 brooks 92 \
    chavez 91 wood 90 james 90 bennett 87 gray 87 mendoza 87 ruiz 86 hughes 85 price 85 alvarez 85 castillo 84 \
    sanders 83 patel 83 myers 81 long 81 ross 80 foster 80 jimenez 79 powell 76 jenkins 75 perry 75 russell 74 \
    sullivan 73 bell 72 coleman 72 butler 71 henderson 70 barnes 69 gonzales 68 fisher 68 vasquez 68 simmons 67 \
    romero 66 jordan 66 patterson 66 alexander 65 hamilton 65 graham 64 reynolds 64 griffin 63 wallace 63 moreno 62 \
    west 61 cole 61 hayes 61 bryant 60 herrera 60 gibson 59 ellis 58 tran 58 medina 58 aguilar 57 stevens 57 murray 57 \
    ford 57 castro 56 marshall 56 owens 55 harrison 55 fernandez 55 mcdonald 54 woods 54 washington 54 kennedy 53 \
    wells 53 vargas 52 henry 52 chen 52 freeman 51 webb 51 tucker 51 guzman 50 burns 50 crawford 50 olson 49 simpson 49 \
    porter 49 hunter 49 gordon 48 mendez 48 silva 47 shaw 47 snyder 47 mason 47 dixon 46 munoz 46 hunt 46 hicks 45 \
    holmes 45 palmer 45 wagner 45 black 44 robertson 44 boyd 44 rose 44 stone 43 salazar 43 fox 43 warren 43 mills 42 \
    meyer 42 rice 42 schmidt 42 singh 42 wang 42 li 42";

/// The shares of all names that are not in the tables, in parts per thousand million: less would be
/// believing too much in names that a table has left out.
const OTHER_GIVEN: u64 = 200_000;
const OTHER_FAMILY: u64 = 30_000;

pub(super) fn chances() -> BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>> {
    let mut chances: BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>> = BTreeMap::new();
    for &(field, level, m, u) in CHANCES {
        chances.entry(field).or_default().insert(
            level,
            MuProbability {
                m: m * 1_000_000,
                u,
            },
        );
    }
    chances
}

pub(super) fn frequencies() -> BTreeMap<Field, Frequencies> {
    BTreeMap::from([
        (
            Field::GivenName,
            Frequencies {
                values: table(GIVEN),
                other: OTHER_GIVEN,
            },
        ),
        (
            Field::FamilyName,
            Frequencies {
                values: table(FAMILY),
                other: OTHER_FAMILY,
            },
        ),
    ])
}

fn table(text: &str) -> BTreeMap<String, u64> {
    let mut words = text.split_ascii_whitespace();
    let mut values = BTreeMap::new();
    while let (Some(name), Some(share)) = (words.next(), words.next()) {
        values.insert(name.to_owned(), share.parse::<u64>().unwrap_or(0) * 10_000);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chances_of_a_field_are_at_most_all() {
        for (field, levels) in chances() {
            assert!(
                levels.values().map(|chance| chance.m).sum::<u64>() <= 1_000_000_000,
                "{field}"
            );
            assert!(
                levels.values().map(|chance| chance.u).sum::<u64>() <= 1_000_000_000,
                "{field}"
            );
        }
    }

    #[test]
    fn every_name_in_the_tables_has_a_share() {
        for frequencies in frequencies().values() {
            assert!(frequencies.values.len() > 150);
            assert!(
                frequencies
                    .values
                    .values()
                    .all(|share| (100_000..10_000_000).contains(share))
            );
        }
    }
}
