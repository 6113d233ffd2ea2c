"""The HTTP side: plain requests, the CONNECT proxy with its own TLS, and the table of what is answered where."""

import contextlib
import http.server
import itertools
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import urllib.parse

import accounts
import anthropic
import bedrock
import chat
import gemini
import oauth
import openai
import packages
from tls import PLAYED


TLS_HANDSHAKE = b"\x16"


class MockServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port, journal, chains, authority, hosts):
        super().__init__(("127.0.0.1", port), Handler)
        self.journal, self.chains, self.authority = journal, chains, authority
        self.steps = threading.Semaphore(0)
        self.hosts = (*PLAYED, *hosts, "localhost", "127.0.0.1", "other.mock")  # the last has no certificate
        self.has_accounts = accounts.HOSTS[1] in hosts

    def handle_error(self, request, client_address):
        """A client that goes away is everyday life under test; anything else is a fault of the mock."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tunnel = None  # the host that a CONNECT asked for

    def log_message(self, *_args):
        """The journal has it."""

    def do_CONNECT(self):  # noqa: N802
        host = self.path.rpartition(":")[0]
        if host not in self.server.hosts:
            self.server.journal.refused_host(host)
            return self.send_error(403, "not played")
        self.send_response_only(200, "Connection established")
        self.end_headers()
        if self.connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:  # some clients tunnel plain HTTP as well
            self.connection = self.server.authority.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.tunnel, self.close_connection = host, False

    def do_GET(self):  # noqa: N802
        self._answer()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815

    def finish(self):
        if self.tunnel and self.server.journal.is_kept:
            self._read_on()
        super().finish()
        if self.tunnel:
            self.connection.close()

    def _answer(self):
        body = self._body()
        path = self.path
        if path.startswith("http://"):  # a plain request through the proxy
            parts = urllib.parse.urlsplit(path)
            if parts.hostname not in ("127.0.0.1", "localhost"):
                self.server.journal.refused_host(parts.hostname)
                return self.send_json(403, {"error": "not played"})
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        if not path.startswith("/__"):
            self.server.journal.request(self.tunnel, self.command, path, self.headers, body)
        route = path.split("?")[0]
        is_registry = self.tunnel in packages.HOSTS and not self.server.has_accounts
        if is_registry:
            return self.send_file(*packages.answer(self.tunnel, route, body))
        for method, pattern, respond in ROUTES:
            match = re.fullmatch(pattern, route)
            if method == self.command and match:
                return respond(self, parse(self.headers, body), match)
        return self.send_json(404, {"type": "error", "error": {"type": "not_found_error", "message": f"mock: no {route}"}})

    def _read_on(self):
        """What stands behind the last request, as a vendor would see it that closes nothing."""
        self.connection.settimeout(0.3)
        with contextlib.suppress(OSError, ValueError):
            if more := self.rfile.peek(1):
                self.server.journal.request(self.tunnel, "BEHIND", more.decode("latin-1"), {}, b"")

    def _body(self):
        raw = self._raw_body()
        if self.headers.get("Content-Encoding") == "zstd":  # codex compresses what it sends to chatgpt.com
            return subprocess.run(("zstd", "-dcq"), input=raw, check=True, capture_output=True).stdout
        return raw

    def _raw_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def has_good_token(self):
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return scheme.lower() != "bearer" or self.server.chains.is_good(token.strip())

    def send_json(self, status, value):
        self._send(status, "application/json", json.dumps(value).encode())

    def send_file(self, kind, data):
        """A file of a registry, or that there is none."""
        self._send(404 if data is None else 200, kind, data or b"")

    def _send(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_stream(self, kind, pieces):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            # A client that says so gets the next piece only when somebody has told the test that the one before is there.
            if self.headers.get("X-Mock-Step"):
                self.server.steps.acquire(timeout=60)
        self.close_connection = True

    def send_events(self, events, last=None):
        """Server-sent events; the end of the connection is the end of the stream."""
        heads = ((f"event: {name}\n" if name else "", json.dumps(value)) for name, value in events)
        data = itertools.chain(heads, [("", last)] if last else [])
        self.send_stream("text/event-stream", (f"{head}data: {text}\n\n".encode() for head, text in data))


def parse(headers, body):
    if "urlencoded" in (headers.get("Content-Type") or ""):
        return {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()}
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return {}


def unauthorized(handler):
    error = {"type": "authentication_error", "code": "token_expired", "status": "UNAUTHENTICATED", "message": "mock: expired access token"}
    handler.send_json(401, {"type": "error", "error": error})


# --- the model APIs ---


def guarded(respond):
    return lambda handler, body, match: respond(handler, body, match) if handler.has_good_token() else unauthorized(handler)


def messages(handler, body, _match):
    handler.server.journal.model(body.get("model"), body.get("tools"), json.dumps(body))
    block, stop = anthropic.reply(body)
    if body.get("stream"):
        return handler.send_events(anthropic.events(body, block, stop))
    return handler.send_json(200, anthropic.message(body, block, stop))


def invoked(handler, body, match):
    """As Bedrock is asked: the model is in the path, and the request is signed with the account's key."""
    body = {**body, "model": match["model"]}
    handler.server.journal.model(body["model"], body.get("tools"), json.dumps(body))
    if not re.match(r"AWS4-HMAC-SHA256 Credential=\w+/", handler.headers.get("Authorization") or ""):
        return handler.send_json(403, {"message": "mock: not signed"})
    block, stop = anthropic.reply(body)
    if match["stream"]:
        return handler.send_stream("application/vnd.amazon.eventstream", bedrock.frames(body, block, stop))
    return handler.send_json(200, anthropic.message(body, block, stop))


