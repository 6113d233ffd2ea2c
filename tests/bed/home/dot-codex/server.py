"""An MCP server with one tool, whose name is its argument."""

import json
import sys

TOOL = {"name": sys.argv[1], "description": "a tool of a server", "inputSchema": {"type": "object", "properties": {}}}
RESULTS = {
    "initialize": {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}, "serverInfo": {"name": "bed", "version": "1"}},
    "tools/list": {"tools": [TOOL]},
    "ping": {},
}

for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        known = request["method"] in RESULTS
        answer = {"result": RESULTS[request["method"]]} if known else {"error": {"code": -32601, "message": "unknown"}}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}), flush=True)
