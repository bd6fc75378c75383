"""Makes calls with grpcio and its default limits, and prints how each ended. Usage: python cases.py ADDRESS < CASES

A case is a line of six fields with tabs between them: name, kind (unary, stream), method, how many messages to take (0: all),
a call to make after the first message (METHOD=HEX, or nothing), and the requests as HEX,HEX. Printed are, with tabs
between them: name, code, number of messages, details as HEX.
"""
import sys

import grpc

channel = grpc.insecure_channel(sys.argv[1])


def unary(method, request):
    return channel.unary_unary(method)(request, timeout=60)


def messages(kind, method, take, then, requests):
    """Yields each message of the answer; the call is cancelled when enough have come."""
    if kind == "unary":
        yield unary(method, requests[0])
        return
    count = 0
    stream = channel.stream_stream(method)(iter(requests), timeout=60)
    for message in stream:
        yield message
        count += 1
        if count == 1 and then:
            path, request = then.split("=")
            unary(path, bytes.fromhex(request))
        if count == take:
            stream.cancel()
            break


for line in sys.stdin:
    name, kind, method, take, then, requests = line.rstrip("\n").split("\t")
    code, count, details = grpc.StatusCode.OK, 0, b""
    try:
        for _ in messages(kind, method, int(take), then, [bytes.fromhex(request) for request in requests.split(",")]):
            count += 1
    except grpc.RpcError as error:
        code = error.code()
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    print(name, code.value[0], count, details.hex(), sep="\t", flush=True)
