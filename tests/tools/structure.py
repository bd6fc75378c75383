#!/usr/bin/env python3
"""The structure of the two crates: which module uses which, cycles between them, the sizes of files and functions, and the share
of tests.

    python3 tests/tools/structure.py            # print everything
    python3 tests/tools/structure.py --check    # fail where a limit is exceeded, modules form a cycle, or docs/architecture.md
                                                # names a file that is not there

A module is a file or folder directly under a crate's src. An arrow is a path `crate::module::…` outside of tests. Sizes are lines as
formatted, from the signature to the closing brace, tests excluded. The middle is the median, the tail what nine of ten do not exceed.

The share of tests is of the lines of all Rust files (benches, migrations and build.rs too): files below `tests/` and `fuzz/`, `tests.rs`,
test modules, and the examples in documentation, which are compiled and run.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRATES = [ROOT / "core/src", ROOT / "src"]
ARCHITECTURE = ROOT / "docs/architecture.md"
# Lines at most: median, nine of ten, greatest.
FILE_LIMITS = (150, 300, 450)
FUNCTION_LIMITS = (11, 32, 70)
# Per cent of lines, rounded down. It only rises.
LEAST_TESTS = 36


def production(path):
    """The lines of a file without its tests."""
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines):
        if line.startswith("#[cfg(test)]") and number + 1 < len(lines) and lines[number + 1].endswith("{"):
            return lines[:number]
    return lines


def is_test(path):
    return path.name == "tests.rs" or "tests" in path.relative_to(ROOT).parts


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
    """Median, what nine of ten do not exceed, and the greatest."""
    values = sorted(values)
    return values[len(values) // 2], values[(len(values) * 9 - 1) // 10], values[-1]


def exceeded(what, values, limits):
    """Prints the spread of sizes, and yields each limit that is exceeded."""
    found = spread(values)
    print(f"{what} ({len(values)}): median {found[0]}, nine of ten up to {found[1]}, greatest {found[2]}")
    for name, value, limit in zip(("median", "size that nine of ten do not exceed"), found, limits):
        if value > limit:
            yield f"{what}: the {name} is {value} lines, more than {limit}"


def example_lines(lines):
    """Lines of examples in documentation comments."""
    count, inside = 0, False
    for line in lines:
        comment = re.match(r"\s*//[/!] ?(.*)", line)
        if not comment:
            inside = False
        elif comment[1].startswith("```"):
            # A block of another language is no example.
            inside = not inside and comment[1] in ("```", "```rust", "```no_run", "```should_panic")
        elif inside:
            count += 1
    return count


def test_share():
    """Lines of tests and all lines, of all Rust files."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.rs"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    tests = total = 0
    for name in listed.stdout.decode().split():
        path = ROOT / name
        if not path.exists():
            continue
        lines = path.read_text().splitlines()
        total += len(lines)
        if is_test(path) or name.startswith("fuzz/"):
            tests += len(lines)
        else:
            code = production(path)
            tests += max(0, len(lines) - len(code)) + example_lines(code)
    return tests, total


def missing_paths():
    """Paths of files and folders that the architecture page names and that are not there."""
    for named in re.findall(r"`((?:[\w-]+/)+[\w-]*(?:\.rs)?|[\w-]+\.rs)`", ARCHITECTURE.read_text()):
        if not any((root / named).exists() for root in (ROOT, ROOT / "src")):
            yield f"{ARCHITECTURE.relative_to(ROOT)} names `{named}`, which does not exist"


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
    faults += exceeded("files", [size for size, _ in file_sizes], FILE_LIMITS)
    faults += exceeded("functions", [size for size, _ in function_sizes], FUNCTION_LIMITS)
    tests, total = test_share()
    print(f"tests: {tests:,} of {total:,} lines, {100 * tests / total:.1f} %")
    if 100 * tests // total < LEAST_TESTS:
        faults.append(f"tests are {100 * tests / total:.1f} % of lines, fewer than {LEAST_TESTS} %")
    for sizes, limits in ((file_sizes, FILE_LIMITS), (function_sizes, FUNCTION_LIMITS)):
        faults += [f"{name} has {size} lines, more than {limits[2]}" for size, name in sizes if size > limits[2]]
    faults += missing_paths()
    for fault in faults:
        print(fault)
    sys.exit(bool(faults) and "--check" in sys.argv)


main()
