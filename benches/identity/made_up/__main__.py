"""Labelled sets of invented people, of kinds that the shipped sets hold few of: to measure a change of matching on more than one set.

    python3 benches/identity/made_up KIND SEED FOLDER
    cargo run --release -p profile-core --example labelled_set -- benches/identity/model.yaml FOLDER

| kind | what it holds |
|---|---|
| aliases | up to twenty records a person: nicknames, former and artists' names, initials, swapped and missing names, moves; one in five has a contact |
| families | families of one address without e-mail and telephone; dates of birth and numbers with slips, numbers copied from a relative |
| noisy | one original and up to five copies with up to twelve mistakes, several in a field |
| world | customers of twelve further countries in five systems, one person in two scripts, families with shared contacts |

The same kind and seed give the same files, `records.csv` and `truth.csv`. Given names of `aliases`, `families` and `noisy` are the
English ones of the shipped list, family names of all languages, by their shipped shares.
"""

import csv
import random
import sys
from pathlib import Path

import world
from noise import date_slip, digits_slip, iso, typos

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[2] / "core/src"


class Names:
    """The shipped names, drawn by their shipped shares."""

    def __init__(self, rng):
        self.rng = rng
        self.family, self.family_shares = self.weighted("family_names.txt", None)
        given = self.english()
        self.given = {sex: self.weighted("given_names.txt", names) for sex, names in given.items()}
        self.forms = {}
        for line in (CORE / "identity/nicknames.txt").read_text().splitlines():
            head, *forms = line.split()
            self.forms.setdefault(head, []).extend(forms)

    @staticmethod
    def english():
        names, section = {"m": set(), "f": set()}, None
        for line in (CORE / "identity/given_names.txt").read_text().splitlines():
            words = line.split()
            if words[-1] in ("m", "f", "x"):
                section = words[-1] if words[0] == "en" else None
            elif section in names:
                names[section].update(words)
        return names

    @staticmethod
    def weighted(file, wanted):
        names, shares, share = [], [], 0.0
        for word in (CORE / "model/matching" / file).read_text().split():
            if word.isdigit():
                share = float(word)
            elif wanted is None or word in wanted:
                names.append(word)
                # A table of the world has the first name of each country: none is so frequent in one population.
                shares.append(min(share, 500.0))
        return names, shares

    def a_family(self):
        return self.rng.choices(self.family, self.family_shares)[0]

    def a_given(self, sex):
        names, shares = self.given[sex]
        return self.rng.choices(names, shares)[0]

    def nickname(self, given):
        return self.rng.choice(self.forms.get(given, [given]))


class Towns:
    """Towns with postal codes, and streets."""

    WAYS = ["Street", "Road", "Lane", "Avenue", "Drive", "Close", "Court"]

    def __init__(self, rng, names):
        self.rng = rng
        self.streets = [names.a_family().title() for _ in range(400)]
        self.towns = [(names.a_family().title() + rng.choice(["ton", "ville", " Falls", "bury", "field"]), 10000 + 97 * number) for number in range(300)]
        self.weights = [1.0 / (10 + rank) for rank in range(300)]

    def home(self):
        town, code = self.rng.choices(self.towns, self.weights)[0]
        street = f"{self.rng.randint(1, 240)} {self.rng.choice(self.streets)} {self.rng.choice(self.WAYS)}"
        return {"street": street, "city": town, "postcode": f"{code + self.rng.randint(0, 12):05}"}


