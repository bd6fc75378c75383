"""The load of tests/scripts/memory.sh: fills the cache, watches, sends slowly, imports beside.

    python memory.py ADDRESS STUBS PROGRAM CUSTOMERS SENDERS WATCHERS

It prints one line a step, with the seconds that it took. The server is measured by the script.
"""

import csv
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ADDRESS, STUBS, PROGRAM = sys.argv[1:4]
CUSTOMERS, SENDERS, WATCHERS = map(int, sys.argv[4:7])
sys.path.insert(0, STUBS)

import grpc
from customer.profile.v1 import ingest_service_pb2 as ingest
from customer.profile.v1 import ingest_service_pb2_grpc as ingest_grpc
from customer.profile.v1 import profile_service_pb2 as profiles
from customer.profile.v1 import profile_service_pb2_grpc as profiles_grpc

BATCH = 250
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
TRAITS = ["given_name", "family_name", "street", "city", "postcode", "country"]


def channel():
    return grpc.insecure_channel(ADDRESS, options=OPTIONS)


def used():
    """Memory of the server without the page cache of files."""
    with open(os.environ["MEMORY_STAT"]) as stat:
        return next(int(line.split()[1]) for line in stat if line.split()[0] in ("anon", "rss"))


def step(name, work):
    started = time.monotonic()
    told = work()
    took = time.monotonic() - started
    print(f"{name}: {told or ''} ({took:.0f} s); the server has {used() >> 20} MiB", flush=True)


def email(customer):
    return f"customer.{customer}@example.com"


def record(source, customer):
    return {"source": source, "key": f"{source}-{customer}"}


def upsert(source, customer):
    identifiers = [
        {"type": "email", "value": email(customer)},
        {"type": "customer_id", "value": f"{source}-{customer}"},
        {"type": "loyalty_id", "value": f"{2_000_000_000 + customer}"},
    ]
    traits = {name: {"string_value": f"{name} {customer * 7919 % 1_000_003}"} for name in TRAITS}
    return {"upsert_record": {"record": record(source, customer), "identifiers": identifiers, "traits": traits}}


def retried(call, request):
    """Calls again where the server says that it is busy: that is an answer, not a failure."""
    while True:
        try:
            return call(request, timeout=60)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE):
                raise
            time.sleep(0.2)


def in_parallel(work, items, threads=4):
    items, failed = iter(items), []
    lock = threading.Lock()

    def run():
        try:
            while not failed:
                with lock:
                    item = next(items, None)
                if item is None:
                    return
                work(item)
        except Exception as error:
            failed.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failed:
        raise failed[0]


def write():
    stub = ingest_grpc.IngestServiceStub(channel())

    def batch(first):
        customers = range(first, min(first + BATCH, CUSTOMERS))
        said = [upsert(source, customer) for customer in customers for source in ("web", "loyalty")]
        answer = retried(stub.IngestStatements, ingest.IngestStatementsRequest(statements=said))
        refused = [result for result in answer.results if result.outcome == ingest.STATEMENT_OUTCOME_REJECTED]
        if refused:
            raise SystemExit(f"refused: {refused[0]}")

    in_parallel(batch, range(0, CUSTOMERS, BATCH))
    return f"{CUSTOMERS} customers of two records"


def read():
    stub = profiles_grpc.ProfileServiceStub(channel())
    missing = []

    def batch(first):
        customers = range(first, min(first + BATCH, CUSTOMERS))
        by_email = [{"identifier": {"type": "email", "value": email(customer)}} for customer in customers]
        by_record = [{"record": record("web", customer)} for customer in customers]
        for keys in (by_email, by_record):
            answer = retried(stub.BatchGetProfiles, profiles.BatchGetProfilesRequest(keys=keys))
            missing.extend(result for result in answer.results if not result.profile.name)

    in_parallel(batch, range(0, CUSTOMERS, BATCH))
    if missing:
        raise SystemExit(f"{len(missing)} reads without a profile, such as {missing[0]}")
    return f"{CUSTOMERS} by e-mail and by record"


watches = []