def generate(handler, body, match):
    inner = body.get("request", body)
    offered = [f for tool in inner.get("tools") or [] for f in tool.get("functionDeclarations", [])]
    named = re.search(r"models/([^:]+):", handler.path)
    handler.server.journal.model(body.get("model") or (named and named.group(1)), offered, json.dumps(body))
    wrapped = "request" in body  # Code Assist puts the request and the response one level down
    answer = gemini.reply(body["request"] if wrapped else body)
    answer = {"response": answer} if wrapped else answer
    if match["call"] == "streamGenerateContent":
        return handler.send_events([(None, answer)])
    return handler.send_json(200, answer)


def responses(handler, body, _match):
    handler.server.journal.model(body.get("model"), body.get("tools"), json.dumps(body))
    item = openai.reply(body)
    if body.get("stream"):
        return handler.send_events(openai.events(body, item))
    return handler.send_json(200, openai.response(body, [item], "completed"))


def completions(handler, body, _match):
    handler.server.journal.model(body.get("model"), body.get("tools"), json.dumps(body))
    message, stop = chat.reply(body)
    if body.get("stream"):
        return handler.send_events(chat.events(body, message, stop), "[DONE]")
    return handler.send_json(200, chat.completion(body, message, stop))


# --- the OAuth servers ---

GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def claude_token(handler, body, _match):
    grant = granted(handler.server.chains, "claude", body)
    if grant is None:
        return handler.send_json(400, {"error": "invalid_grant", "error_description": "Refresh token not found or invalid"})
    account = {"uuid": "00000000-0000-4000-8000-000000000001", "email_address": "mock@example.com"}
    organization = {"uuid": "00000000-0000-4000-8000-000000000002", "name": "mock"}
    return handler.send_json(200, {**bearer(grant), "scope": " ".join(oauth.CLAUDE_SCOPES), "account": account, "organization": organization})


def openai_token(handler, body, _match):
    grant = granted(handler.server.chains, "codex", body)
    if grant is None:
        error = {"message": "mock: refresh token already used", "type": "invalid_request_error", "code": "refresh_token_reused"}
        return handler.send_json(401, {"error": error})
    return handler.send_json(200, {**bearer(grant), "id_token": oauth.openai_id_token(grant)})


def kimi_token(handler, body, _match):
    grant = granted(handler.server.chains, "kimi", body)
    if grant is None:
        return handler.send_json(401, {"error": "invalid_grant", "error_description": "refresh token reused"})
    return handler.send_json(200, {**bearer(grant), "scope": "kimi-code"})


