"""The registries of npm, PyPI and cargo and a server of git repositories, each with one thing: `told`, which prints what it is told."""

import base64
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile
import tempfile
import zipfile

HOSTS = ("registry.npmjs.org", "pypi.org", "files.pythonhosted.org", "index.crates.io", "static.crates.io", "github.com")
NAME, VERSION = "told", "1.0.0"
WHEEL = f"{NAME}-{VERSION}-py3-none-any.whl"
CRATE = '[package]\nname = "{}"\nversion = "1.0.0"\nedition = "2021"\n'
PROGRAM = "#!/usr/bin/env node\nconsole.log('told by npm', ...process.argv.slice(2))\n"


def answer(host, path, body):
    """The kind and the bytes of what a path of one of the hosts stands for; None for the bytes where there is nothing."""
    if host == "github.com":
        return _repository(path, body)
    if host == "registry.npmjs.org":
        data = _package(path)
    else:
        pages = {f"/simple/{NAME}/": _links, f"/{WHEEL}": _wheel, "/config.json": _index, "/to/ld/told": _versions, f"/crates/{NAME}/{VERSION}/download": _crate}
        data = pages.get(path, lambda: None)()
    kind = "text/html" if data and data.startswith(b"<") else "application/json" if data and data.startswith(b"{") else "application/octet-stream"
    return kind, data


def _package(path):
    packed = tarball({"name": NAME, "version": VERSION, "bin": {NAME: "cli.js"}}, PROGRAM)
    if path.endswith(".tgz"):
        return packed
    if path != f"/{NAME}":
        return None
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
    dist = {"tarball": f"https://registry.npmjs.org/{NAME}/-/{NAME}-{VERSION}.tgz", "integrity": integrity}
    version = {"name": NAME, "version": VERSION, "bin": {NAME: "cli.js"}, "dist": dist}
    return json.dumps({"name": NAME, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}).encode()


def tarball(manifest, program):
    """A package of npm with one program."""
    return _packed({"package/package.json": json.dumps(manifest), "package/cli.js": program})


def _packed(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0)  # the same bytes each time: a hash of it holds


def _index():
    return json.dumps({"dl": "https://static.crates.io/crates", "api": "https://crates.io"}).encode()


def _versions():
    checksum = hashlib.sha256(_crate()).hexdigest()
    return json.dumps({"name": NAME, "vers": VERSION, "deps": [], "cksum": checksum, "features": {}, "yanked": False}).encode()


def _crate():
    return _packed({f"{NAME}-{VERSION}/Cargo.toml": CRATE.format(NAME), f"{NAME}-{VERSION}/src/lib.rs": "// told by cargo\n"})


def _links():
    return f'<!DOCTYPE html><a href="https://files.pythonhosted.org/{WHEEL}">{WHEEL}</a>'.encode()


def _wheel():
    about = f"{NAME}-{VERSION}.dist-info"
    files = {
        f"{NAME}.py": "print('told by pip')\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: mock\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def _repository(path, body, made=[]):  # noqa: B006 # made once
    """What git's own protocol answers for a clone of a bare repository, which is a crate too."""
    if not made:
        made.append(tempfile.TemporaryDirectory(prefix="mock-git-"))
        script = """git init -q work && cd work && echo 'told by git' >told && mkdir src && echo '// told by git to cargo' >src/lib.rs &&
            printf %s "$0" >Cargo.toml && git add . && git -c user.name=mock -c user.email=mock@example.com commit -qm told && cd .. &&
            git clone -q --bare work told.git"""
        subprocess.run(("sh", "-c", script, CRATE.format(f"{NAME}-git")), cwd=made[0].name, check=True, capture_output=True)
    root = pathlib.Path(made[0].name, "told.git")
    words = {"/mock/told.git/info/refs": ("--http-backend-info-refs",), "/mock/told.git/git-upload-pack": ()}.get(path)
    if words is None:
        return "text/plain", None
    said = subprocess.run(("git", "upload-pack", "--stateless-rpc", *words, root), input=body, check=True, capture_output=True).stdout
    if words:
        return "application/x-git-upload-pack-advertisement", b"001e# service=git-upload-pack\n0000" + said
    return "application/x-git-upload-pack-result", said
