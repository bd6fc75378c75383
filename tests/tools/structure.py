#!/usr/bin/env python3
"""The structure of the two crates: which module uses which, cycles between them, and the sizes of files and functions.

    python3 tests/tools/structure.py            # print everything
    python3 tests/tools/structure.py --check    # fail where a limit is exceeded or modules form a cycle

A module is a file or folder directly under a crate's src. An arrow is a path `crate::module::…` outside of tests. Sizes are lines as
formatted, from the signature to the closing brace, tests excluded.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRATES = [ROOT / "core/src", ROOT / "src"]
MAX_FILE, MAX_FUNCTION = 450, 70


def production(path):
    """The lines of a file without its tests."""
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines):
        if line.startswith("#[cfg(test)]") and number + 1 < len(lines) and lines[number + 1].endswith("{"):
            return lines[:number]
    return lines


def is_test(path):
    return path.name == "tests.rs" or "tests" in path.parts


def module(path):
    crate = next(crate for crate in CRATES if path.is_relative_to(crate))
    return path.relative_to(crate).parts[0].removesuffix(".rs")


def paths(text):
    """First segments of all paths that begin with `crate::`."""
    for found in re.finditer(r"\bcrate::(\{|\w+)", text):
        if found[1] != "{":
            yield found[1]
            continue
        depth, start = 1, found.end()
        item = ""
        for char in text[start:]:
            if char == "{":
                depth += 1
            elif char == "}":
                depth -= 1
            if depth == 1 and char in ",}" or depth == 0:
                if name := re.match(r"\s*(\w+)", item):
                    yield name[1]
                item = ""
                if depth == 0:
                    break
            else:
                item += char


def graph(files):
    modules = {module(path) for path in files}
    arrows = {name: set() for name in modules}
    for path in files:
        code = "\n".join(re.sub(r"//.*", "", line) for line in production(path))
        for target in paths(code):
            if target in modules and target != module(path) and module(path) not in ("lib", "main"):
                arrows[module(path)].add(target)
    return arrows


def components(arrows):
    """Strongly connected components of more than one module (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(arrows[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = set()
            while True:
                other = stack.pop()
                group.add(other)
                if other == node:
                    break
            if len(group) > 1:
                found.append(group)

    for node in sorted(arrows):
        if node not in index:
            visit(node)
    return found


def functions(path):
    lines = production(path)
    for number, line in enumerate(lines):
        if not re.match(r"\s*(pub(\([^)]*\))? )?(const |async |unsafe )*fn \w", line):
            continue
        indent = re.match(r"\s*", line)[0]
        for end in range(number, len(lines)):
            ended = lines[end] == indent + "}" or (end == number and line.rstrip().endswith("}"))
            if ended:
                yield end - number + 1, f"{path.relative_to(ROOT)}:{number + 1}"
                break
            if lines[end].startswith(indent) and lines[end].rstrip().endswith(";") and "{" not in "".join(
                lines[number : end + 1]
            ):
                break


def spread(values):
    values = sorted(values)
    return f"median {values[len(values) // 2]}, nine of ten up to {values[len(values) * 9 // 10]}, greatest {values[-1]}"


def main():
    faults, file_sizes, function_sizes = [], [], []
    for crate in CRATES:
        files = sorted(path for path in crate.rglob("*.rs") if not is_test(path))
        arrows = graph(files)
        print(f"{crate.relative_to(ROOT)}: {len(arrows)} modules, {sum(map(len, arrows.values()))} arrows")
        for name in sorted(arrows):
            print(f"  {name} -> {', '.join(sorted(arrows[name])) or '-'}")
        faults += [f"a cycle: {', '.join(sorted(cycle))}" for cycle in components(arrows)]
        file_sizes += [(len(production(path)), str(path.relative_to(ROOT))) for path in files]
        function_sizes += [size for path in files for size in functions(path)]
    print(f"files ({len(file_sizes)}): {spread(size for size, _ in file_sizes)}")
    print(f"functions ({len(function_sizes)}): {spread(size for size, _ in function_sizes)}")
    faults += [f"{name} has {size} lines, more than {MAX_FILE}" for size, name in file_sizes if size > MAX_FILE]
    faults += [f"{name} has {size} lines, more than {MAX_FUNCTION}" for size, name in function_sizes if size > MAX_FUNCTION]
    for fault in faults:
        print(fault)
    sys.exit(bool(faults) and "--check" in sys.argv)


main()
