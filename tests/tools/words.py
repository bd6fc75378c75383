#!/usr/bin/env python3
"""What a machine can hold of the writing guide (docs/writing.md), in comments, messages and pages.

    python3 tests/tools/words.py            # count the faults of each folder
    python3 tests/tools/words.py --list src # print those of a folder, one a line
    python3 tests/tools/words.py --check    # fail where a folder has more faults than words.json allows
    python3 tests/tools/words.py --update   # write words.json anew: after faults were mended, never to admit new ones

The rules:

- `long`: a comment in Rust has at most 100 columns, like the code that rustfmt formats; rows of tables may be longer.
- `empty`: a documentation comment has more than one word, and says more than the name below it.
- `word`: no comment, message or page uses a word of the guide's list of words to avoid.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).with_suffix(".json")
COLUMNS = 100

# The list of docs/writing.md, as patterns. Code samples in backticks do not count.
AVOID = {
    "is told": r"\b(is|are|was|were|be|been) told\b",
    "stands": r"\bstands?\b(?! for\b| in for\b)",
    "comes of": r"\b(comes?|came) of\b",
    "so many": r"\bso (many|much|long)\b(?! as\b)",
    "headless sentence": r"(?:^|[.:;] )(?:Whom?|Of wh(?:om|ich)|Whose|What) [^.?]*[.]?$",
    "none: …": r"\b[Nn]one: ",
}
PATTERNS = {name: re.compile(pattern) for name, pattern in AVOID.items()}
# Words of a comment that say nothing themselves.
FILLERS = {"a", "an", "the", "of", "its", "it", "this", "that", "is"}
# The guide quotes what it advises against.
EXEMPT = {"docs/writing.md", "CHANGELOG.md"}


def tracked():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    for name in listed.stdout.decode().split("\n"):
        if name.endswith((".rs", ".md", ".proto")) and name not in EXEMPT and (ROOT / name).exists():
            yield name


def folder(name):
    parts = name.split("/")
    if len(parts) == 1:
        return "."
    depth = 3 if parts[0] == "core" else 2
    return "/".join(parts[:depth]).removesuffix(".rs")


def stem(word):
    return re.sub(r"(ies|es|s|ed|ing)$", "", word.lower())


def name_words(declaration):
    """The words of the name that a line declares; nothing where it declares none."""
    found = re.match(
        r"\s*(?:pub(?:\([^)]*\))? )?(?:(?:async |const |unsafe )*fn|struct|enum|trait|type|const|static|mod)? ?(\w+)",
        declaration,
    )
    if not found:
        return set()
    return {stem(word) for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", found[1])}


def comment(line):
    """The text of a comment line in Rust or a proto file; nothing for code."""
    found = re.match(r"\s*(?://!|///?)\s?(.*)", line)
    return found[1] if found else None


def messages(line):
    """The texts in double quotes of a line of code."""
    return re.findall(r'"((?:[^"\\]|\\.)*)"', line)


def rust(name, lines):
    for number, line in enumerate(lines, 1):
        said = comment(line)
        if said is None:
            if not name.startswith(("tests/", "benches/", "fuzz/")) and not name.endswith("tests.rs"):
                for message in messages(line):
                    yield from avoided(name, number, message, headless=False)
            continue
        # A row of a table cannot be broken.
        if len(line) > COLUMNS and not said.startswith("|"):
            yield name, number, "long", f"{len(line)} columns"
        yield from avoided(name, number, said)
        if line.lstrip().startswith("/// ") and single(lines, number):
            words = [word for word in re.findall(r"[\w`']+", said) if word.lower() not in FILLERS]
            below = next((line for line in lines[number:] if not re.match(r"\s*(#\[|$)", line)), "")
            repeats = len(words) <= 2 and {stem(word) for word in words} <= name_words(below)
            if len(words) <= 1 and not said.endswith(":") or repeats:
                yield name, number, "empty", said


def single(lines, number):
    """Whether a documentation comment has one line."""
    before = lines[number - 2] if number > 1 else ""
    after = lines[number] if number < len(lines) else ""
    return not any(line.lstrip().startswith("///") for line in (before, after))


def page(name, lines):
    code = False
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            code = not code
        elif not code:
            yield from avoided(name, number, line, headless=False)


def avoided(name, number, text, headless=True):
    plain = re.sub(r"`[^`]*`", "", text)
    for word, pattern in PATTERNS.items():
        if (headless or word != "headless sentence") and pattern.search(plain):
            yield name, number, "word", f"{word}: {text.strip()}"


def faults():
    for name in tracked():
        lines = (ROOT / name).read_text().split("\n")
        if name.endswith(".md"):
            yield from page(name, lines)
        else:
            yield from rust(name, lines)


def main():
    found = list(faults())
    if "--list" in sys.argv:
        wanted = sys.argv[-1].rstrip("/")
        for name, number, rule, text in found:
            if name.startswith(wanted) or wanted == "--list":
                print(f"{name}:{number}: {rule}: {text}")
        return 0
    counts = Counter(f"{folder(name)} {rule}" for name, _, rule, _ in found)
    if "--update" in sys.argv:
        ALLOWED.write_text(json.dumps(dict(sorted(counts.items())), indent=1) + "\n")
        return 0
    allowed = json.loads(ALLOWED.read_text())
    wrong = 0
    for key, count in sorted(counts.items()):
        most = allowed.get(key, 0)
        if count > most:
            wrong += 1
            place, rule = key.split(" ")
            print(f"{place}: {count} faults of `{rule}`, {most} are allowed; see: python3 tests/tools/words.py --list {place}")
        elif "--check" not in sys.argv:
            print(f"{key}: {count}")
    print(f"{sum(counts.values())} faults in {len({name for name, *_ in found})} files; words.json allows {sum(allowed.values())}")
    return 1 if wrong and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