def google_token(handler, body, _match):
    grant = granted(handler.server.chains, "gemini", body)
    if grant is None:
        return handler.send_json(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
    answer = bearer(grant)
    if body.get("grant_type") == "refresh_token" and not grant["rotates"]:
        del answer["refresh_token"]  # Google does not repeat it
    return handler.send_json(200, {**answer, "scope": GOOGLE_SCOPE})


def granted(chains, tool, body):
    """A refresh continues its chain; a login's authorization code, whatever it says, begins one."""
    if body.get("grant_type") == "refresh_token":
        return chains.refresh(tool, body.get("refresh_token"))
    return chains.login(tool)


def bearer(grant):
    return {"token_type": "Bearer", "access_token": grant["access"], "refresh_token": grant["refresh"], "expires_in": grant["lifetime"]}


def revoke(handler, body, _match):
    handler.server.chains.revoke(body.get("token"))
    handler.send_json(200, {})


# --- the test's own ---


def step(handler, _body, _match):
    handler.server.steps.release()
    handler.send_json(200, {})


def seed(handler, body, _match):
    handler.send_json(200, handler.server.chains.seed(**body))


def stats(handler, _body, _match):
    journal = handler.server.journal
    handler.send_json(200, {**handler.server.chains.stats(), "paths": dict(journal.paths), "outside": dict(journal.outside), "asked": journal.asked})


def constant(value):
    return lambda handler, _body, _match: handler.send_json(200, value)


PROFILE = {
    "account": {"uuid": "00000000-0000-4000-8000-000000000001", "email": "mock@example.com", "has_claude_max": True, "has_claude_pro": False},
    "organization": {"uuid": "00000000-0000-4000-8000-000000000002", "organization_type": "claude_max"},
}

# Codex asks which workspace the login belongs to, and which models it may use, before it sends a prompt.
ACCOUNT = {"id": "mock-account", "name": "mock", "structure": "personal", "workspace_backend_origin": "https://chatgpt.com", "account_routing_override": "us"}
ACCOUNTS = {"accounts": [ACCOUNT], "account_ordering": [ACCOUNT["id"]]}

# The device flow: the user has already agreed when the tool first asks.
DEVICE_CODE = {"authorization_code": "mock-code", "code_challenge": "mock", "code_verifier": "mock"}

KIMI_DEVICE = {"device_code": "mock", "user_code": "MOCK-1234", "verification_uri": "https://kimi.example", "expires_in": 900, "interval": 1}

ROUTES = (
    ("POST", r"(/api/anthropic)?/v1/messages", guarded(messages)),
    ("POST", r"(/api/anthropic)?/v1/messages/count_tokens", constant({"input_tokens": 10})),
    ("POST", r"/model/(?P<model>[^/]+)/invoke(?P<stream>-with-response-stream)?", invoked),
    ("POST", r"/v1(beta|internal)?(/models/[^:]+)?:(?P<call>generateContent|streamGenerateContent)", guarded(generate)),
    ("POST", r"/v1(beta)?/models/[^:]+:countTokens", constant({"totalTokens": 10})),
    ("POST", r"/v1internal:(loadCodeAssist|onboardUser|listExperiments|fetchAdminControls|retrieveUserQuota)", lambda h, _b, m: h.send_json(200, gemini.CODE_ASSIST[m[1]])),
    ("POST", r"(/v1|/backend-api/codex)/responses", guarded(responses)),
    ("GET", r"(/v1|/backend-api/codex)/responses", lambda h, _b, _m: h.send_json(426, {"error": "no WebSocket here"})),
    ("POST", r"(/v1)?/chat/completions", guarded(completions)),
    ("GET", r"/v1/models", constant({"object": "list", "data": [{"id": "mock", "object": "model", "context_length": 131072}]})),
    ("POST", r"/v1/oauth/token", claude_token),
    ("GET", r"/api/oauth/profile", constant(PROFILE)),
    ("GET", r"/v1/mcp_servers", constant({"data": [], "has_more": False})),
    ("GET", r"/backend-api/wham/accounts/check", constant(ACCOUNTS)),
    ("POST", r"/backend-api/ps/mcp", constant({"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": "mock"}})),
    ("GET", r"/backend-api/codex/models", constant({"models": []})),
    ("POST", r"/api/accounts/deviceauth/usercode", constant({"device_auth_id": "mock", "user_code": "MOCK-1234", "interval": "1"})),
    ("POST", r"/api/accounts/deviceauth/token", constant(DEVICE_CODE)),
    ("POST", r"/oauth/token", openai_token),
    ("POST", r"/api/oauth/device_authorization", constant({**KIMI_DEVICE, "verification_uri_complete": KIMI_DEVICE["verification_uri"]})),
    ("POST", r"/api/oauth/token", kimi_token),
    ("POST", r"/oauth/revoke", revoke),
    ("POST", r"/token", google_token),
    ("POST", r"(/v1/oauth/token)?/revoke", revoke),
    ("POST", r"/tokeninfo", constant({"email": "mock@example.com", "expires_in": 3600, "scope": GOOGLE_SCOPE})),
    ("GET", r"/oauth2/v2/userinfo", constant({"email": "mock@example.com"})),
    *((method, pattern, constant(answer)) for method, pattern, answer in accounts.ANSWERS),
    ("GET", r"/__stats", stats),
    ("POST", r"/__seed", seed),
    ("POST", r"/__step", step),
)
