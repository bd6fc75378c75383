import sys

import grpc

from customer.profile.v1 import ingest_service_pb2 as ingest
from customer.profile.v1 import ingest_service_pb2_grpc as ingest_grpc
from customer.profile.v1 import profile_service_pb2 as profiles
from customer.profile.v1 import profile_service_pb2_grpc as profiles_grpc

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
channel = grpc.insecure_channel(address)
reader = profiles_grpc.ProfileServiceStub(channel)
writer = ingest_grpc.IngestServiceStub(channel)

# Who is this? Any identifier will do, in any spelling. The answer says who said what.
jose = profiles.ProfileKey(identifier={"type": "email", "value": "Jose.Viana@iCloud.com"})
found = reader.GetProfile(profiles.GetProfileRequest(key=jose, view="PROFILE_VIEW_FULL"), timeout=5).profile
print(found.name, "is made of", found.record_count, "records")
for name in ["given_name", "family_name", "birth_date", "city"]:
    trait = found.traits[name]
    origin = trait.origins[0].record
    print(f"  {name}: {trait.value.string_value} ({origin.source}/{origin.key})")

# What happened with him, over all sources, newest first?
page = reader.ListTimeline(profiles.ListTimelineRequest(key=jose, page_size=5), timeout=5)
for event in page.events:
    print(" ", event.event_time.ToJsonString(), event.type, event.record.source, event.event_id)

# Who could be meant?
hits = reader.SearchProfiles(profiles.SearchProfilesRequest(query="jos via"), timeout=5).hits
print(len(hits), "found by", [by.trait or by.identifier_type for by in hits[0].found_by])

# A till reads his loyalty card, and sells. Each statement has its own answer; the token proves the write.
till = {"source": "pos", "key": "till-7/31"}
said = ingest.IngestStatementsRequest(statements=[
    {"upsert_record": {"record": till, "identifiers": [{"type": "loyalty_id", "value": "2272111344"}]}},
    {"record_event": {"event": {
        "record": till, "event_id": "till-7/receipt-9001", "type": "order_placed",
        "properties": {"total": {"decimal_value": "19.90"}},
    }}},
    {"upsert_record": {"record": {"source": "shpo", "key": "1"}}},
])
stored = writer.IngestStatements(said, timeout=5)
for result in stored.results:
    print(ingest.StatementOutcome.Name(result.outcome), result.profile, [v.description for v in result.violations])

# A read with the token sees the write, on any replica.
fresh = profiles.Consistency(at_least_as_fresh=stored.read_token)
found = reader.GetProfile(profiles.GetProfileRequest(key=jose, consistency=fresh), timeout=5).profile
print(found.name, "is made of", found.record_count, "records now")

# Said again, nothing changes.
print([ingest.StatementOutcome.Name(result.outcome) for result in writer.IngestStatements(said, timeout=5).results])

# An error says why, for people and, in its details, for programs.
try:
    nobody = profiles.ProfileKey(identifier={"type": "email", "value": "nobody@shop.com"})
    reader.GetProfile(profiles.GetProfileRequest(key=nobody), timeout=5)
except grpc.RpcError as error:
    print(error.code().name, error.details())
