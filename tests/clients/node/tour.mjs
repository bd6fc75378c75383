// The tour of the README, with the services loaded from the proto files. Usage: node tour.mjs ADDRESS PROTO_DIRECTORY
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import assert from "node:assert/strict";

const [address, protos] = process.argv.slice(2);
const definition = loader.loadSync(
  ["customer/profile/v1/profile_service.proto", "customer/profile/v1/ingest_service.proto"],
  { includeDirs: [protos], longs: String, enums: String, defaults: true, oneofs: true, keepCase: true },
);
const { ProfileService, IngestService } = grpc.loadPackageDefinition(definition).customer.profile.v1;
const reader = new ProfileService(address, grpc.credentials.createInsecure());
const writer = new IngestService(address, grpc.credentials.createInsecure());

const call = (client, method, request) =>
  new Promise((resolve, reject) =>
    client[method](request, { deadline: Date.now() + 5000 }, (error, answer) => (error ? reject(error) : resolve(answer))),
  );

const jose = { identifier: { type: "email", value: "Jose.Viana@iCloud.com" } };
const { profile, read_info } = await call(reader, "GetProfile", { key: jose, view: "PROFILE_VIEW_FULL" });
assert.equal(profile.record_count, 6);
assert.equal(profile.traits.family_name.value.string_value, "Viana");
assert.equal(profile.traits.family_name.origins[0].record.source, "loyalty");
assert.equal(read_info.revision, profile.revision);
assert.deepEqual(
  [...new Set(profile.records.map((record) => record.record.source))],
  ["helpdesk", "loyalty", "newsletter", "web"],
);

const first = await call(reader, "ListTimeline", { key: jose, page_size: 5 });
assert.deepEqual(first.events.slice(0, 2).map((event) => event.type), ["order_placed", "conversation_started"]);
assert.equal(first.events[0].properties.total.decimal_value, "38.98");
const second = await call(reader, "ListTimeline", { key: jose, page_size: 5, page_token: first.next_page_token });
const ids = [...first.events, ...second.events].map((event) => event.event_id);
assert.equal(new Set(ids).size, 10);

const { hits } = await call(reader, "SearchProfiles", { query: "jos via" });
assert.deepEqual(hits.map((hit) => hit.profile.name), [profile.name]);
assert.ok(hits[0].found_by.some((by) => by.trait === "family_name"));

const { results } = await call(reader, "BatchGetProfiles", { keys: [jose, { name: "profiles/7" }] });
assert.deepEqual(results.map((result) => result.status.code), [grpc.status.OK, grpc.status.INVALID_ARGUMENT]);

const till = { source: "pos", key: "till-7/31" };
const statements = [
  { upsert_record: { record: till, identifiers: [{ type: "loyalty_id", value: "2272111344" }] } },
  { record_event: { event: {
    record: till, event_id: "till-7/receipt-9001", type: "order_placed",
    event_time: { seconds: 899286300 }, properties: { total: { decimal_value: "19.90" } },
  } } },
  { upsert_record: { record: { source: "shpo", key: "1" } } },
];
const outcomes = (answer) => answer.results.map((result) => result.outcome.replace("STATEMENT_OUTCOME_", ""));
const stored = await call(writer, "IngestStatements", { statements });
assert.deepEqual(outcomes(stored), ["STORED", "STORED", "REJECTED"]);
assert.equal(stored.results[0].profile, profile.name);
assert.equal(stored.results[2].violations[0].reason, "ERROR_REASON_NOT_DECLARED");
assert.match(stored.results[2].violations[0].description, /`shpo`/);

const consistency = { at_least_as_fresh: stored.read_token };
const fresh = await call(reader, "GetProfile", { key: jose, consistency });
assert.equal(fresh.profile.record_count, 7);
assert.ok(BigInt(fresh.profile.revision) > BigInt(profile.revision));

// The same over a stream: acknowledged in order, and known already.
const stream = writer.StreamStatements();
const acknowledged = [];
stream.on("data", (ack) => acknowledged.push([ack.sequence, outcomes(ack)]));
const ended = new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
for (const sequence of ["1", "2", "3"]) stream.write({ sequence, statements });
stream.end();
await ended;
assert.deepEqual(acknowledged, ["1", "2", "3"].map((sequence) => [sequence, ["DUPLICATE", "DUPLICATE", "REJECTED"]]));

const nobody = { identifier: { type: "email", value: "nobody@shop.com" } };
const error = await call(reader, "GetProfile", { key: nobody }).catch((error) => error);
assert.equal(error.code, grpc.status.NOT_FOUND);
assert.ok(error.metadata.get("grpc-status-details-bin").length === 1);

console.log("the tour is done");
