"""The registries of npm and PyPI and a server of git repositories, each with one thing: `told`, which prints what it is told."""

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

HOSTS = ("registry.npmjs.org", "pypi.org", "files.pythonhosted.org", "github.com")
NAME, VERSION = "told", "1.0.0"
WHEEL = f"{NAME}-{VERSION}-py3-none-any.whl"
PROGRAM = "#!/usr/bin/env node\nconsole.log('told by npm', ...process.argv.slice(2))\n"


def answer(host, path):
    """The body for a path of one of the hosts; None where there is nothing."""
    if host == "github.com":
        return _repository(path)
    if host == "registry.npmjs.org":
        return _package(path)
    return {f"/simple/{NAME}/": _links, f"/{WHEEL}": _wheel}.get(path, lambda: None)()


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
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in (("package.json", json.dumps(manifest)), ("cli.js", program)):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0)  # the same bytes each time: a hash of it holds


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


def _repository(path, made=[]):  # noqa: B006 # made once
    """A file of a bare repository, as servers without git's own protocol give it."""
    if not made:
        made.append(tempfile.TemporaryDirectory(prefix="mock-git-"))
        script = """git init -q work && cd work && echo 'told by git' >told && git add told &&
            git -c user.name=mock -c user.email=mock@example.com commit -qm told && cd .. &&
            git clone -q --bare work told.git && git --git-dir told.git update-server-info"""
        subprocess.run(("sh", "-c", script), cwd=made[0].name, check=True, capture_output=True)
    root = pathlib.Path(made[0].name, "told.git")
    file = root.joinpath(*path.removeprefix("/mock/told.git/").split("/")).resolve()
    return file.read_bytes() if path.startswith("/mock/told.git/") and file.is_relative_to(root) and file.is_file() else None
