"""A registry of npm with one package, `told`, on loopback: `registry.py VERSIONS LOG`.

The file VERSIONS has one version a line, the newest last. The program prints its version; that of a version that ends in `.13` fails.
Each path that was asked for is a line of LOG. The address is the first line of the output; the server ends with its standard input.
"""

import base64
import hashlib
import http.server
import json
import sys
import threading

from mock import packages

NAME = "told"


def tarball(version):
    ends = "1" if version.endswith(".13") else "0"
    program = f"#!/usr/bin/env node\nconsole.log('told {version}', ...process.argv.slice(2)); process.exitCode = {ends};\n"
    return packages.tarball({"name": NAME, "version": version, "bin": {NAME: "cli.js"}, "scripts": {"postinstall": "touch /usr/local/ran"}}, program)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_args):
        """The log has it."""

    def do_GET(self):  # noqa: N802
        with open(sys.argv[2], "a", encoding="utf-8") as log:
            log.write(self.path + "\n")
        with open(sys.argv[1], encoding="utf-8") as file:
            versions = {version: TARBALLS.setdefault(version, tarball(version)) for version in file.read().split()}
        asked = self.path.removeprefix(f"/{NAME}")
        if asked == "":
            return self.answer(json.dumps({"name": NAME, "dist-tags": {"latest": list(versions)[-1]}, "versions": {v: self.about(v, t) for v, t in versions.items()}}).encode())
        found = versions.get(asked.removeprefix("/").removesuffix(".tgz"))
        return self.answer(found) if found else self.send_error(404)

    def about(self, version, packed):
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
        url = f"http://127.0.0.1:{self.server.server_port}/{NAME}/{version}.tgz"
        return {"name": NAME, "version": version, "bin": {NAME: "cli.js"}, "dist": {"tarball": url, "integrity": integrity}}

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


TARBALLS = {}
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