def watch():
    """Every tenth one watches everything, the others a customer each. Nothing is taken from them after the beginning."""
    channels = [channel() for _ in range(max(1, WATCHERS // 50))]

    def begin(request, stub):
        stream = stub.WatchProfiles(request)
        next(stream)
        return stream

    def one(number):
        keys = [] if number % 10 == 0 else [{"identifier": {"type": "email", "value": email(number)}}]
        stub = profiles_grpc.ProfileServiceStub(channels[number % len(channels)])
        request = profiles.WatchProfilesRequest(keys=keys, include_profiles=number % 20 == 0)
        watches.append(retried(lambda request, timeout: begin(request, stub), request))

    in_parallel(one, range(WATCHERS))
    return f"{len(watches)} streams on {len(channels)} connections"


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


METHODS = [b"/customer.profile.v1.IngestService/IngestStatements", b"/customer.profile.v1.IngestService/StreamStatements"]


class Slow:
    """Announces a message of 4 MiB and sends all of it but the last byte. HTTP/2 by hand: no client library does this."""

    SIZE = 4 << 20

    def __init__(self, method):
        host, port = ADDRESS.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", method), (b":authority", b"server")]
        headers += [(b"content-type", b"application/grpc"), (b"te", b"trailers")]
        block = b"".join(literal(name, value) for name, value in headers)
        settings = struct.pack(">HI", 4, 1 << 20)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, settings) + frame(1, 4, 1, block))
        self.windows = {0: 65_535, 1: 65_535}
        self.initial = 65_535
        self.left = self.SIZE + 4
        self.head = b"\x00" + struct.pack(">I", self.SIZE)
        self.over = False
        self.buffer = b""

    def send(self):
        while self.left > 0 and not self.over:
            room = min(self.windows[0], self.windows[1], 16_384, self.left)
            if room <= 0:
                self.take()
                continue
            body = (self.head + b"\x00" * room)[:room]
            self.head = self.head[len(body) :]
            self.socket.sendall(frame(0, 0, 1, body))
            self.left -= len(body)
            self.windows[0] -= len(body)
            self.windows[1] -= len(body)

    def take(self):
        data = self.socket.recv(65_536)
        if not data:
            self.over = True
        self.buffer += data
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, flags = self.buffer[3], self.buffer[4]
            stream = int.from_bytes(self.buffer[5:9], "big") & 0x7FFF_FFFF
            self.answer(kind, flags, stream, self.buffer[9 : 9 + length])
            self.buffer = self.buffer[9 + length :]

    def answer(self, kind, flags, stream, payload):
        if kind == 8:
            self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
        elif kind == 4 and not flags & 1:
            for at in range(0, len(payload), 6):
                key, value = struct.unpack(">HI", payload[at : at + 6])
                if key == 4:
                    self.windows[1] += value - self.initial
                    self.initial = value
            self.socket.sendall(frame(4, 1, 0, b""))
        elif kind == 6 and not flags & 1:
            self.socket.sendall(frame(6, 1, 0, payload))
        elif kind in (3, 7) or (kind == 1 and flags & 1):
            self.over = True


senders = []


def send_slowly():
    senders.extend(Slow(METHODS[number % 2]) for number in range(SENDERS))

    def run(sender):
        try:
            sender.send()
        except OSError:
            sender.over = True

    in_parallel(run, senders, threads=SENDERS)
    return f"{sum(1 for sender in senders if not sender.over)} wait with all but a byte, the others were refused or let go"


def import_file():
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        rows = csv.writer(file)
        rows.writerow("record_id,first_name,last_name,email,phone,date_of_birth,address,city,state,postcode".split(","))
        for row in range(CUSTOMERS // 2):
            rows.writerow([f"i{row}", "Ada", f"Imported{row}", f"imported.{row}@example.com", "", "", f"{row} Road", "Ulm", "", ""])
        file.flush()
        command = [PROGRAM, "import", "--source", "web", "--kind", "customers", "--server", f"http://{ADDRESS}"]
        done = subprocess.run([*command, "--allow-rejects", file.name], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the import failed: {done.stderr}")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return f"{CUSTOMERS // 2} rows; the importing process took at most {most} MiB"


try:
    step("write", write)
    step("read", read)
    if WATCHERS:
        step("watch", watch)
    if SENDERS:
        step("send slowly", send_slowly)
    step("import beside", import_file)
    step("read again", read)
except BaseException as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(1)
# Streams are open and threads wait for them: nothing of that needs an orderly end.
os._exit(0)
