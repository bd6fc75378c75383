// Makes calls with grpc-js and its default limits, and prints how each ended: see ../python/cases.py.
// Usage: node cases.mjs ADDRESS < CASES
import grpc from "@grpc/grpc-js";
import readline from "node:readline";

const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure());
const same = (bytes) => bytes;
const options = () => ({ deadline: Date.now() + 60_000 });

const unary = (method, request) =>
  new Promise((resolve, reject) =>
    client.makeUnaryRequest(method, same, same, request, new grpc.Metadata(), options(), (error) =>
      error ? reject(error) : resolve(1),
    ),
  );

const stream = async (method, take, then, requests) => {
  const call = client.makeBidiStreamRequest(method, same, same, new grpc.Metadata(), options());
  for (const request of requests) call.write(request);
  call.end();
  let count = 0;
  try {
    for await (const _ of call) {
      count += 1;
      if (count === 1 && then) {
        const [path, request] = then.split("=");
        await unary(path, Buffer.from(request, "hex"));
      }
      if (count === take) {
        call.on("error", () => {});
        call.cancel();
        break;
      }
    }
  } catch (error) {
    throw Object.assign(error, { count });
  }
  return count;
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, kind, method, take, then, hex] = line.split("\t");
  const requests = hex.split(",").map((request) => Buffer.from(request, "hex"));
  let ended = { code: grpc.status.OK, count: 0 };
  try {
    ended.count = kind === "unary" ? await unary(method, requests[0]) : await stream(method, Number(take), then, requests);
  } catch (error) {
    ended = error;
  }
  const details = ended.metadata?.get("grpc-status-details-bin")[0] ?? Buffer.alloc(0);
  console.log([name, ended.code, ended.count ?? 0, details.toString("hex")].join("\t"));
}
client.close();
