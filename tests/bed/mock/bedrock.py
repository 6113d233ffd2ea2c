"""Amazon's way of streaming the Messages API: frames with headers and checksums around each event."""

import base64
import json
import struct
import zlib

import anthropic

HEADERS = ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event"))


def frames(body, block, stop):
    for _, event in anthropic.events(body, block, stop):
        yield _frame(json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode())


def _frame(payload):
    string = 7  # the type of a header's value
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", string, len(value)) + value.encode() for name, value in HEADERS
    )
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    frame = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return frame + struct.pack(">I", zlib.crc32(frame))
