"""Customers of one retailer in twelve countries, as five of its systems write them down."""

import unicodedata

from countries import COUNTRIES
from noise import date_slip, digits_slip, iso, typos


def forms(entry):
    """A name's Latin spellings and its form in the country's script, if it has one of its own."""
    latin, _, native = entry.replace("+", " ").partition("=")
    return latin.split("/"), native


def native(entry):
    return forms(entry)[1] or forms(entry)[0][0]


def plain(text):
    """Without accents, as keyboards and old systems write."""
    special = {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "İ": "I"}
    text = "".join(special.get(letter, letter) for letter in text)
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def digits(rng, form):
    return "".join(str(rng.randrange(10)) if letter == "#" else letter for letter in form)


def people(rng):
    number = 0
    for code, country in COUNTRIES.items():
        lists = {key: country[key].split() for key in ("m", "f", "family", "streets")}
        towns = [town.replace("+", " ").split(":") for town in country["towns"].split()]
        for _ in range(75):
            household = home(rng, lists, towns, country)
            for person in members(rng, lists, country, household):
                for _ in range(rng.choice([1, 1, 2, 3, 4, 5, 7])):
                    yield number, row(rng, code, country, person)
                number += 1


def home(rng, lists, towns, country):
    town, postcode = rng.choice(towns)
    length = 6 if "-" in postcode else 5
    street = rng.choice(lists["streets"]).replace("+", " ")
    return {
        "street": f"{street} {rng.randint(1, 150)}", "city": town, "postcode": (postcode + digits(rng, "#####"))[:length],
        "phone": digits(rng, country["phone"]), "family": rng.choice(lists["family"]),
    }


def members(rng, lists, country, household):
    for place in range(rng.choice([1, 1, 2, 2, 3, 4])):
        sex = "mf"[place % 2] if place < 2 else rng.choice("mf")
        family = household["family"] if rng.random() < 0.8 else rng.choice(lists["family"])
        person = {
            "given": rng.choice(lists[sex]), "family": [family], "sex": sex, "home": household, "moved": None,
            "birth": (rng.randint(1945, 1980) if place < 2 else rng.randint(1981, 2006), rng.randint(1, 12), rng.randint(1, 28)),
        }
        if country.get("two_families"):
            person["family"].append(rng.choice(lists["family"]))
        if rng.random() < 0.12:
            person["moved"] = home(rng, lists, [[household["city"], household["postcode"][:2]]], country)
        first, last = plain(forms(person["given"])[0][0]), plain(forms(family)[0][0])
        mailbox = rng.choice(["{0}.{1}", "{0}{1}{2}", "{0}{2}", "{1}.{0}{2}"]).format(first, last, rng.randint(1, 99)).lower().replace(" ", "").replace("'", "")
        person["email"] = [f"{mailbox}@{rng.choice(['gmail.com', 'yahoo.com', 'outlook.com', 'mail.' + plain(first).lower().replace(' ', '') + '.net'])}"]
        person["email"].append(f"{first.lower().replace(' ', '')}{rng.randint(100, 9999)}@{rng.choice(['gmail.com', 'hotmail.com'])}")
        person["phone"] = household["phone"] if rng.random() < 0.2 else digits(rng, country["phone"])
        yield person


def written(rng, entry, script):
    latin, own = forms(entry)
    if script == "own" and own:
        return own
    name = latin[0] if rng.random() < 0.7 else rng.choice(latin)
    return plain(name) if script == "plain" else name


def row(rng, code, country, person):
    system = rng.choice(["web", "web", "pos", "callcentre", "newsletter", "oldcrm"])
    if system == "newsletter":
        return {"email": person["email"][0], "given_name": written(rng, person["given"], "plain") if rng.random() < 0.4 else ""}
    script = "own" if rng.random() < 0.65 else rng.choice(["latin", "plain"])
    given = written(rng, person["given"], script)
    families = [written(rng, family, script) for family in person["family"]]
    family = " ".join(families) if rng.random() < 0.7 else families[0]
    if rng.random() < 0.07:
        given = typos(rng, given, 1)
    if rng.random() < 0.06:
        family = typos(rng, family, 1)
    if " " in given and rng.random() < 0.2:
        given = given.split()[0] if code != "VN" else given.split()[-1]
    if rng.random() < 0.03:
        given, family = family, given
    said = {"country": code if rng.random() < 0.75 else ""}
    family_first = code in ("VN", "KR") and rng.random() < 0.7
    if system == "web" or rng.random() < 0.5:
        said.update(given_name=given, family_name=family)
    else:
        glue = "" if code == "KR" and script == "own" else " "
        said["full_name"] = f"{family}{glue}{given}" if family_first else f"{given} {family}"
    if system == "oldcrm":
        said = {key: value.upper() if key != "country" else value for key, value in said.items()}
    contacts(rng, system, person, said)
    return said


def contacts(rng, system, person, said):
    if rng.random() < {"web": 0.9, "pos": 0.3, "callcentre": 0.3, "oldcrm": 0.5}[system]:
        email = person["email"][0] if rng.random() < 0.88 else person["email"][1]
        said["email"] = typos(rng, email, 1) if rng.random() < 0.03 else email
    if rng.random() < {"web": 0.5, "pos": 0.4, "callcentre": 0.85, "oldcrm": 0.4}[system]:
        said["phone"] = digits_slip(rng, person["phone"]) if rng.random() < 0.03 else person["phone"]
    if rng.random() < {"web": 0.6, "pos": 0.1, "callcentre": 0.5, "oldcrm": 0.8}[system]:
        where = person["moved"] if person["moved"] and rng.random() < 0.4 else person["home"]
        said.update(street=where["street"], city=where["city"], postcode=where["postcode"])
        if rng.random() < 0.05:
            said["street"] = typos(rng, said["street"], 1)
    if rng.random() < {"web": 0.35, "pos": 0.35, "callcentre": 0.1, "oldcrm": 0.4}[system]:
        birth = person["birth"] if rng.random() < 0.95 else date_slip(rng, person["birth"])
        said["birth_date"] = iso(birth)
    if rng.random() < 0.25:
        said["gender"] = person["sex"]
