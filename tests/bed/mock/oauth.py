"""Login chains: refresh tokens that work once, and the login documents that the tools keep in their own format.

A chain is what one login gives: a line of refresh tokens of which only the newest is good. Presenting an older one is what two
holders of a copied login do to each other, so it is refused and counted.
"""

import base64
import dataclasses
import datetime
import json
import threading
import time
import uuid

# Google keeps a refresh token good after use; the others replace it each time.
ROTATES = {"claude": True, "codex": True, "gemini": False, "kimi": True}
CLAUDE_SCOPES = ["user:file_upload", "user:inference", "user:mcp_servers", "user:profile", "user:sessions:claude_code"]


@dataclasses.dataclass
class Chain:
    tool: str
    rotate: bool
    delay_ms: int
    lifetime_s: int
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex[:8])
    generation: int = 0
    refreshes: int = 0
    refusals: int = 0
    revoked: bool = False

    def refresh_token(self):
        return f"mock-refresh-{self.id}-{self.generation if self.rotate else 0}"


class Chains:
    def __init__(self):
        self._lock = threading.Lock()
        self._chains = {}
        self._access = {}  # access token -> the time it stops being good
        self.unknown_refusals = 0

    def seed(self, tool, expired=False, rotate=None, delay_ms=0, lifetime_s=3600):
        """Starts a chain; answers its id and the tool's login document. `delay_ms` holds back the answer to each good refresh."""
        chain = Chain(tool, ROTATES[tool] if rotate is None else rotate, delay_ms, lifetime_s)
        grant = self._begin(chain, time.time() + (-60 if expired else lifetime_s))
        return {"chain": chain.id, **DOCUMENTS[tool](grant)}

    def login(self, tool):
        """The grant that a finished login flow begins with."""
        chain = Chain(tool, ROTATES[tool], 0, 3600)
        return self._begin(chain, time.time() + chain.lifetime_s)

    def refresh(self, tool, token):
        """The next grant for the holder of `token`, or None: used, unknown, of another tool, or revoked."""
        with self._lock:
            chain, delay = self._owner(token), 0
            if chain is None or chain.tool != tool:
                self.unknown_refusals += 1
                grant = None
            elif chain.revoked or token != chain.refresh_token():
                chain.refusals += 1
                grant = None
            else:
                chain.refreshes += 1
                chain.generation += 1
                grant = self._grant(chain, time.time() + chain.lifetime_s)
                delay = chain.delay_ms / 1000
        # The decision is made, its answer is late: whoever comes second is refused before the first knows the new token.
        time.sleep(delay)
        return grant

    def revoke(self, token):
        with self._lock:
            chain = self._owner(token)
            if chain:
                chain.revoked = True

    def is_good(self, access):
        """False for an access token of ours that has expired. Keys that we never gave out are the caller's business: good."""
        with self._lock:
            return self._access.get(access, float("inf")) > time.time()

    def stats(self):
        with self._lock:
            chains = {c.id: dataclasses.asdict(c) for c in self._chains.values()}
            return {
                "refreshes": sum(c["refreshes"] for c in chains.values()),
                "refusals": sum(c["refusals"] for c in chains.values()) + self.unknown_refusals,
                "chains": chains,
            }

    def _begin(self, chain, expires):
        with self._lock:
            self._chains[chain.id] = chain
            return self._grant(chain, expires)

    def _owner(self, token):
        parts = (token or "").split("-")
        return self._chains.get(parts[2]) if len(parts) == 4 and parts[:2] == ["mock", "refresh"] else None

    def _grant(self, chain, expires):
        access = f"mock-access-{chain.id}-{chain.generation}"
        if chain.tool == "codex":
            access = _jwt({"exp": int(expires), "jti": access, **_OPENAI_CLAIMS})
        self._access[access] = expires
        return {"access": access, "refresh": chain.refresh_token(), "expires": expires, "lifetime": chain.lifetime_s, "rotates": chain.rotate}


def _jwt(claims):
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return ".".join((part(b'{"alg":"RS256","typ":"JWT"}'), part(json.dumps(claims).encode()), part(b"mock")))


_OPENAI_CLAIMS = {
    "email": "mock@example.com",
    "https://api.openai.com/auth": {
        "chatgpt_plan_type": "pro",
        "chatgpt_account_id": "mock-account",
        "chatgpt_user_id": "mock-user",
        "user_id": "mock-user",
    },
}


def openai_id_token(grant):
    return _jwt({"exp": int(grant["expires"]), **_OPENAI_CLAIMS})


def _claude(grant):
    login = {
        "accessToken": grant["access"],
        "refreshToken": grant["refresh"],
        "expiresAt": int(grant["expires"] * 1000),
        "scopes": CLAUDE_SCOPES,
        "subscriptionType": "max",
    }
    return {"file": ".credentials.json", "document": {"claudeAiOauth": login}}


def _codex(grant):
    tokens = {
        "id_token": openai_id_token(grant),
        "access_token": grant["access"],
        "refresh_token": grant["refresh"],
        "account_id": "mock-account",
    }
    issued = datetime.datetime.fromtimestamp(grant["expires"] - grant["lifetime"], datetime.timezone.utc)
    document = {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": issued.isoformat().replace("+00:00", "Z")}
    return {"file": "auth.json", "document": document}


def _gemini(grant):
    login = {
        "access_token": grant["access"],
        "refresh_token": grant["refresh"],
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "token_type": "Bearer",
        "expiry_date": int(grant["expires"] * 1000),
    }
    return {"file": "oauth_creds.json", "document": login}


DOCUMENTS = {"claude": _claude, "codex": _codex, "gemini": _gemini}
