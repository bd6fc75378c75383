"""The licences of all crates that are linked into the service.

`licences.py` prints the list: crate, version, licence, where it comes from. `licences.py --check` fails when a crate may be
used only under a licence that is not among those below: all of them let a program be given away under Apache-2.0 as long
as their notices stay with it.
"""

import json
import re
import subprocess
import sys

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CDLA-Permissive-2.0", "ISC", "MIT",
    "MIT-0", "Unicode-3.0", "Unlicense", "Zlib",
}


def allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by allowed licences alone."""
    # An exception only gives more rights; `MIT/Apache-2.0` is the old way to write OR.
    expression = re.sub(r"\s+WITH\s+\S+", "", expression).replace("/", " OR ")
    tokens = re.findall(r"\(|\)|[^\s()]+", expression)

    def either() -> bool:
        value = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = both() or value
        return value

    def both() -> bool:
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = one() and value
        return value

    def one() -> bool:
        token = tokens.pop(0)
        if token != "(":
            return token in ALLOWED
        value = either()
        assert tokens.pop(0) == ")", expression
        return value

    return either() and not tokens


def linked() -> list[dict]:
    """The packages that end up in the program: dependencies, without those of tests and build scripts."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting, found = [metadata["resolve"]["root"]], set()
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            normal = (
                dependency["pkg"]
                for dependency in nodes[package]["deps"]
                if any(kind["kind"] is None for kind in dependency["dep_kinds"])
            )
            waiting.extend(normal)
    return sorted((p for p in metadata["packages"] if p["id"] in found), key=lambda p: (p["name"], p["version"]))


def main() -> int:
    for good in ("MIT", "MIT/GPL-3.0", "(MIT OR GPL-3.0) AND ISC", "Apache-2.0 WITH LLVM-exception"):
        assert allowed(good), good
    for bad in ("GPL-3.0", "MIT AND GPL-3.0", "(MIT AND GPL-3.0) OR LGPL-2.1", ""):
        assert not bad or not allowed(bad), bad
    packages = linked()
    if "--check" not in sys.argv:
        for package in packages:
            print(package["name"], package["version"], package["license"] or "?", package["repository"] or "", sep="\t")
        return 0
    wrong = [p for p in packages if not (p["license"] and allowed(p["license"]))]
    for package in wrong:
        print(f"{package['name']} {package['version']}: {package['license']} is not allowed", file=sys.stderr)
    print(f"{len(packages)} crates, {len(wrong)} with a licence that is not allowed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
