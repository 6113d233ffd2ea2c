#!/usr/bin/env python3
"""Mock of the model APIs and OAuth servers that the real tools talk to, on 127.0.0.1 only.

    serve.py [--port 0] [--log FILE] [--tls-dir DIR] [--max-seconds 300]

Prints one line of JSON when it listens: {"port", "url", "proxy", "ca"}. Ends when its stdin closes or the time is up.

Two ways lead a program here. A base URL (ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL, ...) reaches the APIs by plain HTTP. For
addresses that a program has built in, HTTPS_PROXY=<proxy> with the CA file in NODE_EXTRA_CA_CERTS or CODEX_CA_CERTIFICATE: the
mock answers CONNECT itself, for the hosts that it plays, and refuses and counts every other one.
"""

import argparse
import json
import os
import sys
import tempfile
import threading

from journal import Journal
from oauth import Chains
from server import MockServer
from tls import Authority


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--log", help="file that gets one JSON line a request")
    parser.add_argument("--tls-dir", help="where the CA is kept (default: a temporary directory)")
    parser.add_argument("--max-seconds", type=float, default=300)
    return parser.parse_args()


def end_with_stdin(server):
    while os.read(0, 4096):
        pass
    server.shutdown()


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="mock-ca-") as scratch:
        authority = Authority(args.tls_dir or scratch)
        server = MockServer(args.port, Journal(args.log), Chains(), authority)
        threading.Thread(target=end_with_stdin, args=(server,), daemon=True).start()
        bound = threading.Timer(args.max_seconds, server.shutdown)
        bound.daemon = True
        bound.start()
        url = f"http://127.0.0.1:{server.server_port}"
        print(json.dumps({"port": server.server_port, "url": url, "proxy": url, "ca": str(authority.ca)}), flush=True)
        server.serve_forever(poll_interval=0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
