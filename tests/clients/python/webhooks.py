"""Verifies webhooks with the library that receivers use.

Reads from standard input one JSON object a line, `{"headers": {…}, "body": "…"}`; the secret is the argument. Each must be
verified as it is, and none with another body, another id or another time.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
count = 0
for line in sys.stdin:
    request = json.loads(line)
    headers, body = request["headers"], request["body"]
    assert webhook.verify(body, headers) == json.loads(body)
    later = str(int(headers["webhook-timestamp"]) + 1)
    forged = [
        (body.replace("CREATED", "DELETED").replace("UPDATED", "DELETED").replace("MERGED", "DELETED"), headers),
        (body, headers | {"webhook-id": headers["webhook-id"] + "0"}),
        (body, headers | {"webhook-timestamp": later}),
    ]
    for other_body, other_headers in forged:
        try:
            webhook.verify(other_body, other_headers)
        except WebhookVerificationError:
            continue
        raise SystemExit(f"a forged webhook was verified: {other_headers['webhook-id']}")
    count += 1
print(count, "verified")
