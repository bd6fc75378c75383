"""Splink on a labelled set: one fixed setting for all sets, without labels.

    run_splink.py SET/records.csv CLUSTERS.csv

Writes `record_id,cluster` and prints the seconds that the work took, from reading the file to the clusters. The setting is what Splink's own
documentation suggests for persons: its ready-made comparisons with term frequencies, u from random pairs, m by EM in several sessions
(one for each rule that has pairs), connected components of the pairs from a probability of 0.9 on.
"""

import csv
import logging
import sys
import time
import unicodedata

import pyarrow
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLD = 0.9

# Columns by the names that such files usually give them, as in model.yaml.
COLUMNS = {
    "given": ["first_name", "given_name"],
    "family": ["last_name", "surname", "family_name"],
    "full_name": ["full_name", "name"],
    "birth": ["date_of_birth", "dob", "birth_date"],
    "email": ["email", "email_address"],
    "phone": ["phone", "phone_number", "mobile"],
    "person_id": ["soc_sec_id", "ssn_number", "national_id", "loyalty_id"],
    "street": ["address_1", "addr_line1", "address", "street"],
    "city": ["city", "suburb"],
    "postcode": ["postcode", "zip", "zip_code"],
}

# Where there is only a full name, its first and last word.
WORD_OF_FULL_NAME = {"given": 0, "family": -1}

COMPARISONS = {
    "given": cl.NameComparison("given").configure(term_frequency_adjustments=True),
    "family": cl.NameComparison("family").configure(term_frequency_adjustments=True),
    "birth": cl.DamerauLevenshteinAtThresholds("birth", [1, 2]),
    "email": cl.EmailComparison("email"),
    "phone": cl.LevenshteinAtThresholds("phone", 1),
    "person_id": cl.LevenshteinAtThresholds("person_id", 1),
    "street": cl.JaroWinklerAtThresholds("street", [0.9, 0.8]),
    "city": cl.ExactMatch("city").configure(term_frequency_adjustments=True),
    "postcode": cl.LevenshteinAtThresholds("postcode", 1),
}

# Pairs are compared if they agree by one of these.
BLOCKING = [
    ["given", "family"],
    ["family", "given_start"],
    ["given", "family_start"],
    ["birth"],
    ["email"],
    ["local"],
    ["phone"],
    ["person_id"],
    ["family", "postcode"],
    ["given", "postcode"],
    ["family", "street"],
]

# EM runs among the pairs that agree by one of these; what they are made of is trained by the others.
TRAINING = [["birth"], ["given", "family"], ["email"], ["postcode", "family"]]

# Pairs of which nearly all are matches, for the share of matches among all pairs.
CERTAIN = [["email", "family"], ["given", "family", "birth"], ["given", "family", "postcode"], ["person_id"]]


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def cell(row, names):
        value = next((row[name] for name in names if row.get(name)), "")
        letters = unicodedata.normalize("NFKD", value.split("|")[0]).lower()
        return " ".join("".join(c for c in letters if c.isprintable() and not unicodedata.combining(c)).split()) or None

    table = {"unique_id": [row["record_id"] for row in rows]}
    for column, names in COLUMNS.items():
        values = [cell(row, names) for row in rows]
        if column in WORD_OF_FULL_NAME:
            full = (cell(row, COLUMNS["full_name"]) for row in rows)
            values = [value or (name and name.split()[WORD_OF_FULL_NAME[column]]) for value, name in zip(values, full)]
        if column in ("phone", "birth", "person_id"):
            values = [value and ("".join(c for c in value if c.isalnum()) or None) for value in values]
        # A column that is as good as empty teaches nothing.
        if column != "full_name" and sum(value is not None for value in values) > 0.05 * len(values):
            table[column] = values
    for column, name, part in [
        ("local", "email", lambda email: email.split("@")[0]),
        ("given_start", "given", lambda given: given[:3]),
        ("family_start", "family", lambda family: family[:3]),
    ]:
        if name in table:
            table[column] = [value and part(value) or None for value in table[name]]
    return pyarrow.table(table)


def rules(table, wanted):
    return [block_on(*columns) for columns in wanted if all(column in table.column_names for column in columns)]


def main(records, clusters):
    logging.disable(logging.WARNING)
    started = time.monotonic()
    table = read(records)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparison for column, comparison in COMPARISONS.items() if column in table.column_names],
        blocking_rules_to_generate_predictions=rules(table, BLOCKING),
        retain_matching_columns=False,
    )
    database = DuckDBAPI()
    linker = Linker(database.register(table), settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(rules(table, CERTAIN), recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in rules(table, TRAINING):
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        except Exception as error:  # A rule that no pair, or too few, agree by.
            print(f"{rule}: {error}", file=sys.stderr)
    pairs = linker.inference.predict(threshold_match_probability=THRESHOLD)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=THRESHOLD)
    rows = found.as_record_list()
    seconds = time.monotonic() - started
    with open(clusters, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["record_id", "cluster"])
        writer.writerows([row["unique_id"], row["cluster_id"]] for row in rows)
    print(f"{seconds:.3f}")


main(*sys.argv[1:])
