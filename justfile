# What a contributor does, by name. `just` lists it (https://just.systems); each recipe is one command that works without it.

default:
    @just --list

# Compile everything, tests and benchmarks too
check:
    cargo check --workspace --all-targets

# Format, lints, structure, unit tests, stores in memory and on SQLite; no root, no network
quick:
    tests/run quick

# Every test, as CI runs them
test:
    tests/run

# The unit tests of the pure crate: records, identity, the profile, the model file
core:
    cargo test -p profile-core

# Tests whose name contains a text
one name:
    cargo nextest run --workspace -E 'test({{name}})'

# The long form of the random, kill and freshness tests
long:
    NEXTEST_PROFILE=long CUSTOMER_PROFILE_TEST_SCALE=10 tests/run

# Fuzz what reads foreign text: all targets, or those named
fuzz *targets:
    cargo run --release -p profile-fuzz -- {{targets}} --cases 1000000

# Licences and sources of crates, and advisories where their database can be had (needs cargo-deny)
deny:
    cargo deny check

# The program without NATS
without-nats:
    cargo build --no-default-features

# Look at changed snapshots (needs cargo-insta)
snapshots:
    cargo insta review

# Throughput against bars in one run
bench:
    cargo bench --bench throughput

# The documentation of the code
doc:
    cargo doc --workspace --no-deps --open

# Modules, arrows between them, sizes of files and functions; words to mend
structure:
    python3 tests/tools/structure.py
    python3 tests/tools/words.py

# A server on a temporary database with the sample in it
demo:
    cargo run --release -- demo
