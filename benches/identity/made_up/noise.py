"""How people mistype."""

NEIGHBOURS = {
    "a": "qsz", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n",
    "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xa",
}


def typos(rng, text, count):
    """So many letters left out, doubled, changed for a neighbour or swapped."""
    for _ in range(count):
        if len(text) < 3:
            return text
        place = rng.randrange(len(text) - 1)
        kind = rng.random()
        letter = text[place]
        if kind < 0.25:
            text = text[:place] + text[place + 1:]
        elif kind < 0.4:
            text = text[:place] + letter + text[place:]
        elif kind < 0.75:
            text = text[:place] + rng.choice(NEIGHBOURS.get(letter.lower(), letter)) + text[place + 1:]
        else:
            text = text[:place] + text[place + 1] + letter + text[place + 2:]
    return text


def digits_slip(rng, text):
    """One digit changed, or two neighbours swapped."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    if len(places) > 1 and rng.random() < 0.3:
        first = rng.randrange(len(places) - 1)
        a, b = places[first], places[first + 1]
        letters = list(text)
        letters[a], letters[b] = letters[b], letters[a]
        return "".join(letters)
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + str(rng.randrange(10)) + text[place + 1:]


def date_slip(rng, date):
    """Day and month swapped, a digit, some days or months, one or ten years off."""
    year, month, day = date
    kind = rng.random()
    if kind < 0.2 and day <= 12:
        return year, day, month
    if kind < 0.4:
        return year, month, max(1, min(28, day + rng.choice([-10, -2, -1, 1, 2, 10])))
    if kind < 0.6:
        return year, max(1, min(12, month + rng.choice([-2, -1, 1, 2]))), max(1, min(28, day + rng.randint(-3, 3)))
    if kind < 0.8:
        return year + rng.choice([-10, -1, 1, 10]), month, day
    text = digits_slip(rng, f"{year:04}{month:02}{day:02}")
    return int(text[:4]), max(1, min(12, int(text[4:6]))), max(1, min(28, int(text[6:])))


def iso(date):
    return f"{date[0]:04}-{date[1]:02}-{date[2]:02}"
