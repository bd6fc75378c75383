#!/usr/bin/env python3
"""Makes the data files of this folder from their origins (see README.md).

    ./make.py RECORDS_CSV CDNOW_MASTER_TXT

RECORDS_CSV is the synthetic customer set (record_id, source, first_name, ...); CDNOW_MASTER_TXT the purchases of the CDNOW
customers, as the PyPI package `lifetimes` ships them. The same input gives the same files, byte for byte.
"""

import csv
import json
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).parent
# The first so many CDNOW customers: about 7,000 purchases.
CUSTOMERS = 2_200
# Purchases are asked about from this day on.
SURVEYED_SINCE = "1998-02-01"

QUESTIONS = [
    ("Where is my parcel?", "shipping", "chat", 5),
    ("The jewel case arrived broken", "returns", "email", 3),
    ("Please change my delivery address", "account", "phone", None),
    ("Can I pay by invoice?", "billing", "chat", 4),
    ("The second disc is missing", "returns", "email", 2),
    ("When will it be in stock again?", "products", "chat", None),
    ("I cannot sign in", "account", "email", 4),
    ("Thank you for the quick answer", "praise", "email", 5),
]


def write_csv(name, columns, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_customers(records):
    """One file a source, with the columns that the source fills, in order of record_id."""
    sources = {}
    for record in sorted(records, key=lambda record: record["record_id"]):
        sources.setdefault(record["source"], []).append(record)
    for source, rows in sources.items():
        filled = [name for name in rows[0] if name != "source" and any(row[name] for row in rows)]
        write_csv(f"{source}.csv", filled, rows)
    return sources["web"]


def write_orders(web, lines):
    """The n-th CDNOW customer becomes the n-th web customer. The purchases are real, the pairing is invented."""
    numbers, rows = {}, []
    for line in lines:
        customer, date, quantity, total = line.split()
        if customer not in numbers and len(numbers) == CUSTOMERS:
            break
        numbers[customer] = numbers.get(customer, 0) + 1
        rows.append({
            "order_id": f"{customer}-{numbers[customer]}",
            "customer_id": web[len(numbers) - 1]["record_id"],
            "order_date": f"{date[:4]}-{date[4:6]}-{date[6:]}",
            "quantity": quantity,
            "total": total,
        })
    write_csv("orders.csv", list(rows[0]), rows)
    return rows


def write_surveys(orders):
    """Each fifth purchase of the last months is answered for. Everything in here is invented, by the check sum of the order's id."""
    rows = []
    for order in orders:
        draw = zlib.crc32(order["order_id"].encode())
        if order["order_date"] < SURVEYED_SINCE or draw % 5:
            continue
        metric = ("nps", "nps", "csat")[draw // 5 % 3]
        answers = {"nps": [10, 10, 9, 9, 9, 8, 8, 7, 6, 3], "csat": [5, 5, 5, 4, 4, 4, 3, 2]}[metric]
        rows.append({
            "response_id": f"s{order['order_id']}",
            "customer_id": order["customer_id"],
            "order_id": order["order_id"],
            "answered_on": order["order_date"],
            "metric": metric,
            "score": answers[draw // 15 % len(answers)],
        })
    write_csv("surveys.csv", list(rows[0]), rows)


def write_conversations(web):
    """Some web customers write to the help desk. Everything in here is invented."""
    asking = [record for record in web[:CUSTOMERS] if record["email"] and "@" in record["email"]][::90]
    with open(HERE / "conversations.ndjson", "w", encoding="utf-8") as file:
        for number, record in enumerate(asking):
            subject, tag, channel, rating = QUESTIONS[number % len(QUESTIONS)]
            day = f"1998-06-{1 + number:02}"
            conversation = {
                "id": 9001 + number,
                "updated_at": f"{day}T16:20:00Z",
                "created_at": f"{day}T14:05:00Z",
                "channel": channel,
                "subject": subject,
                "tags": [tag],
                "requester": {
                    "id": 501 + number,
                    "name": f"{record['first_name']} {record['last_name']}",
                    "email": record["email"],
                    "account": record["record_id"] if number % 2 == 0 else None,
                    "locale": "en-US",
                },
                "messages": [
                    {"author": "customer", "text": subject},
                    {"author": "agent", "text": "Thank you for writing. We are looking into it."},
                ],
                "satisfaction": {"score": rating} if rating else None,
            }
            file.write(json.dumps(conversation, ensure_ascii=False) + "\n")


def main():
    records_csv, cdnow_txt = sys.argv[1:]
    with open(records_csv, newline="", encoding="utf-8") as file:
        web = write_customers(list(csv.DictReader(file)))
    with open(cdnow_txt, encoding="ascii") as file:
        next(file)
        orders = write_orders(web, [line for line in file if line.strip()])
    write_surveys(orders)
    write_conversations(web)


if __name__ == "__main__":
    main()