def aliases(rng):
    """People of history and of the stage, as archives and fans write them down."""
    names = Names(rng)
    towns = Towns(rng, names)
    for number in range(420):
        sex = rng.choice("mf")
        person = {
            "given": [names.a_given(sex), names.a_given(sex)],
            "family": [names.a_family()] + ([names.a_family()] if rng.random() < (0.5 if sex == "f" else 0.15) else []),
            "birth": (rng.randint(1930, 2003), rng.randint(1, 12), rng.randint(1, 28)),
            "homes": [towns.home() for _ in range(rng.choice([1, 1, 2, 3]))],
            "sex": sex,
        }
        person["email"] = [f"{person['given'][0]}{rng.randint(1, 9999)}@{rng.choice(['mail.com', 'post.net', 'web.org'])}" for _ in range(2)]
        person["phone"] = [f"(212) {rng.randint(200, 999)}-{rng.randint(0, 9999):04}" for _ in range(2)]
        for _ in range(rng.choice([1, 2, 4, 6, 8, 10, 12, 15, 20])):
            yield number, alias_row(rng, names, person)


def alias_row(rng, names, person):
    roll = rng.random()
    given = person["given"][0]
    if roll < 0.22:
        given = names.nickname(given)
    elif roll < 0.26:
        given = person["given"][1]
    elif roll < 0.32:
        given = given[0]
    elif roll < 0.38:
        given = ""
    if rng.random() < 0.12:
        given = typos(rng, given, 1)
    family = person["family"][0]
    if rng.random() < 0.2:
        family = rng.choice(person["family"])
    if rng.random() < 0.13:
        family = typos(rng, family, rng.choice([1, 1, 2]))
    if rng.random() < 0.05 and given:
        family = ""
    if rng.random() < 0.05:
        given, family = family, given
    home = person["homes"][0] if rng.random() < 0.75 else rng.choice(person["homes"])
    year, month, day = person["birth"]
    birth = person["birth"]
    if rng.random() < 0.15:
        birth = date_slip(rng, birth)
    elif rng.random() < 0.05:
        birth = (year, 1, 1)
    row = {"first_name": given, "last_name": family, "gender": person["sex"] if rng.random() < 0.6 else ""}
    row["date_of_birth"] = iso(birth) if rng.random() < 0.72 else ""
    row["city"] = home["city"] if rng.random() < 0.7 else ""
    row["postcode"] = home["postcode"] if rng.random() < 0.65 else ""
    if row["postcode"] and rng.random() < 0.1:
        row["postcode"] = digits_slip(rng, row["postcode"])
    if rng.random() < 0.2:
        row["email"] = rng.choice(person["email"])
    if rng.random() < 0.1:
        row["phone"] = rng.choice(person["phone"])
    return row


def families(rng):
    """Lists of a census, a tax office and employers."""
    names = Names(rng)
    towns = Towns(rng, names)
    number = 0
    for _ in range(1300):
        home, moved, family = towns.home(), towns.home(), names.a_family()
        members = []
        for place in range(rng.choice([1, 2, 2, 3, 4, 4, 5, 6])):
            sex = "fm"[place % 2] if place < 2 else rng.choice("mf")
            year = rng.randint(1940, 1978) if place < 2 else rng.randint(1979, 2012)
            members.append({
                "given": names.a_given(sex), "middle": names.a_given(sex), "family": family if rng.random() < 0.9 else names.a_family(),
                "birth": (year, rng.randint(1, 12), rng.randint(1, 28)), "sex": sex, "ssn": f"{rng.randint(100, 899)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
            })
        if len(members) > 2 and rng.random() < 0.15 and members[2]["sex"] == "m":
            members[2]["given"] = members[1]["given"]  # father and son
        if len(members) > 3 and rng.random() < 0.1:
            members[3]["birth"] = members[2]["birth"]  # twins
        for member in members:
            for _ in range(rng.choice([1, 2, 2, 3, 4])):
                place = home if rng.random() < 0.88 else moved
                yield number, family_row(rng, names, member, members, place)
            number += 1


