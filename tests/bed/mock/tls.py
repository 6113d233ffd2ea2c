"""A certificate authority for the hosts that the mock plays. Needs the `openssl` program: the standard library signs nothing."""

import fcntl
import pathlib
import ssl
import subprocess

import accounts
import packages

# Every host that a tool may be answered for; anything else behind the proxy is refused and counted.
PLAYED = (
    "api.anthropic.com", "platform.claude.com", "console.anthropic.com", "claude.ai", "claude.com", "mcp-proxy.anthropic.com",
    "api.openai.com", "auth.openai.com", "chatgpt.com",
    "generativelanguage.googleapis.com", "cloudcode-pa.googleapis.com", "oauth2.googleapis.com", "www.googleapis.com",
    "accounts.google.com",
    "api.z.ai",
)  # fmt: skip


class Authority:
    def __init__(self, directory):
        self._dir = pathlib.Path(directory)
        self._dir.mkdir(parents=True, exist_ok=True)
        self.ca = self._dir / "ca.pem"
        with open(self._dir / "lock", "w", encoding="utf-8") as lock:  # two servers may share one directory
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._dir / "leaf.pem").exists():
                self._issue()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_alpn_protocols(["http/1.1"])
        self.context.load_cert_chain(self._dir / "leaf.pem", self._dir / "leaf.key")

    def _issue(self):
        extensions = self._dir / "leaf.ext"
        extensions.write_text(
            "subjectAltName=" + ",".join(f"DNS:{host}" for host in {*PLAYED, *packages.HOSTS, *accounts.HOSTS, "localhost"}) + ",IP:127.0.0.1\n"
            "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n",
            encoding="utf-8",
        )
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        self._openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=mock CA")
        self._openssl("req", *key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=mock")
        self._openssl(
            "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "leaf.ext", "-out", "leaf.pem",
        )  # fmt: skip

    def _openssl(self, *args):
        subprocess.run(("openssl", *args), cwd=self._dir, check=True, capture_output=True)
