//! Made-up people, any number of them: each is a function of its number, so nothing is kept and
//! every run has the same.
//!
//! Made to be as hard to tell apart as real ones: a few names are very frequent and most are rare,
//! two share a household with its address, its telephone and mostly its family name, and rows say
//! only a part of what there is to say. Seven rows in fifty are about somebody who has an earlier
//! row, and one in three of those has a slip in a name, a new address or another e-mail address.

mod lists;
mod random;

use serde_json::{Map, Value as Json};

pub(crate) use lists::Lists;
use random::Random;

/// Rows about somebody who has a row already, of a hundred.
const AGAIN: u64 = 17;

/// Whom the row of a number is about: the person of that number, or an earlier one.
pub(crate) fn person_of(number: u64) -> u64 {
    let mut random = Random::of("whom", number);
    if number > 0 && random.chance(AGAIN) {
        random.below(number)
    } else {
        number
    }
}

/// The key of the row of a number.
pub(crate) fn key(number: u64) -> String {
    format!("p{number:09}")
}

/// The row of a number.
pub(crate) fn row(number: u64, lists: &Lists) -> Json {
    let mut random = Random::of("row", number);
    let person = person_of(number);
    let mut said = Person::of(person, lists);
    if person != number {
        said.slip(&mut random, lists);
    }
    said.row(number, &mut random)
}

/// All that there is to say of a person.
struct Person {
    given: String,
    family: String,
    email: String,
    phone: String,
    birth: (u64, u64, u64),
    home: Home,
}

/// Where people live together.
struct Home {
    street: String,
    city: String,
    postcode: String,
    phone: String,
}

impl Home {
    fn of(random: &mut Random, lists: &Lists) -> Self {
        let town = lists.towns.pick(random);
        let part = random.below(1 + 2_000 / (lists.towns.rank(town) + 20));
        let street = format!(
            "{} {} {}",
            1 + random.below(1_999),
            lists.streets.pick(random),
            random.of_few(&lists::WAYS)
        );
        let postcode = format!("{:05}", (lists.towns.rank(town) * 37 + part) % 99_000 + 500);
        Self {
            street,
            city: town.to_owned(),
            postcode,
            phone: phone(random),
        }
    }
}

impl Person {
    fn of(number: u64, lists: &Lists) -> Self {
        let mut shared = Random::of("household", number / 2);
        let home = Home::of(&mut shared, lists);
        let family = lists.family.pick(&mut shared).to_owned();
        let mut own = Random::of("person", number);
        let given = lists.given.pick(&mut own).to_owned();
        let family = if own.chance(85) {
            family
        } else {
            lists.family.pick(&mut own).to_owned()
        };
        let email = email(&given, &family, &mut own);
        let phone = if own.chance(30) {
            home.phone.clone()
        } else {
            phone(&mut own)
        };
        let birth = (1_935 + own.below(72), 1 + own.below(12), 1 + own.below(28));
        Self {
            given,
            family,
            email,
            phone,
            birth,
            home,
        }
    }

    /// What changes, or is written down wrongly, until somebody says it again.
    fn slip(&mut self, random: &mut Random, lists: &Lists) {
        if random.chance(10) {
            self.given = mistyped(&self.given, random);
        }
        if random.chance(10) {
            self.family = mistyped(&self.family, random);
        }
        if random.chance(15) {
            self.email = email(&self.given, &self.family, random);
        }
        if random.chance(15) {
            self.phone = phone(random);
        }
        if random.chance(10) {
            self.home = Home::of(random, lists);
        }
        if random.chance(4) {
            let (year, month, day) = self.birth;
            self.birth = if day <= 12 {
                (year, day, month)
            } else {
                (year - 1, month, day)
            };
        }
    }

    /// A row that says a part of it.
    fn row(&self, number: u64, random: &mut Random) -> Json {
        let (year, month, day) = self.birth;
        let mut row = Map::new();
        let mut say = |column: &str, share: u64, value: String, random: &mut Random| {
            if random.chance(share) {
                row.insert(column.to_owned(), Json::String(value));
            }
        };
        say("record_id", 100, key(number), random);
        say("first_name", 96, self.given.clone(), random);
        say("last_name", 92, self.family.clone(), random);
        say("email", 66, self.email.clone(), random);
        say("phone", 57, self.phone.clone(), random);
        say(
            "date_of_birth",
            29,
            format!("{year}-{month:02}-{day:02}"),
            random,
        );
        if random.chance(42) {
            say("address", 100, self.home.street.clone(), random);
            say("city", 100, self.home.city.clone(), random);
            say("postcode", 95, self.home.postcode.clone(), random);
        }
        Json::Object(row)
    }
}

fn email(given: &str, family: &str, random: &mut Random) -> String {
    let (given, family) = (given.to_lowercase(), family.to_lowercase());
    let local = match random.below(4) {
        0 => format!("{given}.{family}{}", random.below(100)),
        1 => format!("{}{family}{}", &given[..1], random.below(1_000)),
        2 => format!("{given}{}", random.below(100_000)),
        _ => format!("{family}{}", random.below(100_000)),
    };
    format!("{local}@{}", random.of_few(&lists::MAIL))
}

fn phone(random: &mut Random) -> String {
    let (area, exchange, line) = (
        random.of_few(&lists::AREAS),
        200 + random.below(354),
        random.below(10_000),
    );
    format!("({area}) {exchange}-{line:04}")
}

/// One letter left out, doubled, or swapped with the next. (Names are ASCII.)
fn mistyped(name: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = usize::try_from(1 + random.below(letters.len().saturating_sub(2).max(1) as u64))
        .unwrap_or(1);
    match random.below(3) {
        _ if at + 1 >= letters.len() => letters.push('e'),
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}