def family_row(rng, names, member, members, home):
    given, family, birth, ssn = member["given"], member["family"], member["birth"], member["ssn"]
    if rng.random() < 0.05:
        given = names.nickname(given)
    elif rng.random() < 0.02:
        given = given[0]
    if rng.random() < 0.06:
        given = typos(rng, given, 1)
    if rng.random() < 0.06:
        family = typos(rng, family, 1)
    if rng.random() < 0.03:
        family = names.a_family()
    if rng.random() < 0.05:
        birth = date_slip(rng, birth)
    relative = rng.choice(members)
    if rng.random() < 0.03:
        birth = relative["birth"]
    if rng.random() < 0.05:
        ssn = relative["ssn"]
    elif rng.random() < 0.04:
        ssn = digits_slip(rng, ssn)
    row = {"first_name": given, "middle_name": member["middle"][0] if rng.random() < 0.55 else "", "last_name": family, "gender": member["sex"]}
    row["date_of_birth"] = iso(birth) if rng.random() < 0.7 else ""
    row["ssn"] = ssn if rng.random() < 0.4 else ""
    if rng.random() < 0.9:
        row.update(home)
        if rng.random() < 0.06:
            row["street"] = typos(rng, row["street"], 1)
        if rng.random() < 0.03:
            row["postcode"] = digits_slip(rng, row["postcode"])
    return row


def noisy(rng):
    """Copies of one original, each with many mistakes, as generators for record linkage make them."""
    names = Names(rng)
    towns = Towns(rng, names)
    for number in range(1500):
        home = towns.home()
        house, street = home["street"].split(" ", 1)
        original = {
            "given_name": names.a_given(rng.choice("mf")), "surname": names.a_family(), "street_number": house, "address_1": street.lower(),
            "suburb": home["city"].lower(), "postcode": home["postcode"][:4],
            "date_of_birth": iso((rng.randint(1900, 1999), rng.randint(1, 12), rng.randint(1, 28))).replace("-", ""), "soc_sec_id": f"{rng.randint(1000000, 9999999)}",
        }
        for field in original:
            if rng.random() < 0.04:
                original[field] = ""
        yield number, original
        for _ in range(rng.choice([0, 1, 1, 2, 3, 5])):
            yield number, noisy_copy(rng, names, original)


def noisy_copy(rng, names, original):
    row = dict(original)
    for _ in range(rng.randint(4, 12)):
        field = rng.choice(list(row))
        roll = rng.random()
        if not row[field]:
            continue
        if roll < 0.1:
            row[field] = ""
        elif roll < 0.14 and field in ("given_name", "surname"):
            row["given_name"], row["surname"] = row["surname"], row["given_name"]
        elif roll < 0.2 and field == "given_name":
            row[field] = names.nickname(row[field])
        elif roll < 0.17 and field == "date_of_birth":
            row[field] = row[field][:4] + row[field][6:] + row[field][4:6]
        elif roll < 0.15 and field in ("suburb", "address_1"):
            row["suburb"], row["address_1"] = row["address_1"], row["suburb"]
        elif field in ("street_number", "postcode", "date_of_birth", "soc_sec_id"):
            row[field] = digits_slip(rng, row[field])
        else:
            row[field] = typos(rng, row[field], rng.choice([1, 1, 2, 3]))
    return row


def write(rows, folder):
    """Shuffled, with names of records that tell nothing."""
    columns = ["record_id"]
    for _, row in rows:
        columns.extend(column for column in row if column not in columns)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "records.csv", "w", newline="") as records, open(folder / "truth.csv", "w", newline="") as truth:
        out = csv.DictWriter(records, columns)
        out.writeheader()
        labels = csv.writer(truth)
        labels.writerow(["record_id", "cluster_id"])
        for place, (person, row) in enumerate(rows):
            out.writerow({"record_id": f"r{place:06}", **row})
            labels.writerow([f"r{place:06}", person])


def main():
    kinds = {"aliases": aliases, "families": families, "noisy": noisy, "world": world.people}
    if len(sys.argv) != 4 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    rng = random.Random(f"{sys.argv[1]} {sys.argv[2]}")
    rows = list(kinds[sys.argv[1]](rng))
    rng.shuffle(rows)
    write(rows, Path(sys.argv[3]))


if __name__ == "__main__":
    main()
